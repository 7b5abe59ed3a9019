//! Runs a command in a shell, within bounds of time and output.
//!
//! The command is in a process group of its own, so that all its processes can be ended. With a controlling terminal it
//! stays in the group of the program instead: a background group could not read from the terminal.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::interrupt::Interrupt;
use crate::process_tree::ProcessTree;
use crate::secret::Secret;

/// The maximum output of a command on stdout, and on stderr, in bytes.
const MAX_OUTPUT: usize = 1 << 20;

/// The interval at which a running command is checked for its end, an interrupt and the time limit.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The maximum time between the end of a command by a signal and the same signal in this program.
const SAME_SIGNAL: Duration = Duration::from_millis(200);

/// The time between SIGTERM and SIGKILL.
const TERMINATION_TIME: Duration = Duration::from_millis(200);

/// The exit status and output of a command.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// True if the exit code was 0.
    pub ok: bool,
    /// The standard output.
    pub stdout: Secret,
    /// The standard error output.
    pub stderr: String,
}

/// Runs `sh -c command` and waits for its end; `elapsed` is the time. Its stdin is the terminal, if the program's is.
///
/// # Errors
/// The command cannot be started, runs longer than `limit` (`TimedOut`), prints more than 1 MiB (`FileTooLarge`), or
/// the run is interrupted (`Interrupted`). Its processes are then ended.
pub(super) fn run(
    command: &str,
    limit: Duration,
    elapsed: &dyn Fn() -> Duration,
    interrupt: &Interrupt,
) -> io::Result<CommandOutput> {
    let start = elapsed();
    let leads_group = !has_controlling_terminal();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]);
    shell.stdin(if io::stdin().is_terminal() {
        Stdio::inherit()
    } else {
        Stdio::null()
    });
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    if leads_group {
        shell.process_group(0);
    }
    // An exit at the second signal ends the commands that are registered.
    let mut commands = interrupt.commands();
    // With its name: a container may have no shell.
    let child = shell.spawn();
    let mut child = child.map_err(|e| io::Error::new(e.kind(), format!("sh: {e}")))?;
    let id = child.id();
    let tree = ProcessTree { id, leads_group };
    commands.insert(tree);
    drop(commands);
    let is_over = || match interrupt.signal() {
        Some(_) => Some(ErrorKind::Interrupted.into()),
        None if elapsed().saturating_sub(start) < limit => None,
        None => {
            let limit = format!("no result within {} seconds", limit.as_secs());
            Some(io::Error::new(ErrorKind::TimedOut, limit))
        }
    };
    let mut ended = wait(&mut child, is_over);
    if ended.as_ref().is_ok_and(|output| !output.ok) {
        if !leads_group {
            // A key of the terminal that ended the command has interrupted the program too.
            interrupt.sleep(SAME_SIGNAL);
        }
        if interrupt.signal().is_some() {
            ended = Err(ErrorKind::Interrupted.into());
        }
    }
    if ended.is_err() {
        end(&mut child, tree);
    }
    interrupt.commands().remove(&tree);
    ended
}

/// Reads the output until both streams are closed and the command has ended, or `is_over` returns an error.
fn wait(child: &mut Child, is_over: impl Fn() -> Option<io::Error>) -> io::Result<CommandOutput> {
    let mut stdout = Output::new(child.stdout.take());
    let mut stderr = Output::new(child.stderr.take());
    loop {
        if let Some(error) = is_over() {
            return Err(error);
        }
        stdout.read_if_ready()?;
        stderr.read_if_ready()?;
        let is_complete = stdout.is_closed() && stderr.is_closed();
        if is_complete && let Some(status) = child.try_wait()? {
            return Ok(CommandOutput {
                ok: status.success(),
                stdout: stdout.text().into(),
                stderr: stderr.text(),
            });
        }
        wait_for_any(&stdout, &stderr);
    }
}

/// A stream of a command, and what was read from it.
struct Output<R> {
    /// Is `None` when it is closed.
    stream: Option<R>,
    bytes: Vec<u8>,
}

impl<R: Read + AsFd> Output<R> {
    fn new(stream: Option<R>) -> Self {
        let bytes = Vec::new();
        Self { stream, bytes }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn is_closed(&self) -> bool {
        self.stream.is_none()
    }

    fn poll_fd(&self) -> Option<PollFd<'_>> {
        let stream = self.stream.as_ref()?;
        Some(PollFd::new(stream, PollFlags::IN))
    }

    /// Reads what is there, at most one buffer, without waiting.
    fn read_if_ready(&mut self) -> io::Result<()> {
        let Some(fd) = self.poll_fd() else {
            return Ok(());
        };
        let now = Timespec::try_from(Duration::ZERO).ok();
        if poll(&mut [fd], now.as_ref()).unwrap_or(0) == 0 {
            return Ok(());
        }
        let mut buffer = vec![0; 64 << 10];
        let stream = self.stream.as_mut();
        let read = stream.map_or(Ok(0), |stream| stream.read(&mut buffer))?;
        if read == 0 {
            self.stream = None;
        }
        self.bytes.extend_from_slice(&buffer[..read]);
        if self.bytes.len() > MAX_OUTPUT {
            return Err(io::Error::new(
                ErrorKind::FileTooLarge,
                "printed more than 1 MiB",
            ));
        }
        Ok(())
    }
}

/// Waits for output, at most [`POLL_INTERVAL`].
fn wait_for_any<O: Read + AsFd, E: Read + AsFd>(stdout: &Output<O>, stderr: &Output<E>) {
    let interval = Timespec::try_from(POLL_INTERVAL).ok();
    let mut open: Vec<PollFd<'_>> = stdout
        .poll_fd()
        .into_iter()
        .chain(stderr.poll_fd())
        .collect();
    let _ = poll(&mut open, interval.as_ref());
}

/// Ends a command and its processes.
fn end(child: &mut Child, tree: ProcessTree) {
    let processes = tree.processes();
    processes.terminate();
    let end = Instant::now() + TERMINATION_TIME;
    while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(POLL_INTERVAL / 4);
    }
    processes.kill();
    let _ = child.wait();
}

/// Returns true if the process has a controlling terminal.
fn has_controlling_terminal() -> bool {
    OpenOptions::new().read(true).open("/dev/tty").is_ok()
}
