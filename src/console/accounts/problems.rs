//! The problems of the accounts: one paragraph for each problem, with its accounts and what to do.

use std::collections::BTreeMap;

use super::errors::reason;
use super::input::{AccountSummary, AccountsSummary};
use crate::accounts::AccountStatus;
use crate::advice;
use crate::coverage::Status;
use crate::options::Options;
use crate::text::{list, number_of, pluralize};

/// The maximum number of accounts that a paragraph names.
const NAMED: usize = 12;

/// The maximum number of regions of an account that a paragraph names.
const NAMED_REGIONS: usize = 3;

/// A problem: its title after the number of accounts, the accounts, and what to do.
struct Problem {
    title: String,
    accounts: Vec<String>,
    action: String,
}

/// Returns the paragraphs, each with an empty line before it.
pub fn problems(summary: &AccountsSummary) -> Vec<String> {
    let mut problems = not_scanned(summary);
    problems.extend(missing(summary));
    problems.extend(uncertain(&summary.accounts));
    problems.into_iter().flat_map(paragraph).collect()
}

fn paragraph(problem: Problem) -> Vec<String> {
    let accounts = pluralize(problem.accounts.len(), "account");
    let names = list(problem.accounts, NAMED);
    let mut lines = vec![
        String::new(),
        format!("{accounts} {}: {names}", problem.title),
    ];
    if !problem.action.is_empty() {
        lines.push(format!("  {}", problem.action));
    }
    lines
}

/// Returns the problems of the accounts that were not scanned, grouped by status, access and reason.
fn not_scanned(summary: &AccountsSummary) -> Vec<Problem> {
    let mut groups: BTreeMap<(usize, &str, String), Vec<&AccountSummary>> = BTreeMap::new();
    for account in &summary.accounts {
        let is_scanned = !account.missing.is_empty();
        if let Some(rank) = rank(account.status).filter(|_| !is_scanned) {
            let key = (rank, shared_access(account), shared_reason(account));
            groups.entry(key).or_default().push(account);
        }
    }
    let describe = |group: Vec<_>| describe(&group, summary.options);
    groups.into_values().map(describe).collect()
}

/// Returns the position of the paragraph about a status; `None` for no paragraph.
fn rank(status: AccountStatus) -> Option<usize> {
    let order = [
        AccountStatus::AccessDenied,
        AccountStatus::WrongAccount,
        AccountStatus::NotInOrganization,
        AccountStatus::Failed,
        AccountStatus::NotTried,
    ];
    order.iter().position(|s| *s == status)
}

/// Returns the access if other accounts may have the same one: a role, not a profile.
fn shared_access(account: &AccountSummary) -> &str {
    if account.access.starts_with("profile ") {
        "their profiles"
    } else {
        &account.access
    }
}

/// Returns the reason in the detail without the ID and the profile of the account, as other accounts may have it.
fn shared_reason(account: &AccountSummary) -> String {
    // The other account does not matter, and of the accounts that were not tried only one has the error.
    if matches!(
        account.status,
        AccountStatus::WrongAccount | AccountStatus::NotTried
    ) {
        return String::new();
    }
    let own = [&account.account, &account.access];
    let own = own.into_iter().filter(|text| !text.is_empty());
    own.fold(reason(&account.detail).to_owned(), |reason, text| {
        reason.replace(text, "")
    })
}

/// Returns the operation that failed, such as `sts:AssumeRole`; empty if the detail has no operation.
fn operation(account: &AccountSummary) -> &str {
    let is_operation = |word: &&str| {
        let parts = word.split_once(':');
        parts.is_some_and(|(_, name)| name.starts_with(|c: char| c.is_ascii_uppercase()))
    };
    let mut words = reason(&account.detail).split(' ');
    words.find(is_operation).unwrap_or_default()
}

