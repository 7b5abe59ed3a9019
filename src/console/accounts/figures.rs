//! The figures of the summary of many accounts: all accounts, the largest ones, the organizational units.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::input::{AccountSummary, AccountsSummary};
use crate::accounts::{AccountStatus, UnitNames};
use crate::console::comparison::verified;
use crate::console::summary::effort;
use crate::coverage::{Class, ComparisonTotals};
use crate::inventory::Method;
use crate::text::{aligned, number_of, pluralize, thousands};

/// The maximum number of accounts or organizational units that a list of the largest ones has.
const LARGEST: usize = 10;

/// The numbers of accounts by what is known of them.
pub struct AccountTally {
    pub complete: usize,
    pub partial: usize,
    pub not_counted: usize,
    pub not_active: usize,
}

impl AccountTally {
    pub fn new(accounts: &[&AccountSummary]) -> Self {
        let of = |status: AccountStatus| accounts.iter().filter(|a| a.status == status).count();
        let [complete, partial, not_active] = [
            AccountStatus::Complete,
            AccountStatus::Partial,
            AccountStatus::NotActive,
        ]
        .map(of);
        Self {
            complete,
            partial,
            not_active,
            not_counted: accounts.len() - complete - partial - not_active,
        }
    }

    /// Returns true if no count of an active account is missing.
    pub fn is_complete(&self) -> bool {
        self.partial + self.not_counted == 0
    }

    /// Formats the numbers that are not 0: `34 complete, 1 partial`.
    fn parts(&self) -> String {
        let parts = [
            (self.complete, "complete"),
            (self.partial, "partial"),
            (self.not_counted, "not counted"),
            (self.not_active, "not active"),
        ];
        let parts = parts
            .into_iter()
            .enumerate()
            .filter(|(at, (n, _))| *at == 0 || *n > 0);
        let parts = parts.map(|(_, (n, name))| format!("{} {name}", thousands(n)));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Returns the lines with the figures of all accounts.
pub fn figures(summary: &AccountsSummary, numbers: &AccountTally) -> Vec<String> {
    let accounts = &summary.accounts;
    let total: u64 = accounts.iter().filter_map(|a| a.total).sum();
    let errors: usize = accounts.iter().map(|a| a.errors).sum();
    let at_least = if numbers.is_complete() {
        ""
    } else {
        "at least "
    };
    let see_file = match errors {
        0 => String::new(),
        _ => format!(" (see {})", summary.error_file),
    };
    let all = thousands(accounts.len());
    let mut lines = vec![
        format!("  Accounts: {all} ({})", numbers.parts()),
        format!("  Total resources: {at_least}{}", thousands(total)),
        format!("  Errors encountered: {}{see_file}", thousands(errors)),
        format!(
            "  Coverage: {}{}",
            counts(accounts),
            effort(summary.elapsed, &summary.usage)
        ),
    ];
    if summary.options.method == Method::Verify {
        lines.push(format!("  {}", verified(compared(accounts))));
    }
    lines
}

/// Returns the sum of the comparisons of all accounts.
fn compared(accounts: &[&AccountSummary]) -> ComparisonTotals {
    let sum = |number: fn(&ComparisonTotals) -> usize| {
        accounts.iter().map(|a| number(&a.comparison)).sum()
    };
    ComparisonTotals {
        compared: sum(|c| c.compared),
        not_compared: sum(|c| c.not_compared),
        differences: sum(|c| c.differences),
    }
}

/// Formats the counts of the accounts that were scanned.
fn counts(accounts: &[&AccountSummary]) -> String {
    let sum = |class: Class| accounts.iter().map(|a| a.counts[class as usize]).sum();
    let known: usize = sum(Class::Known);
    let uncertain =
        [Class::Stale, Class::Unverified, Class::Missing].map(|class| (class, sum(class)));
    let others: usize = uncertain.iter().map(|(_, n)| n).sum();
    let all = number_of(known + others, "count");
    let mut line = match others {
        0 => format!("all {all} known"),
        _ => format!("{} of {all} known", thousands(known)),
    };
    for (class, n) in uncertain.into_iter().filter(|(_, n)| *n > 0) {
        line = format!("{line}, {} {class}", thousands(n));
    }
    let is_scanned = |a: &&&AccountSummary| a.counts.iter().sum::<usize>() > 0;
    let scanned = accounts.iter().filter(is_scanned).count();
    format!(
        "{line} (of the {} that could be scanned)",
        pluralize(scanned, "account")
    )
}

/// Returns the accounts with the largest totals.
pub fn largest(accounts: &[&AccountSummary]) -> Vec<String> {
    let counted = accounts
        .iter()
        .filter_map(|a| Some((Some(a.total?), a.label())));
    let mut counted: Vec<_> = counted.collect();
    counted.sort_by(by_total);
    table("account", counted)
}

/// Returns the totals of the organizational units by path, if there are several; of many units, the largest ones. A unit of
/// which no account was counted has no total.
pub fn by_unit(accounts: &[&AccountSummary], unit_names: &UnitNames) -> Vec<String> {
    let mut units: BTreeMap<&str, (Option<u64>, usize, usize)> = BTreeMap::new();
    for account in accounts.iter().filter(|a| !a.ou_path.is_empty()) {
        let unit = units.entry(&account.ou_path).or_default();
        let before = unit.0;
        unit.0 = account
            .total
            .map(|total| before.unwrap_or(0) + total)
            .or(before);
        unit.1 += 1;
        unit.2 += usize::from(account.status.is_missing());
    }
    if units.len() < 2 {
        return Vec::new();
    }
    let labeled = units
        .into_iter()
        .map(|(ids, sums)| (unit_names.path(ids), sums));
    let mut units: Vec<_> = labeled.collect();
    units.sort_unstable();
    let row = |(path, (total, n, missing)): (String, (Option<u64>, usize, usize))| {
        let incomplete = match missing {
            0 => String::new(),
            n => format!(", {n} not complete"),
        };
        (
            total,
            format!("{path} ({}{incomplete})", pluralize(n, "account")),
        )
    };
    table("organizational unit", units.into_iter().map(row).collect())
}

/// A total, which may not be known, and its label.
type TotalRow = (Option<u64>, String);

/// Orders rows by total, the largest first.
fn by_total(a: &TotalRow, b: &TotalRow) -> Ordering {
    b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1))
}

/// Returns a header and the rows; if there are many, the largest ones.
fn table(noun: &str, mut rows: Vec<TotalRow>) -> Vec<String> {
    let header = match rows.len() {
        0 => return Vec::new(),
        n if n > LARGEST => format!("  Largest {LARGEST} of {n} {noun}s:"),
        _ => format!("  By {noun}:"),
    };
    if rows.len() > LARGEST {
        rows.sort_by(by_total);
        rows.truncate(LARGEST);
    }
    let rows = rows.into_iter();
    let rows: Vec<_> = rows
        .map(|(n, label)| [n.map_or("?".to_owned(), thousands), label])
        .collect();
    let lines = aligned(&rows, &[0]).into_iter();
    let lines = lines.map(|line| format!("    {line}"));
    std::iter::once(header).chain(lines).collect()
}
