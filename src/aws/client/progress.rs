//! The state of a call between its attempts.

use std::time::Duration;

use crate::aws::error::{CallError, Cause, ErrorKind};
use crate::aws::retry::{CALL_LIMIT, RETRY_COST, TIMEOUT_COST};
use crate::http::TransportErrorKind;

/// The state of a call between its attempts.
pub struct Progress {
    /// The time that is left for its requests and waits.
    pub(super) budget: Duration,
    /// The number of the next attempt, from 1.
    pub(super) attempts: u32,
    /// The number of unreadable responses that were retried.
    pub(super) unreadable: u32,
    /// The earliest time of the next attempt, on the clock of the run.
    pub(super) ready: Duration,
    /// The cost and the error of the last retried attempt.
    pub(super) last: Option<(u32, CallError)>,
    /// The start of the call; `None` before.
    pub(super) began: Option<Duration>,
}

impl Progress {
    /// Creates the state of a call that may take `limit` in all.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            budget: limit,
            attempts: 1,
            unreadable: 0,
            ready: Duration::ZERO,
            last: None,
            began: None,
        }
    }

    /// Returns the cost of a retry after `cause`; `None` if such a failure is not retried.
    pub(super) fn cost(&self, cause: &Cause) -> Option<u32> {
        match cause {
            Cause::Service {
                kind: ErrorKind::Throttling | ErrorKind::Transient,
                ..
            } => Some(RETRY_COST),
            Cause::Transport(error) => match error.kind {
                TransportErrorKind::Timeout => Some(TIMEOUT_COST),
                TransportErrorKind::Dns
                | TransportErrorKind::Connect
                | TransportErrorKind::Connection
                | TransportErrorKind::Exhausted => Some(RETRY_COST),
                _ => None,
            },
            Cause::Unreadable { max_retries, .. } => {
                (self.unreadable < *max_retries).then_some(RETRY_COST)
            }
            _ => None,
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new(CALL_LIMIT)
    }
}
