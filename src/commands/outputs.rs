//! The output of a run, except the error log: the tables, the summary and the JSON report.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use time::OffsetDateTime;

use super::context::Context;
use super::exit::Exit;
use super::run_state::WrittenFiles;
use super::scan_regions::Scanned;
use super::verdict::Verdict;
use crate::atomic_file::{self, Destination};
use crate::aws::operation::Service;
use crate::aws::usage::Usage;
use crate::console::{self, SummaryInput};
use crate::coverage::Coverage;
use crate::error_log::ErrorType;
use crate::inventory::Method;
use crate::model::{Account, Region};
use crate::options::Format;
use crate::output::rows::{CountRow, CoverageRow, DifferenceRow};
use crate::output::{Report, table, write_csv};
use crate::text::pluralize;

/// The path of a file, and the result of writing it.
type Written = (PathBuf, io::Result<()>);

/// Writes the files and shows the summary.
pub(super) fn conclude(
    context: &mut Context,
    account: &Account,
    scanned: &Scanned,
    usage: Usage,
) -> Exit {
    let coverage = &scanned.coverage;
    let written = write_tables(context, account, coverage);
    if context.is_interrupted() {
        return Exit::Failed;
    }
    context.show_error_file();
    context.console.line("");
    let comparison = (context.options.method == Method::Verify).then(|| coverage.compare());
    if let Some(comparison) = &comparison {
        for line in console::comparison(comparison) {
            context.console.line(line);
        }
        context.console.line("");
    }
    let strict = context.options.strict;
    let verdict = Verdict::new(scanned, strict, comparison.as_ref(), written);
    let earlier = if written {
        earlier_tables(context, account)
    } else {
        Vec::new()
    };
    let lines = console::summary(&SummaryInput {
        coverage,
        options: context.options,
        refused: scanned.refused,
        errors: context.errors.entries.len(),
        error_file: &context.error_file_name(),
        elapsed: context.runtime.clock.elapsed(),
        usage,
        earlier: &earlier,
        has_earlier_csv: context.path(&account.file_name(".csv")).exists(),
        was_stopped: scanned.was_stopped,
        exit: verdict.reason.clone(),
        columns: (context.console.out_columns)(),
    });
    for line in lines {
        context.console.write_line(line);
    }
    // The summary is not shown.
    if context.console.quiet && verdict.exit == Exit::Partial {
        context.console.error(verdict.reason.unwrap_or_default());
    }
    verdict.exit
}

/// The names of the coverage file and of the file of differences.
const KINDS: [&str; 2] = ["coverage", "verify"];

/// Writes the counts, and the other tables that the options request. Returns true if all were
/// written.
pub(super) fn write_tables(context: &mut Context, account: &Account, coverage: &Coverage) -> bool {
    let mut written = write_counts(context, account, coverage);
    if context.options.coverage {
        let rows = CoverageRow::rows(account, coverage);
        let name = account.table_name(KINDS[0]);
        let file = write_table(context, &name, CoverageRow::HEADER, rows);
        written &= show_written(context, "Coverage", &file);
    }
    if context.options.method == Method::Verify {
        let comparison = coverage.compare();
        let rows = DifferenceRow::rows(account, &comparison.differences);
        let name = account.table_name(KINDS[1]);
        let file = write_table(context, &name, DifferenceRow::HEADER, rows);
        written &= show_written(context, "Differences", &file);
    }
    written
}

/// Replaces the error log and the CSV, one directly after the other, so that both are of the same run. Keeps the CSV if
/// nothing was counted: an old file has more than a file without a count.
fn write_counts(context: &mut Context, account: &Account, coverage: &Coverage) -> bool {
    if coverage.is_missing() {
        let missing = match coverage.size() {
            1 => "the only count is missing".to_owned(),
            counts => format!("all {} are missing", pluralize(counts, "count")),
        };
        let name = account.file_name(".csv");
        let kept = if context.path(&name).exists() {
            format!(", and the existing {name} was not changed")
        } else {
            String::new()
        };
        let message = format!("nothing was counted: {missing}; the results were not written{kept}");
        context.log(ErrorType::Fatal, message);
        return false;
    }
    let path = context.path(&account.file_name(".csv"));
    let interrupt = &context.runtime.interrupt;
    let fill = |to: &mut dyn Write| write_rows(account, coverage, to);
    let prepared = atomic_file::prepare(&path, fill, interrupt);
    context.errors.write_stream(context.console);
    let written = prepared.and_then(|prepared| {
        prepared.place(interrupt, |temp_files| {
            context.errors.place(temp_files);
            // With the lock of the interrupt, which reports the state.
            context.change_state(|state| state.files = WrittenFiles::Csv);
        })
    });
    if written.is_err() {
        context.change_state(|state| state.files = WrittenFiles::None);
    }
    context.errors.show_failure(context.console);
    show_written(context, "Results", &(path, written))
}

/// Writes the content of the CSV.
fn write_rows(account: &Account, coverage: &Coverage, to: &mut dyn Write) -> io::Result<()> {
    let rows = CountRow::rows(account, coverage.counts());
    write_csv(CountRow::HEADER, rows, to)
}

