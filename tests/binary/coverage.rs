//! What is known of every region and type, and what the recorder's calls may cost: nothing.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::support::{Account, Call, Outcome, Program, Recorder, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, without_cell, without_region};

const ROLE: &str = "AWS::IAM::Role";

/// A region of every kind.
fn mixed() -> Account {
    account()
        .region_with("ap-south-1", Recorder::None, &[(VPC, 3)])
        .region("ca-central-1", &[(BUCKET, 3)])
        .leaving_out("ca-central-1", &[BUCKET, VPC])
        .region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)])
}

/// A server of `account` with always the same request id, where VPCs may not be listed in
/// eu-west-1.
fn serve(account: &Account) -> Server {
    let answers = account.answers();
    account.serve_but(move |call| {
        let reply = if call.lists(VPC, "eu-west-1") {
            Reply::error(call, 400, "AccessDeniedException", "not \"authorized\"")
        } else {
            answers.answer(call)
        };
        Some(reply.header("x-amzn-requestid", "r-1"))
    })
}

/// Whether it asks for a recorder.
fn is_about_a_recorder(call: &Call) -> bool {
    call.operation.starts_with("DescribeConfigurationRecorder")
}

/// The lines of stdout from the summary on, without the blanks before them.
fn summary(run: &Outcome) -> Vec<&str> {
    let (_, summary) = run.stdout.split_once("\nSummary\n").expect("a summary");
    summary.lines().map(str::trim_start).collect()
}

#[test]
fn the_coverage_of_a_mixed_account() {
    let account = mixed();
    let server = serve(&account);
    let run = Program::new(&server).args(TYPES).arg("--coverage").run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    let missing = "\"config:ListDiscoveredResources failed with \
                   NoAvailableConfigurationRecorderException (HTTP 400, request id r-1): There are \
                   no customer managed configuration recorders available; turn AWS Config on in \
                   this region, or leave it out with --exclude-regions\"";
    let denied = "\"config:ListDiscoveredResources failed with AccessDeniedException (HTTP 400, \
                  request id r-1): not \"\"authorized\"\"; allow config:ListDiscoveredResources in \
                  the caller's policies and service control policies\"";
    let expected = [
        format!("ap-south-1,{VPC},recorder_missing,,{missing}"),
        format!("ap-south-1,{BUCKET},recorder_missing,,{missing}"),
        format!(
            "ca-central-1,{VPC},not_recorded,,\"not recorded here: none was discovered, and \
             whether there are any is not known\""
        ),
        format!(
            "ca-central-1,{BUCKET},not_recorded,3,\"not recorded here, and discovered all the \
             same: it may be stale or a part\""
        ),
        format!(
            "eu-north-1,{VPC},recorder_stopped,4,the recorder is stopped: the inventory is as it \
             was then"
        ),
        format!(
            "eu-north-1,{BUCKET},recorder_stopped,0,the recorder is stopped: the inventory is as \
             it was then"
        ),
        format!("eu-west-1,{VPC},denied,,{denied}"),
        format!("eu-west-1,{BUCKET},counted,7,"),
        format!("us-east-1,{VPC},counted,2,"),
        format!("us-east-1,{BUCKET},counted,250,"),
    ];
    let columns = "account,alias,region,resource_type,status,total,detail\r\n".to_owned();
    let rows = expected.map(|row| format!("012345678901,acme-prod,{row}\r\n"));
    assert_eq!(run.coverage(), columns + &rows.concat());
    let name = "aws_config_resource_count_012345678901_acme-prod_coverage.csv";
    let path = run.folder().join("out").join(name);
    let told = format!("\nCoverage written to {}\n", path.display());
    assert!(run.stdout.contains(&told), "{}", run.told());
    assert_eq!(run.files().len(), 3, "{}", run.told());
    let log = run.errors();
    let types: Vec<_> = log
        .lines()
        .map(|line| line.split(['[', ']']).nth(3).unwrap_or_default())
        .collect();
    let mut sorted = types.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["CONFIG_DISABLED", "CONFIG_DISABLED", "PERMISSION"]);
}

#[test]
fn without_the_option_there_is_no_coverage_file() {
    let server = mixed().serve();
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(run.output("_coverage.csv"), None);
    assert!(!run.stdout.contains("Coverage written"), "{}", run.told());
}

