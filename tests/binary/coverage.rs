//! Tests of the coverage, and of recorder calls that fail or are slow.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

use crate::support::{Account, Call, Outcome, Program, Recorder, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, without_cell, without_region};

const ROLE: &str = "AWS::IAM::Role";

/// The columns `since` and `detail` of a stopped recorder.
const STOPPED: &str = "2026-08-06T07:06:40.500Z,recorder stopped since 2026-08-06T07:06:40.500Z: the count dates from then";

/// Returns an account with a region for every state of the recorder.
fn mixed_account() -> Account {
    account()
        .region_with("ap-south-1", Recorder::None, &[(VPC, 3)])
        .region("ca-central-1", &[(BUCKET, 3)])
        .not_recording("ca-central-1", &[BUCKET, VPC])
        .region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)])
}

/// Serves `account` with a constant request ID, and denies listing VPCs in eu-west-1.
fn serve(account: &Account) -> Server {
    let responder = account.responder();
    account.serve_with(move |call| {
        let reply = if call.lists(VPC, "eu-west-1") {
            Reply::error(call, 400, "AccessDeniedException", "not \"authorized\"")
        } else {
            responder.respond(call)
        };
        Some(reply.header("x-amzn-requestid", "r-1"))
    })
}

/// Returns true if the request is about a recorder.
fn is_recorder_call(call: &Call) -> bool {
    call.operation.starts_with("DescribeConfigurationRecorder")
}

/// Returns a response that denies access.
fn deny(call: &Call) -> Reply {
    Reply::error(call, 400, "AccessDeniedException", "not authorized")
}

