//! Tests of `--resume` and `accounts --check-access` with `--sso-session` and `--profiles`.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tempfile::TempDir;

use crate::profiles::{profile, with_files};
use crate::sso::{self, portal, with_token};
use crate::support::{Call, Organization, Outcome, Program, Reply, Server};
use crate::{BUCKET, VPC, organization};

const SSO: [&str; 2] = ["--sso-session", "corp"];
const PROFILES: [&str; 2] = ["--profiles", "team-*"];

/// Returns a program that writes to `output`.
fn program(server: &Server, output: &Path, args: &[&str]) -> Program {
    Program::without_server()
        .args(["--endpoint-url", &server.url(), "--output-dir"])
        .arg(output)
        .args(["--resource-types", &format!("{VPC},{BUCKET}")])
        .args(args)
}

fn run_session(server: &Server, output: &Path, args: &[&str]) -> Outcome {
    let program = program(server, output, &[&SSO[..], args].concat());
    with_token(program, "eu-west-1", &json!({})).run()
}

fn run_profiles(server: &Server, output: &Path, args: &[&str]) -> Outcome {
    let config: String = (1..=5).map(|n| profile(&format!("team-{n}"), n)).collect();
    let program = program(server, output, &[&PROFILES[..], args].concat());
    with_files(program, &config, "").run()
}

fn read(output: &Path, name: &str) -> String {
    std::fs::read_to_string(output.join(name)).unwrap()
}

fn rejected() -> Reply {
    Reply::response(401, "application/json", b"{}".to_vec())
}

fn is_credentials(call: &Call) -> bool {
    call.path.starts_with("/federation/credentials")
}

/// Returns the number of listings with credentials of the account with this number.
fn listings(server: &Server, number: usize) -> usize {
    let key = format!("ASIA{}", Organization::id(number));
    server.count(|call| {
        let authorization = call.header("authorization").unwrap_or_default();
        call.operation == "ListDiscoveredResources" && authorization.contains(&key)
    })
}

/// Asserts that a run in `output` has continued the run of `counted` accounts.
fn assert_continued(run: &Outcome, counted: usize) {
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let expected = format!("{counted} complete accounts will not be counted again");
    assert!(run.stdout.contains(&expected), "{}", run.describe());
}

#[test]
fn session_that_ends_is_continued_after_sign_in() {
    let organization = organization(6);
    let (replies, opened) = (organization.clone(), AtomicUsize::new(0));
    let server = organization.serve_with(move |_, call| {
        let is_late = is_credentials(call) && opened.fetch_add(1, Ordering::SeqCst) >= 3;
        if is_late {
            return Some(rejected());
        }
        portal(&replies, call)
    });
    let output = TempDir::new().unwrap();
    let ended = run_session(&server, output.path(), &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.describe());
    let command = ended.stderr.lines().last().unwrap_or_default();
    assert!(
        command.contains("--sso-session corp") && command.ends_with(" --resume"),
        "{}",
        ended.stderr
    );
    let errors = read(output.path(), "aws_config_combined_errors_sso-corp.txt");
    assert_eq!(errors.matches("[FATAL]").count(), 1, "{errors}");
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| portal(&replies, call));
    let resumed = run_session(&server, output.path(), &["--resume", "--strict"]);
    assert_continued(&resumed, 3);
    let counts = read(output.path(), "aws_config_combined_count_sso-corp.csv");
    assert_eq!(counts, organization.csv(&[1, 2, 3, 4, 5, 6]));
    // The first one is opened by the checks.
    let again = (1..=6).filter(|n| listings(&server, *n) > 0).count();
    assert!((3..=4).contains(&again), "{again}");
    assert_eq!(server.count(is_credentials), again);
}

#[test]
fn run_of_other_permission_set_is_refused() {
    let organization = organization(2);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| portal(&replies, call));
    let output = TempDir::new().unwrap();
    let first = run_session(&server, output.path(), &["--role-name", "Audit"]);
    assert_eq!(first.code, Some(0), "{}", first.describe());
    let other = run_session(&server, output.path(), &["--resume", "--role-name", "Read"]);
    assert_eq!(other.code, Some(2), "{}", other.describe());
    let expected = "--role-name was Audit, and is now Read";
    assert!(other.stderr.contains(expected), "{}", other.stderr);
}

#[test]
fn run_of_profiles_is_continued() {
    let organization = organization(5);
    let server = organization.serve_with(|account, call| {
        let is_third = account == Organization::id(3) && call.operation == "DescribeRegions";
        let is_fifth = account == Organization::id(5) && call.operation == "GetCallerIdentity";
        (is_third || is_fifth).then(|| Reply::error(call, 403, "AccessDenied", "no"))
    });
    let output = TempDir::new().unwrap();
    let first = run_profiles(&server, output.path(), &["--strict"]);
    assert_eq!(first.code, Some(3), "{}", first.describe());
    let counts = || read(output.path(), "aws_config_combined_count_profiles.csv");
    assert_eq!(counts(), organization.csv(&[1, 2, 4]));
    let server = organization.serve();
    let resumed = run_profiles(&server, output.path(), &["--resume", "--strict"]);
    assert_continued(&resumed, 3);
    assert_eq!(counts(), organization.csv(&[1, 2, 3, 4, 5]));
    let listed = (1..=5).map(|number| listings(&server, number));
    let listed: Vec<bool> = listed.map(|listings| listings > 0).collect();
    // The first account is that of the checks.
    assert_eq!(listed[1..], [false, true, false, true]);
    let other = run_profiles(
        &server,
        output.path(),
        &["--resume", "--regions", "us-east-1"],
    );
    assert_eq!(other.code, Some(2), "{}", other.describe());
}

