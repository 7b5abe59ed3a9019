use std::time::Duration;

use super::*;
use crate::accounts::{AccountStatus, UnitNames};
use crate::aws::usage::Usage;
use crate::cli::{self, Command};
use crate::coverage::Status;
use crate::error_log::{Entry, ErrorType};
use crate::options::Options;

fn options() -> Options {
    let args = ["x", "--organization"].map(std::ffi::OsString::from);
    let Ok(Command::Run(options, _)) = cli::parse(args) else {
        panic!("not the options of a run")
    };
    *options
}

fn account(number: u64, status: AccountStatus) -> AccountSummary {
    let is_counted = matches!(status, AccountStatus::Complete | AccountStatus::Partial);
    AccountSummary {
        account: format!("{:012}", 100_000_000_000 + number),
        alias: String::new(),
        name: format!("team-{number}"),
        ou_path: format!("r-ab12/ou-{}", number % 2),
        access: "role Audit".to_owned(),
        status,
        total: is_counted.then_some(1_000 * number),
        counts: if is_counted { [20, 0, 0, 0] } else { [0; 4] },
        is_expected: false,
        missing: Vec::new(),
        detail: String::new(),
        errors: 0,
    }
}

fn denied(number: u64) -> AccountSummary {
    AccountSummary {
        detail: "sts:AssumeRole failed with AccessDenied".to_owned(),
        errors: 1,
        ..account(number, AccountStatus::AccessDenied)
    }
}

fn summary(accounts: &[AccountSummary], exit: Option<&str>, earlier: &[&str]) -> Vec<String> {
    let earlier: Vec<String> = earlier.iter().map(|name| (*name).to_owned()).collect();
    accounts_summary(&AccountsSummary {
        accounts: accounts.iter().collect(),
        options: &options(),
        unit_names: &UnitNames::default(),
        error_file: "errors.txt",
        elapsed: Duration::from_secs(72),
        usage: Usage {
            requests: 7_000,
            ..Usage::default()
        },
        earlier: &earlier,
        exit: exit.map(str::to_owned),
    })
}

#[test]
fn complete_run_says_so() {
    let accounts = [
        account(1, AccountStatus::Complete),
        account(2, AccountStatus::Complete),
        account(3, AccountStatus::NotActive),
    ];
    assert_eq!(
        summary(&accounts, None, &[]),
        [
            "Summary",
            "  Accounts: 3 (2 complete, 1 not active)",
            "  Total resources: 3,000",
            "  Errors encountered: 0",
            "  Coverage: all 40 counts known (of the 2 accounts that could be scanned) · 1m12s, 7,000 requests",
            "  By account:",
            "    2,000  100000000002 (team-2)",
            "    1,000  100000000001 (team-1)",
            "  By organizational unit:",
            "    2,000  r-ab12/ou-0 (1 account)",
            "    1,000  r-ab12/ou-1 (2 accounts)",
            "",
            "The totals are complete: every active account was counted.",
        ]
    );
}

#[test]
fn problem_is_one_paragraph() {
    let mut accounts: Vec<AccountSummary> = (1..=30)
        .map(|n| account(n, AccountStatus::Complete))
        .collect();
    accounts.extend([denied(41), denied(42)]);
    let partial = AccountSummary {
        counts: [10, 2, 0, 8],
        missing: vec![MissingGroup {
            status: Status::ConnectionFailed,
            counts: 8,
            regions: vec!["eu-west-1".to_owned()],
        }],
        ..account(43, AccountStatus::Partial)
    };
    accounts.push(partial);
    let reason = "Exit code 3: 2 accounts not counted (--strict)";
    let lines = summary(&accounts, Some(reason), &["old.csv"]);
    let largest = lines.iter().position(|line| line.contains("Largest"));
    assert_eq!(largest, Some(5));
    assert_eq!(lines[5], "  Largest 10 of 31 accounts:");
    let from = lines.iter().position(String::is_empty).unwrap();
    assert_eq!(
        lines[from..],
        [
            "",
            "2 accounts without access (role Audit): 100000000041 (team-41), 100000000042 (team-42)",
            &format!("  {}", crate::advice::FOR_DENIED_ROLES),
            "",
            "1 account with missing counts, connection failed: 100000000043 (team-43): 8 counts in eu-west-1",
            "  Check the network, firewall and endpoint",
            "",
            "1 account with stale counts, because a recorder does not record: 100000000043 (team-43): 2 counts",
            "  Start the recorders; --coverage writes the regions and types",
            "",
            "1 file of earlier runs, of accounts not counted now or with another alias: old.csv",
            reason,
            "The totals are not complete: 2 accounts were not counted, 1 account was counted in part. 2 counts may be \
             out of date (stale or unverified).",
        ]
    );
}

fn entry(region: Option<&str>, resource_type: Option<&str>, message: &str) -> Entry {
    Entry {
        at: time::OffsetDateTime::UNIX_EPOCH,
        error_type: ErrorType::Permission,
        region: region.map(|region| region.parse().unwrap()),
        resource_type: resource_type.map(|t| t.parse().unwrap()),
        message: message.to_owned(),
    }
}

#[test]
fn terminal_has_errors_once_per_reason() {
    let bucket = Some("AWS::S3::Bucket");
    let failed = "config:ListDiscoveredResources failed";
    let entries = [
        entry(Some("eu-west-1"), bucket, failed),
        entry(Some("eu-west-1"), Some("AWS::EC2::VPC"), failed),
        Entry {
            error_type: ErrorType::Connection,
            ..entry(Some("eu-west-1"), None, failed)
        },
        entry(Some("us-east-1"), bucket, failed),
        entry(
            Some("eu-west-1"),
            None,
            "config:ListDiscoveredResources changed",
        ),
    ];
    let time = "1970-01-01T00:00:00.000Z";
    assert_eq!(
        AccountErrors::default().lines("111111111111", &entries),
        [
            format!(
                "[{time}] [PERMISSION] Account: 111111111111, Region: eu-west-1, 2 types, the first: {failed}"
            ),
            format!(
                "[{time}] [CONNECTION] Account: 111111111111, Region: eu-west-1, Message: {failed}"
            ),
            format!(
                "[{time}] [PERMISSION] Account: 111111111111, Region: us-east-1, Resource: AWS::S3::Bucket, Message: {failed}"
            ),
            format!(
                "[{time}] [PERMISSION] Account: 111111111111, Region: eu-west-1, Message: config:ListDiscoveredResources changed"
            ),
        ]
    );
}

#[test]
fn terminal_has_advice_once() {
    let mut errors = AccountErrors::default();
    let mut line = |account: u64, message: &str| {
        let lines = errors.lines(&format!("{account:012}"), &[entry(None, None, message)]);
        lines[0].split_once("Message: ").unwrap().1.to_owned()
    };
    let denied = |id: &str| {
        format!(
            "sts:AssumeRole failed with AccessDenied (HTTP 403, request id {id}): User: {id}; five causes; Check it"
        )
    };
    assert_eq!(line(1, &denied("a")), denied("a"));
    let short = "sts:AssumeRole failed with AccessDenied (as above)";
    assert_eq!(line(2, &denied("b")), short);
    let other = "sts:AssumeRole failed with AccessDenied (HTTP 403): no; Change the policy";
    assert_eq!(line(3, other), other);
    assert_eq!(line(4, other), short);
    for account in [5, 6] {
        assert_eq!(line(account, "without advice"), "without advice");
    }
}
