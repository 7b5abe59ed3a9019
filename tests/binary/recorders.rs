//! Counts by the state of the recorder, which the responses of the server change.

use serde_json::{Value, json};

use crate::support::{Account, Call, Outcome, Program, Reply};
use crate::{BUCKET, TYPES, VPC};

const STATUS: &str = "DescribeConfigurationRecorderStatus";
const RECORDERS: &str = "DescribeConfigurationRecorders";
const ROLE: &str = "AWS::IAM::Role";
const CLUSTER: &str = "AWS::RDS::GlobalCluster";

/// Returns an account with VPCs, but without buckets, in two regions.
fn account() -> Account {
    Account::new()
        .alias("acme-prod")
        .region("us-east-1", &[(VPC, 2)])
        .region("eu-west-1", &[(VPC, 1)])
}

/// Runs with these recorders in eu-west-1.
fn run(statuses: &Value, recorders: Option<&Value>, args: &[&str]) -> Outcome {
    let (statuses, recorders) = (statuses.clone(), recorders.cloned());
    let server = account().serve_with(move |call| {
        if call.is(STATUS, "eu-west-1") {
            return Some(Reply::json(
                &json!({"ConfigurationRecordersStatus": statuses}),
            ));
        }
        let recorders = recorders
            .as_ref()
            .filter(|_| call.is(RECORDERS, "eu-west-1"));
        recorders.map(|list| Reply::json(&json!({"ConfigurationRecorders": list})))
    });
    let program = Program::new(&server).args(TYPES).args(args);
    program.arg("--coverage").run()
}

/// Returns the fields of a row of the coverage file from the status on.
fn cell(run: &Outcome, region: &str, resource_type: &str) -> String {
    let place = format!(",{region},{resource_type},");
    let coverage = run.coverage();
    let row = coverage
        .lines()
        .find_map(|row| Some(row.split_once(&place)?.1.to_owned()));
    row.unwrap_or_else(|| panic!("no row: {coverage}"))
}

/// A recorder that runs proves a zero only if its last status is success.
#[test]
fn only_successful_recorder_proves_zero() {
    let since = 1_786_000_000;
    let running = |status: &Value| {
        json!({
            "name": "default", "recording": true, "lastStatus": status,
            "lastErrorCode": "AccessDenied", "lastStatusChangeTime": since,
        })
    };
    let time = "2026-08-06T07:06:40.000Z";
    for (status, expected, bucket) in [
        (running(&json!("SUCCESS")), "zero,known,0,,", ""),
        (running(&json!("success")), "zero,known,0,,", ""),
        (
            running(&json!("FAILURE")),
            "recorder_failed,stale,0,",
            "recorder failed (AccessDenied)",
        ),
        (
            running(&json!("Failure")),
            "recorder_failed,stale,0,",
            "recorder failed (AccessDenied)",
        ),
        (
            running(&json!("PENDING")),
            "recorder_pending,stale,0,",
            "recorder pending (PENDING)",
        ),
        (
            running(&json!("NotApplicable")),
            "recorder_pending,stale,0,",
            "recorder pending (NotApplicable)",
        ),
        (
            running(&Value::Null),
            "recorder_pending,stale,0,",
            "recorder pending",
        ),
        (
            json!({"name": "default", "recording": false, "lastStatus": "SUCCESS", "lastStopTime": since}),
            "recorder_stopped,stale,0,",
            "recorder stopped",
        ),
    ] {
        let run = run(&json!([status]), None, &["--strict"]);
        let row = cell(&run, "eu-west-1", BUCKET);
        assert!(row.starts_with(expected), "{status}: {row}");
        if bucket.is_empty() {
            assert_eq!(
                (run.code, run.errors()),
                (Some(0), String::new()),
                "{status}"
            );
            continue;
        }
        assert!(
            row.contains(&format!(",{time},{bucket} since {time}: ")),
            "{status}: {row}"
        );
        assert_eq!(run.code, Some(3), "{status}: {}", run.describe());
        assert_eq!(run.csv(), account().csv(), "{status}");
        let errors = run.errors();
        assert_eq!(errors.lines().count(), 1, "{errors}");
        let line = format!(
            "[CONFIG_DISABLED] Region: eu-west-1, Message: stale counts of all 2 types: {bucket} \
             since {time}: "
        );
        assert!(errors.contains(&line), "{errors}");
        let figures = "2 of 4 counts known, 2 stale (2 regions × 2 types) ";
        assert!(run.stdout.contains(figures), "{}", run.describe());
        assert!(run.stdout.contains("(1 complete, 1 stale)"));
    }
}

