//! Two runs in one output directory, and the files that an earlier run left there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use crate::support::{Account, Outcome, Program, Reply, Running, Server};
use crate::{
    BUCKET, CSV, ERRORS, LOCK, Latch, OLD, TYPES, VPC, account, assert_files,
    assert_no_panic_output, content,
};

/// Starts a server that waits for the latch before the last listing, and denies one listing.
fn serve_with_latch(account: &Account, latch: &Arc<Latch>) -> Server {
    let latch = latch.clone();
    account.serve_with(move |call| {
        if call.lists(BUCKET, "us-east-1") {
            latch.wait();
        }
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    })
}

/// Starts a run with old files in place, and waits until it has logged an error.
fn start_first(server: &Server) -> Running {
    let program = Program::new(server).args(TYPES);
    for name in [CSV, ERRORS] {
        fs::write(program.directory().join(name), OLD).unwrap();
    }
    let running = program.start();
    assert!(running.wait_for_stderr("[PERMISSION]"));
    running
}

/// Runs the program in the output directory `out` of another run.
fn run_in(out: &Path, account: &Account) -> Outcome {
    let server = account.serve();
    let program = Program::without_server().args(TYPES);
    let program = program.args(["--endpoint-url", &server.url(), "--output-dir"]);
    let run = program.arg(out).run();
    assert_no_panic_output(&run);
    run
}

#[test]
fn second_run_of_account_is_refused() {
    let latch = Arc::new(Latch::default());
    let server = serve_with_latch(&account(), &latch);
    let first = start_first(&server);
    let (id, out) = (first.id().to_string(), first.directory().join("out"));
    symlink("out", first.directory().join("link")).unwrap();
    let same = [
        (out.clone(), account()),
        (first.directory().join("link"), account()),
        (out.join("../out"), account().alias("other-alias")),
    ];
    for (directory, account) in same {
        let second = run_in(&directory, &account);
        assert_eq!(second.code, Some(1), "{}", second.describe());
        assert_eq!(second.stderr.lines().count(), 1, "{}", second.describe());
        for part in ["[FATAL]", &format!("(process {id})"), "--output-dir"] {
            assert!(
                second.stderr.contains(part),
                "{part}: {}",
                second.describe()
            );
        }
        let is_old = |name: &str| fs::read_to_string(first.directory().join(name)).unwrap() == OLD;
        assert!(is_old(CSV) && is_old(ERRORS), "the files of the first run");
    }
    let failed = run_in(
        &out,
        &Account {
            id: "111111111111".to_owned(),
            ..account()
        },
    );
    assert_eq!(
        failed.code,
        Some(0),
        "another account: {}",
        failed.describe()
    );
    fs::remove_file(first.directory().join("link")).unwrap();
    latch.open();
    let first = first.finish();
    assert_eq!(first.code, Some(0), "{}", first.describe());
    assert_eq!(content(&first, ERRORS).matches("[PERMISSION]").count(), 1);
    assert!(first.stdout.contains("1 (see "), "{}", first.describe());
    assert_eq!(content(&first, CSV).lines().count(), 4);
    let other = "out/aws_config_resource_count_111111111111_acme-prod.csv";
    assert_files(&first, &[CSV, ERRORS, other]);
}

#[test]
fn second_run_that_fails_keeps_first_log() {
    let latch = Arc::new(Latch::default());
    let server = serve_with_latch(&account(), &latch);
    let first = start_first(&server);
    let failing = account().serve_with(|call| {
        let denied = || Reply::error(call, 403, "UnauthorizedOperation", "no");
        (call.service == "ec2").then(denied)
    });
    let program = Program::without_server().args(["--endpoint-url", &failing.url()]);
    let program = program
        .arg("--output-dir")
        .arg(first.directory().join("out"));
    let second = program.run();
    assert_eq!(second.code, Some(1), "{}", second.describe());
    assert!(
        second.stderr.contains("[PREREQUISITE]"),
        "{}",
        second.describe()
    );
    assert!(
        !second.stdout.contains("Errors logged to"),
        "{}",
        second.describe()
    );
    latch.open();
    let first = first.finish();
    assert_eq!(first.code, Some(0), "{}", first.describe());
    assert!(
        !first.errors().contains("[PREREQUISITE]"),
        "{}",
        first.describe()
    );
    assert_files(&first, &[CSV, ERRORS]);
}

#[test]
fn run_after_sigkill_is_not_blocked() {
    let latch = Arc::new(Latch::default());
    let server = serve_with_latch(&account(), &latch);
    let first = start_first(&server);
    first.signal("KILL");
    let out = first.directory().join("out");
    let first = first.finish();
    latch.open();
    assert_eq!(first.code, None);
    assert_eq!(
        (content(&first, CSV), content(&first, ERRORS)),
        (OLD.into(), OLD.into())
    );
    assert!(first.directory().join(LOCK).exists());
    let second = run_in(&out, &account());
    assert_eq!(second.code, Some(0), "{}", second.describe());
    assert_eq!(content(&first, CSV), account().csv());
    assert!(!first.directory().join(LOCK).exists());
    assert!(
        !first.directory().join(ERRORS).exists(),
        "no errors, no log"
    );
}

#[test]
fn stale_lock_files_do_not_block() {
    // Process 1 exists, and the other IDs do not.
    for content in ["1\n", "", "4294967295\n", "text"] {
        let server = account().serve();
        let program = Program::new(&server).args(TYPES);
        fs::write(program.directory().join(LOCK), content).unwrap();
        let run = program.run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert_eq!(run.stderr.matches("warning").count(), 0);
        assert_files(&run, &[CSV]);
    }
}

#[test]
fn interrupted_run_keeps_old_csv_and_log() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)] {
        let latch = Arc::new(Latch::default());
        let server = serve_with_latch(&account(), &latch);
        let first = start_first(&server);
        first.signal(signal);
        let run = first.finish();
        latch.open();
        assert_eq!(run.code, Some(code), "{}", run.describe());
        let message = run.interrupt_message();
        let end = "nothing was written, the last CSV is unchanged.";
        assert!(message.ends_with(end), "{message}");
        assert_files(&run, &[CSV, ERRORS]);
        assert_eq!(
            (content(&run, CSV), content(&run, ERRORS)),
            (OLD.into(), OLD.into())
        );
    }
}

#[test]
fn hangup_under_nohup_is_ignored() {
    let latch = Arc::new(Latch::default());
    let server = serve_with_latch(&account(), &latch);
    let program = Program::in_shell(r#"trap "" HUP; exec "$@""#, &server).args(TYPES);
    let running = program.start();
    assert!(running.wait_for_stderr("[PERMISSION]"));
    running.signal("HUP");
    latch.open();
    let run = running.finish();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv().lines().count(), 4);
}

#[test]
fn directory_without_locks_is_used_with_warning() {
    let server = account().serve();
    let program = Program::new(&server).args(TYPES);
    // The lock cannot be created there, as on a file system without locks.
    fs::create_dir(program.directory().join(LOCK)).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(
        run.stderr.contains("cannot be locked: "),
        "{}",
        run.describe()
    );
    assert_eq!(run.csv(), account().csv());
}
