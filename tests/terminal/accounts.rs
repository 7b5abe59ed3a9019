//! The screen of a run of 40 accounts of which five fail.
//!
//! The run is recorded once from a local server. Its replay uses one worker, so that the errors have the same order each
//! time.

use serde_json::json;

use crate::captures::check_screens;
use crate::support::{Account, Call, Organization, Program, Reply, assumed_role};

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";

fn organization() -> Organization {
    let mut organization = Organization::new(40, |number| {
        Account::new()
            .alias(&format!("alias-{number}"))
            .region("us-east-1", &[(VPC, number), (BUCKET, 1)])
            .region("eu-west-1", &[(VPC, 1), (BUCKET, 0)])
    });
    for number in 21..=40 {
        let ids = ["r-ab12", "ou-ab12-22222222"].map(str::to_owned);
        organization.member(number).units = Some(ids.into());
    }
    "SUSPENDED".clone_into(&mut organization.member(6).state);
    organization
}

/// Returns the reply to a call of a faulty account, and the names of the units. Its request ID does not depend on the order of the requests.
fn fault(account: &str, call: &Call) -> Option<Reply> {
    let denied = |status, code: &str| {
        let message = "You are not authorized to perform this operation";
        let reply = Reply::error(call, status, code, message);
        Some(reply.header("x-amzn-requestid", "00000000-0000-4000-8000-000000000007"))
    };
    let number: usize = call
        .field("RoleArn")
        .and_then(|arn| arn.split(':').nth(4))
        .unwrap_or(account)
        .trim_start_matches('1')
        .parse()
        .unwrap();
    match (number, call.operation.as_str()) {
        (4 | 22, "AssumeRole") => denied(403, "AccessDenied"),
        (8, "AssumeRole") => Some(assumed_role(&Organization::id(9))),
        (12, "DescribeRegions") => denied(403, "UnauthorizedOperation"),
        (34, "ListDiscoveredResources") => denied(400, "AccessDeniedException"),
        (_, "ListOrganizationalUnitsForParent") => Some(Reply::json(&json!({
            "OrganizationalUnits": [
                {"Id": "ou-ab12-11111111", "Name": "Workloads"},
                {"Id": "ou-ab12-22222222", "Name": "Sandbox"},
            ]
        }))),
        _ => None,
    }
}

#[test]
fn failed_accounts_screen_is_expected() {
    let server = organization().serve_with(fault);
    let args = [
        "--organization",
        "--resource-types",
        "AWS::EC2::VPC,AWS::S3::Bucket",
    ];
    let program = Program::new(&server).args(args);
    let recording = program.directory().join("recording");
    let run = program.arg("--record").arg(&recording).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    check_screens("failed_accounts", 0, || {
        let program = Program::without_server().args(args);
        // The screen has the path.
        let link = program.directory().join("current/recording");
        std::os::unix::fs::symlink(&recording, link).unwrap();
        program.args(["--no-account-files", "--replay", "recording"])
    });
}
