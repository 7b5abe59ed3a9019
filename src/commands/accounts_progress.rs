//! The console of a run of many accounts: the bar, what the run waits for, the text that an interrupt shows, the summary.

use super::accounts_run::Run;
use super::combined;
use super::earlier_files::earlier_files;
use crate::console::{self, AccountsSummary, Bar};
use crate::text::pluralize;

impl Run<'_, '_> {
    /// Shows the accounts and regions that are done, and what the run waits for.
    pub(super) fn show_progress(&mut self, (done, total): (usize, usize), is_changed: bool) {
        let (regions, console) = (self.tally.regions, &mut *self.context.console);
        // Elsewhere only the last state is shown.
        if is_changed && console.bar == Bar::Live {
            console.set_regions(regions.0, regions.1);
            console.progress(done, total);
        }
        self.heartbeat.accounts((done, total), regions, console);
    }

    /// Shows the last state of the bar.
    pub(super) fn end_progress(&mut self) {
        let is_interrupted = self.context.is_interrupted();
        let console = &mut *self.context.console;
        if console.bar == Bar::FinalOnly && !is_interrupted {
            console.progress(self.tally.done, self.tally.accounts.len());
        }
        console.end_progress();
    }

    /// Sets the text that an interrupt shows.
    pub(super) fn set_state(&self, done: usize, total: usize) {
        let files = if self.accounts.account_files {
            "their files are written, "
        } else {
            ""
        };
        let total = pluralize(total, "account");
        let state = format!("{done} of {total} finished; {files}the combined files are unchanged");
        self.context.runtime.interrupt.set_state(state);
    }

    /// Sets the text that an interrupt shows after the last account.
    pub(super) fn set_final_state(&self, files: &str) {
        let state = format!("all accounts finished; the combined files {files}");
        self.context.runtime.interrupt.set_state(state);
    }

    /// Shows the summary; `exit` is the exit code and its reason, if it is not 0.
    pub(super) fn show_summary(&mut self, scope: &str, exit: Option<String>) {
        let context = &mut *self.context;
        let error_file = context.path(&combined::name("errors", scope, "txt"));
        let lines = console::accounts_summary(&AccountsSummary {
            accounts: self.tally.summaries().collect(),
            options: context.options,
            unit_names: &self.records.file.unit_names,
            error_file: &error_file.display().to_string(),
            elapsed: context.runtime.clock.elapsed(),
            usage: context.activity.usage(),
            earlier: &earlier_files(context, self.accounts, &self.tally, scope),
            exit,
        });
        for line in lines {
            context.console.line(line);
        }
    }
}