#[test]
fn an_old_coverage_file_is_replaced_whole() {
    let server = account().serve();
    let program = Program::new(&server).args(TYPES).arg("--coverage");
    let name = "out/aws_config_resource_count_012345678901_acme-prod_coverage.csv";
    std::fs::write(program.folder().join(name), "old\n".repeat(1000)).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    let coverage = run.coverage();
    assert_eq!(coverage.lines().count(), 5, "{coverage}");
    assert!(!coverage.contains("old"), "{coverage}");
    assert_eq!(run.files().len(), 2, "{}", run.told());
}

#[test]
fn a_coverage_file_that_cannot_be_written_fails_the_run_and_not_the_csv() {
    let account = account();
    let server = account.serve();
    let program = Program::new(&server).args(TYPES).arg("--coverage");
    let name = "aws_config_resource_count_012345678901_acme-prod_coverage.csv";
    let folder = program.folder().join("out").join(name);
    std::fs::create_dir(&folder).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_eq!(run.csv(), account.csv());
    let told = format!(
        "[FATAL] Message: the coverage could not be written to {}: ",
        folder.display()
    );
    assert!(run.errors().contains(&told), "{}", run.told());
    assert!(run.stderr.contains(&told), "{}", run.told());
    assert_eq!(run.files().len(), 2, "the CSV and the log: {}", run.told());
}

#[test]
fn strict_is_about_what_is_missing() {
    let denied = |call: &Call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    };
    let stopped = account().region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)]);
    let none = account().region_with("eu-north-1", Recorder::None, &[]);
    let left_out = |counts: &[(&str, usize)]| {
        let account = account().region("eu-north-1", counts);
        account.leaving_out("eu-north-1", &[BUCKET])
    };
    for (what, server, code, missing) in [
        ("all is counted", account().serve(), 0, 0),
        (
            "one is discovered and not recorded",
            left_out(&[(BUCKET, 1)]).serve(),
            0,
            0,
        ),
        ("one is denied", account().serve_but(denied), 3, 1),
        ("a recorder is stopped", stopped.serve(), 0, 0),
        ("a recorder is missing", none.serve(), 3, 2),
        ("one is neither", left_out(&[(VPC, 1)]).serve(), 3, 1),
    ] {
        for (args, expected) in [(&[][..], 0), (&["--strict"], code)] {
            let run = Program::new(&server).args(TYPES).args(args).run();
            assert_eq!(run.code, Some(expected), "{what}: {}", run.told());
            let told = summary(&run)
                .into_iter()
                .find(|line| line.starts_with("Coverage: "))
                .unwrap();
            let expected = match missing {
                0 => "counted".to_owned(),
                n => format!("counted; {n} missing in 1 region:"),
            };
            assert!(told.ends_with(&expected), "{what}: {told}");
        }
    }
}

#[test]
fn a_stopped_recorder_is_noted_and_its_counts_are_kept() {
    let account = account().region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)]);
    let server = account.serve();
    let run = Program::new(&server).args(TYPES).arg("--strict").run();
    assert_eq!((run.code, run.errors()), (Some(0), String::new()));
    assert_eq!(run.csv(), account.csv());
    assert_eq!(
        summary(&run),
        [
            "Regions scanned: 3 (3 complete, 0 with gaps)",
            "Resource types found: 2",
            "Total resources: 264",
            "Errors encountered: 0",
            "Coverage: all 6 cells (regions × types) counted",
            "2 recorder stopped in eu-north-1: counted, perhaps stale; start the recorder there",
        ]
    );
}

#[test]
fn a_recorder_that_may_not_be_asked_changes_no_count() {
    let account = account();
    let denied = |call: &Call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "not authorized");
        is_about_a_recorder(call).then(denied)
    };
    let run = |server: &Server| {
        let program = Program::new(server).args(TYPES);
        program.args(["--coverage", "--strict"]).run()
    };
    let (with, without) = (run(&account.serve_but(denied)), run(&account.serve()));
    assert_eq!(
        (with.code, without.code),
        (Some(0), Some(0)),
        "{}",
        with.told()
    );
    assert_eq!(with.csv(), without.csv());
    assert_eq!((with.errors(), without.errors()), Default::default());
    let coverage = with.coverage();
    let cells: Vec<_> = coverage.lines().skip(1).collect();
    assert_eq!(cells.len(), 4, "{coverage}");
    for (cell, known) in cells.iter().zip(without.coverage().lines().skip(1)) {
        let detail = cell
            .strip_prefix(known)
            .expect("the same but for the detail");
        let expected = "\"recorder unknown: config:DescribeConfigurationRecorderStatus failed \
                        with AccessDeniedException (HTTP 400, request id ";
        assert!(detail.starts_with(expected), "{cell}");
    }
    let told = "recorder unknown in eu-west-1, us-east-1 (denied): totals may be stale, and a \
                zero a type that is not recorded; ";
    assert!(
        summary(&with).iter().any(|l| l.starts_with(told)),
        "{}",
        with.told()
    );
}

