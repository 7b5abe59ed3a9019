//! The shared state of the steps of a run: options, runtime, console and error log.

use std::path::{Path, PathBuf};

use super::error_reporter::ErrorReporter;
use crate::atomic_file;
use crate::console::Console;
use crate::error_log::{Entry, ErrorType};
use crate::model::Region;
use crate::options::Options;
use crate::runtime::Runtime;

/// The context of a run.
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    pub(super) runtime: &'a Runtime,
    pub(super) console: &'a mut Console,
    pub(super) errors: ErrorReporter,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        options: &'a Options,
        runtime: &'a Runtime,
        console: &'a mut Console,
    ) -> Self {
        Self {
            options,
            runtime,
            console,
            errors: ErrorReporter::default(),
        }
    }

    /// Returns true if a signal has ended the run.
    pub(super) fn is_interrupted(&self) -> bool {
        self.runtime.interrupt.signal().is_some()
    }

    /// Returns the path of a file in the output directory; only the name if that is the current
    /// directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        match &self.options.output_dir {
            directory if directory == Path::new(".") => PathBuf::from(name),
            directory => directory.join(name),
        }
    }

    /// Logs an error.
    pub(super) fn log(&mut self, error_type: ErrorType, region: Option<&Region>, message: String) {
        let entry = self.entry(error_type, region, message);
        self.report(entry, true);
    }

    /// Writes a log entry to the error file, and to the console if `on_screen`.
    pub(super) fn report(&mut self, entry: Entry, on_screen: bool) {
        self.errors.log(entry, self.console, on_screen);
    }

    /// Creates a log entry.
    pub(super) fn entry(
        &self,
        error_type: ErrorType,
        region: Option<&Region>,
        message: String,
    ) -> Entry {
        Entry {
            at: self.runtime.clock.now(),
            error_type,
            region: region.cloned(),
            resource_type: None,
            message,
        }
    }

    /// Returns the name of the error file for the summary; `above` if it does not have every entry.
    pub(super) fn error_file_name(&self) -> String {
        let file = self.errors.complete_file();
        file.map_or("above".to_owned(), |path| path.display().to_string())
    }

    /// Shows the name of the error file, if there is one.
    pub(super) fn show_error_file(&mut self) {
        self.errors.flush_pending();
        if !self.errors.entries.is_empty() && self.errors.complete_file().is_some() {
            let name = self.error_file_name();
            self.console.line(format_args!("Errors logged to {name}"));
        }
    }

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
}

/// Removes control characters from network text and limits its length to 1000 characters.
pub(super) fn sanitize(text: &str) -> String {
    crate::text::sanitize(text, 1000)
}
