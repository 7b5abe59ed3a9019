//! Tests of `--format`: the result on stdout, and the rest on stderr.

use std::fs::{self, File};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{Account, Program, Recorder, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, without_cell};

const FORMATS: [&str; 3] = ["table", "csv", "json"];

/// Serves `account` with one error in the scan.
fn serve_with_error(account: &Account) -> Server {
    account.serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    })
}

fn program(server: &Server, format: &str) -> Program {
    Program::new(server).args(TYPES).args(["--format", format])
}

fn parse(report: &str) -> Value {
    serde_json::from_str(report).unwrap_or_else(|e| panic!("not a report: {e}: {report}"))
}

#[test]
fn csv_on_stdout_equals_the_file() {
    let account = account();
    for args in [
        &[][..],
        &["--quiet"],
        &["--coverage", "--method", "verify"],
        &["--skip-checks"],
    ] {
        let server = serve_with_error(&account);
        let run = program(&server, "csv").args(args).run();
        assert_eq!(run.code, Some(0), "{args:?}: {}", run.describe());
        assert_eq!(run.stdout, without_cell(&account.csv(), "eu-west-1", VPC));
        assert_eq!(run.stdout, run.csv(), "{args:?}");
        assert!(
            run.stderr.contains("[PERMISSION] Region: eu-west-1, "),
            "{}",
            run.describe()
        );
        let has_bar = run.stderr.contains("] 2/2\n");
        assert_eq!(has_bar, !args.contains(&"--quiet"), "{}", run.describe());
        for text in ["✓", "Verifying", "Summary", "written"] {
            assert!(!run.stderr.contains(text), "{text}: {}", run.describe());
        }
    }
}

#[test]
fn table_shows_every_class() {
    let account = account()
        .region_with("ap-south-1", Recorder::None, &[])
        .region_with("sa-east-1", Recorder::Stopped, &[(VPC, 1_200)]);
    let server = account.serve_with(|call| {
        let recorder = call.operation.starts_with("DescribeConfigurationRecorder");
        let is_unknown = recorder && call.region == "us-east-1";
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        (is_unknown || call.lists(VPC, "eu-west-1")).then(denied)
    });
    let types = format!("{VPC},{BUCKET},AWS::IAM::Role");
    let run = Program::new(&server)
        .args(["--resource-types", &types, "--format", "table"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let expected = "\
Account 012345678901 (acme-prod)

            AWS::EC2::VPC  AWS::IAM::Role  AWS::S3::Bucket  total
ap-south-1              ?               -                ?      ?
eu-west-1               ?               0                7      7+
sa-east-1           1,200*              0*               0* 1,200*
us-east-1               2               0~             250    252~
total               1,202+              0*             257+ 1,459+

?  missing: no count
*  stale: may be out of date
~  unverified: may not be recorded
-  counted in another region
+  at least: counts are missing
";
    assert_eq!(run.stdout, expected, "{}", run.describe());
}

#[test]
fn documented_table_is_that_of_the_demo() {
    let regions = "ap-northeast-1,ap-northeast-2,eu-west-1,us-west-1";
    let args = ["--demo", "--format", "table", "--regions", regions];
    let run = Program::without_server().args(args).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/output.md");
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains(&format!("```text\n{}```\n", run.stdout)),
        "{}",
        run.describe()
    );
}

#[test]
fn json_on_stdout_equals_the_report() {
    for report in [
        &["--format", "json"][..],
        &["--report", "-"],
        &["--format=json", "--report=-"],
    ] {
        let server = serve_with_error(&account());
        let run = Program::new(&server).args(TYPES).args(report).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let report = parse(&run.stdout);
        assert_eq!(report["flags"]["format"], "json");
        assert_eq!(report["cells"]["known"], 3);
        assert_eq!(report["errors"].as_array().unwrap().len(), 1);
        assert!(!run.stderr.contains("Summary"), "{}", run.describe());
    }
}

#[test]
fn format_and_report_file_go_together() {
    let server = account().serve();
    for format in FORMATS {
        let run = program(&server, format).args(["--report", "r.json"]).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let file = fs::read_to_string(run.directory().join("current/r.json")).unwrap();
        let mut report = parse(&file);
        assert_eq!(report["flags"]["format"], format);
        if format == "json" {
            let mut printed = parse(&run.stdout);
            for report in [&mut report, &mut printed] {
                report["end"] = Value::Null;
            }
            assert_eq!(printed, report);
        }
    }
}

#[test]
fn stdout_has_at_most_one_format() {
    let server = account().serve();
    for args in [
        &["--format", "table", "--report", "-"][..],
        &["--format", "csv", "--report", "/dev/stdout"],
        &["--format", "xml"],
        &["--format", "table,csv"],
        &["--format"],
    ] {
        let run = Program::new(&server).args(args).run();
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.describe());
        assert_eq!(run.stdout, "", "{args:?}");
        assert!(run.stderr.contains(args[0]), "{args:?}: {}", run.describe());
        assert!(run.files().is_empty(), "{args:?}: {}", run.describe());
    }
    assert_eq!(server.calls().len(), 0);
}