/// Returns the lines of the summary on stdout, without indentation, empty lines, and the time and number of requests.
fn summary(run: &Outcome) -> Vec<&str> {
    let (_, summary) = run.stdout.split_once("\nSummary\n").expect("a summary");
    let lines = summary.lines().map(str::trim_start);
    let lines = lines.map(|line| line.split(" · ").next().unwrap_or(line));
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn mixed_account_has_every_status() {
    let account = mixed_account();
    let server = serve(&account);
    let run = Program::new(&server).args(TYPES).arg("--coverage").run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    let missing = "\"config:ListDiscoveredResources failed with \
                   NoAvailableConfigurationRecorderException (HTTP 400, request id r-1): There are \
                   no customer managed configuration recorders available; turn on AWS Config in \
                   this region, or exclude it with --exclude-regions\"";
    let denied = "\"config:ListDiscoveredResources failed with AccessDeniedException (HTTP 400, \
                  request id r-1): not \"\"authorized\"\"; allow config:ListDiscoveredResources in \
                  the caller's policies and service control policies\"";
    let expected = [
        format!("ap-south-1,{VPC},recorder_missing,missing,,,{missing}"),
        format!("ap-south-1,{BUCKET},recorder_missing,missing,,,{missing}"),
        format!(
            "ca-central-1,{VPC},not_recorded,missing,,,\"not recorded and none discovered, so the \
             real number is unknown\""
        ),
        format!(
            "ca-central-1,{BUCKET},not_recorded,stale,3,,not recorded here; the discovered count \
             may be stale or incomplete"
        ),
        format!("eu-north-1,{VPC},recorder_stopped,stale,4,{STOPPED}"),
        format!("eu-north-1,{BUCKET},recorder_stopped,stale,0,{STOPPED}"),
        format!("eu-west-1,{VPC},access_denied,missing,,,{denied}"),
        format!("eu-west-1,{BUCKET},counted,known,7,,"),
        format!("us-east-1,{VPC},counted,known,2,,"),
        format!("us-east-1,{BUCKET},counted,known,250,,"),
    ];
    let columns =
        "account,alias,region,resource_type,status,class,total,since,detail\r\n".to_owned();
    let rows = expected.map(|row| format!("012345678901,acme-prod,{row}\r\n"));
    assert_eq!(run.coverage(), columns + &rows.concat());
    let name = "aws_config_coverage_012345678901_acme-prod.csv";
    let path = run.directory().join("out").join(name);
    let message = format!("\nCoverage written to {}\n", path.display());
    assert!(run.stdout.contains(&message), "{}", run.describe());
    assert_eq!(run.files().len(), 3, "{}", run.describe());
    let log = run.errors();
    let types: Vec<_> = log
        .lines()
        .map(|line| line.split(['[', ']']).nth(3).unwrap_or_default())
        .collect();
    let mut sorted = types.clone();
    sorted.sort_unstable();
    let mut expected = ["CONFIG_DISABLED"; 4].to_vec();
    expected.push("PERMISSION");
    assert_eq!(sorted, expected);
    let stale = "Region: eu-north-1, Message: stale counts of all 2 types: recorder stopped since \
                 2026-08-06T07:06:40.500Z: the count dates from then; start the recorder there\n";
    assert!(log.contains(stale), "{log}");
}

#[test]
fn coverage_file_needs_the_option() {
    let server = mixed_account().serve();
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(run.table("coverage"), None);
    assert!(
        !run.stdout.contains("Coverage written"),
        "{}",
        run.describe()
    );
}

#[test]
fn old_coverage_file_is_replaced() {
    let server = account().serve();
    let program = Program::new(&server).args(TYPES).arg("--coverage");
    let name = "out/aws_config_coverage_012345678901_acme-prod.csv";
    std::fs::write(program.directory().join(name), "old\n".repeat(1000)).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let coverage = run.coverage();
    assert_eq!(coverage.lines().count(), 5, "{coverage}");
    assert!(!coverage.contains("old"), "{coverage}");
    assert_eq!(run.files().len(), 2, "{}", run.describe());
}

#[test]
fn unwritable_coverage_file_keeps_the_csv() {
    let account = account();
    let path = Arc::new(OnceLock::<PathBuf>::new());
    let for_server = path.clone();
    let server = account.serve_with(move |call| {
        // After the path was checked.
        if call.lists(BUCKET, "us-east-1") {
            let _ = std::fs::create_dir(for_server.get().unwrap());
        }
        None
    });
    let program = Program::new(&server).args(TYPES).arg("--coverage");
    let name = "aws_config_coverage_012345678901_acme-prod.csv";
    let path = path.get_or_init(|| program.directory().join("out").join(name));
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());
    let message = format!(
        "[FATAL] Message: the coverage could not be written to {}: ",
        path.display()
    );
    assert!(run.errors().contains(&message), "{}", run.describe());
    assert!(run.stderr.contains(&message), "{}", run.describe());
    assert_eq!(
        run.files().len(),
        2,
        "the CSV and the log: {}",
        run.describe()
    );
}

#[test]
fn strict_exit_code_follows_missing_counts() {
    let denied = |call: &Call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    };
    let stopped_recorder = account().region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)]);
    let no_recorder = account().region_with("eu-north-1", Recorder::None, &[]);
    let without_buckets = |counts: &[(&str, usize)]| {
        let account = account().region("eu-north-1", counts);
        account.not_recording("eu-north-1", &[BUCKET])
    };
    let unreadable = || account().serve_with(|call| is_recorder_call(call).then(|| deny(call)));
    let unverified = account().region("eu-north-1", &[(VPC, 1)]);
    let unverified = unverified.serve_with(|call| is_recorder_call(call).then(|| deny(call)));
    for (case, server, codes, classes) in [
        ("all types are counted", account().serve(), [0, 0], ""),
        (
            "one type is discovered and not recorded",
            without_buckets(&[(VPC, 1), (BUCKET, 1)]).serve(),
            [3, 0],
            ", 1 stale",
        ),
        (
            "one type is denied",
            account().serve_with(denied),
            [3, 3],
            ", 1 missing",
        ),
        (
            "recorder is stopped",
            stopped_recorder.serve(),
            [3, 0],
            ", 2 stale",
        ),
        (
            "recorder is missing",
            no_recorder.serve(),
            [3, 3],
            ", 2 missing",
        ),
        (
            "one type is neither",
            without_buckets(&[(VPC, 1)]).serve(),
            [3, 3],
            ", 1 missing",
        ),
        (
            "recorder is unreadable, all counts above zero",
            unreadable(),
            [0, 0],
            "",
        ),
        (
            "recorder is unreadable, one count is zero",
            unverified,
            [3, 0],
            ", 1 unverified",
        ),
    ] {
        let [all, only_missing] = codes;
        for (args, expected) in [
            (&[][..], 0),
            (&["--strict"], all),
            (&["--strict=missing"], only_missing),
        ] {
            let run = Program::new(&server).args(TYPES).args(args).run();
            assert_eq!(run.code, Some(expected), "{case}: {}", run.describe());
            let message = summary(&run)
                .into_iter()
                .find(|line| line.starts_with("Coverage: "))
                .unwrap();
            assert!(
                message.contains(&format!("known{classes} (")),
                "{case}: {message}"
            );
            let last = run.stdout.lines().last().unwrap();
            let reason = last.starts_with("Exit code 3: ")
                && last.ends_with(&format!("({})", args.concat()));
            assert_eq!(reason, expected == 3, "{case}: {last}");
        }
    }
}

