//! The result of a run of many accounts on stdout, and its JSON report.

use std::io::{self, Write};

use time::OffsetDateTime;

use super::combined::write_counts;
use super::context::Context;
use super::exit::Exit;
use super::outputs::show_written;
use crate::atomic_file;
use crate::error_log::ErrorType;
use crate::options::{AccountOptions, Format};
use crate::output::run_file::{AccountRecord, Position, RunFile};
use crate::output::{AccountsReport, accounts_table};

/// The records of a run.
pub(super) struct AccountsResults {
    pub(super) run_file: RunFile,
    /// In the order of the account IDs.
    pub(super) positions: Vec<Position>,
    pub(super) scope: String,
    pub(super) is_list_complete: bool,
    /// True if an account was counted and the combined files were written.
    pub(super) has_counts: bool,
}

impl AccountsResults {
    fn record(&self, number: usize) -> io::Result<AccountRecord> {
        self.run_file.read(self.positions[number])
    }
}

/// Prints the result to stdout and writes the JSON report, as the options request; `results` is `None` if the checks failed.
/// Returns `exit`, or [`Exit::Failed`] if one of them was not written.
pub(super) fn publish(
    context: &mut Context,
    accounts: &AccountOptions,
    start: OffsetDateTime,
    results: Option<&AccountsResults>,
    exit: Exit,
) -> Exit {
    // As after an invalid command line, there is no output.
    if exit == Exit::Usage {
        return exit;
    }
    let exit = print_result(context, accounts, start, results, exit);
    let Some(path) = context.options.report.clone() else {
        return exit;
    };
    let fill = |to: &mut dyn Write| write_report(context, accounts, start, results, exit, to);
    let written = atomic_file::write(&path, fill, &context.runtime.interrupt);
    if show_written(context, "Report", &(path, written)) {
        exit
    } else {
        Exit::Failed
    }
}

/// Prints the result in the format of the options. Counts are printed only if there are any.
fn print_result(
    context: &mut Context,
    accounts: &AccountOptions,
    start: OffsetDateTime,
    results: Option<&AccountsResults>,
    exit: Exit,
) -> Exit {
    let counted = results.filter(|results| results.has_counts);
    let mut result = Vec::new();
    let formatted = match (context.options.format, counted) {
        (None, _) | (Some(Format::Csv | Format::Table), None) => return exit,
        (Some(Format::Csv), Some(counted)) => {
            write_counts(&counted.run_file, &counted.positions, &mut result)
        }
        (Some(Format::Table), Some(counted)) => {
            let records = (0..counted.positions.len()).map(|number| counted.record(number));
            accounts_table(&counted.scope, records).map(|table| result.extend(table.into_bytes()))
        }
        (Some(Format::Json), _) => {
            write_report(context, accounts, start, results, exit, &mut result)
        }
    };
    match formatted.and_then(|()| context.console.write_result(&result)) {
        Ok(()) => exit,
        Err(e) => {
            let message = format!("the result could not be written to stdout: {e}");
            context.log(ErrorType::Fatal, None, message);
            Exit::Failed
        }
    }
}

fn write_report(
    context: &Context,
    accounts: &AccountOptions,
    start: OffsetDateTime,
    results: Option<&AccountsResults>,
    exit: Exit,
    to: &mut dyn Write,
) -> io::Result<()> {
    let report = AccountsReport {
        options: context.options,
        accounts,
        start,
        end: context.runtime.clock.now(),
        exit_code: exit.code(),
        scope: results.map(|results| results.scope.as_str()),
        is_list_complete: results.is_some_and(|results| results.is_list_complete),
        len: results.map_or(0, |results| results.positions.len()),
        record: |number| match results {
            Some(results) => results.record(number),
            None => Err(io::ErrorKind::NotFound.into()),
        },
        errors: &context.errors.entries,
    };
    report.write(to)
}
