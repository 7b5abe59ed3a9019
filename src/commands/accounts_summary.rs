//! The summary of a run of many accounts, and its exit code.

use super::account_tally::Tally;
use super::combined;
use super::context::Context;
use super::earlier_files::earlier_files;
use super::exit::Exit;
use crate::accounts::UnitNames;
use crate::console::{self, AccountsSummary};
use crate::options::{AccountOptions, Strict};

/// Shows the summary; `exit` is the exit code and its reason, if it is not 0.
pub(super) fn show(
    context: &mut Context,
    accounts: &AccountOptions,
    (tally, unit_names): (&Tally, &UnitNames),
    scope: &str,
    exit: Option<String>,
) {
    let error_file = context.path(&combined::name("errors", scope, "txt"));
    let summary = AccountsSummary {
        accounts: tally.summaries().collect(),
        options: context.options,
        unit_names,
        error_file: &error_file.display().to_string(),
        elapsed: context.runtime.clock.elapsed(),
        usage: context.activity.usage(),
        earlier: &earlier_files(context.options, accounts, tally, scope),
        exit,
    };
    for line in console::accounts_summary(&summary) {
        context.console.line(line);
    }
}

/// Returns the exit code, and the line with its reason if it is not 0; `is_written` if all files were written.
pub(super) fn exit(
    strict: Option<Strict>,
    tally: &Tally,
    is_written: bool,
) -> (Exit, Option<String>) {
    if !is_written {
        let reason = "Exit code 1: a file could not be written (see above)";
        return (Exit::Failed, Some(reason.to_owned()));
    }
    let (option, violations) = match strict {
        None => ("", Vec::new()),
        Some(Strict::All) => ("--strict", tally.violations(Strict::All)),
        Some(Strict::Missing) => ("--strict=missing", tally.violations(Strict::Missing)),
    };
    if violations.is_empty() {
        return (Exit::Done, None);
    }
    let violations = violations.join(", ");
    let reason = format!("Exit code 3: {violations} ({option})");
    (Exit::Partial, Some(reason))
}
