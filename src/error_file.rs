//! The error file of a run. Entries are appended to a temporary file beside the file of an earlier run, which it
//! replaces just before the CSV.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::atomic_file::{Destination, PendingFile};
use crate::error_log::Entry;
use crate::interrupt::{Interrupt, TempFiles};

/// The error file of a run. It is placed when the value is dropped, unless a signal has ended the run.
pub struct ErrorFile {
    path: PathBuf,
    destination: Destination,
    interrupt: Interrupt,
    sink: Sink,
    /// Reserves a file descriptor in case connections use all others.
    spare: Option<File>,
    /// The bytes that are not written yet; each new entry retries.
    unwritten: Vec<u8>,
}

/// The place of the entries.
enum Sink {
    /// There are none so far.
    Empty,
    /// A file that replaces the one of an earlier run.
    Temporary(PendingFile),
    /// The error file itself, when it is placed.
    Placed(Box<dyn Write + Send>),
}

impl ErrorFile {
    /// Prepares the error file at `path`. The file of an earlier run stays until [`Self::place`].
    ///
    /// # Errors
    /// There cannot be a file at `path`.
    pub fn new(path: PathBuf, interrupt: &Interrupt) -> io::Result<Self> {
        Ok(Self {
            destination: Destination::new(&path)?,
            path,
            interrupt: interrupt.clone(),
            sink: Sink::Empty,
            spare: File::open("/dev/null").ok(),
            unwritten: Vec::new(),
        })
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true if all entries so far are written, or wait for a device or FIFO to be opened.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unwritten.is_empty() || self.waits_for_stream()
    }

    /// Returns true if the path is a device or FIFO, which is opened only when the run is over.
    fn waits_for_stream(&self) -> bool {
        !matches!(self.destination, Destination::File(_)) && matches!(self.sink, Sink::Empty)
    }

