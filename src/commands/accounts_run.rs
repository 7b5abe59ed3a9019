//! A run of many accounts in progress: what each event of the scan changes, and the output at its end.

use std::io;
use std::sync::Arc;

use super::account_files;
use super::account_tally::Tally;
use super::combined;
use super::context::Context;
use super::exit::Exit;
use super::heartbeat::Heartbeat;
use super::resume::Counted;
use super::scan_regions;
use super::verdict::Verdict;
use crate::accounts::access::Access;
use crate::accounts::{AccountStatus, MemberAccount, UnusableProfile};
use crate::advice;
use crate::console::AccountErrors;
use crate::coverage::{Coverage, RegionResult};
use crate::error_log::{Entry, ErrorType};
use crate::interrupt::CONTINUE;
use crate::inventory::Method;
use crate::model::{Account, AccountId};
use crate::options::AccountOptions;
use crate::output::AccountsResults;
use crate::output::run_file::{AccountRecord, NewLine, Position, Records};
use crate::scan::{self, ScanEvent};

/// A run of many accounts in progress.
pub(super) struct Run<'r, 'c> {
    pub(super) context: &'r mut Context<'c>,
    pub(super) accounts: &'r AccountOptions,
    pub(super) access: Arc<Access>,
    pub(super) tally: Tally,
    pub(super) records: Records,
    /// The accounts that an earlier run has counted.
    pub(super) counted: &'r Counted,
    pub(super) list: ListResult,
    /// True if a file could not be written.
    pub(super) has_failed: bool,
    pub(super) heartbeat: Heartbeat,
    /// The errors on the terminal.
    pub(super) shown_errors: AccountErrors,
}

/// The result of the list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListResult {
    /// Its end was not reached.
    Unfinished,
    /// All accounts are listed.
    Complete,
    /// The reason why the list is not complete.
    Failed(String),
}

impl Run<'_, '_> {
    pub(super) fn handle(&mut self, event: ScanEvent) {
        let is_changed = !matches!(event, ScanEvent::Waiting | ScanEvent::Logged(..));
        match event {
            ScanEvent::Listed(members) => {
                let page = members.iter().map(|member| &member.id).collect();
                self.append(&NewLine::Page(page));
                for member in members {
                    self.add(member);
                }
            }
            ScanEvent::Waiting => {}
            ScanEvent::ListEnded(Ok(())) => {
                self.list = ListResult::Complete;
                self.append(&NewLine::ListComplete(self.tally.accounts.len()));
            }
            ScanEvent::ListEnded(Err(error)) => {
                self.list = ListResult::Failed(advice::for_list(&error));
            }
            ScanEvent::Opened {
                number,
                regions,
                skipped_regions,
            } => {
                self.tally.regions.1 += regions;
                self.tally.accounts[number].skipped_regions = skipped_regions;
            }
            ScanEvent::Alias(number, alias) => self.tally.accounts[number].alias = alias,
            ScanEvent::NotOpened(number, why) => self.add_not_opened(number, why),
            ScanEvent::Logged(number, entry) => self.tally.accounts[number].entries.push(entry),
            ScanEvent::RegionFinished(_) => self.tally.regions.0 += 1,
            ScanEvent::Done(number, results) => self.add_done(number, results),
        }
        // After an interrupt the bar shows what was done.
        if !self.context.is_interrupted() {
            let (done, total) = (self.tally.done, self.tally.accounts.len());
            self.set_state(done, total);
            self.show_progress((done, total), is_changed);
        }
    }

    /// Adds an account of the list. One that is not active, or that an earlier run has counted, is finished.
    fn add(&mut self, member: MemberAccount) {
        let counted = self.counted.get(&member.id);
        let (is_active, state) = (member.is_active(), member.state.clone());
        let number = self.tally.add(member);
        match counted {
            _ if !is_active => {
                let detail = format!("the state of the account is {state}");
                self.finish_unscanned(number, AccountStatus::NotActive, detail);
            }
            None => {}
            Some(position) => match self.records.file.read(*position) {
                Ok(record) => self.finish_at(number, *position, &record),
                Err(e) => self.show_failure(&e),
            },
        }
    }

    /// Finishes an account that is not scanned.
    fn finish_unscanned(&mut self, number: usize, status: AccountStatus, detail: String) {
        let member = &self.tally.accounts[number].member;
        let record = AccountRecord::not_scanned(member, String::new(), status, detail);
        self.finish(number, &record);
    }

    fn add_not_opened(&mut self, number: usize, why: scan::NotOpened) {
        if self.context.is_interrupted() {
            return;
        }
        let account = &mut self.tally.accounts[number];
        let mut entries = std::mem::take(&mut account.entries);
        entries.extend(why.entry);
        let access = self.access.describe(&account.member);
        let record = AccountRecord::not_scanned(&account.member, access, why.status, why.detail)
            .with_note(&account.member.note);
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
        let state = &mut self.tally.accounts[number];
        let (mut entries, alias) = (std::mem::take(&mut state.entries), state.alias.take());
        let (member, skipped) = (state.member.clone(), state.skipped_regions);
        let now = self.context.runtime.clock.now();
        entries.extend(scan_regions::unlogged_entries(&coverage, now));
        let account = Account {
            id: member.id.clone(),
            alias,
        };
        let has_files = !self.accounts.account_files
            || account_files::write(self.context, &account, &coverage, &mut entries);
        if !has_files && self.context.is_interrupted() {
            return;
        }
        self.has_failed |= !has_files && !coverage.is_missing();
        let access = self.access.describe(&member);
        let record = AccountRecord::scanned(&member, &account, access, &coverage);
        let mut record = record.with_skipped_regions(skipped);
        if options.method == Method::Verify {
            record.comparison = coverage.compare().totals();
        }
        record.has_files = has_files;
        self.show_errors(&record.account, &entries);
        let record = record.with_errors(&entries).with_note(&member.note);
        self.finish(number, &record);
    }

