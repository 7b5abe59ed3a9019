//! The comparison of listings and counts, with `--method verify`.

use std::fmt::Write;
use std::iter::once;

use crate::coverage::{Comparison, Difference};
use crate::text::pluralize;

/// The columns of the table of differences.
const COLUMNS: [&str; 6] = [
    "region",
    "type",
    "listed",
    "counted",
    "difference",
    "possible reason",
];

/// Returns the lines of a comparison of listings and counts, with a table of the differences.
#[must_use]
pub fn comparison(comparison: &Comparison<'_>) -> Vec<String> {
    let mut first = format!(
        "Verified: {} compared, {}",
        pluralize(comparison.compared, "count"),
        pluralize(comparison.differences.len(), "difference")
    );
    if comparison.not_compared > 0 {
        let _ = write!(first, ", {} could not be compared", comparison.not_compared);
    }
    let table = match &comparison.differences[..] {
        [] => Vec::new(),
        differences => table(differences),
    };
    once(first).chain(table).collect()
}

/// Formats the differences as a table of aligned columns.
fn table(differences: &[Difference<'_>]) -> Vec<String> {
    let rows = differences.iter().map(|d| {
        [
            d.region.to_string(),
            d.resource_type.to_string(),
            d.listed.to_string(),
            d.counted.to_string(),
            format!("{:+}", d.delta()),
            d.reason.to_owned(),
        ]
    });
    let rows: Vec<[String; 6]> = once(COLUMNS.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; 6];
    for row in &rows {
        for (width, value) in widths.iter_mut().zip(row) {
            *width = value.len().max(*width);
        }
    }
    let [regions, types, listings, counts, deltas, _] = widths;
    rows.iter()
        .map(|[region, t, listed, counted, delta, reason]| {
            format!(
                "  {region:regions$}  {t:types$}  {listed:>listings$}  {counted:>counts$}  \
                 {delta:>deltas$}  {reason}"
            )
        })
        .collect()
}
