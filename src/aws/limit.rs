//! How many requests a region gets at once, and how fast: held back by what it answers.
//!
//! AWS Config tells no limit of its own; what is too much it says by throttling. So each region
//! begins with as many requests in flight as are allowed at the most. A throttled answer halves that
//! number, lets the region rest, and has its requests keep a distance in time; the second one tells
//! how fast it can be asked: a little less than what was asked and answered since the first, in that
//! time. Each answer that is none brings both up again.
//!
//! The numbers were chosen by a simulation of regions with limits of 3 to 40 requests a second, 5 to
//! 40 of them saved up, 15 to 200 ms away: a run takes 1.17 times what the limit alone would allow, in
//! the mean, and loses nothing.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// What a region may be asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests in flight, at the most; 1 at least.
    pub concurrency: usize,
    /// Requests a second, at the most; none for no such limit.
    pub rate: Option<f64>,
}

/// The rest of a region after a throttled answer: what its limit saves up meanwhile is not to be lost.
const REST: Duration = Duration::from_millis(300);

/// What has been going on for less than this says nothing of a region's rate.
const MIN_SAMPLE: Duration = Duration::from_millis(200);

/// How many requests a second a region gets that has been throttled once: what it takes is not known
/// then, but all that was held back would be too much at one time.
const FIRST_RATE: f64 = 16.0;

/// How much faster a region is asked with each answer as long as its rate is not known.
const FIRST_GROWTH: f64 = 1.1;

/// The share of a region's rate that it is asked next: what keeps to the whole of it is throttled again
/// soon, and a request that is throttled for the second time waits for seconds.
const SHARE: f64 = 0.9;

/// By how many requests a second more a region is asked with each answer, once its rate is known: by
/// a fifth in a second, whatever the rate.
const GROWTH: f64 = 0.2;

/// Between these, in requests a second, a region's rate is looked for.
const MIN_RATE: f64 = 0.2;
const MAX_RATE: f64 = 10_000.0;

/// Holds back the requests of one region.
pub struct Limiter {
    limits: Limits,
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    /// How many may be in flight now, between 1 and [`Limits::concurrency`].
    allowed: f64,
    in_flight: usize,
    /// Nothing is sent before.
    next: Duration,
    /// When the region was last throttled.
    throttled: Option<Duration>,
    /// How many requests that were sent since have been answered.
    answers: u32,
    /// How many requests a second it is asked, at the most; none where it never said no.
    rate: Option<f64>,
    /// Whether that is what it seems to take, as it said no twice.
    known: bool,
}

/// One request that was let through.
pub struct Pass<'a> {
    limiter: &'a Limiter,
    sent: Duration,
    counted: bool,
}

impl Limiter {
    /// A region that has said nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "a few requests")]
        let allowed = limits.concurrency.max(1) as f64;
        Self {
            limits,
            state: Mutex::new(State {
                allowed,
                in_flight: 0,
                next: Duration::ZERO,
                throttled: None,
                answers: 0,
                rate: None,
                known: false,
            }),
            left: Condvar::new(),
        }
    }

    /// Waits until a request may be sent. One that goes `aside` waits for its turn in time alone, and
    /// takes no place in flight away.
    pub fn enter(&self, clock: &dyn Clock, aside: bool) -> Pass<'_> {
        let mut state = self.lock();
        loop {
            let now = clock.elapsed();
            let rest = state.next.saturating_sub(now);
            if rest > Duration::ZERO {
                drop(state);
                clock.sleep(rest);
                state = self.lock();
                // An interrupt ends every sleep early; the request is then not sent.
                if clock.elapsed() < now + rest {
                    break;
                }
            } else if !aside && !state.has_room() {
                state = self
                    .left
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            } else {
                break;
            }
        }
        let sent = clock.elapsed();
        state.in_flight += usize::from(!aside);
        let rates = self.limits.rate.into_iter().chain(state.rate);
        if let Some(rate) = rates.reduce(f64::min) {
            state.next = state.next.max(sent) + Duration::from_secs_f64(1.0 / rate);
        }
        Pass {
            limiter: self,
            sent,
            counted: !aside,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_room(&self) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "a few requests")]
        let after = (self.in_flight + 1) as f64;
        after <= self.allowed
    }
}

