//! The output directory, and what else can be at the path of an output file.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use crate::support::make_fifo;
use crate::support::{Outcome, Program, Reply};
use crate::{
    CSV, ERRORS, OLD, REPORT, TYPES, VPC, account, assert_files, assert_no_panic_output, content,
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

#[test]
fn symlinks_at_file_paths_are_followed() {
    for target in ["target", "nothing"] {
        let run = run_prepared(|directory| {
            fs::write(directory.join("home/target"), OLD).unwrap();
            symlink(format!("../home/{target}"), directory.join(CSV)).unwrap();
            symlink("../home/errors", directory.join(ERRORS)).unwrap();
        });
        assert_eq!(run.code, Some(0), "{}", run.describe());
        for link in [CSV, ERRORS] {
            let meta = fs::symlink_metadata(run.directory().join(link)).unwrap();
            assert!(meta.is_symlink(), "{link} was replaced");
        }
        assert_regular_file(&run, &format!("home/{target}"));
        assert_regular_file(&run, "home/errors");
        assert_eq!(run.csv().lines().count(), 4);
        assert!(run.errors().contains("[PERMISSION]"), "{}", run.describe());
    }
}

#[test]
fn two_outputs_with_one_target_fail_before_scan() {
    let run = run_prepared(|directory| {
        symlink("../home/target", directory.join(CSV)).unwrap();
        symlink("../home/target", directory.join(ERRORS)).unwrap();
    });
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let message = ": is another output of this run";
    assert!(run.stderr.contains(message), "{}", run.describe());
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
fn fifos_at_file_paths_are_written_to() {
    let readers = Mutex::new(Vec::new());
    let run = run_prepared(|directory| {
        for name in [CSV, ERRORS] {
            let path = directory.join(name);
            make_fifo(&path);
            let read = move || fs::read_to_string(path).unwrap();
            readers.lock().unwrap().push(thread::spawn(read));
        }
    });
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for name in [CSV, ERRORS] {
        let found = fs::symlink_metadata(run.directory().join(name)).unwrap();
        assert!(found.file_type().is_fifo(), "{name} was replaced");
    }
    let read = readers.into_inner().unwrap().into_iter();
    let read: Vec<_> = read.map(|reader| reader.join().unwrap()).collect();
    assert_eq!(read[0].lines().count(), 4, "{}", read[0]);
    assert_eq!(read[1].matches("[PERMISSION]").count(), 1, "{}", read[1]);
}

#[test]
fn directory_at_csv_path_is_kept_and_reported() {
    let run = run_prepared(|directory| {
        fs::create_dir(directory.join(CSV)).unwrap();
        fs::write(directory.join(CSV).join("kept"), OLD).unwrap();
    });
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_files(&run, &[&format!("{CSV}/kept"), ERRORS]);
    let line = "[FATAL] Message: cannot write to ";
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
    let message = format!("cannot write the error file {path}: ");
    assert_eq!(
        run.stderr.matches(&message).count(),
        1,
        "{}",
        run.describe()
    );
    assert!(run.stderr.contains("[PERMISSION]"), "{}", run.describe());
    assert!(run.stdout.contains("1 (see above)"), "{}", run.describe());
}
