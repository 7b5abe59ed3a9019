//! Tests of runs that end early and are continued with `--resume`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Call, ORGANIZATION, Organization, Outcome, Program, Reply, Server, assumed_role,
};
use crate::{BUCKET, VPC};

const ACCOUNTS: usize = 12;

/// The number of runs at the same time.
const PARALLEL: usize = 5;

/// The time between two accounts.
const INTERVAL: Duration = Duration::from_millis(40);

/// The start of each request ID of the server.
const REQUEST_ID: &str = "00000000-0000-4000-8000-";

const REQUEST_ID_LENGTH: usize = 36;

/// Returns an organization with an account whose counts are partly missing, one without access, one that is not active,
/// and one whose alias is denied.
fn organization() -> Organization {
    let mut organization = crate::organization(ACCOUNTS);
    organization.member(5).has_role = false;
    "SUSPENDED".clone_into(&mut organization.member(7).state);
    organization
}

fn broken(account: &str, call: &Call) -> Option<Reply> {
    let is_alias = account == Organization::id(3) && call.operation == "ListAccountAliases";
    let is_count = account == Organization::id(9)
        && call.operation == "ListDiscoveredResources"
        && call.region == "eu-west-1";
    (is_alias || is_count).then(|| {
        Reply::error(
            call,
            400,
            "AccessDeniedException",
            "User: x is not authorized",
        )
    })
}

/// Returns the role of an account later than that of the account before, so that the accounts finish one after the other.
fn late_role(call: &Call) -> Option<Reply> {
    let account = call.field("RoleArn")?.split(':').nth(4)?;
    let number = (1..=ACCOUNTS).find(|number| Organization::id(*number) == account)?;
    let delay = INTERVAL * u32::try_from(number).unwrap();
    (number != 5).then(|| assumed_role(account).after(delay))
}

/// A server that kills the process `process` at the request with the number `kill_at`.
struct Killer {
    server: Server,
    process: Arc<AtomicU32>,
}

impl Killer {
    fn new(kill_at: usize) -> Self {
        let (process, requests) = (Arc::<AtomicU32>::default(), AtomicUsize::new(0));
        let target = process.clone();
        let server = organization().serve_with(move |account, call| {
            if requests.fetch_add(1, Ordering::SeqCst) + 1 == kill_at {
                send("KILL", wait_for_process(&target));
            }
            broken(account, call).or_else(|| late_role(call))
        });
        Self { server, process }
    }

    fn run(&self, output: &Path, args: &[&str]) {
        let run = program(&self.server, output, args).start();
        self.process.store(run.id(), Ordering::SeqCst);
        run.finish();
    }
}

fn wait_for_process(process: &AtomicU32) -> u32 {
    loop {
        match process.load(Ordering::SeqCst) {
            0 => std::thread::yield_now(),
            id => return id,
        }
    }
}

fn send(signal: &str, process: u32) {
    let kill = format!("kill -{signal} {process}");
    let status = Command::new("/bin/sh").args(["-c", &kill]).status();
    assert!(status.unwrap().success());
}

/// Returns a run of the organization with the output directory `output`.
fn program(server: &Server, output: &Path, args: &[&str]) -> Program {
    let types = format!("{VPC},{BUCKET}");
    Program::without_server()
        .args(["--endpoint-url", &server.url(), "--organization"])
        .args(["--resource-types", &types, "--coverage", "--no-progress"])
        .args(args)
        .arg("--output-dir")
        .arg(output)
}

/// The account and the operation of each request.
type Calls = Arc<Mutex<Vec<(String, String)>>>;

/// Runs the program with `args` to its end. Returns the requests too.
fn run(output: &Path, args: &[&str]) -> (Outcome, Vec<(String, String)>) {
    let calls = Calls::default();
    let log = calls.clone();
    let server = organization().serve_with(move |account, call| {
        let role = call.field("RoleArn").and_then(|arn| arn.split(':').nth(4));
        let account_of_call = role.unwrap_or(account).to_owned();
        log.lock()
            .unwrap()
            .push((account_of_call, call.operation.clone()));
        broken(account, call)
    });
    let outcome = program(&server, output, args).run();
    let calls = calls.lock().unwrap().clone();
    (outcome, calls)
}

