//! A run of many accounts in progress: what each event of the scan changes, and the output at its end.

use std::sync::Arc;

use super::account_files;
use super::account_tally::Tally;
use super::accounts_outputs::AccountsResults;
use super::combined::Combined;
use super::context::Context;
use super::exit::Exit;
use super::scan_regions;
use crate::accounts::access::Access;
use crate::accounts::{AccountStatus, MemberAccount, UnusableProfile};
use crate::advice;
use crate::console::{self};
use crate::coverage::{Coverage, RegionResult};
use crate::error_log::{Entry, ErrorType};
use crate::model::{Account, AccountId};
use crate::options::{AccountOptions, AccountSource};
use crate::output::run_file::{AccountRecord, Position, RunFile};
use crate::scan::{self, AccountsEvent};

/// A run of many accounts in progress.
pub(super) struct Run<'r, 'c> {
    pub(super) context: &'r mut Context<'c>,
    pub(super) accounts: &'r AccountOptions,
    pub(super) access: Arc<Access>,
    pub(super) tally: Tally,
    pub(super) records: RunFile,
    pub(super) list_error: Option<String>,
    /// True if a file could not be written.
    pub(super) has_failed: bool,
}

impl Run<'_, '_> {
    pub(super) fn handle(&mut self, event: AccountsEvent) {
        match event {
            AccountsEvent::Listed(members) => {
                let (number, members) = (self.tally.len(), members.into_iter());
                for (n, member) in members.enumerate() {
                    let is_active = member.is_active();
                    self.tally.add(member);
                    if !is_active {
                        self.finish_inactive(number + n);
                    }
                }
            }
            AccountsEvent::ListEnded(Ok(())) | AccountsEvent::Waiting => {}
            AccountsEvent::ListEnded(Err(error)) => {
                self.list_error = Some(advice::for_list(&error));
            }
            AccountsEvent::Opened {
                number,
                regions,
                alias,
            } => self.tally.open(number, regions, alias),
            AccountsEvent::NotOpened(number, why) => self.add_not_opened(number, why),
            AccountsEvent::Logged(number, entry) => self.tally.log(number, entry),
            AccountsEvent::RegionFinished(_) => self.tally.finished_regions += 1,
            AccountsEvent::Done(number, results) => self.add_done(number, results),
        }
        // After an interrupt the bar shows what was done.
        if !self.context.is_interrupted() {
            let (done, total) = (self.tally.done(), self.tally.len());
            self.context.console.progress(done, total);
        }
    }

    fn finish_inactive(&mut self, number: usize) {
        let member = &self.tally.get(number).member;
        let detail = format!("the state of the account is {}", member.state);
        let status = AccountStatus::NotActive;
        let record = AccountRecord::not_scanned(member, String::new(), status, detail);
        self.finish(number, &record);
    }

    fn add_not_opened(&mut self, number: usize, why: scan::NotOpened) {
        if self.context.is_interrupted() {
            return;
        }
        let account = self.tally.get(number);
        let access = self.access.describe(&account.member);
        let record =
            AccountRecord::not_scanned(&account.member, access, why.status.into(), why.detail)
                .with_note(&account.member.note);
        let entries: Vec<Entry> = why.entry.into_iter().collect();
        self.show_errors(&record.account, &entries);
        self.finish(number, &record.with_errors(&entries));
    }

    /// Writes the files of an account whose regions are finished.
    fn add_done(&mut self, number: usize, results: Vec<RegionResult>) {
        if self.context.is_interrupted() {
            return;
        }
        let options = self.context.options;
        let coverage = Coverage::new(results, &options.resource_types, options.method)
            .with_expected(&options.accept_missing);
        let state = self.tally.get_mut(number);
        let (mut entries, alias) = (std::mem::take(&mut state.entries), state.alias.take());
        let member = state.member.clone();
        let now = self.context.runtime.clock.now();
        entries.extend(scan_regions::unlogged_entries(&coverage, now));
        let account = Account {
            id: member.id.clone(),
            alias,
        };
        if self.accounts.account_files {
            self.has_failed |=
                !account_files::write(self.context, &account, &coverage, &mut entries)
                    && !coverage.is_missing();
        }
        let access = self.access.describe(&member);
        let record = AccountRecord::scanned(&member, &account, access, &coverage);
        self.show_errors(&record.account, &entries);
        let record = record.with_errors(&entries).with_note(&member.note);
        self.finish(number, &record);
    }