fn write_table<R: Serialize>(
    context: &Context,
    name: &str,
    header: &str,
    rows: impl Iterator<Item = R>,
) -> Written {
    let path = context.path(name);
    let fill = |to: &mut dyn Write| write_csv(header, rows, to);
    let written = atomic_file::write(&path, fill, &context.runtime.interrupt);
    (path, written)
}

/// Returns the paths of all tables of the run.
pub(super) fn table_paths(context: &Context, account: &Account) -> Vec<PathBuf> {
    let names =
        std::iter::once(account.file_name(".csv")).chain(requested_tables(context, account));
    names.map(|name| context.path(&name)).collect()
}

/// Returns the names of the tables that the options request besides the counts.
fn requested_tables(context: &Context, account: &Account) -> Vec<String> {
    let options = context.options;
    let is_requested = [options.coverage, options.method == Method::Verify];
    let kinds = KINDS.iter().zip(is_requested);
    let kinds = kinds.filter(|(_, is_requested)| *is_requested);
    kinds.map(|(kind, _)| account.table_name(kind)).collect()
}

/// Returns the paths of the coverage files and files of differences of an earlier run of this account in the
/// output directory, sorted: those that this run was not asked to write.
fn earlier_tables(context: &Context, account: &Account) -> Vec<String> {
    let new = requested_tables(context, account);
    let is_earlier = |name: &String| {
        let is_table = KINDS.iter().any(|kind| account.is_table_name(kind, name));
        is_table && !new.contains(name)
    };
    let names = context.file_names().into_iter().filter(is_earlier);
    let paths = names.map(|name| context.path(&name));
    paths.map(|path| path.display().to_string()).collect()
}

/// Writes the result in a format; the report has the exit code.
type WriteResultFn<'a> = dyn Fn(&Context, Format, Exit, &mut dyn Write) -> io::Result<()> + 'a;

/// Prints the result to stdout and writes the JSON report, as the options request. Without counts, only the report is
/// written. Returns `exit`, or [`Exit::Failed`] if one of them was not written.
pub(super) fn publish(
    context: &mut Context,
    mut exit: Exit,
    has_counts: bool,
    write: &WriteResultFn,
) -> Exit {
    // As after an invalid command line, there is no output.
    if exit == Exit::Usage {
        return exit;
    }
    let is_available = |format: &Format| has_counts || *format == Format::Json;
    if let Some(format) = context.options.format.filter(is_available) {
        let mut result = Vec::new();
        let formatted = write(context, format, exit, &mut result);
        if let Err(e) = formatted.and_then(|()| context.console.write_result(&result)) {
            let message = format!("the result could not be written to stdout: {e}");
            context.log(ErrorType::Fatal, message);
            exit = Exit::Failed;
        }
    }
    if let Some(path) = &context.options.report {
        let fill = |to: &mut dyn Write| write(context, Format::Json, exit, to);
        let written = atomic_file::write(path, fill, &context.runtime.interrupt);
        if !show_written(context, "Report", &(path.clone(), written)) {
            exit = Exit::Failed;
        }
    }
    exit
}

/// Publishes the result of a run of one account, which began at `start`.
pub(super) fn publish_account(
    context: &mut Context,
    start: OffsetDateTime,
    account: Option<&Account>,
    coverage: &Coverage,
    usage: &BTreeMap<(Service, Region), Usage>,
    exit: Exit,
) -> Exit {
    let has_counts = !coverage.regions.is_empty() && !coverage.is_missing();
    let write = |context: &Context, format, exit: Exit, to: &mut dyn Write| match (format, account)
    {
        (Format::Csv, Some(account)) => write_rows(account, coverage, to),
        (Format::Table, Some(account)) => {
            let columns = (context.console.out_columns)();
            to.write_all(table(account, coverage, columns).as_bytes())
        }
        (Format::Json, _) | (_, None) => {
            let report = Report {
                options: context.options,
                start,
                end: context.runtime.clock.now(),
                exit_code: exit.code(),
                account,
                coverage,
                usage,
                errors: &context.errors.entries,
            };
            to.write_all(&report.render())
        }
    };
    publish(context, exit, has_counts && account.is_some(), &write)
}

/// Shows the path of a written file, or logs the error. Returns true if the file was written.
pub(super) fn show_written(context: &mut Context, what: &str, (path, written): &Written) -> bool {
    let is_file = matches!(Destination::new(path), Ok(Destination::File(_)) | Err(_));
    let path = if Destination::is_stdout(path) {
        Path::new("stdout")
    } else {
        path
    };
    let path = path.display();
    match written {
        // A signal has ended the run.
        Err(_) if context.is_interrupted() => {}
        Ok(()) => context
            .console
            .line(format_args!("{what} written to {path}")),
        Err(e) => {
            let what = what.to_lowercase();
            let kept = if is_file {
                "; an existing file was not changed"
            } else {
                ""
            };
            let message = format!("the {what} could not be written to {path}: {e}{kept}");
            context.log(ErrorType::Fatal, message);
        }
    }
    written.is_ok()
}
