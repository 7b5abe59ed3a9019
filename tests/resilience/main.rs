//! Runs that are interrupted, that lack resources, or that lose their output directory: older files stay
//! complete, all possible output is written, and a message names the output that is lost.

#[path = "../support/mod.rs"]
mod support;

mod concurrent_runs;
mod interrupts;
mod output_directory;
mod resource_limits;
mod streams;
#[cfg(target_os = "linux")]
mod terminal;

use std::io::PipeWriter;
use std::path::PathBuf;

use support::{Account, Latch, Outcome, Program, Server};

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";
const TYPES: [&str; 2] = ["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"];
const OLD: &str = "an old file\n";

const CSV: &str = "out/aws_config_resource_count_012345678901_acme-prod.csv";
const COVERAGE: &str = "out/aws_config_coverage_012345678901_acme-prod.csv";
const VERIFY: &str = "out/aws_config_verify_012345678901_acme-prod.csv";
const REPORT: &str = "current/report.json";
const LOCK: &str = "out/.aws_config_resource_count_012345678901.lock";
const ERRORS: &str = "out/aws_config_resource_count_012345678901_acme-prod_errors.txt";

/// Returns an account with two regions, two resource types and three pages of buckets.
fn account() -> Account {
    Account::new()
        .alias("acme-prod")
        .region("us-east-1", &[(VPC, 2), (BUCKET, 250)])
        .region("eu-west-1", &[(VPC, 1), (BUCKET, 7)])
}

/// Returns an account with as many regions as AWS has.
fn wide_account() -> Account {
    let mut account = Account::new().alias("acme-prod");
    for area in ["af", "ap", "eu", "me", "sa", "us"] {
        for side in ["central", "east", "north", "northeast", "south", "west"] {
            let name = format!("{area}-{side}-1");
            account = account.region(&name, &[(VPC, 2), (BUCKET, 150)]);
        }
    }
    account
}

/// Returns a run that writes every output file, with older files in place.
fn with_all_outputs(server: &Server) -> Program {
    let program = Program::new(server).args(TYPES).args([
        "--coverage",
        "--method",
        "verify",
        "--report",
        "report.json",
    ]);
    for name in [CSV, COVERAGE, VERIFY, REPORT] {
        std::fs::write(program.directory().join(name), OLD).unwrap();
    }
    program
}

/// Returns the content of the file `name` of a run.
fn content(run: &Outcome, name: &str) -> String {
    let path = run.directory().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}: {}", run.describe()))
}

/// Asserts that the output contains no panic message.
fn assert_no_panic_output(run: &Outcome) {
    for word in ["panicked", "RUST_BACKTRACE", "internal error"] {
        let is_shown = run.stdout.contains(word) || run.stderr.contains(word);
        assert!(!is_shown, "{word}: {}", run.describe());
    }
}

/// Asserts that the files of a run are exactly the `expected` ones.
fn assert_files(run: &Outcome, expected: &[&str]) {
    let mut expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
    expected.sort();
    assert_eq!(run.files(), expected, "{}", run.describe());
}

/// Returns a pipe whose reader is closed.
fn broken_pipe() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}
