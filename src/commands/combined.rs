//! The combined files of a run of many accounts, made from the run file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::context::Context;
use crate::atomic_file::Prepared;
use crate::output::combined::{ACCOUNTS_HEADER, account_row};
use crate::output::rows::{CountRow, CoverageRow};
use crate::output::run_file::{AccountRecord, Records};
use crate::output::{write_csv_header, write_csv_rows};

/// Returns the name of a combined file: `aws_config_combined_{kind}_{scope}.{extension}`.
pub(super) fn name(kind: &str, scope: &str, extension: &str) -> String {
    format!("aws_config_combined_{kind}_{scope}.{extension}")
}

/// A combined file that is not yet at its path.
struct NewFile {
    what: &'static str,
    path: PathBuf,
    prepared: io::Result<Prepared>,
    write_rows: WriteRowsFn,
}

/// Writes the rows of an account.
type WriteRowsFn = fn(&AccountRecord, &mut dyn Write) -> io::Result<()>;

/// Writes all combined files: first the contents, then they replace the earlier files, so that all are of the same run.
/// Returns true if each was written; a failure is shown.
pub(super) fn write(context: &mut Context, records: &Records, scope: &str) -> bool {
    let csv = |what, kind, header, write_rows| {
        let mut file = NewFile::new(context, what, &name(kind, scope, "csv"), write_rows);
        file.write(|to| write_csv_header(header, to));
        file
    };
    let mut files = vec![new_errors(context, scope)];
    files.push(csv(
        "Accounts",
        "accounts",
        ACCOUNTS_HEADER,
        |record, to| write_csv_rows(std::iter::once(account_row(record)), to),
    ));
    if context.options.coverage {
        let header = CoverageRow::HEADER;
        files.push(csv("Coverage", "coverage", header, |record, to| {
            write_csv_rows(CoverageRow::of_record(record), to)
        }));
    }
    // The counts come last: they are there only if the other files are of the same run.
    files.push(csv("Results", "count", CountRow::HEADER, write_count_rows));
    let has_errors = fill(&mut files, records);
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
    let mut files = [new_errors(context, scope)];
    let has_errors = fill(&mut files, records);
    files
        .into_iter()
        .all(|file| place(context, file, !has_errors))
}

/// Creates the file of the log lines of all accounts.
fn new_errors(context: &Context, scope: &str) -> NewFile {
    let name = name("errors", scope, "txt");
    NewFile::new(context, "Errors", &name, |record, to| {
        let mut errors = record.errors.iter();
        errors.try_for_each(|error| writeln!(to, "{}", error.line))
    })
}

/// Adds the rows of all accounts, each of which is read once for all files. Returns true if there are log lines.
fn fill(files: &mut [NewFile], records: &Records) -> bool {
    let mut has_errors = false;
    for record in records.iter() {
        for file in &mut *files {
            let write_rows = file.write_rows;
            file.write(|to| match &record {
                Ok(record) => write_rows(record, to),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            });
        }
        has_errors |= record.is_ok_and(|record| !record.errors.is_empty());
    }
    for file in files {
        file.add(Prepared::sync);
    }
    has_errors
}

impl NewFile {
    fn new(context: &Context, what: &'static str, name: &str, write_rows: WriteRowsFn) -> Self {
        let path = context.path(name);
        Self {
            what,
            prepared: Prepared::new(&path, &context.runtime.interrupt),
            path,
            write_rows,
        }
    }

    /// Adds what `write` writes, unless the file has failed.
    fn write(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        self.add(|prepared| write(prepared.writer()?));
    }

    fn add(&mut self, step: impl FnOnce(&mut Prepared) -> io::Result<()>) {
        let Ok(prepared) = &mut self.prepared else {
            return;
        };
        if let Err(error) = step(prepared) {
            self.prepared = Err(error);
        }
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
    write_csv_header(CountRow::HEADER, to)?;
    let mut records = records.iter();
    records.try_for_each(|record| write_count_rows(&record?, to))
}

fn write_count_rows(record: &AccountRecord, to: &mut dyn Write) -> io::Result<()> {
    write_csv_rows(CountRow::of_record(record), to)
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
