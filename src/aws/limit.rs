//! How many requests a region gets at once, and how fast: held back by what it answers.
//!
//! AWS Config tells no limit of its own; what is too much it says by throttling. So each region
//! begins with as many requests in flight as are allowed at the most; a throttled answer halves
//! that number and lets the region rest, and each answer that is none brings it up again, by one
//! for a round of answers: additive increase, multiplicative decrease, as in TCP.

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

/// The longest rest after a throttled answer: what a limit saves up meanwhile is not to be lost.
const MAX_REST: Duration = Duration::from_secs(1);

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
    /// When `allowed` was last halved.
    halved: Duration,
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
                halved: Duration::ZERO,
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
        if let Some(rate) = self.limits.rate {
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
    }

    /// The answer was throttling: half as many may be in flight, and none is sent for `rest`.
    ///
    /// Requests that were in flight together are halved for once.
    pub fn throttled(self, clock: &dyn Clock, rest: Duration) {
        let now = clock.elapsed();
        let mut state = self.limiter.lock();
        if self.sent >= state.halved {
            state.allowed = (state.allowed / 2.0).max(1.0);
            state.halved = now;
        }
        state.next = state.next.max(now + rest.min(MAX_REST));
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
            pass.throttled(&*clock, Duration::ZERO);
        }
        assert!((allowed(&limiter) - 4.0).abs() < 1e-9, "halved once");
        for expected in [2.0, 1.0, 1.0] {
            limiter
                .enter(&*clock, false)
                .throttled(&*clock, Duration::ZERO);
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
    fn a_throttled_region_rests_for_a_second_at_the_most() {
        for (wait, rest) in [(300, 300), (20_000, 1000)] {
            let (limiter, clock) = (limiter(4, None), clock());
            let pass = limiter.enter(&*clock, false);
            pass.throttled(&*clock, Duration::from_millis(wait));
            for aside in [true, false] {
                drop(limiter.enter(&*clock, aside));
            }
            assert_eq!(clock.sleeps(), [Duration::from_millis(rest)], "{wait}");
        }
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
