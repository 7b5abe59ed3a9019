//! The time of a replay.

use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::Duration;

use time::OffsetDateTime;

use crate::clock::Clock;
use crate::sync::lock;

/// A clock whose sleeps return immediately and advance its time. It does not advance otherwise.
///
/// A sleep advances the clock only for the sleeping thread, because threads that sleep concurrently
/// do not wait for each other. Used by replays and by tests, which check the recorded sleeps.
pub struct VirtualClock {
    start: OffsetDateTime,
    sleeps: Mutex<Vec<(ThreadId, Duration)>>,
}

impl VirtualClock {
    /// Creates a clock that is set to `start`.
    #[must_use]
    pub fn new(start: OffsetDateTime) -> Self {
        Self {
            start,
            sleeps: Mutex::default(),
        }
    }

    /// Returns the durations of all sleeps of all threads so far, in call order.
    #[must_use]
    pub fn sleeps(&self) -> Vec<Duration> {
        lock(&self.sleeps).iter().map(|(_, time)| *time).collect()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> OffsetDateTime {
        self.start + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        let this = thread::current().id();
        let sleeps = lock(&self.sleeps);
        let own = sleeps.iter().filter(|(thread, _)| *thread == this);
        own.map(|(_, time)| *time).sum()
    }

    fn sleep(&self, time: Duration) {
        lock(&self.sleeps).push((thread::current().id(), time));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_clock_advances_only_by_sleeps() {
        let clock = VirtualClock::new(OffsetDateTime::UNIX_EPOCH);
        clock.sleep(Duration::from_secs(90));
        clock.sleep(Duration::from_millis(5));
        assert_eq!(clock.elapsed(), Duration::from_millis(90_005));
        assert_eq!(clock.now().unix_timestamp(), 90);
        assert_eq!(clock.sleeps().len(), 2);
    }

    #[test]
    fn virtual_clock_advances_per_thread() {
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
