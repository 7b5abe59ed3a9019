use super::*;
use crate::aws::ops::describe_configuration_recorders::ConfigurationRecorder;
use crate::coverage::{
    Coverage, Gap, Recorder, RecorderState, RegionResult, StaleKind, StaleState,
};
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
        (
            name.parse().unwrap(),
            Ok(Listed {
                total: *total,
                ids,
                changed: None,
            }),
        )
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

fn settings() -> ConfigurationRecorder {
    serde_json::from_str(r#"{"recordingGroup": {"includeGlobalResourceTypes": true}}"#).unwrap()
}

fn recording() -> Recorder {
    Recorder::new(Ok(RecorderState::Recording), Ok(settings()))
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
            "    1 access denied in eu-west-1 (AWS::S3::Bucket): grant the policy printed by \
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
        "    10 access denied in eu-west-1, eu-west-2, eu-west-3 and 2 more: grant the policy printed \
         by `aws-config-resource-count iam-policy`; also check service control policies"
    );
    assert_eq!(lines.len(), 7);
}

#[test]
fn stale_counts_have_a_line() {
    let state = StaleState {
        kind: StaleKind::Stopped,
        since: Some(time::macros::datetime!(2026-08-06 06:26:40 UTC)),
        code: None,
    };
    let stopped = Recorder::new(Ok(RecorderState::Stale(state)), Ok(settings()));
    let lines = summary(
        &coverage(vec![region("eu-west-1", &[1, 2])], 2, &stopped),
        0,
        0,
        "",
    );
    assert_eq!(
        [&lines[1..2], &lines[5..]].concat(),
        [
            "  Regions scanned: 1 (0 complete, 1 stale, 0 with gaps)",
            "  Coverage: 0 of 2 counts (regions × types) known; 2 stale:",
            "    2 recorder stopped in eu-west-1: stale since 2026-08-06T06:26:40.000Z; start the \
             recorder there",
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
        lines[5..],
        [
            "  Coverage: 1 of 2 counts (regions × types) known; 1 unverified:",
            "    recorder status unknown in eu-west-1 (access denied): counts may be stale and zeros \
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
            "  region     type           listed  counted  difference  reason",
            "  eu-west-1  AWS::EC2::VPC      12        9          +3  possible reason: the counts lag \
             some minutes behind the recorder or the resources",
        ]
    );
    let same = coverage(vec![region("eu-west-1", &[])], 0, &recording());
    assert_eq!(
        comparison(&same.compare()),
        ["Verified: 0 counts compared, 0 differences"]
    );
}