/// The answers about recorders wait for the last listing: had one listing waited for them, the
/// patience here would run out.
#[test]
fn a_slow_recorder_does_not_delay_the_counting() {
    const LISTINGS: usize = 6;
    let account = account();
    let listed = Arc::new((Mutex::new(0), Condvar::new()));
    let in_server = listed.clone();
    let server = account.serve_but(move |call| {
        let (count, grown) = &*in_server;
        // Check 8 asks for this one, and nothing can be counted before.
        let check = call.is("DescribeConfigurationRecorderStatus", "us-east-1");
        if call.operation == "ListDiscoveredResources" {
            *count.lock().unwrap() += 1;
            grown.notify_all();
        } else if is_about_a_recorder(call) && !check {
            let (patience, guard) = (Duration::from_secs(20), count.lock().unwrap());
            let waited = grown.wait_timeout_while(guard, patience, |n| *n < LISTINGS);
            drop(waited);
        }
        None
    });
    let run = Program::new(&server).args(TYPES).arg("--coverage").run();
    assert_eq!((run.code, run.errors()), (Some(0), String::new()));
    assert_eq!(run.csv(), account.csv());
    assert!(
        !run.coverage().contains("recorder unknown"),
        "{}",
        run.told()
    );
    let calls = server.calls();
    let listings = calls
        .iter()
        .filter(|c| c.operation == "ListDiscoveredResources");
    let last = listings.map(|call| call.number).max().unwrap();
    // It follows upon the answer for the status, which waited for all listings.
    let recorders = calls
        .iter()
        .find(|call| call.is("DescribeConfigurationRecorders", "eu-west-1"))
        .unwrap();
    assert_eq!(*listed.0.lock().unwrap(), LISTINGS);
    assert!(recorders.number > last, "{} > {last}", recorders.number);
}

#[test]
fn a_recorder_that_never_answers_or_is_throttled_to_the_end_leaves_the_counts_alone() {
    type Fault = (
        &'static str,
        fn(&Call) -> Reply,
        &'static [&'static str],
        usize,
    );
    let faults: [Fault; 2] = [
        (
            "stalls",
            |_| Reply::stall(),
            &["--read-timeout", "1", "--max-attempts", "1"],
            1,
        ),
        ("throttled", Reply::throttled, &["--max-attempts", "2"], 2),
    ];
    let account = account();
    for (name, fault, args, attempts) in faults {
        let group = "DescribeConfigurationRecorders";
        let server = account.serve_but(move |call| (call.operation == group).then(|| fault(call)));
        let program = Program::new(&server).args(TYPES).args(args);
        let run = program.args(["--coverage", "--strict"]).run();
        assert_eq!(
            (run.code, run.errors()),
            (Some(0), String::new()),
            "{}",
            run.told()
        );
        assert_eq!(run.csv(), account.csv(), "{name}");
        for region in ["eu-west-1", "us-east-1"] {
            assert_eq!(
                server.count(|call| call.is(group, region)),
                attempts,
                "{name}"
            );
        }
        let coverage = run.coverage();
        let unknown = coverage.matches("\"recorder unknown: ").count();
        let unknown = unknown + coverage.matches(",recorder unknown: ").count();
        assert_eq!(unknown, 4, "{name}: {coverage}");
        assert!(coverage.contains(group), "{name}: {coverage}");
        assert_eq!(
            coverage.matches(",counted,").count(),
            4,
            "{name}: {coverage}"
        );
    }
}

