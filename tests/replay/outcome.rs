//! The result of a replay.

use std::collections::BTreeMap;

use crate::recordings::text;

/// The suffix of each output file and the expected file to compare it with. The first suffix that
/// matches applies.
pub const FILES: [(&str, &str); 4] = [
    ("_errors.txt", "expected_errors.txt"),
    ("_coverage.csv", "expected_coverage.csv"),
    ("_verify.csv", "expected_verify.csv"),
    (".csv", "expected.csv"),
];

/// A part of the message about a request without a recorded response.
const NO_RESPONSE_LEFT: &str = "the recording has no response left for ";

/// Returns the suffix in [`FILES`] that `name` ends in.
fn suffix_of(name: &str) -> &'static str {
    let mut suffixes = FILES.iter().map(|(suffix, _)| *suffix);
    let own = suffixes.find(|suffix| name.ends_with(suffix));
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
    /// Returns the only file with this suffix; `.csv` is only the file of the counts.
    pub fn file(&self, suffix: &str) -> Option<String> {
        assert_eq!(suffix_of(suffix), suffix);
        let mut found = self
            .files
            .iter()
            .filter(|(name, _)| suffix_of(name) == suffix);
        let file = found.next().map(|(_, bytes)| text(bytes));
        assert!(found.next().is_none(), "two files end in {suffix}");
        file
    }

    /// Returns the CSV, the coverage and the differences.
    pub fn tables(&self) -> [Option<String>; 3] {
        [".csv", "_coverage.csv", "_verify.csv"].map(|suffix| self.file(suffix))
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
