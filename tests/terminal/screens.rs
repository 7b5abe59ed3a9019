//! The rules for every width, every kind of terminal and every set of streams.

use std::thread;

use crate::pty::{Streams, run};
use crate::recording::{Operation, answer, denied, no_recorder, replay, stopped};
use crate::screen::{Line, Screen};
use crate::support::{Outcome, Program};
use crate::volatile::{BLOCKS, without_times};

const WIDTHS: [u16; 6] = [40, 60, 80, 100, 160, 300];

const ALL_STREAMS: [Streams; 3] = [Streams::Both, Streams::Stdout, Streams::Stderr];

/// Variables of a run. The first list has TERM or nothing; the second list changes only the color, and whether the bar is
/// redrawn.
const TERMS: [&[(&str, &str)]; 4] = [
    &[("TERM", "xterm-256color")],
    &[("TERM", "dumb")],
    &[("TERM", "")],
    &[],
];
const VARIABLES: [&[(&str, &str)]; 4] = [
    &[("LANG", "C"), ("LC_ALL", "C")],
    &[("NO_COLOR", "1")],
    &[("CI", "true")],
    &[("COLUMNS", "20"), ("LINES", "5")],
];

/// A run of [`program`] in one kind of terminal.
struct Case {
    columns: u16,
    streams: Streams,
    variables: Vec<(&'static str, &'static str)>,
}

impl Case {
    fn has_escapes(&self) -> bool {
        let term = self.variables.iter().find(|(name, _)| *name == "TERM");
        term.is_some_and(|(_, term)| !["", "dumb"].contains(term))
    }

    fn has_color(&self) -> bool {
        let no_color = self.variables.iter().any(|(name, _)| *name == "NO_COLOR");
        self.has_escapes() && !no_color && self.streams != Streams::Stderr
    }

    fn name(&self) -> String {
        format!("{} {:?} {:?}", self.columns, self.streams, self.variables)
    }

    fn check(&self, piped: &Outcome) {
        let mut program = program();
        for (name, value) in &self.variables {
            program = program.env(name, value);
        }
        let (outcome, screen) = run(program, self.columns, self.streams);
        let name = self.name();
        assert_eq!(outcome.code, Some(0), "{name}: {}", outcome.describe());
        let both = format!("{}{}", piped.stdout, piped.stderr);
        let (shown, pipe, piped_pipe) = match self.streams {
            Streams::Both => (&both, "", ""),
            Streams::Stdout => (&piped.stdout, &*outcome.stderr, &*piped.stderr),
            Streams::Stderr => (&piped.stderr, &*outcome.stdout, &*piped.stdout),
        };
        assert_eq!(without_times(pipe), without_times(piped_pipe), "{name}");
        let (found, expected) = (words(&screen.text_without_breaks()), words(shown));
        assert_eq!(found, expected, "{name}: {}", screen.text());
        assert_width(&screen, &name);
        assert_end(&screen, &name);
        if self.streams == Streams::Stdout {
            assert_eq!(bars(&screen).len(), 0, "{name}: {}", screen.text());
        } else {
            assert_one_bar(&screen, self.columns, &name);
        }
        self.assert_sequences(&screen);
    }

    /// Asserts that the output has no sequences but those of the bar and of the color, and only where the terminal
    /// supports them.
    fn assert_sequences(&self, screen: &Screen) {
        let (name, output) = (self.name(), &screen.output);
        let is_ci = self.variables.iter().any(|(name, _)| *name == "CI");
        let is_redrawn = self.has_escapes() && !is_ci && self.streams != Streams::Stdout;
        let plain = output.replace("\r\n", "\n");
        assert_eq!(plain.contains('\r'), is_redrawn, "{name}: {output:?}");
        assert_eq!(
            plain.contains("\x1b[9"),
            self.has_color(),
            "{name}: {output:?}"
        );
        let rest = ["\x1b[K", "\x1b[91m", "\x1b[92m", "\x1b[0m"];
        let rest = rest
            .iter()
            .fold(plain, |text, known| text.replace(known, ""));
        let is_unknown = |c: char| c.is_control() && !['\n', '\r'].contains(&c);
        assert!(!rest.contains(is_unknown), "{name}: {rest:?}");
        if !self.has_escapes() {
            assert!(!output.contains('\x1b'), "{name}: {output:?}");
        }
    }
}

/// Returns a run with a region of each kind: complete, with a denied type, without a recorder, and stale.
fn program() -> Program {
    let regions = ["ap-south-1", "eu-west-1", "sa-east-1", "us-east-1"].map(str::to_owned);
    replay(&regions, &|region, operation| {
        let is_bucket = *operation == Operation::List("AWS::S3::Bucket".to_owned());
        vec![match region {
            "ap-south-1" => stopped(operation, 1),
            "eu-west-1" if is_bucket => denied(operation),
            "sa-east-1" => no_recorder(operation),
            _ => answer(operation, 2),
        }]
    })
}