    /// Shows the errors of an account on the console.
    fn show_errors(&mut self, account: &str, entries: &[Entry]) {
        let console = &mut *self.context.console;
        let lines = match (console.columns)() {
            Some(_) => self.shown_errors.lines(account, entries),
            None => entries.iter().map(|e| e.line_of_account(account)).collect(),
        };
        for line in lines {
            console.error(line);
        }
    }

    /// Appends the record of an account to the run file.
    fn finish(&mut self, number: usize, record: &AccountRecord) {
        if let Some(position) = self.append(&NewLine::Account(record)) {
            self.finish_at(number, position, record);
        }
    }

    /// Finishes an account whose record is in the run file.
    fn finish_at(&mut self, number: usize, position: Position, record: &AccountRecord) {
        self.access.release(&self.tally.accounts[number].member.id);
        self.tally.finish(number, position, record);
    }

    /// Adds the profiles that cannot be used.
    pub(super) fn add_unusable(&mut self, profiles: Vec<UnusableProfile>) {
        for profile in profiles {
            let error_type = match profile.status {
                AccountStatus::WrongAccount => ErrorType::Fatal,
                AccountStatus::AccessDenied => ErrorType::Permission,
                _ => ErrorType::Prerequisite,
            };
            let entry = self.context.entry(error_type, profile.detail.clone());
            let record =
                AccountRecord::of_profile(profile).with_errors(std::slice::from_ref(&entry));
            self.show_errors(record.shown_account(), &[entry]);
            if let Some(position) = self.append(&NewLine::Account(&record)) {
                self.tally.add_unusable(position, &record);
            }
        }
    }

    /// Appends a line to the run file.
    fn append(&mut self, line: &NewLine) -> Option<Position> {
        let appended = self.records.file.append(line);
        appended.map_err(|e| self.show_failure(&e)).ok()
    }

    /// Shows that the run file cannot be used.
    fn show_failure(&mut self, e: &io::Error) {
        self.has_failed = true;
        let path = self.records.file.path().display();
        self.context
            .console
            .error(format_args!("error: {path}: {e}"));
    }

    pub(super) fn add_not_found(&mut self, accounts: Vec<AccountId>) {
        if self.list != ListResult::Complete {
            return;
        }
        for account in accounts {
            let mut member = MemberAccount::new(account);
            member.state.clear();
            let number = self.tally.add(member);
            let detail = advice::for_not_found(&self.accounts.source).to_owned();
            self.finish_unscanned(number, AccountStatus::NotInOrganization, detail);
        }
    }

    /// Writes the combined files and shows the summary. Returns the exit code and the records.
    pub(super) fn conclude(mut self, scope: String) -> (Exit, AccountsResults) {
        self.records.positions = self.tally.positions();
        let (exit, has_counts) = self.write_combined(&scope);
        let results = AccountsResults {
            records: self.records,
            scope,
            is_list_complete: self.list == ListResult::Complete,
            has_counts,
        };
        (exit, results)
    }

    /// Writes the combined files and shows the summary. Returns the exit code, and true if there are counts.
    fn write_combined(&mut self, scope: &str) -> (Exit, bool) {
        self.context.console.line("");
        if self.list != ListResult::Complete || self.tally.done < self.tally.accounts.len() {
            self.show_unfinished();
            return (Exit::Failed, false);
        }
        if self.tally.counted() == 0 {
            combined::write_errors(self.context, &self.records, scope);
            self.show_uncounted(scope);
            return (Exit::Failed, false);
        }
        self.set_final_state("were being written");
        let written = combined::write(self.context, &self.records, scope);
        if self.context.is_interrupted() {
            return (Exit::Failed, false);
        }
        self.context.console.line("");
        let Verdict { exit, reason } = if written && !self.has_failed {
            let strict = self.context.options.strict;
            Verdict::of_violations(strict, |strict| self.tally.violations(strict))
        } else {
            Verdict::failed("a file could not be written (see above)")
        };
        self.show_summary(scope, reason.clone());
        // The summary is not shown.
        if self.context.console.quiet && exit == Exit::Partial {
            self.context.console.error(reason.unwrap_or_default());
        }
        if self.tally.has_untried() {
            self.show_resume();
        }
        self.set_final_state("are written");
        (exit, written)
    }

    /// Shows the summary of a run without a count.
    fn show_uncounted(&mut self, scope: &str) {
        self.show_summary(scope, None);
        self.context.console.line("");
        self.context.console.error(
            "error: no account was counted; the combined files were not written, except the error log",
        );
        if self.tally.has_untried() {
            self.show_resume();
        }
    }

    /// Shows why the combined files cannot be written.
    fn show_unfinished(&mut self) {
        if let ListResult::Failed(why) = &self.list {
            self.context.log(ErrorType::Fatal, why.clone());
        }
        let what = if self.list == ListResult::Complete {
            "The run file"
        } else {
            "The list of accounts"
        };
        self.context.console.error(format_args!(
            "{what} is not complete, so no combined file was written. The files of the accounts that were counted stay.",
        ));
        self.show_resume();
    }

    /// Shows the command that continues the run.
    fn show_resume(&mut self) {
        let command = &self.accounts.resume_command;
        self.context
            .console
            .error_as_is(format_args!("{CONTINUE}{command}"));
    }
}
