//! The combined files of a run of many accounts, made from the run file.

use std::io::{self, Write};
use std::path::Path;

use super::context::Context;
use crate::atomic_file;
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
    /// Entries that are about no account.
    pub(super) errors: Vec<String>,
}

impl Combined<'_> {
    /// Writes all combined files. Returns true if each was written; a failure is shown.
    pub(super) fn write(&self, context: &mut Context) -> bool {
        let mut written = self.write_errors(context);
        written &= self.write_file(context, "accounts", ACCOUNTS_HEADER, |record, to| {
            write_csv_rows(std::iter::once(account_row(record)), to)
        });
        if context.options.coverage {
            written &= self.write_file(context, "coverage", CoverageRow::HEADER, |record, to| {
                write_csv_rows(coverage_rows(record), to)
            });
        }
        // The counts come last: they are there only if the other files are of the same run.
        written && {
            let path = context.path(&name("count", self.scope, "csv"));
            let fill = |to: &mut dyn Write| write_counts(self.run_file, &self.positions, to);
            let written = atomic_file::write(&path, fill, &context.runtime.interrupt);
            show(context, "count", &path, &written)
        }
    }

    fn write_file(
        &self,
        context: &mut Context,
        kind: &str,
        header: &str,
        write_record: impl Fn(&AccountRecord, &mut dyn Write) -> io::Result<()>,
    ) -> bool {
        let path = context.path(&name(kind, self.scope, "csv"));
        let fill = |to: &mut dyn Write| {
            write_csv_header(header, to)?;
            for position in &self.positions {
                write_record(&self.run_file.read(*position)?, to)?;
            }
            Ok(())
        };
        let written = atomic_file::write(&path, fill, &context.runtime.interrupt);
        show(context, kind, &path, &written)
    }

    /// Writes the log lines of all accounts; removes an earlier file if there are none.
    fn write_errors(&self, context: &mut Context) -> bool {
        let path = context.path(&name("errors", self.scope, "txt"));
        let mut lines = 0;
        let fill = |to: &mut dyn Write| {
            for line in &self.errors {
                lines += 1;
                writeln!(to, "{line}")?;
            }
            for position in &self.positions {
                for error in self.run_file.read(*position)?.errors {
                    lines += 1;
                    writeln!(to, "{}", error.line)?;
                }
            }
            Ok(())
        };
        let written = atomic_file::write(&path, fill, &context.runtime.interrupt);
        if lines == 0 && written.is_ok() {
            let _ = std::fs::remove_file(&path);
            return true;
        }
        show(context, "errors", &path, &written)
    }
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