/// Returns the rows that `accounts --check-access --format csv --strict` prints, without the header, and stderr. Asserts
/// that an account cannot be accessed.
fn checked(program: Program) -> (Vec<Vec<String>>, String) {
    let args = ["--check-access", "--format", "csv", "--no-progress"];
    let run = program.args(args).arg("--strict").run();
    assert_eq!(run.code, Some(3), "{}", run.describe());
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    let header: Vec<_> = reader.headers().unwrap().iter().collect();
    let expected = "account,name,ou_path,state,role,access,status,detail";
    assert_eq!(header.join(","), expected);
    let rows = reader.records().map(Result::unwrap);
    let rows = rows.map(|row| row.iter().map(str::to_owned).collect());
    (rows.collect(), run.stderr)
}

fn column(rows: &[Vec<String>], number: usize) -> Vec<&str> {
    rows.iter().map(|row| row[number].as_str()).collect()
}

#[test]
fn access_of_session_is_checked() {
    let organization = organization(5);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| {
        let of = |number| {
            call.path
                .contains(&format!("account_id={}", Organization::id(number)))
        };
        match call {
            call if is_credentials(call) && of(2) => {
                let body = json!({"message": "No access"}).to_string();
                Some(Reply::response(403, "application/json", body.into_bytes()))
            }
            call if is_credentials(call) && of(4) => Some(sso::credentials(&Organization::id(5))),
            call => portal(&replies, call),
        }
    });
    let program = Program::subcommand("accounts", &server).args(SSO);
    let (rows, _) = checked(with_token(program, "eu-west-1", &json!({})));
    let statuses = ["ok", "access_denied", "ok", "wrong_account", "ok"];
    assert_eq!(column(&rows, 6), statuses);
    assert_eq!(column(&rows, 5), ["sso corp/Audit"; 5]);
    assert_eq!(column(&rows, 1)[2], "team-3");
    assert!(
        rows[1][7].contains("not assigned to you (HTTP 403)"),
        "{rows:?}"
    );
}

#[test]
fn session_that_ends_during_check_names_sign_in() {
    let organization = organization(9);
    let (replies, opened) = (organization.clone(), AtomicUsize::new(0));
    let server = organization.serve_with(move |_, call| {
        let is_late = is_credentials(call) && opened.fetch_add(1, Ordering::SeqCst) >= 2;
        if is_late {
            return Some(rejected());
        }
        portal(&replies, call)
    });
    let program = Program::subcommand("accounts", &server).args(SSO);
    let (rows, _) = checked(with_token(program, "eu-west-1", &json!({})));
    let statuses = column(&rows, 6);
    assert_eq!(statuses.iter().filter(|status| **status == "ok").count(), 2);
    let details = column(&rows, 7).join("\n");
    assert!(
        details.contains("run `aws sso login --sso-session corp`"),
        "{details}"
    );
}

#[test]
fn access_of_profiles_is_checked() {
    let server = organization(4).serve_with(|account, call| {
        let is_denied = account == Organization::id(3) || call.operation == "AssumeRole";
        is_denied.then(|| Reply::error(call, 403, "AccessDenied", "no"))
    });
    let role = "[profile team-4]\nsource_profile = team-1\nrole_arn = arn:aws:iam::100000000004:role/Read\n";
    let config = profile("team-1", 1) + &profile("team-2", 2) + &profile("team-3", 3) + role;
    let program = Program::subcommand("accounts", &server).args(PROFILES);
    let (rows, stderr) = checked(with_files(program, &config, ""));
    let found: Vec<String> = rows.iter().map(|row| row[5..7].join(" ")).collect();
    let expected = [
        "profile team-1 ok",
        "profile team-2 ok",
        "profile team-4 access_denied",
    ];
    assert_eq!(found, expected);
    let ids = [1, 2, 4].map(Organization::id);
    assert_eq!(column(&rows, 0), ids.each_ref().map(String::as_str));
    // Its account is not known.
    assert!(
        stderr.starts_with("warning: profile team-3 cannot be used: "),
        "{stderr}"
    );
}

/// The CSV of a session is a list of accounts for a run with the same session.
#[test]
fn csv_of_session_narrows_it() {
    let organization = organization(4);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| portal(&replies, call));
    let program = Program::subcommand("accounts", &server).args(SSO);
    let program = program.args(["--exclude-accounts", "100000000002", "--format", "csv"]);
    let listed = with_token(program, "eu-west-1", &json!({})).run();
    assert_eq!(listed.code, Some(0), "{}", listed.describe());
    assert_eq!(server.count(is_credentials), 0);
    let output = TempDir::new().unwrap();
    let list = output.path().join("accounts.csv");
    std::fs::write(&list, &listed.stdout).unwrap();
    let option = format!("@{}", list.display());
    let run = run_session(&server, output.path(), &["--accounts", &option, "--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let counts = read(output.path(), "aws_config_combined_count_sso-corp.csv");
    assert_eq!(counts, organization.csv(&[1, 3, 4]));
}