impl Pass<'_> {
    /// The answer was no throttling: one more may be in flight after a round of such answers.
    pub fn answered(self) {
        let most = self.limiter.limits.concurrency.max(1);
        let mut state = self.limiter.lock();
        #[allow(clippy::cast_precision_loss, reason = "a few requests")]
        let most = most as f64;
        state.allowed = (state.allowed + 1.0 / state.allowed).min(most);
        // What was in flight with a throttled request has its place in what was saved up.
        state.answers += u32::from(state.throttled.is_some_and(|before| self.sent >= before));
        let known = state.known;
        let faster = |rate| {
            if known {
                rate + GROWTH
            } else {
                rate * FIRST_GROWTH
            }
        };
        state.rate = state.rate.map(|rate| faster(rate).min(MAX_RATE));
    }

    /// The answer was throttling: half as many may be in flight, and none is sent for a moment.
    ///
    /// For requests that were in flight together that is done once.
    pub fn throttled(self, clock: &dyn Clock) {
        let now = clock.elapsed();
        let mut state = self.limiter.lock();
        if state.throttled.is_some_and(|before| self.sent < before) {
            return;
        }
        let sample = state.throttled.map(|before| now.saturating_sub(before));
        let rate = match sample {
            Some(sample) if sample >= MIN_SAMPLE && state.answers > 0 => {
                state.known = true;
                SHARE * f64::from(state.answers) / sample.as_secs_f64()
            }
            _ => state.rate.map_or(FIRST_RATE, |rate| rate * 0.7),
        };
        state.rate = Some(rate.clamp(MIN_RATE, MAX_RATE));
        state.allowed = (state.allowed / 2.0).max(1.0);
        state.throttled = Some(now);
        state.answers = 0;
        state.next = state.next.max(now + REST);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.limiter.lock().in_flight -= 1;
            self.limiter.left.notify_all();
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
    fn throttling_halves_once_for_what_was_in_flight_together_and_answers_bring_it_up() {
        let (limiter, clock) = (limiter(8, None), clock());
        let together: Vec<_> = (0..3).map(|_| limiter.enter(&*clock, false)).collect();
        clock.sleep(Duration::from_millis(30));
        for pass in together {
            pass.throttled(&*clock);
        }
        assert!((allowed(&limiter) - 4.0).abs() < 1e-9, "halved once");
        for expected in [2.0, 1.0, 1.0] {
            limiter.enter(&*clock, false).throttled(&*clock);
            clock.sleep(Duration::from_millis(30));
            assert!(
                (allowed(&limiter) - expected).abs() < 1e-9,
                "never below one"
            );
        }
        limiter.enter(&*clock, false).answered();
        assert!((allowed(&limiter) - 2.0).abs() < 1e-9);
        for _ in 0..100 {
            limiter.enter(&*clock, false).answered();
        }
        assert!(
            (allowed(&limiter) - 8.0).abs() < 1e-9,
            "never above the limit"
        );
        drop(limiter.enter(&*clock, false));
        assert!(
            (allowed(&limiter) - 8.0).abs() < 1e-9,
            "no answer says nothing"
        );
    }

    #[test]
    fn a_throttled_region_rests_for_a_moment() {
        let (limiter, clock) = (limiter(4, None), clock());
        limiter.enter(&*clock, false).throttled(&*clock);
        for aside in [true, false] {
            drop(limiter.enter(&*clock, aside));
        }
        let distance = Duration::from_secs_f64(1.0 / FIRST_RATE);
        assert_eq!(clock.sleeps(), [REST, distance]);
    }

    #[test]
    fn a_region_that_says_no_twice_has_said_how_fast_it_can_be_asked() {
        let (limiter, clock) = (limiter(4, None), clock());
        let rate = || limiter.lock().rate;
        limiter.enter(&*clock, false).answered();
        assert_eq!(rate(), None);
        limiter.enter(&*clock, false).throttled(&*clock);
        let first = rate();
        assert_eq!(first, Some(FIRST_RATE), "what came before may be saved up");
        let since = clock.elapsed();
        for _ in 0..8 {
            limiter.enter(&*clock, false).answered();
        }
        assert!(rate() > first, "nothing is known yet");
        clock.sleep((since + Duration::from_secs(1)).saturating_sub(clock.elapsed()));
        let pass = limiter.enter(&*clock, false);
        pass.throttled(&*clock);
        let share = 8.0 * SHARE;
        assert_eq!(rate(), Some(share), "of eight in a second");
        limiter.enter(&*clock, false).answered();
        assert_eq!(rate(), Some(share + GROWTH));
        limiter.enter(&*clock, false).throttled(&*clock);
        let known = rate().unwrap();
        assert!(known < 8.0, "{known}");
        for _ in 0..100 {
            limiter.enter(&*clock, false).throttled(&*clock);
        }
        assert!(rate().unwrap() >= MIN_RATE, "it is asked again some day");
    }

    #[test]
    fn what_was_in_flight_with_a_throttled_request_says_nothing_of_the_rate() {
        let (limiter, clock) = (limiter(8, None), clock());
        let together: Vec<_> = (0..8).map(|_| limiter.enter(&*clock, false)).collect();
        clock.sleep(Duration::from_millis(30));
        let since = clock.elapsed();
        for (n, pass) in together.into_iter().enumerate() {
            match n {
                0 => pass.throttled(&*clock),
                _ => pass.answered(),
            }
        }
        for _ in 0..4 {
            limiter.enter(&*clock, false).answered();
        }
        clock.sleep((since + Duration::from_secs(1)).saturating_sub(clock.elapsed()));
        limiter.enter(&*clock, false).throttled(&*clock);
        assert_eq!(
            limiter.lock().rate,
            Some(4.0 * SHARE),
            "of four in a second"
        );
    }

    #[test]
    fn requests_keep_their_distance_in_time() {
        let (limiter, clock) = (limiter(100, Some(4.0)), clock());
        let passes: Vec<_> = (0..5).map(|_| limiter.enter(&*clock, false)).collect();
        assert_eq!(passes.len(), 5);
        assert_eq!(clock.sleeps(), [Duration::from_millis(250); 4]);
    }

    #[test]
    fn no_more_are_in_flight_than_are_allowed_and_those_aside_take_no_place() {
        let (limiter, clock) = (Arc::new(limiter(2, None)), clock());
        let (in_flight, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let aside = limiter.enter(&*clock, true);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let pass = limiter.enter(&*clock, false);
                        let now = in_flight.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        in_flight.fetch_sub(1, Ordering::SeqCst);
                        pass.answered();
                    }
                });
            }
        });
        drop(aside);
        assert_eq!(most.load(Ordering::SeqCst), 2);
        assert_eq!(limiter.lock().in_flight, 0);
    }
}
