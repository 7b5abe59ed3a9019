//! Runs the built binary, isolated from the machine's environment.
//!
//! A run has four threads. Two of them read stdout and stderr, so that the program never blocks on
//! a full pipe; they end when the program closes the pipe. One samples the program's memory every
//! 20 ms until the run has ended, and kills the program after its maximum
//! duration, one minute by default.
//!
//! The test's own thread waits in [`Running::wait_for_stdout`] or [`Running::wait_for_stderr`] for
//! a text, which also ends when the pipe is closed, and in [`Running::finish`] for the end of the
//! program and of the three threads.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::outcome::Outcome;
use super::server::Server;

const BINARY: &str = env!("CARGO_BIN_EXE_aws-config-resource-count");

/// The default of the time after which a run is killed.
const RUN_TIMEOUT: Duration = Duration::from_mins(3);

/// The interval at which a run's memory is sampled.
const MEMORY_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A run before its start.
pub struct Program {
    pub(super) command: Command,
    max_duration: Duration,
    pub(super) directory: TempDir,
}

impl Program {
    /// Prepares a run that sends all requests to `server`.
    ///
    /// The home and the output directory are empty. The only variables are HOME, the example
    /// credentials, and AWS_EC2_METADATA_DISABLED, because this machine may have a metadata
    /// service.
    pub fn new(server: &Server) -> Self {
        Self::for_url(&server.url())
    }

    /// Prepares a run that sends all requests to `url`.
    pub fn for_url(url: &str) -> Self {
        Self::with_command(Command::new(BINARY), url)
    }

    /// Prepares a run that a shell `script` starts with `"$@"`.
    pub fn in_shell(script: &str, server: &Server) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, "sh", BINARY]);
        Self::with_command(shell, &server.url())
    }

    /// Prepares a run of the subcommand `name` that sends all requests to `server`.
    pub fn subcommand(name: &str, server: &Server) -> Self {
        let mut command = Command::new(BINARY);
        command.arg(name);
        Self::with_command(command, &server.url())
    }

    fn with_command(command: Command, url: &str) -> Self {
        let program = Self::isolated(command);
        let out = program.directory().join("out");
        program
            .args(["--endpoint-url", url, "--output-dir"])
            .arg(out)
    }

    /// Prepares a run without arguments and without an endpoint.
    pub fn without_server() -> Self {
        Self::isolated(Command::new(BINARY))
    }

    fn isolated(mut command: Command) -> Self {
        let directory = TempDir::new().unwrap();
        for name in ["home", "out", "current"] {
            std::fs::create_dir(directory.path().join(name)).unwrap();
        }
        command
            .env_clear()
            .env("HOME", directory.path().join("home"))
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env(
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            )
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(directory.path().join("current"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            max_duration: RUN_TIMEOUT,
            directory,
        }
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds an argument.
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// Sets the time after which the run is killed.
    pub fn max_duration(mut self, max_duration: Duration) -> Self {
        self.max_duration = max_duration;
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Replaces stdout.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    /// Replaces stderr.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.command.stderr(stderr);
        self
    }

    /// Replaces stdin.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Returns the directory of the run, with the directories `home`, `out` and `current`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Runs the program to its end.
    pub fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Starts the program.
    pub fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let (out, err) = (
            PipeReader::start(child.stdout.take()),
            PipeReader::start(child.stderr.take()),
        );
        let (ended, has_ended) = channel();
        let pid = child.id();
        let max_duration = self.max_duration;
        let watch = thread::spawn(move || watch(pid, &has_ended, max_duration));
        Running {
            child,
            out,
            err,
            ended,
            watch,
            directory: self.directory,
        }
    }
}

/// A run that has started.
pub struct Running {
    child: Child,
    out: PipeReader,
    err: PipeReader,
    ended: Sender<()>,
    watch: JoinHandle<Option<u64>>,
    directory: TempDir,
}

impl Running {
    /// Returns the process ID.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the directory of the run.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Sends the signal `name`, such as `INT`.
    pub fn signal(&self, name: &str) {
        send_signal(name, self.child.id());
    }

    /// Returns true if the process has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for `text` on stdout; returns false if stdout is closed without it.
    pub fn wait_for_stdout(&self, text: &str) -> bool {
        self.out.wait_for(text)
    }

    /// Waits for `text` on stderr; returns false if stderr is closed without it.
    pub fn wait_for_stderr(&self, text: &str) -> bool {
        self.err.wait_for(text)
    }

    /// Waits for the end of the program.
    pub fn finish(mut self) -> Outcome {
        let status = self.child.wait().unwrap();
        let _ = self.ended.send(());
        Outcome {
            code: status.code(),
            stdout: self.out.into_text(),
            stderr: self.err.into_text(),
            peak_memory: self.watch.join().unwrap(),
            temporary: self.directory,
        }
    }
}

/// Samples a process's memory until it `has_ended`, and kills it after `max_duration`.
///
/// Returns its peak memory in bytes.
fn watch(process: u32, has_ended: &Receiver<()>, max_duration: Duration) -> Option<u64> {
    let (start, mut peak) = (Instant::now(), None);
    while has_ended.recv_timeout(MEMORY_POLL_INTERVAL).is_err() {
        peak = peak_memory(process).or(peak);
        if start.elapsed() > max_duration {
            send_signal("KILL", process);
            break;
        }
    }
    peak
}

/// Reads `VmHWM` of a process, in bytes; `None` if the system has no `/proc` or the process has
/// ended.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Sends a signal with the shell's `kill`; the standard library can send only KILL.
fn send_signal(name: &str, pid: u32) {
    let kill = format!("kill -{name} {pid}");
    let _ = Command::new("/bin/sh").args(["-c", &kill]).status();
}

/// A thread that reads a pipe to its end, and the bytes so far.
struct PipeReader {
    content: Arc<(Mutex<PipeContent>, Condvar)>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct PipeContent {
    bytes: Vec<u8>,
    is_complete: bool,
}

impl PipeReader {
    fn start(pipe: Option<impl io::Read + Send + 'static>) -> Self {
        let content = Arc::<(Mutex<PipeContent>, Condvar)>::default();
        let shared = content.clone();
        let thread = thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut read_bytes =
                |pipe: &mut dyn io::Read| pipe.read(&mut buffer).map(|n| buffer[..n].to_vec());
            let mut pipe = pipe;
            loop {
                let bytes = pipe
                    .as_mut()
                    .map_or_else(Vec::new, |pipe| read_bytes(pipe).unwrap());
                let mut read = shared.0.lock().unwrap();
                read.is_complete = bytes.is_empty();
                read.bytes.extend(bytes);
                shared.1.notify_all();
                if read.is_complete {
                    return;
                }
            }
        });
        Self { content, thread }
    }

    fn wait_for(&self, text: &str) -> bool {
        let has_text = |read: &PipeContent| String::from_utf8_lossy(&read.bytes).contains(text);
        let read = self.content.0.lock().unwrap();
        let is_missing = |read: &mut PipeContent| !read.is_complete && !has_text(read);
        has_text(&self.content.1.wait_while(read, is_missing).unwrap())
    }

    fn into_text(self) -> String {
        self.thread.join().unwrap();
        let bytes = std::mem::take(&mut self.content.0.lock().unwrap().bytes);
        String::from_utf8(bytes).unwrap()
    }
}
