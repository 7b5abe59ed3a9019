use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::advice;
use crate::aws::ops::describe_configuration_recorders::ConfigurationRecorder;
use crate::error_log::ErrorType;
use crate::inventory::{Listed, Method};
use crate::model::{ExpectedGap, Region, ResourceType, ResourceTypes};

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";
const ROLE: &str = "AWS::IAM::Role";

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

fn named(types: &[&str]) -> ResourceTypes {
    ResourceTypes::Named(types.iter().map(|t| t.parse().unwrap()).collect())
}

fn not_tried() -> Gap {
    Gap::new(ErrorType::ScanFailed, "not tried")
}

fn denied() -> Gap {
    Gap::new(ErrorType::Permission, "denied; allow it")
}

/// A region in which these listings are complete.
fn listed(code: &str, totals: &[(&str, u64)]) -> RegionResult {
    let listing = |(name, total): &(&str, u64)| {
        let ids = (0..*total).collect();
        let listed = Listed {
            total: *total,
            ids,
            changed: None,
        };
        (name.parse().unwrap(), Ok(listed))
    };
    RegionResult {
        listed: totals.iter().map(listing).collect(),
        ..RegionResult::missing(region(code), not_tried())
    }
}

/// A region that returned these counts.
fn counted(code: &str, totals: &[(&str, u64)]) -> RegionResult {
    let count = |(name, total): &(&str, u64)| (name.parse().unwrap(), *total);
    RegionResult {
        counts: Some(totals.iter().map(count).collect()),
        ..RegionResult::missing(region(code), not_tried())
    }
}

fn settings(group: &str) -> ConfigurationRecorder {
    serde_json::from_str(&format!(r#"{{"recordingGroup": {group}}}"#)).unwrap()
}

const ALL: &str = r#"{"includeGlobalResourceTypes": true}"#;

/// A recorder that is recording all types.
fn on() -> Recorder {
    Recorder::new(Ok(RecorderState::Recording), Ok(settings(ALL)))
}

/// A recorder that is recording only these types.
fn only(types: &str) -> Recorder {
    let group = format!(r#"{{"resourceTypes": [{types}]}}"#);
    Recorder::new(Ok(RecorderState::Recording), Ok(settings(&group)))
}

/// A recorder of all types that does not record now, since 6 August 2026.
fn stale(kind: StaleKind) -> Recorder {
    let since = Some(time::macros::datetime!(2026-08-06 06:26:40 UTC));
    let code = (kind == StaleKind::Failed).then(|| "Denied".into());
    let state = StaleState { kind, since, code };
    Recorder::new(Ok(RecorderState::Stale(state)), Ok(settings(ALL)))
}

fn stopped() -> Recorder {
    stale(StaleKind::Stopped)
}

/// Returns the coverage of these regions with these recorders.
fn coverage_of(
    outcomes: Vec<(RegionResult, Recorder)>,
    types: &ResourceTypes,
    method: Method,
) -> Coverage {
    let results = outcomes
        .into_iter()
        .map(|(outcome, recorder)| RegionResult {
            recorder: Some(recorder),
            ..outcome
        });
    Coverage::new(results.collect(), types, method)
}

/// Formats each cell as `region type status: total class`.
fn cells(coverage: &Coverage) -> Vec<String> {
    let cell = |(region, resource_type, cell): (&Region, &ResourceType, &Cell)| {
        let name = resource_type.as_str().rsplit(':').next().unwrap();
        let total = cell.total().map_or("-".to_owned(), |n| n.to_string());
        let class = cell.class();
        let status = cell.status().to_string().replace('_', " ");
        format!("{region} {name} {status}: {total} {class}")
    };
    coverage.cells().map(cell).collect()
}

/// Returns the cell of a type in the `n`th region.
fn cell_of<'a>(coverage: &'a Coverage, n: usize, name: &str) -> &'a Cell {
    let at = coverage.types.iter().position(|t| t.as_str() == name);
    &coverage.regions[n].cells[at.unwrap()]
}

/// Formats each message that no call has logged, with its region or global type.
fn unlogged(coverage: &Coverage) -> Vec<String> {
    let line = |u: &Unlogged<'_>| {
        let of = match (&u.counts, u.region, u.resource_type) {
            (UnloggedCounts::Missing(..), Some(region), _) => format!("{region} {}", u.error_type),
            (_, Some(region), None) => region.to_string(),
            (_, None, Some(resource_type)) => resource_type.to_string(),
            _ => panic!("{u:?}"),
        };
        format!("{of}: {}", advice::for_unlogged(u))
    };
    coverage.unlogged().iter().map(line).collect()
}

