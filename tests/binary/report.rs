//! Tests of `--report`: its figures equal those of the server and of the other files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Value, json};

use crate::support::{Account, Call, Outcome, Program, Recorder, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account};

/// The number of replies and of bytes in their bodies, by service and region.
type Totals = Arc<Mutex<BTreeMap<(String, String), (u64, u64)>>>;

/// Serves `account` with the replies of `replies` where it has one, and totals all replies.
fn serve_with_totals(
    account: &Account,
    replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
) -> (Server, Totals) {
    let responder = account.responder();
    let totals = Totals::default();
    let shared = totals.clone();
    let server = account.serve_with(move |call| {
        let reply = replies(call).unwrap_or_else(|| responder.respond(call));
        let key = (call.service.clone(), call.region.clone());
        let mut totals = shared.lock().unwrap();
        let (requests, bytes) = totals.entry(key).or_default();
        *requests += 1;
        *bytes += reply.body_length() as u64;
        Some(reply)
    });
    (server, totals)
}

/// Runs with a report, and returns it.
fn run_with_report(server: &Server, args: &[&str]) -> (Outcome, Value) {
    let program = Program::new(server).args(["--report", "report.json"]);
    let run = program.args(args).run();
    let text = std::fs::read_to_string(run.directory().join("current/report.json"));
    let text = text.unwrap_or_else(|e| panic!("{e}: {}", run.describe()));
    assert!(text.ends_with("}\n"), "{text}");
    (run, serde_json::from_str(&text).unwrap())
}

/// Returns the lines of the error log that follow from the report.
fn log_lines(report: &Value) -> Vec<String> {
    let part = |name: &str, value: &Value| match value.as_str() {
        Some(text) => format!("{name}: {text}, "),
        None => String::new(),
    };
    let errors = report["errors"].as_array().unwrap();
    let line = |error: &Value| {
        format!(
            "[{}] [{}] {}{}Message: {}",
            error["at"].as_str().unwrap(),
            error["error_type"].as_str().unwrap(),
            part("Region", &error["region"]),
            part("Resource", &error["resource_type"]),
            error["message"].as_str().unwrap()
        )
    };
    errors.iter().map(line).collect()
}

/// Returns the rows of the coverage file that follow from the report.
fn coverage_rows(report: &Value) -> Vec<Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for region in report["regions"].as_array().unwrap() {
        for cell in region["cells"].as_array().unwrap() {
            rows.push(vec![
                text(&report["account"]["id"]),
                text(&report["account"]["alias"]),
                text(&region["region"]),
                text(&cell["resource_type"]),
                text(&cell["status"]),
                text(&cell["class"]),
                cell["total"]
                    .as_u64()
                    .map(|n| n.to_string())
                    .unwrap_or_default(),
                text(&cell["since"]),
                text(&cell["detail"]),
            ]);
        }
    }
    rows
}

fn csv_rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

