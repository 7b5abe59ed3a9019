//! Limits the concurrency and the request rate of a region, depending on its responses.
//!
//! AWS Config does not publish its rate limits; it only throttles. So each region starts with the
//! maximum concurrency and no rate limit.
//! - A thread waits in [`Limiter::acquire`] for a [`Permit`]: first until the next request may be
//!   sent, then until fewer requests are in flight than allowed. A background request skips the
//!   second wait and does not count as in flight.
//! - A throttled response halves the allowed concurrency, pauses the region for `COOLDOWN` and
//!   spaces its requests. The second one measures the rate: a little less than the requests that
//!   succeeded since the first, per second. Throttled requests that were in flight
//!   together count once.
//! - Every other response raises the concurrency and the rate again.
//! - Each permit that is dropped wakes the waiting threads; an interrupt ends every wait for time.
//!
//! The constants come from a simulation of regions with limits of 3 to 40 requests per second,
//! bursts of 5 to 40 and latencies of 15 to 200 ms: on average a run takes 1.17 times as long as
//! the limit requires, and no count is missing.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// The limits of a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Maximum requests in flight, at least 1.
    pub concurrency: usize,
    /// Maximum requests per second; `None` for no limit.
    pub rate: Option<f64>,
}

/// The pause of a region after a throttled response: short, so that the burst it accumulates is
/// used.
const COOLDOWN: Duration = Duration::from_millis(300);

/// The minimum time between two throttled responses for measuring a region's rate.
const MIN_SAMPLE: Duration = Duration::from_millis(200);

/// The rate after the first throttled response, in requests per second. The region's limit is not
/// known yet, but all waiting requests at once would be too many.
const FIRST_RATE: f64 = 16.0;

/// The factor by which each response raises the rate until it is measured.
const FIRST_GROWTH: f64 = 1.1;

/// The part of the measured rate that is used. At the full rate, requests are soon throttled again,
/// and a request that is throttled twice waits for seconds.
const HEADROOM: f64 = 0.9;

/// The requests per second by which each response raises a measured rate: by a fifth per second,
/// whatever the rate.
const GROWTH: f64 = 0.2;

/// The minimum rate, in requests per second.
const MIN_RATE: f64 = 0.2;

/// The maximum rate, in requests per second.
const MAX_RATE: f64 = 10_000.0;

/// Limits the requests of one region of a service.
pub struct Limiter {
    limits: Limits,
    state: Mutex<LimiterState>,
    released: Condvar,
}

struct LimiterState {
    /// The allowed concurrency, between 1 and [`Limits::concurrency`].
    allowed: f64,
    in_flight: usize,
    /// The time before which nothing is sent.
    next: Duration,
    /// The time of the last throttled response.
    throttled: Option<Duration>,
    /// The requests sent since then that were not throttled.
    successes: u32,
    /// Maximum requests per second; `None` if the region never throttled.
    rate: Option<f64>,
    /// True if the rate was measured between two throttled responses.
    rate_is_measured: bool,
}

/// The permission to send one request.
pub struct Permit<'a> {
    limiter: &'a Limiter,
    sent: Duration,
    counted: bool,
}

impl Limiter {
    /// Creates the limiter of a region without responses.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a few requests")]
        let allowed = limits.concurrency.max(1) as f64;
        Self {
            limits,
            state: Mutex::new(LimiterState {
                allowed,
                in_flight: 0,
                next: Duration::ZERO,
                throttled: None,
                successes: 0,
                rate: None,
                rate_is_measured: false,
            }),
            released: Condvar::new(),
        }
    }

    /// Waits until a request may be sent. A `background` request waits only for its turn in time
    /// and does not count as in flight.
    pub fn acquire(&self, clock: &dyn Clock, background: bool) -> Permit<'_> {
        let mut state = self.lock();
        loop {
            let now = clock.elapsed();
            let wait = state.next.saturating_sub(now);
            if wait > Duration::ZERO {
                drop(state);
                clock.sleep(wait);
                state = self.lock();
                // An interrupt ends every sleep early; the request is then not sent.
                if clock.elapsed() < now + wait {
                    break;
                }
            } else if !background && !state.has_room() {
                state = self
                    .released
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else {
                break;
            }
        }
        let sent = clock.elapsed();
        state.in_flight += usize::from(!background);
        let rates = self.limits.rate.into_iter().chain(state.rate);
        if let Some(rate) = rates.reduce(f64::min) {
            state.next = state.next.max(sent) + Duration::from_secs_f64(1.0 / rate);
        }
        Permit {
            limiter: self,
            sent,
            counted: !background,
        }
    }

    fn lock(&self) -> MutexGuard<'_, LimiterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LimiterState {
    fn has_room(&self) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "a few requests")]
        let after = (self.in_flight + 1) as f64;
        after <= self.allowed
    }
}

