//! Tests of the signals that end a run, in each of its phases.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::credential_process::with_process;
use crate::support::make_fifo;
use crate::support::{Call, Outcome, Program, Reply, Running, Server};
use crate::{TYPES, VPC, account};

/// The signals that end a run, with the exit codes.
const SIGNALS: [(&str, i32); 4] = [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)];

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

/// Asserts that the old CSV is unchanged, and that the last line of stderr says so.
fn assert_untouched(run: &Outcome, code: i32, done: &str) {
    assert_eq!(run.code, Some(code), "{}", run.describe());
    let by = match code {
        129 => " by SIGHUP",
        131 => " by SIGQUIT",
        143 => " by SIGTERM",
        _ => "",
    };
    let kept = if done.contains("counted") {
        "the last CSV is unchanged"
    } else {
        "existing files are unchanged"
    };
    let expected = format!("Interrupted{by}: {done}; nothing was written, {kept}.");
    assert_eq!(run.interrupt_message(), expected);
    assert!(!run.stderr.contains("panicked"), "{}", run.describe());
    assert_eq!(run.files(), [csv_name()], "{}", run.describe());
    assert_eq!(run.csv(), OLD);
}

#[test]
fn interrupt_and_termination_end_the_scan() {
    for (signal, code) in SIGNALS {
        // No region can finish before the signal.
        let server = account().serve_with(|call| {
            let is_recorder = call.is("DescribeConfigurationRecorders", &call.region);
            (is_recorder || call.lists(VPC, "eu-west-1")).then(Reply::stall)
        });
        let run = interrupt(&server, signal, |call| call.lists(VPC, "eu-west-1"));
        assert_untouched(&run, code, "0 of 2 regions were counted");
        assert!(
            run.stdout.ends_with("Scanning 2 regions...\n"),
            "{}",
            run.describe()
        );
    }
}

#[test]
fn ctrl_c_ends_wait_for_recorder() {
    let is_recorder_call = |call: &Call| call.is("DescribeConfigurationRecorders", &call.region);
    let server = account().serve_with(move |call| is_recorder_call(call).then(Reply::stall));
    let run = interrupt(&server, "INT", is_recorder_call);
    assert_untouched(&run, 130, "0 of 2 regions were counted");
}

#[test]
fn ctrl_c_ends_the_checks() {
    let server = account().serve_with(|call| (call.service == "iam").then(Reply::stall));
    let run = interrupt(&server, "INT", |call| call.service == "iam");
    assert_untouched(&run, 130, "the scan was not started");
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
        if call.is("DescribeConfigurationRecorders", "us-east-1") {
            return Some(Reply::stall());
        }
        call.lists(VPC, "eu-west-1").then(throttled)
    });
    let run = interrupt(&server, "INT", |call| call.lists(VPC, "eu-west-1"));
    assert_untouched(&run, 130, "0 of 2 regions were counted");
    assert_eq!(server.count(|call| call.lists(VPC, "eu-west-1")), 1);
}

/// Sends `signal` to a run that made no request yet, and asserts that it ends promptly.
fn assert_ends(running: Running, signal: &str, code: i32, phase: &str) {
    let start = Instant::now();
    running.signal(signal);
    let run = running.finish();
    let took = start.elapsed();
    assert!(took < Duration::from_secs(4), "{phase}: {took:?}");
    assert_eq!(run.code, Some(code), "{phase} {signal}: {}", run.describe());
    let message = run.interrupt_message();
    assert!(
        message.contains("nothing was written"),
        "{phase}: {message}"
    );
    assert!(!run.stdout.contains('✗'), "{phase}: {}", run.describe());
}

#[test]
fn first_signal_ends_credential_process() {
    for (signal, code) in SIGNALS {
        for command in [
            "sh -c 'exec 3>alive; sleep 600; :'",
            "sh -c 'exec 3>alive; trap \"\" TERM; sleep 600; sleep 600'",
            "sh -c 'exec 3>alive; sleep 600 & (trap \"\" TERM INT; sleep 600; :) & exit 0'",
        ] {
            let server = account().serve();
            let program = with_process(Program::new(&server), command);
            let path = program.directory().join("current/alive");
            make_fifo(&path);
            let running = program.start();
            // Opened when the command has started.
            let mut alive = fs::File::open(path).unwrap();
            let start = Instant::now();
            running.signal(signal);
            // The FIFO ends when all processes of the command have ended.
            assert_eq!(alive.read(&mut [0]).unwrap(), 0);
            let run = running.finish();
            assert!(
                start.elapsed() < Duration::from_secs(4),
                "{:?}",
                start.elapsed()
            );
            assert_eq!(run.code, Some(code), "{command}: {}", run.describe());
            let message = run.interrupt_message();
            assert!(message.contains("the scan was not started"), "{message}");
        }
    }
}

/// The file of `--resource-types` is read before the run, the others during the checks.
#[test]
fn first_signal_ends_read_of_fifo() {
    for (signal, code) in SIGNALS {
        for input in ["types", "bundle", "token"] {
            let server = account().serve();
            let program = Program::new(&server);
            let fifo = program.directory().join("current/fifo");
            make_fifo(&fifo);
            let program = match input {
                "types" => program.args(["--resource-types", "@fifo"]),
                "bundle" => program.args(["--ca-bundle", "fifo"]),
                _ => program
                    .env("AWS_ACCESS_KEY_ID", "")
                    .env("AWS_ROLE_ARN", "arn:aws:iam::012345678901:role/r")
                    .env("AWS_WEB_IDENTITY_TOKEN_FILE", "fifo"),
            };
            let running = program.start();
            // Opening waits until the program has opened the FIFO. There is never an end.
            let writer = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
            assert_ends(running, signal, code, input);
            drop(writer);
        }
    }
}

/// The program waits for a writer of the FIFO, without having opened it.
#[test]
fn first_signal_ends_open_of_fifo() {
    let server = account().serve();
    let program = Program::new(&server).args(["--ca-bundle", "fifo"]);
    make_fifo(&program.directory().join("current/fifo"));
    let running = program.start();
    assert!(running.wait_for_stdout("Verifying prerequisites..."));
    assert_ends(running, "TERM", 143, "open");
}

/// Shared files are never waited for.
#[test]
fn fifo_as_config_file_does_not_block() {
    let server = account().serve();
    let program = Program::new(&server)
        .args(TYPES)
        .env("AWS_CONFIG_FILE", "fifo");
    let fifo = program.directory().join("current/fifo");
    make_fifo(&fifo);
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// As after `nohup`; a signal that is not ignored still ends the run.
#[test]
fn ignored_hangup_stays_ignored() {
    let server = account().serve_with(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
    let program = Program::in_shell(r#"trap "" HUP; exec "$@""#, &server).args(TYPES);
    let running = program.start();
    server.wait_for(|call| call.lists(VPC, "eu-west-1"));
    running.signal("HUP");
    assert_ends(running, "TERM", 143, "nohup");
}
