//! Reports the errors of a run: on the console, in the error file, and in the JSON report.

use std::path::{Path, PathBuf};

use crate::console::Console;
use crate::error_log::{Entry, ErrorFile};

/// All errors so far, and the error file.
#[derive(Default)]
pub(super) struct ErrorReporter {
    pub(super) entries: Vec<Entry>,
    file: Option<ErrorFile>,
}

impl ErrorReporter {
    /// Starts to write entries to the file at `path`. Deletes the file of an earlier run.
    pub(super) fn open(&mut self, path: PathBuf, console: &mut Console) {
        let name = path.display().to_string();
        match ErrorFile::new(path) {
            Ok(file) => self.file = Some(file),
            Err(e) => console.error(format_args!(
                "cannot delete the error file of an earlier run, {name}: {e}; errors are shown \
                 only here"
            )),
        }
    }

    /// Writes the entry to the file, and to the console if `on_screen`. A failure of one does not
    /// affect the other.
    pub(super) fn log(&mut self, entry: Entry, console: &mut Console, on_screen: bool) {
        if on_screen {
            console.error(&entry);
        }
        if let Some(file) = &mut self.file {
            let first = file.is_complete();
            if let Err(e) = file.append(&entry)
                && first
            {
                let name = file.path().display().to_string();
                console.error(format_args!("cannot write the error file {name}: {e}"));
            }
        }
        self.entries.push(entry);
    }

    /// Writes the entries that could not be written before.
    pub(super) fn flush_pending(&mut self) {
        if let Some(file) = &mut self.file {
            // The first failure was reported; `complete_file` returns nothing if entries are still
            // missing.
            let _ = file.flush_pending();
        }
    }

    /// Returns the path of the error file, if it has every entry.
    pub(super) fn complete_file(&self) -> Option<&Path> {
        let file = self.file.as_ref().filter(|file| file.is_complete());
        file.map(ErrorFile::path)
    }
}
