//! Tests of the regions of the options: one that AWS does not have ends the run before the scan.

use crate::profiles::{self, profile};
use crate::sso::{self, portal};
use crate::support::{ORGANIZATION, Organization, Outcome, Reply};
use crate::{file, organization, run, statuses};

/// The options with a misspelled region, and the messages.
const UNKNOWN: [(&[&str], &str); 2] = [
    (
        &["--regions", "us-east-1,us-eats-1"],
        "error: --regions: AWS has no region us-eats-1; did you mean us-east-1",
    ),
    (
        &["--exclude-regions", "us-eats-1", "--skip-checks"],
        "error: --exclude-regions: AWS has no region us-eats-1; did you mean us-east-1",
    ),
];

/// Asserts that no account was scanned because of the regions, and nothing was written.
fn assert_refused(run: &Outcome, message: &str) {
    assert_eq!(run.code, Some(2), "{}", run.describe());
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.describe());
    assert!(run.stderr.starts_with(message), "{}", run.describe());
    assert!(!run.stdout.contains("Scanning"), "{}", run.describe());
    let files = run.files();
    let outputs: Vec<_> = files
        .iter()
        .filter(|path| path.starts_with("out"))
        .collect();
    assert!(outputs.is_empty(), "{outputs:?}");
}

#[test]
fn unknown_region_of_organization_is_refused() {
    let server = organization(25).serve();
    for (args, message) in UNKNOWN {
        for source in [
            &["--organization"][..],
            &["--accounts", "100000000002,100000000003"],
        ] {
            assert_refused(&run(&server, &[source, args].concat()), message);
        }
    }
    assert_eq!(server.count(|call| call.service == "config"), 0);
}

#[test]
fn unknown_region_of_profiles_is_refused() {
    let server = organization(2).serve();
    let config = profile("a", 1) + &profile("b", 2);
    for (args, message) in UNKNOWN {
        let program = profiles::program(&server, &config, "");
        let run = program.args(["--profiles", "*"]).args(args).run();
        assert_refused(&run, message);
    }
}

#[test]
fn unknown_region_of_sso_session_is_refused() {
    let organization = organization(3);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| portal(&replies, call));
    for (args, message) in UNKNOWN {
        assert_refused(&sso::run(&server, args), message);
    }
}

#[test]
fn profiles_may_have_regions_of_two_partitions() {
    let server = organization(2).serve();
    let config = profile("a", 1) + &profile("b", 2) + "region = cn-north-1\n";
    let program = profiles::program(&server, &config, "");
    let args = ["--profiles", "*", "--regions", "us-east-1,cn-north-1"];
    let run = program.args(args).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(statuses(&run, "profiles").len(), 2);
}

#[test]
fn new_region_is_looked_up_once() {
    let mut organization = organization(3);
    for number in 1..=3 {
        let account = organization.member(number).account.clone();
        organization.member(number).account = account.region("eu-south-9", &[(crate::VPC, 1)]);
    }
    let server = organization.serve();
    for skip in [&[][..], &["--skip-checks"]] {
        let before = server.count(is_look_up);
        let args = ["--organization", "--regions", "eu-south-9,us-east-1"];
        let run = run(&server, &[&args, skip].concat());
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert_eq!(server.count(is_look_up) - before, 1);
        let counts = format!("aws_config_combined_count_{ORGANIZATION}.csv");
        let counts = file(&run, &counts).unwrap();
        assert_eq!(counts.matches("eu-south-9").count(), 3, "{counts}");
    }
}

#[test]
fn failed_look_up_of_region_fails_the_check() {
    let server = organization(2).serve_with(|_, call| {
        is_look_up(call).then(|| Reply::error(call, 403, "UnauthorizedOperation", "no"))
    });
    let run = run(&server, &["--organization", "--regions", "us-eats-1"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let id = Organization::id(1);
    let line = format!("  - IAM permission: ec2:DescribeRegions: account {id}: in us-east-1: ");
    assert!(run.stdout.contains(&line), "{}", run.describe());
}

/// Returns true for the call that lists the regions that are not enabled too.
fn is_look_up(call: &crate::support::Call) -> bool {
    call.operation == "DescribeRegions" && call.field("AllRegions") == Some("true")
}