#[test]
fn figures_equal_server_and_other_files() {
    let account = account()
        .region_with("ap-south-1", Recorder::None, &[(VPC, 3)])
        .region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)]);
    let first = AtomicBool::new(true);
    let (server, totals) = serve_with_totals(&account, move |call| {
        if call.lists(VPC, "eu-west-1") {
            return Some(Reply::error(
                call,
                400,
                "AccessDeniedException",
                "\"no\", \u{1b}[1m",
            ));
        }
        let once = call.lists(BUCKET, "eu-west-1") && first.swap(false, Ordering::SeqCst);
        once.then(|| Reply::throttled(call))
    });
    let one_by_one = ["--region-concurrency", "1"];
    let args = [
        "--coverage",
        "--strict",
        TYPES[0],
        TYPES[1],
        one_by_one[0],
        one_by_one[1],
    ];
    let (run, report) = run_with_report(&server, &args);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(report["exit_code"], 3);
    assert_eq!(report["program"], "aws-config-resource-count");
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        report["account"],
        json!({"id": "012345678901", "alias": "acme-prod"})
    );
    let (start, end) = (
        report["start"].as_str().unwrap(),
        report["end"].as_str().unwrap(),
    );
    assert!(start <= end && start.ends_with('Z'), "{start} {end}");

    let totals = totals.lock().unwrap();
    let regions = report["regions"].as_array().unwrap();
    let expected = [
        // Name, status, recorder, requests and retries. Without a recorder, the first listing ends
        // the region.
        ("ap-south-1", "missing", "missing", 3, 0),
        ("eu-north-1", "stale", "stopped", 4, 0),
        ("eu-west-1", "partial", "recording", 5, 1),
        ("us-east-1", "complete", "recording", 6, 0),
    ];
    assert_eq!(regions.len(), expected.len());
    for (region, (name, status, recorder, requests, retries)) in regions.iter().zip(expected) {
        let key = ("config".to_owned(), name.to_owned());
        let (received, bytes) = totals[&key];
        assert_eq!(received, requests, "{name}");
        assert_eq!(region["region"], name);
        assert_eq!(region["status"], status, "{name}");
        assert_eq!(region["recorder"], recorder, "{name}");
        assert!(region["seconds"].as_f64().unwrap() >= 0.0, "{name}");
        let usage = json!({
            "requests": requests, "retries": retries, "throttles": retries, "bytes": bytes,
        });
        assert_eq!(region["usage"], usage, "{name}");
    }
    let (requests, bytes) = totals
        .values()
        .fold((0, 0), |(n, b), total| (n + total.0, b + total.1));
    assert_eq!(requests, server.calls().len() as u64);
    let usage = json!({"requests": requests, "retries": 1, "throttles": 1, "bytes": bytes});
    assert_eq!(report["usage"], usage);

    assert_eq!(
        report["cells"],
        json!({"total": 8, "known": 3, "stale": 2, "unverified": 0, "missing": 3})
    );
    let missing = regions.iter().flat_map(|r| r["cells"].as_array().unwrap());
    assert_eq!(missing.filter(|cell| cell["class"] == "missing").count(), 3);
    assert_eq!(coverage_rows(&report), csv_rows(&run.coverage()));
    assert_eq!(log_lines(&report).join("\n") + "\n", run.errors());
    assert_eq!(run.errors().lines().count(), 3, "{}", run.describe());
    let message = "\nReport written to report.json\n";
    assert!(run.stdout.ends_with(message), "{}", run.describe());
}

