//! The folder that the files go to, and what may stand there in their place.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, OnceLock};
use std::thread;

use crate::support::{Account, Outcome, Program, Reply, Server};
use crate::{
    BUCKET, CSV, ERRORS, OLD, REPORT, TYPES, VPC, account, assert_civil, assert_files, content,
    make_fifo,
};

#[test]
fn a_folder_that_goes_during_the_scan_costs_its_files_alone() {
    let out = Arc::new(OnceLock::<PathBuf>::new());
    let for_server = out.clone();
    let server = account().serve_but(move |call| {
        if call.lists(VPC, "eu-west-1") {
            fs::remove_dir_all(for_server.get().unwrap()).unwrap();
        }
        None
    });
    let program = Program::new(&server).args(TYPES);
    let program = program.args(["--coverage", "--report", "report.json"]);
    out.set(program.folder().join("out")).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_civil(&run);
    assert_files(&run, &[REPORT]);
    for lost in ["the results", "the coverage", "the error file"] {
        assert!(run.stderr.contains(lost), "{lost}: {}", run.told());
    }
    assert!(
        run.stdout.contains("Total resources: 260"),
        "{}",
        run.told()
    );
    let report: serde_json::Value = serde_json::from_str(&content(&run, REPORT)).unwrap();
    assert_eq!(report["exit_code"], 1);
}

/// A run into `folder`, which nobody can write to, not even root.
fn assert_refused(folder: &Path) {
    let server = account().serve();
    let run = Program::alone()
        .args(["--endpoint-url", &server.url(), "--output-dir"])
        .arg(folder)
        .args(TYPES)
        .run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_civil(&run);
    let message = format!(
        "[FATAL] Message: cannot write to the folder {}: ",
        folder.display()
    );
    assert!(run.stderr.contains(&message), "{}", run.told());
    assert!(run.stderr.contains("name another with --output-dir"));
    let scanned = server.count(|call| call.lists(VPC, "eu-west-1"));
    assert_eq!(scanned, 0, "an hour's scan is not thrown away");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told_before_the_scan() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, OLD).unwrap();
    for place in [file.join("below"), file.clone(), folder.path().join("none")] {
        assert_refused(&place);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), OLD);
    if cfg!(target_os = "linux") {
        assert_refused(Path::new("/proc/self"));
    }
}

/// A run into a folder where `prepare` has put something.
fn run_over(prepare: impl Fn(&Path)) -> Outcome {
    let server = account().serve_but(|call| {
        // One incident, so that there is an error file.
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    });
    let program = Program::new(&server).args(TYPES);
    prepare(program.folder());
    let run = program.run();
    assert_civil(&run);
    run
}

fn assert_plain(run: &Outcome, name: &str) {
    let meta = fs::symlink_metadata(run.folder().join(name)).unwrap();
    assert!(meta.is_file(), "{name}: {:?}", meta.file_type());
}

/// As with Python's `os.replace`.
#[test]
fn a_link_in_the_place_of_a_file_gives_way() {
    let run = run_over(|folder| {
        fs::write(folder.join("home/target"), OLD).unwrap();
        symlink("../home/target", folder.join(CSV)).unwrap();
        symlink("../home/target", folder.join(ERRORS)).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_files(&run, &["home/target", CSV, ERRORS]);
    assert_eq!(content(&run, "home/target"), OLD, "what it points to stays");
    assert_plain(&run, CSV);
    assert_plain(&run, ERRORS);
    assert_eq!(run.csv().lines().count(), 4);
    assert!(run.errors().contains("[PERMISSION]"), "{}", run.told());
}

#[test]
fn a_link_to_nothing_gives_way() {
    let run = run_over(|folder| {
        symlink("../home/nothing", folder.join(CSV)).unwrap();
        symlink("../home/nothing", folder.join(ERRORS)).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_files(&run, &[CSV, ERRORS]);
    assert_plain(&run, CSV);
    assert_plain(&run, ERRORS);
}

#[test]
fn a_link_to_the_folder_is_followed() {
    let run = run_over(|folder| {
        fs::remove_dir(folder.join("out")).unwrap();
        symlink("home", folder.join("out")).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_plain(&run, &CSV.replace("out/", "home/"));
}

#[test]
fn a_pipe_in_the_place_of_a_file_gives_way() {
    let run = run_over(|folder| {
        make_fifo(&folder.join(CSV));
        make_fifo(&folder.join(ERRORS));
        let csv = fs::symlink_metadata(folder.join(CSV)).unwrap();
        assert!(csv.file_type().is_fifo());
    });
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_plain(&run, CSV);
    assert_plain(&run, ERRORS);
    assert_eq!(run.csv().lines().count(), 4);
}

#[test]
fn a_folder_in_the_place_of_the_csv_stays_and_is_told() {
    let run = run_over(|folder| {
        fs::create_dir(folder.join(CSV)).unwrap();
        fs::write(folder.join(CSV).join("kept"), OLD).unwrap();
    });
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_files(&run, &[&format!("{CSV}/kept"), ERRORS]);
    let line = "[FATAL] Message: the results could not be written to ";
    assert!(run.errors().contains(line), "{}", run.told());
}

#[test]
fn a_folder_in_the_place_of_the_error_file_costs_that_alone() {
    let run = run_over(|folder| {
        fs::create_dir(folder.join(ERRORS)).unwrap();
    });
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_files(&run, &[CSV]);
    let told = "_errors.txt, cannot be deleted: ";
    assert_eq!(run.stderr.matches(told).count(), 1, "{}", run.told());
    assert!(run.stderr.contains("[PERMISSION]"), "{}", run.told());
    assert!(run.stdout.contains("1 (see above)"), "{}", run.told());
}

/// A server whose last page waits for that of the other run.
fn in_step(account: &Account, both: &Arc<Barrier>) -> Server {
    let both = both.clone();
    account.serve_but(move |call| {
        if call.lists(BUCKET, "us-east-1") && call.field("nextToken").is_some() {
            both.wait();
        }
        None
    })
}

#[test]
fn two_runs_at_once_leave_one_whole_csv() {
    let first = account();
    let second = account().region("us-east-1", &[(VPC, 3), (BUCKET, 150)]);
    // One page after the first.
    let first = first.region("us-east-1", &[(VPC, 2), (BUCKET, 140)]);
    for _ in 0..10 {
        let both = Arc::new(Barrier::new(2));
        let servers = [in_step(&first, &both), in_step(&second, &both)];
        let program = Program::new(&servers[0]).args(TYPES);
        let out = program.folder().join("out");
        let other = Program::alone()
            .args(["--endpoint-url", &servers[1].url(), "--output-dir"])
            .arg(out)
            .args(TYPES);
        let (one, other) = thread::scope(|scope| {
            let other = scope.spawn(|| other.run());
            (program.run(), other.join().unwrap())
        });
        for run in [&one, &other] {
            assert_eq!(run.code, Some(0), "{}", run.told());
            assert_civil(run);
        }
        assert_files(&one, &[CSV]);
        let csv = one.csv();
        assert!(csv == first.csv() || csv == second.csv(), "{csv}");
    }
}
