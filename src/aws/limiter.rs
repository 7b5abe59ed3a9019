//! Limits the calls to one region of a service.
//!
//! AWS Config does not publish its rate limits; a region that gets too many requests throttles them. The limiter adapts
//! the number of concurrent calls by additive increase and multiplicative decrease (AIMD), as TCP does for its
//! congestion window (RFC 5681):
//! - A region starts with the maximum concurrency.
//! - A throttled request halves the concurrency, to at least 1. Requests that were sent before the last throttle do not
//!   halve it again, because they were in flight with it.
//! - A round of successful responses (as many as the concurrency) adds 1, up to the maximum.
//!
//! A call that waits for its next attempt counts as in progress, so a region that throttles everything has one call
//! that waits. The limiter only keeps the number: the scheduler starts no more calls than it allows. `--max-rps` is a
//! second limit: it spaces the requests in time.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use crate::clock::Clock;
use crate::sync;

/// The limits for each region of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The maximum number of concurrent calls; at least 1.
    pub concurrency: usize,
    /// The maximum number of requests per second; `None` for no limit.
    pub rate: Option<f64>,
}

/// The limiter of one region.
pub struct Limiter {
    limits: Limits,
    state: Mutex<LimiterState>,
}

struct LimiterState {
    /// The current concurrency, between 1 and [`Limits::concurrency`].
    allowed: f64,
    /// The time of the last throttle.
    throttled: Option<Duration>,
    /// The earliest time of the next request.
    next: Duration,
}

impl Limiter {
    /// Creates the limiter of a region that has not throttled yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::new(LimiterState {
                allowed: max_concurrency(limits),
                throttled: None,
                next: Duration::ZERO,
            }),
        }
    }

    /// Returns the number of calls that may be in progress, at least 1.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and the maximum concurrency"
        )]
        let allowed = self.lock().allowed as usize;
        allowed
    }

    /// Waits until `--max-rps` allows the next request. Returns the time at which it may be sent.
    pub fn wait_turn(&self, clock: &dyn Clock) -> Duration {
        let now = clock.elapsed();
        let Some(rate) = self.limits.rate else {
            return now;
        };
        let turn = {
            let mut state = self.lock();
            let turn = state.next.max(now);
            state.next = turn + Duration::from_secs_f64(1.0 / rate);
            turn
        };
        let wait = turn.saturating_sub(now);
        if wait > Duration::ZERO {
            clock.sleep(wait);
        }
        turn
    }

    /// Records a response that is not a throttle.
    pub fn succeeded(&self) {
        let mut state = self.lock();
        state.allowed = (state.allowed + 1.0 / state.allowed).min(max_concurrency(self.limits));
    }

    /// Records a throttle at the time `now` of a request that was sent at the time `sent`.
    pub fn throttled(&self, sent: Duration, now: Duration) {
        let mut state = self.lock();
        if state.throttled.is_some_and(|last| sent < last) {
            return;
        }
        state.allowed = (state.allowed / 2.0).max(1.0);
        state.throttled = Some(now);
    }

    fn lock(&self) -> MutexGuard<'_, LimiterState> {
        sync::lock(&self.state)
    }
}

fn max_concurrency(limits: Limits) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "at most 100")]
    let max = limits.concurrency.max(1) as f64;
    max
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::fake::clock;

    fn limiter(concurrency: usize, rate: Option<f64>) -> Limiter {
        Limiter::new(Limits { concurrency, rate })
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn throttle_halves_concurrency_to_one() {
        let limiter = limiter(10, None);
        assert_eq!(limiter.concurrency(), 10);
        for (second, expected) in [(1, 5), (2, 2), (3, 1), (4, 1), (5, 1)] {
            limiter.throttled(seconds(second), seconds(second));
            assert_eq!(limiter.concurrency(), expected);
        }
    }

    #[test]
    fn requests_in_flight_together_halve_once() {
        let limiter = limiter(8, None);
        // Three requests that were sent before the first throttle came back.
        for received in [3, 4, 5] {
            limiter.throttled(seconds(1), seconds(received));
        }
        assert_eq!(limiter.concurrency(), 4);
        limiter.throttled(seconds(3), seconds(6));
        assert_eq!(limiter.concurrency(), 2, "sent after the throttle");
    }

    #[test]
    fn round_of_successes_adds_one() {
        let limiter = limiter(4, None);
        limiter.throttled(seconds(1), seconds(1));
        limiter.throttled(seconds(2), seconds(2));
        assert_eq!(limiter.concurrency(), 1);
        limiter.succeeded();
        assert_eq!(limiter.concurrency(), 2);
        limiter.succeeded();
        assert_eq!(limiter.concurrency(), 2, "half a round");
        limiter.succeeded();
        limiter.succeeded();
        assert_eq!(limiter.concurrency(), 3);
        for _ in 0..100 {
            limiter.succeeded();
        }
        assert_eq!(limiter.concurrency(), 4, "the maximum");
    }

    #[test]
    fn rate_spaces_requests_evenly() {
        let (limiter, clock) = (limiter(100, Some(4.0)), clock());
        for _ in 0..5 {
            limiter.wait_turn(&*clock);
        }
        assert_eq!(clock.sleeps(), [Duration::from_millis(250); 4]);
    }

    #[test]
    fn unlimited_rate_never_waits() {
        let (limiter, clock) = (limiter(1, None), clock());
        for _ in 0..5 {
            assert_eq!(limiter.wait_turn(&*clock), clock.elapsed());
        }
        assert_eq!(clock.sleeps(), [Duration::ZERO; 0]);
    }
}
