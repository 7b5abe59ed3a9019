//! The exit code after a scan, and its reason.

use super::exit::Exit;
use crate::coverage::{Class, Comparison, Coverage};
use crate::options::Strict;
use crate::text::{number_of, thousands};

/// The facts that decide on the exit code.
pub(super) struct VerdictInput<'a> {
    pub(super) coverage: &'a Coverage,
    /// The counts that `--strict` does not allow.
    pub(super) strict: Option<Strict>,
    /// The comparison of listings and counts, if there is one.
    pub(super) comparison: Option<&'a Comparison<'a>>,
    /// The number of skipped region names.
    pub(super) refused: usize,
    /// True if all files were written.
    pub(super) was_written: bool,
    /// True if a fatal error ended the scan.
    pub(super) was_stopped: bool,
}

/// The exit code after a scan.
pub(super) struct Verdict {
    pub(super) exit: Exit,
    /// The exit code and its reason, if it is not 0 and the summary does not show the reason elsewhere.
    pub(super) reason: Option<String>,
}

impl Verdict {
    /// Decides on the exit code.
    pub(super) fn new(input: &VerdictInput<'_>) -> Self {
        if input.was_stopped {
            return Self::failed("a fatal error ended the scan (see FATAL in the error log)");
        }
        if input.coverage.is_missing() {
            // The summary says why nothing was counted.
            return Self {
                exit: Exit::Failed,
                reason: None,
            };
        }
        if !input.was_written {
            return Self::failed("a file could not be written (see FATAL above)");
        }
        let (option, violations) = match input.strict {
            None => ("", Vec::new()),
            Some(Strict::All) => ("--strict", violations(input, Strict::All)),
            Some(Strict::Missing) => ("--strict=missing", violations(input, Strict::Missing)),
        };
        if violations.is_empty() {
            return Self {
                exit: Exit::Done,
                reason: None,
            };
        }
        let exit = Exit::Partial;
        let (code, violations) = (exit.code(), violations.join(", "));
        Self {
            exit,
            reason: Some(format!("Exit code {code}: {violations} ({option})")),
        }
    }

    fn failed(reason: &str) -> Self {
        let exit = Exit::Failed;
        Self {
            exit,
            reason: Some(format!("Exit code {}: {reason}", exit.code())),
        }
    }
}

/// Returns what `--strict` does not allow: `30 counts missing`, `8 stale`.
fn violations(input: &VerdictInput<'_>, strict: Strict) -> Vec<String> {
    let classes: &[Class] = match strict {
        Strict::All => &[Class::Missing, Class::Stale, Class::Unverified],
        Strict::Missing => &[Class::Missing],
    };
    let mut violations = Vec::new();
    for class in classes {
        let number = match (
            input.coverage.number_not_accepted(*class),
            violations.is_empty(),
        ) {
            (0, _) => continue,
            (n, true) => number_of(n, "count"),
            (n, false) => thousands(n),
        };
        violations.push(format!("{number} {class}"));
    }
    if let Some(comparison) = input.comparison {
        if !comparison.differences.is_empty() {
            violations.push(number_of(comparison.differences.len(), "difference"));
        }
        if comparison.not_compared > 0 {
            violations.push(format!(
                "{} not compared",
                number_of(comparison.not_compared, "count")
            ));
        }
    }
    if input.refused > 0 {
        violations.push(format!("{} skipped", number_of(input.refused, "region")));
    }
    violations
}