fn run_file(output: &Path) -> PathBuf {
    output.join(format!("aws_config_combined_run_{ORGANIZATION}.jsonl"))
}

/// Returns the files of a directory except the run file and hidden ones, without times and request IDs.
fn files(output: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(output).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with('.') && path != run_file(output) {
            let mut content = without_times(&std::fs::read_to_string(path).unwrap());
            if name.starts_with("aws_config_resource_count_") && name.ends_with("_errors.txt") {
                // In the order of time, which depends on the network.
                let mut lines: Vec<&str> = content.lines().collect();
                lines.sort_unstable();
                content = lines.join("\n");
            }
            files.insert(name, content);
        }
    }
    files
}

/// Asserts that two directories have the same files, and shows only a difference.
fn assert_same(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>, case: &str) {
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{case}");
    for (name, content) in found {
        assert_eq!(content, &expected[name], "{case}: {name}");
    }
}

fn without_times(content: &str) -> String {
    let without = |line: &str| {
        let is_time = |start: &str| start.starts_with("[20");
        let line = match line.split_once("] ") {
            Some((time, rest)) if is_time(time) => rest,
            _ => line,
        };
        let mut parts = line.split(REQUEST_ID);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            kept += &part[REQUEST_ID_LENGTH - REQUEST_ID.len()..];
        }
        kept
    };
    let lines = content.lines().map(without).collect::<Vec<_>>();
    lines.join("\n")
}

