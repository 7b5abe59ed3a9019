//! What a person reads at the end of a run: figures, and what is missing from them, all derived
//! from the cells.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write};

use crate::coverage::{Cell, Comparison, Coverage, Status};
use crate::model::{Region, ResourceType, plural};

/// How many regions or types a line names.
const NAMED: usize = 3;

/// The lines of the summary, with the number of errors and the file that holds them; `refused` is
/// how many regions could not be asked because their names are none.
#[must_use]
pub fn summary(coverage: &Coverage, refused: usize, errors: usize, file: &str) -> Vec<String> {
    let regions = coverage.regions.len();
    let gaps = coverage.regions.iter().filter(|r| r.missing() > 0).count();
    // Every region has the same types in the same order.
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
        let regions = plural(refused, "region");
        lines.push(format!(
            "    {regions} not asked: what ec2:DescribeRegions gave is no name"
        ));
    }
    lines
}

/// `496 as recorded, 388 with IAM counted once (both partial)`
fn totals(coverage: &Coverage) -> String {
    let recorded: u64 = coverage.counts().map(|c| c.total).sum();
    let partial = coverage.missing() > 0;
    let global = coverage.global();
    if global.is_empty() {
        return format!("{recorded}{}", if partial { " (partial)" } else { "" });
    }
    let each_time: u64 = global.keys().map(|t| coverage.total(t)).sum();
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
        recorded - each_time + once,
        if partial { " (both partial)" } else { "" }
    )
}

/// Cells of one kind.
#[derive(Default)]
struct Group<'a> {
    cells: usize,
    regions: BTreeSet<&'a Region>,
    types: BTreeSet<&'a ResourceType>,
}

/// What the cells of a group have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Missing,
    /// No total, and none is wanted.
    Elsewhere,
    /// A total with something to keep in mind.
    Noted,
}

impl Kind {
    fn of(cell: &Cell) -> Option<Self> {
        match (cell.missing, cell.total(), cell.status) {
            (true, ..) => Some(Self::Missing),
            (_, None, _) => Some(Self::Elsewhere),
            (.., Status::Counted | Status::Zero) => None,
            _ => Some(Self::Noted),
        }
    }
}

/// How many cells are counted, and a line for every reason why others are not.
fn coverage_lines(coverage: &Coverage) -> Vec<String> {
    let mut groups: BTreeMap<(Kind, Status), Group<'_>> = BTreeMap::new();
    let (mut cells, mut counted) = (0, 0);
    for (region, resource_type, cell) in coverage.cells() {
        cells += 1;
        counted += usize::from(cell.total().is_some());
        if let Some(kind) = Kind::of(cell) {
            let group = groups.entry((kind, cell.status)).or_default();
            group.cells += 1;
            group.regions.insert(region);
            group.types.insert(resource_type);
        }
    }
    let all_types = coverage.types().count();
    let missing = coverage.missing();
    let of = if counted == cells {
        format!("all {} (regions × types) counted", plural(cells, "cell"))
    } else {
        format!(
            "{counted} of {} (regions × types) counted",
            plural(cells, "cell")
        )
    };
    let gaps = coverage.regions.iter().filter(|r| r.missing() > 0).count();
    let mut lines = vec![match missing {
        0 => format!("  Coverage: {of}"),
        n => format!(
            "  Coverage: {of}; {n} missing in {}:",
            plural(gaps, "region")
        ),
    }];
    for ((kind, status), group) in &groups {
        let whole = group.cells == group.regions.len() * all_types;
        let types = if whole {
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
            Kind::Missing => format!("    {at}: {}", status.advice()),
            Kind::Elsewhere => format!("    {at}: none missing, another region counts the same"),
            Kind::Noted => format!("    {at}: counted, perhaps stale; {}", status.advice()),
        });
    }
    lines.extend(unknown_recorders(coverage));
    lines
}

/// Where a total could be stale, and a zero a type that is not recorded.
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
            _ => "--coverage tells why",
        };
        format!(
            "    recorder unknown in {} ({status}): totals may be stale, and a zero a type that is not \
             recorded; {advice}",
            list(&regions)
        )
    };
    groups.into_iter().map(line).collect()
}

