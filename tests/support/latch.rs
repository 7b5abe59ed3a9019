//! Lets a test decide when its server replies.

use std::sync::{Condvar, Mutex};

/// Blocks the handlers of a server until the test opens it.
#[derive(Default)]
pub struct Latch(Mutex<bool>, Condvar);

impl Latch {
    /// Ends all waits, also later ones.
    pub fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }

    /// Waits until the latch is open.
    pub fn wait(&self) {
        let is_closed = |open: &mut bool| !*open;
        drop(
            self.1
                .wait_while(self.0.lock().unwrap(), is_closed)
                .unwrap(),
        );
    }
}
