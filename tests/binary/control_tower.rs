//! Tests of the recorders that AWS Control Tower sets up, with responses like those of an account
//! that it governs.
//!
//! <https://docs.aws.amazon.com/controltower/latest/userguide/config-costs.html>

use serde_json::{Value, json};

use crate::support::{Account, Call, Outcome, Program, Reply, Server};
use crate::{BUCKET, VPC};

const ROLE: &str = "AWS::IAM::Role";
/// Recorded once a day, by an override of the recording mode.
const VOLUME: &str = "AWS::EC2::Volume";
/// Excluded in every region.
const EXCLUDED: &str = "AWS::HealthLake::FHIRDatastore";

const HOME: &str = "eu-west-1";
const OTHERS: [&str; 2] = ["eu-central-1", "us-east-1"];
const NAME: &str = "aws-controltower-BaselineConfigRecorder";

/// Returns an account whose home region is eu-west-1.
fn governed_account() -> Account {
    Account::new()
        .region(HOME, &[(VPC, 2), (BUCKET, 130), (ROLE, 12), (VOLUME, 3)])
        .region(OTHERS[0], &[(VPC, 1), (VOLUME, 7)])
        .region(OTHERS[1], &[(VPC, 1), (BUCKET, 4)])
}

/// Describes a recorder that excludes types; in the home region it records those of IAM.
fn recorder(region: &str) -> Value {
    let mut excluded = vec![EXCLUDED, "AWS::Pinpoint::Segment"];
    if region != HOME {
        excluded.extend([
            "AWS::IAM::User",
            "AWS::IAM::Policy",
            "AWS::IAM::Group",
            ROLE,
            "AWS::RDS::GlobalCluster",
        ]);
    }
    json!({
        "arn": format!("arn:aws:config:{region}:012345678901:configuration-recorder/{NAME}/0a1b2c3d4e5f6g7h"),
        "name": NAME,
        "roleARN": "arn:aws:iam::012345678901:role/aws-controltower-ConfigRecorderRole",
        "recordingGroup": {
            "allSupported": false,
            "includeGlobalResourceTypes": false,
            "resourceTypes": [],
            "exclusionByResourceTypes": {"resourceTypes": excluded},
            "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
        },
        "recordingMode": {
            "recordingFrequency": "CONTINUOUS",
            "recordingModeOverrides": [{
                "description": "DAILY_OVERRIDE",
                "resourceTypes": [VOLUME, "AWS::CloudFormation::Stack"],
                "recordingFrequency": "DAILY",
            }],
        },
        "recordingScope": "PAID",
    })
}

fn status(region: &str) -> Value {
    json!({
        "arn": format!("arn:aws:config:{region}:012345678901:configuration-recorder/{NAME}/0a1b2c3d4e5f6g7h"),
        "name": NAME,
        "lastStartTime": 1_790_000_000.25,
        "recording": true,
        "lastStatus": "SUCCESS",
        "lastStatusChangeTime": 1_790_000_900.5,
    })
}

fn reply(call: &Call) -> Option<Reply> {
    match call.operation.as_str() {
        "DescribeConfigurationRecorders" => Some(Reply::json(
            &json!({"ConfigurationRecorders": [recorder(&call.region)]}),
        )),
        "DescribeConfigurationRecorderStatus" => Some(Reply::json(
            &json!({"ConfigurationRecordersStatus": [status(&call.region)]}),
        )),
        _ => None,
    }
}

fn count(server: &Server, types: &[&str]) -> Outcome {
    Program::new(server)
        .args(["--coverage", "--strict", "--resource-types"])
        .arg(types.join(","))
        .run()
}

/// Returns the status of a count in the coverage file.
fn status_of(run: &Outcome, region: &str, resource_type: &str) -> String {
    let coverage = run.coverage();
    let cell = format!(",{region},{resource_type},");
    let row = coverage.lines().find_map(|line| line.split_once(&cell));
    let (_, rest) = row.unwrap_or_else(|| panic!("{region} {resource_type}: {coverage}"));
    rest.split(',').next().unwrap().to_owned()
}

#[test]
fn control_tower_recorder_leaves_no_gap() {
    let account = governed_account();
    let server = account.serve_with(reply);
    let run = count(&server, &[VPC, BUCKET, ROLE, VOLUME]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account.csv(), "{}", run.describe());
    assert_eq!(run.errors(), "");
    for (region, resource_type, expected) in [
        (HOME, ROLE, "counted"),
        (HOME, VOLUME, "counted"),
        (OTHERS[0], VOLUME, "counted"),
        (OTHERS[0], BUCKET, "zero"),
        (OTHERS[1], VOLUME, "zero"),
    ] {
        let found = status_of(&run, region, resource_type);
        assert_eq!(found, expected, "{region} {resource_type}");
    }
    for region in OTHERS {
        let found = status_of(&run, region, ROLE);
        assert_eq!(found, "counted_elsewhere", "{region}");
    }
}

#[test]
fn type_excluded_by_control_tower_is_missing() {
    let account = governed_account();
    let server = account.serve_with(reply);
    let run = count(&server, &[VPC, EXCLUDED]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    for region in [HOME, OTHERS[0], OTHERS[1]] {
        assert_eq!(status_of(&run, region, EXCLUDED), "not_recorded");
        assert_eq!(status_of(&run, region, VPC), "counted");
    }
}
