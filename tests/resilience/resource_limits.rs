//! Runs with a full disk, too few file descriptors, or too few threads.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::support::{Call, Outcome, Program};
use crate::{
    CSV, ERRORS, Latch, OLD, REPORT, TYPES, VERIFY, VPC, assert_files, assert_no_panic_output,
    broken_pipe, content, wide_account, with_all_outputs,
};

/// A limit on the file size simulates a full disk without a mount: the file is created, and a write to it
/// fails.
#[test]
fn full_disk_keeps_old_file_and_is_reported() {
    let account = wide_account();
    let server = account.serve();
    for (limit, files) in [(1, &[CSV, ERRORS][..]), (0, &[CSV, ERRORS])] {
        let script = format!(r#"ulimit -f {limit} && exec "$@""#);
        let program = Program::in_shell(&script, &server).args(TYPES);
        std::fs::write(program.directory().join(CSV), OLD).unwrap();
        let run = program.run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert_no_panic_output(&run);
        assert_files(&run, files);
        assert_eq!(content(&run, CSV), OLD);
        let line = "[FATAL] Message: the results could not be written to ";
        for part in [line, "File too large", "an existing file was not changed"] {
            assert!(run.stderr.contains(part), "{part}: {}", run.describe());
        }
        assert!(!run.stderr.contains(".tmp\""), "{}", run.describe());
        assert!(run.stdout.contains("Summary\n"), "{}", run.describe());
        if limit == 0 {
            let path = run.directory().join(ERRORS).display().to_string();
            let message = format!("cannot write the error file {path}: ");
            let is_reported = run.stderr.contains(&message);
            assert!(is_reported, "{}", run.describe());
            assert!(run.stdout.contains("1 (see above)"), "{}", run.describe());
        } else {
            assert!(run.errors().contains(line), "{}", run.describe());
        }
    }
}

/// With few file descriptors, every region without a connection is in the log, and the others are counted.
#[test]
fn exhausted_descriptors_lose_no_output_file() {
    let account = wide_account();
    let latch = Arc::new(Latch::default());
    let for_server = latch.clone();
    // The server blocks all replies until no further connection is possible.
    let server = account.serve_with(move |call: &Call| {
        if call.service == "config" && call.region != "us-east-1" {
            for_server.wait();
        }
        None
    });
    let script = r#"ulimit -n 32 && exec "$@""#;
    let running = Program::in_shell(script, &server)
        .args(TYPES)
        .args(["--max-attempts", "1"])
        .start();
    assert!(
        running.wait_for_stderr("Too many open files"),
        "the descriptors are sufficient"
    );
    latch.open();
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_no_panic_output(&run);
    assert_files(&run, &[CSV, ERRORS]);
    let (csv, errors) = (run.csv(), run.errors());
    assert!(csv.lines().count() > 2, "{}", run.describe());
    for line in csv.split_inclusive("\r\n") {
        assert!(account.csv().contains(line), "{line}");
    }
    let missing: Vec<_> = account
        .regions
        .keys()
        .filter(|region| csv.matches(&format!(",{region},")).count() < 2)
        .collect();
    assert!(!missing.is_empty(), "{}", run.describe());
    for region in missing {
        let line = format!("[CONNECTION] Region: {region}, ");
        assert!(errors.contains(&line), "{region}: {}", run.describe());
    }
    assert!(errors.contains("(ulimit -n, "), "no advice: {errors}");
}

/// 64 descriptors are fewer than the tasks of 34 regions; retries use the descriptors that other tasks
/// have released.
#[test]
fn few_descriptors_are_sufficient() {
    let mut account = wide_account();
    while account.regions.len() > 34 {
        account.regions.pop_first();
    }
    let server = account.serve();
    for (limit, args) in [
        (256, &[][..]),
        (128, &[]),
        (64, &[]),
        (64, &["--max-connections", "20"]),
    ] {
        let script = format!(r#"ulimit -n {limit} && exec "$@""#);
        let program = Program::in_shell(&script, &server).args(TYPES);
        let run = program.args(args).run();
        assert_eq!(run.code, Some(0), "{limit}: {}", run.describe());
        let files = (run.csv(), run.errors());
        assert_eq!(files, (account.csv(), String::new()), "{limit}");
        assert_no_panic_output(&run);
    }
}

/// Larger than the address space of a process, so that no thread can be created.
const STACK_FOR_NO_THREAD: &str = "140737488355328";

/// The stack size variable of the standard library; a limit on processes does not apply to root.
const STACK: &str = "RUST_MIN_STACK";

fn assert_pool_check_fails(run: &Outcome) {
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_no_panic_output(run);
    let is_marked = run.stdout.contains("✗ Thread pool can be built\n");
    assert!(is_marked, "{}", run.describe());
    let line = "[PREREQUISITE] Message: Thread pool can be built: ";
    assert!(run.errors().contains(line), "{}", run.describe());
    assert!(run.stderr.contains(line), "{}", run.describe());
}

#[test]
fn no_thread_fails_the_check() {
    let server = wide_account().serve();
    let program = || Program::new(&server).env(STACK, STACK_FOR_NO_THREAD);
    let run = program().args(TYPES).run();
    assert_pool_check_fails(&run);
    let warning = "warning: Ctrl-C will not print a summary: ";
    assert!(run.stderr.starts_with(warning), "{}", run.describe());
    // The warning must not panic on a closed stderr.
    let run = program().args(TYPES).stderr(broken_pipe()).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(
        run.errors().contains("Thread pool can be built"),
        "{}",
        run.describe()
    );
}

/// With a handler but without a thread for it, the run would ignore signals.
#[test]
fn signal_without_thread_ends_run() {
    for (signal, profile) in [("INT", "one"), ("TERM", "two")] {
        let server = wide_account().serve();
        let program = Program::new(&server).env(STACK, STACK_FOR_NO_THREAD);
        let aws = program.directory().join("home/.aws");
        std::fs::create_dir(&aws).unwrap();
        let text = format!("[profile {profile}]\ncredential_process = kill -{signal} $PPID\n");
        std::fs::write(aws.join("config"), text).unwrap();
        let run = program.args(TYPES).args(["--profile", profile]).run();
        assert_eq!(run.code, None, "the signal itself: {}", run.describe());
    }
}

/// The memory limit allows the stacks of the checks, but not those of all regions. (macOS has no
/// `ulimit -v`.)
#[cfg(target_os = "linux")]
#[test]
fn fewer_threads_than_tasks_count_everything() {
    let account = wide_account();
    let server = account.serve();
    let script = r#"ulimit -v 4000000 && exec "$@""#;
    let program = Program::in_shell(script, &server).env(STACK, "400000000");
    let run = program.args(TYPES).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!((run.csv(), run.errors()), (account.csv(), String::new()));
    assert_no_panic_output(&run);
}

/// Only the path of the CSV is blocked.
#[test]
fn other_files_are_written_without_csv() {
    let path = Arc::new(OnceLock::<PathBuf>::new());
    let for_server = path.clone();
    let server = wide_account().serve_with(move |call| {
        // After the path was checked.
        if call.lists(VPC, "us-west-1") {
            let path = for_server.get().unwrap();
            let _ = std::fs::remove_file(path);
            let _ = std::fs::create_dir(path);
        }
        None
    });
    let program = with_all_outputs(&server);
    path.set(program.directory().join(CSV)).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_no_panic_output(&run);
    let verify = content(&run, VERIFY);
    assert!(verify.starts_with("account,alias,region,"), "{verify}");
    let report: serde_json::Value = serde_json::from_str(&content(&run, REPORT)).unwrap();
    assert_eq!(report["exit_code"], 1);
    let line = "[FATAL] Message: the results could not be written to ";
    assert!(run.errors().contains(line), "{}", run.describe());
}
