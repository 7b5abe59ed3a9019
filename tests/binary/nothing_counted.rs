//! Runs in which every count is missing, and runs of an empty account.

use crate::support::{Account, Call, Outcome, Program, Recorder, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account};

const NAME: &str = "out/aws_config_resource_count_012345678901_acme-prod.csv";
const OLD: &str = "account,alias,region,resource_type,total\r\nthe CSV of yesterday\r\n";

/// Runs with an old CSV in the output directory.
fn run_with_old_csv(server: &Server, args: &[&str]) -> Outcome {
    let program = Program::new(server).args(TYPES).args(args);
    std::fs::write(program.directory().join(NAME), OLD).unwrap();
    program.run()
}

/// Denies all calls that count, except the check in us-east-1, the first region.
fn deny_scan(call: &Call, code: &str) -> Option<Reply> {
    let counts = ["ListDiscoveredResources", "GetDiscoveredResourceCounts"];
    let is_check = call.region == "us-east-1" && call.number < 8;
    let is_count = counts.contains(&&*call.operation) && !is_check;
    is_count.then(|| Reply::error(call, 400, code, "no"))
}

#[test]
fn run_without_counts_keeps_old_csv() {
    // The checks use us-east-1, which is excluded from the scan.
    for (code, args) in [
        ("AccessDeniedException", &[][..]),
        ("AccessDeniedException", &["--strict"]),
        ("AccessDeniedException", &["--strict=missing", "--coverage"]),
        ("AccessDeniedException", &["--method", "counts"]),
        ("AccessDeniedException", &["--method", "verify"]),
        ("NoAvailableConfigurationRecorderException", &[]),
        ("ThrottlingException", &["--max-attempts", "1"]),
        ("ValidationException", &["--coverage"]),
        ("UnrecognizedClientException", &[]),
    ] {
        let account = account().region("eu-north-1", &[(VPC, 1)]);
        let server = account.serve_with(move |call| deny_scan(call, code));
        let args = [args, &["--exclude-regions", "us-east-1"]].concat();
        let run = run_with_old_csv(&server, &args);
        assert_eq!(run.code, Some(1), "{code} {args:?}: {}", run.describe());
        assert_eq!(run.csv(), OLD, "{code} {args:?}");
        let line = "[FATAL] Message: nothing was counted: all 4 counts are missing; ";
        assert!(
            run.errors().contains(line),
            "{code} {args:?}: {}",
            run.describe()
        );
        assert!(
            run.stderr.contains(line),
            "{code} {args:?}: {}",
            run.describe()
        );
        assert!(
            !run.stdout.contains("Results written"),
            "{}",
            run.describe()
        );
    }
}

#[test]
fn message_names_only_an_existing_csv() {
    let server = account().serve_with(|call| deny_scan(call, "AccessDeniedException"));
    let args = ["--regions", "eu-west-1", "--skip-checks"];
    let kept =
        ", and the existing aws_config_resource_count_012345678901_acme-prod.csv was not changed\n";
    for (run, end) in [
        (run_with_old_csv(&server, &args), kept),
        (Program::new(&server).args(TYPES).args(args).run(), "\n"),
    ] {
        let line = format!("counts are missing; the results were not written{end}");
        assert!(run.errors().contains(&line), "{}", run.describe());
    }
}

#[test]
fn recorder_without_any_type_counts_nothing() {
    let account = Account::new()
        .alias("acme-prod")
        .region("us-east-1", &[])
        .not_recording("us-east-1", &[VPC, BUCKET]);
    let run = run_with_old_csv(&account.serve(), &[]);
    assert_eq!(
        (run.code, &*run.csv()),
        (Some(1), OLD),
        "{}",
        run.describe()
    );
    let run = Program::new(&account.serve())
        .args(["--resource-types", VPC])
        .run();
    let line = "[FATAL] Message: nothing was counted: the only count is missing; ";
    assert!(run.errors().contains(line), "{}", run.describe());
}

#[test]
fn run_with_any_count_replaces_the_csv() {
    let header = "account,alias,region,resource_type,total\r\n";
    let empty = || Account::new().alias("acme-prod");
    let deny_recorder = |call: &Call| {
        let is_recorder = call.operation.starts_with("DescribeConfigurationRecorder");
        is_recorder.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    };
    let one_zero = |call: &Call| {
        let is_zero = call.lists(VPC, "us-east-1");
        let denied = call.operation == "ListDiscoveredResources" && !is_zero && call.number > 8;
        denied.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    };
    let both = || empty().region("us-east-1", &[]).region("eu-west-1", &[]);
    for (name, server, strict) in [
        ("all zeros", both().serve(), 0),
        ("all unverified", both().serve_with(deny_recorder), 3),
        (
            "all stale zeros",
            empty()
                .region_with("us-east-1", Recorder::Stopped, &[])
                .serve(),
            3,
        ),
        (
            "one zero, the others missing",
            both().serve_with(one_zero),
            3,
        ),
    ] {
        for (args, code) in [(&[][..], 0), (&["--strict"], strict)] {
            let run = run_with_old_csv(&server, args);
            assert_eq!(run.code, Some(code), "{name}: {}", run.describe());
            assert_eq!(run.csv(), header, "{name}");
        }
    }
    let stale = empty().region_with("us-east-1", Recorder::Stopped, &[(VPC, 3)]);
    let run = run_with_old_csv(&stale.serve(), &[]);
    assert_eq!(
        (run.code, run.csv()),
        (Some(0), stale.csv()),
        "{}",
        run.describe()
    );
}
