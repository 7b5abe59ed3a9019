//! Tests of `--max-time`, which bounds a whole run of many accounts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{ORGANIZATION, Organization, Program, Reply, Server};
use crate::{BUCKET, VPC, organization};

const COUNTS: &str = "aws_config_combined_count_o-abcdefghij.csv";
const WHY: &str = "not tried, because the run reached its time limit; continue it with --resume, and give it more \
                   time with --max-time";

/// Returns a run with one worker, so that only its waits pass the time of the injected clock.
fn program(server: &Server, output: &std::path::Path, args: &[&str]) -> Program {
    let types = format!("{VPC},{BUCKET}");
    let directory = output.to_str().unwrap();
    Program::without_server()
        .args(["--endpoint-url", &server.url(), "--output-dir", directory])
        .args(["--organization", "--resource-types", &types])
        .args(["--strict", "--max-connections", "1"])
        .args(args)
}

#[test]
fn time_of_run_ends_account_and_leaves_others() {
    let organization = organization(5);
    let is_throttled = Arc::new(AtomicBool::new(true));
    let throttled = is_throttled.clone();
    let server = organization.serve_with(move |account, call| {
        let is_second = account == Organization::id(2) && call.lists(BUCKET, "eu-west-1");
        (is_second && throttled.load(Ordering::SeqCst)).then(|| Reply::throttled(call))
    });
    let output = tempfile::tempdir().unwrap();
    let run = program(&server, output.path(), &["--max-time", "30"]).run_without_waits();
    let text = run.describe();
    assert_eq!(run.code, Some(3), "{text}");
    let read = |name: &str| std::fs::read_to_string(output.path().join(name));
    let accounts = read(&format!("aws_config_combined_accounts_{ORGANIZATION}.csv")).unwrap();
    let expected = [
        ",complete,",
        ",partial,",
        ",not_tried,",
        ",not_tried,",
        ",not_tried,",
    ];
    for (row, status) in accounts.lines().skip(1).zip(expected) {
        assert!(row.contains(status), "{status}: {accounts}");
        assert_eq!(row.contains(WHY), status == ",not_tried,", "{row}");
    }
    // The types of account 2 that were counted before.
    let counts = read(COUNTS).unwrap();
    assert!(counts.starts_with(&organization.csv(&[1])), "{counts}");
    assert_eq!(counts.matches("100000000002,").count(), 1, "{counts}");
    let errors = read(&format!("aws_config_combined_errors_{ORGANIZATION}.txt")).unwrap();
    let line = "Account: 100000000002, Region: us-east-1, Message: all 2 types not counted: the scan reached its time limit";
    assert!(errors.contains(line), "{errors}");
    for number in 3..=5 {
        let line = format!(
            "[SCAN_FAILED] Account: {}, Message: {WHY}",
            Organization::id(number)
        );
        assert!(errors.contains(&line), "{errors}");
    }
    let opened = server.count(|call| call.operation == "AssumeRole");
    assert_eq!(opened, 1, "only account 2: {text}");
    assert!(run.stdout.contains("Summary"), "{text}");
    assert!(run.stderr.contains(" --max-time 30 --resume\n"), "{text}");

    is_throttled.store(false, Ordering::SeqCst);
    let resumed = program(&server, output.path(), &["--resume"]).run_without_waits();
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    assert_eq!(read(COUNTS).unwrap(), organization.csv(&[1, 2, 3, 4, 5]));
}

/// The time may end before the first account; then nothing was counted.
#[test]
fn time_that_ends_in_the_checks_is_named() {
    let organization = organization(2);
    let server = organization.serve_with(|_, call| {
        (call.operation == "DescribeRegions").then(|| Reply::throttled(call))
    });
    let output = tempfile::tempdir().unwrap();
    let run = program(&server, output.path(), &["--max-time", "3"]).run_without_waits();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(run.stderr.contains("--max-time"), "{}", run.describe());
    assert!(!run.stderr.contains("interrupted"), "{}", run.describe());
}