fn describe(group: &[&AccountSummary], options: &Options) -> Problem {
    let first = group[0];
    let access = shared_access(first);
    let operation = operation(first);
    let (title, action) = match first.status {
        AccountStatus::AccessDenied if operation == "sts:AssumeRole" => (
            format!("without access ({access})"),
            advice::FOR_DENIED_ROLES.to_owned(),
        ),
        AccountStatus::AccessDenied if operation.is_empty() => (
            format!("without access ({access})"),
            advice::FOR_NOT_ASSIGNED.to_owned(),
        ),
        AccountStatus::AccessDenied => (
            format!("without access ({access}; {operation} was denied)"),
            advice::for_denied_calls(options),
        ),
        AccountStatus::WrongAccount => (
            "not counted, because the credentials are of another account".to_owned(),
            "Check the endpoint and any proxy".to_owned(),
        ),
        AccountStatus::NotInOrganization => (
            "not in the organization or the selected units".to_owned(),
            "Check --accounts".to_owned(),
        ),
        AccountStatus::NotTried => ("not tried".to_owned(), first.detail.clone()),
        _ => {
            let operation = if operation.is_empty() {
                ""
            } else {
                ", because a call failed"
            };
            (format!("not counted{operation}"), first.detail.clone())
        }
    };
    Problem {
        title,
        accounts: group.iter().map(|account| account.label()).collect(),
        action,
    }
}

/// Returns the missing counts of the accounts that were scanned, one problem for each reason.
fn missing(summary: &AccountsSummary) -> Vec<Problem> {
    let mut reasons: BTreeMap<(Status, bool), Vec<String>> = BTreeMap::new();
    for account in &summary.accounts {
        let all: usize = account.counts.iter().sum();
        for group in &account.missing {
            let what = if group.counts == all {
                format!("all {}", number_of(all, "count"))
            } else {
                let regions = list(&group.regions, NAMED_REGIONS);
                format!("{} in {regions}", number_of(group.counts, "count"))
            };
            let was_stopped = account.was_stopped && group.status == Status::NotTried;
            let names = reasons.entry((group.status, was_stopped)).or_default();
            names.push(format!("{}: {what}", account.label()));
        }
    }
    let action = |status, was_stopped| match status {
        Status::AccessDenied => advice::for_denied_calls(summary.options),
        Status::RegionDisabled => advice::FOR_DISABLED_REGIONS.to_owned(),
        _ => capitalized(advice::action(status, summary.options, was_stopped)),
    };
    let problem = |((status, was_stopped), accounts): ((Status, bool), Vec<String>)| Problem {
        title: format!("with missing counts, {}", advice::reason(status)),
        accounts,
        action: action(status, was_stopped),
    };
    reasons.into_iter().map(problem).collect()
}

/// Returns the problems of counts that there are: stale or unverified ones, those that differ, and skipped regions.
fn uncertain(accounts: &[&AccountSummary]) -> Vec<Problem> {
    type NumberFn = fn(&AccountSummary) -> usize;
    let kinds: [(NumberFn, &str, &str, &str); 5] = [
        (
            |a| a.counts[1],
            "count",
            "with stale counts, because a recorder does not record",
            "Start the recorders; --coverage writes the regions and types",
        ),
        (
            |a| a.counts[2],
            "count",
            "with unverified counts, because the recorder status is unknown",
            "Allow config:DescribeConfigurationRecorders and config:DescribeConfigurationRecorderStatus",
        ),
        (
            |a| a.comparison.differences,
            "difference",
            "whose listings and counts differ",
            "See the files aws_config_verify_{account}.csv",
        ),
        (
            |a| a.comparison.not_compared,
            "count",
            "with counts that could not be compared",
            "See the error log",
        ),
        (
            |a| a.skipped_regions,
            "region",
            "with skipped regions, because ec2:DescribeRegions returned invalid region names",
            "See the error log",
        ),
    ];
    let mut problems = Vec::new();
    for (number, noun, title, action) in kinds {
        let found = accounts.iter().filter(|a| number(a) > 0);
        let name = |a: &&AccountSummary| format!("{}: {}", a.label(), number_of(number(a), noun));
        let accounts: Vec<String> = found.map(name).collect();
        if !accounts.is_empty() {
            let (title, action) = (title.to_owned(), action.to_owned());
            problems.push(Problem {
                title,
                accounts,
                action,
            });
        }
    }
    problems
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}
