//! The summary at the end of a run: figures and missing counts, computed from the coverage.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};

use crate::coverage::{Cell, Comparison, Coverage, Status};
use crate::model::{Region, ResourceType};
use crate::text::pluralize;

/// The maximum number of regions or types that a line names.
const NAMED: usize = 3;

/// Returns the lines of the summary. `errors` is the number of logged errors, `file` the error
/// file, `refused` the number of invalid region names returned by `ec2:DescribeRegions`.
#[must_use]
pub fn summary(coverage: &Coverage, refused: usize, errors: usize, file: &str) -> Vec<String> {
    let regions = coverage.regions.len();
    let gaps = coverage.regions.iter().filter(|r| r.missing() > 0).count();
    // All regions have the same types, in the same order.
    let found = |n: &usize| {
        let mut cells = coverage.regions.iter().map(|r| &r.cells.values()[*n]);
        cells.any(|cell| cell.total() > Some(0))
    };
    let mut lines = vec![
        "Summary".to_owned(),
        format!(
            "  Regions scanned: {regions} ({} complete, {gaps} with gaps)",
            regions - gaps
        ),
        format!(
            "  Resource types found: {}",
            (0..coverage.types().count()).filter(found).count()
        ),
        format!("  Total resources: {}", totals(coverage)),
        match errors {
            0 => "  Errors encountered: 0".to_owned(),
            n => format!("  Errors encountered: {n} (see {file})"),
        },
    ];
    lines.extend(coverage_lines(coverage));
    if refused > 0 {
        let regions = pluralize(refused, "region");
        lines.push(format!(
            "    {regions} skipped: ec2:DescribeRegions returned invalid region names"
        ));
    }
    lines
}

/// Formats the total: `496 as recorded, 388 with IAM counted once (both partial)`.
fn totals(coverage: &Coverage) -> String {
    let recorded: u64 = coverage.counts().map(|c| c.total).sum();
    let partial = coverage.missing() > 0;
    let global = coverage.global();
    if global.is_empty() {
        return format!("{recorded}{}", if partial { " (partial)" } else { "" });
    }
    let in_all_regions: u64 = global.keys().map(|t| coverage.total(t)).sum();
    let once: u64 = global.values().map(|(total, _)| total).sum();
    let largest: BTreeSet<&Region> = global.values().filter_map(|(_, region)| *region).collect();
    let largest = match largest.len() {
        0 => String::new(),
        1 => format!(" (as in {})", list(&largest)),
        _ => {
            let each = global
                .iter()
                .filter_map(|(t, (_, region))| Some(format!("{t} as in {}", (*region)?)));
            format!(" ({})", each.collect::<Vec<_>>().join(", "))
        }
    };
    format!(
        "{recorded} as recorded, {} with IAM counted once{largest}{}",
        recorded - in_all_regions + once,
        if partial { " (both partial)" } else { "" }
    )
}

/// The cells with the same kind and status.
#[derive(Default)]
struct Group<'a> {
    cells: usize,
    regions: BTreeSet<&'a Region>,
    types: BTreeSet<&'a ResourceType>,
}

/// The kind of a cell that has its own line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum CellKind {
    /// Without a total.
    Missing,
    /// Without a total, because another region counts the same resources.
    Elsewhere,
    /// With a total that may be stale or incomplete.
    Noted,
}

impl CellKind {
    /// Returns the kind of a cell; `None` for an exact count.
    fn from_cell(cell: &Cell) -> Option<Self> {
        match (cell.missing, cell.total(), cell.status) {
            (true, ..) => Some(Self::Missing),
            (_, None, _) => Some(Self::Elsewhere),
            (.., Status::Counted | Status::Zero) => None,
            _ => Some(Self::Noted),
        }
    }
}

