//! The built binary, with nothing of the machine around it but what a test gives.

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

/// How long a run may take before it is killed.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often a run's memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A run that has not begun.
pub struct Program {
    command: Command,
    folder: TempDir,
}

impl Program {
    /// The binary with all requests going to `server`: an empty home, an empty output folder,
    /// example keys, no metadata service (this machine may have one), and no other variable.
    pub fn new(server: &Server) -> Self {
        Self::to(&server.url())
    }

    /// The same with all requests going to `url`.
    pub fn to(url: &str) -> Self {
        Self::of(Command::new(BINARY), url)
    }

    /// The same, begun by a shell's `script`, to which the command is `"$@"`.
    pub fn in_shell(script: &str, server: &Server) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script, "sh", BINARY]);
        Self::of(shell, &server.url())
    }

    fn of(command: Command, url: &str) -> Self {
        let program = Self::around(command);
        let out = program.folder().join("out");
        program
            .args(["--endpoint-url", url, "--output-dir"])
            .arg(out)
    }

    /// The binary with no argument but a test's own, and nowhere to send a request to.
    pub fn alone() -> Self {
        Self::around(Command::new(BINARY))
    }

    fn around(mut command: Command) -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["home", "out", "work"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        command
            .env_clear()
            .env("HOME", folder.path().join("home"))
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env(
                "AWS_SECRET_ACCESS_KEY",
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            )
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(folder.path().join("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command, folder }
    }

    /// The same run with more arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// The same run with one more argument.
    pub fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// The same run with one more variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The same run with another stdout.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    /// The same run with another stderr.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.command.stderr(stderr);
        self
    }

    /// The same run with another stdin.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// The folder around the run; the output goes to `out` in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs to the end.
    pub fn run(self) -> Outcome {
        self.start().finish()
    }

    /// Begins to run.
    pub fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let (out, err) = (Text::of(child.stdout.take()), Text::of(child.stderr.take()));
        let (ended, has_ended) = channel();
        let pid = child.id();
        let watch = thread::spawn(move || watch(pid, &has_ended));
        Running {
            child,
            out,
            err,
            ended,
            watch,
            folder: self.folder,
        }
    }
}

/// A run that has begun.
pub struct Running {
    child: Child,
    out: Text,
    err: Text,
    ended: Sender<()>,
    watch: JoinHandle<Option<u64>>,
    folder: TempDir,
}

impl Running {
    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends the signal `INT` or `TERM`.
    pub fn signal(&self, name: &str) {
        send_signal(name, self.child.id());
    }

    /// Whether it is over.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until `text` stands on stdout; tells whether it ever does.
    pub fn says(&self, text: &str) -> bool {
        self.out.wait_for(text)
    }

    /// Waits until `text` stands on stderr; tells whether it ever does.
    pub fn complains(&self, text: &str) -> bool {
        self.err.wait_for(text)
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Outcome {
        let status = self.child.wait().unwrap();
        let _ = self.ended.send(());
        Outcome {
            code: status.code(),
            stdout: self.out.whole(),
            stderr: self.err.whole(),
            peak_memory: self.watch.join().unwrap(),
            temporary: self.folder,
        }
    }
}

/// Looks at a process's memory until it `has_ended`, and kills it when it does not; returns the most
/// that it was seen to have at one time.
fn watch(process: u32, has_ended: &Receiver<()>) -> Option<u64> {
    let (begin, mut peak) = (Instant::now(), None);
    while has_ended.recv_timeout(LOOK).is_err() {
        peak = peak_memory(process).or(peak);
        if begin.elapsed() > PATIENCE {
            send_signal("KILL", process);
            break;
        }
    }
    peak
}

/// `VmHWM` of a process, in bytes; none where the system does not tell, or the process has ended.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The standard library sends no signal but KILL; every shell has `kill` built in.
fn send_signal(name: &str, pid: u32) {
    let kill = format!("kill -{name} {pid}");
    let _ = Command::new("/bin/sh").args(["-c", &kill]).status();
}

/// What has come out of a pipe so far. It is read beside the run, so that the program never waits
/// for its reader.
struct Text {
    so_far: Arc<(Mutex<Read>, Condvar)>,
    reader: JoinHandle<()>,
}

#[derive(Default)]
struct Read {
    bytes: Vec<u8>,
    all: bool,
}

impl Text {
    fn of(pipe: Option<impl io::Read + Send + 'static>) -> Self {
        let so_far = Arc::<(Mutex<Read>, Condvar)>::default();
        let shared = so_far.clone();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut next =
                |pipe: &mut dyn io::Read| pipe.read(&mut buffer).map(|n| buffer[..n].to_vec());
            let mut pipe = pipe;
            loop {
                let bytes = pipe
                    .as_mut()
                    .map_or_else(Vec::new, |pipe| next(pipe).unwrap());
                let mut read = shared.0.lock().unwrap();
                read.all = bytes.is_empty();
                read.bytes.extend(bytes);
                shared.1.notify_all();
                if read.all {
                    return;
                }
            }
        });
        Self { so_far, reader }
    }

    fn wait_for(&self, text: &str) -> bool {
        let stands = |read: &Read| String::from_utf8_lossy(&read.bytes).contains(text);
        let read = self.so_far.0.lock().unwrap();
        let not_yet = |read: &mut Read| !read.all && !stands(read);
        stands(&self.so_far.1.wait_while(read, not_yet).unwrap())
    }

    fn whole(self) -> String {
        self.reader.join().unwrap();
        let bytes = std::mem::take(&mut self.so_far.0.lock().unwrap().bytes);
        String::from_utf8(bytes).unwrap()
    }
}
