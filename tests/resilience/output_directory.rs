//! The output directory, and what else can be at the path of an output file.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;

use crate::support::{Account, Outcome, Program, Reply, Server};
use crate::{
    BUCKET, CSV, ERRORS, OLD, REPORT, TYPES, VPC, account, assert_files, assert_no_panic_output,
    content, make_fifo,
};

#[test]
fn directory_removed_during_scan_loses_only_its_files() {
    let out = Arc::new(OnceLock::<PathBuf>::new());
    let for_server = out.clone();
    let server = account().serve_with(move |call| {
        if call.lists(VPC, "eu-west-1") {
            fs::remove_dir_all(for_server.get().unwrap()).unwrap();
        }
        None
    });
    let program = Program::new(&server).args(TYPES);
    let program = program.args(["--coverage", "--report", "report.json"]);
    out.set(program.directory().join("out")).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_no_panic_output(&run);
    assert_files(&run, &[REPORT]);
    for file in ["the results", "the coverage", "the error file"] {
        assert!(run.stderr.contains(file), "{file}: {}", run.describe());
    }
    assert!(
        run.stdout.contains("Total resources: 260"),
        "{}",
        run.describe()
    );
    let report: serde_json::Value = serde_json::from_str(&content(&run, REPORT)).unwrap();
    assert_eq!(report["exit_code"], 1);
}

/// Asserts that a run fails before the scan if `directory` is not writable, not even for root.
fn assert_not_writable(directory: &Path) {
    let server = account().serve();
    let run = Program::without_server()
        .args(["--endpoint-url", &server.url(), "--output-dir"])
        .arg(directory)
        .args(TYPES)
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_no_panic_output(&run);
    let message = format!("[FATAL] Message: cannot write to {}: ", directory.display());
    assert!(run.stderr.contains(&message), "{}", run.describe());
    assert!(run.stderr.contains("choose another with --output-dir"));
    let scanned = server.count(|call| call.lists(VPC, "eu-west-1"));
    assert_eq!(scanned, 0, "requests of a scan whose result is lost");
}

#[test]
fn unwritable_directory_fails_before_scan() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, OLD).unwrap();
    for path in [
        file.join("below"),
        file.clone(),
        directory.path().join("none"),
    ] {
        assert_not_writable(&path);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), OLD);
    if cfg!(target_os = "linux") {
        assert_not_writable(Path::new("/proc/self"));
    }
}

/// Runs the program in a directory that `prepare` has changed.
fn run_prepared(prepare: impl Fn(&Path)) -> Outcome {
    let server = account().serve_with(|call| {
        // One error, so that there is an error log.
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    });
    let program = Program::new(&server).args(TYPES);
    prepare(program.directory());
    let run = program.run();
    assert_no_panic_output(&run);
    run
}

fn assert_regular_file(run: &Outcome, name: &str) {
    let meta = fs::symlink_metadata(run.directory().join(name)).unwrap();
    assert!(meta.is_file(), "{name}: {:?}", meta.file_type());
}

/// The same as with Python's `os.replace`.
#[test]
fn symlink_at_file_path_is_replaced() {
    let run = run_prepared(|directory| {
        fs::write(directory.join("home/target"), OLD).unwrap();
        symlink("../home/target", directory.join(CSV)).unwrap();
        symlink("../home/target", directory.join(ERRORS)).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_files(&run, &["home/target", CSV, ERRORS]);
    assert_eq!(
        content(&run, "home/target"),
        OLD,
        "the target of the link changed"
    );
    assert_regular_file(&run, CSV);
    assert_regular_file(&run, ERRORS);
    assert_eq!(run.csv().lines().count(), 4);
    assert!(run.errors().contains("[PERMISSION]"), "{}", run.describe());
}

#[test]
fn dangling_symlink_is_replaced() {
    let run = run_prepared(|directory| {
        symlink("../home/nothing", directory.join(CSV)).unwrap();
        symlink("../home/nothing", directory.join(ERRORS)).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_files(&run, &[CSV, ERRORS]);
    assert_regular_file(&run, CSV);
    assert_regular_file(&run, ERRORS);
}

#[test]
fn symlink_to_output_directory_is_followed() {
    let run = run_prepared(|directory| {
        fs::remove_dir(directory.join("out")).unwrap();
        symlink("home", directory.join("out")).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_regular_file(&run, &CSV.replace("out/", "home/"));
}

#[test]
fn fifo_at_file_path_is_replaced() {
    let run = run_prepared(|directory| {
        make_fifo(&directory.join(CSV));
        make_fifo(&directory.join(ERRORS));
        let csv = fs::symlink_metadata(directory.join(CSV)).unwrap();
        assert!(csv.file_type().is_fifo());
    });
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_regular_file(&run, CSV);
    assert_regular_file(&run, ERRORS);
    assert_eq!(run.csv().lines().count(), 4);
}

#[test]
fn directory_at_csv_path_is_kept_and_reported() {
    let run = run_prepared(|directory| {
        fs::create_dir(directory.join(CSV)).unwrap();
        fs::write(directory.join(CSV).join("kept"), OLD).unwrap();
    });
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_files(&run, &[&format!("{CSV}/kept"), ERRORS]);
    let line = "[FATAL] Message: the results could not be written to ";
    assert!(run.errors().contains(line), "{}", run.describe());
}

#[test]
fn directory_at_log_path_loses_only_log() {
    let run = run_prepared(|directory| {
        fs::create_dir(directory.join(ERRORS)).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_files(&run, &[CSV]);
    let path = run.directory().join(ERRORS).display().to_string();
    let message = format!("cannot delete the error file of an earlier run, {path}: ");
    assert_eq!(
        run.stderr.matches(&message).count(),
        1,
        "{}",
        run.describe()
    );
    assert!(run.stderr.contains("[PERMISSION]"), "{}", run.describe());
    assert!(run.stdout.contains("1 (see above)"), "{}", run.describe());
}

/// Starts a server that sends its last page only when the other run requests its last page too.
fn serve_in_lockstep(account: &Account, both: &Arc<Barrier>) -> Server {
    let both = both.clone();
    account.serve_with(move |call| {
        if call.lists(BUCKET, "us-east-1") && call.field("nextToken").is_some() {
            both.wait();
        }
        None
    })
}

#[test]
fn concurrent_runs_leave_one_complete_csv() {
    let first = account();
    let second = account().region("us-east-1", &[(VPC, 3), (BUCKET, 150)]);
    // One page after the first one.
    let first = first.region("us-east-1", &[(VPC, 2), (BUCKET, 140)]);
    for _ in 0..10 {
        let both = Arc::new(Barrier::new(2));
        let servers = [
            serve_in_lockstep(&first, &both),
            serve_in_lockstep(&second, &both),
        ];
        let program = Program::new(&servers[0]).args(TYPES);
        let out = program.directory().join("out");
        let other = Program::without_server()
            .args(["--endpoint-url", &servers[1].url(), "--output-dir"])
            .arg(out)
            .args(TYPES);
        let (one, other) = thread::scope(|scope| {
            let other = scope.spawn(|| other.run());
            (program.run(), other.join().unwrap())
        });
        for run in [&one, &other] {
            assert_eq!(run.code, Some(0), "{}", run.describe());
            assert_no_panic_output(run);
        }
        assert_files(&one, &[CSV]);
        let csv = one.csv();
        assert!(csv == first.csv() || csv == second.csv(), "{csv}");
    }
}
