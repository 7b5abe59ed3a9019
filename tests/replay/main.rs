//! Replays every directory of `fixtures` through the library: command line, checks, scan, CSV and
//! error log. Only the network, the clock and the waits are replaced.
//!
//! A case is one row of `recordings::CASES`: a fixture directory, its arguments and its exit code. The directory
//! holds `env.json`, optionally `home/.aws/`, the recorded requests and responses in `interactions/`,
//! and the expected files: `expected.csv`, `expected_coverage.csv`, `expected_verify.csv`,
//! `expected_errors.txt` and `expected_stdout.txt`. If one of the first four is absent, the run must
//! not write that file. Stdout is compared only if its expected file exists.
//!
//! - One case: `CASE=scan/no_alias cargo test --test replay`. An unknown name fails.
//! - Rewrite the expected files: `UPDATE_EXPECTED=1 cargo test --test replay expected_files`, also
//!   with `CASE`. Review the difference like code: users see these files.

mod coverage;
mod expected;
mod files;
mod harness;
mod log;
mod outcome;
#[path = "../recordings/mod.rs"]
mod recordings;
mod repeated;
#[path = "../table/mod.rs"]
mod table;

use std::path::Path;

use files::file_names;
use recordings::CASES;

#[test]
fn fixture_directories_match_cases() {
    let fixtures = Path::new("fixtures");
    let mut directories = vec!["demo".to_owned()];
    for group in file_names(fixtures)
        .into_iter()
        .filter(|name| name != "demo")
    {
        let names = file_names(&fixtures.join(&group));
        directories.extend(names.into_iter().map(|name| format!("{group}/{name}")));
    }
    directories.sort();
    let mut cases: Vec<&str> = CASES.iter().map(|c| c.name).collect();
    cases.sort_unstable();
    assert_eq!(directories, cases);
}
