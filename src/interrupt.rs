//! Signals that end a run: SIGINT (Ctrl-C), SIGTERM, SIGHUP and SIGQUIT.
//!
//! - A thread named `signals` waits for them until the process exits. SIGHUP is not handled if the process started with
//!   it ignored, as under `nohup`.
//! - The first signal sets the flag, wakes all sleeping threads, and runs the registered hooks (for example, the
//!   shutdown of an HTTP agent) on the signal thread. The main thread then finishes the run and exits with 128 + the
//!   signal number.
//! - If the process has not ended after one second, or at a second signal, the signal thread removes the temporary
//!   files, ends the running commands and exits, without waiting for any thread. Before the run has started it does so
//!   immediately.
//! - A thread that may block (a prompt, a read of a FIFO) does so in [`Interrupt::run`], which returns at the signal.
//! - A thread that creates, renames or removes a temporary file holds the lock of [`Interrupt::temp_files`] meanwhile.
//!   The exit takes the same lock and never releases it, so no file is left half-written and no new one is created.
//! - The flag is set while the hooks are locked, so a hook is never registered too late to run.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use crate::process_tree::ProcessTree;
use crate::sync::lock;

/// The time that the first signal leaves to the threads of the run to end it, and the maximum time to show the message.
const GRACE: Duration = Duration::from_secs(1);

/// The interval at which the signal thread looks for a second signal.
const POLL: Duration = Duration::from_millis(20);

/// The text before the command that continues a run.
pub const CONTINUE: &str = "To continue this run: ";

type Hook = Box<dyn Fn() + Send>;

/// The locked set of temporary files.
pub type TempFiles<'a> = MutexGuard<'a, BTreeSet<PathBuf>>;

/// A shared flag that ends a run. Clones share one state.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<InterruptState>);

#[derive(Default)]
struct InterruptState {
    signal: AtomicI32,
    /// True if the run has started, and ends itself after a signal.
    is_running: AtomicBool,
    /// True if the interrupt was shown to the user. It is locked while a thread shows it.
    is_shown: Mutex<bool>,
    /// The text about the progress of the run; `None` before the run.
    state: Mutex<Option<String>>,
    /// The command that continues the run, once there is something to continue.
    command: Mutex<Option<String>>,
    hooks: Mutex<Vec<Hook>>,
    woken: Condvar,
    temp_files: Mutex<BTreeSet<PathBuf>>,
    commands: Mutex<BTreeSet<ProcessTree>>,
}

