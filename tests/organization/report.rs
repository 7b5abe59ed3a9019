//! Tests of the JSON report and of the results on stdout.

use serde_json::{Value, json};

use crate::support::{ORGANIZATION, Organization, Outcome, Reply};
use crate::{file, organization, run};

/// Returns an organization with one account of each kind.
fn mixed() -> Organization {
    let mut organization = organization(5);
    organization.member(2).has_role = false;
    "SUSPENDED".clone_into(&mut organization.member(3).state);
    "=1+1\n\u{1b}[31m".clone_into(&mut organization.member(4).name);
    organization
}

fn run_mixed(args: &[&str]) -> Outcome {
    let server = mixed().serve_with(|account, call| {
        let is_denied = account == Organization::id(5) && call.lists(crate::BUCKET, "eu-west-1");
        is_denied.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    });
    let args: Vec<&str> = ["--organization"].iter().chain(args).copied().collect();
    run(&server, &args)
}

fn schema(name: &str) -> Value {
    let path = format!("{}/schemas/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn assert_valid(report: &Value) {
    let schema = schema("accounts_report.schema.json");
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(report)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert_eq!(errors, [""; 0], "{report:#}");
    for name in ["accounts", "session_policy", "errors"] {
        let mut less = report.clone();
        less.as_object_mut().unwrap().remove(name);
        assert!(!validator.is_valid(&less), "{name}");
    }
}

#[test]
fn report_has_every_account() {
    let run = run_mixed(&["--format", "json"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_valid(&report);
    let accounts = report["accounts"].as_array().unwrap();
    let facts = accounts.iter().map(|account| {
        let names = ["id", "status", "access", "state"];
        names.map(|name| account[name].as_str().unwrap().to_owned())
    });
    let expected = [
        ["100000000001", "complete", "caller", "ACTIVE"],
        [
            "100000000002",
            "access_denied",
            "role OrganizationAccountAccessRole",
            "ACTIVE",
        ],
        ["100000000003", "not_active", "", "SUSPENDED"],
        [
            "100000000004",
            "complete",
            "role OrganizationAccountAccessRole",
            "ACTIVE",
        ],
        [
            "100000000005",
            "partial",
            "role OrganizationAccountAccessRole",
            "ACTIVE",
        ],
    ];
    assert_eq!(facts.collect::<Vec<_>>(), expected);
    let totals: Vec<&Value> = accounts.iter().map(|account| &account["total"]).collect();
    assert_eq!(
        totals,
        [
            &json!(4),
            &json!(null),
            &json!(null),
            &json!(10),
            &json!(12)
        ]
    );
    assert_eq!(accounts[3]["name"], "=1+1 \\u{1b}[31m");
    assert_eq!(accounts[3]["alias"], "alias-4");
    let cell = &accounts[4]["regions"][0]["cells"][1];
    assert_eq!(
        [&cell["resource_type"], &cell["status"], &cell["total"]],
        [&json!(crate::BUCKET), &json!("access_denied"), &json!(null)]
    );
    assert_eq!(accounts[4]["errors"][0]["error_type"], "PERMISSION");
    assert_eq!(
        report["cells"],
        json!({"total": 12, "known": 11, "stale": 0, "unverified": 0, "missing": 1})
    );
    assert_eq!(
        report["totals"],
        json!({"accounts": 5, "resources": 26, "is_complete": false,
            "statuses": {"complete": 2, "access_denied": 1, "not_active": 1, "partial": 1}})
    );
    assert_eq!(
        (&report["scope"], &report["session_policy"]),
        (&json!(ORGANIZATION), &json!(true))
    );
}

#[test]
fn report_says_that_the_session_policy_is_omitted() {
    let args = [
        "--no-session-policy",
        "--report",
        "../report.json",
        "--external-id",
        "s3cret",
        "--strict",
    ];
    let run = run_mixed(&args);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert!(
        run.stdout.contains("Report written to ../report.json\n"),
        "{}",
        run.stdout
    );
    let text = file(&run, "report.json").unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_valid(&report);
    assert_eq!(report["session_policy"], false);
    assert_eq!(report["flags"]["accounts"]["external_id"], true);
    assert_eq!(report["exit_code"], 3);
}

#[test]
fn report_of_failed_checks_has_the_errors() {
    let server = organization(1).serve_with(|_, call| {
        (call.service == "organizations")
            .then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    });
    let run = run(&server, &["--organization", "--format", "json"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_valid(&report);
    assert_eq!(
        (&report["scope"], &report["accounts"]),
        (&json!(null), &json!([]))
    );
    assert_eq!(report["errors"][0]["error_type"], "PREREQUISITE");
}

#[test]
fn strict_allows_only_expected_gaps() {
    let gap = format!("eu-west-1/{}", crate::BUCKET);
    for (accept, code) in [
        (vec![], 3),
        (vec!["--accept-missing", gap.as_str()], 0),
        (vec!["--accept-missing", "us-east-1"], 3),
    ] {
        let named = [
            "--accounts",
            "100000000001,100000000005",
            "--strict",
            "--format",
            "json",
        ];
        let run = run_mixed(&[&named[..], &accept].concat());
        assert_eq!(run.code, Some(code), "{accept:?} {}", run.describe());
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_valid(&report);
        let cell = &report["accounts"][1]["regions"][0]["cells"][1];
        assert_eq!(cell["accepted"], code == 0, "{accept:?}");
    }
    // An account without access is missing, and not a gap of a region or type.
    let gaps = format!("{gap},us-east-1,eu-west-1");
    let run = run_mixed(&["--strict", "--accept-missing", &gaps]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
}

#[test]
fn format_csv_prints_the_combined_file() {
    let run = run_mixed(&["--format", "csv"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
    assert_eq!(file(&run, &name), Some(run.stdout.clone()));
    assert!(run.stdout.lines().count() > 5, "{}", run.stdout);
}

#[test]
fn format_table_prints_the_accounts_with_totals() {
    let run = run_mixed(&["--format", "table"]);
    let expected = "\
Accounts of o-abcdefghij

account       name             status         total
100000000001  team-1           complete          4
100000000002  team-2           access_denied     ?
100000000003  team-3           not_active        -
100000000004  =1+1 \\u{1b}[31m  complete         10
100000000005  team-5           partial          12+
total                                           26+

?  missing: no count
+  at least: counts are missing
";
    assert_eq!(run.stdout, expected, "{}", run.describe());
}

#[test]
fn schemas_share_their_definitions() {
    let (one, many) = (
        schema("report.schema.json"),
        schema("accounts_report.schema.json"),
    );
    let mut shared = 0;
    for (name, definition) in one["$defs"].as_object().unwrap() {
        if let Some(other) = many["$defs"].get(name) {
            assert_eq!(other, definition, "{name}");
            shared += 1;
        }
    }
    assert!(shared >= 7, "{shared}");
    assert_eq!(many["$defs"]["error"], one["properties"]["errors"]["items"]);
}
