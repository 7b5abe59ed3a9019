//! Ctrl-C and its kin: one flag that ends sleeps and open requests.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
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

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Hook>> {
        self.0.hooks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens for SIGINT and SIGTERM on a thread of its own; the second one ends the process
    /// at once.
    ///
    /// # Errors
    /// The system refuses the handler or the thread.
    pub fn listen(&self) -> std::io::Result<()> {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
        let interrupt = self.clone();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for signal in signals.forever() {
                    if interrupt.signal().is_some() {
                        std::process::exit(128 + signal);
                    }
                    interrupt.raise(signal);
                }
            })?;
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
}
