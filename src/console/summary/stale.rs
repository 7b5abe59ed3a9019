//! The stale and the unverified counts, with what to do about them.

use std::collections::{BTreeMap, BTreeSet};

use time::{Date, UtcOffset};

use super::gaps::MissingCounts;
use super::incomplete::{needs_policy, policy};
use super::input::SummaryInput;
use super::layout::wrapped;
use super::names::names;
use crate::advice;
use crate::coverage::{Class, Coverage, Status};
use crate::model::{Region, ResourceType};
use crate::text::number_of;

/// Stale counts with the same reason.
#[derive(Debug, Default)]
struct StaleCounts<'a> {
    cells: usize,
    regions: BTreeSet<&'a Region>,
    /// The types, unless the regions have no other counts.
    types: BTreeSet<&'a ResourceType>,
    /// The days since which the recorders have not recorded, in UTC.
    since: BTreeSet<Date>,
}

/// The status, the scope, the day and the types that stale counts have in common.
type Key<'a> = (Status, bool, Option<Date>, BTreeSet<&'a ResourceType>);

/// The maximum number of lines for a status.
const MAX_LINES: usize = 8;

/// Returns a line for stale counts with the same reason, types and day; if these are many, for each reason.
pub fn stale(missing: &MissingCounts<'_>, input: &SummaryInput<'_>) -> Vec<String> {
    let mut by_status: BTreeMap<(Status, bool), Vec<StaleCounts<'_>>> = BTreeMap::new();
    for ((status, is_global, ..), counts) in groups(input.coverage) {
        by_status
            .entry((status, is_global))
            .or_default()
            .push(counts);
    }
    let mut lines = Vec::new();
    for ((status, is_global), mut counts) in by_status {
        if counts.len() > MAX_LINES {
            counts = vec![merged(counts)];
        }
        let line = |counts: &StaleCounts<'_>| {
            let sentence = if is_global {
                global_sentence(counts, missing, input)
            } else {
                sentence(status, counts, &place(counts, missing, input.columns))
            };
            format!("Stale: {}{sentence}", number_of(counts.cells, "count"))
        };
        lines.extend(counts.iter().map(line));
    }
    lines
}

/// Groups the stale counts.
fn groups(coverage: &Coverage) -> BTreeMap<Key<'_>, StaleCounts<'_>> {
    let mut groups: BTreeMap<Key<'_>, StaleCounts<'_>> = BTreeMap::new();
    for region in coverage.regions_with(Class::Stale) {
        let mut own: BTreeMap<(Status, bool), StaleCounts<'_>> = BTreeMap::new();
        let cells = coverage.types.iter().zip(&region.cells);
        for (resource_type, cell) in cells.clone().filter(|(_, cell)| cell.is_stale()) {
            let is_global = cell.is_unrecorded_global(resource_type);
            let counts = own.entry((cell.status(), is_global)).or_default();
            counts.cells += 1;
            counts.types.insert(resource_type);
            counts
                .since
                .extend(cell.since().map(|at| at.to_offset(UtcOffset::UTC).date()));
        }
        let all = cells.filter(|(t, cell)| {
            !cell.is_unrecorded_global(t) && cell.status() != Status::CountedElsewhere
        });
        let all = all.count();
        for ((status, is_global), mut counts) in own {
            if !is_global && counts.cells == all {
                counts.types.clear();
            }
            let key = (
                status,
                is_global,
                counts.since.first().copied(),
                counts.types.clone(),
            );
            let group = groups.entry(key).or_default();
            group.cells += counts.cells;
            group.regions.insert(&region.result.region);
            group.types = counts.types;
            group.since.extend(counts.since);
        }
    }
    groups
}

/// Merges the counts of many places.
fn merged(counts: Vec<StaleCounts<'_>>) -> StaleCounts<'_> {
    let mut merged = StaleCounts::default();
    for counts in counts {
        merged.cells += counts.cells;
        merged.regions.extend(counts.regions);
        merged.since.extend(counts.since);
    }
    merged
}

/// Formats the regions, and the types if the regions have other counts.
fn place<'a>(
    counts: &StaleCounts<'a>,
    missing: &MissingCounts<'a>,
    columns: Option<usize>,
) -> String {
    let all_regions = counts.regions.len() > 2 && counts.regions == missing.all_regions;
    let regions = if all_regions {
        format!("all {}", number_of(counts.regions.len(), "region"))
    } else {
        names(&counts.regions, columns)
    };
    match counts.types.len() {
        0 => regions,
        _ => format!("{regions} ({})", missing.type_names(&counts.types, columns)),
    }
}

