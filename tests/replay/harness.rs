//! Replays a case through the library.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_config_resource_count::cli::{self, Command};
use aws_config_resource_count::commands;
use aws_config_resource_count::console::{Bar, Console, LiveLine};
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::recording::{RecordedEnv, ReplayClient, VirtualClock};
use aws_config_resource_count::runtime::Runtime;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::outcome::Outcome;
use crate::recordings::{Case, file_names, read_tree};
use crate::table::Row;

/// The time at which every replay starts. Each backoff waits for half of its maximum.
const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

impl Row for Case {
    fn name(&self) -> &str {
        self.name
    }
}

/// A writer whose text the test reads.
#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl SharedBuffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
/// The number of threads in a replay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// One thread, as with `--replay`.
    One,
    /// One thread per region, as against AWS.
    Many,
}
impl Case {
    pub fn replay(&self, threads: Threads) -> Outcome {
        self.replay_from(self.recording().path(), threads, None)
    }

    /// Replays the recording in `directory` with this case's arguments.
    pub fn replay_from(
        &self,
        directory: &Path,
        threads: Threads,
        record: Option<&Path>,
    ) -> Outcome {
        let temporary = tempfile::tempdir().unwrap();
        let out = temporary.path().join("out");
        fs::create_dir(&out).unwrap();
        let before = read_tree(directory);

        let mut args: Vec<OsString> = vec!["aws-config-resource-count".into()];
        args.extend(self.args.iter().map(OsString::from));
        args.extend(["--output-dir".into(), out.clone().into()]);
        if threads == Threads::One {
            // The program only prints this path: the responses are from `directory`.
            args.extend(["--replay".into(), self.path().into()]);
        } else {
            // After a failure the scan skips the remaining types; the recording has no responses for them.
            args.push("--region-concurrency=1".into());
        }
        if let Some(directory) = record {
            args.extend(["--record".into(), directory.into()]);
        }
        let Ok(Command::Run(config, _)) = cli::parse(args) else {
            panic!("{}: {:?} do not start a scan", self.name, self.args)
        };
        let replay = Arc::new(ReplayClient::open(directory, NOW).unwrap());
        let sender = replay.clone();
        let runtime = Runtime {
            env: Arc::new(RecordedEnv::open(directory).unwrap()),
            clock: Arc::new(VirtualClock::new(NOW)),
            interrupt: Interrupt::default(),
            jitter: || 0.5,
            connect: Box::new(move |_, _| Ok(sender.clone())),
        };
        let (stdout, stderr, trace) = (
            SharedBuffer::default(),
            SharedBuffer::default(),
            SharedBuffer::default(),
        );
        let mut console = Console {
            out: Box::new(stdout.clone()),
            err: Box::new(stderr.clone()),
            color: false,
            bar: Bar::FinalOnly,
            quiet: false,
            shared_terminal: false,
            out_columns: || None,
            columns: || None,
            live: LiveLine::default(),
        };
        let log = trace.clone();
        let write_line = move |line: &dyn Display| writeln!(log.clone(), "{line}").unwrap();
        let exit =
            commands::run_guarded(&config, &runtime, &mut console, Some(Arc::new(write_line)));

        assert_eq!(
            file_names(temporary.path()),
            ["out"],
            "files outside the output directory"
        );
        assert_eq!(read_tree(directory), before, "the recording changed");
        let text = |screen: &SharedBuffer| screen.text().replace(out.to_str().unwrap(), "out");
        Outcome {
            exit_code: exit.code(),
            stdout: text(&stdout),
            stderr: text(&stderr),
            trace: trace.text(),
            files: read_tree(&out),
            left_over: replay.left_over(),
        }
    }
}