#[test]
fn report_lists_the_options_of_run() {
    let server = account().serve();
    let (_, report) = run_with_report(&server, &[]);
    let flags = &report["flags"];
    assert_eq!(flags["method"], "list");
    assert_eq!(flags["resource_types"].as_array().unwrap().len(), 10);
    assert_eq!(flags["endpoint_url"], format!("{}/", server.url()));
    for flag in ["coverage", "skip_checks", "demo"] {
        assert_eq!(flags[flag], false, "{flag}");
    }
    for option in [
        "strict",
        "profile",
        "region",
        "ca_bundle",
        "max_attempts",
        "record",
        "replay",
    ] {
        assert_eq!(flags[option], Value::Null, "{option}");
    }
    let args = [
        "--resource-types=all",
        "--method=counts",
        "--strict",
        "--coverage",
        "--skip-checks",
        "--max-attempts=3",
        "--region=eu-west-1",
        "--exclude-regions=us-east-1",
        "--read-timeout=7",
    ];
    let (run, report) = run_with_report(&server, &args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let flags = &report["flags"];
    assert_eq!(
        (&flags["method"], &flags["resource_types"]),
        (&json!("counts"), &json!("all"))
    );
    for flag in ["coverage", "skip_checks"] {
        assert_eq!(flags[flag], true, "{flag}");
    }
    assert_eq!(flags["strict"], "all");
    assert_eq!(flags["max_attempts"], 3);
    assert_eq!(flags["region"], "eu-west-1");
    assert_eq!(flags["exclude_regions"], json!(["us-east-1"]));
    assert_eq!(flags["read_timeout"], 7);
    assert_eq!(report["regions"].as_array().unwrap().len(), 1);
}

#[test]
fn failed_check_is_in_the_report() {
    let (server, _) = serve_with_totals(&account(), |call| {
        let denied = || Reply::error(call, 403, "UnauthorizedOperation", "no");
        (call.service == "ec2").then(denied)
    });
    let (run, report) = run_with_report(&server, &TYPES);
    assert_eq!(
        (run.code, &report["exit_code"]),
        (Some(1), &json!(1)),
        "{}",
        run.describe()
    );
    assert_eq!(
        report["account"],
        json!({"id": "012345678901", "alias": "acme-prod"})
    );
    assert_eq!(report["regions"], json!([]));
    assert_eq!(
        report["cells"],
        json!({"total": 0, "known": 0, "stale": 0, "unverified": 0, "missing": 0})
    );
    assert_eq!(report["usage"]["requests"], server.calls().len());
    assert_eq!(report["usage"]["retries"], 0);
    assert_eq!(report["errors"].as_array().unwrap().len(), 1);
    assert_eq!(log_lines(&report).join("\n") + "\n", run.errors());
    assert!(
        run.errors().contains("[PREREQUISITE] Message: "),
        "{}",
        run.describe()
    );

    // The account is unknown.
    let (server, _) = serve_with_totals(&account(), |call| {
        Some(Reply::error(call, 403, "AccessDenied", "no"))
    });
    let (run, report) = run_with_report(&server, &[]);
    assert_eq!(
        (run.code, &report["exit_code"]),
        (Some(1), &json!(1)),
        "{}",
        run.describe()
    );
    assert_eq!(report["account"], Value::Null);
    assert_eq!(report["errors"].as_array().unwrap().len(), 5);
    assert_eq!(log_lines(&report).join("\n") + "\n", run.errors());
}

#[test]
fn old_report_is_replaced() {
    let server = account().serve();
    let program = Program::new(&server).args(TYPES);
    let path = program.directory().join("out/report.json");
    std::fs::write(&path, "old\n".repeat(10_000)).unwrap();
    let run = program.arg("--report").arg(&path).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(report["exit_code"], 0);
    assert_eq!(run.files().len(), 2, "{}", run.describe());
}

#[test]
fn run_without_scan_reports_requests_of_checks() {
    let server = account().serve();
    let program = Program::new(&server).args(["--exclude-regions", "eu-west-1,us-east-1"]);
    let path = program.directory().join("report.json");
    let run = program.arg("--report").arg(&path).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(report["usage"]["requests"], server.calls().len());
    assert_eq!(report["regions"], serde_json::json!([]));
}

#[test]
fn unwritable_report_keeps_the_csv() {
    let path = Arc::new(OnceLock::<PathBuf>::new());
    let for_server = path.clone();
    let account = account();
    let server = account.serve_with(move |call| {
        // After the path was checked.
        if call.lists(BUCKET, "us-east-1") {
            let _ = std::fs::create_dir(for_server.get().unwrap());
        }
        None
    });
    let program = Program::new(&server).args(TYPES);
    path.set(program.directory().join("current/report.json"))
        .unwrap();
    let run = program.args(["--report", "report.json"]).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());
    let message = "[FATAL] Message: the report could not be written to report.json: ";
    assert!(run.stderr.contains(message), "{}", run.describe());
    assert!(run.errors().contains(message), "{}", run.describe());
    assert_eq!(
        run.files().len(),
        2,
        "the CSV and the log: {}",
        run.describe()
    );
}

#[test]
fn quiet_run_writes_the_report() {
    let server = account().serve();
    let (run, report) = run_with_report(&server, &["--quiet"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(
        report["cells"],
        json!({"total": 20, "known": 20, "stale": 0, "unverified": 0, "missing": 0})
    );
}
