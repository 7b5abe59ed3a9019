//! The combined files of a run of many accounts, made from the run file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::context::Context;
use crate::atomic_file::{self, Prepared};
use crate::output::combined::{ACCOUNTS_HEADER, account_row, count_rows, coverage_rows};
use crate::output::rows::{CountRow, CoverageRow};
use crate::output::run_file::{AccountRecord, Position, RunFile};
use crate::output::{write_csv_header, write_csv_rows};

/// Returns the name of a combined file: `aws_config_combined_{kind}_{scope}.{extension}`.
pub(super) fn name(kind: &str, scope: &str, extension: &str) -> String {
    format!("aws_config_combined_{kind}_{scope}.{extension}")
}

/// The combined files, and the records that they are made from, in the order of the accounts.
pub(super) struct Combined<'a> {
    pub(super) run_file: &'a RunFile,
    pub(super) positions: Vec<Position>,
    pub(super) scope: &'a str,
}

/// A combined file whose content is complete, but not yet at its path.
struct NewFile {
    kind: &'static str,
    path: PathBuf,
    prepared: io::Result<Prepared>,
}

impl Combined<'_> {
    /// Writes all combined files: first the contents, then they replace the earlier files, so that all are of the same run.
    /// Returns true if each was written; a failure is shown.
    pub(super) fn write(&self, context: &mut Context) -> bool {
        let (errors, has_errors) = self.prepare_errors(context);
        let mut files = vec![errors];
        files.push(
            self.prepare(context, "accounts", ACCOUNTS_HEADER, |record, to| {
                write_csv_rows(std::iter::once(account_row(record)), to)
            }),
        );
        if context.options.coverage {
            let header = CoverageRow::HEADER;
            files.push(self.prepare(context, "coverage", header, |record, to| {
                write_csv_rows(coverage_rows(record), to)
            }));
        }
        // The counts come last: they are there only if the other files are of the same run.
        files.push(
            self.prepare(context, "count", CountRow::HEADER, |record, to| {
                write_csv_rows(count_rows(record), to)
            }),
        );
        if files.iter().any(|file| file.prepared.is_err()) {
            for file in files {
                let failed = file.prepared.map(drop);
                if failed.is_err() {
                    show(context, file.kind, &file.path, &failed);
                }
            }
            return false;
        }
        files.into_iter().all(|file| {
            let is_empty = file.kind == "errors" && !has_errors;
            place(context, file, is_empty)
        })
    }

    /// Writes only the log lines. Returns true if they were written; a failure is shown.
    pub(super) fn write_errors(&self, context: &mut Context) -> bool {
        let (errors, has_errors) = self.prepare_errors(context);
        place(context, errors, !has_errors)
    }

    fn prepare(
        &self,
        context: &Context,
        kind: &'static str,
        header: &str,
        write_record: impl Fn(&AccountRecord, &mut dyn Write) -> io::Result<()>,
    ) -> NewFile {
        let path = context.path(&name(kind, self.scope, "csv"));
        let fill = |to: &mut dyn Write| {
            write_csv_header(header, to)?;
            for position in &self.positions {
                write_record(&self.run_file.read(*position)?, to)?;
            }
            Ok(())
        };
        let prepared = atomic_file::prepare(&path, fill, &context.runtime.interrupt);
        NewFile {
            kind,
            path,
            prepared,
        }
    }

    /// Prepares the log lines of all accounts. Returns false too if there are none.
    fn prepare_errors(&self, context: &Context) -> (NewFile, bool) {
        let path = context.path(&name("errors", self.scope, "txt"));
        let mut has_errors = false;
        let fill = |to: &mut dyn Write| {
            for position in &self.positions {
                for error in self.run_file.read(*position)?.errors {
                    has_errors = true;
                    writeln!(to, "{}", error.line)?;
                }
            }
            Ok(())
        };
        let prepared = atomic_file::prepare(&path, fill, &context.runtime.interrupt);
        let kind = "errors";
        (
            NewFile {
                kind,
                path,
                prepared,
            },
            has_errors,
        )
    }
}

/// Replaces the earlier file; an empty one is removed. Returns true if there was no failure.
fn place(context: &mut Context, file: NewFile, is_empty: bool) -> bool {
    let interrupt = &context.runtime.interrupt;
    let placed = file
        .prepared
        .and_then(|prepared| prepared.place(interrupt, |_| {}));
    if is_empty && placed.is_ok() {
        // Not a link or a device.
        if file
            .path
            .symlink_metadata()
            .is_ok_and(|found| found.is_file())
        {
            let _ = std::fs::remove_file(&file.path);
        }
        return true;
    }
    show(context, file.kind, &file.path, &placed)
}

/// Writes the counts of all accounts.
pub(super) fn write_counts(
    run_file: &RunFile,
    positions: &[Position],
    to: &mut dyn Write,
) -> io::Result<()> {
    write_csv_header(CountRow::HEADER, to)?;
    for position in positions {
        write_csv_rows(count_rows(&run_file.read(*position)?), to)?;
    }
    Ok(())
}

fn show(context: &mut Context, kind: &str, path: &Path, written: &io::Result<()>) -> bool {
    let path = path.display();
    match written {
        Err(_) if context.is_interrupted() => {}
        Ok(()) => {
            let what = match kind {
                "count" => "Results",
                "accounts" => "Accounts",
                "coverage" => "Coverage",
                _ => "Errors",
            };
            context
                .console
                .line(format_args!("{what} written to {path}"));
        }
        Err(e) => context.console.error(format_args!(
            "error: {path} could not be written: {e}; an existing file was not changed"
        )),
    }
    written.is_ok()
}
