//! The summary at the end of a run: figures and missing counts, computed from the coverage.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::advice;
use crate::coverage::{Cell, Class, Coverage, GlobalTotal, Group, Status, Totals, Unlogged};
use crate::error_log::timestamp;
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
    let stale = match totals.stale_regions {
        0 => String::new(),
        n => format!("{n} stale, "),
    };
    let complete = regions - gaps - totals.stale_regions;
    let see_file = match errors {
        0 => String::new(),
        _ => format!(" (see {file})"),
    };
    let mut lines = vec![
        "Summary".to_owned(),
        format!("  Regions scanned: {regions} ({complete} complete, {stale}{gaps} with gaps)"),
        format!("  Resource types found: {}", totals.types_found),
        format!("  Total resources: {}", resources(&totals)),
        format!("  Errors encountered: {errors}{see_file}"),
        known_counts(&totals),
    ];
    for (status, place, _) in places(coverage, Cell::is_missing) {
        lines.push(format!("    {place}: {}", advice::for_status(status)));
    }
    lines.extend(unrecorded_global_types(coverage));
    for (status, place, group) in places(coverage, Cell::is_stale) {
        let (since, advice) = (stale_since(&group), advice::for_status(status));
        lines.push(format!("    {place}: {since}; {advice}"));
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
    let is_iam = |g: &GlobalTotal<'_>| g.resource_type.is_global_iam();
    let resources = if totals.global.iter().all(is_iam) {
        "IAM"
    } else {
        "global resources"
    };
    format!("{recorded} as recorded, {once} with {resources} counted once{regions}{partial}")
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

/// Formats the number of counts of each class; the numbers add up to all counts.
fn known_counts(totals: &Totals<'_>) -> String {
    let cells = pluralize(totals.cells, "count");
    let known = match totals.known {
        n if n == totals.cells => format!("all {cells}"),
        n => format!("{n} of {cells}"),
    };
    let mut others = Vec::new();
    for (n, class) in [
        (totals.stale, Class::Stale),
        (totals.unverified, Class::Unverified),
        (totals.missing, Class::Missing),
    ] {
        if n > 0 {
            others.push(format!("{n} {class}"));
        }
    }
    let mut line = format!("  Coverage: {known} (regions × types) known");
    if !others.is_empty() {
        let _ = write!(line, "; {}", others.join(", "));
    }
    if totals.missing > 0 {
        let places = [
            (totals.incomplete_regions, "region"),
            (totals.missing_global_types, "global type"),
        ];
        let places = places.into_iter().filter(|(n, _)| *n > 0);
        let places: Vec<_> = places.map(|(n, noun)| pluralize(n, noun)).collect();
        let _ = write!(line, " ({})", places.join(", "));
    }
    if !others.is_empty() {
        line.push(':');
    }
    line
}

/// Returns a line for each global type that no region records and counts.
fn unrecorded_global_types(coverage: &Coverage) -> impl Iterator<Item = String> {
    let unlogged = coverage.unlogged().into_iter();
    unlogged.filter_map(|unlogged| match unlogged {
        Unlogged::Global { resource_type, .. } => Some(format!(
            "    {resource_type} (global) recorded in no region: {}",
            advice::FOR_GLOBAL_TYPE
        )),
        _ => None,
    })
}

/// Formats the number of cells that `is_wanted` selects, by status: with their status, their regions,
/// and their types if their regions have other counts.
fn places(
    coverage: &Coverage,
    is_wanted: fn(&Cell) -> bool,
) -> impl Iterator<Item = (Status, String, Group<'_>)> {
    let groups = coverage.groups(is_wanted).into_iter();
    groups.map(|(status, group)| {
        let regions = list(&group.regions, NAMED);
        let mut place = format!("{} {} in {regions}", group.cells, in_words(status));
        if !group.is_whole {
            let _ = write!(place, " ({})", list(&group.types, NAMED));
        }
        (status, place, group)
    })
}

/// Formats the time since when counts are stale: `stale since …`.
fn stale_since(group: &Group<'_>) -> String {
    let mut times = group.since.iter().flatten();
    match (times.next(), group.since.len()) {
        (None, _) => "stale".to_owned(),
        (Some(at), 1) => format!("stale since {}", timestamp(*at)),
        (Some(first), _) => format!("stale, the oldest since {}", timestamp(*first)),
    }
}

/// Returns a line for each reason why recorders are unknown, with the regions.
fn unknown_recorders(coverage: &Coverage) -> impl Iterator<Item = String> {
    let by_status = coverage.unknown_recorders().into_iter();
    by_status.map(|(status, regions)| {
        let regions = list(&regions, NAMED);
        let advice = advice::for_unknown_recorder(status);
        format!(
            "    recorder status unknown in {regions} ({}): counts may be stale and zeros \
             may mean \"not recorded\"; {advice}",
            in_words(status)
        )
    })
}

/// Formats a status with spaces: `recorder missing`.
fn in_words(status: Status) -> String {
    status.to_string().replace('_', " ")
}
