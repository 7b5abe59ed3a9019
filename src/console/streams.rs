//! The output streams: checks and summary go to stdout, errors and the bar to stderr.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::bar::bar;
use super::live_line::{LiveLine, WaitStatus};
use super::wrap::wrap;

const GREEN: &str = "\x1b[92m";
const RED: &str = "\x1b[91m";
const RESET: &str = "\x1b[0m";
/// Erases the current line.
const ERASE: &str = "\r\x1b[K";

/// Returns true if a terminal of type `term` (the variable TERM) supports escape sequences.
#[must_use]
pub fn supports_escapes(term: Option<&str>) -> bool {
    term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Returns true in a continuous integration system (the variable CI), whose log keeps every drawing of a line.
#[must_use]
pub fn is_ci(ci: Option<&str>) -> bool {
    ci.is_some_and(|ci| !matches!(ci, "" | "0" | "false"))
}

/// When to use color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Color {
    /// On a terminal, or as NO_COLOR and CLICOLOR_FORCE request.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Returns true if a stream gets color. `terminal` is true for a terminal that supports escape
    /// sequences. An empty NO_COLOR is ignored, and so is a CLICOLOR_FORCE that is empty or `0`.
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

/// The display mode of the progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// Redrawn in place, on a terminal that supports escape sequences.
    Live,
    /// Only the final state, and lines about waiting.
    FinalOnly,
    /// Hidden.
    Off,
}

/// The output streams. If a stream is closed or full, its text is lost and the run continues, unless it is the result.
pub struct Console {
    /// The stream for checks and summary.
    pub out: Box<dyn Write + Send>,
    /// The stream for errors and the bar.
    pub err: Box<dyn Write + Send>,
    /// If true, checks are colored.
    pub color: bool,
    /// The display mode of the bar.
    pub bar: Bar,
    /// If true, checks and summary are not printed, but the result is.
    pub quiet: bool,
    /// True if both streams are the same terminal, where a message is shown only once.
    pub shared_terminal: bool,
    /// Returns the width of stdout's terminal in columns; `None` if it is not a terminal or the width is unknown.
    pub out_columns: fn() -> Option<usize>,
    /// Returns the width of stderr's terminal in columns; `None` if it is unknown. Called for each
    /// drawing of the bar, because the user can resize the terminal.
    pub columns: fn() -> Option<usize>,
    /// The line on the screen that is redrawn in place.
    pub live: LiveLine,
}

impl Console {
    /// Prints a line to stdout, unless `quiet`. On a terminal it is wrapped, with a hanging indent of two more than its
    /// own.
    pub fn line(&mut self, text: impl Display) {
        let text = text.to_string();
        let own = text.len() - text.trim_start_matches(' ').len();
        self.line_with_indent(&text, own + 2);
    }

    /// Prints a line to stdout, unless `quiet`. On a terminal it is wrapped, with a hanging indent of `hanging`.
    pub fn line_with_indent(&mut self, text: &str, hanging: usize) {
        let text = wrapped(text, (self.out_columns)(), hanging);
        self.write_line(text);
    }

    /// Prints a line to stdout that is not wrapped, unless `quiet`.
    pub fn write_line(&mut self, text: impl Display) {
        self.clear_status();
        if !self.quiet {
            let _ = writeln!(self.out, "{text}");
            let _ = self.out.flush();
        }
    }

    /// Prints a check mark or a cross, and the text.
    pub fn check(&mut self, passed: bool, text: &str) {
        let (color, mark) = if passed { (GREEN, '✓') } else { (RED, '✗') };
        let text = wrapped(&format!("{mark} {text}"), (self.out_columns)(), 2);
        match text.strip_prefix(mark) {
            // Color has no width.
            Some(text) if self.color => self.write_line(format_args!("{color}{mark}{RESET}{text}")),
            _ => self.write_line(text),
        }
    }

