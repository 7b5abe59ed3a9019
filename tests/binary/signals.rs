//! Ctrl-C and its kin.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::{Call, Outcome, Program, Reply, Server};
use crate::{TYPES, VPC, account};

const OLD: &str = "account,alias,region,resource_type,total\r\nold\r\n";

/// A run over an old CSV, which is to leave all that a run can leave; it gets `signal` once a call
/// is as `wanted`.
fn interrupted(server: &Server, signal: &str, wanted: impl Fn(&Call) -> bool) -> Outcome {
    let beside = [
        "--coverage",
        "--method",
        "verify",
        "--report",
        "report.json",
    ];
    let program = Program::new(server).args(TYPES).args(beside);
    std::fs::write(program.folder().join(csv_name()), OLD).unwrap();
    let running = program.start();
    server.wait_for(wanted);
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
    assert_eq!(run.code, Some(code), "{}", run.told());
    assert!(run.stderr.ends_with("Interrupted\n"), "{}", run.told());
    assert!(!run.stderr.contains("panicked"), "{}", run.told());
    assert_eq!(run.files(), [csv_name()], "{}", run.told());
    assert_eq!(run.csv(), OLD);
}

#[test]
fn ctrl_c_and_a_termination_end_a_scan() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let server = account().serve_but(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
        let run = interrupted(&server, signal, |call| call.lists(VPC, "eu-west-1"));
        assert_untouched(&run, code);
        assert!(
            run.stdout.ends_with("Scanning 2 regions...\n"),
            "{}",
            run.told()
        );
    }
}

#[test]
fn ctrl_c_ends_the_wait_for_a_recorder() {
    let about = |call: &Call| call.is("DescribeConfigurationRecorders", "eu-west-1");
    let server = account().serve_but(move |call| about(call).then(Reply::stall));
    let run = interrupted(&server, "INT", about);
    assert_untouched(&run, 130);
}

#[test]
fn ctrl_c_ends_the_checks() {
    let server = account().serve_but(|call| (call.service == "iam").then(Reply::stall));
    let run = interrupted(&server, "INT", |call| call.service == "iam");
    assert_untouched(&run, 130);
    assert!(!run.stdout.contains('✗'), "no check failed: {}", run.told());
}

#[test]
fn ctrl_c_ends_the_wait_before_another_attempt() {
    let server = account().serve_but(|call| {
        let throttled = || Reply::throttled(call).header("x-amz-retry-after", "5000");
        call.lists(VPC, "eu-west-1").then(throttled)
    });
    let run = interrupted(&server, "INT", |call| call.lists(VPC, "eu-west-1"));
    assert_untouched(&run, 130);
    assert_eq!(server.count(|call| call.lists(VPC, "eu-west-1")), 1);
}
