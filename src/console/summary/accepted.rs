//! The gaps that `--accept-missing` expects.

use std::collections::BTreeSet;

use super::input::SummaryInput;
use super::names::names;
use crate::coverage::AcceptedStatus;
use crate::model::ExpectedGap;
use crate::text::number_of;

/// Returns a line about the accepted counts, and lines about the gaps that need not be expected.
pub fn accepted(input: &SummaryInput<'_>) -> Vec<String> {
    let counts = number_of(input.coverage.accepted(), "missing count");
    let lines = [
        (AcceptedStatus::Missing, format!("Accepted: {counts} of ")),
        (AcceptedStatus::NotMissing, "No longer missing: ".to_owned()),
        (AcceptedStatus::NotCounted, "Not in this run: ".to_owned()),
    ];
    let gaps = input.coverage.accepted_gaps();
    let lines = lines.into_iter().filter_map(|(status, start)| {
        let gaps = gaps.iter().filter(|gap| gap.status == status);
        let gaps: BTreeSet<&ExpectedGap> = gaps.map(|gap| gap.gap).collect();
        let end = match (status, gaps.len()) {
            (_, 0) => return None,
            (AcceptedStatus::NotMissing, 1) => "; remove it from --accept-missing",
            (AcceptedStatus::NotMissing, _) => "; remove them from --accept-missing",
            _ => " (--accept-missing)",
        };
        Some(format!("{start}{}{end}", names(&gaps, input.columns)))
    });
    lines.collect()
}
