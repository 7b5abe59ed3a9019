//! Limits the calls to one region of a service.
//!
//! AWS Config does not publish its rate limits; a region that gets too many requests throttles them. The limiter adapts
//! to that in two ways:
//! - The number of concurrent calls follows additive increase and multiplicative decrease (AIMD), as TCP's congestion
//!   window does (RFC 5681): a throttled request halves it, a round of successful responses adds 1.
//! - From the first throttled request on, the rate of the requests follows CUBIC (RFC 9438), as in the SDKs' adaptive
//!   mode: a throttled request sets it to `BETA` times the successful responses of the last second. It then grows to
//!   the plateau, stays near it, and later grows faster and faster, until the next throttled request.
//!
//! The requests that were in flight together are throttled together, and that counts once. The limiter only keeps the
//! number of calls: the scheduler starts no more than it allows. A call that waits for its next attempt counts as in
//! progress, so a region that throttles everything has one call that waits. `--max-rps` is an upper limit of the rate.
//!
//! The algorithm was compared with others in a simulation of regions that allow 3 to 40 requests a second and bursts of
//! 5 to 40. Concurrency without a rate cannot slow down a region that is near: one call at a time, 30 ms away, makes 33
//! requests a second.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use crate::sync::lock;

/// The limits for each region of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The maximum number of concurrent calls; at least 1.
    pub concurrency: usize,
    /// The maximum number of requests per second; `None` for no limit.
    pub rate: Option<f64>,
}

/// The factor of the rate after a throttled request (RFC 9438, section 4.6; `BETA` of the SDKs).
const BETA: f64 = 0.7;

/// The factor of the plateau: below the rate that was throttled, because that rate used up a burst ("fast
/// convergence", RFC 9438, section 4.7).
const FAST_CONVERGENCE: f64 = f64::midpoint(1.0, BETA);

/// The growth of the rate, in requests per second⁴ (RFC 9438, section 5; `SCALE_CONSTANT` of the SDKs).
const SCALE: f64 = 0.4;

/// The minimum rate, in requests per second: the specification waits one second after TooManyRequestsException.
const MIN_RATE: f64 = 1.0;

/// The time in which successful responses are counted.
const SAMPLE: Duration = Duration::from_secs(1);

/// The limiter of one region.
pub struct Limiter {
    limits: Limits,
    /// True if the rate does not increase again after a throttle.
    stays_slow: bool,
    state: Mutex<LimiterState>,
}

struct LimiterState {
    /// The current concurrency, between 1 and [`Limits::concurrency`].
    allowed: f64,
    /// The rate of the requests; `None` until the first throttled request.
    cubic: Option<Cubic>,
    /// The earliest time of the next request.
    next: Duration,
    /// The times of the successful responses within the last [`SAMPLE`].
    successes: VecDeque<Duration>,
}

/// The rate since the last throttled request, as a cubic function of time.
#[derive(Clone, Copy)]
struct Cubic {
    /// The time of the throttled response.
    throttled: Duration,
    /// The rate at that time.
    limit: f64,
    /// The rate of the plateau.
    plateau: f64,
    /// The current rate, in requests per second.
    rate: f64,
}

impl Cubic {
    /// Decreases the rate from the `measured` one.
    fn decrease(&mut self, measured: f64) {
        let throttled = measured.min(self.limit);
        self.plateau = throttled * FAST_CONVERGENCE;
        self.rate = (throttled * BETA).max(MIN_RATE);
    }

    /// Sets the rate at the time `now`.
    fn grow(&mut self, now: Duration) {
        let time_to_plateau = (self.plateau * (1.0 - BETA / FAST_CONVERGENCE) / SCALE).cbrt();
        let time = now.saturating_sub(self.throttled).as_secs_f64() - time_to_plateau;
        self.rate = (SCALE * time.powi(3) + self.plateau).max(MIN_RATE);
    }
}

