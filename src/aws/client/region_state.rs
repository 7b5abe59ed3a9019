//! The state of a service in a region: its rate limit, the retry quota, and since when no call has
//! succeeded.
//!
//! In a run of many accounts, it has the host that all accounts share (see `hosts`), and only one type is listed at a time
//! until one was answered other than with a denied access.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::hosts::{Host, is_of_host};
use crate::aws::error::{Cause, ErrorKind};
use crate::aws::limiter::Limiter;
use crate::aws::retry::Quota;
use crate::sync::lock;

/// The time without a success after which a region is abandoned.
pub(super) const REGION_LIMIT: Duration = Duration::from_mins(2);

/// The state of a service in a region. Its mutexes are not held while a thread sends or sleeps.
pub(super) struct RegionState {
    pub(super) limiter: Limiter,
    quota: Mutex<Quota>,
    health: Mutex<Health>,
    /// The host, in a run of many accounts.
    host: Option<Arc<Host>>,
}

#[derive(Default)]
struct Health {
    /// True if the host has accepted a connection.
    has_answered: bool,
    failure: Option<Failing>,
    /// True if a call has ended because the host cannot be reached.
    is_unreachable: bool,
    /// The state that only a run of many accounts uses.
    shared: SharedHealth,
}

#[derive(Default)]
struct SharedHealth {
    /// True if the account has abandoned the host.
    is_abandoned: bool,
    /// True if an attempt at the suspect host is in progress.
    is_probing: bool,
    /// True if a type was answered other than with a denied access.
    is_open: bool,
}

/// An attempt at a suspect host, until the drop.
pub(super) struct Probe(Arc<RegionState>);

impl Drop for Probe {
    fn drop(&mut self) {
        lock(&self.0.health).shared.is_probing = false;
        if let Some(host) = &self.0.host {
            host.end_probe();
        }
    }
}

/// The failures since the last success.
struct Failing {
    /// The start of the first failed request.
    since: Duration,
    /// The cause of the last failure.
    cause: Cause,
}

impl RegionState {
    /// Creates the state of a region that was not called yet; with `host` if all accounts of the run share it.
    pub(super) fn new(limiter: Limiter, host: Option<Arc<Host>>) -> Self {
        Self {
            limiter,
            quota: Mutex::default(),
            health: Mutex::default(),
            host,
        }
    }

    /// Returns the number of calls that may be in progress.
    pub(super) fn concurrency(&self) -> usize {
        let is_limited =
            self.is_suspect() || self.host.is_some() && !lock(&self.health).shared.is_open;
        if is_limited {
            1
        } else {
            self.limiter.concurrency()
        }
    }

    /// Returns true if only single attempts are sent to the host.
    pub(super) fn is_suspect(&self) -> bool {
        self.host.as_ref().is_some_and(|host| host.is_suspect())
    }

    /// Starts an attempt at the suspect host. Returns `None` if there are too many of this or of all accounts.
    pub(super) fn start_probe(self: &Arc<Self>) -> Option<Probe> {
        let mut health = lock(&self.health);
        let may_start = !health.shared.is_probing && self.host.as_ref()?.start_probe();
        health.shared.is_probing |= may_start;
        may_start.then(|| Probe(self.clone()))
    }

    /// Records that a call about a type has ended an attempt with `result`.
    pub(super) fn record_type<T>(&self, result: &Result<T, Cause>) {
        let is_open = match result {
            Ok(_) => true,
            Err(Cause::Service { kind, .. }) => *kind != ErrorKind::AccessDenied,
            Err(cause) => !cause.is_unreachable(),
        };
        lock(&self.health).shared.is_open |= is_open;
    }

    /// Records the failure that has ended a call: if it is one of the host, the account abandons the host. One failure
    /// is enough if the host is suspect.
    pub(super) fn abandon(&self, cause: &Cause) {
        let Some(host) = self.host.as_ref().filter(|_| is_of_host(cause)) else {
            return;
        };
        let is_suspect = host.is_suspect();
        let mut health = lock(&self.health);
        health.is_unreachable |= is_suspect;
        if !std::mem::replace(&mut health.shared.is_abandoned, true) {
            host.fail(cause);
        }
    }

    /// Records the result of a request that was sent at the time `sent`, at the time `now`. A response is a success if
    /// AWS sent it (so it has a request ID) and the region neither throttled nor failed.
    pub(super) fn record<T>(
        &self,
        result: &Result<T, Cause>,
        has_id: bool,
        sent: Duration,
        now: Duration,
    ) {
        match result {
            // Nothing was sent.
            Err(Cause::Credentials(_)) => return,
            Err(Cause::Service {
                kind: ErrorKind::Throttling,
                ..
            }) => self.limiter.throttled(sent, now),
            // Without a response, nothing is known about the region's limit.
            Err(Cause::Transport(_)) => {}
            _ => self.limiter.succeeded(sent, now),
        }
        let is_response = match result {
            Ok(_) => true,
            Err(Cause::Transport(_) | Cause::Signing(_)) => false,
            Err(cause) => !is_of_host(cause),
        };
        if let Some(host) = self.host.as_ref().filter(|_| is_response) {
            host.succeed();
        }
        let mut health = lock(&self.health);
        let cause = match result {
            Err(cause) if !has_id || is_failure(cause) => cause,
            _ => {
                health.has_answered = true;
                health.failure = None;
                health.is_unreachable = false;
                health.shared.is_abandoned = false;
                return;
            }
        };
        health.has_answered |= !cause.is_unreachable();
        let since = health.failure.as_ref().map_or(sent, |first| first.since);
        let cause = cause.clone();
        health.failure = Some(Failing { since, cause });
    }

