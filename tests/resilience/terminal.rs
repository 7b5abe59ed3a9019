//! A real terminal, which util-linux's `script` makes, and a typed Ctrl-C.

use std::io::Write;

use crate::support::{Program, Reply};
use crate::{TYPES, VPC, account, assert_civil, assert_files};

/// `script` wants one command line. Nothing in the arguments needs more than quotes.
const IN_A_TERMINAL: &str = r#"line=; for word; do line="$line '$word'"; done
exec /usr/bin/script -qefc "exec $line" /dev/null"#;

#[test]
fn a_typed_ctrl_c_leaves_the_terminal_as_it_was() {
    let server = account().serve_but(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
    let (keys, mut fingers) = std::io::pipe().unwrap();
    let running = Program::in_shell(IN_A_TERMINAL, &server)
        .args(TYPES)
        .stdin(keys)
        .start();
    server.wait_for(|call| call.lists(VPC, "eu-west-1"));
    assert!(running.says("0/2"), "the bar stands there");
    fingers.write_all(b"\x03").unwrap();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.told());
    assert!(run.stdout.contains("\rProgress: ["), "{}", run.told());
    // The bar's line has ended, so that the prompt has its own.
    let end = "\r\nInterrupted\r\n";
    assert!(run.stdout.ends_with(end), "{:?}", run.stdout);
    assert!(
        !run.stdout.contains("\x1b[?25"),
        "the cursor stays: {:?}",
        run.stdout
    );
    assert_civil(&run);
    assert_files(&run, &[]);
}

#[test]
fn a_bar_that_is_whole_ends_its_line() {
    let server = account().serve();
    let run = Program::in_shell(IN_A_TERMINAL, &server).args(TYPES).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert!(
        run.stdout.contains("2/2\x1b[K\r\nResults written to "),
        "{:?}",
        run.stdout
    );
    assert!(
        !run.stdout.contains("\x1b[?25"),
        "the cursor stays: {:?}",
        run.stdout
    );
    assert_eq!(run.csv(), account().csv());
}