impl Limiter {
    /// Creates the limiter of a region that has not throttled yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            stays_slow: false,
            state: Mutex::new(LimiterState {
                allowed: max_concurrency(limits),
                cubic: None,
                next: Duration::ZERO,
                successes: VecDeque::new(),
            }),
        }
    }

    /// Creates the limiter of a service that gets one request a second after its first throttle.
    #[must_use]
    pub fn with_slow_rate(limits: Limits) -> Self {
        Self {
            stays_slow: true,
            ..Self::new(limits)
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

    /// Takes the turn of a request at the time `now`, if the rate allows it.
    ///
    /// # Errors
    /// The time until the next turn. Another request may take that turn first.
    pub fn take_turn(&self, now: Duration) -> Result<(), Duration> {
        let mut state = lock(&self.state);
        if let Some(wait) = state.next.checked_sub(now).filter(|w| !w.is_zero()) {
            return Err(wait);
        }
        let rates = self.limits.rate.into_iter();
        let rates = rates.chain(state.cubic.map(|cubic| cubic.rate));
        if let Some(rate) = rates.reduce(f64::min) {
            state.next = now + Duration::from_secs_f64(1.0 / rate);
        }
        Ok(())
    }

    /// Records a response at the time `now`, which is not a throttle, to a request that was sent at the time `sent`.
    pub fn succeeded(&self, sent: Duration, now: Duration) {
        let mut state = lock(&self.state);
        let increased = state.allowed + 1.0 / state.allowed;
        state.allowed = increased.min(max_concurrency(self.limits));
        state.successes.push_back(now);
        let measured = state.measure(now);
        match &mut state.cubic {
            Some(_) if self.stays_slow => {}
            // It was in flight with the throttled request: the region can take more than was known then.
            Some(cubic) if sent <= cubic.throttled => cubic.decrease(measured),
            Some(cubic) => cubic.grow(now),
            None => {}
        }
    }

    /// Records a throttle, at the time `now`, of a request that was sent at the time `sent`.
    pub fn throttled(&self, sent: Duration, now: Duration) {
        let mut state = lock(&self.state);
        if state.cubic.is_some_and(|cubic| sent <= cubic.throttled) {
            return;
        }
        let measured = state.measure(now);
        let mut cubic = Cubic {
            throttled: now,
            limit: state.cubic.map_or(f64::INFINITY, |cubic| cubic.rate),
            plateau: 0.0,
            rate: MIN_RATE,
        };
        if !self.stays_slow {
            cubic.decrease(measured);
        }
        state.next = now + Duration::from_secs_f64(1.0 / cubic.rate);
        state.cubic = Some(cubic);
        state.allowed = (state.allowed / 2.0).max(1.0);
    }
}

impl LimiterState {
    /// Returns the number of successful responses per second in the last [`SAMPLE`], and forgets older ones.
    fn measure(&mut self, now: Duration) -> f64 {
        let is_old = |&at: &Duration| now.saturating_sub(at) >= SAMPLE;
        while self.successes.front().is_some_and(is_old) {
            self.successes.pop_front();
        }
        #[allow(clippy::cast_precision_loss, reason = "at most thousands")]
        let successes = self.successes.len() as f64;
        successes / SAMPLE.as_secs_f64()
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

    fn limiter(concurrency: usize, rate: Option<f64>) -> Limiter {
        Limiter::new(Limits { concurrency, rate })
    }

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// Returns the times, in milliseconds, at which the next `n` requests are sent from the time `now` on.
    fn turns(limiter: &Limiter, n: usize, now: Duration) -> Vec<u128> {
        let mut now = now;
        let mut turn = || {
            while let Err(wait) = limiter.take_turn(now) {
                now += wait;
            }
            now.as_millis()
        };
        (0..n).map(|_| turn()).collect()
    }

    #[test]
    fn throttle_halves_concurrency_to_one() {
        let limiter = limiter(10, None);
        assert_eq!(limiter.concurrency(), 10);
        for (n, expected) in (0..).zip([5, 2, 1, 1, 1]) {
            limiter.throttled(ms(100 * n + 50), ms(100 * n + 80));
            assert_eq!(limiter.concurrency(), expected);
        }
    }

    #[test]
    fn slow_service_stays_at_one_request_per_second() {
        let limits = Limits {
            concurrency: 1,
            rate: None,
        };
        let limiter = Limiter::with_slow_rate(limits);
        for n in 0..50 {
            limiter.take_turn(ms(10 * n)).unwrap();
            limiter.succeeded(ms(10 * n), ms(10 * n + 9));
        }
        limiter.throttled(ms(500), ms(510));
        assert_eq!(turns(&limiter, 3, ms(510)), [1510, 2510, 3510]);
        limiter.succeeded(ms(3510), ms(60_000));
        assert_eq!(turns(&limiter, 3, ms(60_000)), [60_000, 61_000, 62_000]);
    }

    #[test]
    fn requests_in_flight_together_count_once() {
        let limiter = limiter(8, None);
        for n in 0..8 {
            limiter.throttled(ms(n), ms(30 + n));
        }
        assert_eq!(limiter.concurrency(), 4);
    }

    #[test]
    fn round_of_successes_adds_one() {
        let limiter = limiter(8, None);
        limiter.throttled(ms(1), ms(30));
        for n in 0..5 {
            limiter.succeeded(ms(35), ms(40 + n));
        }
        assert_eq!(limiter.concurrency(), 5);
        for n in 0..100 {
            limiter.succeeded(ms(45), ms(50 + n));
        }
        assert_eq!(limiter.concurrency(), 8, "the maximum");
    }

    #[test]
    fn throttle_paces_below_measured_rate() {
        let limiter = limiter(10, None);
        assert_eq!(turns(&limiter, 3, ms(0)), [0, 0, 0], "no throttle yet");
        for _ in 0..10 {
            limiter.succeeded(ms(0), ms(30));
        }
        limiter.throttled(ms(31), ms(60));
        // Ten successful responses in the last second: seven requests a second.
        assert_eq!(turns(&limiter, 3, ms(60)), [202, 345, 488]);
    }

    #[test]
    fn successes_in_flight_with_throttle_raise_rate() {
        let limiter = limiter(10, None);
        limiter.throttled(ms(0), ms(30));
        for _ in 0..10 {
            limiter.succeeded(ms(0), ms(31));
        }
        assert_eq!(turns(&limiter, 3, ms(31)), [1030, 1172, 1315]);
    }

    #[test]
    fn rate_grows_slowly_and_then_fast() {
        let mut cubic = Cubic {
            throttled: ms(0),
            limit: f64::INFINITY,
            plateau: 0.0,
            rate: 0.0,
        };
        cubic.decrease(10.0);
        let rates = [0, 500, 1500, 3000, 6000].map(|at| {
            cubic.grow(ms(at));
            cubic.rate
        });
        let expected = [7.0, 8.0, 8.5, 9.7, 43.7];
        for (rate, expected) in rates.into_iter().zip(expected) {
            assert!((rate - expected).abs() < 0.1, "{rates:?}");
        }
    }

    #[test]
    fn region_that_throttles_everything_has_minimum_rate() {
        let limiter = limiter(10, None);
        for n in 0..5 {
            limiter.throttled(ms(100 * n + 1), ms(100 * n + 2));
        }
        assert_eq!(turns(&limiter, 3, ms(500)), [1402, 2402, 3402]);
    }

    #[test]
    fn rate_spaces_requests_evenly() {
        assert_eq!(
            turns(&limiter(100, Some(4.0)), 4, ms(0)),
            [0, 250, 500, 750]
        );
    }

    #[test]
    fn unlimited_rate_never_waits() {
        assert_eq!(turns(&limiter(1, None), 5, ms(7)), [7; 5]);
    }
}