    /// Writes the result of the run to stdout, without changes.
    ///
    /// # Errors
    /// It could not be written completely. A reader that closed its end has read what it needs.
    pub fn write_result(&mut self, result: &[u8]) -> io::Result<()> {
        let written = self.out.write_all(result).and_then(|()| self.out.flush());
        match written {
            Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Prints a line to stderr, wrapped on a terminal. A visible bar or status is erased and redrawn below the line.
    pub fn error(&mut self, text: impl Display) {
        let text = wrapped(&text.to_string(), (self.columns)(), 2);
        self.error_as_is(text);
    }

    /// Prints a line to stderr that is not wrapped: a command, of which a terminal copies the lines that it breaks as one.
    pub fn error_as_is(&mut self, text: impl Display) {
        let erase = if self.live.is_shown() { ERASE } else { "" };
        let live = self.redraw();
        self.write_error(&format!("{erase}{text}\n{live}"));
    }

    /// Draws the bar at `done` of `total`.
    pub fn progress(&mut self, done: usize, total: usize) {
        match self.bar {
            Bar::Live => {
                self.live.progress = Some((done, total));
                self.write_error(&self.redraw());
            }
            Bar::FinalOnly if done == total => {
                let text = bar(done, total, (self.columns)());
                self.write_error(&format!("{text}\n"));
            }
            Bar::FinalOnly | Bar::Off => {}
        }
    }

    /// Sets the finished and known regions of many accounts, which the next drawing of the bar shows after it.
    pub fn set_regions(&mut self, done: usize, known: usize) {
        self.live.regions = Some((done, known));
    }

    /// Draws what the run waits for, after the bar or on a line of its own. Returns true if it is on the screen or need
    /// not be shown.
    pub fn status(&mut self, status: WaitStatus) -> bool {
        match self.bar {
            Bar::Off => true,
            Bar::FinalOnly => false,
            Bar::Live => {
                self.live.status = status;
                self.write_error(&self.redraw());
                self.live.shows_awaited((self.columns)())
            }
        }
    }

    /// Prints a line about what the run waits for to stderr, unless the bar is hidden.
    pub fn waiting(&mut self, text: &str) {
        if self.bar != Bar::Off {
            self.error(format_args!("Waiting: {text}"));
        }
    }

    /// Erases a status that has a line of its own.
    pub fn clear_status(&mut self) {
        if self.live.progress.is_none() && self.live.is_shown() {
            self.live = LiveLine::default();
            self.write_error(ERASE);
        }
    }

    /// Ends the line of a visible bar, and removes what was awaited.
    pub fn end_progress(&mut self) {
        if self.live.progress.is_some() {
            if !std::mem::take(&mut self.live.status.awaited).is_empty() {
                self.write_error(&self.redraw());
            }
            self.live = LiveLine::default();
            self.write_error("\n");
        }
    }

    /// Returns the text that redraws a visible line and erases the rest of the line, such as an
    /// echoed ^C.
    fn redraw(&self) -> String {
        if !self.live.is_shown() {
            return String::new();
        }
        let columns = (self.columns)();
        let text = self.live.text(columns);
        // A full line has no rest: a terminal would erase the character in its last column.
        let is_full = columns == Some(text.chars().count());
        let erase = if is_full { "" } else { "\x1b[K" };
        format!("\r{text}{erase}")
    }

    /// Writes the text to stderr in one call, because stderr is not buffered and other output could
    /// come in between.
    fn write_error(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
        let _ = self.err.flush();
    }
}

/// Wraps `text` if the width of the terminal is known.
fn wrapped(text: &str, columns: Option<usize>, hanging: usize) -> String {
    columns.map_or_else(
        || text.to_owned(),
        |columns| wrap(text, columns, hanging).join("\n"),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A stream that records each write.
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
            shared_terminal: false,
            out_columns: || None,
            columns: || None,
            live: LiveLine::default(),
        };
        (console, out, err)
    }

    #[test]
    fn live_bar_is_redrawn_in_place() {
        let (mut console, _, err) = console(Bar::Live);
        console.progress(0, 2);
        console.error("oops");
        console.progress(2, 2);
        console.end_progress();
        let (first, last) = (bar(0, 2, None), bar(2, 2, None));
        assert_eq!(
            err.pieces(),
            [
                format!("\r{first}\x1b[K"),
                format!("\r\x1b[Koops\n\r{first}\x1b[K"),
                format!("\r{last}\x1b[K"),
                "\n".to_owned(),
            ],
            "each write ends with the bar"
        );
    }

    fn status(seconds: u64, awaited: &[&str]) -> WaitStatus {
        WaitStatus {
            elapsed: std::time::Duration::from_secs(seconds),
            awaited: awaited.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    #[test]
    fn shorter_status_leaves_no_rest() {
        let (mut console, _, err) = console(Bar::Live);
        console.columns = || Some(120);
        console.progress(0, 2);
        assert!(console.status(status(9, &["eu-west-3: retry 6 of 10"])));
        console.error("oops");
        assert!(!console.status(status(10, &[])), "there is nothing to show");
        console.status(status(12, &["eu-west-3: retry 7 of 10"]));
        console.progress(2, 2);
        console.end_progress();
        let (first, last) = (bar(0, 2, None), bar(2, 2, None));
        assert_eq!(
            err.pieces()[1..],
            [
                format!("\r{first}  9s  eu-west-3: retry 6 of 10\x1b[K"),
                format!("\r\x1b[Koops\n\r{first}  9s  eu-west-3: retry 6 of 10\x1b[K"),
                format!("\r{first}  10s\x1b[K"),
                format!("\r{first}  12s  eu-west-3: retry 7 of 10\x1b[K"),
                format!("\r{last}  12s  eu-west-3: retry 7 of 10\x1b[K"),
                format!("\r{last}  12s\x1b[K"),
                "\n".to_owned(),
            ]
        );
    }

    #[test]
    fn status_of_checks_is_erased_before_check() {
        let (mut console, out, err) = console(Bar::Live);
        assert!(console.status(status(2, &["iam: no answer yet"])));
        console.error("oops");
        console.check(true, "one");
        console.line("two");
        console.clear_status();
        let shown = "\r… iam: no answer yet\x1b[K";
        assert_eq!(
            err.pieces(),
            [
                shown.to_owned(),
                format!("\r\x1b[Koops\n{shown}"),
                "\r\x1b[K".to_owned()
            ]
        );
        assert_eq!(out.text(), "✓ one\ntwo\n");
    }

    #[test]
    fn status_without_terminal_is_a_line() {
        let (mut plain, _, err) = console(Bar::FinalOnly);
        let (mut off, _, nothing) = console(Bar::Off);
        assert!(!plain.status(status(30, &["iam: no answer yet"])));
        assert!(off.status(status(30, &["iam: no answer yet"])));
        for console in [&mut plain, &mut off] {
            console.waiting("iam: no answer yet");
            console.clear_status();
        }
        assert_eq!(err.text(), "Waiting: iam: no answer yet\n");
        assert_eq!(nothing.text(), "");
    }

    #[test]
    fn full_line_is_not_erased() {
        let (mut console, _, err) = console(Bar::Live);
        for columns in [|| Some(29), || Some(30), || Some(31), || None] {
            console.columns = columns;
            console.progress(50, 100);
        }
        let blocks =
            |width: usize| format!("{}{}", "█".repeat(width / 2), "░".repeat(width - width / 2));
        assert_eq!(
            err.pieces(),
            [
                "\rProgress: 50/100\x1b[K".to_owned(),
                format!("\rProgress: [{}] 50/100\x1b[K", blocks(10)),
                format!("\rProgress: [{}] 50/100\x1b[K", blocks(11)),
                format!("\rProgress: [{}] 50/100\x1b[K", blocks(50)),
            ]
        );
        console.columns = || Some(27);
        console.progress(100, 100);
        console.columns = || Some(30);
        console.progress(100, 100);
        assert_eq!(
            err.pieces()[4..],
            [
                "\rProgress: 100/100\x1b[K".to_owned(),
                format!("\rProgress: [{}] 100/100", "█".repeat(10)),
            ]
        );
    }

    #[test]
    fn long_lines_are_wrapped_on_terminal() {
        let (mut console, out, err) = console(Bar::Off);
        console.out_columns = || Some(20);
        console.columns = || Some(12);
        console.line("  one two three four five");
        console.line_with_indent("one two three four five", 0);
        console.error("one two three");
        assert_eq!(
            out.text(),
            "  one two three four\n    five\none two three four\nfive\n"
        );
        assert_eq!(err.text(), "one two\n  three\n");
    }

    #[test]
    fn dumb_terminal_supports_no_escapes() {
        for (term, expected) in [
            (None, false),
            (Some(""), false),
            (Some("dumb"), false),
            (Some("xterm-256color"), true),
            (Some("screen"), true),
        ] {
            assert_eq!(supports_escapes(term), expected, "{term:?}");
        }
    }

    #[test]
    fn ci_is_set_unless_false() {
        let values = [
            None,
            Some(""),
            Some("0"),
            Some("false"),
            Some("true"),
            Some("1"),
        ];
        assert_eq!(values.map(is_ci), [false, false, false, false, true, true]);
    }

    #[test]
    fn bar_without_terminal_shows_final_state() {
        let (mut last, _, err) = console(Bar::FinalOnly);
        let (mut off, _, nothing) = console(Bar::Off);
        for console in [&mut last, &mut off] {
            for done in 0..=3 {
                console.progress(done, 3);
            }
            console.end_progress();
        }
        assert_eq!(err.text(), format!("{}\n", bar(3, 3, None)));
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
    fn color_depends_on_option_terminal_and_environment() {
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