impl Interrupt {
    /// Returns the signal that was raised, if any. The exit code is 128 + this number.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        let signal = self.0.signal.load(Ordering::SeqCst);
        (signal != 0).then_some(signal)
    }

    /// Marks the run as started: from now on it ends itself after the first signal.
    pub fn start_run(&self) {
        self.0.is_running.store(true, Ordering::SeqCst);
    }

    /// Passes the message of `signal` to `show`, unless another thread has shown it. Waits for a thread that is showing it.
    pub fn show_once(&self, signal: i32, show: impl FnOnce(String)) {
        let mut is_shown = lock(&self.0.is_shown);
        if !*is_shown {
            show(self.message(signal));
            *is_shown = true;
        }
    }

    /// Sets the text about what the run has done so far, for [`Self::message`].
    pub fn set_state(&self, state: String) {
        *lock(&self.0.state) = Some(state);
    }

    /// Sets the command that continues the run, for [`Self::message`].
    pub fn set_command(&self, command: String) {
        *lock(&self.0.command) = Some(command);
    }

    /// Returns the message that `signal` has ended the run, what it has done, and the command that continues it.
    #[must_use]
    pub fn message(&self, signal: i32) -> String {
        let by = match signal {
            SIGTERM => " by SIGTERM",
            SIGHUP => " by SIGHUP",
            SIGQUIT => " by SIGQUIT",
            _ => "",
        };
        let state = lock(&self.0.state);
        let state = state.as_deref().unwrap_or("nothing was written");
        let command = lock(&self.0.command);
        let command = command.as_ref().map(|c| format!("\n{CONTINUE}{c}"));
        format!("Interrupted{by}: {state}.{}", command.unwrap_or_default())
    }

    /// Registers `hook` to run when the interrupt is raised; runs it immediately if it already was.
    pub fn on_signal(&self, hook: impl Fn() + Send + 'static) {
        let mut hooks = lock(&self.0.hooks);
        if self.signal().is_some() {
            hook();
        } else {
            hooks.push(Box::new(hook));
        }
    }

    /// Marks the run as interrupted by `signal`, wakes the sleeping threads and runs the hooks.
    pub fn raise(&self, signal: i32) {
        let hooks = lock(&self.0.hooks);
        self.0.signal.store(signal, Ordering::SeqCst);
        self.0.woken.notify_all();
        for hook in hooks.iter() {
            hook();
        }
    }

    /// Waits for `time`, or until the interrupt is raised.
    pub fn sleep(&self, time: Duration) {
        let InterruptState { hooks, woken, .. } = &*self.0;
        let _ = woken.wait_timeout_while(lock(hooks), time, |_| self.signal().is_none());
    }

    /// Runs `blocking` on a new thread and waits for its result. An interrupt ends the wait, but not the thread.
    ///
    /// # Errors
    /// `Interrupted`, if the interrupt was raised first; or the system refused the thread.
    pub fn run<T: Send + 'static>(
        &self,
        blocking: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let (sender, result) = mpsc::channel();
        std::thread::Builder::new()
            .name("blocking".to_owned())
            .spawn(move || {
                let _ = sender.send(blocking());
            })?;
        loop {
            match result.recv_timeout(POLL) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) if self.signal().is_none() => {}
                Err(_) => return Err(std::io::ErrorKind::Interrupted.into()),
            }
        }
    }

    /// Returns the locked set of temporary files that exist now. The caller holds the lock while it
    /// creates, renames or removes one, so that the set is correct when [`Self::listen`] removes
    /// them.
    pub fn temp_files(&self) -> TempFiles<'_> {
        lock(&self.0.temp_files)
    }

    /// Returns the locked set of running commands, which an immediate exit ends. The caller holds the lock while it
    /// starts one.
    pub fn commands(&self) -> MutexGuard<'_, BTreeSet<ProcessTree>> {
        lock(&self.0.commands)
    }

    /// Removes the temporary files before an immediate exit. The returned lock keeps other threads
    /// from creating new ones.
    fn remove_temp_files(&self) -> TempFiles<'_> {
        let temp_files = self.temp_files();
        for path in temp_files.iter() {
            let _ = std::fs::remove_file(path);
        }
        temp_files
    }

    /// Ends the running commands before an immediate exit. The returned lock keeps other threads from starting new ones.
    fn kill_commands(&self) -> MutexGuard<'_, BTreeSet<ProcessTree>> {
        let commands = self.commands();
        for command in commands.iter() {
            command.processes().kill();
        }
        commands
    }

    /// Handles the signals on a new thread. SIGXFSZ, which would end the process silently, is handled too: a file that
    /// exceeds its size limit then causes a write error, like a full disk. So is SIGCHLD, which may be ignored.
    ///
    /// # Errors
    /// A signal handler or the thread cannot be created.
    pub fn listen(&self) -> std::io::Result<()> {
        // A handler instead of SIG_IGN, because a credential_process would inherit SIG_IGN. If the parent process has set
        // SIGCHLD to SIG_IGN, the exit status of a credential_process is lost without a handler.
        for signal in [SIGXFSZ, SIGCHLD] {
            signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
        }
        let interrupt = self.clone();
        let (sender, receiver) = mpsc::channel::<Signals>();
        // The thread is created first: with handlers but no thread, signals would be ignored.
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let Ok(mut signals) = receiver.recv() else {
                    return;
                };
                if let Some(signal) = signals.forever().next() {
                    interrupt.end(signal, &mut signals);
                }
            })?;
        let mut handled = vec![SIGINT, SIGTERM, SIGQUIT];
        if !is_hangup_ignored() {
            handled.push(SIGHUP);
        }
        let _ = sender.send(Signals::new(handled)?);
        Ok(())
    }

    /// Ends the process after its first signal: when the grace period is over or at the next signal, unless the main
    /// thread does so earlier.
    fn end(&self, mut signal: i32, signals: &mut Signals) -> ! {
        self.raise(signal);
        if self.0.is_running.load(Ordering::SeqCst) {
            let end = Instant::now() + GRACE;
            while Instant::now() < end {
                std::thread::sleep(POLL);
                if let Some(next) = signals.pending().next() {
                    signal = next;
                    break;
                }
            }
        }
        let _locked = (self.remove_temp_files(), self.kill_commands());
        self.show(signal);
        std::process::exit(128 + signal);
    }

    /// Shows that the run was interrupted, unless the main thread did or does. A full stderr does not keep the process
    /// alive.
    fn show(&self, signal: i32) {
        let interrupt = self.clone();
        let (sender, shown) = mpsc::channel();
        let thread = std::thread::Builder::new().spawn(move || {
            interrupt.show_once(signal, |message| {
                let _ = std::io::stderr().write_all(format!("{message}\n").as_bytes());
            });
            let _ = sender.send(());
        });
        if thread.is_ok() {
            let _ = shown.recv_timeout(GRACE);
        }
    }
}

