//! Runs in a pseudo-terminal, created by `script` of util-linux, with a typed Ctrl-C.

use std::io::Write;

use crate::support::{Program, Reply};
use crate::{TYPES, VPC, account, assert_files, assert_no_panic_output};

/// `script` takes one command line. Quotes are sufficient for these arguments.
const IN_A_TERMINAL: &str = r#"line=; for word; do line="$line '$word'"; done
exec /usr/bin/script -qefc "exec $line" /dev/null"#;

#[test]
fn typed_ctrl_c_restores_terminal() {
    let server = account().serve_with(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
    let (keyboard, mut input) = std::io::pipe().unwrap();
    let running = Program::in_shell(IN_A_TERMINAL, &server)
        .args(TYPES)
        .stdin(keyboard)
        .start();
    server.wait_for(|call| call.lists(VPC, "eu-west-1"));
    assert!(running.wait_for_stdout("0/2"), "no progress bar");
    input.write_all(b"\x03").unwrap();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.describe());
    assert!(run.stdout.contains("\rProgress: ["), "{}", run.describe());
    // The line of the bar has ended, so that the prompt starts on a new line.
    let end = "\r\nInterrupted\r\n";
    assert!(run.stdout.ends_with(end), "{:?}", run.stdout);
    assert!(
        !run.stdout.contains("\x1b[?25"),
        "the cursor was hidden: {:?}",
        run.stdout
    );
    assert_no_panic_output(&run);
    assert_files(&run, &[]);
}

#[test]
fn complete_bar_ends_its_line() {
    let server = account().serve();
    let run = Program::in_shell(IN_A_TERMINAL, &server).args(TYPES).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(
        run.stdout.contains("2/2\x1b[K\r\nResults written to "),
        "{:?}",
        run.stdout
    );
    assert!(
        !run.stdout.contains("\x1b[?25"),
        "the cursor was hidden: {:?}",
        run.stdout
    );
    assert_eq!(run.csv(), account().csv());
}
