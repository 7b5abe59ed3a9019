//! A full disk, no descriptors, no threads.

use std::sync::Arc;

use crate::support::{Call, Outcome, Program};
use crate::{
    CSV, ERRORS, Gate, OLD, REPORT, TYPES, VERIFY, assert_civil, assert_files, broken_pipe,
    content, everything, wide_account,
};

/// A limit on the size of files is a full disk that needs no mount: the file is made, and a write
/// to it fails.
#[test]
fn a_full_disk_leaves_the_old_file_and_says_so() {
    let account = wide_account();
    let server = account.serve();
    for (limit, left) in [(1, &[CSV, ERRORS][..]), (0, &[CSV, ERRORS])] {
        let script = format!(r#"ulimit -f {limit} && exec "$@""#);
        let program = Program::in_shell(&script, &server).args(TYPES);
        std::fs::write(program.folder().join(CSV), OLD).unwrap();
        let run = program.run();
        assert_eq!(run.code, Some(1), "{}", run.told());
        assert_civil(&run);
        assert_files(&run, left);
        assert_eq!(content(&run, CSV), OLD);
        let line = "[FATAL] Message: the results could not be written to ";
        for part in [
            line,
            "File too large",
            "what stood there before is untouched",
        ] {
            assert!(run.stderr.contains(part), "{part}: {}", run.told());
        }
        assert!(!run.stderr.contains(".tmp\""), "{}", run.told());
        assert!(run.stdout.contains("Summary\n"), "{}", run.told());
        if limit == 0 {
            let file = run.stderr.contains("_errors.txt cannot be written: ");
            assert!(file, "{}", run.told());
            assert!(run.stdout.contains("1 (see above)"), "{}", run.told());
        } else {
            assert!(run.errors().contains(line), "{}", run.told());
        }
    }
}

/// Few descriptors: what got one is counted and saved, and every loss is told.
#[test]
fn connections_that_take_every_descriptor_cost_no_file() {
    let account = wide_account();
    let told = Arc::new(Gate::default());
    let for_server = told.clone();
    // Nothing is answered, and no connection given back, until there is no other one to be had.
    let server = account.serve_but(move |call: &Call| {
        if call.service == "config" && call.region != "us-east-1" {
            for_server.pass();
        }
        None
    });
    let script = r#"ulimit -n 32 && exec "$@""#;
    let running = Program::in_shell(script, &server)
        .args(TYPES)
        .args(["--max-attempts", "1"])
        .start();
    assert!(
        running.complains("Too many open files"),
        "a descriptor for all"
    );
    told.open();
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_civil(&run);
    assert_files(&run, &[CSV, ERRORS]);
    let (csv, errors) = (run.csv(), run.errors());
    assert!(csv.lines().count() > 2, "{}", run.told());
    for line in csv.split_inclusive("\r\n") {
        assert!(account.csv().contains(line), "{line}");
    }
    let lost: Vec<_> = account
        .regions
        .keys()
        .filter(|region| csv.matches(&format!(",{region},")).count() < 2)
        .collect();
    assert!(!lost.is_empty(), "{}", run.told());
    for region in lost {
        let line = format!("[CONNECTION] Region: {region}, ");
        assert!(errors.contains(&line), "{region}: {}", run.told());
    }
    assert!(errors.contains("(ulimit -n, "), "what to do: {errors}");
}

/// 64 descriptors are fewer than the tasks of 36 regions; the attempts after the first one find
/// what others gave back.
#[test]
fn sixty_four_descriptors_are_enough() {
    let account = wide_account();
    let server = account.serve();
    let script = r#"ulimit -n 64 && exec "$@""#;
    let run = Program::in_shell(script, &server).args(TYPES).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!((run.csv(), run.errors()), (account.csv(), String::new()));
    assert_civil(&run);
}

/// More than the address space of any process: not one thread can be made.
const STACK_FOR_NO_THREAD: &str = "140737488355328";

/// The variable is the standard library's; a limit of the processes does not bind root.
const STACK: &str = "RUST_MIN_STACK";

fn assert_no_pool(run: &Outcome) {
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_civil(run);
    let crossed = run.stdout.contains("✗ Thread pool can be built\n");
    assert!(crossed, "{}", run.told());
    let line = "[PREREQUISITE] Message: Thread pool can be built: ";
    assert!(run.errors().contains(line), "{}", run.told());
    assert!(run.stderr.contains(line), "{}", run.told());
}

#[test]
fn no_thread_is_a_check_that_fails() {
    let server = wide_account().serve();
    let program = || Program::new(&server).env(STACK, STACK_FOR_NO_THREAD);
    let run = program().args(TYPES).run();
    assert_no_pool(&run);
    let warning = "warning: Ctrl-C will leave no summary: ";
    assert!(run.stderr.starts_with(warning), "{}", run.told());
    // A warning that nobody reads is no reason to panic.
    let run = program().args(TYPES).stderr(broken_pipe()).run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert!(
        run.errors().contains("Thread pool can be built"),
        "{}",
        run.told()
    );
}

/// A handler that no thread listens to would make the run deaf.
#[test]
fn without_a_thread_a_signal_still_ends_the_run() {
    for (signal, profile) in [("INT", "one"), ("TERM", "two")] {
        let server = wide_account().serve();
        let program = Program::new(&server).env(STACK, STACK_FOR_NO_THREAD);
        let aws = program.folder().join("home/.aws");
        std::fs::create_dir(&aws).unwrap();
        let text = format!("[profile {profile}]\ncredential_process = kill -{signal} $PPID\n");
        std::fs::write(aws.join("config"), text).unwrap();
        let run = program.args(TYPES).args(["--profile", profile]).run();
        assert_eq!(run.code, None, "the signal itself: {}", run.told());
    }
}

/// Room for the stacks of the checks, and not for those of all regions at once. (macOS has no
/// `ulimit -v`.)
#[cfg(target_os = "linux")]
#[test]
fn fewer_threads_than_tasks_take_longer_and_count_the_same() {
    let account = wide_account();
    let server = account.serve();
    let script = r#"ulimit -v 4000000 && exec "$@""#;
    let program = Program::in_shell(script, &server).env(STACK, "400000000");
    let run = program.args(TYPES).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!((run.csv(), run.errors()), (account.csv(), String::new()));
    assert_civil(&run);
}

/// The report goes to another disk, which is not full.
#[test]
fn what_can_be_written_is_written() {
    let account = wide_account();
    let server = account.serve();
    let program = everything(&server);
    std::fs::remove_file(program.folder().join(CSV)).unwrap();
    std::fs::create_dir(program.folder().join(CSV)).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_civil(&run);
    let first = content(&run, VERIFY);
    assert!(first.starts_with("account,alias,region,"), "{first}");
    let report: serde_json::Value = serde_json::from_str(&content(&run, REPORT)).unwrap();
    assert_eq!(report["exit_code"], 1);
    let line = "[FATAL] Message: the results could not be written to ";
    assert!(run.errors().contains(line), "{}", run.told());
}
