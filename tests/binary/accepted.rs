//! Tests of `--accept-missing`: expected gaps stay missing, but `--strict` does not count them.

use serde_json::{Value, json};

use crate::support::{Account, Outcome, Program, Recorder, Reply, Server};
use crate::{BUCKET, VPC, account};

const ROLE: &str = "AWS::IAM::Role";

/// Returns an account without AWS Config in sa-east-1, whose other regions do not record IAM.
fn default_account() -> Account {
    account()
        .region_with("sa-east-1", Recorder::None, &[])
        .not_recording("us-east-1", &[ROLE])
        .not_recording("eu-west-1", &[ROLE])
}

/// Runs with `--strict` and a report.
fn run(server: &Server, args: &[&str]) -> (Outcome, Value) {
    let types = format!("--resource-types={VPC},{BUCKET},{ROLE}");
    let program = Program::new(server).args([&*types, "--strict", "--report", "r.json"]);
    let run = program.args(args).run();
    let report = std::fs::read_to_string(run.directory().join("current/r.json"));
    let report = report.map(|text| serde_json::from_str(&text).unwrap());
    (run, report.unwrap_or_default())
}

#[test]
fn expected_gaps_are_not_counted_by_strict() {
    let server = default_account().serve();
    for (gaps, code, accepted) in [
        ("sa-east-1", 3, 3),
        (ROLE, 3, 3),
        ("sa-east-1,AWS::IAM::Role", 0, 5),
        (
            "sa-east-1,us-east-1/AWS::IAM::Role,eu-west-1/AWS::IAM::Role",
            0,
            5,
        ),
        ("sa-east-1,us-east-1/AWS::IAM::Role", 3, 4),
        ("AWS::EC2::VPC,AWS::S3::Bucket,AWS::IAM::Role", 0, 5),
    ] {
        for method in ["list", "verify"] {
            let args = ["--method", method, "--accept-missing", gaps];
            let (run, report) = run(&server, &args);
            assert_eq!(run.code, Some(code), "{args:?}: {}", run.describe());
            assert_eq!(report["totals"]["accepted"], accepted, "{args:?}");
            assert_eq!(report["totals"]["missing"], 5, "{args:?}");
            assert_eq!(run.csv(), default_account().csv(), "{args:?}");
            let lines = run.errors();
            assert!(
                lines.contains("Region: sa-east-1, ") && lines.contains(ROLE),
                "{}",
                run.describe()
            );
        }
    }
}

#[test]
fn accepted_counts_are_in_the_report() {
    let server = default_account().serve();
    let gaps = "sa-east-1,AWS::IAM::Role,eu-west-1/AWS::EC2::VPC,us-west-2";
    let (run, report) = run(&server, &["--accept-missing", gaps]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(
        report["accepted_missing"],
        json!([
            {"gap": "sa-east-1", "missing": 3, "status": "missing"},
            {"gap": "us-west-2", "missing": 0, "status": "not_counted"},
            {"gap": "AWS::IAM::Role", "missing": 3, "status": "missing"},
            {"gap": "eu-west-1/AWS::EC2::VPC", "missing": 0, "status": "not_missing"},
        ])
    );
    for line in [
        "Accepted: 5 missing counts of sa-east-1, AWS::IAM::Role (--accept-missing)\n",
        "No longer missing: eu-west-1/AWS::EC2::VPC; remove it from --accept-missing\n",
        "Not in this run: us-west-2 (--accept-missing)\n",
    ] {
        assert!(run.stdout.contains(line), "{line}: {}", run.describe());
    }
    assert!(!run.stdout.contains("Incomplete"), "{}", run.describe());
    assert_eq!(
        report["flags"]["accept_missing"].as_array().unwrap().len(),
        4
    );
    for region in report["regions"].as_array().unwrap() {
        for cell in region["cells"].as_array().unwrap() {
            assert_eq!(cell["accepted"], cell["class"] == "missing", "{cell}");
        }
    }
}

#[test]
fn stale_and_other_counts_are_not_accepted() {
    let account = default_account().region_with("us-west-1", Recorder::Stopped, &[(VPC, 1)]);
    let server = account.serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(BUCKET, "eu-west-1").then(denied)
    });
    let gaps = "--accept-missing=sa-east-1,AWS::IAM::Role,us-west-1";
    let (outcome, _) = run(&server, &[gaps]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.describe());
    let all = format!("{gaps},eu-west-1");
    let (outcome, _) = run(&server, &[&all]);
    assert_eq!(
        outcome.code,
        Some(3),
        "us-west-1 is stale: {}",
        outcome.describe()
    );
    let types = format!("--resource-types={VPC},{BUCKET},{ROLE}");
    for (gaps, code) in [(gaps, 3), (&*all, 0)] {
        let program = Program::new(&server).args([&*types, "--strict=missing", gaps]);
        assert_eq!(program.run().code, Some(code), "{gaps}");
    }
}

#[test]
fn region_that_is_not_enabled_can_be_accepted() {
    let account = account().other_region("ap-east-1");
    let server = account.serve();
    let regions = ["--regions", "us-east-1,ap-east-1", "--resource-types", VPC];
    for (gaps, code) in [(&[][..], 3), (&["--accept-missing", "ap-east-1"], 0)] {
        let run = Program::new(&server)
            .args(regions)
            .arg("--strict")
            .args(gaps)
            .run();
        assert_eq!(run.code, Some(code), "{gaps:?}: {}", run.describe());
    }
}

#[test]
fn run_without_counts_fails_with_expected_gaps() {
    let server = Account::new()
        .region_with("us-east-1", Recorder::None, &[])
        .serve();
    let (run, report) = run(&server, &["--skip-checks", "--accept-missing=us-east-1"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(report["totals"]["accepted"], 3);
    assert!(
        run.stderr.contains("nothing was counted"),
        "{}",
        run.describe()
    );
}

#[test]
fn misspelled_gap_is_shown() {
    let server = account().serve();
    let (outcome, _) = run(&server, &["--accept-missing", "us-esat-1"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.describe());
    let message = "error: --accept-missing: AWS has no region us-esat-1; did you mean us-east-1";
    assert!(outcome.stderr.contains(message), "{}", outcome.describe());
    assert_eq!(
        server.count(|call| call.service == "config" && call.lists(VPC, "eu-west-1")),
        0
    );
    let gaps = "AWS::EC2::Instnace,us-east-1/AWS::EC2::Instnace";
    let (outcome, _) = run(&server, &["--accept-missing", gaps]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.describe());
    let warning = "warning: AWS::EC2::Instnace is not a resource type of AWS Config that this version knows; did you mean";
    assert_eq!(
        outcome.stderr.matches(warning).count(),
        1,
        "{}",
        outcome.describe()
    );
}
