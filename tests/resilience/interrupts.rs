//! SIGINT, SIGTERM and SIGKILL at any moment.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread;

use serde_json::Value;

use crate::support::{Outcome, Program, Reply, Running, Server};
use crate::{
    BUCKET, COVERAGE, CSV, ERRORS, OLD, REPORT, VERIFY, VPC, account, assert_civil, assert_files,
    content, everything, make_fifo,
};

/// Another seed finds other points.
const SEED: u64 = 20_261_125;
const POINTS: usize = 100;
/// How many points are tried at one time.
const SIDE_BY_SIDE: usize = 4;

/// The lines of a run's report, in their order.
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

/// When the signal is sent.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// As soon as there is a process.
    Birth,
    /// When this call has come; it and those after it get no answer.
    Silence(usize),
    /// When this call has come; the server goes on.
    Call(usize),
    /// When this line has come.
    Line(&'static str),
}

#[derive(Debug, Clone, Copy)]
struct Point {
    signal: &'static str,
    moment: Moment,
}

impl Point {
    fn random(chance: &mut fastrand::Rng, calls: usize) -> Self {
        let moment = match chance.u8(0..16) {
            0 => Moment::Birth,
            1..6 => Moment::Silence(chance.usize(1..=calls)),
            6..10 => Moment::Call(chance.usize(1..=calls)),
            // The files are written between the third line and the last one.
            _ => Moment::Line(LINES[chance.usize(0..LINES.len())]),
        };
        let signal = ["INT", "INT", "TERM", "TERM", "KILL"][chance.usize(0..5)];
        Self { signal, moment }
    }

    fn run(self) -> Outcome {
        let silent_from = match self.moment {
            Moment::Silence(number) => number,
            _ => usize::MAX,
        };
        let silence =
            move |call: &crate::support::Call| (call.number >= silent_from).then(Reply::stall);
        let server = account().serve_but(silence);
        let running = everything(&server).start();
        match self.moment {
            Moment::Birth => {}
            Moment::Silence(number) | Moment::Call(number) => {
                server.wait_for(|call| call.number >= number);
            }
            Moment::Line(line) => assert!(running.says(line), "{line}"),
        }
        running.signal(self.signal);
        running.finish()
    }

    /// The exit code that the signal stands for; none where it ends the process itself.
    fn code(self) -> Option<i32> {
        match self.signal {
            "INT" => Some(130),
            "TERM" => Some(143),
            _ => None,
        }
    }
}