/// Returns true if the process started with SIGHUP ignored. Without `/proc`, a shell, which inherits the setting, tries
/// it.
fn is_hangup_ignored() -> bool {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        return mask.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 1);
    }
    let mut shell = std::process::Command::new("/bin/sh");
    let survived = shell.args(["-c", "kill -HUP $$"]).status();
    survived.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupt_wakes_sleepers_and_runs_hooks() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.signal(), None);
        let (tx, rx) = std::sync::mpsc::channel();
        let hook_tx = tx.clone();
        interrupt.on_signal(move || hook_tx.send("hook").unwrap());
        let sleeper = {
            let interrupt = interrupt.clone();
            std::thread::spawn(move || interrupt.sleep(Duration::from_hours(1)))
        };
        interrupt.raise(2);
        sleeper.join().unwrap();
        assert_eq!(interrupt.signal(), Some(2));
        assert_eq!(rx.recv().unwrap(), "hook");
        interrupt.on_signal(move || tx.send("late").unwrap());
        assert_eq!(rx.recv().unwrap(), "late");
    }

    #[test]
    fn message_has_signal_and_state() {
        let interrupt = Interrupt::default();
        assert_eq!(
            interrupt.message(SIGINT),
            "Interrupted: nothing was written."
        );
        interrupt.set_state("1 of 2 regions were counted".to_owned());
        for (signal, expected) in [
            (SIGINT, "Interrupted: 1 of 2 regions were counted."),
            (
                SIGTERM,
                "Interrupted by SIGTERM: 1 of 2 regions were counted.",
            ),
            (
                SIGHUP,
                "Interrupted by SIGHUP: 1 of 2 regions were counted.",
            ),
            (
                SIGQUIT,
                "Interrupted by SIGQUIT: 1 of 2 regions were counted.",
            ),
        ] {
            assert_eq!(interrupt.message(signal), expected);
        }
        interrupt.set_command("program --resume".to_owned());
        assert_eq!(
            interrupt.message(SIGINT),
            "Interrupted: 1 of 2 regions were counted.\nTo continue this run: program --resume"
        );
    }

    #[test]
    fn blocking_call_ends_at_interrupt() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.run(|| Ok(7)).unwrap(), 7);
        let error = interrupt.run::<()>(|| Err(std::io::ErrorKind::NotFound.into()));
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::NotFound);
        assert!(interrupt.run::<()>(|| panic!("a test")).is_err());
        let (_never, blocked) = mpsc::channel::<()>();
        interrupt.raise(15);
        let result = interrupt.run(move || Ok(blocked.recv()));
        assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::Interrupted);
    }

    #[test]
    fn message_is_shown_once_and_awaited() {
        let interrupt = Interrupt::default();
        let shown = Mutex::new(Vec::new());
        let (begun, has_begun) = mpsc::channel();
        let (end, may_end) = mpsc::channel();
        std::thread::scope(|scope| {
            let main = interrupt.clone();
            let shown = &shown;
            scope.spawn(move || {
                main.show_once(SIGINT, |message| {
                    begun.send(()).unwrap();
                    may_end.recv().unwrap();
                    lock(shown).push(message);
                });
            });
            has_begun.recv().unwrap();
            let other = scope.spawn(|| {
                interrupt.show_once(SIGINT, |_| panic!("shown twice"));
                lock(shown).len()
            });
            end.send(()).unwrap();
            assert_eq!(other.join().unwrap(), 1, "the message was awaited");
        });
    }

    #[test]
    fn second_signal_removes_temporary_files() {
        let dir = tempfile::tempdir().unwrap();
        let partial = dir.path().join("partial");
        std::fs::write(&partial, "pa").unwrap();
        let complete = dir.path().join("complete");
        std::fs::write(&complete, "complete").unwrap();
        let interrupt = Interrupt::default();
        interrupt.temp_files().insert(partial.clone());
        interrupt
            .temp_files()
            .insert(dir.path().join("already removed"));
        let locked = interrupt.remove_temp_files();
        assert!(!partial.exists() && complete.exists());
        assert!(interrupt.0.temp_files.try_lock().is_err(), "no new file");
        drop(locked);
    }
}
