//! Tests with a stdout or stderr that cannot be written to.

use std::fs::File;
use std::io::PipeWriter;

use crate::support::{Outcome, Program, Reply, Server};
use crate::{Account, TYPES, VPC, account, without_cell};

/// Returns a pipe whose reader is closed.
fn broken_pipe() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

/// Serves `account` with one error in the scan.
fn serve_with_error(account: &Account) -> Server {
    account.serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    })
}

fn assert_saved(run: &Outcome, account: &Account) {
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    assert!(run.errors().contains("[PERMISSION]"), "{}", run.describe());
    assert!(!run.stderr.contains("panicked"), "{}", run.describe());
}

#[test]
fn broken_pipe_loses_only_its_text() {
    let account = account();
    let server = serve_with_error(&account);
    let run = Program::new(&server)
        .args(TYPES)
        .stdout(broken_pipe())
        .run();
    assert_saved(&run, &account);
    assert!(run.stderr.contains("[PERMISSION]"), "{}", run.describe());

    let run = Program::new(&server)
        .args(TYPES)
        .stderr(broken_pipe())
        .run();
    assert_saved(&run, &account);
    assert!(
        run.stdout.contains("Errors encountered: 1"),
        "{}",
        run.describe()
    );

    let debug = Program::new(&server).args(TYPES).arg("--debug");
    let run = debug.stdout(broken_pipe()).stderr(broken_pipe()).run();
    assert_saved(&run, &account);
}

#[test]
fn closed_streams_lose_only_their_text() {
    let account = account();
    let server = serve_with_error(&account);
    for script in [
        r#"exec "$@" >&-"#,
        r#"exec "$@" 2>&-"#,
        r#"exec "$@" <&- >&- 2>&-"#,
    ] {
        let run = Program::in_shell(script, &server).args(TYPES).run();
        assert_saved(&run, &account);
    }
}

#[test]
fn full_disk_on_stdout_loses_only_text() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        // Only Linux has this device.
        return;
    };
    let account = account();
    let server = serve_with_error(&account);
    let run = Program::new(&server).args(TYPES).stdout(full).run();
    assert_saved(&run, &account);
}
