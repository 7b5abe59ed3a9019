//! SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGKILL at random points of a run.
//!
//! [`CONCURRENT_POINTS`] threads run the program, each with its own server. A thread waits for the request
//! or the output line of its point, sends the signal, and waits for the process to end. Points are random
//! but fixed by [`SEED`]. Other tests block the main thread of the program with a full pipe or with a FIFO
//! without a reader; the first signal ends the run there too.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::Value;

use crate::support::make_fifo;
use crate::support::{Outcome, Program, Reply};
use crate::{
    COVERAGE, CSV, ERRORS, LOCK, OLD, REPORT, VERIFY, VPC, account, assert_files,
    assert_no_panic_output, content, with_all_outputs,
};

/// A different seed selects different points.
const SEED: u64 = 20_261_125;
const POINTS: usize = 100;
/// The number of concurrent runs.
const CONCURRENT_POINTS: usize = 4;

/// The starts of lines on stdout, in order.
const LINES: [&str; 8] = [
    "Verifying prerequisites...",
    "Scanning AWS account",
    "Scanning 2 regions...",
    "Results written",
    "Coverage written",
    "Differences written",
    "Summary",
    "Report written",
];

/// The signals that end a run, with the exit codes.
const SIGNALS: [(&str, i32); 4] = [("INT", 130), ("TERM", 143), ("HUP", 129), ("QUIT", 131)];

/// The time of the signal.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// When the process has started.
    Start,
    /// When this request has arrived; the server does not respond to it or to later requests.
    Blocked(usize),
    /// When this request has arrived; the server continues.
    Request(usize),
    /// When this line is printed.
    Line(&'static str),
}

#[derive(Debug, Clone, Copy)]
struct Point {
    signal: &'static str,
    moment: Moment,
}

impl Point {
    fn random(rng: &mut fastrand::Rng, calls: usize) -> Self {
        let moment = match rng.u8(0..16) {
            0 => Moment::Start,
            1..6 => Moment::Blocked(rng.usize(1..=calls)),
            6..10 => Moment::Request(rng.usize(1..=calls)),
            // The files are written between the third and the last line.
            _ => Moment::Line(LINES[rng.usize(0..LINES.len())]),
        };
        let signal = ["INT", "HUP", "TERM", "QUIT", "KILL"][rng.usize(0..5)];
        Self { signal, moment }
    }

    fn run(self) -> Outcome {
        let blocked_from = match self.moment {
            Moment::Blocked(number) => number,
            _ => usize::MAX,
        };
        let block =
            move |call: &crate::support::Call| (call.number >= blocked_from).then(Reply::stall);
        let server = account().serve_with(block);
        let running = with_all_outputs(&server).start();
        match self.moment {
            Moment::Start => {}
            Moment::Blocked(number) | Moment::Request(number) => {
                server.wait_for(|call| call.number >= number);
            }
            Moment::Line(line) => assert!(running.wait_for_stdout(line), "{line}"),
        }
        running.signal(self.signal);
        running.finish()
    }

    /// Returns the exit code for the signal; `None` for SIGKILL.
    fn exit_code(self) -> Option<i32> {
        SIGNALS
            .iter()
            .find(|(name, _)| *name == self.signal)
            .map(|(_, code)| *code)
    }
}

