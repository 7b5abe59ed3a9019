//! The progress of a run of many accounts: the bar, what the run waits for, and the text that an interrupt shows.

use super::accounts_run::Run;
use crate::console::Bar;
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
            console.progress(self.tally.done(), self.tally.len());
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
}
