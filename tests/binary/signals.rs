//! Tests of SIGINT and SIGTERM.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::{Call, Outcome, Program, Reply, Server};
use crate::{TYPES, VPC, account};

const OLD: &str = "account,alias,region,resource_type,total\r\nold\r\n";

/// Runs over an old CSV, with all output files requested, and sends `signal` once a request matches
/// `condition`.
fn interrupt(server: &Server, signal: &str, condition: impl Fn(&Call) -> bool) -> Outcome {
    let outputs = [
        "--coverage",
        "--method",
        "verify",
        "--report",
        "report.json",
    ];
    let program = Program::new(server).args(TYPES).args(outputs);
    std::fs::write(program.directory().join(csv_name()), OLD).unwrap();
    let running = program.start();
    server.wait_for(condition);
    let start = Instant::now();
    running.signal(signal);
    let run = running.finish();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    run
}

fn csv_name() -> PathBuf {
    PathBuf::from("out/aws_config_resource_count_012345678901_acme-prod.csv")
}

fn assert_untouched(run: &Outcome, code: i32) {
    assert_eq!(run.code, Some(code), "{}", run.describe());
    assert!(run.stderr.ends_with("Interrupted\n"), "{}", run.describe());
    assert!(!run.stderr.contains("panicked"), "{}", run.describe());
    assert_eq!(run.files(), [csv_name()], "{}", run.describe());
    assert_eq!(run.csv(), OLD);
}

#[test]
fn interrupt_and_termination_end_the_scan() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let server = account().serve_with(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
        let run = interrupt(&server, signal, |call| call.lists(VPC, "eu-west-1"));
        assert_untouched(&run, code);
        assert!(
            run.stdout.ends_with("Scanning 2 regions...\n"),
            "{}",
            run.describe()
        );
    }
}

#[test]
fn ctrl_c_ends_wait_for_recorder() {
    let is_recorder_call = |call: &Call| call.is("DescribeConfigurationRecorders", "eu-west-1");
    let server = account().serve_with(move |call| is_recorder_call(call).then(Reply::stall));
    let run = interrupt(&server, "INT", is_recorder_call);
    assert_untouched(&run, 130);
}

#[test]
fn ctrl_c_ends_the_checks() {
    let server = account().serve_with(|call| (call.service == "iam").then(Reply::stall));
    let run = interrupt(&server, "INT", |call| call.service == "iam");
    assert_untouched(&run, 130);
    assert!(
        !run.stdout.contains('✗'),
        "no check failed: {}",
        run.describe()
    );
}

#[test]
fn ctrl_c_ends_the_backoff() {
    let server = account().serve_with(|call| {
        let throttled = || Reply::throttled(call).header("x-amz-retry-after", "5000");
        call.lists(VPC, "eu-west-1").then(throttled)
    });
    let run = interrupt(&server, "INT", |call| call.lists(VPC, "eu-west-1"));
    assert_untouched(&run, 130);
    assert_eq!(server.count(|call| call.lists(VPC, "eu-west-1")), 1);
}
