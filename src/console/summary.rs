//! The summary at the end of a run: figures and missing counts, computed from the coverage.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::advice;
use crate::coverage::{Cell, Coverage, GlobalTotal, Status, Totals};
use crate::model::Region;
use crate::text::{list, pluralize};

/// The maximum number of regions or types that a line names.
const NAMED: usize = 3;

/// Returns the lines of the summary. `errors` is the number of logged errors, `file` the error
/// file, `refused` the number of invalid region names returned by `ec2:DescribeRegions`.
#[must_use]
pub fn summary(coverage: &Coverage, refused: usize, errors: usize, file: &str) -> Vec<String> {
    let totals = coverage.totals();
    let (regions, gaps) = (coverage.regions.len(), totals.incomplete_regions);
    let complete = regions - gaps;
    let see_file = match errors {
        0 => String::new(),
        _ => format!(" (see {file})"),
    };
    let mut lines = vec![
        "Summary".to_owned(),
        format!("  Regions scanned: {regions} ({complete} complete, {gaps} with gaps)"),
        format!("  Resource types found: {}", totals.types_found),
        format!("  Total resources: {}", resources(&totals)),
        format!("  Errors encountered: {errors}{see_file}"),
        known_counts(&totals),
    ];
    for (status, place) in places(coverage, Cell::is_missing) {
        lines.push(format!("    {place}: {}", advice::for_status(status)));
    }
    for (_, place) in places(coverage, Cell::is_counted_elsewhere) {
        let why = "nothing missing, counted in another region";
        lines.push(format!("    {place}: {why}"));
    }
    for (status, place) in places(coverage, Cell::is_stale) {
        let advice = advice::for_status(status);
        lines.push(format!("    {place}: may be stale; {advice}"));
    }
    lines.extend(unknown_recorders(coverage));
    if refused > 0 {
        let regions = pluralize(refused, "region");
        lines.push(format!(
            "    {regions} skipped: ec2:DescribeRegions returned invalid region names"
        ));
    }
    lines
}

/// Formats the total: `496 as recorded, 388 with IAM counted once (both partial)`.
fn resources(totals: &Totals<'_>) -> String {
    let (recorded, once) = (totals.recorded, totals.once);
    let partial = totals.missing > 0;
    if totals.global.is_empty() {
        let partial = if partial { " (partial)" } else { "" };
        return format!("{recorded}{partial}");
    }
    let partial = if partial { " (both partial)" } else { "" };
    let regions = largest_regions(&totals.global);
    format!("{recorded} as recorded, {once} with IAM counted once{regions}{partial}")
}

/// Names the regions whose totals are those of global types, because the resource IDs are not
/// known.
fn largest_regions(global: &[GlobalTotal<'_>]) -> String {
    let regions: BTreeSet<&Region> = global.iter().filter_map(|g| g.region).collect();
    match regions.len() {
        0 => String::new(),
        1 => format!(" (as in {})", list(&regions, NAMED)),
        _ => {
            let by_region = global.iter().filter_map(|g| Some((g, g.region?)));
            let each = by_region.map(|(g, region)| format!("{} as in {region}", g.resource_type));
            format!(" ({})", each.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Formats the number of known counts.
fn known_counts(totals: &Totals<'_>) -> String {
    let cells = pluralize(totals.cells, "count");
    let known = match totals.counted {
        n if n == totals.cells => format!("all {cells}"),
        n => format!("{n} of {cells}"),
    };
    let regions = pluralize(totals.incomplete_regions, "region");
    let missing = match totals.missing {
        0 => String::new(),
        n => format!("; {n} missing ({regions}):"),
    };
    format!("  Coverage: {known} (regions × types) known{missing}")
}

/// Formats the number of cells that `is_wanted` selects, by status: with their status, their regions,
/// and their types if they are not all types of the run.
fn places(
    coverage: &Coverage,
    is_wanted: fn(&Cell) -> bool,
) -> impl Iterator<Item = (Status, String)> {
    let groups = coverage.groups(is_wanted).into_iter();
    groups.map(|(status, group)| {
        let regions = list(&group.regions, NAMED);
        let mut place = format!("{} {status} in {regions}", group.cells);
        if group.cells != group.regions.len() * coverage.types.len() {
            let _ = write!(place, " ({})", list(&group.types, NAMED));
        }
        (status, place)
    })
}

/// Returns a line for each reason why recorders are unknown, with the regions.
fn unknown_recorders(coverage: &Coverage) -> impl Iterator<Item = String> {
    let by_status = coverage.unknown_recorders().into_iter();
    by_status.map(|(status, regions)| {
        let regions = list(&regions, NAMED);
        let advice = advice::for_unknown_recorder(status);
        format!(
            "    recorder status unknown in {regions} ({status}): counts may be stale and zeros \
             may mean \"not recorded\"; {advice}"
        )
    })
}
