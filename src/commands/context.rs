//! The shared state of the steps of a run: options, runtime, console and error log.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error_reporter::ErrorReporter;
use super::run_state::{RunState, WrittenFiles};
use crate::atomic_file::{self, Destination};
use crate::aws::client::Activity;
use crate::console::Console;
use crate::error_file::ErrorFile;
use crate::error_log::{Entry, ErrorType};
use crate::model::Account;
use crate::options::Options;
use crate::run_lock::{LockError, RunLock};
use crate::runtime::Runtime;

/// The context of a run.
pub(super) struct Context<'a> {
    pub(super) options: &'a Options,
    pub(super) runtime: &'a Runtime,
    pub(super) console: &'a mut Console,
    pub(super) errors: ErrorReporter,
    /// The calls in progress.
    pub(super) activity: Arc<Activity>,
    state: RunState,
    /// The lock of the output directory, once the account is known.
    pub(super) lock: Option<RunLock>,
    /// The files that the run writes: no two outputs are the same file.
    claimed: Vec<Destination>,
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
            activity: Arc::default(),
            state: RunState::default(),
            lock: None,
            claimed: Vec::new(),
        }
    }

    /// Returns true if a signal has ended the run.
    pub(super) fn is_interrupted(&self) -> bool {
        self.runtime.interrupt.signal().is_some()
    }

    /// Changes the state that an interrupt reports.
    pub(super) fn change_state(&mut self, change: impl FnOnce(&mut RunState)) {
        change(&mut self.state);
        // The files of one account are not the state of a run of many.
        if self.errors.is_silent {
            return;
        }
        self.runtime.interrupt.set_state(self.state.to_string());
    }

    /// Returns the path of a file in the output directory; only the name if that is the current
    /// directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        match &self.options.output_dir {
            directory if directory == Path::new(".") => PathBuf::from(name),
            directory => directory.join(name),
        }
    }

    /// Returns the names of the files in the output directory, sorted.
    pub(super) fn file_names(&self) -> Vec<String> {
        let files = fs::read_dir(&self.options.output_dir);
        let files = files.into_iter().flatten();
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    /// Logs an error.
    pub(super) fn log(&mut self, error_type: ErrorType, message: String) {
        let entry = self.entry(error_type, message);
        self.report(entry, true);
    }

    /// Writes a log entry to the error file, and to the console if `on_screen`.
    pub(super) fn report(&mut self, entry: Entry, on_screen: bool) {
        self.errors.log(entry, self.console, on_screen);
    }

    /// Creates a log entry.
    pub(super) fn entry(&self, error_type: ErrorType, message: String) -> Entry {
        Entry::new(self.runtime.clock.now(), error_type, message)
    }

    /// Returns the name of the error file for the summary; `above` if it does not have every entry.
    pub(super) fn error_file_name(&self) -> String {
        let file = self.errors.complete_file();
        file.map_or("above".to_owned(), |path| path.display().to_string())
    }

    /// Shows the name of the error file, if there is one.
    pub(super) fn show_error_file(&mut self) {
        self.errors.publish(self.console);
        if self.state.files == WrittenFiles::None && self.errors.complete_file().is_some() {
            self.change_state(|state| state.files = WrittenFiles::ErrorLog);
        }
        if !self.errors.entries.is_empty() && self.errors.complete_file().is_some() {
            let name = self.error_file_name();
            self.console.line(format_args!("Errors logged to {name}"));
        }
    }

    /// Locks the output directory for `account`, as [`Self::lock_for`].
    pub(super) fn lock(&mut self, account: &Account) -> bool {
        self.lock_for(account.id.as_str(), &format!("account {}", account.id))
    }

    /// Locks the output directory for `name`, which `what` describes. Returns false if another run has the lock; the error
    /// is logged. If the file system has no locks, the run continues with a warning.
    pub(super) fn lock_for(&mut self, name: &str, what: &str) -> bool {
        let directory = &self.options.output_dir;
        let shown = directory.display();
        match RunLock::new(directory, name, &self.runtime.interrupt) {
            Ok(lock) => self.lock = Some(lock),
            Err(LockError::Io(e)) => self.console.error(format_args!(
                "warning: {shown} cannot be locked: {e}; do not start a second run of {what} there"
            )),
            Err(held @ LockError::Held(_)) => {
                let message = format!(
                    "{shown}: {held} for {what}; wait for its end, or choose another directory with \
                     --output-dir"
                );
                self.log(ErrorType::Fatal, message);
                return false;
            }
        }
        true
    }

    /// Removes the error file `name` of an earlier run that failed before its account or scope was known.
    pub(super) fn remove_errors(&self, name: &str) {
        drop(ErrorFile::new(self.path(name), &self.runtime.interrupt));
    }

    /// Starts to write the error file `name` in the output directory.
    pub(super) fn open_errors(&mut self, name: &str) {
        let path = self.path(name);
        self.claimed.extend(Destination::new(&path));
        let interrupt = &self.runtime.interrupt;
        self.errors.open(path, interrupt, self.console);
    }

    /// Returns true if the file at `path` can be written, and is not another output of the run; otherwise logs the error.
    pub(super) fn can_write(&mut self, path: &Path) -> bool {
        let checked = atomic_file::check_path(path, &self.runtime.interrupt);
        let checked = checked.and_then(|destination| {
            let is_file = matches!(destination, Destination::File(_));
            if is_file && self.claimed.contains(&destination) {
                return Err(io::Error::other("is another output of this run"));
            }
            self.claimed.push(destination);
            Ok(())
        });
        if let Err(e) = &checked {
            let message = format!("cannot write to {}: {e}", path.display());
            self.log(ErrorType::Fatal, message);
        }
        checked.is_ok()
    }
}

/// Removes control characters from network text and limits its length to 1000 characters.
pub(super) fn sanitize(text: &str) -> String {
    crate::text::sanitize(text, 1000)
}
