//! SIGINT (Ctrl-C) and SIGTERM: a flag that ends sleeps and open requests.
//!
//! - A thread named `signals` waits for SIGINT and SIGTERM until the process exits.
//! - The first signal sets the flag, wakes all sleeping threads, and runs the registered hooks (for
//!   example, the shutdown of an HTTP agent) on the signal thread. The main thread then finishes
//!   the run and exits with 128 + the signal number.
//! - The second signal removes the temporary files and exits immediately, without waiting for any
//!   thread.
//! - A thread that creates, renames or removes a temporary file holds the lock of
//!   [`Interrupt::temp_files`] meanwhile. The second signal takes the same lock and never releases
//!   it, so no file is left half-written and no new one is created during the exit.
//! - The flag is set while the hooks are locked, so a hook is never registered too late to run.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, mpsc};
use std::time::Duration;

use crate::sync::lock;

type Hook = Box<dyn Fn() + Send>;

/// A shared flag that ends a run. Clones share one state.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<InterruptState>);

#[derive(Default)]
struct InterruptState {
    signal: AtomicI32,
    hooks: Mutex<Vec<Hook>>,
    woken: Condvar,
    temp_files: Mutex<BTreeSet<PathBuf>>,
}

impl Interrupt {
    /// Returns the signal that was raised, if any. The exit code is 128 + this number.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        let signal = self.0.signal.load(Ordering::SeqCst);
        (signal != 0).then_some(signal)
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

    /// Returns the locked set of temporary files that exist now. The caller holds the lock while it
    /// creates, renames or removes one, so that the set is correct when [`Self::listen`] removes
    /// them.
    pub fn temp_files(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        lock(&self.0.temp_files)
    }

    /// Removes the temporary files before an immediate exit. The returned lock keeps other threads
    /// from creating new ones.
    fn remove_temp_files(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        let temp_files = self.temp_files();
        for path in temp_files.iter() {
            let _ = std::fs::remove_file(path);
        }
        temp_files
    }

    /// Handles SIGINT and SIGTERM on a new thread; the second signal exits the process immediately.
    /// SIGXFSZ, which would end the process silently, is handled too: a file that exceeds its size
    /// limit then causes a write error, like a full disk.
    ///
    /// # Errors
    /// A signal handler or the thread cannot be created.
    pub fn listen(&self) -> std::io::Result<()> {
        use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
        use signal_hook::iterator::Signals;
        // A handler instead of SIG_IGN, because a credential_process would inherit SIG_IGN.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let interrupt = self.clone();
        let (sender, receiver) = mpsc::channel::<Signals>();
        // The thread is created first: with handlers but no thread, signals would be ignored.
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let Ok(mut signals) = receiver.recv() else {
                    return;
                };
                for signal in signals.forever() {
                    if interrupt.signal().is_some() {
                        let _locked = interrupt.remove_temp_files();
                        std::process::exit(128 + signal);
                    }
                    interrupt.raise(signal);
                }
            })?;
        let _ = sender.send(Signals::new([SIGINT, SIGTERM])?);
        Ok(())
    }
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
