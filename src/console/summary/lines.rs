//! The lines of the summary.

use std::collections::{BTreeMap, BTreeSet};

use super::accepted::accepted;
use super::figures::figures;
use super::gaps::{MissingCounts, Reasons};
use super::incomplete::{incomplete, join_reasons};
use super::input::SummaryInput;
use super::layout::wrapped;
use super::stale::{stale, unverified};
use crate::model::Region;
use crate::text::number_of;

/// Returns the lines of the summary, fitted to the width of the terminal: the figures, then a block for each thing to
/// do. Blocks are separated by empty lines.
#[must_use]
pub fn summary(input: &SummaryInput<'_>) -> Vec<String> {
    let missing = MissingCounts::not_accepted(input.coverage);
    let mut lines = vec!["Summary".to_owned()];
    lines.extend(wrapped(figures(input), input.columns));
    let end = [nothing_counted(input), input.exit.clone()];
    for block in [
        incomplete(&missing, input),
        wrapped(stale(&missing, input), input.columns),
        unverified(&missing, input),
        wrapped(accepted(input), input.columns),
        wrapped(others(input), input.columns),
        wrapped(end.into_iter().flatten().collect(), input.columns),
    ] {
        if !block.is_empty() {
            lines.push(String::new());
            lines.extend(block);
        }
    }
    lines
}

/// Returns lines about regions that were skipped and files that are not of this run.
fn others(input: &SummaryInput<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if input.refused > 0 {
        let regions = number_of(input.refused, "region");
        let names = if input.refused == 1 {
            "an invalid region name"
        } else {
            "invalid region names"
        };
        lines.push(format!(
            "{regions} skipped: ec2:DescribeRegions returned {names} (see the error log)"
        ));
    }
    let earlier = input.earlier.iter();
    lines.extend(earlier.map(|path| format!("Not of this run, but of an earlier one: {path}")));
    lines
}

/// Returns the reason why nothing was counted, if every count is missing.
fn nothing_counted(input: &SummaryInput<'_>) -> Option<String> {
    if !input.coverage.is_missing() {
        return None;
    }
    let missing = MissingCounts::all(input.coverage);
    let mut regions: BTreeMap<&Reasons, BTreeSet<&Region>> = BTreeMap::new();
    for row in missing.rows() {
        let same = regions.entry(&row.reasons).or_default();
        same.extend(&row.regions);
    }
    let reasons = regions.iter().map(|(reasons, regions)| {
        let regions = missing.region_count(regions);
        format!("{} in {regions}", join_reasons(reasons))
    });
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    let csv = if input.has_earlier_csv {
        "The CSV of the last run was not replaced."
    } else {
        "No CSV was written."
    };
    Some(format!("Nothing was counted: {reasons}. {csv}"))
}