/// Recorders belong to their groups by name. A service-linked recorder proves nothing.
#[test]
fn service_linked_recorder_proves_nothing() {
    let own = json!({"name": "default", "recording": false, "lastStopTime": 1_786_000_000});
    let linked = json!({
        "name": "AWSConfigurationRecorderForObservability_x", "recording": true,
        "lastStatus": "SUCCESS", "servicePrincipal": "observabilityadmin.amazonaws.com",
    });
    let of_own = json!({"name": "default", "recordingGroup": {"resourceTypes": [VPC]}});
    let of_linked = json!({
        "name": "AWSConfigurationRecorderForObservability_x",
        "servicePrincipal": "observabilityadmin.amazonaws.com",
        "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": true},
    });
    for (statuses, recorders) in [
        (json!([own, linked]), json!([of_own, of_linked])),
        (json!([own, linked]), json!([of_linked, of_own])),
        (json!([linked, own]), json!([of_own, of_linked])),
        (json!([linked, own]), json!([of_linked, of_own])),
    ] {
        let run = run(&statuses, Some(&recorders), &[]);
        let vpc = cell(&run, "eu-west-1", VPC);
        assert!(
            vpc.starts_with("recorder_stopped,stale,1,2026-08-06T"),
            "{vpc}"
        );
        let bucket = cell(&run, "eu-west-1", BUCKET);
        assert!(bucket.starts_with("not_recorded,missing,,,"), "{bucket}");
    }
    let run = run(&json!([linked]), Some(&json!([of_linked])), &[]);
    let bucket = cell(&run, "eu-west-1", BUCKET);
    assert!(
        bucket.starts_with("recorder_missing,missing,,,"),
        "{bucket}"
    );
}

