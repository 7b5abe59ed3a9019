//! Runs that are interrupted, starved, or robbed of the folder that they write to: what stood there
//! before is whole, what can be saved is saved, and a message says what was lost.

#[path = "../support/mod.rs"]
mod support;

mod folder;
mod interrupts;
mod starved;
mod streams;
#[cfg(target_os = "linux")]
mod terminal;

use std::io::PipeWriter;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Condvar, Mutex};

use support::{Account, Outcome, Program, Server};

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";
const TYPES: [&str; 2] = ["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"];
const OLD: &str = "an old file\n";

const CSV: &str = "out/aws_config_resource_count_012345678901_acme-prod.csv";
const COVERAGE: &str = "out/aws_config_resource_count_012345678901_acme-prod_coverage.csv";
const VERIFY: &str = "out/aws_config_resource_count_012345678901_acme-prod_verify.csv";
const REPORT: &str = "work/report.json";
const ERRORS: &str = "out/aws_config_resource_count_012345678901_acme-prod_errors.txt";

/// Two regions, two types, three pages of buckets.
fn account() -> Account {
    Account::new()
        .alias("acme-prod")
        .region("us-east-1", &[(VPC, 2), (BUCKET, 250)])
        .region("eu-west-1", &[(VPC, 1), (BUCKET, 7)])
}

/// As many regions as there are real ones.
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

/// A run that is to leave all that a run can leave, where an older one has left it already.
fn everything(server: &Server) -> Program {
    let program = Program::new(server).args(TYPES).args([
        "--coverage",
        "--method",
        "verify",
        "--report",
        "report.json",
    ]);
    for name in [CSV, COVERAGE, VERIFY, REPORT] {
        std::fs::write(program.folder().join(name), OLD).unwrap();
    }
    program
}

/// What the file `name` of a run holds.
fn content(run: &Outcome, name: &str) -> String {
    let path = run.folder().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}: {}", run.told()))
}

/// No word of the program's inside reached the user.
fn assert_civil(run: &Outcome) {
    for word in ["panicked", "RUST_BACKTRACE", "a fault of the program"] {
        let said = run.stdout.contains(word) || run.stderr.contains(word);
        assert!(!said, "{word}: {}", run.told());
    }
}

/// No file is there but those `named`.
fn assert_files(run: &Outcome, named: &[&str]) {
    let mut named: Vec<PathBuf> = named.iter().map(PathBuf::from).collect();
    named.sort();
    assert_eq!(run.files(), named, "{}", run.told());
}

/// A pipe whose reader has gone.
fn broken_pipe() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

/// Puts a FIFO at `path`: who opens it waits until somebody opens its other end.
fn make_fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success(), "mkfifo {}", path.display());
}

/// What a server's handler and a test tell each other.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    fn pass(&self) {
        let closed = |open: &mut bool| !*open;
        drop(self.1.wait_while(self.0.lock().unwrap(), closed).unwrap());
    }
}