#[test]
fn the_same_roles_in_three_regions_are_counted_once() {
    let account = Account::new()
        .region("us-east-1", &[(ROLE, 5), (VPC, 2)])
        .region("eu-west-1", &[(ROLE, 5)])
        .region("eu-north-1", &[(ROLE, 3)])
        .region("ap-south-1", &[(VPC, 1)])
        .leaving_out("ap-south-1", &[ROLE]);
    let types = ["--resource-types", "AWS::IAM::Role,AWS::EC2::VPC"];
    for (method, total) in [
        ("list", "16 as recorded, 8 with IAM counted once"),
        (
            "counts",
            "16 as recorded, 8 with IAM counted once (as in eu-west-1)",
        ),
        ("verify", "16 as recorded, 8 with IAM counted once"),
    ] {
        let server = account.serve();
        let program = Program::new(&server).args(types).args(["--method", method]);
        let run = program.args(["--strict", "--coverage"]).run();
        assert_eq!(run.code, Some(0), "{method}: {}", run.told());
        assert_eq!(run.csv(), account.csv(), "a row in each region: {method}");
        let lines = summary(&run);
        assert_eq!(lines[2], format!("Total resources: {total}"), "{method}");
        let elsewhere = "1 not recorded in ap-south-1 (AWS::IAM::Role): none missing, another \
                         region counts the same";
        assert_eq!(lines[4], "Coverage: 7 of 8 cells (regions × types) counted");
        assert_eq!(lines[5..], [elsewhere], "{method}");
        let cell = "ap-south-1,AWS::IAM::Role,not_recorded,,not recorded here; eu-north-1 counts \
                    the same resources\r\n";
        assert!(
            run.coverage().contains(cell),
            "{method}: {}",
            run.coverage()
        );
    }
}

#[test]
fn the_same_roles_are_missing_where_no_region_records_them() {
    let account = Account::new()
        .region("us-east-1", &[(VPC, 2)])
        .leaving_out("us-east-1", &[ROLE])
        .region("eu-west-1", &[(VPC, 1)])
        .leaving_out("eu-west-1", &[ROLE]);
    let server = account.serve();
    let types = ["--resource-types", "AWS::IAM::Role,AWS::EC2::VPC"];
    let run = Program::new(&server).args(types).arg("--strict").run();
    assert_eq!(run.code, Some(3), "{}", run.told());
    let lines = summary(&run);
    assert_eq!(lines[2], "Total resources: 3 (partial)");
    assert_eq!(
        lines[4],
        "Coverage: 2 of 4 cells (regions × types) counted; 2 missing in 2 regions:"
    );
    assert_eq!(run.errors().matches("[CONFIG_DISABLED] ").count(), 2);
}

/// The counts are of what is recorded, so that of a type that they leave out nobody knows more
/// than the recorder tells.
#[test]
fn counts_without_a_word_about_the_recorder_make_no_zero() {
    let account = account().region_with("eu-north-1", Recorder::Stopped, &[(VPC, 4)]);
    let denied = |call: &Call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "not authorized");
        is_about_a_recorder(call).then(denied)
    };
    let types = [
        "--resource-types",
        "AWS::EC2::VPC,AWS::S3::Bucket,AWS::EC2::Volume",
    ];
    for (server, status, error_type) in [
        (account.serve(), "recorder_stopped", "CONFIG_DISABLED"),
        (account.serve_but(denied), "denied", "PERMISSION"),
    ] {
        let program = Program::new(&server)
            .args(types)
            .args(["--method", "counts"]);
        let run = program.args(["--coverage", "--strict"]).run();
        assert_eq!(run.code, Some(3), "{}", run.told());
        assert_eq!(run.csv(), without_region(&account.csv(), "eu-north-1"));
        let coverage = run.coverage();
        let lost: Vec<_> = coverage
            .lines()
            .filter(|l| l.contains(",eu-north-1,"))
            .collect();
        assert_eq!(lost.len(), 3, "{coverage}");
        let lost_so = |line: &&str| line.contains(&format!(",{status},,"));
        assert!(lost.iter().all(lost_so), "{coverage}");
        // Where it is known that all is recorded, what is not counted is not there.
        let volumes = coverage
            .lines()
            .find(|l| l.contains(",us-east-1,AWS::EC2::Volume,"));
        let expected = if status == "denied" {
            ",denied,,"
        } else {
            ",zero,0,"
        };
        assert!(volumes.unwrap().contains(expected), "{coverage}");
        let errors = run.errors();
        let line = format!("[{error_type}] Region: eu-north-1, Message: 3 types not counted (");
        assert!(errors.contains(&line), "{errors}");
        let lines = if status == "denied" { 3 } else { 1 };
        assert_eq!(
            errors.lines().count(),
            lines,
            "a line for a region: {errors}"
        );
    }
}