/// Formats what is stale since when, and what to do.
fn sentence(status: Status, counts: &StaleCounts<'_>, place: &str) -> String {
    let is_one = counts.regions.len() == 1;
    let one = |one: &'static str, many: &'static str| if is_one { one } else { many };
    let (recorder, it, was) = (
        one("its recorder", "their recorders"),
        one("it", "them"),
        one("was", "were"),
    );
    let since = days(&counts.since);
    match (status, since) {
        (Status::RecorderStopped, Some(days)) => format!(
            " of {place} {} from {days}, when {recorder} {was} stopped; start {it} again",
            if counts.cells == 1 { "dates" } else { "date" }
        ),
        (Status::RecorderStopped, None) => format!(
            " of {place} {} from before {recorder} {was} stopped; start {it} again",
            if counts.cells == 1 { "dates" } else { "date" }
        ),
        (Status::RecorderFailed, since) => format!(
            " of {place} may be out of date{}, because {recorder} {} to record; check the error code in the error \
             log, the role and the delivery channel",
            since_text(since),
            one("fails", "fail")
        ),
        (Status::RecorderPending, since) => format!(
            " of {place} may be incomplete, because {recorder} {} not recorded yet{}; wait, and run again",
            one("has", "have"),
            since_text(since)
        ),
        (Status::ChangedWhileListed, _) => {
            format!(" of {place} changed while listed; run again when fewer resources change")
        }
        (Status::RecorderMissing, _) => format!(
            " of {place} may be out of date, because there is no configuration recorder; turn on AWS Config there"
        ),
        (_, _) => {
            let is_one_type = counts.cells == counts.regions.len();
            let (types, them) = if is_one_type {
                ("this type", "it")
            } else {
                ("these types", "them")
            };
            format!(
                " of {place} may be out of date, because {recorder} {} not record {types}; add {them} to the recorder",
                one("does", "do")
            )
        }
    }
}

/// Formats the reason of global types that are listed in regions that do not record them.
fn global_sentence(
    counts: &StaleCounts<'_>,
    missing: &MissingCounts<'_>,
    input: &SummaryInput<'_>,
) -> String {
    let (types, regions) = (
        missing.type_names(&counts.types, input.columns),
        missing.region_count(&counts.regions),
    );
    let recorders = counts.types.iter();
    let recorders = recorders
        .flat_map(|t| input.coverage.recorders_of(t))
        .collect();
    format!(
        " of {types} in {regions} may be out of date, because no region {} {}; {}",
        if BTreeSet::is_empty(&recorders) {
            "records"
        } else {
            "records and counts"
        },
        if counts.types.len() == 1 {
            "this global type"
        } else {
            "these global types"
        },
        advice::action_for_global_types(counts.types.len(), &recorders)
    )
}

/// Formats days: `2026-08-14`, `2026-01-02 to 2026-08-14`; `None` if there are none.
fn days(days: &BTreeSet<Date>) -> Option<String> {
    let (first, last) = (days.first()?, days.last()?);
    Some(if first == last {
        first.to_string()
    } else {
        format!("{first} to {last}")
    })
}

fn since_text(days: Option<String>) -> String {
    days.map_or_else(String::new, |days| format!(" since {days}"))
}

/// Returns a line for each reason why recorders are unknown: their counts may be stale, and their zeros wrong.
pub fn unverified(missing: &MissingCounts<'_>, input: &SummaryInput<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (status, regions) in input.coverage.unknown_recorders() {
        let Some(line) = unknown(status, &regions, missing, input) else {
            continue;
        };
        lines.extend(wrapped(vec![line], input.columns));
        if status == Status::AccessDenied && !needs_policy(missing) {
            lines.extend(policy(input));
        }
    }
    lines
}

fn unknown<'a>(
    status: Status,
    regions: &BTreeSet<&'a Region>,
    missing: &MissingCounts<'a>,
    input: &SummaryInput<'_>,
) -> Option<String> {
    let cells = input.coverage.cells();
    let of_status = cells.filter(|(region, _, cell)| {
        regions.contains(region) && cell.status() == Status::Unverified
    });
    let (without_count, zeros): (Vec<_>, Vec<_>) =
        of_status.partition(|(.., cell)| cell.is_missing());
    let names = missing.region_names(regions, input.columns);
    let action = match status {
        Status::AccessDenied if needs_policy(missing) => "grant the IAM policy above",
        Status::AccessDenied => "grant the IAM policy below",
        _ => "see the error log",
    };
    let reason = advice::reason(status);
    Some(match zeros.len() {
        // The missing counts have the advice, or the error that ended the scan.
        0 if !without_count.is_empty() || status == Status::NotTried => return None,
        0 => format!(
            "Recorder status unknown in {names} ({reason}): the counts may be stale; {action}"
        ),
        1 => format!(
            "Unverified: 1 count of {names} is 0, but the type may not be recorded: recorder status unknown \
             ({reason}); {action}"
        ),
        n => format!(
            "Unverified: {} of {names} are 0, but the types may not be recorded: recorder status unknown \
             ({reason}); {action}",
            number_of(n, "count")
        ),
    })
}
