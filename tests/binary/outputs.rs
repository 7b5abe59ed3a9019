//! Tests of output paths: devices, FIFOs, links, directories, standard output, and other outputs.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use serde_json::Value;

use crate::support::{Outcome, Program, Server, make_fifo};
use crate::{TYPES, account};

const CSV: &str = "out/aws_config_resource_count_012345678901_acme-prod.csv";
const OLD: &str = "an old file\n";

/// Returns a run with `--report` in `work`, its current directory, and in `work` a directory `elsewhere`.
fn with_report(server: &Server, report: impl AsRef<Path>) -> Program {
    let program = Program::new(server).args(TYPES).arg("--report");
    let program = program.arg(report.as_ref());
    fs::create_dir(program.directory().join("current/elsewhere")).unwrap();
    program
}

fn parse(report: &[u8]) -> Value {
    let report: Value = serde_json::from_slice(report).unwrap_or_else(|e| {
        panic!("not a report: {e}: {}", String::from_utf8_lossy(report));
    });
    assert_eq!(report["exit_code"], 0);
    report
}

/// Asserts that a run ended before its first request, with one line that contains `message`, and left no files but
/// `files`.
fn assert_refused(run: &Outcome, server: &Server, message: &str, files: &[&str]) {
    assert_eq!(run.code, Some(2), "{}", run.describe());
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.describe());
    assert!(run.stderr.starts_with("error: "), "{}", run.describe());
    assert!(
        run.stderr.contains(message),
        "{message}: {}",
        run.describe()
    );
    assert_eq!(run.stdout, "", "{}", run.describe());
    assert_eq!(server.calls().len(), 0, "{}", run.describe());
    let mut files: Vec<_> = files.iter().map(PathBuf::from).collect();
    files.sort();
    assert_eq!(run.files(), files, "{}", run.describe());
}

/// Creates a private copy of the null device at `path`; returns false where only root of the host may do this.
fn make_null_device(path: &Path) -> bool {
    let made = Command::new("mknod")
        .arg(path)
        .args(["c", "1", "3"])
        .output();
    cfg!(target_os = "linux") && made.is_ok_and(|made| made.status.success())
}

#[test]
fn device_at_report_path_is_written_to() {
    let server = account().serve();
    for report in ["null", "link"] {
        let program = with_report(&server, report);
        let device = program.directory().join("current/null");
        symlink("null", program.directory().join("current/link")).unwrap();
        if !make_null_device(&device) {
            make_fifo(&device);
            let device = device.clone();
            thread::spawn(move || fs::read(device).unwrap());
        }
        let run = program.run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let kind = fs::symlink_metadata(run.directory().join("current/null")).unwrap();
        assert!(!kind.is_file(), "the device was replaced by a file");
        let link = fs::symlink_metadata(run.directory().join("current/link")).unwrap();
        assert!(link.is_symlink(), "the link was replaced");
    }
}

#[test]
fn fifo_at_report_path_gets_the_report() {
    let server = account().serve();
    let program = with_report(&server, "fifo");
    let path = program.directory().join("current/fifo");
    make_fifo(&path);
    let reader = thread::spawn(move || fs::read(path).unwrap());
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let fifo = fs::symlink_metadata(run.directory().join("current/fifo")).unwrap();
    assert!(fifo.file_type().is_fifo(), "the FIFO was replaced");
    parse(&reader.join().unwrap());
}

