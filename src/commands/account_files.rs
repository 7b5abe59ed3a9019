//! The files of one account of a run of many: those of a run of this account only.

use super::context::Context;
use super::outputs;
use crate::coverage::Coverage;
use crate::error_log::Entry;
use crate::model::Account;

/// Writes the files of an account, without text on the terminal. Adds the errors of doing so to `entries`. Returns true
/// if the files were written.
pub(super) fn write(
    context: &mut Context,
    account: &Account,
    coverage: &Coverage,
    entries: &mut Vec<Entry>,
) -> bool {
    let was_quiet = std::mem::replace(&mut context.console.quiet, true);
    let mut own = Context::new(context.options, context.runtime, context.console);
    own.errors.is_silent = true;
    let written = own.lock(account) && {
        own.open_errors(&account.file_name("_errors.txt"));
        for entry in entries.drain(..) {
            own.report(entry, false);
        }
        let tables = outputs::table_paths(&own, account);
        tables.iter().all(|path| own.can_write(path))
            && outputs::write_tables(&mut own, account, coverage)
    };
    if !own.is_interrupted() {
        own.show_error_file();
    }
    entries.append(&mut own.errors.entries);
    context.console.quiet = was_quiet;
    written
}
