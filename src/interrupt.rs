//! Ctrl-C and its kin: one flag that ends sleeps and open requests.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

type Hook = Box<dyn Fn() + Send>;

/// Tells every part of a run that the user wants it to end.
///
/// Cloned handles share one state.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<State>);

#[derive(Default)]
struct State {
    signal: AtomicI32,
    hooks: Mutex<Vec<Hook>>,
    woken: Condvar,
    unfinished: Mutex<BTreeSet<PathBuf>>,
}

impl Interrupt {
    /// The signal that arrived, if any; its exit code is 128 + this.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match self.0.signal.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Does `hook` when the interrupt comes, or at once when it has come already.
    pub fn on_raise(&self, hook: impl Fn() + Send + 'static) {
        let mut hooks = self.lock();
        if self.signal().is_some() {
            hook();
        } else {
            hooks.push(Box::new(hook));
        }
    }

    /// Marks the run as interrupted by `signal`: wakes the sleepers, does what was hooked.
    pub fn raise(&self, signal: i32) {
        let hooks = self.lock();
        self.0.signal.store(signal, Ordering::SeqCst);
        self.0.woken.notify_all();
        for hook in hooks.iter() {
            hook();
        }
    }

    /// Waits for `time`, or until the interrupt comes.
    pub fn sleep(&self, time: Duration) {
        let guard = self.lock();
        let _ = self
            .0
            .woken
            .wait_timeout_while(guard, time, |_| self.signal().is_none());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Hook>> {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The temporary files that stand somewhere now. Whoever makes, renames or removes one holds
    /// this while doing so, so that the list is never wrong when an end at once works through it.
    pub fn unfinished(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        let files = &self.0.unfinished;
        files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the temporary files, since nobody waits for the thread that writes them, and keeps
    /// others from being made from now on.
    fn abandon(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        let unfinished = self.unfinished();
        for path in unfinished.iter() {
            let _ = std::fs::remove_file(path);
        }
        unfinished
    }

    /// Listens for SIGINT and SIGTERM on a thread of its own; the second one ends the process
    /// at once. A file that may not grow further is an error of the write from here on, as on a
    /// full disk: SIGXFSZ would end the process without a word.
    ///
    /// # Errors
    /// The system refuses the handler or the thread.
    pub fn listen(&self) -> std::io::Result<()> {
        use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
        use signal_hook::iterator::Signals;
        // A handler rather than SIG_IGN, which a credential_process would inherit.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        let interrupt = self.clone();
        let (hand_over, handed_over) = mpsc::channel::<Signals>();
        // The thread comes first: with a handler and no thread a signal would do nothing at all.
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let Ok(mut signals) = handed_over.recv() else {
                    return;
                };
                for signal in signals.forever() {
                    if interrupt.signal().is_some() {
                        let _to_the_end = interrupt.abandon();
                        std::process::exit(128 + signal);
                    }
                    interrupt.raise(signal);
                }
            })?;
        let _ = hand_over.send(Signals::new([SIGINT, SIGTERM])?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_wakes_sleepers_and_runs_hooks() {
        let interrupt = Interrupt::default();
        assert_eq!(interrupt.signal(), None);
        let (tx, rx) = std::sync::mpsc::channel();
        let hook_tx = tx.clone();
        interrupt.on_raise(move || hook_tx.send("hook").unwrap());
        let sleeper = {
            let interrupt = interrupt.clone();
            std::thread::spawn(move || interrupt.sleep(Duration::from_hours(1)))
        };
        interrupt.raise(2);
        sleeper.join().unwrap();
        assert_eq!(interrupt.signal(), Some(2));
        assert_eq!(rx.recv().unwrap(), "hook");
        interrupt.on_raise(move || tx.send("late").unwrap());
        assert_eq!(rx.recv().unwrap(), "late");
    }

    #[test]
    fn an_end_at_once_removes_the_files_that_are_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let half = folder.path().join("half");
        std::fs::write(&half, "ha").unwrap();
        let whole = folder.path().join("whole");
        std::fs::write(&whole, "whole").unwrap();
        let interrupt = Interrupt::default();
        interrupt.unfinished().insert(half.clone());
        interrupt
            .unfinished()
            .insert(folder.path().join("gone already"));
        let held = interrupt.abandon();
        assert!(!half.exists() && whole.exists());
        assert!(interrupt.0.unfinished.try_lock().is_err(), "no other comes");
        drop(held);
    }
}
