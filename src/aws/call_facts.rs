//! Facts about a call beside its response: where it was sent, and whether the credentials are valid.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::endpoint::CustomEndpoint;

/// Facts about a call.
#[derive(Debug, Clone, Default)]
pub struct CallFacts {
    /// The endpoint that the user set; `None` for AWS's own.
    pub endpoint: Option<CustomEndpoint>,
    /// True once the credentials have been accepted.
    pub identity: IdentityFlag,
}

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
