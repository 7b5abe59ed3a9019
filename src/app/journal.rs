//! The incidents of a run: on the screen, in the error file, and kept for the report.

use std::path::{Path, PathBuf};

use crate::console::Console;
use crate::error_log::{Entry, ErrorFile};

/// Every incident so far, and the file that they go to.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) entries: Vec<Entry>,
    file: Option<ErrorFile>,
}

impl Journal {
    /// From here on entries go to the file at `path`; one of an earlier run is deleted.
    pub(super) fn open(&mut self, path: PathBuf, console: &mut Console) {
        let name = path.display().to_string();
        match ErrorFile::new(path) {
            Ok(file) => self.file = Some(file),
            Err(e) => console.error(format_args!(
                "the error file of an earlier run, {name}, cannot be deleted: {e}; errors are told \
                 here alone"
            )),
        }
    }

    /// Both destinations, whatever becomes of the other one.
    pub(super) fn log(&mut self, entry: Entry, console: &mut Console, on_screen: bool) {
        if on_screen {
            console.error(&entry);
        }
        if let Some(file) = &mut self.file {
            let first = file.is_whole();
            if let Err(e) = file.append(&entry)
                && first
            {
                let name = file.path().display().to_string();
                console.error(format_args!("the error file {name} cannot be written: {e}"));
            }
        }
        self.entries.push(entry);
    }

    /// Writes what could not be written before.
    pub(super) fn catch_up(&mut self) {
        if let Some(file) = &mut self.file {
            // It was told when it happened; whether the file is whole now is asked next.
            let _ = file.catch_up();
        }
    }

    /// The file that holds every entry, if there is one.
    pub(super) fn whole_file(&self) -> Option<&Path> {
        let file = self.file.as_ref().filter(|file| file.is_whole());
        file.map(ErrorFile::path)
    }
}
