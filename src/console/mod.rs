//! All that a person sees: check marks, the bar, the summary. The report goes to stdout, errors
//! and the bar to stderr.

mod summary;

use std::fmt::Display;
use std::io::Write;

pub use summary::{comparison, summary};

const GREEN: &str = "\x1b[92m";
const RED: &str = "\x1b[91m";
const RESET: &str = "\x1b[0m";

/// How many characters wide the bar is.
const BAR_WIDTH: usize = 50;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// On a terminal, unless NO_COLOR says no or CLICOLOR_FORCE says yes.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Whether a stream is to be coloured; NO_COLOR and CLICOLOR_FORCE count when they are not
    /// empty, CLICOLOR_FORCE also when it is not `0`.
    ///
    /// <https://no-color.org>, <https://bixense.com/clicolors/>
    #[must_use]
    pub fn applies(self, terminal: bool, no_color: Option<&str>, force: Option<&str>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if no_color.is_some_and(|v| !v.is_empty()) => false,
            Self::Auto => terminal || force.is_some_and(|v| !v.is_empty() && v != "0"),
        }
    }
}

/// How the bar is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// In place, on a terminal.
    Live,
    /// Its last state alone.
    Last,
    /// Not at all.
    Off,
}

/// Where the report and the errors go. A stream that is closed or full loses its text, and the run
/// goes on.
pub struct Console {
    /// The report.
    pub out: Box<dyn Write + Send>,
    /// The errors and the bar.
    pub err: Box<dyn Write + Send>,
    /// Whether the report is coloured.
    pub color: bool,
    /// How the bar is drawn.
    pub bar: Bar,
    /// Whether the report is left out.
    pub quiet: bool,
    /// Whether both streams are one terminal, where nothing need be said twice.
    pub one_screen: bool,
    /// The bar that stands on the screen now.
    pub drawn: Option<(usize, usize)>,
}

impl Console {
    /// A line of the report.
    pub fn line(&mut self, text: impl Display) {
        if !self.quiet {
            let _ = writeln!(self.out, "{text}");
            let _ = self.out.flush();
        }
    }

    /// A check mark or a cross, and the check.
    pub fn check(&mut self, passed: bool, text: &str) {
        let (color, mark) = if passed { (GREEN, '✓') } else { (RED, '✗') };
        if self.color {
            self.line(format_args!("{color}{mark}{RESET} {text}"));
        } else {
            self.line(format_args!("{mark} {text}"));
        }
    }

    /// A line on stderr; a bar that stands there gives way and comes back below it.
    pub fn error(&mut self, text: impl Display) {
        let gone = if self.drawn.is_some() { "\r\x1b[K" } else { "" };
        let bar = self.redrawn();
        self.tell(&format!("{gone}{text}\n{bar}"));
    }

    /// The bar at `done` of `total`.
    pub fn progress(&mut self, done: usize, total: usize) {
        match self.bar {
            Bar::Live => {
                self.drawn = Some((done, total));
                self.tell(&self.redrawn());
            }
            Bar::Last if done == total => self.tell(&format!("{}\n", bar(done, total))),
            Bar::Last | Bar::Off => {}
        }
    }

    /// The line ends where a bar stands.
    pub fn end_progress(&mut self) {
        if self.drawn.take().is_some() {
            self.tell("\n");
        }
    }

    /// What brings the bar back, where one stands; what a terminal echoed beside it, a ^C for instance,
    /// goes.
    fn redrawn(&self) -> String {
        let redrawn = |(done, total)| format!("\r{}\x1b[K", bar(done, total));
        self.drawn.map_or_else(String::new, redrawn)
    }

    /// In one piece, so that nothing comes between; nothing buffers stderr.
    fn tell(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
        let _ = self.err.flush();
    }
}

