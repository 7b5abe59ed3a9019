use std::time::Duration;

use super::*;
use crate::accounts::{AccountStatus, UnitNames};
use crate::aws::usage::Usage;
use crate::cli::{self, Command};
use crate::coverage::{ComparisonTotals, Status};
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
        file_stem: String::new(),
        name: format!("team-{number}"),
        ou_path: format!("r-ab12/ou-{}", number % 2),
        access: "role Audit".to_owned(),
        status,
        total: is_counted.then_some(1_000 * number),
        counts: if is_counted { [20, 0, 0, 0] } else { [0; 4] },
        is_expected: false,
        comparison: ComparisonTotals::default(),
        skipped_regions: 0,
        was_stopped: false,
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
            "1 file of earlier runs, which this run has not written: old.csv",
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

#[test]
fn unit_without_counted_account_has_no_total() {
    let accounts = [account(1, AccountStatus::Complete), denied(2), denied(4)];
    let lines = summary(&accounts, None, &[]);
    let at = lines
        .iter()
        .position(|line| line == "  By organizational unit:");
    assert_eq!(
        lines[at.unwrap() + 1..][..2],
        [
            "        ?  r-ab12/ou-0 (2 accounts, 2 not complete)",
            "    1,000  r-ab12/ou-1 (1 account)"
        ]
    );
}

#[test]
fn many_units_are_the_largest_ones() {
    let unit = |n: u64| AccountSummary {
        ou_path: format!("/r-ab12/ou-{n:02}"),
        ..account(n, AccountStatus::Complete)
    };
    let of = |n: u64| summary(&(1..=n).map(unit).collect::<Vec<_>>(), None, &[]);
    let lines = of(12);
    let at = lines
        .iter()
        .position(|line| line == "  Largest 10 of 12 organizational units:");
    let units = &lines[at.unwrap() + 1..][..10];
    assert_eq!(units[0], "    12,000  /r-ab12/ou-12 (1 account)");
    assert_eq!(units[9], "     3,000  /r-ab12/ou-03 (1 account)");
    let lines = of(10);
    let at = lines
        .iter()
        .position(|line| line == "  By organizational unit:");
    assert_eq!(
        lines[at.unwrap() + 1],
        "     1,000  /r-ab12/ou-01 (1 account)"
    );
}

#[test]
fn accounts_without_operation_have_other_advice() {
    let assigned = |n: u64| AccountSummary {
        access: "sso corp/Audit".to_owned(),
        detail: format!("IAM Identity Center (account 10000000000{n}): not assigned (HTTP 403)"),
        ..account(n, AccountStatus::AccessDenied)
    };
    let failed = |n: u64, code: &str| AccountSummary {
        detail: format!(
            "the role arn:aws:iam::10000000000{n}:role/A: sts:AssumeRole failed with {code} (HTTP 400); x"
        ),
        ..account(n, AccountStatus::Failed)
    };
    let accounts = [
        assigned(1),
        assigned(2),
        failed(3, "A"),
        failed(4, "B"),
        failed(5, "A"),
    ];
    let lines = summary(&accounts, None, &[]);
    let titles: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains(": 1000000"))
        .collect();
    assert_eq!(
        titles,
        [
            "2 accounts without access (sso corp/Audit): 100000000001 (team-1), 100000000002 (team-2)",
            "2 accounts not counted, because a call failed: 100000000003 (team-3), 100000000005 (team-5)",
            "1 account not counted, because a call failed: 100000000004 (team-4)",
        ]
    );
    assert!(lines.contains(&format!("  {}", crate::advice::FOR_NOT_ASSIGNED)));
}

#[test]
fn advice_after_fatal_error_is_not_more_time() {
    let stopped = |was_stopped: bool| AccountSummary {
        was_stopped,
        counts: [0, 0, 0, 4],
        missing: vec![MissingGroup {
            status: Status::NotTried,
            counts: 4,
            regions: vec!["eu-west-1".to_owned()],
        }],
        ..account(1, AccountStatus::Failed)
    };
    for (was_stopped, advice) in [
        (false, "  Give the scan more time with --max-time"),
        (true, "  See FATAL in the error log, and run again"),
    ] {
        let lines = summary(&[stopped(was_stopped)], None, &[]);
        assert!(lines.iter().any(|line| line == advice), "{lines:?}");
    }
}