#[test]
fn strict_takes_a_value_only_with_equals_sign() {
    let server = account().serve();
    for args in [
        &["--strict", "missing"][..],
        &["--strict=stale"],
        &["--strict="],
    ] {
        let run = Program::new(&server).args(TYPES).args(args).run();
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.describe());
    }
}

#[test]
fn stopped_recorder_is_reported_with_its_counts() {
    let account = account().region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)]);
    let server = account.serve();
    let run = Program::new(&server).args(TYPES).arg("--strict").run();
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());
    let errors = run.errors();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        errors.contains("[CONFIG_DISABLED] Region: eu-north-1, Message: stale counts of all 2")
    );
    let lines = summary(&run);
    assert_eq!(lines[0], "Regions scanned: 3 (2 complete, 1 stale)");
    assert_eq!(lines[2], "Total resources: 264");
    assert!(lines[3].starts_with("Errors encountered: 1 (see "));
    assert_eq!(
        lines[4..],
        [
            "Coverage: 4 of 6 counts known, 2 stale (3 regions × 2 types)",
            "Stale: 2 counts of eu-north-1 date from 2026-08-06, when its recorder was stopped; start it again",
            "Exit code 3: 2 counts stale (--strict)",
        ]
    );
}

#[test]
fn denied_recorder_calls_keep_the_counts() {
    let account = account();
    let denied = |call: &Call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "not authorized");
        is_recorder_call(call).then(denied)
    };
    let run = |server: &Server| {
        let program = Program::new(server).args(TYPES);
        program.args(["--coverage", "--strict"]).run()
    };
    let (denied, allowed) = (run(&account.serve_with(denied)), run(&account.serve()));
    assert_eq!(
        (denied.code, allowed.code),
        (Some(0), Some(0)),
        "{}",
        denied.describe()
    );
    assert_eq!(denied.csv(), allowed.csv());
    assert_eq!((denied.errors(), allowed.errors()), Default::default());
    let coverage = denied.coverage();
    let cells: Vec<_> = coverage.lines().skip(1).collect();
    assert_eq!(cells.len(), 4, "{coverage}");
    for (cell, known) in cells.iter().zip(allowed.coverage().lines().skip(1)) {
        let detail = cell
            .strip_prefix(known)
            .expect("equal except for the detail");
        let expected = "\"recorder status unknown: config:DescribeConfigurationRecorderStatus failed \
                        with AccessDeniedException (HTTP 400, request id ";
        assert!(detail.starts_with(expected), "{cell}");
    }
    let message = "Recorder status unknown in eu-west-1, us-east-1 (access denied): the counts may be stale; grant \
                   the IAM policy below";
    assert!(summary(&denied).contains(&message), "{}", denied.describe());
}

