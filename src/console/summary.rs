//! The summary at the end of a run: figures and missing counts, computed from the coverage.

use std::collections::BTreeSet;
use std::fmt::{Display, Write};

use crate::advice;
use crate::coverage::{Cell, Comparison, Coverage, GlobalTotal, Group, Status, Totals};
use crate::model::Region;
use crate::text::pluralize;

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
        1 => format!(" (as in {})", list(&regions)),
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
    let types = coverage.types().count();
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
    let regions = list(&group.regions);
    let mut place = format!("{} {status} in {regions}", group.cells);
    if group.cells != group.regions.len() * all_types {
        let _ = write!(place, " ({})", list(&group.types));
    }
    place
}

/// Returns a line for each reason why recorders are unknown, with the regions.
fn unknown_recorders(coverage: &Coverage) -> impl Iterator<Item = String> {
    let by_status = coverage.unknown_recorders().into_iter();
    by_status.map(|(status, regions)| {
        let regions = list(&regions);
        let advice = advice::for_unknown_recorder(status);
        format!(
            "    recorder status unknown in {regions} ({status}): counts may be stale and zeros \
             may mean \"not recorded\"; {advice}"
        )
    })
}

/// Formats a list: `a, b, c and 2 more`.
fn list<T: Display>(items: &BTreeSet<&T>) -> String {
    let named: Vec<String> = items.iter().take(NAMED).map(ToString::to_string).collect();
    match items.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Returns the lines of a comparison of listings and counts, with a table of the differences.
#[must_use]
pub fn comparison(comparison: &Comparison<'_>) -> Vec<String> {
    let Comparison {
        compared,
        not_compared,
        differences,
    } = comparison;
    let mut first = format!(
        "Verified: {} compared, {}",
        pluralize(*compared, "count"),
        pluralize(differences.len(), "difference")
    );
    if *not_compared > 0 {
        let _ = write!(first, ", {not_compared} could not be compared");
    }
    let mut rows = vec![
        [
            "region",
            "type",
            "listed",
            "counted",
            "difference",
            "possible reason",
        ]
        .map(str::to_owned),
    ];
    rows.extend(differences.iter().map(|d| {
        [
            d.region.to_string(),
            d.resource_type.to_string(),
            d.listed.to_string(),
            d.counted.to_string(),
            format!("{:+}", d.delta()),
            d.reason.to_owned(),
        ]
    }));
    let width = |n: usize| {
        rows.iter()
            .map(|row| row[n].len())
            .max()
            .unwrap_or_default()
    };
    let [regions, types, listings, counts, deltas] = [0, 1, 2, 3, 4].map(width);
    let line = |[region, t, listed, counted, delta, reason]: &[String; 6]| {
        format!(
            "  {region:regions$}  {t:types$}  {listed:>listings$}  {counted:>counts$}  \
             {delta:>deltas$}  {reason}"
        )
    };
    let table = rows.iter().map(line).filter(|_| !differences.is_empty());
    std::iter::once(first).chain(table).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::{Gap, Recorder, RecorderState, RegionResult};
    use crate::error_log::ErrorType;
    use crate::inventory::{Listed, Method};
    use crate::model::ResourceTypes;

    const TYPES: [&str; 3] = ["AWS::EC2::VPC", "AWS::S3::Bucket", "AWS::IAM::Role"];

    fn denied() -> Gap {
        Gap::new(ErrorType::Permission, "denied")
    }

    /// A region with listings of the first [`TYPES`]; access to the other types is denied.
    fn region(code: &str, totals: &[u64]) -> RegionResult {
        let listing = |(name, total): (&&str, &u64)| {
            let ids = (0..*total).collect();
            (name.parse().unwrap(), Ok(Listed { total: *total, ids }))
        };
        RegionResult {
            listed: TYPES.iter().zip(totals).map(listing).collect(),
            ..RegionResult::missing(code.parse().unwrap(), denied())
        }
    }

    fn coverage(regions: Vec<RegionResult>, types: usize, recorder: &Recorder) -> Coverage {
        coverage_with(regions, types, recorder, Method::List)
    }

    fn coverage_with(
        mut regions: Vec<RegionResult>,
        types: usize,
        recorder: &Recorder,
        method: Method,
    ) -> Coverage {
        let types = TYPES[..types].iter().map(|t| t.parse().unwrap()).collect();
        for region in &mut regions {
            region.recorder = Some(recorder.clone());
        }
        Coverage::new(regions, &ResourceTypes::Named(types), method)
    }

    /// Moves the totals of a region's listings to its counts.
    fn as_counts(mut region: RegionResult) -> RegionResult {
        let listed = std::mem::take(&mut region.listed);
        let counts = listed.into_iter().map(|(t, l)| (t, l.unwrap().total));
        region.counts = Some(counts.collect());
        region
    }

    fn recording() -> Recorder {
        Recorder {
            running: Ok(RecorderState::Recording),
            group: Ok(serde_json::from_str(r#"{"includeGlobalResourceTypes": true}"#).unwrap()),
        }
    }

    #[test]
    fn complete_coverage_has_one_line() {
        let regions = vec![region("us-east-1", &[0, 7]), region("eu-west-1", &[2, 5])];
        let coverage = coverage(regions, 2, &recording());
        assert_eq!(
            summary(&coverage, 0, 0, "e.txt"),
            [
                "Summary",
                "  Regions scanned: 2 (2 complete, 0 with gaps)",
                "  Resource types found: 2",
                "  Total resources: 14",
                "  Errors encountered: 0",
                "  Coverage: all 4 counts (regions × types) known",
            ]
        );
    }

    #[test]
    fn partial_total_is_marked() {
        let regions = vec![region("us-east-1", &[0, 7]), region("eu-west-1", &[2])];
        let coverage = coverage(regions, 2, &recording());
        assert_eq!(
            summary(&coverage, 1, 2, "e.txt"),
            [
                "Summary",
                "  Regions scanned: 2 (1 complete, 1 with gaps)",
                "  Resource types found: 2",
                "  Total resources: 9 (partial)",
                "  Errors encountered: 2 (see e.txt)",
                "  Coverage: 3 of 4 counts (regions × types) known; 1 missing (1 region):",
                "    1 denied in eu-west-1 (AWS::S3::Bucket): grant the policy printed by \
                 `aws-config-resource-count iam-policy`; also check service control policies",
                "    1 region skipped: ec2:DescribeRegions returned invalid region names",
            ]
        );
    }

    #[test]
    fn long_region_list_is_shortened() {
        let codes = [
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "sa-east-1",
            "us-east-1",
        ];
        let regions = codes.iter().map(|code| region(code, &[])).collect();
        let lines = summary(&coverage(regions, 2, &recording()), 0, 5, "e.txt");
        assert_eq!(
            lines[6],
            "    10 denied in eu-west-1, eu-west-2, eu-west-3 and 2 more: grant the policy printed \
             by `aws-config-resource-count iam-policy`; also check service control policies"
        );
        assert_eq!(lines.len(), 7);
    }

    #[test]
    fn stale_counts_have_a_line() {
        let stopped = Recorder {
            running: Ok(RecorderState::Stopped),
            ..recording()
        };
        let lines = summary(
            &coverage(vec![region("eu-west-1", &[1, 2])], 2, &stopped),
            0,
            0,
            "",
        );
        assert_eq!(
            lines[5..],
            [
                "  Coverage: all 2 counts (regions × types) known",
                "    2 recorder stopped in eu-west-1: may be stale; start the recorder there",
            ]
        );
        let unknown = Recorder::unknown(&denied());
        let lines = summary(
            &coverage(vec![region("eu-west-1", &[1, 0])], 2, &unknown),
            0,
            0,
            "",
        );
        assert_eq!(
            lines[6..],
            [
                "    recorder status unknown in eu-west-1 (denied): counts may be stale and zeros \
                 may mean \"not recorded\"; grant the policy printed by `aws-config-resource-count \
                 iam-policy`; also check service control policies"
            ]
        );
    }

    #[test]
    fn global_resources_have_two_totals() {
        let mut regions = vec![
            region("us-east-1", &[1, 1, 4]),
            region("eu-west-1", &[1, 1, 3]),
        ];
        let line = |regions: Vec<RegionResult>, method| {
            let coverage = coverage_with(regions, 3, &recording(), method);
            summary(&coverage, 0, 0, "").swap_remove(3)
        };
        // Counts have no IDs.
        let counts = regions.iter().cloned().map(as_counts).collect();
        assert_eq!(
            line(counts, Method::Counts),
            "  Total resources: 11 as recorded, 8 with IAM counted once (as in us-east-1)"
        );
        assert_eq!(
            line(regions.clone(), Method::List),
            "  Total resources: 11 as recorded, 8 with IAM counted once"
        );
        regions.push(region("sa-east-1", &[]));
        assert_eq!(
            line(regions, Method::List),
            "  Total resources: 11 as recorded, 8 with IAM counted once (both partial)"
        );
    }

    #[test]
    fn differences_are_shown_as_table() {
        let mut outcome = region("eu-west-1", &[12, 3]);
        let counts = [("AWS::EC2::VPC", 9), ("AWS::S3::Bucket", 3)];
        outcome.counts = Some(
            counts
                .iter()
                .map(|(t, n)| (t.parse().unwrap(), *n))
                .collect(),
        );
        let regions = vec![outcome, region("us-east-1", &[1])];
        assert_eq!(
            comparison(&coverage(regions, 2, &recording()).compare()),
            [
                "Verified: 2 counts compared, 1 difference, 2 could not be compared",
                "  region     type           listed  counted  difference  possible reason",
                "  eu-west-1  AWS::EC2::VPC      12        9          +3  recorded: counts can lag \
                 some minutes behind the recorder or the resources",
            ]
        );
        let same = coverage(vec![region("eu-west-1", &[])], 0, &recording());
        assert_eq!(
            comparison(&same.compare()),
            ["Verified: 0 counts compared, 0 differences"]
        );
    }
}