    /// Appends an entry, after the entries that could not be written before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.unwritten.extend(format!("{entry}\n").into_bytes());
        self.flush_pending()
    }

    /// Writes the entries that could not be written before.
    ///
    /// # Errors
    /// The file still cannot be written.
    pub fn flush_pending(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() && !self.waits_for_stream() {
            match self.write() {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                // Prevents writing the first part of a line twice.
                Ok(written) => drop(self.unwritten.drain(..written)),
            }
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<usize> {
        if let (Sink::Empty, Destination::File(target)) = (&self.sink, &self.destination) {
            self.spare = None;
            self.sink = Sink::Temporary(PendingFile::new(target, &self.interrupt)?);
        }
        match &mut self.sink {
            Sink::Temporary(pending) => pending.file()?.write(&self.unwritten),
            Sink::Placed(file) => file.write(&self.unwritten),
            Sink::Empty => Ok(0),
        }
    }

    /// Writes the entries to a device or FIFO, which may wait for its reader; does nothing for a regular file.
    ///
    /// # Errors
    /// It cannot be opened or written.
    pub fn write_stream(&mut self) -> io::Result<()> {
        if self.waits_for_stream() && !self.unwritten.is_empty() {
            self.sink = Sink::Placed(self.destination.open()?);
        }
        self.flush_pending()
    }

    /// Replaces the file of an earlier run; removes it if there are no entries. Later entries are appended. `temp_files`
    /// is the lock of the interrupt.
    ///
    /// # Errors
    /// The file cannot be replaced or removed.
    pub fn place(&mut self, temp_files: &mut TempFiles<'_>) -> io::Result<()> {
        match std::mem::replace(&mut self.sink, Sink::Empty) {
            Sink::Temporary(pending) => {
                self.sink = Sink::Placed(Box::new(pending.place(temp_files)?));
            }
            Sink::Empty if self.unwritten.is_empty() => remove_old(&self.destination)?,
            sink => self.sink = sink,
        }
        Ok(())
    }

    /// Calls [`Self::write_stream`] and [`Self::place`], unless a signal has ended the run.
    ///
    /// # Errors
    /// One of them failed.
    pub fn publish(&mut self) -> io::Result<()> {
        let interrupt = self.interrupt.clone();
        if interrupt.signal().is_some() {
            return Ok(());
        }
        let written = self.write_stream();
        let mut temp_files = interrupt.temp_files();
        if interrupt.signal().is_some() {
            return Ok(());
        }
        // A part of the entries is better than none.
        self.place(&mut temp_files).and(written)
    }
}

/// Removes the error file of an earlier run, if it is a regular file.
///
/// # Errors
/// The file cannot be removed.
fn remove_old(destination: &Destination) -> io::Result<()> {
    let Destination::File(path) = destination else {
        return Ok(());
    };
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

impl Drop for ErrorFile {
    fn drop(&mut self) {
        let _ = self.flush_pending();
        let _ = self.publish();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::error_log::ErrorType;

    fn entry(message: &str) -> Entry {
        Entry {
            at: time::macros::datetime!(2026-11-24 01:02:03.456 UTC),
            error_type: ErrorType::Permission,
            region: None,
            resource_type: None,
            message: message.to_owned(),
        }
    }

    fn lines(messages: &[&str]) -> String {
        let lines: Vec<_> = messages.iter().map(|m| entry(m).to_string()).collect();
        lines.join("\n") + "\n"
    }

    /// Returns a directory with an old error file, and its path.
    fn with_old_file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("errors.txt");
        fs::write(&path, "old\n").unwrap();
        (directory, path)
    }

    fn count(directory: &tempfile::TempDir) -> usize {
        fs::read_dir(directory.path()).unwrap().count()
    }

    #[test]
    fn old_file_stays_until_new_one_is_placed() {
        let (directory, path) = with_old_file();
        let mut file = ErrorFile::new(path.clone(), &Interrupt::default()).unwrap();
        file.append(&entry("a")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
        file.append(&entry("b")).unwrap();
        file.publish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), lines(&["a", "b"]));
        file.append(&entry("c")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), lines(&["a", "b", "c"]));
        assert!(file.is_complete());
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), lines(&["a", "b", "c"]));
        assert_eq!(count(&directory), 1);
    }

    #[test]
    fn run_without_entries_removes_old_file() {
        let (directory, path) = with_old_file();
        let mut file = ErrorFile::new(path.clone(), &Interrupt::default()).unwrap();
        assert!(path.exists());
        file.publish().unwrap();
        assert!(!path.exists(), "no file without errors");
        file.append(&entry("late")).unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), lines(&["late"]));
        assert_eq!(count(&directory), 1);
    }

    #[test]
    fn interrupted_run_keeps_old_file() {
        for is_logged in [true, false] {
            let (directory, path) = with_old_file();
            let interrupt = Interrupt::default();
            let mut file = ErrorFile::new(path.clone(), &interrupt).unwrap();
            if is_logged {
                file.append(&entry("a")).unwrap();
            }
            interrupt.raise(2);
            file.publish().unwrap();
            drop(file);
            assert_eq!(fs::read_to_string(&path).unwrap(), "old\n");
            assert_eq!(count(&directory), 1, "no temporary file");
        }
    }

    #[test]
    fn link_at_path_is_followed() {
        let (directory, path) = with_old_file();
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        let mut file = ErrorFile::new(link.clone(), &Interrupt::default()).unwrap();
        file.append(&entry("a")).unwrap();
        drop(file);
        assert!(fs::symlink_metadata(link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(path).unwrap(), lines(&["a"]));
    }

    #[test]
    fn unusable_path_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("errors.txt");
        fs::create_dir(&path).unwrap();
        assert!(ErrorFile::new(path.clone(), &Interrupt::default()).is_err());
        let below = path.join("missing/errors.txt");
        assert!(ErrorFile::new(below, &Interrupt::default()).is_err());
        // The directory disappears in the meantime.
        let mut file = ErrorFile::new(path.join("errors.txt"), &Interrupt::default()).unwrap();
        fs::remove_dir(&path).unwrap();
        assert!(file.append(&entry("a")).is_err());
        assert!(file.flush_pending().is_err() && !file.is_complete());
        fs::create_dir(&path).unwrap();
        file.append(&entry("b")).unwrap();
        assert!(file.is_complete());
        drop(file);
        let text = fs::read_to_string(path.join("errors.txt")).unwrap();
        assert_eq!(
            text,
            lines(&["a", "b"]),
            "unwritten entries are written later"
        );
    }
}