/// Returns the sorted words of a text without its bar, whose width depends on the terminal. Where columns do not fit
/// beside each other, the order of the words differs, and colons separate them.
fn words(text: &str) -> Vec<String> {
    let text = without_times(text);
    let lines = text.lines().filter(|line| !line.contains(BLOCKS));
    let words = lines.flat_map(str::split_whitespace);
    let mut words: Vec<_> = words
        .map(|word| word.trim_end_matches(':').to_owned())
        .collect();
    words.sort();
    words
}

fn bars(screen: &Screen) -> Vec<&str> {
    let texts = screen.lines.iter().map(|line| &*line.text);
    texts.filter(|text| text.contains(BLOCKS)).collect()
}

/// Asserts that the terminal broke only words that are longer than a line.
fn assert_width(screen: &Screen, name: &str) {
    let is_too_long = |line: &&Line| line.is_broken && line.text.trim().contains(' ');
    let broken: Vec<_> = screen.lines.iter().filter(is_too_long).collect();
    assert!(broken.is_empty(), "{name}: {broken:#?}");
}

/// Asserts that the cursor is at the start of the line after the text, or one line below it.
fn assert_end(screen: &Screen, name: &str) {
    let (row, column) = screen.cursor;
    let below_text = usize::from(row).checked_sub(screen.lines.len());
    let is_end = below_text.is_some_and(|lines| lines <= 1) && column == 0;
    assert!(is_end, "{name}: {:?} {}", screen.cursor, screen.text());
}

/// Asserts that the screen has one bar, which is complete and as wide as its line allows.
fn assert_one_bar(screen: &Screen, columns: u16, name: &str) {
    let bars = bars(screen);
    let room = usize::from(columns) - "Progress: [] 4/4".len();
    let expected = format!("Progress: [{}] 4/4", "█".repeat(room.min(50)));
    assert_eq!(bars, [expected], "{name}: {}", screen.text());
}

#[test]
fn screen_is_readable_in_every_terminal() {
    let piped = program().run();
    let terms = TERMS
        .into_iter()
        .flat_map(|term| ALL_STREAMS.map(|streams| (term, streams)));
    let variables = VARIABLES
        .into_iter()
        .map(|variables| (variables, Streams::Both));
    let runs: Vec<_> = terms.chain(variables).collect();
    thread::scope(|scope| {
        for columns in WIDTHS {
            let (runs, piped) = (&runs, &piped);
            scope.spawn(move || {
                for (variables, streams) in runs {
                    let mut variables = variables.to_vec();
                    // An absent TERM is one of the cases.
                    if VARIABLES.contains(&variables.as_slice()) {
                        variables.push(("TERM", "xterm-256color"));
                    }
                    let streams = *streams;
                    Case {
                        columns,
                        streams,
                        variables,
                    }
                    .check(piped);
                }
            });
        }
    });
}

#[test]
fn failed_checks_are_readable_at_every_width() {
    let regions = ["us-east-1".to_owned()];
    for columns in WIDTHS {
        let program = replay(&regions, &|_, operation| vec![denied(operation)]);
        let (outcome, screen) = run(program.env("TERM", "xterm"), columns, Streams::Both);
        let name = columns.to_string();
        assert_eq!(outcome.code, Some(1), "{name}: {}", screen.text());
        assert_width(&screen, &name);
        assert_end(&screen, &name);
        assert_eq!(bars(&screen), [""; 0], "{name}");
        let text = screen.text_without_breaks();
        let text: Vec<_> = text.split_whitespace().collect();
        let failure = "- IAM permission: config:ListDiscoveredResources: in us-east-1: ";
        let failures = text.join(" ").matches(failure).count();
        assert_eq!(failures, 1, "{name}: {}", screen.text());
    }
}

#[test]
fn help_fits_every_width() {
    for argument in ["-h", "--help"] {
        for columns in WIDTHS {
            let program = Program::without_server().env("TERM", "xterm").arg(argument);
            let (outcome, mut screen) = run(program, columns, Streams::Both);
            let name = format!("{argument} {columns}");
            assert_eq!(outcome.code, Some(0), "{name}");
            assert!(screen.text().contains("--output-dir"), "{name}");
            // clap wraps neither the usage line nor the name of an option and its value.
            let is_name = |text: &str| text.starts_with("Usage: ") || text.trim().starts_with('-');
            screen.lines.retain(|line| !is_name(&line.text));
            assert_width(&screen, &name);
        }
    }
}
