//! The pace of the requests to the portal of IAM Identity Center, whose rate limit AWS does not publish.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::sync::lock;

/// The maximum number of requests in flight.
const MAX_IN_FLIGHT: usize = 4;

/// The minimum time between the starts of two attempts.
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
    /// The time at which the next attempt may start, on the clock of the run.
    next: Duration,
}

impl PortalPace {
    /// Waits until a request may be in flight; it is until the permit is dropped, with all its attempts.
    pub fn permit(&self) -> PortalPermit<'_> {
        let mut state = lock(&self.state);
        while state.in_flight >= MAX_IN_FLIGHT {
            let waited = self.freed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.in_flight += 1;
        PortalPermit(self)
    }

    /// Waits until an attempt may start, at most until `ends`.
    pub fn wait_turn(&self, clock: &dyn Clock, ends: Option<Duration>) {
        let mut state = lock(&self.state);
        let now = clock.elapsed();
        let latest = ends.unwrap_or(Duration::MAX).max(now);
        let start = state.next.max(now).min(latest);
        state.next = start + INTERVAL;
        drop(state);
        if start > now {
            clock.sleep(start.saturating_sub(now));
        }
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
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::aws::client::fake::clock;

    #[test]
    fn attempts_start_apart() {
        let (clock, pace) = (clock(), PortalPace::default());
        for n in 0..5 {
            pace.wait_turn(&*clock, None);
            assert_eq!(clock.elapsed(), INTERVAL * n);
        }
        let ends = INTERVAL * 9 / 2;
        for _ in 0..5 {
            pace.wait_turn(&*clock, Some(ends));
            assert_eq!(clock.elapsed(), ends);
        }
    }

    #[test]
    fn at_most_four_requests_are_in_flight() {
        let (pace, four) = (PortalPace::default(), Barrier::new(MAX_IN_FLIGHT));
        let (in_flight, max) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 * MAX_IN_FLIGHT {
                scope.spawn(|| {
                    let _permit = pace.permit();
                    let now = in_flight.fetch_add(1, Ordering::SeqCst) + 1;
                    max.fetch_max(now, Ordering::SeqCst);
                    // Passes only if four are in flight.
                    four.wait();
                    in_flight.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(max.into_inner(), 4);
    }
}
