//! Runs the program in the process of the test, without waits.
//!
//! The sockets, their faults and all threads are those of a run of the binary. Only the clock differs: its sleeps
//! return immediately and advance its time for the thread that sleeps.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config_resource_count::aws::client::Trace;
use aws_config_resource_count::cli::{self, Command};
use aws_config_resource_count::commands;
use aws_config_resource_count::console::{Bar, Console, LiveLine};
use aws_config_resource_count::env::{CommandOutput, Env, SystemEnv};
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::recording::VirtualClock;
use aws_config_resource_count::runtime::Runtime;
use time::OffsetDateTime;

use super::outcome::Outcome;
use super::program::Program;

impl Program {
    /// Runs the program in this process to its end. Relative paths in arguments are those of the test.
    ///
    /// # Panics
    /// The arguments do not start a scan.
    pub fn run_without_waits(self) -> Outcome {
        let program = [self.command.get_program()].into_iter();
        let args = program.chain(self.command.get_args());
        let Ok(Command::Run(options, _)) = cli::parse(args.map(Into::into)) else {
            panic!("{:?} does not start a scan", self.command)
        };
        let text = |value: &std::ffi::OsStr| value.to_str().unwrap().to_owned();
        let variables = self.command.get_envs();
        let variables = variables.filter_map(|(name, value)| Some((text(name), text(value?))));
        let runtime = Runtime {
            env: Arc::new(FixedEnv(variables.collect())),
            clock: Arc::new(VirtualClock::new(OffsetDateTime::now_utc())),
            jitter: || 0.5,
            ..Runtime::new(&options, Interrupt::default()).unwrap()
        };
        let (stdout, stderr) = (SharedBuffer::default(), SharedBuffer::default());
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
        let log = stderr.clone();
        let write_line = move |line: &dyn Display| writeln!(log.clone(), "{line}").unwrap();
        let trace = options.debug.then(|| Arc::new(write_line) as Trace);
        let exit = commands::run_guarded(&options, &runtime, &mut console, trace);
        Outcome {
            code: Some(exit.code().into()),
            stdout: stdout.text(),
            stderr: stderr.text(),
            peak_memory: None,
            temporary: self.directory,
        }
    }
}

/// An environment with only these variables. Files are those of the machine.
struct FixedEnv(BTreeMap<String, String>);

impl Env for FixedEnv {
    fn var(&self, name: &str) -> Option<String> {
        let value = self.0.get(name);
        value.filter(|value| !value.trim().is_empty()).cloned()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        SystemEnv::default().read(path)
    }

    fn read_regular(&self, path: &Path) -> io::Result<Vec<u8>> {
        SystemEnv::default().read_regular(path)
    }

    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        SystemEnv::default().write_private(path, bytes)
    }

    fn run(
        &self,
        command: &str,
        _: Duration,
        _: &dyn Fn() -> Duration,
    ) -> io::Result<CommandOutput> {
        panic!("the command {command} takes real time")
    }

    fn prompt(&self, _: &str) -> Option<String> {
        None
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
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
