//! The input of the summary.

use std::time::Duration;

use crate::aws::usage::Usage;
use crate::coverage::Coverage;
use crate::options::Options;

/// The input of the summary.
pub struct SummaryInput<'a> {
    /// The coverage.
    pub coverage: &'a Coverage,
    /// The options of the run.
    pub options: &'a Options,
    /// The number of invalid region names that `ec2:DescribeRegions` returned.
    pub refused: usize,
    /// The number of logged errors.
    pub errors: usize,
    /// The name of the error file; `above` if it does not have every error.
    pub error_file: &'a str,
    /// The time since the start of the run.
    pub elapsed: Duration,
    /// The requests of the run.
    pub usage: Usage,
    /// The coverage and verify files of an earlier run beside the CSV.
    pub earlier: &'a [String],
    /// True if the CSV of an earlier run exists.
    pub has_earlier_csv: bool,
    /// True if a fatal error ended the scan.
    pub was_stopped: bool,
    /// The exit code and its reason, if the reason is not shown elsewhere.
    pub exit: Option<String>,
    /// The width of the terminal; `None` if it is unknown or not a terminal.
    pub columns: Option<usize>,
}