    /// Shows the errors of an account on the console, once for each region and reason.
    fn show_errors(&mut self, account: &str, entries: &[Entry]) {
        for line in console::account_errors(account, entries) {
            self.context.console.error(line);
        }
    }

    /// Appends the record of an account to the run file.
    fn finish(&mut self, number: usize, record: &AccountRecord) {
        self.access.release(&self.tally.get(number).member.id);
        if let Some(position) = self.append(record) {
            self.tally.finish(number, position, record);
        }
    }

    fn append(&mut self, record: &AccountRecord) -> Option<Position> {
        let position = self.records.append(record);
        position
            .map_err(|e| {
                self.has_failed = true;
                let path = self.records.path().display();
                self.context
                    .console
                    .error(format_args!("error: {path} cannot be written: {e}"));
            })
            .ok()
    }

    /// Adds the profiles that cannot be used.
    pub(super) fn add_unusable(&mut self, profiles: Vec<UnusableProfile>) {
        for profile in profiles {
            let error_type = match profile.status {
                AccountStatus::WrongAccount => ErrorType::Fatal,
                AccountStatus::AccessDenied => ErrorType::Permission,
                _ => ErrorType::Prerequisite,
            };
            let entry = self.context.entry(error_type, None, profile.detail.clone());
            let record =
                AccountRecord::of_profile(profile).with_errors(std::slice::from_ref(&entry));
            self.show_errors(record.shown_account(), &[entry]);
            if let Some(position) = self.append(&record) {
                self.tally.add_unusable(position, &record);
            }
        }
    }

    pub(super) fn add_not_found(&mut self, accounts: Vec<AccountId>) {
        if self.list_error.is_some() {
            return;
        }
        for account in accounts {
            let number = self.tally.len();
            let member = MemberAccount::new(account);
            let detail = match &self.accounts.source {
                AccountSource::Profiles(_) => {
                    "no profile of --profiles has this account; check --accounts"
                }
                AccountSource::Organization | AccountSource::Named => {
                    "the account is not in the caller's organization, or not in the selected units; check --accounts"
                }
            };
            let status = AccountStatus::NotInOrganization;
            let record =
                AccountRecord::not_scanned(&member, String::new(), status, detail.to_owned());
            self.tally.add(member);
            self.finish(number, &record);
        }
    }

    /// Writes the combined files and shows the summary. Returns the exit code and the records.
    pub(super) fn conclude(mut self, scope: String) -> (Exit, AccountsResults) {
        let is_list_complete = self.list_error.is_none();
        let positions = self.tally.positions();
        let (exit, has_counts) = self.write_combined(&scope, positions.clone());
        let results = AccountsResults {
            run_file: self.records,
            positions,
            scope,
            is_list_complete,
            has_counts,
        };
        (exit, results)
    }

    /// Writes the combined files and shows the summary. Returns the exit code, and true if there are counts.
    fn write_combined(&mut self, scope: &str, positions: Vec<Position>) -> (Exit, bool) {
        self.context.console.line("");
        if let Some(why) = self.list_error.take() {
            self.context.log(ErrorType::Fatal, None, why);
            self.context.console.error(
                "The list of accounts is not complete, so no combined file was written. The files of the accounts \
                 that were counted stay.",
            );
            return (Exit::Failed, false);
        }
        if self.tally.counted() == 0 {
            self.context
                .console
                .error("error: no account was counted; the combined files were not written");
            return (Exit::Failed, false);
        }
        let combined = Combined {
            run_file: &self.records,
            positions,
            scope,
            errors: Vec::new(),
        };
        let written = combined.write(self.context);
        if self.context.is_interrupted() {
            return (Exit::Failed, false);
        }
        self.context.console.line("");
        for line in console::accounts_summary(&self.tally.summary()) {
            self.context.console.line(line);
        }
        (self.exit(written), written)
    }

    fn exit(&self, written: bool) -> Exit {
        let strict = self.context.options.strict;
        if !written || self.has_failed {
            Exit::Failed
        } else if strict.is_some_and(|strict| !self.tally.is_allowed(strict)) {
            Exit::Partial
        } else {
            Exit::Done
        }
    }
}
