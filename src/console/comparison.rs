//! The comparison of listings and counts, with `--method verify`.

use std::iter::once;

use crate::coverage::{Comparison, ComparisonTotals, Difference};
use crate::text::{aligned, number_of, thousands};

/// Returns the lines of a comparison of listings and counts, with a table of the differences.
#[must_use]
pub fn comparison(comparison: &Comparison<'_>) -> Vec<String> {
    let mut lines = vec![verified(comparison.totals())];
    if !comparison.differences.is_empty() {
        lines.extend(table(&comparison.differences));
    }
    lines
}

/// Formats the numbers of a comparison.
pub(super) fn verified(totals: ComparisonTotals) -> String {
    let compared = number_of(totals.compared, "count");
    let differences = number_of(totals.differences, "difference");
    let line = format!("Verified: {compared} compared, {differences}");
    match totals.not_compared {
        0 => line,
        n => format!("{line}, {} could not be compared", thousands(n)),
    }
}

/// Formats the differences as a table of aligned columns.
fn table(differences: &[Difference<'_>]) -> Vec<String> {
    let header = [
        "region",
        "type",
        "listed",
        "counted",
        "difference",
        "possible reason",
    ];
    let rows = differences.iter().map(|d| {
        [
            d.region.to_string(),
            d.resource_type.to_string(),
            thousands(d.listed),
            thousands(d.counted),
            thousands(format_args!("{:+}", d.delta())),
            d.reason.trim_start_matches("possible reason: ").to_owned(),
        ]
    });
    let rows: Vec<_> = once(header.map(str::to_owned)).chain(rows).collect();
    let lines = aligned(&rows, &[2, 3, 4]).into_iter();
    lines.map(|line| format!("  {line}")).collect()
}
