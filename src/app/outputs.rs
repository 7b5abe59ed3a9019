//! What a run leaves beside the error log: the tables and the report.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Exit, Run};
use crate::count::Method;
use crate::error_log::ErrorType;
use crate::export::{Format, Table, atomic};
use crate::model::Account;
use crate::report::Report;

/// A file, and whether it was written.
type Written = (PathBuf, io::Result<()>);

impl Run<'_> {
    /// Whether `folder`, which `option` named, can be written to; where it cannot, that is told.
    pub(super) fn can_write(&mut self, folder: &Path, option: &str) -> bool {
        let checked = atomic::check_writable(folder, &self.world.interrupt);
        if let Err(e) = &checked {
            let folder = folder.display();
            let message = format!(
                "cannot write to the folder {folder}: {e}; make it, or name another with {option}"
            );
            self.tell(ErrorType::Fatal, None, message);
        }
        checked.is_ok()
    }

    /// The counts, and what was asked for beside them; tells whether all of it was written.
    pub(super) fn write_tables(&mut self) -> bool {
        let Some(account) = self.account.clone() else {
            return false;
        };
        let table = Table::counts(&account, self.coverage.counts());
        let results = self.write_table(&account, "", table);
        let mut written = self.told_written("Results", &results);
        if self.config.coverage {
            let table = Table::coverage(&account, &self.coverage);
            let coverage = self.write_table(&account, "_coverage", table);
            written &= self.told_written("Coverage", &coverage);
        }
        if self.config.method == Method::Verify {
            let comparison = self.coverage.compare();
            let table = Table::differences(&account, &comparison.differences);
            let differences = self.write_table(&account, "_verify", table);
            written &= self.told_written("Differences", &differences);
        }
        written
    }

    fn write_table(&self, account: &Account, kind: &str, table: Table<'_>) -> Written {
        let format = Format::Csv;
        let name = account.file_name(&format!("{kind}{}", format.suffix()));
        let fill = |to: &mut dyn Write| format.write(table, to);
        let written = atomic::write(&self.config.output_dir, &name, fill, &self.world.interrupt);
        (self.path(&name), written)
    }

    /// The report, where one was asked for; a run whose report is lost has failed.
    pub(super) fn write_report(&mut self, exit: Exit) -> Exit {
        let Some(path) = self.report.clone() else {
            return exit;
        };
        let report = Report {
            config: self.config,
            start: self.start,
            end: self.world.clock.now(),
            exit_code: exit.code(),
            account: self.account.as_ref(),
            coverage: &self.coverage,
            usage: &self.usage,
            errors: &self.journal.entries,
        };
        let written = match path.file_name() {
            Some(name) => atomic::write(
                folder_of(&path),
                name,
                |to| to.write_all(&report.render()),
                &self.world.interrupt,
            ),
            None => Err(io::Error::other("this is no name of a file")),
        };
        if self.told_written("Report", &(path, written)) {
            exit
        } else {
            Exit::Failed
        }
    }

    fn told_written(&mut self, what: &str, (path, written): &Written) -> bool {
        let path = path.display();
        match written {
            Ok(()) => self.console.line(format_args!("{what} written to {path}")),
            Err(e) => {
                let what = what.to_lowercase();
                let message = format!(
                    "the {what} could not be written to {path}: {e}; what stood there before is \
                     untouched"
                );
                self.tell(ErrorType::Fatal, None, message);
            }
        }
        written.is_ok()
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
