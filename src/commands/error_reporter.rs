//! Reports the errors of a run: on the console, in the error file, and in the JSON report.

use std::io;
use std::path::{Path, PathBuf};

use crate::console::Console;
use crate::error_file::ErrorFile;
use crate::error_log::Entry;
use crate::interrupt::{Interrupt, TempFiles};

/// All errors so far, and the error file.
#[derive(Default)]
pub(super) struct ErrorReporter {
    pub(super) entries: Vec<Entry>,
    /// If true, no entry is shown on the console.
    pub(super) is_silent: bool,
    file: Option<ErrorFile>,
    /// The failure of a file that could not be placed, until it is shown.
    failure: Option<(PathBuf, io::Error)>,
}

impl ErrorReporter {
    /// Starts to write entries to the file at `path`, and adds the entries so far.
    pub(super) fn open(&mut self, path: PathBuf, interrupt: &Interrupt, console: &mut Console) {
        match ErrorFile::new(path.clone(), interrupt) {
            Ok(file) => self.file = Some(file),
            Err(e) => {
                self.failure = Some((path, e));
                self.show_failure(console);
            }
        }
        for entry in std::mem::take(&mut self.entries) {
            self.log(entry, console, false);
        }
    }

    /// Writes the entry to the file, and to the console if `on_screen`. A failure of one does not
    /// affect the other.
    pub(super) fn log(&mut self, entry: Entry, console: &mut Console, on_screen: bool) {
        if on_screen && !self.is_silent {
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

    /// Writes the entries to a device or FIFO at the path of the file.
    pub(super) fn write_stream(&mut self, console: &mut Console) {
        let written = self.file.as_mut().map(ErrorFile::write_stream);
        self.keep_failure(written);
        self.show_failure(console);
    }

    /// Replaces the error file of an earlier run, with the lock of the interrupt. [`Self::show_failure`] shows a failure,
    /// when the lock is released.
    pub(super) fn place(&mut self, temp_files: &mut TempFiles<'_>) {
        let placed = self.file.as_mut().map(|file| file.place(temp_files));
        self.keep_failure(placed);
    }

    /// Writes all entries to the error file and replaces the one of an earlier run, unless a signal has ended the run.
    pub(super) fn publish(&mut self, console: &mut Console) {
        let published = self.file.as_mut().map(ErrorFile::publish);
        self.keep_failure(published);
        self.show_failure(console);
    }

    fn keep_failure(&mut self, result: Option<io::Result<()>>) {
        // An earlier failure of the same entries was reported.
        let is_known = self.file.as_ref().is_some_and(|file| !file.is_complete());
        if let Some(Err(e)) = result
            && !is_known
            && let Some(file) = self.file.take()
        {
            self.failure = Some((file.path().to_owned(), e));
        }
    }

    /// Shows the failure of a file that could not be placed.
    pub(super) fn show_failure(&mut self, console: &mut Console) {
        if let Some((path, e)) = self.failure.take() {
            let name = path.display();
            console.error(format_args!(
                "cannot write the error file {name}: {e}; errors are shown only here"
            ));
        }
    }

    /// Returns the path of the error file, if it has every entry.
    pub(super) fn complete_file(&self) -> Option<&Path> {
        let file = self.file.as_ref().filter(|file| file.is_complete());
        file.map(ErrorFile::path)
    }
}