/// The files of an uninterrupted run, in the order of writing.
struct CompleteFiles([(&'static str, String); 3]);

impl CompleteFiles {
    fn assert_old_or_new(&self, run: &Outcome, point: Point) {
        let describe = || format!("{point:?} of seed {SEED}: {}", run.describe());
        let mut new: Vec<bool> = Vec::new();
        for (name, complete) in &self.0 {
            let found = content(run, name);
            assert!(
                found == OLD || found == *complete,
                "{name}: {found}: {}",
                describe()
            );
            new.push(found != OLD);
        }
        let report = content(run, REPORT);
        new.push(report != OLD);
        if report != OLD {
            // The report contains the time of the run.
            let report: Value = serde_json::from_str(&report).unwrap();
            assert_eq!(report["exit_code"], 0, "{}", describe());
        }
        assert!(new.is_sorted_by(|a, b| a >= b), "{new:?}: {}", describe());
        let written = new.iter().filter(|new| **new).count();

        match (run.code, point.moment) {
            (Some(0), Moment::Request(_) | Moment::Line(_)) => {
                assert_eq!(written, 4, "{}", describe());
            }
            // The signal arrived before the program installed its handler.
            (None, Moment::Start) => assert_eq!(written, 0, "{}", describe()),
            (code, _) => assert_eq!(code, point.exit_code(), "{}", describe()),
        }
        if let (Some(_), Moment::Blocked(_)) = (run.code, point.moment) {
            assert_eq!(written, 0, "{}", describe());
        }
        if let Moment::Line(line) = point.moment {
            let at = LINES.iter().position(|l| *l == line).unwrap();
            let expected = at.saturating_sub(2).min(3) + usize::from(at == LINES.len() - 1);
            assert!(written >= expected, "{line}: {}", describe());
        }
        if run.code.is_some_and(|code| code > 128) {
            let message = run.interrupt_message();
            let is_csv_new = new[0];
            let is_none = message.contains("nothing was written");
            assert_ne!(is_none, is_csv_new, "{message}: {}", describe());
            assert!(!run.stdout.contains('✗'), "a check failed: {}", describe());
        }
        assert_no_panic_output(run);
        let is_expected = |path: &PathBuf| {
            let name = path.to_string_lossy();
            // SIGKILL leaves the lock and the temporary file; the program cannot handle it.
            !(point.signal == "KILL" && name.contains("/.aws_config_resource_count_"))
        };
        let files: Vec<_> = run.files().into_iter().filter(is_expected).collect();
        let mut expected = [CSV, COVERAGE, VERIFY, REPORT].map(PathBuf::from);
        expected.sort();
        assert_eq!(files, expected, "{}", describe());
    }
}

#[test]
fn signal_at_any_point_leaves_complete_files() {
    let server = account().serve();
    let run = with_all_outputs(&server).run();
    let complete = CompleteFiles([CSV, COVERAGE, VERIFY].map(|name| (name, content(&run, name))));
    assert_eq!((run.code, run.csv()), (Some(0), account().csv()));
    let calls = server.calls().len();
    let mut rng = fastrand::Rng::with_seed(SEED);
    let points: Vec<_> = (0..POINTS)
        .map(|_| Point::random(&mut rng, calls))
        .collect();
    thread::scope(|scope| {
        for part in points.chunks(POINTS.div_ceil(CONCURRENT_POINTS)) {
            let complete = &complete;
            scope.spawn(move || {
                for point in part {
                    complete.assert_old_or_new(&point.run(), *point);
                }
            });
        }
    });
}

/// Returns a pipe with room for `room` bytes before its writer blocks. A pipe on Linux has 16 pages, and a
/// write that does not fit into the last page blocks completely.
#[cfg(target_os = "linux")]
fn pipe_with_room(room: usize) -> (std::io::PipeReader, std::io::PipeWriter) {
    const PAGE: usize = 4096;
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b' '; 15 * PAGE]).unwrap();
    writer.write_all(&vec![b' '; PAGE - room]).unwrap();
    (reader, writer)
}

/// A line that does not fit into stdout blocks the main thread after each of its files in turn.
#[cfg(target_os = "linux")]
#[test]
fn signal_after_each_file_keeps_written_files() {
    let account = account();
    let server = account.serve();
    let complete = with_all_outputs(&server).run();
    assert_eq!(complete.code, Some(0), "{}", complete.describe());
    let calls = server.calls().len();
    let files = [CSV, COVERAGE, VERIFY, REPORT];
    let lines = [
        "Results written",
        "Coverage written",
        "Differences written",
        "Report written",
    ];
    for (written, (file, line)) in std::iter::zip(files, lines).enumerate() {
        for (signals, code) in [
            // Two signals of the same kind at the same time count as one.
            (&["INT", "TERM"][..], Some(143)),
            (&["INT"], Some(130)),
            (&["KILL"], None),
        ] {
            let (_reader, writer) = pipe_with_room(complete.stdout.find(line).unwrap());
            let server = account.serve();
            let program = with_all_outputs(&server).stdout(writer);
            let new = program.directory().join(file);
            let mut running = program.start();
            server.wait_for(|call| call.number == calls);
            while std::fs::read_to_string(&new).unwrap() == OLD {
                assert!(!running.has_ended(), "{line}");
                thread::yield_now();
            }
            for signal in signals {
                running.signal(signal);
            }
            let run = running.finish();
            assert_eq!(run.code, code, "{line} {signals:?}: {}", run.describe());
            assert_no_panic_output(&run);
            if code.is_some() {
                let message = run.interrupt_message();
                let done = ": 2 of 2 regions were counted; the CSV was written, ";
                assert!(message.contains(done), "{message}");
            }
            // SIGKILL leaves the file of the lock.
            let left = if code.is_none() { Some(LOCK) } else { None };
            assert_files(&run, &files.into_iter().chain(left).collect::<Vec<_>>());
            for (at, name) in files.iter().enumerate() {
                let content = content(&run, name);
                if at > written {
                    assert_eq!(content, OLD, "{line} {signals:?} {name}");
                } else if *name == REPORT {
                    let report: Value = serde_json::from_str(&content).unwrap();
                    assert_eq!(report["exit_code"], 0);
                } else {
                    assert_eq!(
                        content,
                        self::content(&complete, name),
                        "{line} {signals:?}"
                    );
                }
            }
        }
    }
}

/// Returns true if `directory` contains a temporary file.
fn is_writing(directory: &Path) -> bool {
    let mut entries = std::fs::read_dir(directory).unwrap();
    entries.any(|entry| entry.unwrap().path().extension() == Some("tmp".as_ref()))
}

/// The second signal ends the process while its main thread writes, if both signals arrive in time.
#[test]
fn two_signals_during_write_leave_complete_files() {
    let account = account();
    let server = account.serve();
    with_all_outputs(&server).run();
    let calls = server.calls().len();
    for _ in 0..12 {
        let server = account.serve();
        let program = with_all_outputs(&server);
        let out = program.directory().join("out");
        let mut running = program.start();
        server.wait_for(|call| call.number == calls);
        while !running.has_ended() {
            if is_writing(&out) {
                running.signal("INT");
                running.signal("TERM");
                break;
            }
            thread::yield_now();
        }
        let run = running.finish();
        assert!(
            matches!(run.code, Some(0 | 130 | 143)),
            "{}",
            run.describe()
        );
        assert_files(&run, &[CSV, COVERAGE, VERIFY, REPORT]);
        let csv = content(&run, CSV);
        assert!(csv == OLD || csv == account.csv(), "{csv}");
        assert_no_panic_output(&run);
    }
}

#[test]
fn leftover_temporary_file_is_ignored() {
    let account = account();
    let server = account.serve();
    let program = with_all_outputs(&server);
    let leftover = program
        .directory()
        .join("out/.aws_config_resource_count_abcdef.tmp");
    std::fs::write(leftover, "half").unwrap();
    let run = program.run();
    assert_eq!((run.code, run.csv()), (Some(0), account.csv()));
}

/// A FIFO without a reader blocks the main thread between the scan and the first file.
#[test]
fn first_signal_ends_blocked_write() {
    for (signal, code) in SIGNALS {
        let server = account().serve_with(|call| {
            let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
            call.lists(VPC, "eu-west-1").then(denied)
        });
        for path in [ERRORS, REPORT] {
            let program = with_all_outputs(&server);
            let fifo = program.directory().join(path);
            let _ = std::fs::remove_file(&fifo);
            make_fifo(&fifo);
            let running = program.start();
            let line = if path == ERRORS {
                "Scanning 2 regions"
            } else {
                "Summary"
            };
            assert!(running.wait_for_stdout(line));
            assert!(running.wait_for_stderr("[PERMISSION]"));
            running.signal(signal);
            let run = running.finish();
            std::fs::remove_file(&fifo).unwrap();
            assert_eq!(run.code, Some(code), "{signal}: {}", run.describe());
            let message = run.interrupt_message();
            let is_none = message.contains(" of 2 regions were counted; nothing was written");
            assert_eq!(is_none, path == ERRORS, "{message}");
            assert_no_panic_output(&run);
            if path == ERRORS {
                assert_files(&run, &[CSV, COVERAGE, VERIFY, REPORT]);
                assert_eq!(content(&run, CSV), OLD);
            } else {
                assert_files(&run, &[CSV, COVERAGE, VERIFY, ERRORS]);
            }
        }
    }
}

/// Returns a socket that is full, so that a write to it blocks, and its other end.
fn full_socket() -> (UnixStream, UnixStream) {
    let (mut writer, reader) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.write(&[b' '; 512]).is_ok() {}
    while writer.write(b" ").is_ok() {}
    writer.set_nonblocking(false).unwrap();
    (writer, reader)
}

#[test]
fn signal_ends_blocked_result() {
    for (signal, code) in SIGNALS {
        let server = account().serve();
        let (writer, _reader) = full_socket();
        let running = with_all_outputs(&server)
            .args(["--format", "csv"])
            .stdout(OwnedFd::from(writer))
            .start();
        assert!(running.wait_for_stderr("] 2/2\n"));
        running.signal(signal);
        let run = running.finish();
        assert_eq!(run.code, Some(code), "{signal}: {}", run.describe());
        assert_no_panic_output(&run);
    }
}

#[test]
fn signals_end_run_with_full_stderr() {
    for (signals, code) in [
        (&["INT"][..], 130),
        (&["QUIT"], 131),
        // Two signals of the same kind at the same time count as one.
        (&["INT", "TERM"], 143),
    ] {
        let server = account().serve_with(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
        // "Interrupted" cannot be printed.
        let (writer, _reader) = full_socket();
        let running = with_all_outputs(&server)
            .stderr(OwnedFd::from(writer))
            .start();
        server.wait_for(|call| call.lists(VPC, "eu-west-1"));
        for signal in signals {
            running.signal(signal);
        }
        let run = running.finish();
        assert_eq!(run.code, Some(code), "{}", run.describe());
        assert_files(&run, &[CSV, COVERAGE, VERIFY, REPORT]);
        assert_eq!(content(&run, CSV), OLD);
    }
}

#[test]
fn interrupt_without_streams_sets_exit_code() {
    for (signal, code) in SIGNALS {
        let server = account().serve_with(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
        let closed = r#"exec "$@" <&- >&- 2>&-"#;
        let running = Program::in_shell(closed, &server)
            .args(crate::TYPES)
            .start();
        server.wait_for(|call| call.lists(VPC, "eu-west-1"));
        running.signal(signal);
        let run = running.finish();
        assert_eq!(run.code, Some(code), "{}", run.describe());
        assert_files(&run, &[]);
    }
}
