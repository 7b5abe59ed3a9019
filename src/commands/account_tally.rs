//! The state of each account of a run of many, until its record is in the run file, and the figures after that.

use super::verdict::{disallowed, never_allowed};
use crate::accounts::{AccountStatus, MemberAccount};
use crate::console::{AccountSummary, MissingGroup};
use crate::coverage::{Class, Status};
use crate::error_log::Entry;
use crate::options::Strict;
use crate::output::run_file::{AccountRecord, Position};
use crate::text::{number_of, pluralize};

/// The accounts of a run, in the order of the list.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) accounts: Vec<AccountState>,
    /// The profiles that cannot be used.
    unusable: Vec<(Position, AccountSummary)>,
    /// The numbers of finished and known regions.
    pub(super) regions: (usize, usize),
    /// The number of finished accounts.
    pub(super) done: usize,
}

/// The state of an account.
pub(super) struct AccountState {
    pub(super) member: MemberAccount,
    pub(super) alias: Option<String>,
    /// The number of skipped region names.
    pub(super) skipped_regions: usize,
    /// The log entries so far.
    pub(super) entries: Vec<Entry>,
    finished: Option<(Position, AccountSummary)>,
}

impl Tally {
    /// Adds an account. Returns its number.
    pub(super) fn add(&mut self, member: MemberAccount) -> usize {
        self.accounts.push(AccountState {
            member,
            alias: None,
            skipped_regions: 0,
            entries: Vec::new(),
            finished: None,
        });
        self.accounts.len() - 1
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

    /// Returns true if an account, or a count of it, was not tried, because the run stopped before.
    pub(super) fn has_untried(&self) -> bool {
        let is_untried = |group: &MissingGroup| group.status == Status::NotTried;
        self.summaries().any(|account| {
            account.status == AccountStatus::NotTried || account.missing.iter().any(is_untried)
        })
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

    /// Returns what `--strict` does not allow: `4 accounts not counted, 130 counts missing, 8 counts stale`. Differences of
    /// `--method verify` and skipped regions are never allowed, as for one account.
    pub(super) fn violations(&self, strict: Strict) -> Vec<String> {
        let not_counted = self.summaries().filter(|account| {
            account.status.is_missing() && account.total.is_none() && !account.is_expected
        });
        let not_counted = not_counted.count();
        let accounts = format!("{} not counted", pluralize(not_counted, "account"));
        let mut violations = vec![(not_counted, accounts)];
        for class in disallowed(strict) {
            let accounts = self.summaries();
            let accounts = accounts.filter(|a| *class != Class::Missing || !a.is_expected);
            let counts = accounts.map(|a| a.counts[*class as usize]).sum();
            violations.push((counts, format!("{} {class}", number_of(counts, "count"))));
        }
        let all = |number: fn(&AccountSummary) -> usize| self.summaries().map(number).sum();
        let found = violations.into_iter().filter(|(n, _)| *n > 0);
        let found = found.map(|(_, text)| text);
        let others = never_allowed(
            all(|a| a.comparison.differences),
            all(|a| a.comparison.not_compared),
            all(|a| a.skipped_regions),
        );
        found.chain(others).collect()
    }

    fn finished(&self) -> impl Iterator<Item = &(Position, AccountSummary)> {
        let finished = self.accounts.iter();
        let finished = finished.filter_map(|account| account.finished.as_ref());
        finished.chain(&self.unusable)
    }

    pub(super) fn summaries(&self) -> impl Iterator<Item = &AccountSummary> {
        self.finished().map(|(_, summary)| summary)
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
        is_expected: record.is_expected(),
        comparison: record.comparison,
        skipped_regions: record.skipped_regions,
        was_stopped: record.was_stopped(),
        file_stem: record.file_stem.clone(),
        counts: record.counts,
        missing: missing_groups(record),
        detail: record.detail.clone(),
        errors: record.errors.len(),
    }
}

/// Returns the missing counts of an account by reason.
fn missing_groups(record: &AccountRecord) -> Vec<MissingGroup> {
    let mut groups: Vec<MissingGroup> = Vec::new();
    let cells = record.cells.iter();
    for cell in cells.filter(|cell| cell.class == Class::Missing) {
        let at = groups.iter().position(|group| group.status == cell.status);
        let at = at.unwrap_or_else(|| {
            groups.push(MissingGroup {
                status: cell.status,
                counts: 0,
                regions: Vec::new(),
            });
            groups.len() - 1
        });
        let group = &mut groups[at];
        group.counts += 1;
        if group.regions.last() != Some(&cell.region) {
            group.regions.push(cell.region.clone());
        }
    }
    groups
}