/// The files of an uninterrupted run, in the order in which they are written.
struct Whole([(&'static str, String); 3]);

impl Whole {
    fn assert_holds(&self, run: &Outcome, point: Point) {
        let about = || format!("{point:?} of seed {SEED}: {}", run.told());
        let mut new: Vec<bool> = Vec::new();
        for (name, whole) in &self.0 {
            let found = content(run, name);
            assert!(
                found == OLD || found == *whole,
                "{name}: {found}: {}",
                about()
            );
            new.push(found != OLD);
        }
        let report = content(run, REPORT);
        new.push(report != OLD);
        if report != OLD {
            // It has the time of the run in it.
            let report: Value = serde_json::from_str(&report).unwrap();
            assert_eq!(report["exit_code"], 0, "{}", about());
        }
        assert!(new.is_sorted_by(|a, b| a >= b), "{new:?}: {}", about());
        let written = new.iter().filter(|new| **new).count();

        match (run.code, point.moment) {
            (Some(0), Moment::Call(_) | Moment::Line(_)) => assert_eq!(written, 4, "{}", about()),
            // The system itself ended a process that had no handler yet.
            (None, Moment::Birth) => assert_eq!(written, 0, "{}", about()),
            (code, _) => assert_eq!(code, point.code(), "{}", about()),
        }
        if let (Some(_), Moment::Silence(_)) = (run.code, point.moment) {
            assert_eq!(written, 0, "{}", about());
        }
        if let Moment::Line(line) = point.moment {
            let at = LINES.iter().position(|l| *l == line).unwrap();
            let told = at.saturating_sub(2).min(3) + usize::from(at == LINES.len() - 1);
            assert!(written >= told, "{line}: {}", about());
        }
        if matches!(run.code, Some(130 | 143)) {
            assert!(run.stderr.ends_with("Interrupted\n"), "{}", about());
            assert!(!run.stdout.contains('✗'), "no check failed: {}", about());
        }
        assert_civil(run);
        let left = |path: &PathBuf| {
            let name = path.to_string_lossy();
            // Nothing can be done about the signal that nobody hears.
            !(point.signal == "KILL" && name.contains("/.aws_config_resource_count_"))
        };
        let files: Vec<_> = run.files().into_iter().filter(left).collect();
        let mut named = [CSV, COVERAGE, VERIFY, REPORT].map(PathBuf::from);
        named.sort();
        assert_eq!(files, named, "{}", about());
    }
}

#[test]
fn at_a_hundred_points_every_file_is_the_old_one_or_the_new_one() {
    let server = account().serve();
    let run = everything(&server).run();
    let whole = Whole([CSV, COVERAGE, VERIFY].map(|name| (name, content(&run, name))));
    assert_eq!((run.code, run.csv()), (Some(0), account().csv()));
    let calls = server.calls().len();
    let mut chance = fastrand::Rng::with_seed(SEED);
    let points: Vec<_> = (0..POINTS)
        .map(|_| Point::random(&mut chance, calls))
        .collect();
    thread::scope(|scope| {
        for part in points.chunks(POINTS.div_ceil(SIDE_BY_SIDE)) {
            let whole = &whole;
            scope.spawn(move || {
                for point in part {
                    whole.assert_holds(&point.run(), *point);
                }
            });
        }
    });
}

/// A pipe that takes `room` bytes more before its writer waits. Linux has pipes of sixteen pages, and
/// a text that does not fit into what is left of the last one waits as a whole.
#[cfg(target_os = "linux")]
fn pipe_with_room(room: usize) -> (std::io::PipeReader, std::io::PipeWriter) {
    const PAGE: usize = 4096;
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b' '; 15 * PAGE]).unwrap();
    writer.write_all(&vec![b' '; PAGE - room]).unwrap();
    (reader, writer)
}

/// The main thread is held after each of its files in turn, by a line that nobody reads.
#[cfg(target_os = "linux")]
#[test]
fn an_end_at_once_after_each_file_leaves_those_that_were_written() {
    let account = account();
    let server = account.serve();
    let whole = everything(&server).run();
    assert_eq!(whole.code, Some(0), "{}", whole.told());
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
            // Two of a kind that come at one time are one.
            (&["INT", "TERM"][..], Some(143)),
            (&["INT"], Some(130)),
            (&["KILL"], None),
        ] {
            let (_reader, writer) = pipe_with_room(whole.stdout.find(line).unwrap());
            let server = account.serve();
            let program = everything(&server).stdout(writer);
            let new = program.folder().join(file);
            let mut running = program.start();
            server.wait_for(|call| call.number == calls);
            while std::fs::read_to_string(&new).unwrap() == OLD {
                assert!(!running.has_ended(), "{line}");
                thread::yield_now();
            }
            for signal in signals {
                running.signal(signal);
            }
            // Ctrl-C again, where the first one is the only one so far.
            while signals == ["INT"] && !running.has_ended() {
                running.signal("INT");
            }
            let run = running.finish();
            assert_eq!(run.code, code, "{line} {signals:?}: {}", run.told());
            assert_civil(&run);
            assert_files(&run, &files);
            for (at, name) in files.iter().enumerate() {
                let content = content(&run, name);
                if at > written {
                    assert_eq!(content, OLD, "{line} {signals:?} {name}");
                } else if *name == REPORT {
                    let report: Value = serde_json::from_str(&content).unwrap();
                    assert_eq!(report["exit_code"], 0);
                } else {
                    assert_eq!(content, self::content(&whole, name), "{line} {signals:?}");
                }
            }
        }
    }
}

/// Whether a file is being written in `folder`.
fn is_writing(folder: &Path) -> bool {
    let mut entries = std::fs::read_dir(folder).unwrap();
    entries.any(|entry| entry.unwrap().path().extension() == Some("tmp".as_ref()))
}

/// The second signal ends the process while its main thread writes, as far as both come in time.
#[test]
fn two_signals_while_a_file_is_written_leave_no_half_of_it() {
    let account = account();
    let server = account.serve();
    everything(&server).run();
    let calls = server.calls().len();
    for _ in 0..12 {
        let server = account.serve();
        let program = everything(&server);
        let out = program.folder().join("out");
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
        assert!(matches!(run.code, Some(0 | 130 | 143)), "{}", run.told());
        assert_files(&run, &[CSV, COVERAGE, VERIFY, REPORT]);
        let csv = content(&run, CSV);
        assert!(csv == OLD || csv == account.csv(), "{csv}");
        assert_civil(&run);
    }
}

#[test]
fn a_killed_run_does_not_hinder_the_next_one() {
    let account = account();
    let server = account.serve();
    let program = everything(&server);
    let left = program
        .folder()
        .join("out/.aws_config_resource_count_abcdef.tmp");
    std::fs::write(left, "half").unwrap();
    let run = program.run();
    assert_eq!((run.code, run.csv()), (Some(0), account.csv()));
}

