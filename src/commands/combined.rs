//! The combined files of a run of many accounts, made from the run file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::context::Context;
use crate::atomic_file::{self, Prepared};
use crate::output::combined::{ACCOUNTS_HEADER, account_row};
use crate::output::rows::{CountRow, CoverageRow};
use crate::output::run_file::{AccountRecord, Records};
use crate::output::{write_csv_header, write_csv_rows};

/// Returns the name of a combined file: `aws_config_combined_{kind}_{scope}.{extension}`.
pub(super) fn name(kind: &str, scope: &str, extension: &str) -> String {
    format!("aws_config_combined_{kind}_{scope}.{extension}")
}

/// A combined file whose content is complete, but not yet at its path.
struct NewFile {
    what: &'static str,
    path: PathBuf,
    prepared: io::Result<Prepared>,
}

/// Writes all combined files: first the contents, then they replace the earlier files, so that all are of the same run.
/// Returns true if each was written; a failure is shown.
pub(super) fn write(context: &mut Context, records: &Records, scope: &str) -> bool {
    let csv = |kind| name(kind, scope, "csv");
    let (errors, has_errors) = prepare_errors(context, records, scope);
    let mut files = vec![errors];
    files.push(prepare(context, "Accounts", &csv("accounts"), |to| {
        write_table(records, ACCOUNTS_HEADER, to, |record, to| {
            write_csv_rows(std::iter::once(account_row(record)), to)
        })
    }));
    if context.options.coverage {
        files.push(prepare(context, "Coverage", &csv("coverage"), |to| {
            write_table(records, CoverageRow::HEADER, to, |record, to| {
                write_csv_rows(CoverageRow::of_record(record), to)
            })
        }));
    }
    // The counts come last: they are there only if the other files are of the same run.
    files.push(prepare(context, "Results", &csv("count"), |to| {
        write_counts(records, to)
    }));
    if files.iter().any(|file| file.prepared.is_err()) {
        for file in files {
            let failed = file.prepared.map(drop);
            if failed.is_err() {
                show(context, file.what, &file.path, &failed);
            }
        }
        return false;
    }
    files.into_iter().all(|file| {
        let is_empty = file.what == "Errors" && !has_errors;
        place(context, file, is_empty)
    })
}

/// Writes only the log lines. Returns true if they were written; a failure is shown.
pub(super) fn write_errors(context: &mut Context, records: &Records, scope: &str) -> bool {
    let (errors, has_errors) = prepare_errors(context, records, scope);
    place(context, errors, !has_errors)
}

/// Prepares the log lines of all accounts. Returns false too if there are none.
fn prepare_errors(context: &Context, records: &Records, scope: &str) -> (NewFile, bool) {
    let mut has_errors = false;
    let errors = prepare(context, "Errors", &name("errors", scope, "txt"), |to| {
        for record in records.iter() {
            for error in record?.errors {
                has_errors = true;
                writeln!(to, "{}", error.line)?;
            }
        }
        Ok(())
    });
    (errors, has_errors)
}

fn prepare(
    context: &Context,
    what: &'static str,
    name: &str,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> NewFile {
    let path = context.path(name);
    let prepared = atomic_file::prepare(&path, fill, &context.runtime.interrupt);
    NewFile {
        what,
        path,
        prepared,
    }
}

/// Replaces the earlier file; an empty one is removed. Returns true if there was no failure.
fn place(context: &mut Context, file: NewFile, is_empty: bool) -> bool {
    let prepared = file.prepared;
    let placed = prepared.and_then(|new| new.place(&context.runtime.interrupt, |_| {}));
    if is_empty && placed.is_ok() {
        // Not a link or a device.
        let found = file.path.symlink_metadata();
        if found.is_ok_and(|found| found.is_file()) {
            let _ = std::fs::remove_file(&file.path);
        }
        return true;
    }
    show(context, file.what, &file.path, &placed)
}

/// Writes the counts of all accounts.
pub(super) fn write_counts(records: &Records, to: &mut dyn Write) -> io::Result<()> {
    write_table(records, CountRow::HEADER, to, |record, to| {
        write_csv_rows(CountRow::of_record(record), to)
    })
}

fn write_table(
    records: &Records,
    header: &str,
    to: &mut dyn Write,
    write_rows: impl Fn(&AccountRecord, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write_csv_header(header, to)?;
    for record in records.iter() {
        write_rows(&record?, to)?;
    }
    Ok(())
}

fn show(context: &mut Context, what: &str, path: &Path, written: &io::Result<()>) -> bool {
    let path = path.display();
    match written {
        Err(_) if context.is_interrupted() => {}
        Ok(()) => context
            .console
            .line(format_args!("{what} written to {path}")),
        Err(e) => context.console.error(format_args!(
            "error: {path} could not be written: {e}; an existing file was not changed"
        )),
    }
    written.is_ok()
}