impl Permit<'_> {
    /// Records a response that was not throttled: a full round of them raises the concurrency by
    /// one.
    pub fn answered(self) {
        let max = self.limiter.limits.concurrency.max(1);
        let mut state = self.limiter.lock();
        #[allow(clippy::cast_precision_loss, reason = "a few requests")]
        let max = max as f64;
        state.allowed = (state.allowed + 1.0 / state.allowed).min(max);
        // Requests in flight with the throttled one used the saved-up burst; they do not measure
        // the rate.
        state.successes += u32::from(state.throttled.is_some_and(|before| self.sent >= before));
        let is_measured = state.rate_is_measured;
        let raised = |rate| {
            if is_measured {
                rate + GROWTH
            } else {
                rate * FIRST_GROWTH
            }
        };
        state.rate = state.rate.map(|rate| raised(rate).min(MAX_RATE));
    }

    /// Records a throttled response: halves the concurrency and pauses the region.
    ///
    /// Requests that were in flight together count once.
    pub fn throttled(self, clock: &dyn Clock) {
        let now = clock.elapsed();
        let mut state = self.limiter.lock();
        if state.throttled.is_some_and(|before| self.sent < before) {
            return;
        }
        let sample = state.throttled.map(|before| now.saturating_sub(before));
        let rate = match sample {
            Some(sample) if sample >= MIN_SAMPLE && state.successes > 0 => {
                state.rate_is_measured = true;
                HEADROOM * f64::from(state.successes) / sample.as_secs_f64()
            }
            _ => state.rate.map_or(FIRST_RATE, |rate| rate * 0.7),
        };
        state.rate = Some(rate.clamp(MIN_RATE, MAX_RATE));
        state.allowed = (state.allowed / 2.0).max(1.0);
        state.throttled = Some(now);
        state.successes = 0;
        state.next = state.next.max(now + COOLDOWN);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.limiter.lock().in_flight -= 1;
            self.limiter.released.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::aws::client::fake::clock;

    fn limiter(concurrency: usize, rate: Option<f64>) -> Limiter {
        Limiter::new(Limits { concurrency, rate })
    }

    fn allowed(limiter: &Limiter) -> f64 {
        limiter.lock().allowed
    }

    #[test]
    fn throttling_halves_once_and_successes_raise() {
        let (limiter, clock) = (limiter(8, None), clock());
        let together: Vec<_> = (0..3).map(|_| limiter.acquire(&*clock, false)).collect();
        clock.sleep(Duration::from_millis(30));
        for permit in together {
            permit.throttled(&*clock);
        }
        assert!((allowed(&limiter) - 4.0).abs() < 1e-9, "halved once");
        for expected in [2.0, 1.0, 1.0] {
            limiter.acquire(&*clock, false).throttled(&*clock);
            clock.sleep(Duration::from_millis(30));
            assert!(
                (allowed(&limiter) - expected).abs() < 1e-9,
                "never below one"
            );
        }
        limiter.acquire(&*clock, false).answered();
        assert!((allowed(&limiter) - 2.0).abs() < 1e-9);
        for _ in 0..100 {
            limiter.acquire(&*clock, false).answered();
        }
        assert!(
            (allowed(&limiter) - 8.0).abs() < 1e-9,
            "never above the limit"
        );
        drop(limiter.acquire(&*clock, false));
        assert!(
            (allowed(&limiter) - 8.0).abs() < 1e-9,
            "no change without a response"
        );
    }

    #[test]
    fn throttled_region_pauses_briefly() {
        let (limiter, clock) = (limiter(4, None), clock());
        limiter.acquire(&*clock, false).throttled(&*clock);
        for background in [true, false] {
            drop(limiter.acquire(&*clock, background));
        }
        let interval = Duration::from_secs_f64(1.0 / FIRST_RATE);
        assert_eq!(clock.sleeps(), [COOLDOWN, interval]);
    }

    #[test]
    fn second_throttle_sets_measured_rate() {
        let (limiter, clock) = (limiter(4, None), clock());
        let rate = || limiter.lock().rate;
        limiter.acquire(&*clock, false).answered();
        assert_eq!(rate(), None);
        limiter.acquire(&*clock, false).throttled(&*clock);
        let first = rate();
        assert_eq!(first, Some(FIRST_RATE), "earlier responses may be a burst");
        let since = clock.elapsed();
        for _ in 0..8 {
            limiter.acquire(&*clock, false).answered();
        }
        assert!(rate() > first, "the rate is not measured yet");
        clock.sleep((since + Duration::from_secs(1)).saturating_sub(clock.elapsed()));
        let permit = limiter.acquire(&*clock, false);
        permit.throttled(&*clock);
        let measured = 8.0 * HEADROOM;
        assert_eq!(rate(), Some(measured), "of eight in a second");
        limiter.acquire(&*clock, false).answered();
        assert_eq!(rate(), Some(measured + GROWTH));
        limiter.acquire(&*clock, false).throttled(&*clock);
        let lowered = rate().unwrap();
        assert!(lowered < 8.0, "{lowered}");
        for _ in 0..100 {
            limiter.acquire(&*clock, false).throttled(&*clock);
        }
        assert!(rate().unwrap() >= MIN_RATE, "never below the minimum");
    }

    #[test]
    fn requests_in_flight_do_not_measure_rate() {
        let (limiter, clock) = (limiter(8, None), clock());
        let together: Vec<_> = (0..8).map(|_| limiter.acquire(&*clock, false)).collect();
        clock.sleep(Duration::from_millis(30));
        let since = clock.elapsed();
        for (n, permit) in together.into_iter().enumerate() {
            match n {
                0 => permit.throttled(&*clock),
                _ => permit.answered(),
            }
        }
        for _ in 0..4 {
            limiter.acquire(&*clock, false).answered();
        }
        clock.sleep((since + Duration::from_secs(1)).saturating_sub(clock.elapsed()));
        limiter.acquire(&*clock, false).throttled(&*clock);
        assert_eq!(
            limiter.lock().rate,
            Some(4.0 * HEADROOM),
            "of four in a second"
        );
    }

    #[test]
    fn rate_limit_spaces_requests() {
        let (limiter, clock) = (limiter(100, Some(4.0)), clock());
        let permits: Vec<_> = (0..5).map(|_| limiter.acquire(&*clock, false)).collect();
        assert_eq!(permits.len(), 5);
        assert_eq!(clock.sleeps(), [Duration::from_millis(250); 4]);
    }

    #[test]
    fn concurrency_is_limited_except_for_background_requests() {
        let (limiter, clock) = (Arc::new(limiter(2, None)), clock());
        let (in_flight, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let background = limiter.acquire(&*clock, true);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let permit = limiter.acquire(&*clock, false);
                        let now = in_flight.fetch_add(1, Ordering::SeqCst) + 1;
                        peak.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        in_flight.fetch_sub(1, Ordering::SeqCst);
                        permit.answered();
                    }
                });
            }
        });
        drop(background);
        assert_eq!(peak.load(Ordering::SeqCst), 2);
        assert_eq!(limiter.lock().in_flight, 0);
    }
}
