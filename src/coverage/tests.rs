use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::aws::ops::describe_configuration_recorders::RecordingGroup;
use crate::count::Method;
use crate::model::ResourceTypes;

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";
const ROLE: &str = "AWS::IAM::Role";

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

fn named(types: &[&str]) -> ResourceTypes {
    ResourceTypes::Named(types.iter().map(|t| t.parse().unwrap()).collect())
}

fn not_tried() -> Loss {
    Loss::of(ErrorType::ScanFailed, "not tried")
}

fn denied() -> Loss {
    Loss::of(ErrorType::Permission, "denied; allow it")
}

/// A region in which these listings came to an end.
fn listed(code: &str, totals: &[(&str, u64)]) -> Outcome {
    let listing = |(name, total): &(&str, u64)| {
        let ids = (0..*total).map(|n| format!("{name} {n}")).collect();
        let listed = Listed { total: *total, ids };
        (name.parse().unwrap(), Ok(listed))
    };
    Outcome {
        listed: totals.iter().map(listing).collect(),
        ..Outcome::lost(region(code), not_tried())
    }
}

/// A region that gave these counts.
fn counted(code: &str, totals: &[(&str, u64)]) -> Outcome {
    let count = |(name, total): &(&str, u64)| (name.parse().unwrap(), *total);
    Outcome {
        counts: Some(totals.iter().map(count).collect()),
        ..Outcome::lost(region(code), not_tried())
    }
}

fn group(json: &str) -> RecordingGroup {
    serde_json::from_str(json).unwrap()
}