#[test]
fn reason_of_exit_code_3_is_on_stderr() {
    for args in [
        &["--format", "csv"][..],
        &["--format", "json"],
        &["--quiet"],
    ] {
        let server = serve_with_error(&account());
        let run = Program::new(&server)
            .args(TYPES)
            .arg("--strict")
            .args(args)
            .run();
        assert_eq!(run.code, Some(3), "{}", run.describe());
        let reason = "\nExit code 3: 1 count missing (--strict)\n";
        assert!(run.stderr.ends_with(reason), "{}", run.describe());
        assert!(!run.stdout.contains("Exit code"), "{}", run.describe());
    }
}

#[test]
fn failed_check_is_on_stderr() {
    for format in FORMATS {
        let server = account().serve_with(|call| {
            let denied = || Reply::error(call, 403, "UnauthorizedOperation", "no");
            (call.service == "ec2").then(denied)
        });
        let run = program(&server, format).run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let line = "[PREREQUISITE] Message: ";
        assert!(run.stderr.contains(line), "{format}: {}", run.describe());
        assert!(
            run.stderr.contains("ec2:DescribeRegions"),
            "{format}: {}",
            run.describe()
        );
        if format == "json" {
            let report = parse(&run.stdout);
            assert_eq!(
                (&report["exit_code"], &report["regions"]),
                (&json!(1), &json!([]))
            );
        } else {
            assert_eq!(run.stdout, "", "{format}");
        }
    }
}

#[test]
fn run_without_counts_prints_none() {
    for format in FORMATS {
        let no_recorder = Account::new()
            .region_with("us-east-1", Recorder::None, &[])
            .region_with("eu-west-1", Recorder::None, &[]);
        let server = no_recorder.serve();
        let run = program(&server, format).arg("--skip-checks").run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert!(
            run.stderr.contains("nothing was counted"),
            "{}",
            run.describe()
        );
        if format == "json" {
            let report = parse(&run.stdout);
            assert_eq!(
                (&report["exit_code"], &report["cells"]["missing"]),
                (&json!(1), &json!(4))
            );
        } else {
            assert_eq!(run.stdout, "", "{format}");
        }
    }
}

#[test]
fn empty_account_has_only_the_header() {
    let server = Account::new().region("us-east-1", &[]).serve();
    let run = program(&server, "csv").run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.stdout, "account,alias,region,resource_type,total\r\n");
    let run = program(&server, "table").run();
    assert!(
        run.stdout.contains("\ntotal                    0      0\n"),
        "{}",
        run.describe()
    );
}

#[test]
fn closed_pipe_changes_nothing() {
    // More than a pipe holds.
    let types: Vec<String> = (100..600)
        .map(|n| format!("MyOrg::Service{n}::Thing"))
        .collect();
    let counts: Vec<_> = types.iter().map(|t| (t.as_str(), 1)).collect();
    let account = ["us-east-1", "eu-west-1", "sa-east-1", "us-west-2"]
        .iter()
        .fold(Account::new(), |account, region| {
            account.region(region, &counts)
        });
    let server = account.serve();
    for format in FORMATS {
        let script = r#"{ "$@"; echo "code $?" >&2; } | head -n 1"#;
        let run = Program::in_shell(script, &server)
            .args(["--resource-types", &types.join(","), "--format", format])
            .run();
        assert!(
            run.stderr.ends_with("code 0\n"),
            "{format}: {}",
            run.describe()
        );
        assert_eq!(run.stdout.lines().count(), 1, "{format}");
        assert_eq!(run.csv(), account.csv(), "{format}");
        assert_eq!(run.errors(), "", "{format}");
    }
}

#[test]
fn full_stdout_fails_the_run() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        // Only Linux has this device.
        return;
    };
    let server = account().serve();
    for format in FORMATS {
        let full = full.try_clone().unwrap();
        let run = program(&server, format).stdout(full).run();
        assert_eq!(run.code, Some(1), "{format}: {}", run.describe());
        let message = "[FATAL] Message: the result could not be written to stdout: ";
        assert!(run.stderr.contains(message), "{format}: {}", run.describe());
        assert!(
            run.errors().contains(message),
            "{format}: {}",
            run.describe()
        );
        assert_eq!(run.csv(), account().csv(), "{format}");
    }
}

#[test]
fn stopped_scan_prints_what_the_file_has() {
    let expired = AtomicBool::new(false);
    let server = account().serve_with(move |call| {
        let is_last = call.lists(BUCKET, "us-east-1");
        let is_expired = expired.fetch_or(is_last, Ordering::SeqCst) || is_last;
        is_expired.then(|| Reply::error(call, 400, "ExpiredTokenException", "expired"))
    });
    let run = program(&server, "csv")
        .args(["--region-concurrency", "1"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(run.stderr.contains("[FATAL]"), "{}", run.describe());
    let file = run.output("acme-prod.csv").unwrap_or_default();
    assert_eq!(run.stdout, file, "{}", run.describe());
}
