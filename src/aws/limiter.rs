//! Limits the calls to one region of a service.
//!
//! AWS Config does not publish its rate limits; a region that gets too many requests throttles them. The limiter adapts
//! the number of concurrent calls by additive increase and multiplicative decrease (AIMD), as TCP does for its
//! congestion window (RFC 5681):
//! - A region starts with the maximum concurrency.
//! - Each throttled request halves the concurrency, to at least 1, and pauses the region for `PAUSE`: no other call
//!   sends its first request before. Retries wait only for their backoff.
//! - Each successful response increases it a little (`INCREASE`), up to the maximum.
//!
//! A call that waits for its next attempt counts as in progress, so a region that throttles everything has one call
//! that waits. The limiter only keeps the number: the scheduler starts no more calls than it allows. `--max-rps` is a
//! second limit: it spaces the requests in time.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::Clock;
use crate::sync::lock;

/// The limits for each region of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The maximum number of concurrent calls; at least 1.
    pub concurrency: usize,
    /// The maximum number of requests per second; `None` for no limit.
    pub rate: Option<f64>,
}

/// The pause of a throttled region: the second that the specification waits after TooManyRequestsException.
const PAUSE: Duration = Duration::from_secs(1);

/// The increase of the concurrency after a round of successful responses (as many as the concurrency). With 1, a region at
/// its limit is throttled again at once and takes about 9 % longer (benchmark "8 requests a second").
const INCREASE: f64 = 0.25;

/// The limiter of one region.
pub struct Limiter {
    limits: Limits,
    state: Mutex<LimiterState>,
}

struct LimiterState {
    /// The current concurrency, between 1 and [`Limits::concurrency`].
    allowed: f64,
    /// The end of the pause.
    paused_until: Duration,
    /// The earliest time of the next request by `--max-rps`.
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
                paused_until: Duration::ZERO,
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
        let allowed = lock(&self.state).allowed as usize;
        allowed
    }

    /// Waits until the region is not paused, unless the request is a retry, and `--max-rps` allows it.
    pub fn wait_turn(&self, clock: &dyn Clock, is_retry: bool) {
        let now = clock.elapsed();
        let turn = {
            let mut state = lock(&self.state);
            let pause = if is_retry { now } else { state.paused_until };
            let turn = state.next.max(pause).max(now);
            if let Some(rate) = self.limits.rate {
                state.next = turn + Duration::from_secs_f64(1.0 / rate);
            }
            turn
        };
        let wait = turn.saturating_sub(now);
        if wait > Duration::ZERO {
            clock.sleep(wait);
        }
    }

    /// Records a response that is not a throttle.
    pub fn succeeded(&self) {
        let mut state = lock(&self.state);
        let increased = state.allowed + INCREASE / state.allowed;
        state.allowed = increased.min(max_concurrency(self.limits));
    }

    /// Records a throttle at the time `now`.
    pub fn throttled(&self, now: Duration) {
        let mut state = lock(&self.state);
        state.allowed = (state.allowed / 2.0).max(1.0);
        state.paused_until = now + PAUSE;
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

    #[test]
    fn throttle_halves_concurrency_to_one() {
        let limiter = limiter(10, None);
        assert_eq!(limiter.concurrency(), 10);
        for expected in [5, 2, 1, 1, 1] {
            limiter.throttled(Duration::ZERO);
            assert_eq!(limiter.concurrency(), expected);
        }
    }

    #[test]
    fn four_rounds_of_successes_add_one() {
        let limiter = limiter(3, None);
        for _ in 0..3 {
            limiter.throttled(Duration::ZERO);
        }
        let mut successes = 0;
        while limiter.concurrency() == 1 {
            limiter.succeeded();
            successes += 1;
        }
        assert!((4..=8).contains(&successes), "{successes}");
        for _ in 0..100 {
            limiter.succeeded();
        }
        assert_eq!(limiter.concurrency(), 3, "the maximum");
    }

    #[test]
    fn throttle_pauses_region_for_a_second() {
        let (limiter, clock) = (limiter(4, None), clock());
        limiter.wait_turn(&*clock, false);
        for _ in 0..3 {
            limiter.throttled(clock.elapsed());
        }
        limiter.wait_turn(&*clock, true);
        assert_eq!(
            clock.sleeps(),
            [Duration::ZERO; 0],
            "a retry has its backoff"
        );
        limiter.wait_turn(&*clock, false);
        limiter.wait_turn(&*clock, false);
        assert_eq!(clock.sleeps(), [PAUSE]);
    }

    #[test]
    fn rate_spaces_requests_evenly() {
        let (limiter, clock) = (limiter(100, Some(4.0)), clock());
        for _ in 0..5 {
            limiter.wait_turn(&*clock, false);
        }
        assert_eq!(clock.sleeps(), [Duration::from_millis(250); 4]);
    }

    #[test]
    fn unlimited_rate_never_waits() {
        let (limiter, clock) = (limiter(1, None), clock());
        for _ in 0..5 {
            limiter.wait_turn(&*clock, false);
        }
        assert_eq!(clock.sleeps(), [Duration::ZERO; 0]);
    }
}
