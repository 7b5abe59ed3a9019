//! The validity of the credentials of a client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// True once GetCallerIdentity has accepted the credentials of a client. Shared with the errors of its
/// calls: a call may fail before the identity is known, and its error is shown after that.
#[derive(Debug, Clone, Default)]
pub struct IdentityFlag(Arc<AtomicBool>);

impl IdentityFlag {
    /// Records a successful call of `operation`.
    pub fn note(&self, operation: &str) {
        if operation == "GetCallerIdentity" {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// Returns true if the credentials were accepted.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
