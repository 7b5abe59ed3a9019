//! Shows that a run waits, and for what: each second on the line that a terminal redraws, elsewhere with a line every
//! 30 seconds.
//!
//! The main thread calls it at every event; only the main thread draws. A replay does not wait, so it shows nothing.

use std::sync::Arc;
use std::time::Duration;

use crate::aws::client::Activity;
use crate::clock::Clock;
use crate::console::{Bar, Console, WaitStatus, awaited_call, awaited_regions};
use crate::text::elapsed;

/// The time between two lines.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// The state of what is shown while a run waits.
pub(super) struct Heartbeat {
    activity: Arc<Activity>,
    clock: Arc<dyn Clock>,
    started: Duration,
    /// The second of the last drawing.
    drawn: u64,
    /// The time of the next line.
    line_due: Duration,
}

impl Heartbeat {
    /// Creates the state at the start of the checks or of the scan; the calls are in `activity`.
    pub(super) fn new(activity: &Arc<Activity>, clock: &Arc<dyn Clock>) -> Self {
        let now = clock.elapsed();
        Self {
            activity: activity.clone(),
            clock: clock.clone(),
            started: now,
            drawn: now.as_secs(),
            line_due: now + LINE_INTERVAL,
        }
    }

    /// Shows the call that the check `name` waits for, if a second has passed.
    pub(super) fn check(&mut self, name: &str, console: &mut Console) {
        let Some(now) = self.now(false) else {
            return;
        };
        let awaited = awaited_call(&self.activity.calls(), now);
        // A prompt may be on the terminal.
        if awaited.is_none() && console.bar == Bar::Live {
            return;
        }
        let is_shown = awaited.clone().is_some_and(|awaited| {
            console.status(WaitStatus {
                elapsed: now,
                awaited: vec![awaited],
            })
        });
        if self.is_line_due(now) && !is_shown {
            let seconds = now.saturating_sub(self.started).as_secs();
            let awaited = awaited.unwrap_or_else(|| format!("{name}: no result yet ({seconds} s)"));
            console.waiting(&awaited);
        }
    }

    /// Shows what the scan waits for, with `done` of `total` regions finished, if a second has passed or `is_changed`.
    pub(super) fn scan(
        &mut self,
        (done, total): (usize, usize),
        is_changed: bool,
        console: &mut Console,
    ) {
        let figures = format!("{done}/{total} regions");
        self.show(&figures, done == total, is_changed, console);
    }

    /// Shows what the scan of many accounts waits for, with the finished and known accounts and regions, if a second has
    /// passed.
    pub(super) fn accounts(
        &mut self,
        (done, total): (usize, usize),
        (done_regions, regions): (usize, usize),
        console: &mut Console,
    ) {
        let figures = format!("{done}/{total} accounts, {done_regions}/{regions} regions");
        self.show(&figures, done == total, false, console);
    }

    fn show(&mut self, figures: &str, is_done: bool, is_changed: bool, console: &mut Console) {
        let Some(now) = self.now(is_changed) else {
            return;
        };
        let mut awaited = awaited_regions(&self.activity.calls(), now);
        if is_done {
            awaited.clear();
        }
        let reasons = awaited.join("; ");
        let is_shown = console.status(WaitStatus {
            elapsed: now,
            awaited,
        });
        if self.is_line_due(now) && !is_shown && !is_done {
            let time = elapsed(now);
            let mut text = format!("{figures} after {time}");
            if !reasons.is_empty() {
                text = format!("{text}; {reasons}");
            }
            console.waiting(&text);
        }
    }

    /// Returns the time, if it is to be shown.
    fn now(&mut self, is_changed: bool) -> Option<Duration> {
        self.clock.tick()?;
        let now = self.clock.elapsed();
        let second = std::mem::replace(&mut self.drawn, now.as_secs());
        (is_changed || second != self.drawn).then_some(now)
    }

    fn is_line_due(&mut self, now: Duration) -> bool {
        let is_due = now >= self.line_due;
        if is_due {
            self.line_due += LINE_INTERVAL;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::Mutex;

    use super::*;
    use crate::console::LiveLine;
    use crate::sync::lock;

    /// A clock that the test sets, in milliseconds.
    #[derive(Default)]
    struct ManualClock(Mutex<u64>);

    impl Clock for ManualClock {
        fn now(&self) -> time::OffsetDateTime {
            time::OffsetDateTime::UNIX_EPOCH + self.elapsed()
        }
        fn elapsed(&self) -> Duration {
            Duration::from_millis(*lock(&self.0))
        }
        fn sleep(&self, _: Duration) {}
        fn tick(&self) -> Option<Duration> {
            Some(Duration::from_millis(200))
        }
    }

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            lock(&self.0).extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns what is written to stderr while `show` is called every 200 ms for `seconds`.
    fn shown(bar: Bar, seconds: u64, mut show: impl FnMut(&mut Heartbeat, &mut Console)) -> String {
        let screen = Screen::default();
        let mut console = Console {
            out: Box::new(io::sink()),
            err: Box::new(screen.clone()),
            color: false,
            bar,
            quiet: false,
            shared_terminal: false,
            out_columns: || None,
            columns: || None,
            live: LiveLine::default(),
        };
        let manual = Arc::new(ManualClock::default());
        let clock: Arc<dyn Clock> = manual.clone();
        let mut heartbeat = Heartbeat::new(&Arc::default(), &clock);
        for n in 0..=seconds * 5 {
            *lock(&manual.0) = n * 200;
            show(&mut heartbeat, &mut console);
        }
        String::from_utf8(lock(&screen.0).clone()).unwrap()
    }

    #[test]
    fn scan_without_terminal_has_line_every_thirty_seconds() {
        let lines = shown(Bar::FinalOnly, 95, |heartbeat, console| {
            heartbeat.scan((15, 17), false, console);
        });
        assert_eq!(
            lines,
            "Waiting: 15/17 regions after 30s\nWaiting: 15/17 regions after 1m00s\n\
             Waiting: 15/17 regions after 1m30s\n"
        );
        for (bar, done) in [(Bar::Off, 15), (Bar::FinalOnly, 17)] {
            let none = shown(bar, 95, |heartbeat, console| {
                heartbeat.scan((done, 17), false, console);
            });
            assert_eq!(none, "", "{bar:?}");
        }
    }

    #[test]
    fn line_has_accounts_and_regions() {
        let lines = shown(Bar::FinalOnly, 31, |heartbeat, console| {
            heartbeat.accounts((12, 38), (203, 646), console);
        });
        assert_eq!(
            lines,
            "Waiting: 12/38 accounts, 203/646 regions after 30s\n"
        );
    }

    #[test]
    fn check_without_call_has_its_name_in_line() {
        for (bar, expected) in [
            (
                Bar::FinalOnly,
                "Waiting: AWS credentials configured: no result yet (30 s)\n",
            ),
            (Bar::Live, ""),
            (Bar::Off, ""),
        ] {
            let text = shown(bar, 31, |heartbeat, console| {
                heartbeat.check("AWS credentials configured", console);
            });
            assert_eq!(text, expected, "{bar:?}");
        }
    }

    #[test]
    fn terminal_is_drawn_once_a_second() {
        let text = shown(Bar::Live, 3, |heartbeat, console| {
            if console.live == LiveLine::default() {
                console.progress(0, 17);
            }
            heartbeat.scan((0, 17), false, console);
        });
        let drawn: Vec<_> = text
            .split('\r')
            .skip(1)
            .map(|t| t[t.len() - 5..].to_owned())
            .collect();
        assert_eq!(drawn.len(), 4, "{text:?}");
    }
}