/// A recorder that is running, and records everything.
fn on() -> Recorder {
    Recorder {
        running: Ok(Running::Recording),
        group: Ok(group(r#"{"includeGlobalResourceTypes": true}"#)),
    }
}

/// One that is running, and records these types alone.
fn only(types: &str) -> Recorder {
    Recorder {
        group: Ok(group(&format!(r#"{{"resourceTypes": [{types}]}}"#))),
        ..on()
    }
}

fn with(running: Running) -> Recorder {
    Recorder {
        running: Ok(running),
        ..on()
    }
}

/// What is known of these regions with these recorders.
fn settle(outcomes: Vec<(Outcome, Recorder)>, types: &ResourceTypes, method: Method) -> Coverage {
    let mut seen = Seen::new();
    let (mut all, mut recorders) = (Vec::new(), BTreeMap::new());
    for (mut outcome, recorder) in outcomes {
        outcome.hand_over_ids(&mut seen);
        recorders.insert(outcome.region.clone(), recorder);
        all.push(outcome);
    }
    Coverage::settle(all, recorders, types, method)
}

/// `region type status total`, and a `!` where nobody knows the number.
fn cells(coverage: &Coverage) -> Vec<String> {
    let cell = |(region, resource_type, cell): (&Region, &ResourceType, &Cell)| {
        let name = resource_type.as_str().rsplit(':').next().unwrap();
        let total = cell.total().map_or("-".to_owned(), |n| n.to_string());
        let missing = if cell.missing { " !" } else { "" };
        format!("{region} {name} {}: {total}{missing}", cell.status)
    };
    coverage.cells().map(cell).collect()
}

fn untold(coverage: &Coverage) -> Vec<String> {
    let line = |u: &Untold| {
        let of = u
            .resource_type
            .as_ref()
            .map_or(String::new(), |t| format!(" {t}"));
        format!("{}{of} {} {}", u.region, u.error_type, u.message)
    };
    coverage.untold().iter().map(line).collect()
}

#[test]
fn the_totals_that_are_known_come_by_region_and_type() {
    let regions = [
        (listed("us-east-1", &[(VPC, 2), (BUCKET, 0)]), on()),
        (listed("eu-west-1", &[(BUCKET, 1), (VPC, 4)]), on()),
        (
            listed("eu-south-1", &[(VPC, 0), (BUCKET, 9)]),
            with(Running::Missing),
        ),
    ];
    let coverage = settle(regions.into(), &named(&[BUCKET, VPC]), Method::List);
    let counts = coverage
        .counts()
        .map(|c| (c.region.as_str(), c.resource_type.as_str(), c.total));
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
fn what_a_listing_means_under_each_recorder() {
    let totals = [(VPC, 0), (BUCKET, 3)];
    let unknown = Recorder::unknown(&denied());
    for (recorder, vpc, bucket) in [
        (on(), "zero: 0", "counted: 3"),
        (
            with(Running::Stopped),
            "recorder stopped: 0",
            "recorder stopped: 3",
        ),
        (
            with(Running::Missing),
            "recorder missing: - !",
            "recorder missing: 3",
        ),
        (
            only(r#""AWS::IAM::Role""#),
            "not recorded: - !",
            "not recorded: 3",
        ),
        (unknown, "zero: 0", "counted: 3"),
    ] {
        let outcome = listed("eu-west-1", &totals);
        let coverage = settle(
            vec![(outcome, recorder)],
            &named(&[VPC, BUCKET]),
            Method::List,
        );
        let expected = [
            format!("eu-west-1 VPC {vpc}"),
            format!("eu-west-1 Bucket {bucket}"),
        ];
        assert_eq!(cells(&coverage), expected);
    }
}

#[test]
fn what_the_counts_mean_under_each_recorder() {
    let unknown = Recorder::unknown(&denied());
    for (recorder, vpc, bucket) in [
        (on(), "zero: 0", "counted: 3"),
        (
            with(Running::Stopped),
            "recorder stopped: - !",
            "recorder stopped: 3",
        ),
        (
            with(Running::Missing),
            "recorder missing: - !",
            "recorder missing: 3",
        ),
        (
            only(r#""AWS::S3::Bucket""#),
            "not recorded: - !",
            "counted: 3",
        ),
        // It could be a type that is not recorded, and who knows was not asked.
        (unknown, "denied: - !", "counted: 3"),
    ] {
        let outcome = counted("eu-west-1", &[(BUCKET, 3)]);
        let coverage = settle(
            vec![(outcome, recorder)],
            &named(&[VPC, BUCKET]),
            Method::Counts,
        );
        let expected = [
            format!("eu-west-1 VPC {vpc}"),
            format!("eu-west-1 Bucket {bucket}"),
        ];
        assert_eq!(cells(&coverage), expected);
    }
}

#[test]
fn a_recorder_that_is_unknown_is_in_the_detail_and_takes_nothing_away() {
    let recorder = Recorder::unknown(&denied());
    let outcome = listed("eu-west-1", &[(VPC, 0), (BUCKET, 3)]);
    let coverage = settle(
        vec![(outcome, recorder)],
        &named(&[VPC, BUCKET]),
        Method::List,
    );
    for (_, _, cell) in coverage.cells() {
        assert_eq!(cell.detail(), "recorder unknown: denied; allow it");
    }
    assert_eq!(untold(&coverage), [""; 0]);
    assert_eq!(coverage.missing(), 0);
}

#[test]
fn losses_that_no_call_told_of_have_a_line_for_each_region_and_reason() {
    let types = named(&[VPC, BUCKET, ROLE]);
    let coverage = settle(
        vec![
            (
                listed("eu-west-1", &[(VPC, 0), (BUCKET, 0), (ROLE, 2)]),
                only(r#""AWS::EC2::VPC""#),
            ),
            (
                counted("us-east-1", &[(VPC, 1)]),
                Recorder::unknown(&denied()),
            ),
            (Outcome::lost(region("us-west-2"), denied()), on()),
        ],
        &types,
        Method::List,
    );
    let not_recorded = "not recorded here: none was discovered, and whether there are any is not \
                        known; add the types to the recording group there (IAM's to that of one older region)";
    assert_eq!(
        untold(&coverage),
        [format!(
            "eu-west-1 AWS::S3::Bucket CONFIG_DISABLED not counted: {not_recorded}"
        )],
        "of what was lost a call told, and has a line"
    );

    let coverage = settle(
        vec![
            (
                counted("us-east-1", &[(VPC, 1)]),
                Recorder::unknown(&denied()),
            ),
            (counted("us-west-2", &[]), with(Running::Stopped)),
        ],
        &types,
        Method::Counts,
    );
    assert_eq!(
        untold(&coverage),
        [
            "us-east-1 PERMISSION 2 types not counted (AWS::IAM::Role, AWS::S3::Bucket): recorder \
             unknown, so that none may mean not recorded: denied; allow it",
            "us-west-2 CONFIG_DISABLED 3 types not counted (AWS::EC2::VPC, AWS::IAM::Role, \
             AWS::S3::Bucket): the recorder is stopped, and config:GetDiscoveredResourceCounts \
             counts nothing then; start the recorder there",
        ]
    );
}

#[test]
fn global_resources_that_another_region_counts_are_not_missing() {
    let types = named(&[ROLE, VPC]);
    let regional = Recorder {
        group: Ok(group("{}")),
        ..on()
    };
    let none = || listed("eu-west-1", &[(VPC, 1), (ROLE, 0)]);
    let home = || listed("us-east-1", &[(VPC, 1), (ROLE, 4)]);
    let both = vec![(none(), regional.clone()), (home(), on())];
    let coverage = settle(both, &types, Method::List);
    let cell = coverage.regions[0]
        .cells
        .get(&ROLE.parse().unwrap())
        .unwrap();
    assert_eq!(
        (cell.status, cell.total(), cell.missing),
        (Status::NotRecorded, None, false)
    );
    assert_eq!(
        cell.detail(),
        "not recorded here; us-east-1 counts the same resources"
    );
    assert_eq!((coverage.missing(), coverage.untold().len()), (0, 0));

    for stale in [
        with(Running::Stopped),
        with(Running::Missing),
        Recorder::unknown(&denied()),
    ] {
        let both = vec![(none(), regional.clone()), (home(), stale)];
        let coverage = settle(both, &types, Method::List);
        assert!(
            coverage.regions[0]
                .cells
                .get(&ROLE.parse().unwrap())
                .unwrap()
                .missing,
            "nobody vouches"
        );
    }
    let alone = settle(vec![(none(), regional)], &types, Method::List);
    assert_eq!(
        (alone.missing(), alone.untold().len()),
        (1, 1),
        "nobody counts them"
    );
}

#[test]
fn a_region_has_a_cell_for_each_type_of_every_other_region() {
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
    let coverage = settle(outcomes, &ResourceTypes::All, Method::Counts);
    assert!(coverage.types().is_sorted());
    assert_eq!(
        coverage.types().count(),
        13,
        "each once, the common ones too"
    );
    let totals = |r: &RegionCoverage| {
        [acm, sns, xray].map(|t| r.cells.get(&t.parse().unwrap()).unwrap().total().unwrap())
    };
    let totals: Vec<_> = coverage.regions.iter().map(totals).collect();
    assert_eq!(totals, [[0, 2, 0], [3, 4, 5], [6, 0, 7]]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn in_which_order_the_tasks_end_changes_nothing(
        order in Just([0, 1, 2, 3, 4, 5, 6, 7]).prop_shuffle(),
        method in select(&[Method::List, Method::Counts, Method::Verify][..]),
    ) {
        let (acm, sns) = ("AWS::ACM::Certificate", "AWS::SNS::Topic");
        let both = |code, counts: &[(&str, u64)], listings: &[(&str, u64)]| Outcome {
            counts: counted(code, counts).counts,
            ..listed(code, listings)
        };
        let regions = [
            (both("eu-west-1", &[(sns, 2), (VPC, 1)], &[(sns, 2)]), on()),
            (both("sa-east-1", &[(acm, 3), (ROLE, 4)], &[(acm, 3), (ROLE, 5)]), only("\"AWS::ACM::Certificate\"")),
            (both("us-east-1", &[], &[]), with(Running::Stopped)),
            (Outcome::lost(region("us-west-2"), denied()), Recorder::unknown(&denied())),
        ];
        let settled = |order: [usize; 8]| {
            let mut settling = Settling::new(&ResourceTypes::All, method);
            for n in order {
                let (outcome, recorder) = &regions[n / 2];
                match n % 2 {
                    0 => settling.outcome(outcome.clone()),
                    _ => settling.recorder(&outcome.region, recorder.clone()),
                }
            }
            settling.finish()
        };
        let coverage = settled(order);
        prop_assert_eq!(&coverage, &settled([7, 6, 5, 4, 3, 2, 1, 0]));
        prop_assert_eq!(coverage.types().count(), 12);
        for region in &coverage.regions {
            prop_assert_eq!(region.cells.values().len(), 12);
            let missing = region.cells.values().iter().filter(|cell| cell.missing);
            prop_assert_eq!(region.missing(), missing.count());
        }
    }
}

#[test]
fn of_all_types_those_that_any_region_has_and_the_common_ones_have_cells() {
    let outcomes = vec![
        (counted("eu-west-1", &[("AWS::SNS::Topic", 2)]), on()),
        (Outcome::lost(region("us-east-1"), denied()), on()),
    ];
    let coverage = settle(outcomes, &ResourceTypes::All, Method::Counts);
    let [there, lost] = &coverage.regions[..] else {
        panic!("two regions")
    };
    assert_eq!((there.cells.values().len(), there.missing()), (11, 0));
    assert_eq!(
        (lost.cells.values().len(), lost.missing()),
        (11, 11),
        "no zero where nobody answered"
    );

    let nothing = vec![(Outcome::lost(region("us-east-1"), denied()), on())];
    let coverage = settle(nothing, &ResourceTypes::All, Method::List);
    assert_eq!(
        coverage.missing(),
        10,
        "an empty coverage would look like a whole one"
    );
}

#[test]
fn of_all_types_the_counts_have_the_word_on_those_that_are_not_listed() {
    let all = ResourceTypes::All;
    let mut outcome = listed("eu-west-1", &[(VPC, 2)]);
    outcome.counts = counted("eu-west-1", &[(VPC, 2), (BUCKET, 5)]).counts;
    let coverage = settle(vec![(outcome, on())], &all, Method::List);
    let of = |name: &str| {
        let cell = coverage.regions[0]
            .cells
            .get(&name.parse().unwrap())
            .unwrap();
        (cell.status, cell.total())
    };
    assert_eq!(of(VPC), (Status::Counted, Some(2)));
    assert_eq!(of(ROLE), (Status::Zero, Some(0)));
    assert_eq!(
        of(BUCKET),
        (Status::NotTried, None),
        "the region ended before its listing"
    );
}

#[test]
fn global_resources_are_counted_once_by_their_ids_or_as_in_the_largest_region() {
    let types = named(&[ROLE, VPC]);
    let once = |coverage: &Coverage| -> Vec<(String, u64, Option<String>)> {
        let own = |(t, (n, region)): (&&ResourceType, &(u64, Option<&Region>))| {
            (t.to_string(), *n, region.map(ToString::to_string))
        };
        coverage.global().iter().map(own).collect()
    };
    let role = |n, region: Option<&str>| vec![(ROLE.to_owned(), n, region.map(str::to_owned))];

    let mut other = listed("us-west-2", &[(VPC, 9), (ROLE, 1)]);
    let ids = &mut other.listed.get_mut(ROLE).unwrap().as_mut().unwrap().ids;
    ids[0] = "a new one".to_owned();
    let by_id = vec![
        (listed("eu-west-1", &[(VPC, 9), (ROLE, 2)]), on()),
        (listed("us-east-1", &[(VPC, 9), (ROLE, 3)]), on()),
        (other, on()),
    ];
    assert_eq!(once(&settle(by_id, &types, Method::List)), role(4, None));

    let by_region = vec![
        (counted("eu-west-1", &[(ROLE, 2)]), on()),
        (counted("us-east-1", &[(ROLE, 3)]), on()),
        (counted("us-west-2", &[(ROLE, 3)]), on()),
    ];
    let coverage = settle(by_region, &types, Method::Counts);
    assert_eq!(once(&coverage), role(3, Some("us-east-1")));

    // Of all types a region lists those that it has, and here one has no roles.
    let mut none = listed("sa-east-1", &[(VPC, 1)]);
    none.counts = counted("sa-east-1", &[(VPC, 1)]).counts;
    let mut some = listed("us-east-1", &[(VPC, 1), (ROLE, 3)]);
    some.counts = counted("us-east-1", &[(VPC, 1), (ROLE, 3)]).counts;
    let coverage = settle(
        vec![(none.clone(), on()), (some, on())],
        &ResourceTypes::All,
        Method::List,
    );
    assert_eq!(once(&coverage)[..1], role(3, None));
    let coverage = settle(vec![(none, on())], &ResourceTypes::All, Method::List);
    let nothing = |name: &str| (name.to_owned(), 0, None);
    let expected = ["AWS::IAM::Role", "AWS::IAM::User"].map(nothing);
    assert_eq!(once(&coverage), expected, "the common ones");

    let nowhere = vec![(Outcome::lost(region("eu-west-1"), denied()), on())];
    assert_eq!(once(&settle(nowhere, &types, Method::List)), []);
}

#[test]
fn differences_have_their_known_reasons() {
    let both = |listed_totals: &[(&str, u64)], counts: &[(&str, u64)], code| Outcome {
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
            Some("recorded: the counts follow some minutes after the recorder or the resources"),
        ),
        (
            on(),
            2,
            3,
            Some("the inventory changed between the two calls: verify again"),
        ),
        (
            with(Running::Stopped),
            3,
            0,
            Some("the recorder is stopped: the counts are empty then, the listing is stale"),
        ),
        (
            with(Running::Missing),
            3,
            0,
            Some("no recorder: the counts are empty then, the listing is stale"),
        ),
        (
            only(r#""AWS::S3::Bucket""#),
            3,
            0,
            Some(
                "not recorded here: the listing has what was discovered, the counts what is recorded",
            ),
        ),
        (
            Recorder::unknown(&denied()),
            3,
            0,
            Some("recorder unknown: the type may be not recorded, or the counts may be late"),
        ),
    ] {
        let outcome = both(
            &[(VPC, listed), (BUCKET, 1)],
            &[(VPC, counts), (BUCKET, 1)],
            "eu-west-1",
        );
        let coverage = settle(vec![(outcome, recorder)], &types, Method::Verify);
        let found = coverage.compare();
        assert_eq!((found.compared, found.not_compared), (2, 0));
        assert_eq!(found.differences.first().map(|d| d.reason), reason);
        let by = i128::from(listed) - i128::from(counts);
        assert!(
            found
                .differences
                .iter()
                .all(|d| d.by() == by && d.resource_type.as_str() == VPC)
        );
    }
}

#[test]
fn what_could_not_be_compared_is_told() {
    let types = named(&[VPC, BUCKET]);
    let no_counts = listed("eu-west-1", &[(VPC, 1), (BUCKET, 1)]);
    let no_listing = counted("us-east-1", &[(VPC, 1)]);
    let coverage = settle(
        vec![(no_counts, on()), (no_listing, on())],
        &types,
        Method::Verify,
    );
    let found = coverage.compare();
    assert_eq!(
        (found.compared, found.not_compared, found.differences.len()),
        (0, 4, 0)
    );

    // Of all types only those are listed that there are.
    let mut all = listed("eu-west-1", &[(VPC, 1)]);
    all.counts = counted("eu-west-1", &[(VPC, 1)]).counts;
    let coverage = settle(vec![(all, on())], &ResourceTypes::All, Method::Verify);
    let found = coverage.compare();
    assert_eq!((found.compared, found.not_compared), (1, 0));
}
