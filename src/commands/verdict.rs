//! The exit code after a scan, and its reason.

use super::exit::Exit;
use super::scan_regions::Scanned;
use crate::coverage::{Class, Comparison};
use crate::options::Strict;
use crate::text::{number_of, thousands};

/// The exit code after a scan.
pub(super) struct Verdict {
    pub(super) exit: Exit,
    /// The exit code and its reason, if it is not 0 and the summary does not show the reason elsewhere.
    pub(super) reason: Option<String>,
}

impl Verdict {
    /// Decides on the exit code of a run of one account; `comparison` is that of listings and counts, if there is one, and
    /// `was_written` is true if all files were written.
    pub(super) fn new(
        scanned: &Scanned,
        strict: Option<Strict>,
        comparison: Option<&Comparison>,
        was_written: bool,
    ) -> Self {
        if scanned.was_stopped {
            return Self::failed("a fatal error ended the scan (see FATAL in the error log)");
        }
        if scanned.coverage.is_missing() {
            // The summary says why nothing was counted.
            return Self {
                exit: Exit::Failed,
                reason: None,
            };
        }
        if !was_written {
            return Self::failed("a file could not be written (see FATAL above)");
        }
        Self::of_violations(strict, |strict| violations(scanned, strict, comparison))
    }

    /// Decides on the exit code of a run whose files are written: `violations` are what `--strict` does not allow.
    pub(super) fn of_violations(
        strict: Option<Strict>,
        violations: impl FnOnce(Strict) -> Vec<String>,
    ) -> Self {
        let option = match strict {
            Some(Strict::Missing) => "--strict=missing",
            Some(Strict::All) | None => "--strict",
        };
        let violations = strict.map(violations).unwrap_or_default();
        if violations.is_empty() {
            return Self {
                exit: Exit::Done,
                reason: None,
            };
        }
        Self::with_reason(
            Exit::Partial,
            &format!("{} ({option})", violations.join(", ")),
        )
    }

    /// Creates the verdict of a failed run.
    pub(super) fn failed(reason: &str) -> Self {
        Self::with_reason(Exit::Failed, reason)
    }

    fn with_reason(exit: Exit, reason: &str) -> Self {
        Self {
            exit,
            reason: Some(format!("Exit code {}: {reason}", exit.code())),
        }
    }
}

/// Returns the classes of counts that `--strict` does not allow.
pub(super) fn disallowed(strict: Strict) -> &'static [Class] {
    match strict {
        Strict::All => &[Class::Missing, Class::Stale, Class::Unverified],
        Strict::Missing => &[Class::Missing],
    }
}

/// Returns what `--strict` does not allow: `30 counts missing`, `8 stale`.
fn violations(scanned: &Scanned, strict: Strict, comparison: Option<&Comparison>) -> Vec<String> {
    let mut violations = Vec::new();
    for class in disallowed(strict) {
        let counts = scanned.coverage.number_not_accepted(*class);
        let number = match (counts, violations.is_empty()) {
            (0, _) => continue,
            (n, true) => number_of(n, "count"),
            (n, false) => thousands(n),
        };
        violations.push(format!("{number} {class}"));
    }
    let comparison = comparison.map(Comparison::totals).unwrap_or_default();
    let (differences, not_compared) = (comparison.differences, comparison.not_compared);
    violations.extend(never_allowed(differences, not_compared, scanned.refused));
    violations
}

/// Returns what `--strict` never allows: differences and missing comparisons of `--method verify`, and skipped regions.
pub(super) fn never_allowed(
    differences: usize,
    not_compared: usize,
    skipped: usize,
) -> impl Iterator<Item = String> {
    let counts = number_of(not_compared, "count");
    let regions = number_of(skipped, "region");
    let texts = [
        (differences, number_of(differences, "difference")),
        (not_compared, format!("{counts} not compared")),
        (skipped, format!("{regions} skipped")),
    ];
    let found = texts.into_iter().filter(|(n, _)| *n > 0);
    found.map(|(_, text)| text)
}
