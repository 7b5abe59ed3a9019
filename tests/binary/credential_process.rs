//! Commands of `credential_process`: bounds, stdin, and the form of the value.

use std::fs;

use crate::support::{Outcome, Program, Server};
use crate::{TYPES, account};

const KEYS: &str =
    r#"{"Version":1,"AccessKeyId":"AKIAIOSFODNN7EXAMPLE","SecretAccessKey":"process-secret"}"#;

/// Prepares a run whose only credentials are those of `command`. `keys.json` in its directory has credentials.
pub fn with_process(program: Program, command: &str) -> Program {
    let program = program
        .args(TYPES)
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "");
    let directory = program.directory().join("home/.aws");
    fs::create_dir(&directory).unwrap();
    let config = format!("[default]\ncredential_process = {command}\n");
    fs::write(directory.join("config"), config).unwrap();
    fs::write(program.directory().join("current/keys.json"), KEYS).unwrap();
    program
}

fn run(server: &Server, command: &str) -> Outcome {
    let run = with_process(Program::new(server), command).run();
    assert!(!run.stderr.contains("process-secret"), "{}", run.stderr);
    run
}

#[test]
fn command_keeps_semicolon_and_number_sign() {
    let server = account().serve();
    for command in [
        "sh -c 'cd ../out ; cat ../current/keys.json'",
        "sh -c ': # a comment of the command\n  cat keys.json'",
        "sh -c 'test \"$1\" = \"#fff\" && cat keys.json' sh #fff",
        "sh -c 'test \"$#\" = 4 && cat keys.json' sh --id #5 # 7",
        "cat keys.json ; true",
        "sh -c \"echo ' #' ; echo ' ;' ; cat keys.json\" | tail -n 1",
    ] {
        let run = run(&server, command);
        assert_eq!(run.code, Some(0), "{command}: {}", run.describe());
        assert_eq!(run.csv(), account().csv());
    }
}

/// Some daemons start their commands with SIGCHLD ignored.
#[test]
fn ignored_sigchld_does_not_matter() {
    let server = account().serve();
    let ignoring = r#"exec perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$@""#;
    let program = Program::in_shell(ignoring, &server);
    let run = with_process(program, "cat keys.json").run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account().csv());
}

/// As in a container image that has only the program.
#[test]
fn missing_shell_is_named() {
    let server = account().serve();
    let program = with_process(Program::new(&server), "cat keys.json");
    let run = program.env("PATH", "/nonexistent").run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let expected = "credential_process of profile default could not be run: sh: No such file";
    assert!(run.stderr.contains(expected), "{}", run.describe());
}

#[test]
fn output_above_limit_is_refused() {
    for command in [
        "yes",
        "cat /dev/zero",
        "sh -c 'yes >&2'",
        "sh -c 'trap \"\" TERM PIPE; yes'",
    ] {
        let server = account().serve();
        let run = run(&server, command);
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let text = "credential_process of profile default was ended: printed more than 1 MiB";
        assert!(run.stderr.contains(text), "{command}: {}", run.describe());
        assert_eq!(server.calls().len(), 0);
    }
}

#[test]
fn stdin_that_is_no_terminal_is_empty() {
    let server = account().serve();
    let program = Program::in_shell(r#"echo input | "$@""#, &server);
    let program = with_process(program, "sh -c 'test -z \"$(cat)\" && cat keys.json'");
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
}
