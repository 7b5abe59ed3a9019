//! Tests of the access to accounts: a faulty account costs only itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::{Latch, ORGANIZATION, Organization, Reply, assumed_role};
use crate::{file, organization, run, statuses};

const COUNTS: &str = "aws_config_combined_count_o-abcdefghij.csv";

#[test]
fn denied_account_costs_only_itself() {
    let mut organization = organization(5);
    organization.member(3).has_role = false;
    let server = organization.serve();
    let run = run(&server, &["--organization", "--strict"]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2, 4, 5])));
    let (id, status) = statuses(&run, ORGANIZATION).swap_remove(2);
    assert_eq!(
        (id.as_str(), status.as_str()),
        ("100000000003", "access_denied")
    );
    let errors = file(
        &run,
        &format!("aws_config_combined_errors_{ORGANIZATION}.txt"),
    )
    .unwrap();
    let line =
        "] [PERMISSION] Account: 100000000003, Message: sts:AssumeRole failed with AccessDenied";
    assert!(errors.contains(line), "{errors}");
    assert!(errors.contains("five causes"), "{errors}");
    assert!(
        run.stdout.contains("1 account without access"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("100000000003 (team-3)"),
        "{}",
        run.stdout
    );
}

/// The server does not reply to the checks of the first account until the roles of the others were requested.
#[test]
fn accounts_are_opened_during_the_checks() {
    let organization = organization(5);
    let (assumed, latch) = (AtomicUsize::new(0), Latch::default());
    let server = organization.serve_with(move |account, call| {
        if call.operation == "AssumeRole" && assumed.fetch_add(1, Ordering::SeqCst) == 3 {
            latch.open();
        }
        if call.service == "config" && account == Organization::id(1) {
            latch.wait();
        }
        None
    });
    let run = run(&server, &["--organization", "--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2, 3, 4, 5])));
    let roles = server.count(|call| call.operation == "AssumeRole");
    assert_eq!(roles, 4, "each account is opened once");
}

/// No account can be checked; the others are being opened when the first one fails.
#[test]
fn failed_checks_end_run_without_files() {
    let organization = organization(4);
    let server = organization.serve_with(|_, call| match call.operation.as_str() {
        "AssumeRole" => Some(Reply::stall()),
        "ListDiscoveredResources" | "DescribeConfigurationRecorderStatus" => Some(Reply::error(
            call,
            400,
            "NoAvailableConfigurationRecorderException",
            "none",
        )),
        _ => None,
    });
    let args = [
        "--organization",
        "--max-attempts",
        "1",
        "--read-timeout",
        "1",
    ];
    let run = run(&server, &args);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let text = run.describe();
    assert!(run.stdout.contains("PREREQUISITE FAILURES"), "{text}");
    assert!(!text.contains("aws_config_resource_count_1"), "{text}");
}

#[test]
fn session_of_another_account_is_not_used() {
    let organization = organization(3);
    let server = organization.serve_with(|_, call| {
        let is_second = call.field("RoleArn")?.contains(&Organization::id(2));
        is_second.then(|| assumed_role(&Organization::id(3)))
    });
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 3])));
    assert_eq!(statuses(&run, ORGANIZATION)[1].1, "wrong_account");
    let errors = file(
        &run,
        &format!("aws_config_combined_errors_{ORGANIZATION}.txt"),
    )
    .unwrap();
    assert!(
        errors.contains("[FATAL] Account: 100000000002, "),
        "{errors}"
    );
}

#[test]
fn inactive_account_is_not_missing() {
    let mut organization = organization(3);
    organization.member(2).state = "SUSPENDED".to_owned();
    let server = organization.serve();
    let run = run(&server, &["--organization", "--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 3])));
    assert_eq!(statuses(&run, ORGANIZATION)[1].1, "not_active");
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 1);
}

#[test]
fn disabled_sts_region_is_replaced_by_global_one() {
    let organization = organization(2);
    let server = organization.serve_with(|_, call| {
        let is_disabled = call.operation == "AssumeRole" && call.region == "eu-south-1";
        is_disabled
            .then(|| Reply::error(call, 403, "RegionDisabledException", "STS is not activated"))
    });
    let run = run(
        &server,
        &["--organization", "--region", "eu-south-1", "--skip-checks"],
    );
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let regions: Vec<String> = server
        .calls()
        .iter()
        .filter(|call| call.operation == "AssumeRole")
        .map(|call| call.region.clone())
        .collect();
    assert_eq!(regions, ["eu-south-1", "us-east-1"]);
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2])));
}