#[test]
fn known_totals_are_sorted_by_region_and_type() {
    let regions = [
        (listed("us-east-1", &[(VPC, 2), (BUCKET, 0)]), on()),
        (listed("eu-west-1", &[(BUCKET, 1), (VPC, 4)]), on()),
        (
            listed("eu-south-1", &[(VPC, 0), (BUCKET, 9)]),
            Recorder::missing(),
        ),
    ];
    let coverage = coverage_of(regions.into(), &named(&[BUCKET, VPC]), Method::List);
    let counts = coverage
        .counts()
        .map(|(region, t, total)| (region.as_str(), t.as_str(), total));
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [
            ("eu-south-1", BUCKET, 9),
            ("eu-west-1", VPC, 4),
            ("eu-west-1", BUCKET, 1),
            ("us-east-1", VPC, 2),
            ("us-east-1", BUCKET, 0),
        ]
    );
}

#[test]
fn listing_is_classified_by_recorder_status() {
    let totals = [(VPC, 0), (BUCKET, 3)];
    for (recorder, vpc, bucket) in [
        (on(), "zero: 0 known", "counted: 3 known"),
        (
            stopped(),
            "recorder stopped: 0 stale",
            "recorder stopped: 3 stale",
        ),
        (
            stale(StaleKind::Failed),
            "recorder failed: 0 stale",
            "recorder failed: 3 stale",
        ),
        (
            stale(StaleKind::Pending),
            "recorder pending: 0 stale",
            "recorder pending: 3 stale",
        ),
        (
            Recorder::missing(),
            "recorder missing: - missing",
            "recorder missing: 3 stale",
        ),
        (
            only(r#""AWS::IAM::Role""#),
            "not recorded: - missing",
            "not recorded: 3 stale",
        ),
        (
            Recorder::unknown(&denied()),
            "unverified: 0 unverified",
            "counted: 3 known",
        ),
    ] {
        let outcome = listed("eu-west-1", &totals);
        assert_cells(outcome, recorder, Method::List, vpc, bucket);
    }
}

#[test]
fn counts_are_classified_by_recorder_status() {
    for (recorder, vpc, bucket) in [
        (on(), "zero: 0 known", "counted: 3 known"),
        (
            stopped(),
            "recorder stopped: - missing",
            "recorder stopped: 3 stale",
        ),
        (
            stale(StaleKind::Failed),
            "recorder failed: - missing",
            "recorder failed: 3 stale",
        ),
        (
            stale(StaleKind::Pending),
            "recorder pending: - missing",
            "recorder pending: 3 stale",
        ),
        (
            Recorder::missing(),
            "recorder missing: - missing",
            "recorder missing: 3 stale",
        ),
        (
            only(r#""AWS::S3::Bucket""#),
            "not recorded: - missing",
            "counted: 3 known",
        ),
        // The type may not be recorded, and the recording group is unknown.
        (
            Recorder::unknown(&denied()),
            "unverified: - missing",
            "counted: 3 known",
        ),
    ] {
        let outcome = counted("eu-west-1", &[(BUCKET, 3)]);
        assert_cells(outcome, recorder, Method::Counts, vpc, bucket);
    }
}

/// Asserts the cells of a region with two types.
fn assert_cells(
    outcome: RegionResult,
    recorder: Recorder,
    method: Method,
    vpc: &str,
    bucket: &str,
) {
    let types = named(&[VPC, BUCKET]);
    let coverage = coverage_of(vec![(outcome, recorder)], &types, method);
    let expected = [
        format!("eu-west-1 VPC {vpc}"),
        format!("eu-west-1 Bucket {bucket}"),
    ];
    assert_eq!(cells(&coverage), expected);
}

#[test]
fn changed_listing_is_stale() {
    let changed = |code| {
        let mut outcome = listed(code, &[(VPC, 3), (BUCKET, 1)]);
        let vpcs = outcome.listed.get_mut(&VPC.parse().unwrap()).unwrap();
        vpcs.as_mut().unwrap().changed = Some("3 and 4".into());
        outcome
    };
    let regions = vec![
        (changed("eu-west-1"), on()),
        (changed("us-east-1"), Recorder::unknown(&denied())),
        (changed("us-west-2"), stopped()),
    ];
    let coverage = coverage_of(regions, &named(&[VPC, BUCKET]), Method::List);
    let cell = cell_of(&coverage, 0, VPC);
    assert_eq!(cell.status(), Status::ChangedWhileListed);
    assert_eq!((cell.total(), cell.class()), (Some(3), Class::Stale));
    assert_eq!(cell.detail(), "3 and 4");
    let status = |n| cell_of(&coverage, n, VPC).status();
    assert_eq!(status(1), Status::ChangedWhileListed);
    assert_eq!(status(2), Status::RecorderStopped);
    // The listing has logged its change.
    assert_eq!(coverage.unlogged().len(), 1, "{:?}", unlogged(&coverage));
}

#[test]
fn daily_recording_is_in_the_detail() {
    let daily = r#"{"recordingMode": {"recordingFrequency": "DAILY", "recordingModeOverrides":
        [{"resourceTypes": ["AWS::S3::Bucket"], "recordingFrequency": "CONTINUOUS"}]}}"#;
    let settings = serde_json::from_str(daily).unwrap();
    let recorder = Recorder::new(Ok(RecorderState::Recording), Ok(settings));
    let outcome = listed("eu-west-1", &[(VPC, 1), (BUCKET, 1)]);
    let types = named(&[VPC, BUCKET]);
    let coverage = coverage_of(vec![(outcome, recorder)], &types, Method::List);
    let details = [VPC, BUCKET].map(|t| cell_of(&coverage, 0, t).detail());
    assert_eq!(
        details,
        [
            "recorded daily: the count may be a day older than the scan",
            ""
        ]
    );
}

