//! Time and sleep behind a trait, so that tests do not wait.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::interrupt::Interrupt;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Returns the current time, in UTC.
    fn now(&self) -> OffsetDateTime;
    /// Returns the time since the start of the run; never decreases.
    fn elapsed(&self) -> Duration;
    /// Waits for `time`; an interrupt ends the wait early.
    fn sleep(&self, time: Duration);
    /// Returns the interval at which a thread that waits for others looks at the time; `None` if time does not pass
    /// while it waits, as in a replay.
    fn tick(&self) -> Option<Duration> {
        None
    }
}

/// The interval at which a thread that waits looks at the time: a text that changes each second is late by at most this.
const TICK: Duration = Duration::from_millis(200);

/// The system clock.
pub struct SystemClock {
    start: Instant,
    interrupt: Interrupt,
}

impl SystemClock {
    /// Creates a clock whose sleeps end when `interrupt` is raised.
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

    fn tick(&self) -> Option<Duration> {
        Some(TICK)
    }
}
