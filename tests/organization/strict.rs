//! Tests of `--strict` with other problems than missing counts: differences of `--method verify`, and skipped regions.

use serde_json::json;

use crate::support::{ORGANIZATION, Organization, Outcome, Program, Reply};
use crate::{BUCKET, VPC, file, organization, run, statuses};

fn stdout_has(run: &Outcome, text: &str) {
    assert!(run.stdout.contains(text), "{text}: {}", run.describe());
}

/// The counts of an account differ from its listings in one region, and those of another one are denied there.
#[test]
fn differences_of_accounts_are_shown_and_violate_strict() {
    let organization = organization(4);
    let server = organization.serve_with(|account, call| {
        if !call.is("GetDiscoveredResourceCounts", "eu-west-1") {
            return None;
        }
        if account == Organization::id(2) {
            let counts = [VPC, BUCKET].map(|t| json!({"resourceType": t, "count": 9}));
            let page = json!({"totalDiscoveredResources": 18, "resourceCounts": counts});
            return Some(Reply::json(&page));
        }
        let is_denied = account == Organization::id(3);
        is_denied.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    });
    for (option, code) in [("--strict", 3), ("--strict=missing", 3), ("--quiet", 0)] {
        let run = run(&server, &["--organization", "--method", "verify", option]);
        assert_eq!(run.code, Some(code), "{option} {}", run.describe());
        if option == "--quiet" {
            continue;
        }
        stdout_has(
            &run,
            "\n  Verified: 14 counts compared, 2 differences, 2 could not be compared\n",
        );
        stdout_has(
            &run,
            "\n1 account whose listings and counts differ: 100000000002 (team-2): 2 differences\n",
        );
        stdout_has(
            &run,
            "\n1 account with counts that could not be compared: 100000000003 (team-3): 2 counts\n",
        );
        let reason = format!("\nExit code 3: 2 differences, 2 counts not compared ({option})\n");
        stdout_has(&run, &reason);
    }
}

#[test]
fn resumed_run_has_the_differences_of_both() {
    let organization = organization(2);
    let server = organization.serve_with(|account, call| {
        let counts = [VPC, BUCKET].map(|t| json!({"resourceType": t, "count": 9}));
        let page = json!({"totalDiscoveredResources": 18, "resourceCounts": counts});
        let differs = call.is("GetDiscoveredResourceCounts", "eu-west-1");
        (differs && account == Organization::id(2)).then(|| Reply::json(&page))
    });
    let directory = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let program = Program::without_server().args(["--endpoint-url", &server.url()]);
        let program = program.args(["--resource-types", &format!("{VPC},{BUCKET}")]);
        let program = program.args(["--organization", "--method", "verify", "--strict"]);
        program
            .args(args)
            .arg("--output-dir")
            .arg(directory.path())
            .run()
    };
    let (first, resumed) = (run(&[]), run(&["--resume"]));
    for run in [first, resumed] {
        assert_eq!(run.code, Some(3), "{}", run.describe());
        stdout_has(&run, "\nExit code 3: 2 differences (--strict)\n");
    }
}

/// A name that is not a region code may be that of a region, so the account is not complete.
#[test]
fn account_with_skipped_region_is_not_complete() {
    let organization = organization(3);
    let server = organization.serve_with(|account, call| {
        let names = ["us-east-1", "eu-west-1", "evil;region"];
        let items = names.map(|name| format!("<item><regionName>{name}</regionName></item>"));
        let body = format!(
            "<DescribeRegionsResponse><regionInfo>{}</regionInfo></DescribeRegionsResponse>",
            items.concat()
        );
        let is_bad = call.operation == "DescribeRegions" && account == Organization::id(2);
        is_bad.then(|| Reply::xml(body))
    });
    let run = run(&server, &["--organization", "--strict=missing"]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    stdout_has(&run, "\nExit code 3: 1 region skipped (--strict=missing)\n");
    stdout_has(&run, "1 account with skipped regions");
    stdout_has(
        &run,
        "\nThe totals are not complete: 1 account was counted in part.\n",
    );
    assert_eq!(statuses(&run, ORGANIZATION)[1].1, "partial");
    let table = file(
        &run,
        &format!("aws_config_combined_accounts_{ORGANIZATION}.csv"),
    );
    assert!(table.unwrap().contains("the region was skipped"));
}