/// `Progress: [████░░░░] completed/total`
fn bar(done: usize, total: usize) -> String {
    let filled = (done * BAR_WIDTH).checked_div(total).unwrap_or(BAR_WIDTH);
    let (full, rest) = ("█".repeat(filled), "░".repeat(BAR_WIDTH - filled));
    format!("Progress: [{full}{rest}] {done}/{total}")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A stream whose text can be looked at, and in which pieces it came.
    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<String>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let piece = String::from_utf8(bytes.to_owned()).unwrap();
            self.0.lock().unwrap().push(piece);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Screen {
        fn pieces(&self) -> Vec<String> {
            self.0.lock().unwrap().clone()
        }

        fn text(&self) -> String {
            self.pieces().concat()
        }
    }

    fn console(bar: Bar) -> (Console, Screen, Screen) {
        let (out, err) = (Screen::default(), Screen::default());
        let console = Console {
            out: Box::new(out.clone()),
            err: Box::new(err.clone()),
            color: false,
            bar,
            quiet: false,
            one_screen: false,
            drawn: None,
        };
        (console, out, err)
    }

    #[test]
    fn the_bar_is_fifty_wide() {
        let empty = format!("Progress: [{}] 0/17", "░".repeat(50));
        let some = format!("Progress: [{}{}] 5/17", "█".repeat(14), "░".repeat(36));
        let full = format!("Progress: [{}] 17/17", "█".repeat(50));
        assert_eq!([bar(0, 17), bar(5, 17), bar(17, 17)], [empty, some, full]);
        assert_eq!(bar(0, 0), format!("Progress: [{}] 0/0", "█".repeat(50)));
    }

    #[test]
    fn on_a_terminal_the_bar_redraws_in_place_and_a_newline_follows() {
        let (mut console, _, err) = console(Bar::Live);
        console.progress(0, 2);
        console.error("oops");
        console.progress(2, 2);
        console.end_progress();
        let (first, last) = (bar(0, 2), bar(2, 2));
        assert_eq!(
            err.pieces(),
            [
                format!("\r{first}\x1b[K"),
                format!("\r\x1b[Koops\n\r{first}\x1b[K"),
                format!("\r{last}\x1b[K"),
                "\n".to_owned(),
            ],
            "the bar is never gone for long"
        );
    }

    #[test]
    fn elsewhere_only_the_bars_last_state_is_printed() {
        let (mut last, _, err) = console(Bar::Last);
        let (mut off, _, nothing) = console(Bar::Off);
        for console in [&mut last, &mut off] {
            for done in 0..=3 {
                console.progress(done, 3);
            }
            console.end_progress();
        }
        assert_eq!(err.text(), format!("{}\n", bar(3, 3)));
        assert_eq!(nothing.text(), "");
    }

    #[test]
    fn checks_are_green_and_red() {
        let (mut console, out, _) = console(Bar::Off);
        console.check(true, "one");
        console.color = true;
        console.check(true, "two");
        console.check(false, "three");
        console.quiet = true;
        console.check(true, "four");
        assert_eq!(
            out.text(),
            "✓ one\n\x1b[92m✓\x1b[0m two\n\x1b[91m✗\x1b[0m three\n"
        );
    }

    #[test]
    fn colour_by_option_terminal_and_environment() {
        for (color, terminal, no_color, force, expected) in [
            (Color::Auto, true, None, None, true),
            (Color::Auto, false, None, None, false),
            (Color::Auto, true, Some("1"), None, false),
            (Color::Auto, true, Some(""), None, true),
            (Color::Auto, false, None, Some("1"), true),
            (Color::Auto, false, None, Some("0"), false),
            (Color::Auto, false, Some("1"), Some("1"), false),
            (Color::Always, false, Some("1"), None, true),
            (Color::Never, true, None, Some("1"), false),
        ] {
            let got = color.applies(terminal, no_color, force);
            assert_eq!(got, expected, "{color:?} {terminal} {no_color:?} {force:?}");
        }
    }
}