#[test]
fn unknown_recorder_is_noted_but_keeps_totals() {
    let recorder = Recorder::unknown(&denied());
    let outcome = listed("eu-west-1", &[(VPC, 0), (BUCKET, 3)]);
    let coverage = coverage_of(
        vec![(outcome, recorder)],
        &named(&[VPC, BUCKET]),
        Method::List,
    );
    for (_, _, cell) in coverage.cells() {
        assert_eq!(cell.detail(), "recorder status unknown: denied; allow it");
    }
    assert_eq!(unlogged(&coverage), [""; 0]);
    assert_eq!(coverage.number_of(Class::Missing), 0);
}

#[test]
fn unlogged_gaps_are_grouped_by_region_and_reason() {
    let types = named(&[VPC, BUCKET, ROLE]);
    let coverage = coverage_of(
        vec![
            (
                listed("eu-west-1", &[(VPC, 0), (BUCKET, 0), (ROLE, 2)]),
                only(r#""AWS::EC2::VPC", "AWS::IAM::Role""#),
            ),
            (
                counted("us-east-1", &[(VPC, 1)]),
                Recorder::unknown(&denied()),
            ),
            (RegionResult::missing(region("us-west-2"), denied()), on()),
        ],
        &types,
        Method::List,
    );
    assert_eq!(
        unlogged(&coverage),
        [
            "eu-west-1 CONFIG_DISABLED: not counted: not recorded and none discovered, so the real \
          number is unknown; add these types to the recorder there"
        ],
        "failed calls already have a line"
    );

    let coverage = coverage_of(
        vec![
            (
                counted("us-east-1", &[(VPC, 1)]),
                Recorder::unknown(&denied()),
            ),
            (counted("us-west-2", &[]), stopped()),
        ],
        &types,
        Method::Counts,
    );
    assert_eq!(
        unlogged(&coverage),
        [
            "us-east-1 PERMISSION: 2 types (AWS::IAM::Role, AWS::S3::Bucket) not counted: recorder \
             status unknown; no resources may mean the type is not recorded: denied; allow it",
            "us-west-2 CONFIG_DISABLED: all 3 types not counted: recorder stopped since \
             2026-08-06T06:26:40.000Z, so \
             config:GetDiscoveredResourceCounts does not count the type; start the recorder there",
        ]
    );
}

#[test]
fn stale_counts_of_a_region_have_one_line() {
    let types = named(&[VPC, BUCKET]);
    let both = |code| listed(code, &[(VPC, 0), (BUCKET, 2)]);
    let group = r#"{"recordingGroup": {"resourceTypes": ["AWS::EC2::VPC"]}}"#;
    let state = stale(StaleKind::Failed).state().cloned().unwrap();
    let mixed = Recorder::new(Ok(state), Ok(serde_json::from_str(group).unwrap()));
    let regions = vec![
        (both("eu-west-1"), stopped()),
        (both("eu-west-2"), mixed),
        (both("eu-west-3"), on()),
        (both("us-east-1"), only(r#""AWS::EC2::VPC""#)),
    ];
    let coverage = coverage_of(regions, &types, Method::List);
    assert_eq!(
        unlogged(&coverage),
        [
            "eu-west-1: stale counts of all 2 types: recorder stopped since \
             2026-08-06T06:26:40.000Z: the count dates from then; start the recorder there",
            "eu-west-2: stale counts of 1 type (AWS::EC2::VPC): recorder failed (Denied) since \
             2026-08-06T06:26:40.000Z: the count may be stale; check the recorder's role and delivery \
             channel there (see its error code); 1 type (AWS::S3::Bucket): not recorded here; the \
             discovered count may be stale or incomplete; add these types to the recorder there",
            "us-east-1: stale counts of 1 type (AWS::S3::Bucket): not recorded here; the discovered \
             count may be stale or incomplete; add these types to the recorder there",
        ]
    );
    let completeness = |n: usize| coverage.completeness(&coverage.regions[n]);
    assert_eq!(
        [0, 1, 2, 3].map(completeness),
        [
            Completeness::Stale,
            Completeness::Stale,
            Completeness::Complete,
            Completeness::Stale
        ]
    );
    let totals = coverage.totals();
    assert_eq!((totals.known, totals.stale), (3, 5));
    assert_eq!((totals.stale_regions, totals.incomplete_regions), (3, 0));
}

#[test]
fn global_type_counted_elsewhere_is_known() {
    let types = named(&[ROLE, VPC]);
    let regional = || Recorder::new(Ok(RecorderState::Recording), Ok(settings("{}")));
    let home = || listed("us-east-1", &[(VPC, 1), (ROLE, 4)]);
    for (roles, recorder, total) in [
        (Some(0), regional(), None),
        (Some(3), regional(), Some(3)),
        (Some(3), Recorder::missing(), Some(3)),
        (None, regional(), None),
    ] {
        let mut other = listed("eu-west-1", &[(VPC, 1), (ROLE, roles.unwrap_or_default())]);
        if roles.is_none() {
            let gap = Gap::new(ErrorType::ConfigDisabled, "no recorder");
            other.listed.insert(ROLE.parse().unwrap(), Err(gap));
        }
        let both = vec![(other, recorder), (home(), on())];
        let coverage = coverage_of(both, &types, Method::List);
        let cell = cell_of(&coverage, 0, ROLE);
        assert_eq!(
            (cell.status(), cell.total(), cell.class()),
            (Status::CountedElsewhere, total, Class::Known)
        );
        assert_eq!(
            cell.detail(),
            "not recorded here; counted in us-east-1 (global)"
        );
        assert_eq!(coverage.global()[0].total, 4, "only the home region counts");
    }
    // A failed call proves nothing about the recorder.
    let mut other = listed("eu-west-1", &[(VPC, 1)]);
    other.listed.insert(ROLE.parse().unwrap(), Err(denied()));
    let coverage = coverage_of(
        vec![(other, regional()), (home(), on())],
        &types,
        Method::List,
    );
    assert_eq!(cell_of(&coverage, 0, ROLE).status(), Status::AccessDenied);

    for stale in [stopped(), Recorder::missing(), Recorder::unknown(&denied())] {
        let unrecorded = listed("eu-west-1", &[(VPC, 1), (ROLE, 0)]);
        let both = vec![(unrecorded, regional()), (home(), stale)];
        let coverage = coverage_of(both, &types, Method::List);
        assert!(
            cell_of(&coverage, 0, ROLE).is_missing(),
            "the other count may be stale"
        );
    }
}

#[test]
fn unrecorded_global_type_is_one_gap() {
    let types = named(&[ROLE, VPC]);
    let regional = || Recorder::new(Ok(RecorderState::Recording), Ok(settings("{}")));
    let region = |code, roles| (listed(code, &[(VPC, 1), (ROLE, roles)]), regional());
    let regions = vec![
        region("eu-west-1", 0),
        region("eu-west-2", 0),
        region("us-east-1", 0),
    ];
    let coverage = coverage_of(regions, &types, Method::List);
    assert_eq!(
        unlogged(&coverage),
        [
            "AWS::IAM::Role: not counted in eu-west-1, eu-west-2, us-east-1: no region records and \
          counts this global type; if you need it, add it to the recorder of one older region only"
        ]
    );
    let totals = coverage.totals();
    assert_eq!((totals.known, totals.missing), (3, 3));
    assert_eq!(totals.incomplete_regions, 0);

    let regions = vec![region("eu-west-1", 2), region("us-east-1", 0)];
    let coverage = coverage_of(regions, &types, Method::List);
    let totals = coverage.totals();
    assert_eq!((totals.known, totals.stale, totals.missing), (2, 1, 1));
    assert_eq!((totals.stale_regions, totals.incomplete_regions), (0, 0));
    assert_eq!(coverage.unlogged().len(), 1);
}

#[test]
fn possible_recorders_of_global_type_are_found() {
    let types = named(&[ROLE, VPC]);
    let regional = || Recorder::new(Ok(RecorderState::Recording), Ok(settings("{}")));
    let disabled = Recorder::unknown(&Gap::new(ErrorType::RegionDisabled, "not enabled"));
    for (recorder, expected) in [
        (on(), &["us-east-1"][..]),
        (stopped(), &["us-east-1"]),
        (Recorder::unknown(&denied()), &["us-east-1"]),
        (Recorder::missing(), &[]),
        (regional(), &[]),
        (disabled, &[]),
    ] {
        let other = listed("us-east-1", &[(VPC, 1)]);
        let unrecorded = listed("eu-west-1", &[(VPC, 1), (ROLE, 0)]);
        let regions = vec![(unrecorded, regional()), (other, recorder)];
        let coverage = coverage_of(regions, &types, Method::List);
        let role = ROLE.parse().unwrap();
        let recorders = coverage.recorders_of(&role).into_iter();
        let recorders: Vec<_> = recorders.map(Region::as_str).collect();
        assert_eq!(recorders, expected);
    }
}

#[test]
fn global_total_has_only_regions_that_record() {
    let types = named(&[ROLE]);
    // The IDs of the roles are 0, 1, 2, …: the stale regions have deleted roles.
    let roles = |code, total| listed(code, &[(ROLE, total)]);
    let regional = || Recorder::new(Ok(RecorderState::Recording), Ok(settings("{}")));
    let unknown = || Recorder::unknown(&denied());
    for (regions, total) in [
        (
            vec![
                (roles("eu-west-1", 5), on()),
                (roles("us-east-1", 6), stopped()),
            ],
            5,
        ),
        (
            vec![
                (roles("eu-west-1", 5), on()),
                (roles("us-east-1", 6), unknown()),
            ],
            5,
        ),
        (
            vec![
                (roles("eu-west-1", 5), on()),
                (roles("us-east-1", 6), regional()),
            ],
            5,
        ),
        (
            vec![
                (roles("eu-west-1", 0), on()),
                (roles("us-east-1", 6), stopped()),
            ],
            0,
        ),
        (
            vec![
                (roles("eu-west-1", 5), unknown()),
                (roles("us-east-1", 6), stale(StaleKind::Failed)),
            ],
            5,
        ),
        (
            vec![
                (roles("eu-west-1", 5), stopped()),
                (roles("us-east-1", 6), regional()),
            ],
            6,
        ),
    ] {
        let coverage = coverage_of(regions, &types, Method::List);
        assert_eq!(coverage.global()[0].total, total, "{:?}", cells(&coverage));
    }
}

#[test]
fn coverage_without_a_count_is_missing() {
    let types = named(&[VPC]);
    let missing = |code| (RegionResult::missing(region(code), denied()), on());
    let zero = |recorder| (listed("us-east-1", &[(VPC, 0)]), recorder);
    for (regions, expected) in [
        (vec![missing("eu-west-1"), missing("us-east-1")], true),
        (vec![missing("eu-west-1"), zero(Recorder::missing())], true),
        (vec![missing("eu-west-1"), zero(on())], false),
        (vec![missing("eu-west-1"), zero(stopped())], false),
        (
            vec![missing("eu-west-1"), zero(Recorder::unknown(&denied()))],
            false,
        ),
        (vec![zero(on())], false),
        (vec![], false),
    ] {
        let coverage = coverage_of(regions, &types, Method::List);
        assert_eq!(coverage.is_missing(), expected, "{:?}", cells(&coverage));
    }
}

/// Returns the coverage with `gaps`, and the number of accepted counts and the state of each gap.
fn accepted(coverage: &Coverage, gaps: &[ExpectedGap]) -> (usize, Vec<String>) {
    let coverage = coverage.clone().with_expected(gaps);
    let state = |g: &AcceptedGap<'_>| format!("{}: {} {:?}", g.gap, g.missing, g.status);
    let states = coverage.accepted_gaps().iter().map(state).collect();
    let missing = coverage.number_of(Class::Missing);
    let not_accepted = coverage.number_not_accepted(Class::Missing);
    assert_eq!(coverage.accepted(), missing - not_accepted);
    (coverage.accepted(), states)
}

#[test]
fn expected_gaps_accept_missing_counts_only() {
    // IAM is recorded nowhere, sa-east-1 has no recorder, and us-west-1's is stopped.
    let recorder = || only(r#""AWS::EC2::VPC", "AWS::S3::Bucket""#);
    let totals = [(VPC, 2), (BUCKET, 0), (ROLE, 0)];
    let regions = [
        (listed("eu-west-1", &totals), recorder()),
        (listed("us-east-1", &totals), recorder()),
        (listed("us-west-1", &totals[..2]), stopped()),
        (
            RegionResult::missing(region("sa-east-1"), denied()),
            Recorder::missing(),
        ),
    ];
    let coverage = coverage_of(regions.into(), &named(&[VPC, BUCKET, ROLE]), Method::List);
    assert_eq!(coverage.number_of(Class::Missing), 6);
    let (region, role) = (
        |code| ExpectedGap::Region(region(code)),
        ROLE.parse().unwrap(),
    );
    let role = ExpectedGap::Type(role);
    let count = |code: &str, t: &str| ExpectedGap::Count(code.parse().unwrap(), t.parse().unwrap());
    for (gaps, number, states) in [
        (vec![], 0, &[][..]),
        (vec![region("sa-east-1")], 3, &["sa-east-1: 3 Missing"]),
        (vec![role.clone()], 4, &["AWS::IAM::Role: 4 Missing"]),
        (
            vec![role.clone(), region("sa-east-1"), count("sa-east-1", VPC)],
            6,
            &[
                "sa-east-1: 3 Missing",
                "AWS::IAM::Role: 4 Missing",
                "sa-east-1/AWS::EC2::VPC: 1 Missing",
            ],
        ),
        // A global type is a gap of the type, not of a region.
        (
            vec![region("eu-west-1"), role],
            4,
            &["eu-west-1: 1 NotMissing", "AWS::IAM::Role: 4 Missing"],
        ),
        (vec![region("eu-west-1")], 1, &["eu-west-1: 1 Missing"]),
        // Stale counts are not missing.
        (
            vec![count("us-west-1", VPC)],
            0,
            &["us-west-1/AWS::EC2::VPC: 0 NotMissing"],
        ),
        (
            vec![count("us-west-2", VPC)],
            0,
            &["us-west-2/AWS::EC2::VPC: 0 NotCounted"],
        ),
        (vec![region("us-west-2")], 0, &["us-west-2: 0 NotCounted"]),
    ] {
        assert_eq!(
            accepted(&coverage, &gaps),
            (number, states.iter().map(|s| (*s).to_owned()).collect()),
            "{gaps:?}"
        );
    }
}

#[test]
fn each_region_has_cells_for_all_types() {
    let (acm, sns, xray) = (
        "AWS::ACM::Certificate",
        "AWS::SNS::Topic",
        "AWS::XRay::Group",
    );
    let outcomes = vec![
        (counted("eu-west-1", &[(sns, 2)]), on()),
        (counted("sa-east-1", &[(acm, 3), (sns, 4), (xray, 5)]), on()),
        (counted("us-east-1", &[(acm, 6), (xray, 7)]), on()),
    ];
    let coverage = coverage_of(outcomes, &ResourceTypes::All, Method::Counts);
    assert!(coverage.types.is_sorted());
    assert_eq!(
        coverage.types.len(),
        13,
        "no duplicates, common types included"
    );
    let totals = |n| [acm, sns, xray].map(|t| cell_of(&coverage, n, t).total().unwrap());
    let totals = [0, 1, 2].map(totals);
    assert_eq!(totals, [[0, 2, 0], [3, 4, 5], [6, 0, 7]]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn coverage_does_not_depend_on_result_order(
        order in Just([0, 1, 2, 3]).prop_shuffle(),
        method in select(&[Method::List, Method::Counts, Method::Verify][..]),
    ) {
        let (acm, sns) = ("AWS::ACM::Certificate", "AWS::SNS::Topic");
        let both = |code, counts: &[(&str, u64)], listings: &[(&str, u64)]| RegionResult {
            counts: counted(code, counts).counts,
            ..listed(code, listings)
        };
        let regions = [
            (both("eu-west-1", &[(sns, 2), (VPC, 1)], &[(sns, 2)]), on()),
            (both("sa-east-1", &[(acm, 3), (ROLE, 4)], &[(acm, 3), (ROLE, 5)]), only("\"AWS::ACM::Certificate\"")),
            (both("us-east-1", &[], &[]), stopped()),
            (RegionResult::missing(region("us-west-2"), denied()), Recorder::unknown(&denied())),
        ];
        let built = |order: [usize; 4]| {
            let results = order.map(|n| regions[n].clone()).into();
            coverage_of(results, &ResourceTypes::All, method)
        };
        let coverage = built(order);
        prop_assert_eq!(&coverage, &built([3, 2, 1, 0]));
        prop_assert_eq!(coverage.types.len(), 12);
        for region in &coverage.regions {
            prop_assert_eq!(region.cells.len(), 12);
        }
        let classes = [Class::Known, Class::Stale, Class::Unverified, Class::Missing];
        let sum: usize = classes.into_iter().map(|c| coverage.number_of(c)).sum();
        prop_assert_eq!(sum, coverage.cells().count());
        for region in &coverage.regions {
            let missing = region.cells.iter().filter(|cell| cell.is_missing()).count();
            let is_complete = coverage.completeness(region) == Completeness::Complete;
            prop_assert!(!is_complete || missing < region.cells.len());
        }
    }
}

#[test]
fn equal_details_share_one_text() {
    let unknown = Recorder::unknown(&denied());
    let zeros = |code| (counted(code, &[]), unknown.clone());
    let regions = vec![zeros("eu-west-1"), zeros("us-east-1")];
    let coverage = coverage_of(regions, &named(&[BUCKET, VPC]), Method::Counts);
    let details: Vec<_> = coverage
        .cells()
        .map(|(.., cell)| match cell {
            Cell::Complete(None, RecordingStatus::Unknown(gap)) => &gap.detail,
            cell => panic!("{cell:?}"),
        })
        .collect();
    assert_eq!(details.len(), 4);
    assert!(details.iter().all(|d| Arc::ptr_eq(d, details[0])));
}

#[test]
fn all_types_covers_discovered_and_common_types() {
    let outcomes = vec![
        (counted("eu-west-1", &[("AWS::SNS::Topic", 2)]), on()),
        (RegionResult::missing(region("us-east-1"), denied()), on()),
    ];
    let coverage = coverage_of(outcomes, &ResourceTypes::All, Method::Counts);
    let [counted, missing] = &coverage.regions[..] else {
        panic!("two regions")
    };
    assert_eq!((counted.cells.len(), missing.cells.len()), (11, 11));
    assert_eq!(coverage.completeness(counted), Completeness::Complete);
    assert!(
        missing.cells.iter().all(Cell::is_missing),
        "a failed region has no zeros"
    );

    let nothing = vec![(RegionResult::missing(region("us-east-1"), denied()), on())];
    let coverage = coverage_of(nothing, &ResourceTypes::All, Method::List);
    assert_eq!(
        coverage.number_of(Class::Missing),
        10,
        "an empty coverage would look complete"
    );
}

#[test]
fn all_types_uses_counts_for_unlisted_types() {
    let all = ResourceTypes::All;
    let mut outcome = listed("eu-west-1", &[(VPC, 2)]);
    outcome.counts = counted("eu-west-1", &[(VPC, 2), (BUCKET, 5)]).counts;
    let coverage = coverage_of(vec![(outcome, on())], &all, Method::List);
    let known = |name| {
        let cell = cell_of(&coverage, 0, name);
        (cell.status(), cell.total())
    };
    assert_eq!(known(VPC), (Status::Counted, Some(2)));
    assert_eq!(known(ROLE), (Status::Zero, Some(0)));
    assert_eq!(
        known(BUCKET),
        (Status::NotTried, None),
        "the region ended before this listing"
    );
}

#[test]
fn global_resources_are_counted_once() {
    let types = named(&[ROLE, VPC]);
    let once = |coverage: &Coverage| -> Vec<(String, u64, Option<String>)> {
        let to_strings = |g: &GlobalTotal<'_>| {
            (
                g.resource_type.to_string(),
                g.total,
                g.region.map(ToString::to_string),
            )
        };
        coverage.global().iter().map(to_strings).collect()
    };
    let role = |n, region: Option<&str>| vec![(ROLE.to_owned(), n, region.map(str::to_owned))];

    let mut other = listed("us-west-2", &[(VPC, 9), (ROLE, 1)]);
    let roles = other.listed.get_mut(&ROLE.parse().unwrap());
    roles.unwrap().as_mut().unwrap().ids[0] = u64::MAX;
    let by_id = vec![
        (listed("eu-west-1", &[(VPC, 9), (ROLE, 2)]), on()),
        (listed("us-east-1", &[(VPC, 9), (ROLE, 3)]), on()),
        (other, on()),
    ];
    assert_eq!(
        once(&coverage_of(by_id, &types, Method::List)),
        role(4, None)
    );

    let by_region = vec![
        (counted("eu-west-1", &[(ROLE, 2)]), on()),
        (counted("us-east-1", &[(ROLE, 3)]), on()),
        (counted("us-west-2", &[(ROLE, 3)]), on()),
    ];
    let coverage = coverage_of(by_region, &types, Method::Counts);
    assert_eq!(once(&coverage), role(3, Some("us-east-1")));

    // With all types, a region lists only the types that it has; this region has no roles.
    let mut without_roles = listed("sa-east-1", &[(VPC, 1)]);
    without_roles.counts = counted("sa-east-1", &[(VPC, 1)]).counts;
    let mut with_roles = listed("us-east-1", &[(VPC, 1), (ROLE, 3)]);
    with_roles.counts = counted("us-east-1", &[(VPC, 1), (ROLE, 3)]).counts;
    let coverage = coverage_of(
        vec![(without_roles.clone(), on()), (with_roles, on())],
        &ResourceTypes::All,
        Method::List,
    );
    assert_eq!(once(&coverage)[..1], role(3, None));
    let coverage = coverage_of(
        vec![(without_roles, on())],
        &ResourceTypes::All,
        Method::List,
    );
    let zero = |name: &str| (name.to_owned(), 0, None);
    let expected = ["AWS::IAM::Role", "AWS::IAM::User"].map(zero);
    assert_eq!(once(&coverage), expected, "the common types");

    let nowhere = vec![(RegionResult::missing(region("eu-west-1"), denied()), on())];
    assert_eq!(once(&coverage_of(nowhere, &types, Method::List)), []);
}

#[test]
fn unproven_reason_is_called_possible() {
    let both = |listed_totals: &[(&str, u64)], counts: &[(&str, u64)], code| RegionResult {
        counts: counted(code, counts).counts,
        ..listed(code, listed_totals)
    };
    let types = named(&[VPC, BUCKET]);
    for (recorder, listed, counts, reason) in [
        (on(), 3, 3, None),
        (
            on(),
            3,
            2,
            Some(
                "possible reason: the counts lag some minutes behind the recorder or the resources",
            ),
        ),
        (
            on(),
            2,
            3,
            Some(
                "possible reason: the counts lag behind deleted resources, or resources changed between the calls",
            ),
        ),
        // A recorder that does not record the type does not explain a count.
        (
            stopped(),
            3,
            2,
            Some("possible reason: the recorder does not record now, so both numbers are stale"),
        ),
        (
            Recorder::missing(),
            20,
            7777,
            Some(
                "possible reason: the counts lag behind deleted resources, or resources changed between the calls",
            ),
        ),
        (
            stopped(),
            3,
            0,
            Some("recorder stopped: counts are empty, the listing is stale"),
        ),
        (
            Recorder::missing(),
            3,
            0,
            Some("no recorder: counts are empty, the listing is stale"),
        ),
        (
            only(r#""AWS::S3::Bucket""#),
            3,
            0,
            Some(
                "not recorded here: the listing has discovered resources, the counts only recorded \
                 ones",
            ),
        ),
        (
            Recorder::unknown(&denied()),
            3,
            0,
            Some(
                "possible reason: the type is not recorded, or the counts lag (recorder status unknown)",
            ),
        ),
    ] {
        let outcome = both(
            &[(VPC, listed), (BUCKET, 1)],
            &[(VPC, counts), (BUCKET, 1)],
            "eu-west-1",
        );
        let coverage = coverage_of(vec![(outcome, recorder)], &types, Method::Verify);
        let found = coverage.compare();
        assert_eq!((found.compared, found.not_compared), (2, 0));
        assert_eq!(found.differences.first().map(|d| d.reason), reason);
        let delta = i128::from(listed) - i128::from(counts);
        assert!(
            found
                .differences
                .iter()
                .all(|d| d.delta() == delta && d.resource_type.as_str() == VPC)
        );
    }
}

#[test]
fn cells_without_both_numbers_are_not_compared() {
    let types = named(&[VPC, BUCKET]);
    let no_counts = listed("eu-west-1", &[(VPC, 1), (BUCKET, 1)]);
    let no_listing = counted("us-east-1", &[(VPC, 1)]);
    let coverage = coverage_of(
        vec![(no_counts, on()), (no_listing, on())],
        &types,
        Method::Verify,
    );
    let found = coverage.compare();
    assert_eq!(
        (found.compared, found.not_compared, found.differences.len()),
        (0, 4, 0)
    );

    // With all types, only the existing types are listed.
    let mut all = listed("eu-west-1", &[(VPC, 1)]);
    all.counts = counted("eu-west-1", &[(VPC, 1)]).counts;
    let coverage = coverage_of(vec![(all, on())], &ResourceTypes::All, Method::Verify);
    let found = coverage.compare();
    assert_eq!((found.compared, found.not_compared), (1, 0));
}

#[test]
fn unknown_type_needs_resources_somewhere() {
    const NEW: &str = "AWS::Moon::Crater";
    let mut rejected = listed("us-east-1", &[]);
    let gap = Gap {
        status: Status::UnknownType,
        ..Gap::new(ErrorType::ApiError, "rejected")
    };
    let name: ResourceType = NEW.parse().unwrap();
    rejected.listed.insert(name.clone(), Err(gap));
    let mut failed = listed("sa-east-1", &[]);
    failed.listed.insert(name, Err(denied()));
    for (total, expected) in [
        (
            0,
            [
                "eu-west-1 Crater unknown type: - missing",
                "eu-west-2 Crater unknown type: - missing",
                "eu-west-3 Crater unknown type: - missing",
                "sa-east-1 Crater access denied: - missing",
                "us-east-1 Crater unknown type: - missing",
            ],
        ),
        (
            2,
            [
                "eu-west-1 Crater counted: 2 known",
                "eu-west-2 Crater recorder stopped: 0 stale",
                "eu-west-3 Crater not recorded: - missing",
                "sa-east-1 Crater access denied: - missing",
                "us-east-1 Crater error: - missing",
            ],
        ),
    ] {
        let coverage = coverage_of(
            vec![
                (listed("eu-west-1", &[(NEW, total)]), on()),
                (listed("eu-west-2", &[(NEW, 0)]), stopped()),
                (listed("eu-west-3", &[(NEW, 0)]), only("\"AWS::EC2::VPC\"")),
                (failed.clone(), on()),
                (rejected.clone(), on()),
            ],
            &named(&[NEW]),
            Method::List,
        );
        assert_eq!(cells(&coverage), expected);
        let lines = unlogged(&coverage);
        let has_line = lines.iter().any(|line| line.starts_with(NEW));
        assert!(!has_line, "the rejection is logged: {lines:?}");
    }
    let outcomes = vec![(listed("eu-west-1", &[(NEW, 0), ("My::Own::Kind", 0)]), on())];
    let coverage = coverage_of(outcomes, &named(&[NEW, "My::Own::Kind"]), Method::List);
    let expected = [
        "eu-west-1 Crater unknown type: - missing",
        "eu-west-1 Kind zero: 0 known",
    ];
    assert_eq!(cells(&coverage), expected);
    let line = format!(
        "{NEW}: not counted: not a resource type that this version knows, and no region returned \
         resources of it; check its name"
    );
    assert_eq!(unlogged(&coverage), [line]);
}