/// `a, b, c and 2 more`.
fn list<T: Display>(items: &BTreeSet<&T>) -> String {
    let named: Vec<String> = items.iter().take(NAMED).map(ToString::to_string).collect();
    match items.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// What a comparison of both ways of counting came to, with a table of what differs.
#[must_use]
pub fn comparison(comparison: &Comparison<'_>) -> Vec<String> {
    let Comparison {
        compared,
        not_compared,
        differences,
    } = comparison;
    let mut first = format!(
        "Verified: {} compared, {}",
        plural(*compared, "cell"),
        plural(differences.len(), "difference")
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
            "known reason",
        ]
        .map(str::to_owned),
    ];
    rows.extend(differences.iter().map(|d| {
        [
            d.region.to_string(),
            d.resource_type.to_string(),
            d.listed.to_string(),
            d.counted.to_string(),
            format!("{:+}", d.by()),
            d.reason.to_owned(),
        ]
    }));
    let width = |n: usize| {
        rows.iter()
            .map(|row| row[n].len())
            .max()
            .unwrap_or_default()
    };
    let [regions, types, listings, counts, steps] = [0, 1, 2, 3, 4].map(width);
    let line = |[region, t, listed, counted, by, reason]: &[String; 6]| {
        format!(
            "  {region:regions$}  {t:types$}  {listed:>listings$}  {counted:>counts$}  \
             {by:>steps$}  {reason}"
        )
    };
    let table = rows.iter().map(line).filter(|_| !differences.is_empty());
    std::iter::once(first).chain(table).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::{Listed, Method};
    use crate::coverage::{Loss, Outcome, Recorder, Running, Seen};
    use crate::error_log::ErrorType;
    use crate::model::ResourceTypes;

    const TYPES: [&str; 3] = ["AWS::EC2::VPC", "AWS::S3::Bucket", "AWS::IAM::Role"];

    fn denied() -> Loss {
        Loss::of(ErrorType::Permission, "denied")
    }

    /// A region in which these of [`TYPES`] were listed, and the others denied.
    fn region(code: &str, totals: &[u64]) -> Outcome {
        let listing = |(name, total): (&&str, &u64)| {
            let ids = (0..*total).map(|n| n.to_string()).collect();
            (name.parse().unwrap(), Ok(Listed { total: *total, ids }))
        };
        Outcome {
            listed: TYPES.iter().zip(totals).map(listing).collect(),
            ..Outcome::lost(code.parse().unwrap(), denied())
        }
    }

    fn coverage(regions: Vec<Outcome>, types: usize, recorder: &Recorder) -> Coverage {
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
            running: Ok(Running::Recording),
            group: Ok(serde_json::from_str(r#"{"includeGlobalResourceTypes": true}"#).unwrap()),
        }
    }

    #[test]
    fn nothing_is_missing() {
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
                "  Coverage: all 4 cells (regions × types) counted",
            ]
        );
    }

    #[test]
    fn a_part_is_never_passed_off_as_the_whole() {
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
                "  Coverage: 3 of 4 cells (regions × types) counted; 1 missing in 1 region:",
                "    1 denied in eu-west-1 (AWS::S3::Bucket): allow what `iam-policy` prints, also \
                 in service control policies",
                "    1 region not asked: what ec2:DescribeRegions gave is no name",
            ]
        );
    }

    #[test]
    fn many_regions_are_not_all_named() {
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
            "    10 denied in eu-west-1, eu-west-2, eu-west-3 and 2 more: allow what `iam-policy` \
             prints, also in service control policies"
        );
        assert_eq!(lines.len(), 7);
    }

    #[test]
    fn what_to_keep_in_mind_is_told_below() {
        let stopped = Recorder {
            running: Ok(Running::Stopped),
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
                "  Coverage: all 2 cells (regions × types) counted",
                "    2 recorder stopped in eu-west-1: counted, perhaps stale; start the recorder \
                 there",
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
                "    recorder unknown in eu-west-1 (denied): totals may be stale, and a zero a type \
                 that is not recorded; allow what `iam-policy` prints, also in service control \
                 policies"
            ]
        );
    }

    #[test]
    fn global_resources_are_in_two_totals() {
        let mut regions = vec![
            region("us-east-1", &[1, 1, 4]),
            region("eu-west-1", &[1, 1, 3]),
        ];
        let line = |regions: Vec<Outcome>| {
            let coverage = coverage(regions, 3, &recording());
            summary(&coverage, 0, 0, "").swap_remove(3)
        };
        // Without their ids, as counts are.
        assert_eq!(
            line(regions.clone()),
            "  Total resources: 11 as recorded, 8 with IAM counted once (as in us-east-1)"
        );
        let mut seen = Seen::new();
        for region in &mut regions {
            region.hand_over_ids(&mut seen);
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
    fn differences_are_a_table() {
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
                "Verified: 2 cells compared, 1 difference, 2 could not be compared",
                "  region     type           listed  counted  difference  known reason",
                "  eu-west-1  AWS::EC2::VPC      12        9          +3  recorded: the counts \
                 follow some minutes after the recorder or the resources",
            ]
        );
        let same = coverage(vec![region("eu-west-1", &[])], 0, &recording());
        assert_eq!(
            comparison(&same.compare()),
            ["Verified: 0 cells compared, 0 differences"]
        );
    }
}
