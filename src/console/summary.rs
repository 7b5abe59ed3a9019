//! The summary at the end of a run: figures and missing counts, computed from the coverage.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::advice;
use crate::coverage::{Cell, Coverage, GlobalTotal, Group, Status, Totals};
use crate::model::Region;
use crate::text::{list, pluralize};

/// The maximum number of regions or types that a line names.
const NAMED: usize = 3;

/// Returns the lines of the summary. `errors` is the number of logged errors, `file` the error
/// file, `refused` the number of invalid region names returned by `ec2:DescribeRegions`.
#[must_use]
pub fn summary(coverage: &Coverage, refused: usize, errors: usize, file: &str) -> Vec<String> {
    let totals = coverage.totals();
    let mut lines = figures(coverage.regions.len(), &totals);
    lines.push(match errors {
        0 => "  Errors encountered: 0".to_owned(),
        n => format!("  Errors encountered: {n} (see {file})"),
    });
    lines.push(known_counts(&totals));
    lines.extend(group_lines(coverage));
    lines.extend(unknown_recorders(coverage));
    if refused > 0 {
        let regions = pluralize(refused, "region");
        lines.push(format!(
            "    {regions} skipped: ec2:DescribeRegions returned invalid region names"
        ));
    }
    lines
}

fn figures(regions: usize, totals: &Totals<'_>) -> Vec<String> {
    let gaps = totals.incomplete_regions;
    vec![
        "Summary".to_owned(),
        format!(
            "  Regions scanned: {regions} ({} complete, {gaps} with gaps)",
            regions - gaps
        ),
        format!("  Resource types found: {}", totals.types_found),
        format!("  Total resources: {}", resources(totals)),
    ]
}

/// Formats the total: `496 as recorded, 388 with IAM counted once (both partial)`.
fn resources(totals: &Totals<'_>) -> String {
    let partial = totals.missing > 0;
    if totals.global.is_empty() {
        let partial = if partial { " (partial)" } else { "" };
        return format!("{}{partial}", totals.recorded);
    }
    format!(
        "{} as recorded, {} with IAM counted once{}{}",
        totals.recorded,
        totals.once,
        largest_regions(&totals.global),
        if partial { " (both partial)" } else { "" }
    )
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
    let known = if totals.counted == totals.cells {
        format!("  Coverage: all {cells} (regions × types) known")
    } else {
        format!(
            "  Coverage: {} of {cells} (regions × types) known",
            totals.counted
        )
    };
    match totals.missing {
        0 => known,
        n => {
            let regions = pluralize(totals.incomplete_regions, "region");
            format!("{known}; {n} missing ({regions}):")
        }
    }
}

/// Returns a line for each status of the counts that are not exact.
fn group_lines(coverage: &Coverage) -> Vec<String> {
    let types = coverage.types.len();
    let mut lines = Vec::new();
    for (status, group) in coverage.groups(Cell::is_missing) {
        let advice = advice::for_status(status);
        lines.push(format!("    {}: {advice}", place(status, &group, types)));
    }
    for (status, group) in coverage.groups(Cell::is_counted_elsewhere) {
        let place = place(status, &group, types);
        lines.push(format!(
            "    {place}: nothing missing, counted in another region"
        ));
    }
    for (status, group) in coverage.groups(Cell::is_stale) {
        let (place, advice) = (place(status, &group, types), advice::for_status(status));
        lines.push(format!("    {place}: may be stale; {advice}"));
    }
    lines
}

/// Formats the number of cells of a group, their status, their regions, and their types if they are
/// not all types of the run.
fn place(status: Status, group: &Group<'_>, all_types: usize) -> String {
    let regions = list(&group.regions, NAMED);
    let mut place = format!("{} {status} in {regions}", group.cells);
    if group.cells != group.regions.len() * all_types {
        let _ = write!(place, " ({})", list(&group.types, NAMED));
    }
    place
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
