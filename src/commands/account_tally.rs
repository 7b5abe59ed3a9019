//! The state of each account of a run of many, until its record is in the run file, and the figures after that.

use crate::accounts::{AccountStatus, MemberAccount};
use crate::console::{AccountSummary, AccountsSummary};
use crate::coverage::Class;
use crate::error_log::Entry;
use crate::options::Strict;
use crate::output::run_file::{AccountRecord, Position};
use crate::scan::NotOpenedStatus;

/// The accounts of a run, in the order of the list.
#[derive(Default)]
pub(super) struct Tally {
    accounts: Vec<AccountState>,
    /// The profiles that cannot be used.
    unusable: Vec<(Position, AccountSummary)>,
    pub(super) finished_regions: usize,
    regions: usize,
    done: usize,
}

/// The state of an account.
pub(super) struct AccountState {
    pub(super) member: MemberAccount,
    pub(super) alias: Option<String>,
    /// The log entries so far.
    pub(super) entries: Vec<Entry>,
    finished: Option<(Position, AccountSummary)>,
}

impl Tally {
    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Returns the number of finished accounts.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    pub(super) fn get(&self, number: usize) -> &AccountState {
        &self.accounts[number]
    }

    pub(super) fn get_mut(&mut self, number: usize) -> &mut AccountState {
        &mut self.accounts[number]
    }

    pub(super) fn add(&mut self, member: MemberAccount) {
        self.accounts.push(AccountState {
            member,
            alias: None,
            entries: Vec::new(),
            finished: None,
        });
    }

    pub(super) fn open(&mut self, number: usize, regions: usize, alias: Option<String>) {
        self.regions += regions;
        self.accounts[number].alias = alias;
    }

    pub(super) fn log(&mut self, number: usize, entry: Entry) {
        self.accounts[number].entries.push(entry);
    }

    pub(super) fn finish(&mut self, number: usize, position: Position, record: &AccountRecord) {
        self.done += 1;
        let summary = summary_of(record);
        self.accounts[number].finished = Some((position, summary));
    }

    /// Adds a profile that cannot be used.
    pub(super) fn add_unusable(&mut self, position: Position, record: &AccountRecord) {
        self.unusable.push((position, summary_of(record)));
    }

    /// Returns the number of accounts with counts.
    pub(super) fn counted(&self) -> usize {
        let finished = self.summaries();
        finished.filter(|account| account.total.is_some()).count()
    }

    /// Returns true if an account was not tried, because the run stopped before.
    pub(super) fn has_untried(&self) -> bool {
        self.summaries()
            .any(|account| account.status == AccountStatus::NotTried)
    }

    /// Returns the positions of the records, by account ID.
    pub(super) fn positions(&self) -> Vec<Position> {
        let mut finished: Vec<_> = self.finished().collect();
        finished.sort_by_key(|(_, summary)| &summary.account);
        finished
            .into_iter()
            .map(|(position, _)| *position)
            .collect()
    }

    pub(super) fn summary(&self) -> AccountsSummary<'_> {
        AccountsSummary {
            accounts: self.summaries().collect(),
        }
    }

    /// Returns true if `--strict` allows the result.
    pub(super) fn is_allowed(&self, strict: Strict) -> bool {
        self.summaries().all(|account| {
            let is_counted = !account.status.is_missing() || account.is_expected;
            is_counted && (strict == Strict::Missing || account.is_certain)
        })
    }

    fn finished(&self) -> impl Iterator<Item = &(Position, AccountSummary)> {
        let finished = self.accounts.iter();
        let finished = finished.filter_map(|account| account.finished.as_ref());
        finished.chain(&self.unusable)
    }

    fn summaries(&self) -> impl Iterator<Item = &AccountSummary> {
        self.finished().map(|(_, summary)| summary)
    }
}

impl From<NotOpenedStatus> for AccountStatus {
    fn from(status: NotOpenedStatus) -> Self {
        match status {
            NotOpenedStatus::AccessDenied => Self::AccessDenied,
            NotOpenedStatus::WrongAccount => Self::WrongAccount,
            NotOpenedStatus::Failed => Self::Failed,
            NotOpenedStatus::NotTried => Self::NotTried,
        }
    }
}

fn summary_of(record: &AccountRecord) -> AccountSummary {
    let name = if record.name.is_empty() {
        &record.alias
    } else {
        &record.name
    };
    AccountSummary {
        account: record.account.clone(),
        name: name.clone(),
        ou_path: record.ou_path.clone(),
        access: record.access.clone(),
        status: record.status,
        total: record.total,
        missing: record.missing(),
        is_expected: record.is_expected(),
        is_certain: !record.has(Class::Stale) && !record.has(Class::Unverified),
        detail: record.detail.clone(),
        errors: record.errors.len(),
    }
}
