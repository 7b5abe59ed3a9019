//! The console of a run of many accounts: its errors and its summary.

use std::collections::BTreeMap;

use crate::accounts::AccountStatus;
use crate::error_log::{Entry, ErrorType, timestamp};
use crate::text::{list, pluralize, thousands};

/// The maximum number of accounts that the list of the largest ones has.
const LARGEST: usize = 10;

/// The maximum number of accounts that a paragraph names.
const NAMED: usize = 8;

/// The result of an account, for the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// The account ID.
    pub account: String,
    /// The name, else the alias; empty if neither is known.
    pub name: String,
    /// The IDs of the units above the account.
    pub ou_path: String,
    /// The access, such as `role Audit`.
    pub access: String,
    /// The status.
    pub status: AccountStatus,
    /// The total; `None` if nothing was counted.
    pub total: Option<u64>,
    /// The number of missing counts.
    pub missing: usize,
    /// True if counts are missing, and `--accept-missing` expects each of them.
    pub is_expected: bool,
    /// True if no count is stale or unverified.
    pub is_certain: bool,
    /// The reason why it is not complete, and what to do about it.
    pub detail: String,
    /// The number of log entries.
    pub errors: usize,
}

impl AccountSummary {
    /// Returns the ID with the name: `111111111111 (payments-dev)`.
    fn label(&self) -> String {
        match self.name.as_str() {
            // The account of a profile may not be known.
            _ if self.account.is_empty() => self.access.clone(),
            "" => self.account.clone(),
            name => format!("{} ({name})", self.account),
        }
    }
}

/// The results of all accounts.
pub struct AccountsSummary<'a> {
    /// The accounts, in the order of the list.
    pub accounts: Vec<&'a AccountSummary>,
}

/// Returns one line for each region, error type and reason of an account's errors, with the number of types.
#[must_use]
pub fn account_errors(account: &str, entries: &[Entry]) -> Vec<String> {
    let mut groups: Vec<(&Entry, usize)> = Vec::new();
    let mut indexes: BTreeMap<(Option<&str>, ErrorType), usize> = BTreeMap::new();
    for entry in entries {
        let key = (
            entry
                .region
                .as_ref()
                .map(super::super::model::Region::as_str),
            entry.error_type,
        );
        let index = *indexes.entry(key).or_insert_with(|| {
            groups.push((entry, 0));
            groups.len() - 1
        });
        groups[index].1 += 1;
    }
    let line = |(first, count): (&Entry, usize)| {
        if count == 1 {
            first.line_of_account(account)
        } else {
            let region = first.region.as_ref();
            let region = region.map_or(String::new(), |region| format!("Region: {region}, "));
            format!(
                "[{}] [{}] Account: {account}, {region}{count} entries, the first: {}",
                timestamp(first.at),
                first.error_type,
                first.message()
            )
        }
    };
    groups.into_iter().map(line).collect()
}

/// Returns the lines of the summary.
#[must_use]
pub fn accounts_summary(summary: &AccountsSummary) -> Vec<String> {
    let accounts = &summary.accounts;
    let of = |status: AccountStatus| accounts.iter().filter(|a| a.status == status).count();
    let (complete, partial) = (of(AccountStatus::Complete), of(AccountStatus::Partial));
    let inactive = of(AccountStatus::NotActive);
    let others = accounts.len() - complete - partial - inactive;
    let total: u64 = accounts.iter().filter_map(|a| a.total).sum();
    let errors: usize = accounts.iter().map(|a| a.errors).sum();
    let is_complete = partial + others == 0;
    let at_least = if is_complete { "" } else { "at least " };
    let mut lines = vec![
        "Summary".to_owned(),
        format!(
            "  Accounts: {} ({complete} complete, {partial} partial, {others} not counted, {inactive} not active)",
            accounts.len()
        ),
        format!("  Total resources: {at_least}{}", thousands(total)),
        format!("  Errors encountered: {errors}"),
    ];
    lines.extend(largest(accounts));
    lines.extend(by_unit(accounts));
    lines.extend(problems(accounts));
    lines.push(String::new());
    lines.push(if is_complete {
        "The totals are complete: every active account was counted.".to_owned()
    } else {
        let missing = pluralize(partial + others, "account");
        format!("The totals are not complete: counts of {missing} are missing.")
    });
    lines
}

fn largest(accounts: &[&AccountSummary]) -> Vec<String> {
    let mut counted: Vec<_> = accounts
        .iter()
        .filter_map(|a| Some((a.total?, a.label())))
        .collect();
    counted.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let header = match counted.len() {
        n if n > LARGEST => format!("  Largest {LARGEST} of {n} accounts:"),
        _ => "  By account:".to_owned(),
    };
    let width = counted
        .first()
        .map_or(0, |(total, _)| thousands(*total).len());
    let line =
        |(total, label): &(u64, String)| format!("    {:>width$}  {label}", thousands(*total));
    std::iter::once(header)
        .chain(counted.iter().take(LARGEST).map(line))
        .collect()
}

fn by_unit(accounts: &[&AccountSummary]) -> Vec<String> {
    let mut units: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
    for account in accounts.iter().filter(|a| !a.ou_path.is_empty()) {
        let unit = units.entry(&account.ou_path).or_default();
        unit.0 += account.total.unwrap_or(0);
        unit.1 += 1;
    }
    if units.len() < 2 {
        return Vec::new();
    }
    let width = units.values().map(|(total, _)| thousands(*total).len());
    let width = width.max().unwrap_or(0);
    let line = |(path, (total, n)): (&&str, &(u64, usize))| {
        format!(
            "    {:>width$}  {path} ({})",
            thousands(*total),
            pluralize(*n, "account")
        )
    };
    std::iter::once("  By organizational unit:".to_owned())
        .chain(units.iter().map(line))
        .collect()
}

/// Returns a paragraph for each problem, with its accounts.
fn problems(accounts: &[&AccountSummary]) -> Vec<String> {
    let mut lines = Vec::new();
    for (status, what) in [
        (AccountStatus::AccessDenied, "without access"),
        (
            AccountStatus::WrongAccount,
            "with credentials of another account",
        ),
        (AccountStatus::NotInOrganization, "not in the organization"),
        (AccountStatus::Failed, "not counted"),
        (AccountStatus::NotTried, "not tried"),
        (AccountStatus::Partial, "with missing counts"),
    ] {
        let found: Vec<_> = accounts.iter().filter(|a| a.status == status).collect();
        let Some(first) = found.first() else {
            continue;
        };
        let access = match first.access.as_str() {
            access
                if status == AccountStatus::AccessDenied
                    && found.iter().all(|a| a.access == access) =>
            {
                format!(" ({access})")
            }
            _ => String::new(),
        };
        let names = list(found.iter().map(|a| a.label()), NAMED);
        lines.push(String::new());
        lines.push(format!(
            "{} {what}{access}: {names}",
            pluralize(found.len(), "account")
        ));
        if !first.detail.is_empty() {
            lines.push(format!("  {}", first.detail));
        }
    }
    lines
}
