//! The pace of the requests to the portal of IAM Identity Center, whose rate limit AWS does not publish.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::sync::lock;

/// The maximum number of requests in flight.
const MAX_IN_FLIGHT: usize = 4;

/// The minimum time between the starts of two requests.
const INTERVAL: Duration = Duration::from_millis(100);

/// The pace of all threads.
#[derive(Default)]
pub struct PortalPace {
    state: Mutex<PaceState>,
    freed: Condvar,
}

#[derive(Default)]
struct PaceState {
    in_flight: usize,
    /// The time at which the next request may start, on the clock of the run.
    next: Duration,
}

impl PortalPace {
    /// Waits until a request may start; it is in flight until the permit is dropped.
    pub fn permit(&self, clock: &dyn Clock) -> PortalPermit<'_> {
        let mut state = lock(&self.state);
        while state.in_flight >= MAX_IN_FLIGHT {
            let waited = self.freed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.in_flight += 1;
        let now = clock.elapsed();
        let start = state.next.max(now);
        state.next = start + INTERVAL;
        drop(state);
        let permit = PortalPermit(self);
        if start > now {
            clock.sleep(start.saturating_sub(now));
        }
        permit
    }
}

/// A request in flight.
pub struct PortalPermit<'a>(&'a PortalPace);

impl Drop for PortalPermit<'_> {
    fn drop(&mut self) {
        lock(&self.0.state).in_flight -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::recording::VirtualClock;

    #[test]
    fn requests_start_apart() {
        let clock = VirtualClock::new(OffsetDateTime::UNIX_EPOCH);
        let pace = PortalPace::default();
        for n in 0..5 {
            drop(pace.permit(&clock));
            assert_eq!(clock.elapsed(), INTERVAL * n);
        }
    }
}
