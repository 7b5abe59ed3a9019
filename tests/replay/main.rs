//! Replays every directory of `fixtures` through the library: command line, checks, scan, CSV and
//! error log. Only the network, the clock and the waits are replaced.
//!
//! A case is one row of `recordings::CASES` and a directory of `fixtures`; `fixtures/README.md`
//! describes its files. If an expected file other than `expected_stdout.txt` is absent, the run must
//! not write that file. Stdout is compared only if its expected file exists.
//!
//! - One case: `CASE=scan/no_alias cargo test --test replay`. An unknown name fails.
//! - Rewrite the expected files: `UPDATE_EXPECTED=1 cargo test --test replay expected_files`, also
//!   with `CASE`. Review the difference like code: users see these files.

mod coverage;
mod expected;
mod harness;
mod log;
mod organization;
mod outcome;
#[path = "../recordings/mod.rs"]
mod recordings;
mod repeated;
#[path = "../table/mod.rs"]
mod table;

use std::path::Path;

use recordings::{CASES, GROUPS, MANY_ACCOUNTS, ORGANIZATION, file_names, read_tree};

#[test]
fn fixture_directories_match_cases() {
    let fixtures = Path::new("fixtures");
    let mut known: Vec<&str> = GROUPS.iter().map(|(group, _)| *group).collect();
    known.extend(["README.md", "_base", "demo", ORGANIZATION.name]);
    known.sort_unstable();
    assert_eq!(file_names(fixtures), known);
    let mut directories = vec!["demo".to_owned(), ORGANIZATION.name.to_owned()];
    for (group, _) in GROUPS {
        let names = file_names(&fixtures.join(group));
        directories.extend(names.into_iter().map(|name| format!("{group}/{name}")));
    }
    directories.sort();
    let cases = CASES.iter().chain(MANY_ACCOUNTS);
    let mut cases: Vec<&str> = cases.map(|case| case.name).collect();
    cases.sort_unstable();
    assert_eq!(directories, cases);
}

/// A copy of a shared file would hide what is special about the case.
#[test]
fn case_files_differ_from_base() {
    for case in CASES.iter().chain(MANY_ACCOUNTS) {
        let base = case
            .base_path()
            .map(|path| read_tree(&path))
            .unwrap_or_default();
        for (name, bytes) in read_tree(&case.path()) {
            assert_ne!(base.get(&name), Some(&bytes), "{}: {name}", case.name);
        }
    }
}
