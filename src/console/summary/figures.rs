//! The figures of the summary.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;

use super::input::SummaryInput;
use crate::aws::usage::Usage;
use crate::coverage::{Class, Completeness, Coverage, GlobalTotal, Totals};
use crate::model::{Region, ResourceType};
use crate::text::{duration, number_of, thousands};

/// Returns the lines with the figures, the four of the specification first.
pub fn figures(input: &SummaryInput<'_>) -> Vec<String> {
    let (coverage, totals) = (input.coverage, input.coverage.totals());
    let see_file = match input.errors {
        0 => String::new(),
        _ => format!(" (see {})", input.error_file),
    };
    vec![
        format!("  Regions scanned: {}", regions(coverage)),
        format!("  Resource types found: {}", thousands(totals.types_found)),
        format!("  Total resources: {}", total(input, &totals)),
        format!(
            "  Errors encountered: {}{see_file}",
            thousands(input.errors)
        ),
        format!(
            "  Coverage: {}",
            counts(coverage, &totals) + &effort(input.elapsed, &input.usage)
        ),
    ]
}

/// Formats the regions: `17 (13 complete, 1 stale, 3 incomplete)`; the numbers add up.
fn regions(coverage: &Coverage) -> String {
    let all = coverage.regions.len();
    let mut numbers = [0; 4];
    for region in &coverage.regions {
        let kind = match coverage.completeness(region) {
            Completeness::Complete if region.number_of(Class::Unverified) > 0 => 2,
            Completeness::Complete => 0,
            Completeness::Stale => 1,
            Completeness::Partial | Completeness::Missing => 3,
        };
        numbers[kind] += 1;
    }
    let names = ["complete", "stale", "unverified", "incomplete"];
    let parts = numbers.into_iter().zip(names);
    let parts: Vec<(usize, &str)> = parts.filter(|(n, _)| *n > 0).collect();
    let shown = match parts[..] {
        [(1, name)] => name.to_owned(),
        [(_, "complete")] => "all complete".to_owned(),
        _ => {
            let complete = (numbers[0] == 0).then_some((0, names[0]));
            let parts = complete.into_iter().chain(parts);
            let parts = parts.map(|(n, name)| format!("{} {name}", thousands(n)));
            parts.collect::<Vec<_>>().join(", ")
        }
    };
    format!("{} ({shown})", thousands(all))
}

/// Formats the total, with notes about what it contains.
fn total(input: &SummaryInput<'_>, totals: &Totals<'_>) -> String {
    if input.coverage.is_missing() {
        return "unknown".to_owned();
    }
    let at_least = if totals.missing > 0 { "at least " } else { "" };
    let figure = format!("{at_least}{}", thousands(totals.once));
    let named = input.options.resource_types.named();
    let is_default = named.is_some_and(|types| {
        let types: BTreeSet<&ResourceType> = types.iter().collect();
        types == ResourceType::common().iter().collect()
    });
    let default =
        is_default.then(|| "10 default types; for every type: --resource-types all".to_owned());
    let notes: Vec<String> = rows(input.coverage, totals)
        .into_iter()
        .chain(default)
        .collect();
    match notes.join("; ") {
        notes if notes.is_empty() => figure,
        notes => format!("{figure} ({notes})"),
    }
}

/// Formats the sum of the rows of the CSV, if it is another: it has the global resources of each region.
fn rows(coverage: &Coverage, totals: &Totals<'_>) -> Option<String> {
    if totals.recorded == totals.once {
        return None;
    }
    let is_iam = |g: &GlobalTotal<'_>| g.resource_type.is_global_iam();
    let resources = if totals.global.iter().all(is_iam) {
        "IAM is"
    } else {
        "global resources are"
    };
    let global = coverage
        .counts()
        .filter(|(_, t, total)| t.is_global() && *total > 0);
    let regions: BTreeSet<&Region> = global.map(|(region, ..)| region).collect();
    Some(format!(
        "the CSV's rows add up to {}: {resources} in {}, counted once here{}",
        thousands(totals.recorded),
        number_of(regions.len(), "region"),
        largest_regions(&totals.global)
    ))
}

/// Names the regions whose totals are those of global types, because the resource IDs are not known.
fn largest_regions(global: &[GlobalTotal<'_>]) -> String {
    let by_region = global.iter().filter_map(|g| Some((g, g.region?)));
    let regions: BTreeSet<&Region> = by_region.clone().map(|(_, region)| region).collect();
    match regions.first() {
        None => String::new(),
        Some(only) if regions.len() == 1 => format!(", as in {only}"),
        Some(_) => {
            let each = by_region.map(|(g, region)| format!("{} as in {region}", g.resource_type));
            format!(", {}", each.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Formats the number of counts of each class; the numbers add up to all counts.
fn counts(coverage: &Coverage, totals: &Totals<'_>) -> String {
    let cells = number_of(totals.cells, "count");
    let mut line = match totals.cells {
        all if totals.known < all => format!("{} of {cells} known", thousands(totals.known)),
        all if all > 1 => format!("all {cells} known"),
        _ => format!("{cells} known"),
    };
    for (n, class) in [
        (totals.stale, Class::Stale),
        (totals.unverified, Class::Unverified),
        (totals.missing, Class::Missing),
    ] {
        if n > 0 {
            let _ = write!(line, ", {} {class}", thousands(n));
        }
    }
    let accepted = coverage.accepted();
    if accepted > 0 {
        let _ = write!(line, ", {} of them accepted", thousands(accepted));
    }
    let regions = number_of(coverage.regions.len(), "region");
    let types = number_of(coverage.types.len(), "type");
    format!("{line} ({regions} × {types})")
}

/// Formats the time and the requests of the run.
pub fn effort(elapsed: Duration, usage: &Usage) -> String {
    let requests = usize::try_from(usage.requests).unwrap_or(usize::MAX);
    let (time, requests) = (duration(elapsed), number_of(requests, "request"));
    let throttled = thousands(usage.throttles);
    let retries = match usage.retries {
        1 => "1 retry".to_owned(),
        n => format!("{} retries", thousands(n)),
    };
    let repeated = match (usage.throttles, usage.retries) {
        (0, 0) => String::new(),
        (0, _) => format!(", {retries}"),
        (n, same) if n == same => format!(", {throttled} throttled and retried"),
        (_, 0) => format!(", {throttled} throttled"),
        _ => format!(", {retries}, {throttled} throttled"),
    };
    format!(" · {time}, {requests}{repeated}")
}
