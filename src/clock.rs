//! Time and sleep, handed in so that no test waits.

use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::interrupt::Interrupt;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time of day, in UTC.
    fn now(&self) -> OffsetDateTime;
    /// Time since the run began; never goes back.
    fn elapsed(&self) -> Duration;
    /// Waits; an interrupt cuts it short.
    fn sleep(&self, time: Duration);
}

/// The machine's clock.
pub struct SystemClock {
    start: Instant,
    interrupt: Interrupt,
}

impl SystemClock {
    /// A clock whose sleeps end when `interrupt` comes.
    #[must_use]
    pub fn new(interrupt: Interrupt) -> Self {
        Self {
            start: Instant::now(),
            interrupt,
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        self.interrupt.sleep(time);
    }
}

/// A clock that nobody waits for: it stands still, and a sleep moves it on at once.
///
/// It moves on for the sleeping thread alone, since threads that wait side by side do not wait for
/// one another. A replay runs on it, and so do the tests, which ask it for the sleeps.
pub struct VirtualClock {
    start: OffsetDateTime,
    sleeps: Mutex<Vec<(ThreadId, Duration)>>,
}

impl VirtualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: OffsetDateTime) -> Self {
        Self {
            start,
            sleeps: Mutex::default(),
        }
    }

    /// Every sleep so far, of all threads, in the order in which they were asked for.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        self.lock().iter().map(|(_, time)| *time).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(ThreadId, Duration)>> {
        self.sleeps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> OffsetDateTime {
        self.start + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        let this = thread::current().id();
        let own = |(thread, time): &(ThreadId, Duration)| (*thread == this).then_some(*time);
        self.lock().iter().filter_map(own).sum()
    }

    fn sleep(&self, time: Duration) {
        self.lock().push((thread::current().id(), time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_virtual_clock_moves_by_its_sleeps_alone() {
        let clock = VirtualClock::new(OffsetDateTime::UNIX_EPOCH);
        clock.sleep(Duration::from_secs(90));
        clock.sleep(Duration::from_millis(5));
        assert_eq!(clock.elapsed(), Duration::from_millis(90_005));
        assert_eq!(clock.now().unix_timestamp(), 90);
        assert_eq!(clock.sleeps().len(), 2);
    }

    #[test]
    fn a_virtual_clock_is_each_threads_own() {
        let clock = VirtualClock::new(OffsetDateTime::UNIX_EPOCH);
        clock.sleep(Duration::from_secs(1));
        thread::scope(|scope| {
            scope.spawn(|| {
                clock.sleep(Duration::from_secs(2));
                assert_eq!(clock.elapsed(), Duration::from_secs(2));
            });
        });
        assert_eq!(clock.elapsed(), Duration::from_secs(1));
        assert_eq!(clock.sleeps().len(), 2);
    }
}