/// The replies about recorders wait for the last listing. If a listing waited for one of them, the
/// wait would time out.
#[test]
fn slow_recorder_call_does_not_delay_listings() {
    const LISTINGS: usize = 6;
    let account = account();
    let listed = Arc::new((Mutex::new(0), Condvar::new()));
    let listed_by_server = listed.clone();
    let server = account.serve_with(move |call| {
        let (count, changed) = &*listed_by_server;
        // Check 8 makes this call, and the listings start only after it.
        let is_check = call.is("DescribeConfigurationRecorderStatus", "us-east-1");
        if call.operation == "ListDiscoveredResources" {
            *count.lock().unwrap() += 1;
            changed.notify_all();
        } else if is_recorder_call(call) && !is_check {
            let (timeout, guard) = (Duration::from_secs(20), count.lock().unwrap());
            let waited = changed.wait_timeout_while(guard, timeout, |n| *n < LISTINGS);
            drop(waited);
        }
        None
    });
    let run = Program::new(&server).args(TYPES).arg("--coverage").run();
    run.assert_no_errors();
    assert_eq!(run.csv(), account.csv());
    assert!(
        !run.coverage().contains("recorder status unknown"),
        "{}",
        run.describe()
    );
    let calls = server.calls();
    let listings = calls
        .iter()
        .filter(|c| c.operation == "ListDiscoveredResources");
    let last = listings.map(|call| call.number).max().unwrap();
    // This call follows the response for the status, which waited for all listings.
    let recorders = calls
        .iter()
        .find(|call| call.is("DescribeConfigurationRecorders", "eu-west-1"))
        .unwrap();
    assert_eq!(*listed.0.lock().unwrap(), LISTINGS);
    assert!(recorders.number > last, "{} > {last}", recorders.number);
}

#[test]
fn failed_recorder_call_does_not_change_counts() {
    type Fault = (
        &'static str,
        fn(&Call) -> Reply,
        &'static [&'static str],
        usize,
    );
    let faults: [Fault; 2] = [
        ("resets", |_| Reply::reset(), &["--max-attempts", "1"], 1),
        ("throttled", Reply::throttled, &["--max-attempts", "2"], 2),
    ];
    let account = account();
    for (name, fault, args, attempts) in faults {
        let operation = "DescribeConfigurationRecorders";
        let server =
            account.serve_with(move |call| (call.operation == operation).then(|| fault(call)));
        let program = Program::new(&server).args(TYPES).args(args);
        let run = program.args(["--coverage", "--strict"]).run_without_waits();
        run.assert_no_errors();
        assert_eq!(run.csv(), account.csv(), "{name}");
        for region in ["eu-west-1", "us-east-1"] {
            assert_eq!(
                server.count(|call| call.is(operation, region)),
                attempts,
                "{name}"
            );
        }
        let coverage = run.coverage();
        let unknown = coverage.matches("\"recorder status unknown: ").count();
        let unknown = unknown + coverage.matches(",recorder status unknown: ").count();
        assert_eq!(unknown, 4, "{name}: {coverage}");
        assert!(coverage.contains(operation), "{name}: {coverage}");
        assert_eq!(
            coverage.matches(",counted,known,").count(),
            4,
            "{name}: {coverage}"
        );
    }
}

#[test]
fn global_roles_are_counted_once() {
    let account = Account::new()
        .region("us-east-1", &[(ROLE, 5), (VPC, 2)])
        .region("eu-west-1", &[(ROLE, 5)])
        .region("eu-north-1", &[(ROLE, 3)])
        .region("ap-south-1", &[(VPC, 1)])
        .not_recording("ap-south-1", &[ROLE]);
    let types = ["--resource-types", "AWS::IAM::Role,AWS::EC2::VPC"];
    for (method, total) in [
        ("list", ""),
        ("counts", ", as in eu-west-1"),
        ("verify", ""),
    ] {
        let server = account.serve();
        let program = Program::new(&server).args(types).args(["--method", method]);
        let run = program.args(["--strict", "--coverage"]).run();
        assert_eq!(run.code, Some(0), "{method}: {}", run.describe());
        assert_eq!(run.csv(), account.csv(), "a row in each region: {method}");
        let lines = summary(&run);
        let expected = format!(
            "Total resources: 8 (the CSV's rows add up to 16: IAM is in 3 regions, counted once here{total})"
        );
        assert_eq!(lines[2], expected, "{method}");
        assert_eq!(
            lines[4..],
            ["Coverage: all 8 counts known (4 regions × 2 types)"],
            "{method}"
        );
        let cell = "ap-south-1,AWS::IAM::Role,counted_elsewhere,known,,,not recorded here; counted in eu-north-1 \
                    (global)\r\n";
        assert!(
            run.coverage().contains(cell),
            "{method}: {}",
            run.coverage()
        );
    }
}

