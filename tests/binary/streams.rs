//! A stdout or a stderr that nobody reads.

use std::fs::File;
use std::io::PipeWriter;

use crate::support::{Outcome, Program, Reply, Server};
use crate::{Account, TYPES, VPC, account, without_cell};

/// A pipe whose reader has gone.
fn broken_pipe() -> PipeWriter {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer
}

/// An account with one incident in its scan.
fn server(account: &Account) -> Server {
    account.serve_but(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    })
}

fn assert_saved(run: &Outcome, account: &Account) {
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    assert!(run.errors().contains("[PERMISSION]"), "{}", run.told());
    assert!(!run.stderr.contains("panicked"), "{}", run.told());
}

#[test]
fn a_broken_pipe_costs_nothing_but_its_text() {
    let account = account();
    let server = server(&account);
    let run = Program::new(&server)
        .args(TYPES)
        .stdout(broken_pipe())
        .run();
    assert_saved(&run, &account);
    assert!(run.stderr.contains("[PERMISSION]"), "{}", run.told());

    let run = Program::new(&server)
        .args(TYPES)
        .stderr(broken_pipe())
        .run();
    assert_saved(&run, &account);
    assert!(
        run.stdout.contains("Errors encountered: 1"),
        "{}",
        run.told()
    );

    let debug = Program::new(&server).args(TYPES).arg("--debug");
    let run = debug.stdout(broken_pipe()).stderr(broken_pipe()).run();
    assert_saved(&run, &account);
}

#[test]
fn closed_streams_cost_nothing_but_their_text() {
    let account = account();
    let server = server(&account);
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
fn a_full_disk_behind_stdout_costs_nothing_but_its_text() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        // Linux alone has it.
        return;
    };
    let account = account();
    let server = server(&account);
    let run = Program::new(&server).args(TYPES).stdout(full).run();
    assert_saved(&run, &account);
}
