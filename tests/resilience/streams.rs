//! A stdout and a stderr that are closed, full, or read by somebody who goes.

use std::io::{BufRead, BufReader};

use crate::support::{Outcome, Program, Reply, Server};
use crate::{CSV, ERRORS, TYPES, VPC, account, assert_civil, assert_files, broken_pipe};

/// An account with one incident in its scan.
fn server() -> Server {
    account().serve_but(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    })
}

fn assert_saved(run: &Outcome) {
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_civil(run);
    assert_files(run, &[CSV, ERRORS]);
    assert_eq!(run.csv().lines().count(), 4, "{}", run.told());
    assert_eq!(run.errors().matches("[PERMISSION]").count(), 1);
}

#[test]
fn a_reader_may_go_after_any_line() {
    let server = server();
    let lines = Program::new(&server)
        .args(TYPES)
        .run()
        .stdout
        .lines()
        .count();
    assert!(lines > 15, "{lines}");
    for read in 0..lines {
        let (reader, writer) = std::io::pipe().unwrap();
        let running = Program::new(&server).args(TYPES).stdout(writer).start();
        let mut reader = BufReader::with_capacity(1, reader);
        for _ in 0..read {
            let mut line = String::new();
            assert!(reader.read_line(&mut line).unwrap() > 0);
        }
        drop(reader);
        assert_saved(&running.finish());
    }
}

#[test]
fn head_ends_a_pipeline_and_not_the_run() {
    let script = r#""$@" 2>&1 | head -n 1"#;
    let server = server();
    let run = Program::in_shell(script, &server).args(TYPES).run();
    assert_eq!(run.stdout, "Verifying prerequisites...\n");
    assert_saved(&run);
}

#[test]
fn every_stream_may_be_closed() {
    let server = server();
    for closed in [">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"] {
        let script = format!(r#"exec "$@" {closed}"#);
        let run = Program::in_shell(&script, &server).args(TYPES).run();
        assert_saved(&run);
        let debug = Program::in_shell(&script, &server)
            .args(TYPES)
            .arg("--debug");
        assert_saved(&debug.run());
    }
}

/// Linux alone has `/dev/full`.
#[cfg(target_os = "linux")]
#[test]
fn every_stream_may_be_a_full_disk() {
    let server = server();
    for full in [">/dev/full", "2>/dev/full", ">/dev/full 2>&1"] {
        let script = format!(r#"exec "$@" {full}"#);
        assert_saved(&Program::in_shell(&script, &server).args(TYPES).run());
        let debug = Program::in_shell(&script, &server)
            .args(TYPES)
            .arg("--debug");
        assert_saved(&debug.run());
    }
}

/// The exit code is told even where nothing else can be.
#[test]
fn a_failure_that_nobody_reads_is_still_one() {
    let server = account().serve_but(|call| {
        let denied = || Reply::error(call, 403, "AccessDenied", "no");
        (call.service == "iam").then(denied)
    });
    let early = "out/aws_config_resource_count_012345678901_errors.txt";
    for closed in [">&- 2>&-", "<&- >&- 2>&-", "2>&- | head -n 0; exit 1"] {
        let script = format!(r#""$@" {closed}"#);
        let run = Program::in_shell(&script, &server).args(TYPES).run();
        assert_eq!(run.code, Some(1), "{}", run.told());
        assert_civil(&run);
        assert_files(&run, &[early]);
        assert!(run.errors().contains("[PREREQUISITE]"), "{}", run.told());
        let wrong = Program::in_shell(&format!(r#""$@" --nonsense {closed}"#), &server).run();
        let code = if closed.contains("exit") { 1 } else { 2 };
        assert_eq!(wrong.code, Some(code), "{}", wrong.told());
        assert_civil(&wrong);
        let help = Program::in_shell(&format!(r#""$@" --help {closed}"#), &server).run();
        assert_civil(&help);
    }
    let nowhere = Program::alone().args(["--replay", "nowhere"]);
    let run = nowhere.stderr(broken_pipe()).run();
    assert_eq!(run.code, Some(2), "{}", run.told());
}