#[test]
fn role_session_allows_only_calls_of_run() {
    let organization = organization(2);
    let server = organization.serve();
    let external = [
        "--external-id",
        "ext-1",
        "--role-name",
        "audit/Read",
        "--role-session-name",
        "me",
    ];
    let args = [&["--organization"][..], &external].concat();
    let run = run(&server, &args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let calls = server.calls();
    let call = calls
        .iter()
        .find(|call| call.operation == "AssumeRole")
        .unwrap();
    assert_eq!(
        call.field("RoleArn"),
        Some("arn:aws:iam::100000000002:role/audit/Read")
    );
    assert_eq!(call.field("ExternalId"), Some("ext-1"));
    assert_eq!(call.field("RoleSessionName"), Some("me"));
    let policy: Value = serde_json::from_str(call.field("Policy").unwrap()).unwrap();
    let mut allowed: Vec<&str> = policy["Statement"][0]["Action"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action.as_str().unwrap())
        .collect();
    allowed.sort_unstable();
    let is_of_role = |key: &str| key.contains("Credential=ASIA");
    let mut called: Vec<String> = calls
        .iter()
        .filter(|call| call.header("authorization").is_some_and(is_of_role))
        .map(|call| format!("{}:{}", call.service, call.operation))
        .collect();
    called.sort_unstable();
    called.dedup();
    assert_eq!(allowed, called, "none more, none fewer");
}

#[test]
fn session_policy_can_be_omitted() {
    let server = organization(2).serve();
    let run = run(&server, &["--organization", "--no-session-policy"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(server.count(|call| call.field("Policy").is_some()), 0);
}

#[test]
fn expired_caller_stops_new_accounts_once() {
    let organization = organization(12);
    let server = organization.serve_with(|_, call| {
        let is_later = call.field("RoleArn")?.split(':').nth(4)? > "100000000004";
        is_later.then(|| Reply::error(call, 403, "ExpiredToken", "The security token is expired"))
    });
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let statuses = statuses(&run, ORGANIZATION);
    let not_tried = statuses.iter().filter(|(_, status)| status == "not_tried");
    assert_eq!(not_tried.count(), 8, "{statuses:?}");
    let errors = file(
        &run,
        &format!("aws_config_combined_errors_{ORGANIZATION}.txt"),
    )
    .unwrap();
    assert_eq!(errors.matches("[FATAL]").count(), 1, "{errors}");
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2, 3, 4])));
}

#[test]
fn every_line_outside_a_terminal_has_the_advice() {
    let mut organization = organization(4);
    for number in [2, 3] {
        organization.member(number).has_role = false;
    }
    let server = organization.serve();
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let errors = file(
        &run,
        &format!("aws_config_combined_errors_{ORGANIZATION}.txt"),
    );
    for text in [&run.stderr, &errors.unwrap()] {
        assert_eq!(text.matches("five causes").count(), 2, "{text}");
    }
}

#[test]
fn denied_call_of_role_is_named() {
    let organization = organization(3);
    let server = organization.serve_with(|account, call| {
        let is_denied = account == Organization::id(2) && call.operation == "DescribeRegions";
        is_denied.then(|| Reply::error(call, 403, "UnauthorizedOperation", "no"))
    });
    let run = run(&server, &["--organization", "--method", "counts"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(statuses(&run, ORGANIZATION)[1].1, "access_denied");
    for text in [
        "1 account without access (role OrganizationAccountAccessRole; ec2:DescribeRegions was denied): 100000000002 (team-2)",
        "  Grant the policy that aws-config-resource-count iam-policy --method counts prints; ",
    ] {
        assert!(run.stdout.contains(text), "{}", run.stdout);
    }
}

#[test]
fn start_line_counts_active_accounts() {
    let mut organization = organization(25);
    organization.member(3).state = "SUSPENDED".to_owned();
    let server = organization.serve();
    for (args, line) in [
        (
            &["--organization"][..],
            "\nScanning at least 19 accounts...\n",
        ),
        (
            &[
                "--organization",
                "--exclude-accounts",
                "100000000001",
                "--skip-checks",
            ],
            "Scanning at least 18 accounts...\n",
        ),
        (
            &[
                "--organization",
                "--accounts",
                "100000000025",
                "--skip-checks",
            ],
            "Scanning accounts...\n",
        ),
        (
            &["--accounts", "100000000002,100000000004"],
            "\nScanning 2 accounts...\n",
        ),
    ] {
        let run = run(&server, args);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
}
