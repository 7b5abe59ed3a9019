//! The result of a run of many accounts on stdout, and its JSON report.

use std::io::Write;

use time::OffsetDateTime;

use super::combined::write_counts;
use super::context::Context;
use super::exit::Exit;
use super::outputs;
use crate::options::{AccountOptions, Format};
use crate::output::{AccountsReport, AccountsResults, accounts_table};

/// Prints the result to stdout and writes the JSON report, as the options request; `results` is `None` if the checks failed.
/// Returns `exit`, or [`Exit::Failed`] if one of them was not written.
pub(super) fn publish(
    context: &mut Context,
    accounts: &AccountOptions,
    start: OffsetDateTime,
    results: Option<&AccountsResults>,
    exit: Exit,
) -> Exit {
    let counted = results.filter(|results| results.has_counts);
    let write = |context: &Context, format, exit: Exit, to: &mut dyn Write| match (format, counted)
    {
        (Format::Csv, Some(counted)) => write_counts(&counted.records, to),
        (Format::Table, Some(counted)) => {
            let table = accounts_table(&counted.scope, counted.records.iter())?;
            to.write_all(table.as_bytes())
        }
        (Format::Json, _) | (_, None) => {
            let report = AccountsReport {
                options: context.options,
                accounts,
                start,
                end: context.runtime.clock.now(),
                exit_code: exit.code(),
                results,
                errors: &context.errors.entries,
            };
            report.write(to)
        }
    };
    outputs::publish(context, exit, counted.is_some(), &write)
}
