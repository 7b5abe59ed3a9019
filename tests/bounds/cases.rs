//! The cases: a region or a host that never answers properly, and the end of the run.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Account, Call, ORGANIZATION, Organization, Outcome, Program, Reply, Server};
use crate::timeouts;

/// A case: its name and its function.
type Case = (&'static str, fn());

pub const ALL: [Case; 15] = [
    (
        "throttling_region_ends_with_ten_types",
        throttling_region_ends_with_ten_types,
    ),
    (
        "throttling_region_ends_with_500_types",
        throttling_region_ends_with_500_types,
    ),
    (
        "region_that_throttles_and_stalls_ends",
        region_that_throttles_and_stalls_ends,
    ),
    ("silent_region_ends", silent_region_ends),
    (
        "region_silent_in_hundred_accounts_ends",
        region_silent_in_hundred_accounts_ends,
    ),
    (
        "run_without_network_ends_soon",
        run_without_network_ends_soon,
    ),
    ("silent_host_ends_the_checks", silent_host_ends_the_checks),
    (
        "host_that_resets_connections_ends_the_checks",
        host_that_resets_connections_ends_the_checks,
    ),
    ("scan_ends_at_its_time_limit", scan_ends_at_its_time_limit),
    (
        "refresh_ends_at_time_limit_of_scan",
        refresh_ends_at_time_limit_of_scan,
    ),
    (
        "organization_ends_at_its_time_limit",
        organization_ends_at_its_time_limit,
    ),
    ("throttled_first_check_ends", throttled_first_check_ends),
    ("slow_credential_process_ends", slow_credential_process_ends),
    (
        "operation_timeouts_give_expected_result",
        timeouts::operations,
    ),
    (
        "provider_timeouts_give_expected_result",
        timeouts::credential_providers,
    ),
];

/// The region that fails.
const BAD: &str = "eu-west-1";
const GOOD: &str = "us-east-1";
const VPC: &str = "AWS::EC2::VPC";

/// The maximum time of a run in which a region never succeeds.
const MAX_RUN: Duration = Duration::from_secs(150);

fn account(types: &[String]) -> Account {
    let counts: Vec<_> = types.iter().map(|t| (t.as_str(), 3)).collect();
    Account::new().region(GOOD, &counts).region(BAD, &counts)
}

fn types(n: usize) -> Vec<String> {
    let mut types: Vec<_> = (1..n).map(|n| format!("AWS::EC2::Type{n}")).collect();
    types.push(VPC.to_owned());
    types
}

/// Runs the program with these types; returns its output and its duration.
fn run(server: &Server, types: &[String], args: &[&str]) -> (Outcome, Duration) {
    let before = Instant::now();
    let program = Program::new(server)
        .max_duration(Duration::from_secs(200))
        .arg(format!("--resource-types={}", types.join(",")))
        .args(["--regions", "us-east-1,eu-west-1", "--coverage"])
        .args(args);
    let outcome = program.run();
    (outcome, before.elapsed())
}

/// Asserts that the run counted the good region, and that each type of the bad one is missing with this status.
fn assert_bad_region(
    types: &[String],
    (outcome, took): &(Outcome, Duration),
    error_type: &str,
    status: &str,
) {
    let text = outcome.describe();
    assert!(*took < MAX_RUN, "{took:?}: {text}");
    assert_eq!(outcome.code, Some(0), "{text}");
    assert_eq!(outcome.csv().lines().count(), 1 + types.len(), "{text}");
    assert!(!outcome.csv().contains(BAD), "{text}");
    let coverage = outcome.coverage();
    let bad = coverage.lines().filter(|line| line.contains(BAD));
    let bad: Vec<_> = bad.collect();
    assert_eq!(bad.len(), types.len(), "{text}");
    let has_status = |line: &&str| line.contains(&format!(",{status},"));
    assert_eq!(
        bad.iter().filter(|line| has_status(line)).count(),
        bad.len(),
        "{text}"
    );
    let errors = outcome.errors();
    assert!(
        errors.contains(&format!("[{error_type}] Region: {BAD}")),
        "{text}"
    );
    let failed = format!("[SCAN_FAILED] Region: {BAD}");
    assert_eq!(errors.matches(&failed).count(), 1, "{text}");
    let last = errors.lines().find(|line| line.contains(&failed)).unwrap();
    assert!(
        last.contains(VPC) || last.contains("all ") || last.contains(" more"),
        "{last}"
    );
}

fn is_bad(call: &Call) -> bool {
    call.service == "config" && call.region == BAD
}

fn throttling_region(n: usize) {
    let types = types(n);
    let server = account(&types).serve_with(|call| is_bad(call).then(|| Reply::throttled(call)));
    assert_bad_region(&types, &run(&server, &types, &[]), "THROTTLE", "throttled");
}

fn throttling_region_ends_with_ten_types() {
    throttling_region(10);
}

fn throttling_region_ends_with_500_types() {
    throttling_region(500);
}

fn region_that_throttles_and_stalls_ends() {
    let types = types(10);
    let start = Instant::now();
    let server = account(&types).serve_with(move |call| {
        let is_early = start.elapsed() < Duration::from_secs(2);
        is_bad(call).then(|| {
            if is_early {
                Reply::throttled(call)
            } else {
                Reply::stall()
            }
        })
    });
    let (outcome, took) = run(&server, &types, &[]);
    let text = outcome.describe();
    assert!(took < MAX_RUN, "{took:?}: {text}");
    assert_eq!(outcome.code, Some(0), "{text}");
    assert_eq!(outcome.csv().lines().count(), 1 + types.len(), "{text}");
    let coverage = outcome.coverage();
    let mut bad = coverage.lines().filter(|line| line.contains(BAD));
    let is_expected =
        |line: &str| line.contains(",throttled,") || line.contains(",connection_failed,");
    assert!(bad.all(is_expected), "{text}");
}

fn silent_region_ends() {
    let types = types(10);
    let server = account(&types).serve_with(|call| is_bad(call).then(Reply::stall));
    let (outcome, took) = run(&server, &types, &[]);
    let waited = format!("; {BAD}: no answer for ");
    assert_waiting_lines(&outcome, "Waiting: 1/2 regions after ", &waited);
    assert_bad_region(&types, &(outcome, took), "CONNECTION", "connection_failed");
}

/// The other region of each account is counted.
fn region_silent_in_hundred_accounts_ends() {
    let types = types(2);
    let accounts = Organization::new(100, |_| account(&types));
    let server = accounts.serve_with(|_, call| is_bad(call).then(Reply::stall));
    let (outcome, took) = run(&server, &types, &["--organization", "--strict"]);
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(took < MAX_RUN, "{took:?}: {text}");
    assert_eq!(outcome.code, Some(3), "{text}");
    let read = |stem: &str| {
        let name = format!("aws_config_combined_{stem}_{ORGANIZATION}.csv");
        outcome.output(&name).unwrap()
    };
    let rows = accounts.csv(&(1..=100).collect::<Vec<_>>());
    let healthy = rows
        .split_inclusive("\r\n")
        .filter(|row| !row.contains(BAD));
    assert_eq!(read("count"), healthy.collect::<String>(), "{text}");
    let coverage = read("coverage");
    let bad: Vec<_> = coverage.lines().filter(|line| line.contains(BAD)).collect();
    assert_eq!(bad.len(), 2 * 100, "{text}");
    let is_expected = |line: &&&str| line.contains(",connection_failed,missing,");
    assert_eq!(bad.iter().filter(is_expected).count(), bad.len(), "{text}");
}

/// Asserts that stderr has a line about waiting every 30 seconds, which starts and continues with these texts.
fn assert_waiting_lines(outcome: &Outcome, start: &str, text: &str) {
    let lines = outcome.stderr.lines();
    let lines = lines.filter(|line| line.starts_with(start) && line.contains(text));
    assert!((3..=4).contains(&lines.count()), "{}", outcome.describe());
}

fn run_without_network_ends_soon() {
    // A port that nothing listens on.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let before = Instant::now();
    let outcome = Program::for_url(&format!("http://127.0.0.1:{port}")).run();
    let took = before.elapsed();
    assert!(
        took < Duration::from_secs(30),
        "{took:?}: {}",
        outcome.describe()
    );
    assert_eq!(outcome.code, Some(1), "{}", outcome.describe());
    assert!(
        outcome.stdout.contains("PREREQUISITE FAILURES"),
        "{}",
        outcome.describe()
    );
}

/// Runs against an account whose services all give this reply.
fn assert_checks_end(reply: fn() -> Reply) {
    let server = account(&types(1)).serve_with(move |_| Some(reply()));
    let (outcome, took) = run(&server, &types(1), &[]);
    let text = outcome.describe();
    assert!(took < MAX_RUN, "{took:?}: {text}");
    assert_eq!(outcome.code, Some(1), "{text}");
    let skipped = "AWS Config enabled in at least one region: skipped: check 6 failed";
    assert!(outcome.stdout.contains(skipped), "{text}");
}

fn silent_host_ends_the_checks() {
    assert_checks_end(Reply::stall);
}

fn host_that_resets_connections_ends_the_checks() {
    assert_checks_end(Reply::reset);
}

fn scan_ends_at_its_time_limit() {
    let types = types(2);
    let server = account(&types).serve_with(|call| {
        let endless = is_bad(call) && call.lists(VPC, BAD);
        endless.then(|| {
            let resource =
                json!({"resourceType": VPC, "resourceId": format!("vpc-{}", call.number)});
            let page =
                json!({"resourceIdentifiers": [resource], "nextToken": call.number.to_string()});
            Reply::json(&page).after(Duration::from_millis(20))
        })
    });
    let (outcome, took) = run(&server, &types, &["--max-time=5", "--strict"]);
    let text = outcome.describe();
    assert!((5..20).contains(&took.as_secs()), "{took:?}: {text}");
    assert_eq!(outcome.code, Some(3), "{text}");
    assert_eq!(outcome.csv().lines().count(), 4, "the other counts: {text}");
    let row = format!("{BAD},{VPC},not_tried,missing,");
    assert!(outcome.coverage().contains(&row), "{text}");
    let line = format!(
        "[SCAN_FAILED] Region: {BAD}, Message: 1 type not counted ({VPC}): the scan reached its time"
    );
    assert!(outcome.errors().contains(&line), "{text}");
}

/// The credentials expire in the scan. The command that refreshes them takes ten minutes, and the role is not assumed
/// again: STS is silent.
fn refresh_ends_at_time_limit_of_scan() {
    let keys = r#"{"Version": 1, "AccessKeyId": "AKIABASEKEY000000003", "SecretAccessKey": "wJalrXUtnFEMI"}"#;
    let process = format!(
        "[default]\ncredential_process = if [ -e \"$HOME/started\" ]; then sleep 600; fi; \
         touch \"$HOME/started\"; echo '{keys}'\n"
    );
    let role = format!(
        "[default]\nrole_arn = arn:aws:iam::012345678901:role/audit\nsource_profile = base\n\
         [profile base]\ncredential_process = echo '{keys}'\n"
    );
    for config in [process, role] {
        let server = account(&types(2)).serve_with(|call| match call.operation.as_str() {
            "AssumeRole" if call.number > 1 => Some(Reply::stall()),
            "AssumeRole" => Some(role_reply()),
            _ => is_bad(call).then(|| Reply::error(call, 400, "ExpiredTokenException", "expired")),
        });
        let program = Program::new(&server)
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .args(["--resource-types", VPC, "--max-time=5", "--strict"]);
        let home = program.directory().join("home/.aws");
        std::fs::create_dir(&home).unwrap();
        std::fs::write(home.join("config"), config).unwrap();
        let before = Instant::now();
        let outcome = program.run();
        let (took, text) = (before.elapsed(), outcome.describe());
        assert!((5..20).contains(&took.as_secs()), "{took:?}: {text}");
        assert_eq!(outcome.code, Some(3), "{text}");
        let line = format!(
            "[SCAN_FAILED] Region: {BAD}, Message: 1 type not counted ({VPC}): the scan reached its time"
        );
        assert!(outcome.errors().contains(&line), "{text}");
        assert!(!outcome.errors().contains("FATAL"), "{text}");
    }
}

fn role_reply() -> Reply {
    Reply::xml(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>\
         <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
    )
}

/// Both workers wait for accounts that do not answer, each for another one, because an account has only one listing.
fn organization_ends_at_its_time_limit() {
    let organization = Organization::new(5, |_| Account::new().region(GOOD, &[(VPC, 3)]));
    let server = organization.serve_with(|account, call| {
        let is_silent = [2, 3].map(Organization::id).iter().any(|id| id == account);
        (is_silent && call.operation == "ListDiscoveredResources").then(Reply::stall)
    });
    let before = Instant::now();
    let run = Program::new(&server)
        .args(["--organization", "--resource-types", VPC, "--strict"])
        .args([
            "--max-time",
            "5",
            "--max-connections",
            "2",
            "--no-account-files",
        ])
        .run();
    let (took, text) = (before.elapsed(), run.describe());
    assert!((5..20).contains(&took.as_secs()), "{took:?}: {text}");
    assert_eq!(run.code, Some(3), "{text}");
    let accounts = run.output("accounts_o-abcdefghij.csv").unwrap();
    for (row, status) in
        accounts
            .lines()
            .skip(1)
            .zip(["complete", "failed", "failed", "not_tried", "not_tried"])
    {
        assert!(row.contains(&format!(",{status},")), "{status}: {text}");
    }
    let counts = run.output("combined_count_o-abcdefghij.csv");
    assert_eq!(counts, Some(organization.csv(&[1])), "{text}");
    assert!(run.stderr.contains(" --resume\n"), "{text}");
}

fn throttled_first_check_ends() {
    let types = types(1);
    let server =
        account(&types).serve_with(|call| (call.service == "sts").then(|| Reply::throttled(call)));
    let (outcome, took) = run(&server, &types, &[]);
    assert!(took < MAX_RUN, "{took:?}: {}", outcome.describe());
    assert_eq!(outcome.code, Some(1), "{}", outcome.describe());
    assert!(
        took.as_secs() < 30 || outcome.stderr.contains(THROTTLED_CHECK),
        "{}",
        outcome.describe()
    );
}

const THROTTLED_CHECK: &str = "Waiting: sts:GetCallerIdentity: retry ";

/// The command and its child ignore SIGTERM.
fn slow_credential_process_ends() {
    let program = Program::for_url("http://127.0.0.1:9")
        .max_duration(Duration::from_secs(200))
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "");
    let directory = program.directory().join("home/.aws");
    std::fs::create_dir(&directory).unwrap();
    let config = "[default]\ncredential_process = sh -c 'trap \"\" TERM; sleep 600; :'\n";
    std::fs::write(directory.join("config"), config).unwrap();
    let before = Instant::now();
    let outcome = program.run();
    let (took, text) = (before.elapsed(), outcome.describe());
    assert!((119..135).contains(&took.as_secs()), "{took:?}: {text}");
    assert_eq!(outcome.code, Some(1), "{text}");
    assert_waiting_lines(
        &outcome,
        "Waiting: AWS credentials configured: no result yet (",
        " s)",
    );
    let message = "credential_process of profile default was ended: no result within 120 seconds";
    assert!(outcome.stderr.contains(message), "{text}");
}