#[test]
fn unrecorded_global_roles_are_missing() {
    let account = Account::new()
        .region("us-east-1", &[(VPC, 2)])
        .not_recording("us-east-1", &[ROLE])
        .region("eu-west-1", &[(VPC, 1)])
        .not_recording("eu-west-1", &[ROLE]);
    let server = account.serve();
    let types = ["--resource-types", "AWS::IAM::Role,AWS::EC2::VPC"];
    let run = Program::new(&server).args(types).arg("--strict").run();
    assert_eq!(run.code, Some(3), "{}", run.describe());
    let lines = summary(&run);
    assert_eq!(lines[2], "Total resources: at least 3");
    assert_eq!(lines[0], "Regions scanned: 2 (all complete)");
    assert_eq!(
        lines[4..],
        [
            "Coverage: 2 of 4 counts known, 2 missing (2 regions × 2 types)",
            "Incomplete: 2 counts are missing",
            "eu-west-1, us-east-1   AWS::IAM::Role   global, recorded in no region   if you need it, add it to the recorder of \
             one older region only",
            "Exit code 3: 2 counts missing (--strict)",
        ]
    );
    let errors = run.errors();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    let line = "[CONFIG_DISABLED] Resource: AWS::IAM::Role, Message: not counted in eu-west-1, \
                us-east-1: no region records and counts this global type; ";
    assert!(errors.contains(line), "{errors}");
}

/// The counts contain only recorded types. A type that they do not contain has a zero only if the
/// recorder is known to record it.
#[test]
fn counts_with_unknown_recorder_claim_no_zero() {
    let account = account().region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)]);
    let denied = |call: &Call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "not authorized");
        is_recorder_call(call).then(denied)
    };
    let types = [
        "--resource-types",
        "AWS::EC2::VPC,AWS::S3::Bucket,AWS::EC2::Volume",
    ];
    for (server, status, error_type) in [
        (account.serve(), "recorder_stopped", "CONFIG_DISABLED"),
        (account.serve_with(denied), "unverified", "PERMISSION"),
    ] {
        let program = Program::new(&server)
            .args(types)
            .args(["--method", "counts"]);
        let run = program.args(["--coverage", "--strict"]).run();
        assert_eq!(run.code, Some(3), "{}", run.describe());
        assert_eq!(run.csv(), without_region(&account.csv(), "eu-north-1"));
        let coverage = run.coverage();
        let missing: Vec<_> = coverage
            .lines()
            .filter(|l| l.contains(",eu-north-1,"))
            .collect();
        assert_eq!(missing.len(), 3, "{coverage}");
        let has_status = |line: &&str| line.contains(&format!(",{status},missing,,"));
        assert!(missing.iter().all(has_status), "{coverage}");
        // If the recorder is known to record all types, a type without a count has no resources.
        let volumes = coverage
            .lines()
            .find(|l| l.contains(",us-east-1,AWS::EC2::Volume,"));
        let expected = if status == "unverified" {
            ",unverified,missing,,"
        } else {
            ",zero,known,0,"
        };
        assert!(volumes.unwrap().contains(expected), "{coverage}");
        let errors = run.errors();
        let line = format!("[{error_type}] Region: eu-north-1, Message: all 3 types not counted: ");
        assert!(errors.contains(&line), "{errors}");
        let lines = if status == "unverified" { 3 } else { 1 };
        assert_eq!(
            errors.lines().count(),
            lines,
            "one line per region: {errors}"
        );
    }
}
