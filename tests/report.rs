//! Validates the report of every recorded run against its JSON schema, `schemas/report.schema.json`.

mod recordings;

use std::fs;
use std::path::Path;
use std::process::Command;

use aws_config_resource_count::coverage::Status;
use aws_config_resource_count::error_log::ErrorType;
use jsonschema::Validator;
use serde_json::{Value, json};

use recordings::{CASES, Case};

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/report.schema.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

/// Replays `case` with the built binary; returns the report and the exit code.
fn report(case: &Case, args: &[&str]) -> (Value, i32) {
    let recording = case.recording();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.json");
    let run = Command::new(env!("CARGO_BIN_EXE_aws-config-resource-count"))
        .env_clear()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("--replay")
        .arg(recording.path())
        .arg("--output-dir")
        .arg(directory.path())
        .arg("--report")
        .arg(&path)
        .args(args)
        .output()
        .unwrap();
    let code = run.status.code().unwrap();
    (
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap(),
        code,
    )
}

#[test]
fn report_of_every_case_matches_schema() {
    let validator = validator();
    for case in CASES {
        // Most recordings have no response to these requests; the report contains the errors.
        for args in [
            &[][..],
            &["--method=verify", "--resource-types=all", "--strict"],
        ] {
            let (report, code) = report(case, args);
            let errors: Vec<String> = validator
                .iter_errors(&report)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{} {args:?}: {errors:#?}", case.name);
            assert_eq!(report["exit_code"], code, "{} {args:?}", case.name);
        }
    }
}

#[test]
fn report_figures_match_cells() {
    let (report, code) = report(Case::named("demo"), &["--strict"]);
    assert_eq!(code, 3);
    let regions = report["regions"].as_array().unwrap();
    let types = report["types"].as_array().unwrap();
    assert_eq!((regions.len(), types.len()), (17, 10));
    let cells: Vec<&Value> = regions
        .iter()
        .flat_map(|region| region["cells"].as_array().unwrap())
        .collect();
    let number = |class: &str| cells.iter().filter(|cell| cell["class"] == class).count();
    let [known, stale, unverified, missing] =
        ["known", "stale", "unverified", "missing"].map(number);
    assert_eq!(known + stale + unverified + missing, cells.len());
    let expected = json!({
        "total": cells.len(), "known": known, "stale": stale, "unverified": unverified,
        "missing": missing,
    });
    assert_eq!(report["cells"], expected);
    assert!(missing > 0 && stale > 0);
    let sum = |values: &[Value], name: &str| -> u64 {
        values
            .iter()
            .map(|value| value[name].as_u64().unwrap())
            .sum()
    };
    let recorded: u64 = cells.iter().filter_map(|cell| cell["total"].as_u64()).sum();
    let totals = &report["totals"];
    assert_eq!(
        *totals,
        json!({
            "recorded": recorded, "iam_once": sum(types, "iam_once"), "known": known, "stale": stale,
            "unverified": unverified, "missing": missing, "accepted": 0,
            "regions": {"complete": 13, "stale": 1, "incomplete": 3},
        })
    );
    assert_eq!((recorded, sum(types, "iam_once")), (496, 459));
    assert_eq!(sum(types, "recorded"), recorded);
    assert_eq!(sum(types, "missing"), missing as u64);
    assert_eq!(sum(regions, "recorded"), recorded);
    assert_eq!(report["schema_version"], 2);
    for name in ["requests", "retries", "throttles", "bytes"] {
        let sum: u64 = regions
            .iter()
            .map(|r| r["usage"][name].as_u64().unwrap())
            .sum();
        let all = report["usage"][name].as_u64().unwrap();
        // One request each to STS, IAM and EC2.
        let others = all - sum;
        match name {
            "requests" => assert_eq!(others, 3),
            "bytes" => assert!(others > 0 && sum > 0),
            _ => assert_eq!(others, 0, "{name}"),
        }
    }
}

#[test]
fn schema_lists_every_status_and_error_type() {
    let schema = schema();
    let names = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    let statuses = &schema["$defs"]["cell"]["properties"]["status"]["enum"];
    assert_eq!(
        names(statuses),
        Status::ALL.map(|status| status.to_string())
    );
    let types = &schema["properties"]["errors"]["items"]["properties"]["error_type"]["enum"];
    assert_eq!(names(types), ErrorType::ALL.map(|t| t.to_string()));
}

#[test]
fn schema_rejects_invalid_reports() {
    assert!(jsonschema::meta::is_valid(&schema()));
    let validator = validator();
    let (good, _) = report(Case::named("demo"), &[]);
    assert!(validator.is_valid(&good));
    let mut regions = good["regions"].as_array().unwrap().iter();
    let n = regions
        .position(|region| region["cells"][0]["status"] == "counted")
        .unwrap();
    let cell = format!("/regions/{n}/cells/0");
    for (pointer, value) in [
        ("/exit_code".to_owned(), json!(2)),
        ("/start".to_owned(), json!("today")),
        ("/account/id".to_owned(), json!("12")),
        ("/flags/method".to_owned(), json!("guess")),
        ("/flags/resource_types".to_owned(), json!("some")),
        ("/usage/requests".to_owned(), json!(-1)),
        ("/errors/0/error_type".to_owned(), json!("OTHER")),
        (format!("/regions/{n}/recorder"), json!("asleep")),
        (format!("{cell}/status"), json!("probably")),
        (format!("{cell}/total"), json!(null)),
        (format!("{cell}/total"), json!(0)),
        (format!("{cell}/class"), json!("missing")),
        (format!("{cell}/since"), json!("yesterday")),
        ("/schema_version".to_owned(), json!(1)),
        ("/flags/strict".to_owned(), json!(true)),
        (format!("{cell}/resource_type"), json!("EC2")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(&pointer).unwrap() = value;
        assert!(!validator.is_valid(&bad), "{pointer}");
    }
    let mut more = good.clone();
    more["surprise"] = json!(1);
    let mut less = good;
    less.as_object_mut().unwrap().remove("errors");
    assert!(!validator.is_valid(&more) && !validator.is_valid(&less));
}