/// Returns a line with the number of known counts, and a line for each kind and status of the
/// others.
fn coverage_lines(coverage: &Coverage) -> Vec<String> {
    let mut groups: BTreeMap<(CellKind, Status), Group<'_>> = BTreeMap::new();
    let (mut cells, mut counted) = (0, 0);
    for (region, resource_type, cell) in coverage.cells() {
        cells += 1;
        counted += usize::from(cell.total().is_some());
        if let Some(kind) = CellKind::from_cell(cell) {
            let group = groups.entry((kind, cell.status)).or_default();
            group.cells += 1;
            group.regions.insert(region);
            group.types.insert(resource_type);
        }
    }
    let all_types = coverage.types().count();
    let missing = coverage.missing();
    let known = if counted == cells {
        format!("all {} (regions × types) known", pluralize(cells, "count"))
    } else {
        format!(
            "{counted} of {} (regions × types) known",
            pluralize(cells, "count")
        )
    };
    let gaps = coverage.regions.iter().filter(|r| r.missing() > 0).count();
    let mut lines = vec![match missing {
        0 => format!("  Coverage: {known}"),
        n => format!(
            "  Coverage: {known}; {n} missing ({}):",
            pluralize(gaps, "region")
        ),
    }];
    for ((kind, status), group) in &groups {
        let all = group.cells == group.regions.len() * all_types;
        let types = if all {
            String::new()
        } else {
            format!(" ({})", list(&group.types))
        };
        let at = format!(
            "{} {status} in {}{types}",
            group.cells,
            list(&group.regions)
        );
        lines.push(match kind {
            CellKind::Missing => format!("    {at}: {}", status.advice()),
            CellKind::Elsewhere => {
                format!("    {at}: nothing missing, counted in another region")
            }
            CellKind::Noted => format!("    {at}: may be stale; {}", status.advice()),
        });
    }
    lines.extend(unknown_recorders(coverage));
    lines
}

/// Returns a line for each reason why recorders are unknown, with the regions.
fn unknown_recorders(coverage: &Coverage) -> Vec<String> {
    let mut groups: BTreeMap<Status, BTreeSet<&Region>> = BTreeMap::new();
    for region in &coverage.regions {
        let why = region.recorder.as_ref().and_then(|r| r.unknown_why());
        let any = region
            .cells
            .values()
            .iter()
            .any(|cell| cell.total().is_some());
        if let (Some(why), true) = (why, any) {
            groups.entry(why.status).or_default().insert(&region.region);
        }
    }
    let line = |(status, regions): (Status, BTreeSet<&Region>)| {
        let advice = match status {
            Status::Denied => status.advice(),
            _ => "see the output of --coverage",
        };
        format!(
            "    recorder status unknown in {} ({status}): counts may be stale and zeros may mean \
             \"not recorded\"; {advice}",
            list(&regions)
        )
    };
    groups.into_iter().map(line).collect()
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
    use crate::coverage::{Gap, Recorder, RecorderState, RegionResult, SeenIds};
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
        let types = TYPES[..types].iter().map(|t| t.parse().unwrap()).collect();
        let recorders = regions
            .iter()
            .map(|r| (r.region.clone(), recorder.clone()))
            .collect();
        let types = ResourceTypes::Named(types);
        Coverage::settle(regions, recorders, &types, Method::List)
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
        let line = |regions: Vec<RegionResult>| {
            let coverage = coverage(regions, 3, &recording());
            summary(&coverage, 0, 0, "").swap_remove(3)
        };
        // Without IDs, as with --method counts.
        assert_eq!(
            line(regions.clone()),
            "  Total resources: 11 as recorded, 8 with IAM counted once (as in us-east-1)"
        );
        let mut seen = SeenIds::new();
        for region in &mut regions {
            region.deduplicate_global_ids(&mut seen);
        }
        assert_eq!(
            line(regions.clone()),
            "  Total resources: 11 as recorded, 8 with IAM counted once"
        );
        regions.push(region("sa-east-1", &[]));
        assert_eq!(
            line(regions),
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