    /// Marks the host as unreachable: the next calls to it end at once.
    pub(super) fn set_unreachable(&self) {
        lock(&self.health).is_unreachable = true;
    }

    /// Returns the reason why the host cannot be reached, if an earlier call has ended because of it.
    pub(super) fn unreachable(&self) -> Option<Cause> {
        let is_unreachable = lock(&self.health).is_unreachable;
        let own = self.cause().filter(|_| is_unreachable);
        own.or_else(|| self.host.as_ref()?.dead())
    }

    /// Returns true if the host has accepted a connection.
    pub(super) fn has_answered(&self) -> bool {
        lock(&self.health).has_answered
    }

    /// Returns the time at which the region is abandoned; `None` if the last request succeeded.
    pub(super) fn ends_at(&self) -> Option<Duration> {
        let health = lock(&self.health);
        health
            .failure
            .as_ref()
            .map(|first| first.since + REGION_LIMIT)
    }

    /// Returns the cause of the last failure since the last success.
    pub(super) fn cause(&self) -> Option<Cause> {
        lock(&self.health)
            .failure
            .as_ref()
            .map(|failure| failure.cause.clone())
    }

    /// Pays for a retry; returns false if the quota has too few tokens.
    pub(super) fn pay(&self, cost: u32) -> bool {
        lock(&self.quota).pay(cost)
    }

    /// Rewards a success; `last` is the cost of its last retry.
    pub(super) fn reward(&self, last: Option<u32>) {
        lock(&self.quota).reward(last);
    }
}

fn is_failure(cause: &Cause) -> bool {
    match cause {
        Cause::Service { kind, status, .. } => *kind == ErrorKind::Throttling || *status >= 500,
        Cause::Transport(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::limiter::Limits;
    use crate::http::{TransportError, TransportErrorKind};

    fn state() -> RegionState {
        let limits = Limits {
            concurrency: 1,
            rate: None,
        };
        RegionState::new(Limiter::new(limits), None)
    }

    fn service(kind: ErrorKind, status: u16) -> Result<(), Cause> {
        Err(Cause::Service {
            kind,
            code: String::new(),
            message: String::new(),
            status,
        })
    }

    fn transport(kind: TransportErrorKind) -> Result<(), Cause> {
        let message = String::new();
        Err(Cause::Transport(TransportError { kind, message }))
    }

    #[test]
    fn region_ends_two_minutes_after_first_failure() {
        let at = Duration::from_secs;
        for (failure, has_id) in [
            (service(ErrorKind::Throttling, 400), true),
            (service(ErrorKind::Transient, 503), true),
            (service(ErrorKind::Other, 500), true),
            (service(ErrorKind::AccessDenied, 403), false),
            (transport(TransportErrorKind::Timeout), false),
        ] {
            let state = state();
            assert_eq!(state.ends_at(), None);
            state.record(&failure, has_id, at(10), at(11));
            state.record(&failure, has_id, at(50), at(51));
            assert_eq!(state.ends_at(), Some(at(130)), "{failure:?}");
            for success in [Ok(()), service(ErrorKind::AccessDenied, 400)] {
                state.record(&failure, has_id, at(60), at(61));
                state.record(&success, true, at(70), at(71));
                assert_eq!(state.ends_at(), None, "{success:?}");
            }
        }
    }

    #[test]
    fn host_answers_unless_it_is_unreachable() {
        for (result, answered) in [
            (Ok(()), true),
            (service(ErrorKind::Throttling, 400), true),
            (transport(TransportErrorKind::Timeout), true),
            (transport(TransportErrorKind::Dns), false),
            (transport(TransportErrorKind::Connect), false),
        ] {
            let state = state();
            state.record(&result, false, Duration::ZERO, Duration::ZERO);
            assert_eq!(state.has_answered(), answered, "{result:?}");
        }
    }

    #[test]
    fn denied_types_are_asked_one_after_another() {
        let limits = Limits {
            concurrency: 4,
            rate: None,
        };
        let shared = RegionState::new(Limiter::new(limits), Some(Arc::default()));
        assert_eq!(shared.concurrency(), 1);
        for result in [
            service(ErrorKind::AccessDenied, 400),
            transport(TransportErrorKind::Connect),
        ] {
            shared.record_type(&result);
            assert_eq!(shared.concurrency(), 1, "{result:?}");
        }
        for result in [Ok(()), service(ErrorKind::Throttling, 400)] {
            let state = RegionState::new(Limiter::new(limits), Some(Arc::default()));
            state.record_type(&result);
            assert_eq!(state.concurrency(), 4, "{result:?}");
        }
        let single = RegionState::new(Limiter::new(limits), None);
        assert_eq!(single.concurrency(), 4, "a run of one account");
    }
}
