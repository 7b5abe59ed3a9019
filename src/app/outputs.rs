//! Writes the output files of a run, except the error log: the tables and the JSON report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{App, Exit};
use crate::atomic_file;
use crate::error_log::ErrorType;
use crate::inventory::Method;
use crate::model::Account;
use crate::output::rows::{CountRow, CoverageRow, DifferenceRow};
use crate::output::{Report, write_csv};

/// The path of a file, and the result of writing it.
type Written = (PathBuf, io::Result<()>);

impl App<'_> {
    /// Returns true if `directory`, given with `option`, is writable; otherwise logs the error.
    pub(super) fn can_write(&mut self, directory: &Path, option: &str) -> bool {
        let checked = atomic_file::check_writable(directory, &self.runtime.interrupt);
        if let Err(e) = &checked {
            let directory = directory.display();
            let message = format!(
                "cannot write to {directory}: {e}; create it or choose another with {option}"
            );
            self.log(ErrorType::Fatal, None, message);
        }
        checked.is_ok()
    }

    /// Writes the counts, and the other tables that the options request. Returns true if all were
    /// written.
    pub(super) fn write_tables(&mut self) -> bool {
        let Some(account) = self.account.clone() else {
            return false;
        };
        let rows = CountRow::rows(&account, self.coverage.counts());
        let results = self.write_table(&account, "", CountRow::HEADER, rows);
        let mut written = self.show_written("Results", &results);
        if self.options.coverage {
            let rows = CoverageRow::rows(&account, &self.coverage);
            let coverage = self.write_table(&account, "_coverage", CoverageRow::HEADER, rows);
            written &= self.show_written("Coverage", &coverage);
        }
        if self.options.method == Method::Verify {
            let comparison = self.coverage.compare();
            let rows = DifferenceRow::rows(&account, &comparison.differences);
            let differences = self.write_table(&account, "_verify", DifferenceRow::HEADER, rows);
            written &= self.show_written("Differences", &differences);
        }
        written
    }

    fn write_table<R: Serialize>(
        &self,
        account: &Account,
        kind: &str,
        header: &str,
        rows: impl Iterator<Item = R>,
    ) -> Written {
        let name = account.file_name(&format!("{kind}.csv"));
        let fill = |to: &mut dyn Write| write_csv(header, rows, to);
        let written = atomic_file::write(
            &self.options.output_dir,
            &name,
            fill,
            &self.runtime.interrupt,
        );
        (self.path(&name), written)
    }

    /// Writes the JSON report, if one was requested. Returns `exit`, or [`Exit::Failed`] if the
    /// report was not written.
    pub(super) fn write_report(&mut self, exit: Exit) -> Exit {
        let Some(path) = self.report.clone() else {
            return exit;
        };
        let report = Report {
            options: self.options,
            start: self.start,
            end: self.runtime.clock.now(),
            exit_code: exit.code(),
            account: self.account.as_ref(),
            coverage: &self.coverage,
            usage: &self.usage,
            errors: &self.error_reporter.entries,
        };
        let written = match path.file_name() {
            Some(name) => atomic_file::write(
                parent_directory(&path),
                name,
                |to| to.write_all(&report.render()),
                &self.runtime.interrupt,
            ),
            None => Err(io::Error::other("not a file name")),
        };
        if self.show_written("Report", &(path, written)) {
            exit
        } else {
            Exit::Failed
        }
    }

    /// Shows the path of a written file, or logs the error. Returns true if the file was written.
    fn show_written(&mut self, what: &str, (path, written): &Written) -> bool {
        let path = path.display();
        match written {
            Ok(()) => self.console.line(format_args!("{what} written to {path}")),
            Err(e) => {
                let what = what.to_lowercase();
                let message = format!(
                    "the {what} could not be written to {path}: {e}; an existing file was not \
                     changed"
                );
                self.log(ErrorType::Fatal, None, message);
            }
        }
        written.is_ok()
    }
}

/// Returns the directory of a file; `.` for a file name without a directory.
pub(super) fn parent_directory(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}
