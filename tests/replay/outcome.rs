//! The result of a replay.

use std::collections::BTreeMap;

use crate::recordings::text;

/// The distinctive part of each output file's name, and the expected file to compare it
/// with. The first part that matches applies.
pub const FILES: [(&str, &str); 4] = [
    ("_errors.txt", "expected_errors.txt"),
    ("_coverage_", "expected_coverage.csv"),
    ("_verify_", "expected_verify.csv"),
    ("_count_", "expected.csv"),
];

/// A part of the message about a request without a recorded response.
const NO_RESPONSE_LEFT: &str = "the recording has no response left for ";

/// Returns the part in [`FILES`] that `name` contains.
fn part_of(name: &str) -> &'static str {
    let mut parts = FILES.iter().map(|(part, _)| *part);
    let own = parts.find(|part| name.contains(part));
    own.unwrap_or_else(|| panic!("{name} has no expected file"))
}

/// The result of a replay.
pub struct Outcome {
    pub exit_code: u8,
    /// With the output directory replaced by `out`, as in `stderr`.
    pub stdout: String,
    pub stderr: String,
    /// The lines of `--debug`.
    pub trace: String,
    /// The files in the output directory, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    pub left_over: Vec<String>,
}

impl Outcome {
    /// Returns the only file whose name contains this part.
    pub fn file(&self, part: &str) -> Option<String> {
        assert_eq!(part_of(part), part);
        let mut found = self.files.iter().filter(|(name, _)| part_of(name) == part);
        let file = found.next().map(|(_, bytes)| text(bytes));
        assert!(found.next().is_none(), "two files have {part}");
        file
    }

    /// Returns the CSV, the coverage and the differences.
    pub fn tables(&self) -> [Option<String>; 3] {
        ["_count_", "_coverage_", "_verify_"].map(|part| self.file(part))
    }

    /// Returns the lines that report a request without a recorded response.
    pub fn unrecorded_requests(&self) -> Vec<String> {
        let files = self.files.values().map(|bytes| text(bytes));
        let shown = [&self.stdout, &self.stderr, &self.trace].map(String::clone);
        let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let mut lines: Vec<String> = files.chain(shown).flat_map(lines).collect();
        lines.retain(|line| line.contains(NO_RESPONSE_LEFT));
        lines
    }

    /// Returns the errors on stderr: every line except the progress bar.
    pub fn printed_errors(&self) -> String {
        let lines = self.stderr.split_inclusive('\n');
        lines
            .filter(|line| !line.starts_with("Progress: ["))
            .collect()
    }

    /// Returns the sorted lines of the error log without their times.
    pub fn log_messages(&self) -> Vec<String> {
        let errors = self.file("_errors.txt").unwrap_or_default();
        let mut lines: Vec<String> = errors
            .lines()
            .map(|l| l[TIMESTAMP_LEN..].to_owned())
            .collect();
        lines.sort();
        lines
    }
}

/// `[2026-11-24T12:00:00.000Z]`
pub const TIMESTAMP_LEN: usize = 26;