/// A run whose main thread waits for a reader of the error file, which is a FIFO, to log what it
/// has just complained of; it can only end through a signal. `prepare` sees to the complaint.
fn blocked(
    complaint: &str,
    denied: bool,
    prepare: impl Fn(&Program),
) -> (Server, Running, PathBuf) {
    let path = Arc::new(OnceLock::<PathBuf>::new());
    let for_server = path.clone();
    let server = account().serve_but(move |call| {
        // The run has deleted an old error file by now.
        if call.lists(BUCKET, "eu-west-1") {
            make_fifo(for_server.get().unwrap());
        }
        match call.region.as_str() {
            "eu-west-1" if denied && call.lists(BUCKET, "eu-west-1") => {
                Some(Reply::error(call, 400, "AccessDeniedException", "no"))
            }
            // Nothing but the signal ends this scan.
            "us-east-1" if denied && call.lists(BUCKET, "us-east-1") => Some(Reply::stall()),
            _ => None,
        }
    });
    let program = everything(&server);
    prepare(&program);
    let fifo = program.folder().join(ERRORS);
    path.set(fifo.clone()).unwrap();
    let mut running = program.start();
    assert!(running.complains(complaint), "{complaint}");
    assert!(!running.has_ended());
    (server, running, fifo)
}

/// The end of a blocked run, without the FIFO, which would block the test too.
fn end(running: Running, fifo: &PathBuf) -> Outcome {
    let run = running.finish();
    std::fs::remove_file(fifo).unwrap();
    assert_civil(&run);
    run
}

#[test]
fn a_second_signal_ends_a_run_that_hangs_in_its_scan() {
    let (_server, running, fifo) = blocked("[PERMISSION]", true, |_| {});
    // Two of a kind that come at one time are one.
    running.signal("INT");
    running.signal("TERM");
    let run = end(running, &fifo);
    assert_eq!(run.code, Some(143), "{}", run.told());
    assert_files(&run, &[CSV, COVERAGE, VERIFY, REPORT]);
    assert_eq!(content(&run, CSV), OLD);
}

#[test]
fn ctrl_c_again_and_again_ends_a_run_that_hangs_between_its_files() {
    let in_the_way = |program: &Program| {
        let coverage = program.folder().join(COVERAGE);
        std::fs::remove_file(&coverage).unwrap();
        std::fs::create_dir(coverage).unwrap();
    };
    let complaint = "the coverage could not be written";
    let (_server, mut running, fifo) = blocked(complaint, false, in_the_way);
    while !running.has_ended() {
        running.signal("INT");
    }
    let run = end(running, &fifo);
    assert_eq!(run.code, Some(130), "{}", run.told());
    assert_files(&run, &[CSV, VERIFY, REPORT]);
    assert_eq!(content(&run, CSV), account().csv());
    assert_eq!(
        (content(&run, VERIFY), content(&run, REPORT)),
        (OLD.into(), OLD.into())
    );
}

#[test]
fn one_signal_waits_for_the_line_that_is_being_logged() {
    let (_server, running, fifo) = blocked("[PERMISSION]", true, |_| {});
    running.signal("TERM");
    let mut logged = String::new();
    File::open(&fifo)
        .unwrap()
        .read_to_string(&mut logged)
        .unwrap();
    assert!(logged.contains("[PERMISSION]"), "{logged}");
    let run = end(running, &fifo);
    assert_eq!(run.code, Some(143), "{}", run.told());
    assert!(run.stderr.ends_with("Interrupted\n"), "{}", run.told());
    assert_eq!(content(&run, CSV), OLD);
}

#[test]
fn a_second_signal_ends_a_run_that_nobody_reads() {
    let server = account().serve_but(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
    // Full to the brim: "Interrupted" cannot be told.
    let (mut writer, _reader) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    while writer.write(&[b' '; 512]).is_ok() {}
    while writer.write(b" ").is_ok() {}
    writer.set_nonblocking(false).unwrap();
    let running = everything(&server).stderr(OwnedFd::from(writer)).start();
    server.wait_for(|call| call.lists(VPC, "eu-west-1"));
    running.signal("INT");
    running.signal("TERM");
    let run = running.finish();
    assert_eq!(run.code, Some(143), "{}", run.told());
    assert_files(&run, &[CSV, COVERAGE, VERIFY, REPORT]);
    assert_eq!(content(&run, CSV), OLD);
}

#[test]
fn an_interrupt_needs_no_stream() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let server = account().serve_but(|call| call.lists(VPC, "eu-west-1").then(Reply::stall));
        let closed = r#"exec "$@" <&- >&- 2>&-"#;
        let running = Program::in_shell(closed, &server)
            .args(crate::TYPES)
            .start();
        server.wait_for(|call| call.lists(VPC, "eu-west-1"));
        running.signal(signal);
        let run = running.finish();
        assert_eq!(run.code, Some(code), "{}", run.told());
        assert_files(&run, &[]);
    }
}