/// As with `--report >(gzip > report.gz)` in Bash.
#[test]
fn inherited_descriptor_gets_the_report() {
    let server = account().serve();
    for (script, file) in [
        (r#""$@" 3>&1 >/dev/null | cat > report.json"#, "report.json"),
        (r#"echo before > log; "$@" 3>>log; exit $?"#, "log"),
    ] {
        let program = Program::in_shell(script, &server).args(TYPES);
        let run = program.args(["--report", "/dev/fd/3"]).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let text = fs::read_to_string(run.directory().join("current").join(file)).unwrap();
        parse(text.trim_start_matches("before\n").as_bytes());
    }
}

#[test]
fn socket_at_report_path_gets_the_report() {
    let server = account().serve();
    let program = with_report(&server, "socket");
    let listener = UnixListener::bind(program.directory().join("current/socket")).unwrap();
    let reader = thread::spawn(move || {
        let mut report = Vec::new();
        listener
            .accept()
            .unwrap()
            .0
            .read_to_end(&mut report)
            .unwrap();
        report
    });
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    parse(&reader.join().unwrap());
}

#[test]
fn stdout_has_only_the_report() {
    for report in ["-", "/dev/stdout", "/dev/fd/1", "link"] {
        let server = account().serve();
        let program = with_report(&server, report);
        symlink("/dev/stdout", program.directory().join("current/link")).unwrap();
        let run = program.run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        parse(run.stdout.as_bytes());
        assert!(!run.stderr.contains("Summary"), "{}", run.describe());
        assert_eq!(run.csv(), account().csv());
        assert!(!run.directory().join("current/-").exists());
    }
}

#[test]
fn redirected_stdout_has_only_the_report() {
    let server = account().serve();
    for report in ["-", "/dev/stdout"] {
        let program = Program::in_shell(r#"exec "$@" > report.json"#, &server).args(TYPES);
        let run = program.args(["--quiet", "--report", report]).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        parse(&fs::read(run.directory().join("current/report.json")).unwrap());
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn full_stdout_fails_the_report() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let server = account().serve();
    let program = Program::in_shell(r#"exec "$@" > /dev/full"#, &server).args(TYPES);
    let run = program.args(["--report", "-"]).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let message = "the result could not be written to stdout: ";
    assert!(run.stderr.contains(message), "{}", run.describe());
}

#[test]
fn links_at_report_path_are_followed() {
    let server = account().serve();
    for old in [true, false] {
        let program = with_report(&server, "link.json");
        let work = program.directory().join("current");
        symlink("elsewhere/second", work.join("link.json")).unwrap();
        symlink("../target.json", work.join("elsewhere/second")).unwrap();
        if old {
            fs::write(work.join("target.json"), OLD).unwrap();
        }
        let run = program.run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let work = run.directory().join("current");
        for link in ["link.json", "elsewhere/second"] {
            assert!(fs::symlink_metadata(work.join(link)).unwrap().is_symlink());
        }
        parse(&fs::read(work.join("target.json")).unwrap());
    }
}

#[test]
fn link_at_csv_path_is_followed() {
    let server = account().serve();
    for target in ["../home/old.csv", "../home/new.csv"] {
        let program = Program::new(&server).args(TYPES);
        fs::write(program.directory().join("home/old.csv"), OLD).unwrap();
        symlink(target, program.directory().join(CSV)).unwrap();
        let run = program.run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let csv = fs::symlink_metadata(run.directory().join(CSV)).unwrap();
        assert!(csv.is_symlink(), "the link was replaced");
        let target = fs::read_to_string(run.directory().join("out").join(target)).unwrap();
        assert_eq!(target, account().csv());
    }
}

#[test]
fn unusable_report_path_is_refused() {
    for (report, message) in [
        ("elsewhere", "is a directory"),
        ("elsewhere/", "is a directory"),
        ("nothing/", "is a directory"),
        (".", "is a directory"),
        ("elsewhere/..", "is a directory"),
        ("/", "is a directory"),
        ("to_directory", "is a directory"),
        ("nowhere/report.json", "No such file or directory"),
        ("to_nowhere", "No such file or directory"),
        ("file/report.json", "not a directory"),
        ("loop", "symbolic links"),
    ] {
        let server = account().serve();
        let program = with_report(&server, report);
        let work = program.directory().join("current");
        fs::write(work.join("file"), OLD).unwrap();
        symlink("elsewhere", work.join("to_directory")).unwrap();
        symlink("nowhere/report.json", work.join("to_nowhere")).unwrap();
        symlink("loop", work.join("loop")).unwrap();
        let run = program.run();
        for link in ["to_directory", "to_nowhere", "loop"] {
            fs::remove_file(run.directory().join("current").join(link)).unwrap();
        }
        assert_refused(&run, &server, message, &["current/file"]);
        assert!(run.stderr.contains("--report"), "{}", run.describe());
    }
}

#[test]
fn unwritable_report_directory_is_refused() {
    if cfg!(target_os = "linux") {
        let server = account().serve();
        let run = with_report(&server, "/proc/self/report.json").run();
        assert_refused(&run, &server, "--report /proc/self/report.json: ", &[]);
    }
}

#[test]
fn reserved_report_name_is_refused() {
    for report in [
        "aws_config_report.json",
        "../out/aws_config_resource_count_012345678901_acme-prod.csv",
        "elsewhere/aws_config_",
        "AWS_Config_report.json",
        "to_csv",
    ] {
        let server = account().serve();
        let program = with_report(&server, report);
        fs::write(program.directory().join(CSV), OLD).unwrap();
        let link = program.directory().join("current/to_csv");
        symlink(format!("../{CSV}"), link).unwrap();
        let run = program.run();
        fs::remove_file(run.directory().join("current/to_csv")).unwrap();
        assert_refused(&run, &server, "aws_config_", &[CSV]);
        assert_eq!(run.csv(), OLD);
    }
}

#[test]
fn report_at_target_of_an_output_is_refused() {
    let server = account().serve();
    for target in [
        "../current/report.json",
        "../current/elsewhere/../report.json",
    ] {
        let program = with_report(&server, "report.json");
        symlink(target, program.directory().join(CSV)).unwrap();
        let run = program.run();
        fs::remove_file(run.directory().join(CSV)).unwrap();
        assert_refused(&run, &server, "--report report.json", &[]);
    }
}

#[test]
fn report_in_file_of_a_stream_is_refused() {
    for script in [
        r#""$@" > report.json"#,
        r#""$@" 2>&1 >> report.json"#,
        r#"ln -s report.json link; "$@" > link"#,
        r#": > other; ln other report.json; "$@" > other"#,
        r#""$@" 2> report.json; code=$?; cat report.json; exit $code"#,
    ] {
        let server = account().serve();
        let program = Program::in_shell(script, &server).args(TYPES);
        let run = program.args(["--report", "report.json"]).run();
        assert_eq!(run.code, Some(2), "{script}: {}", run.describe());
        let said = run.stderr.clone() + &run.stdout;
        assert!(said.contains("--report report.json"), "{script}: {said}");
        assert_eq!(server.calls().len(), 0, "{script}");
    }
}

#[test]
fn report_inside_recording_is_refused() {
    for report in ["recording/env.json", "recording/sub/../report.json"] {
        let server = account().serve();
        let program = with_report(&server, report).args(["--record", "elsewhere/../recording"]);
        fs::create_dir_all(program.directory().join("current/recording/sub")).unwrap();
        let run = program.run();
        assert_refused(&run, &server, "--record", &[]);
    }
}

#[test]
fn missing_output_directory_is_created() {
    let server = account().serve();
    for directory in ["new", "new/deeper/", "../out/new"] {
        let program = Program::without_server().args(TYPES);
        let program = program.args(["--endpoint-url", &server.url(), "--output-dir", directory]);
        let run = program
            .args(["--report", &format!("{directory}/r.json")])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert_eq!(run.csv(), account().csv());
        let report = run
            .directory()
            .join("current")
            .join(directory)
            .join("r.json");
        parse(&fs::read(report).unwrap());
    }
}

#[test]
fn unusable_output_directory_is_refused() {
    let mut places = vec!["file", "file/below", "to_file", "dangling/file"];
    if cfg!(target_os = "linux") {
        places.extend(["/proc/self", "/proc/new"]);
    }
    for place in places {
        let server = account().serve();
        let program = Program::without_server().args(TYPES);
        let work = program.directory().join("current");
        fs::write(work.join("file"), OLD).unwrap();
        symlink("file", work.join("to_file")).unwrap();
        symlink("file/nothing", work.join("dangling")).unwrap();
        let args = ["--endpoint-url", &server.url(), "--output-dir", place];
        let run = program.args(args).run();
        for link in ["to_file", "dangling"] {
            fs::remove_file(run.directory().join("current").join(link)).unwrap();
        }
        assert_refused(
            &run,
            &server,
            &format!("--output-dir {place}: "),
            &["current/file"],
        );
    }
}

#[test]
fn unusable_recording_directory_is_refused() {
    let mut places = vec!["file", "file/below", "to_file", "dangling"];
    if cfg!(target_os = "linux") {
        places.push("/proc/new");
    }
    for place in places {
        let server = account().serve();
        let program = Program::new(&server).args(TYPES).args(["--record", place]);
        let work = program.directory().join("current");
        fs::write(work.join("file"), OLD).unwrap();
        symlink("file", work.join("to_file")).unwrap();
        symlink("nothing", work.join("dangling")).unwrap();
        let run = program.run();
        for link in ["to_file", "dangling"] {
            fs::remove_file(run.directory().join("current").join(link)).unwrap();
        }
        assert_refused(
            &run,
            &server,
            &format!("--record {place}: "),
            &["current/file"],
        );
    }
}

#[test]
fn mapping_of_recording_is_no_other_output() {
    let same = "DIR.mapping.json of --record is the same file";
    for (report, target, message) in [
        ("recording.mapping.json", None, same),
        ("recording/../recording.mapping.json", None, same),
        ("report.json", Some("report.json"), same),
        (
            "report.json",
            Some("elsewhere"),
            "mapping.json: is a directory",
        ),
        (
            "report.json",
            Some("a FIFO"),
            "mapping.json: is not a regular file",
        ),
    ] {
        let server = account().serve();
        let program = with_report(&server, report)
            .args(["--organization", "--record", "recording"])
            .args(["--record-account-id", "999988887777"]);
        let work = program.directory().join("current");
        fs::create_dir(work.join("recording")).unwrap();
        let link = work.join("recording.mapping.json");
        match target {
            Some("a FIFO") => make_fifo(&link),
            Some(target) => symlink(target, link).unwrap(),
            None => {}
        }
        let run = program.run();
        if target.is_some() {
            fs::remove_file(run.directory().join("current/recording.mapping.json")).unwrap();
        }
        assert_refused(&run, &server, message, &[]);
    }
}

#[test]
fn directory_at_csv_path_fails_before_scan() {
    let server = account().serve();
    let program = Program::new(&server).args(TYPES);
    fs::create_dir(program.directory().join(CSV)).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(run.stderr.contains("[FATAL]"), "{}", run.describe());
    assert!(
        run.errors().contains("is a directory"),
        "{}",
        run.describe()
    );
    let scanned = server.count(|call| call.lists(crate::VPC, "eu-west-1"));
    assert_eq!(scanned, 0, "requests of a scan whose result is lost");
}