/// Returns the complete accounts in the complete lines of a run file. Asserts that their files were written: otherwise
/// `--resume` counts them again.
fn complete_accounts(output: &Path) -> BTreeSet<String> {
    let text = std::fs::read(run_file(output)).unwrap_or_default();
    let lines = text.split_inclusive(|b| *b == b'\n');
    let lines = lines.filter(|line| line.ends_with(b"\n"));
    let objects = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap());
    let accounts = objects.filter(|object| object["account"]["status"] == "complete");
    accounts
        .map(|object| {
            assert_eq!(object["account"]["has_files"], true, "{object}");
            object["account"]["account"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// Returns the accounts of the requests that open or count an account. The checks open the first one.
fn counted(calls: &[(String, String)]) -> BTreeSet<String> {
    let is_counted = |(account, operation): &&(String, String)| {
        let is_call = ["AssumeRole", "ListDiscoveredResources"].contains(&operation.as_str());
        is_call && *account != Organization::id(1)
    };
    let accounts = calls.iter().filter(is_counted);
    accounts.map(|(account, _)| account.clone()).collect()
}

fn directory() -> TempDir {
    TempDir::new().unwrap()
}

/// Asserts that `--resume` completes the files in `output`, without counting a complete account again.
fn assert_resumes(output: &Path, expected: &BTreeMap<String, String>, case: &str) {
    let complete = complete_accounts(output);
    let (resumed, calls) = run(output, &["--resume"]);
    assert_eq!(resumed.code, Some(0), "{case}: {}", resumed.describe());
    assert_same(&files(output), expected, case);
    let again = counted(&calls);
    let again: Vec<_> = again.intersection(&complete).collect();
    assert!(
        again.is_empty(),
        "{case}: {again:?} of {complete:?}: {}",
        resumed.describe()
    );
    let listings = calls
        .iter()
        .filter(|(_, operation)| operation == "ListDiscoveredResources");
    if complete.len() == ACCOUNTS - 3 {
        assert!(
            listings.count() < 10,
            "{case}: only the check and the partial account"
        );
    }
}

/// Returns the files of a run that is not interrupted, and the number of its requests.
fn unbroken() -> &'static (BTreeMap<String, String>, usize) {
    static UNBROKEN: OnceLock<(BTreeMap<String, String>, usize)> = OnceLock::new();
    UNBROKEN.get_or_init(run_unbroken)
}

fn run_unbroken() -> (BTreeMap<String, String>, usize) {
    let output = directory();
    let (whole, calls) = run(output.path(), &[]);
    assert_eq!(whole.code, Some(0), "{}", whole.describe());
    assert_eq!(complete_accounts(output.path()).len(), ACCOUNTS - 3);
    (files(output.path()), calls.len())
}

#[test]
fn killed_run_is_continued_at_any_request() {
    let (expected, requests) = unbroken();
    let results = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for first in 0..PARALLEL {
            let results = &results;
            scope.spawn(move || {
                for case in (first..30).step_by(PARALLEL) {
                    let kill_at = 1 + case * (requests - 1) / 29;
                    let output = directory();
                    // With eight workers the accounts finish one after the other, also on a slow machine.
                    let few: &[&str] = &["--max-connections", "8"];
                    let args = if case % 2 == 0 { few } else { &[] };
                    Killer::new(kill_at).run(output.path(), args);
                    results
                        .lock()
                        .unwrap()
                        .insert(complete_accounts(output.path()).len());
                    let count = files(output.path())
                        .keys()
                        .any(|name| name.contains("combined_count"));
                    assert!(
                        !count,
                        "request {kill_at}: no combined file of an unfinished run"
                    );
                    assert_resumes(output.path(), expected, &format!("request {kill_at}"));
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    assert!(
        results.len() > 3,
        "the runs end at different accounts: {results:?}"
    );
}

#[test]
fn truncated_line_is_counted_again() {
    let (expected, requests) = unbroken();
    std::thread::scope(|scope| {
        for cut in [1, 40, 200] {
            scope.spawn(move || {
                let output = directory();
                Killer::new(requests * 3 / 4).run(output.path(), &["--max-connections", "8"]);
                let mut text = std::fs::read(run_file(output.path())).unwrap();
                text.truncate(text.len() - cut);
                std::fs::write(run_file(output.path()), text).unwrap();
                assert_resumes(output.path(), expected, &format!("{cut} bytes less"));
            });
        }
    });
}

#[test]
fn resumed_run_can_be_resumed() {
    let (expected, requests) = unbroken();
    let output = directory();
    for kill_at in [requests / 2, requests / 3, requests / 4] {
        let killer = Killer::new(kill_at);
        let run = program(&killer.server, output.path(), &["--resume"]).start();
        killer.process.store(run.id(), Ordering::SeqCst);
        run.finish();
    }
    assert_resumes(output.path(), expected, "the fourth run");
    assert_resumes(output.path(), expected, "after a complete run");
}

#[test]
fn changed_lines_are_counted_again() {
    let (expected, _) = unbroken();
    let output = directory();
    run(output.path(), &[]);
    let text = std::fs::read_to_string(run_file(output.path())).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let of = |number: usize| {
        let start = format!(
            "{{\"account\":{{\"account\":\"{}\"",
            Organization::id(number)
        );
        let line = lines.iter().find(|line| line.starts_with(&start));
        *line.unwrap()
    };
    let header = lines[0];
    for (case, lines) in [
        (
            "another total",
            vec![
                of(2).replace("\"total\":2,", "\"total\":9,"),
                of(3).to_owned(),
            ],
        ),
        (
            "garbage",
            vec![
                "\u{0}\u{1b}[31m".to_owned(),
                of(2)[..50].to_owned(),
                of(3).to_owned(),
            ],
        ),
        (
            "an account twice",
            vec![of(2).to_owned(), of(3).to_owned(), of(2).to_owned()],
        ),
    ] {
        let text = format!("{header}\n{}\n", lines.join("\n"));
        std::fs::write(run_file(output.path()), text).unwrap();
        let (resumed, calls) = run(output.path(), &["--resume"]);
        assert_eq!(resumed.code, Some(0), "{case}: {}", resumed.describe());
        assert_same(&files(output.path()), expected, case);
        let again = counted(&calls);
        assert!(again.contains(&Organization::id(2)), "{case}");
        assert!(!again.contains(&Organization::id(3)), "{case}");
        assert!(!resumed.stderr.contains('\u{1b}'), "{case}");
    }
}

#[test]
fn run_of_other_options_is_refused() {
    let output = directory();
    run(output.path(), &[]);
    let before = std::fs::read(run_file(output.path())).unwrap();
    for (args, expected) in [
        (
            &["--role-name", "Other"][..],
            "--role-name was OrganizationAccountAccessRole, and is now Other",
        ),
        (
            &["--regions", "us-east-1"],
            "--regions was not given, and is now us-east-1",
        ),
        (
            &["--method", "verify"],
            "--method was list, and is now verify",
        ),
        (
            &["--exclude-accounts", "100000000002"],
            "--exclude-accounts was not given",
        ),
        (
            &["--accounts", "100000000002"],
            "--accounts was not given, and is now 100000000002",
        ),
        (
            &["--resource-types", "AWS::EC2::Subnet"],
            "--resource-types was",
        ),
    ] {
        let (refused, calls) = run(output.path(), &[args, &["--resume"]].concat());
        assert_eq!(refused.code, Some(2), "{args:?} {}", refused.describe());
        assert!(
            refused.stderr.contains(expected),
            "{args:?} {}",
            refused.stderr
        );
        let checked = counted(&calls);
        assert!(checked.len() <= 1, "{args:?}: only the check: {checked:?}");
        assert_eq!(
            std::fs::read(run_file(output.path())).unwrap(),
            before,
            "{args:?}"
        );
    }
    let allowed = [
        "--resume",
        "--quiet",
        "--debug",
        "--color",
        "always",
        "--max-time",
        "100",
        "--read-timeout",
        "9",
    ];
    let (resumed, _) = run(output.path(), &allowed);
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
}

#[test]
fn file_of_another_program_is_refused() {
    let output = directory();
    let other = output.path().join("other");
    for (content, expected) in [
        ("", "it is empty"),
        ("not a run file\n", "it is not a run file"),
        ("{\"header\":{}}\n", "it is not a run file"),
    ] {
        std::fs::write(&other, content).unwrap();
        let (refused, _) = run(output.path(), &[&format!("--resume={}", other.display())]);
        assert_eq!(refused.code, Some(2), "{}", refused.describe());
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    let (refused, _) = run(output.path(), &["--resume=missing"]);
    assert_eq!(refused.code, Some(2), "{}", refused.describe());
}

#[test]
fn run_file_may_be_in_another_directory() {
    let (first, second) = (directory(), directory());
    run(first.path(), &[]);
    let option = format!("--resume={}", run_file(first.path()).display());
    let (resumed, calls) = run(second.path(), &[&option]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    let combined = |output: &Path| {
        let mut files = files(output);
        files.retain(|name, _| name.starts_with("aws_config_combined_"));
        files
    };
    assert_eq!(combined(second.path()), combined(first.path()));
    // The account without access, and the partial one.
    let again = [Organization::id(5), Organization::id(9)];
    assert_eq!(counted(&calls), BTreeSet::from(again));
}

#[test]
fn ctrl_c_prints_command_that_continues() {
    for signal in ["INT", "TERM"] {
        let (expected, _) = unbroken();
        let output = directory();
        std::fs::write(
            output
                .path()
                .join(format!("aws_config_combined_count_{ORGANIZATION}.csv")),
            "old",
        )
        .unwrap();
        let server = organization().serve_with(|account, call| {
            let stalls =
                account == Organization::id(11) && call.operation == "ListDiscoveredResources";
            if stalls {
                return Some(Reply::json(&Value::Null).after(Duration::from_mins(10)));
            }
            broken(account, call)
        });
        let running = program(&server, output.path(), &[]).start();
        server.wait_for(|call| {
            call.operation == "ListDiscoveredResources"
                && call
                    .header("authorization")
                    .unwrap()
                    .contains(&Organization::id(11))
        });
        running.signal(signal);
        let run = running.finish();
        assert!(
            run.code.is_some_and(|code| code > 128),
            "{}",
            run.describe()
        );
        let last = run.stderr.lines().last().unwrap();
        let command = last.strip_prefix("To continue this run: ");
        let command = command.unwrap_or_else(|| panic!("{}", run.describe()));
        assert!(
            run.stderr.contains("the combined files are unchanged."),
            "{}",
            run.stderr
        );
        let count = output
            .path()
            .join(format!("aws_config_combined_count_{ORGANIZATION}.csv"));
        assert_eq!(std::fs::read_to_string(count).unwrap(), "old");
        assert!(
            command.contains("--organization") && command.ends_with(" --resume"),
            "{command}"
        );
        assert_resumes(output.path(), expected, signal);
    }
}

/// The run file of the earlier run is still there.
#[test]
fn resumed_run_ended_in_checks_prints_command() {
    let server =
        organization().serve_with(|_, call| (call.operation == "ListAccounts").then(Reply::stall));
    let output = directory();
    let running = program(&server, output.path(), &["--resume"]).start();
    server.wait_for(|call| call.operation == "ListAccounts");
    running.signal("INT");
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.describe());
    let last = run.stderr.lines().last().unwrap_or_default();
    let is_command = last.starts_with("To continue this run: ") && last.ends_with(" --resume");
    assert!(is_command, "{}", run.describe());
}

#[test]
fn account_without_its_file_is_counted_again() {
    let (expected, _) = unbroken();
    let output = directory();
    run(output.path(), &[]);
    let name = "aws_config_resource_count_100000000004_alias-4.csv";
    std::fs::remove_file(output.path().join(name)).unwrap();
    let (resumed, calls) = run(output.path(), &["--resume"]);
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    assert_same(&files(output.path()), expected, "a file was removed");
    let again = [4, 5, 9].map(Organization::id);
    assert_eq!(counted(&calls), BTreeSet::from(again));
}

#[test]
fn incomplete_list_can_be_continued() {
    let organization = crate::organization(25);
    let server = organization.serve_with(|_, call| {
        let is_second_page = call.field("NextToken").is_some() && call.service == "organizations";
        is_second_page.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    });
    let output = directory();
    let failed = program(&server, output.path(), &[]).run();
    assert_eq!(failed.code, Some(1), "{}", failed.describe());
    let command = failed.stderr.lines().last().unwrap_or_default();
    assert!(command.ends_with("--resume"), "{}", failed.stderr);
    let server = organization.serve();
    let resumed = program(&server, output.path(), &["--resume"]).run();
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    let numbers: Vec<usize> = (1..=25).collect();
    let counts = output
        .path()
        .join(format!("aws_config_combined_count_{ORGANIZATION}.csv"));
    assert_eq!(
        std::fs::read_to_string(counts).unwrap(),
        organization.csv(&numbers)
    );
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 5);
}

#[test]
fn account_that_left_organization_is_not_resumed() {
    let organization = crate::organization(3);
    let output = directory();
    program(&organization.serve(), output.path(), &[]).run();
    let mut smaller = organization.clone();
    smaller.members.remove(1);
    "SUSPENDED".clone_into(&mut smaller.member(2).state);
    let server = smaller.serve();
    let resumed = program(&server, output.path(), &["--resume"]).run();
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    let counts = output
        .path()
        .join(format!("aws_config_combined_count_{ORGANIZATION}.csv"));
    assert_eq!(
        std::fs::read_to_string(counts).unwrap(),
        organization.csv(&[1])
    );
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 0);
}

#[test]
fn run_stopped_by_expired_credentials_can_be_continued() {
    let organization = crate::organization(12);
    let server = organization.serve_with(|_, call| {
        let is_later = call.field("RoleArn")?.split(':').nth(4)? > "100000000004";
        is_later.then(|| Reply::error(call, 403, "ExpiredToken", "The security token is expired"))
    });
    let output = directory();
    let stopped = program(&server, output.path(), &[]).run();
    assert_eq!(stopped.code, Some(0), "{}", stopped.describe());
    let is_command =
        |line: &str| line.starts_with("To continue this run: ") && line.ends_with(" --resume");
    assert!(stopped.stderr.lines().any(is_command), "{}", stopped.stderr);
    // Up to the fourth account, but an account whose role comes after the first error is not tried either.
    let complete = complete_accounts(output.path());
    assert!((1..=4).contains(&complete.len()), "{complete:?}");
    let server = organization.serve();
    let resumed = program(&server, output.path(), &["--resume"]).run();
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    let roles = server.count(|call| call.operation == "AssumeRole");
    assert_eq!(roles, 12 - complete.len(), "{complete:?} were complete");
    let counts = output
        .path()
        .join(format!("aws_config_combined_count_{ORGANIZATION}.csv"));
    let numbers: Vec<usize> = (1..=12).collect();
    assert_eq!(
        std::fs::read_to_string(counts).unwrap(),
        organization.csv(&numbers)
    );
}

#[test]
fn run_file_may_be_link_not_device() {
    let organization = crate::organization(2);
    let output = directory();
    let target = output.path().join("target");
    std::os::unix::fs::symlink("target", run_file(output.path())).unwrap();
    let linked = program(&organization.serve(), output.path(), &[]).run();
    assert_eq!(linked.code, Some(0), "{}", linked.describe());
    assert!(std::fs::read_to_string(&target).unwrap().lines().count() > 3);
    assert!(run_file(output.path()).is_symlink());
    std::fs::remove_file(&target).unwrap();
    crate::support::make_fifo(&target);
    let server = organization.serve();
    let refused = program(&server, output.path(), &["--skip-checks"]).run();
    assert_eq!(refused.code, Some(1), "{}", refused.describe());
    assert!(
        refused
            .stderr
            .contains("cannot be created: not a regular file"),
        "{}",
        refused.stderr
    );
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 0);
}

#[test]
fn combined_files_are_replaced_together() {
    let organization = crate::organization(2);
    let output = directory();
    let name = |kind: &str| {
        output
            .path()
            .join(format!("aws_config_combined_{kind}_{ORGANIZATION}.csv"))
    };
    std::fs::write(name("accounts"), "old").unwrap();
    std::fs::create_dir(name("count")).unwrap();
    let failed = program(&organization.serve(), output.path(), &[]).run();
    assert_eq!(failed.code, Some(1), "{}", failed.describe());
    assert!(
        failed.stderr.contains("could not be written"),
        "{}",
        failed.stderr
    );
    assert_eq!(std::fs::read_to_string(name("accounts")).unwrap(), "old");
    std::fs::remove_dir(name("count")).unwrap();
    let server = organization.serve();
    let resumed = program(&server, output.path(), &["--resume"]).run();
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    assert_eq!(
        std::fs::read_to_string(name("count")).unwrap(),
        organization.csv(&[1, 2])
    );
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 0);
}

#[test]
fn resume_without_run_file_counts_all() {
    let organization = crate::organization(2);
    let output = directory();
    let run = program(&organization.serve(), output.path(), &["--resume"]).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(run.stdout.contains("Nothing to resume"), "{}", run.stdout);
    let without_source = Program::without_server().arg("--resume").run();
    assert_eq!(
        without_source.code,
        Some(2),
        "{}",
        without_source.describe()
    );
    assert!(
        without_source
            .stderr
            .contains("--resume needs --organization"),
        "{}",
        without_source.stderr
    );
}