#[test]
fn daily_recording_is_in_the_coverage() {
    let statuses = json!([{"name": "default", "recording": true, "lastStatus": "SUCCESS"}]);
    let daily = json!([{
        "name": "default",
        "recordingGroup": {"allSupported": true},
        "recordingMode": {
            "recordingFrequency": "DAILY",
            "recordingModeOverrides": [
                {"resourceTypes": [BUCKET], "recordingFrequency": "CONTINUOUS"},
            ],
        },
    }]);
    let run = run(&statuses, Some(&daily), &["--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let vpc = cell(&run, "eu-west-1", VPC);
    assert_eq!(
        vpc,
        "counted,known,1,,recorded daily: the count may be a day older than the scan"
    );
    assert_eq!(cell(&run, "eu-west-1", BUCKET), "zero,known,0,,");
}

/// A zero needs a recording group that includes the type; the case of names does not matter.
#[test]
fn group_that_is_not_understood_proves_no_zero() {
    let strategy = |name: &str| json!({"recordingStrategy": {"useOnly": name}});
    let unknown = "does not know the recording strategy";
    for (group, vpc, bucket) in [
        (
            strategy("A_NEW_ONE"),
            "counted,known,1,,",
            "unverified,unverified,0,,",
        ),
        (
            strategy("all_supported_resource_types"),
            "counted,known,1,,",
            "unverified,unverified,0,,",
        ),
        (
            json!({"allSupported": false, "resourceTypes": []}),
            "not_recorded,stale,1,,",
            "not_recorded,missing,,,",
        ),
        (
            json!({"resourceTypes": ["aws::ec2::vpc", "AWS::S3::BUCKET"]}),
            "counted,known,1,,",
            "zero,known,0,,",
        ),
        (
            json!({
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                "exclusionByResourceTypes": {"resourceTypes": ["aws::s3::bucket"]},
            }),
            "counted,known,1,,",
            "not_recorded,missing,,,",
        ),
    ] {
        let statuses = json!([{"name": "default", "recording": true, "lastStatus": "SUCCESS"}]);
        let recorders = json!([{"name": "default", "recordingGroup": group}]);
        let run = run(&statuses, Some(&recorders), &["--strict"]);
        let rows = [VPC, BUCKET].map(|t| cell(&run, "eu-west-1", t));
        assert!(rows[0].starts_with(vpc), "{group}: {rows:?}");
        assert!(rows[1].starts_with(bucket), "{group}: {rows:?}");
        let is_unknown = bucket.starts_with("unverified");
        assert_eq!(rows[1].contains(unknown), is_unknown, "{group}: {rows:?}");
        let code = if bucket.starts_with("zero") { 0 } else { 3 };
        assert_eq!(run.code, Some(code), "{group}: {}", run.describe());
    }
}

/// A region that records a global type, but does not count it now, is named; nothing is to be added to a recorder.
#[test]
fn recorder_of_an_uncounted_global_type_is_named() {
    type Respond = Box<dyn Fn(&Call) -> Reply + Send + Sync>;

    let twice = json!({"resourceIdentifiers": [
        {"resourceType": ROLE, "resourceId": "a"}, {"resourceType": ROLE, "resourceId": "a"},
    ]});
    let status = |status: &Value| json!({"ConfigurationRecordersStatus": [status]});
    let stopped = status(&json!({"name": "default", "recording": false}));
    let pending = status(&json!({"name": "default", "recording": true, "lastStatus": "PENDING"}));
    let error = |code| move |call: &Call| Reply::error(call, 400, code, "no");
    for listed in [0, 2] {
        let cases: [(&str, Respond); 6] = [
            ("list", Box::new(error("AccessDeniedException"))),
            ("list", Box::new(error("Oops"))),
            (
                "list",
                Box::new({
                    let twice = twice.clone();
                    move |_| Reply::json(&twice)
                }),
            ),
            (STATUS, Box::new(error("AccessDeniedException"))),
            (
                STATUS,
                Box::new({
                    let stopped = stopped.clone();
                    move |_| Reply::json(&stopped)
                }),
            ),
            (
                STATUS,
                Box::new({
                    let pending = pending.clone();
                    move |_| Reply::json(&pending)
                }),
            ),
        ];
        for (n, (operation, respond)) in cases.into_iter().enumerate() {
            let account = Account::new()
                .region("us-east-1", &[(VPC, 2)])
                .region("us-west-2", &[(VPC, 1), (ROLE, 3)])
                .region("eu-west-1", &[(VPC, 1), (ROLE, listed)])
                .not_recording("us-east-1", &[ROLE])
                .not_recording("eu-west-1", &[ROLE]);
            let server = account.serve_with(move |call| {
                let is_listing = operation == "list" && call.lists(ROLE, "us-west-2");
                (is_listing || call.is(operation, "us-west-2")).then(|| respond(call))
            });
            let types = format!("{VPC},{ROLE}");
            let run = Program::new(&server)
                .args(["--resource-types", &types, "--max-attempts", "1"])
                .run();
            let text = format!("{n}: {}", run.describe());
            let line = format!("[CONFIG_DISABLED] Resource: {ROLE}, Message: ");
            let errors = run.errors();
            let line = errors
                .lines()
                .find(|l| l.contains(&line))
                .unwrap_or_else(|| panic!("{text}"));
            assert!(
                line.ends_with("; check us-west-2, which may record it"),
                "{text}"
            );
            assert!(
                run.stdout.contains("check us-west-2, which may record it"),
                "{text}"
            );
            for output in [&run.stdout, &errors] {
                assert!(!output.contains("to the recorder of one"), "{text}");
                assert!(!output.contains("recorded in no region"), "{text}");
            }
        }
    }
}

/// Runs with global types that us-east-1 records; `is_stale` makes the recorder of eu-west-1 stale.
fn run_global(account: &Account, types: &str, status: &'static str, args: &[&str]) -> Outcome {
    let server = account.serve_with(move |call: &Call| {
        let status =
            json!({"name": "default", "recording": status != "stopped", "lastStatus": status});
        let reply = || Reply::json(&json!({"ConfigurationRecordersStatus": [status]}));
        call.is(STATUS, "eu-west-1").then(reply)
    });
    let program = Program::new(&server).args(["--resource-types", types]);
    program.args(args).arg("--coverage").run()
}

/// The roles of a region whose recorder does not record now may be deleted: they do not count.
#[test]
fn stale_region_does_not_count_global_resources() {
    for (resource_type, name) in [(ROLE, "IAM is"), (CLUSTER, "global resources are")] {
        let account = Account::new()
            .region("us-east-1", &[(resource_type, 5)])
            .region("eu-west-1", &[(resource_type, 8)]);
        for status in ["stopped", "FAILURE", "PENDING"] {
            let types = format!("{resource_type},{VPC}");
            for method in ["list", "verify"] {
                let run = run_global(&account, &types, status, &["--method", method]);
                let line = format!("  Total resources: 5 (the CSV's rows add up to 13: {name} in ");
                assert!(run.stdout.contains(&line), "{status}: {}", run.describe());
                assert_eq!(run.csv(), account.csv(), "the rows stay");
            }
        }
        let run = run_global(&account, resource_type, "SUCCESS", &["--strict"]);
        let line = format!("  Total resources: 8 (the CSV's rows add up to 13: {name} in ");
        assert!(run.stdout.contains(&line), "{}", run.describe());
        assert_eq!(run.code, Some(0), "{}", run.describe());
    }
}

/// Regions that do not record a global type are complete, if one region does, also where they list it.
#[test]
fn unrecorded_global_type_leaves_region_complete() {
    let types = format!("{ROLE},{VPC},{CLUSTER}");
    for (excluded, listed) in [(ROLE, 0), (ROLE, 5), (CLUSTER, 0), (CLUSTER, 3)] {
        let counts = [(ROLE, 5), (CLUSTER, 3), (VPC, 1)];
        let other = counts.map(|(t, n)| (t, if t == excluded { listed } else { n }));
        let account = Account::new()
            .region("us-east-1", &counts)
            .region("eu-west-1", &other)
            .not_recording("eu-west-1", &[excluded]);
        let run = run_global(&account, &types, "SUCCESS", &["--strict"]);
        run.assert_no_errors();
        assert_eq!(run.csv(), account.csv());
        let total = if listed == 0 {
            String::new()
        } else {
            listed.to_string()
        };
        let expected = format!(
            "counted_elsewhere,known,{total},,not recorded here; counted in us-east-1 (global)"
        );
        assert_eq!(cell(&run, "eu-west-1", excluded), expected);
        assert!(
            run.stdout.contains("2 (all complete)"),
            "{}",
            run.describe()
        );
        assert!(run.stdout.contains(" 10 (the CSV's rows add up to "));
        assert!(
            run.stdout
                .contains("Coverage: all 6 counts known (2 regions × 3 types) ")
        );
    }
}

/// With the default recorder no region records IAM: one gap per type, in one line.
#[test]
fn default_recorder_has_one_gap_per_type() {
    let regions = [
        "us-east-1",
        "us-west-2",
        "eu-west-1",
        "eu-west-2",
        "sa-east-1",
    ];
    let mut account = Account::new();
    for region in regions {
        account = account.region(region, &[(VPC, 1)]);
        account = account.not_recording(region, &[ROLE, "AWS::IAM::User"]);
    }
    let server = account.serve();
    let types = [
        "--resource-types",
        "AWS::IAM::Role,AWS::IAM::User,AWS::EC2::VPC",
    ];
    let run = Program::new(&server).args(types).arg("--coverage").run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(
        run.stdout.contains("5 (all complete)"),
        "{}",
        run.describe()
    );
    assert!(
        run.stdout
            .contains("known, 10 missing (5 regions × 3 types) "),
        "{}",
        run.describe()
    );
    assert_eq!(run.errors().lines().count(), 2, "{}", run.describe());
    for resource_type in [ROLE, "AWS::IAM::User"] {
        let line = format!("[CONFIG_DISABLED] Resource: {resource_type}, Message: not counted in ");
        assert_eq!(run.errors().matches(&line).count(), 1, "{}", run.describe());
    }
    let line = "\n  all 5 regions   AWS::IAM::Role, AWS::IAM::User   global, recorded in no region   if you need ";
    assert!(run.stdout.contains(line), "{}", run.describe());
    assert_eq!(
        run.coverage().matches(",not_recorded,missing,,,").count(),
        10
    );
}
