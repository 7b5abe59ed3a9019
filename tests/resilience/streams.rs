//! Stdout and stderr that are closed, full, or closed by their reader during the run.

use std::io::{BufRead, BufReader};

use crate::support::{Outcome, Program, Reply, Server};
use crate::{CSV, ERRORS, TYPES, VPC, account, assert_files, assert_no_panic_output, broken_pipe};

/// Starts a server with one error in the scan.
fn server() -> Server {
    account().serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    })
}

fn assert_saved(run: &Outcome) {
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_no_panic_output(run);
    assert_files(run, &[CSV, ERRORS]);
    assert_eq!(run.csv().lines().count(), 4, "{}", run.describe());
    assert_eq!(run.errors().matches("[PERMISSION]").count(), 1);
}

#[test]
fn closed_reader_after_any_line_keeps_files() {
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
fn head_in_pipeline_keeps_run_alive() {
    let script = r#""$@" 2>&1 | head -n 1"#;
    let server = server();
    let run = Program::in_shell(script, &server).args(TYPES).run();
    assert_eq!(run.stdout, "Verifying prerequisites...\n");
    assert_saved(&run);
}

#[test]
fn closed_streams_keep_files() {
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

/// Only Linux has `/dev/full`.
#[cfg(target_os = "linux")]
#[test]
fn full_streams_keep_files() {
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

/// Without any stream, the exit code still reports the failure.
#[test]
fn failure_without_streams_sets_exit_code() {
    let server = account().serve_with(|call| {
        let denied = || Reply::error(call, 403, "AccessDenied", "no");
        (call.service == "iam").then(denied)
    });
    let early = "out/aws_config_resource_count_012345678901_errors.txt";
    for closed in [">&- 2>&-", "<&- >&- 2>&-", "2>&- | head -n 0; exit 1"] {
        let script = format!(r#""$@" {closed}"#);
        let run = Program::in_shell(&script, &server).args(TYPES).run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert_no_panic_output(&run);
        assert_files(&run, &[early]);
        assert!(
            run.errors().contains("[PREREQUISITE]"),
            "{}",
            run.describe()
        );
        let wrong = Program::in_shell(&format!(r#""$@" --nonsense {closed}"#), &server).run();
        let code = if closed.contains("exit") { 1 } else { 2 };
        assert_eq!(wrong.code, Some(code), "{}", wrong.describe());
        assert_no_panic_output(&wrong);
        let help = Program::in_shell(&format!(r#""$@" --help {closed}"#), &server).run();
        assert_no_panic_output(&help);
    }
    let program = Program::without_server().args(["--replay", "nowhere"]);
    let run = program.stderr(broken_pipe()).run();
    assert_eq!(run.code, Some(2), "{}", run.describe());
}
