//! Output files. A regular file is replaced in one step: the content goes to a temporary file in the same directory,
//! which is synced and renamed. Devices, FIFOs and sockets are written to.

mod destination;

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::interrupt::{Interrupt, TempFiles};

pub use destination::Destination;

/// Creates a temporary file in `directory`; it is deleted when dropped. Its mode follows the umask.
fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(".aws_config_resource_count_")
        .suffix(".tmp")
        // The default mode of tempfile is 0600, which the CSV would keep after the rename.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)
        .map_err(without_path)
}

/// Removes the path of the temporary file from an error.
fn without_path(error: io::Error) -> io::Error {
    let source = error.get_ref().and_then(|inner| inner.source());
    match source.map(ToString::to_string) {
        Some(text) => io::Error::new(error.kind(), text),
        None => error,
    }
}

/// A temporary file that becomes the file at its target when it is placed, and is removed otherwise. It is registered
/// in the interrupt, which removes it if the process exits early.
pub struct PendingFile {
    /// Is `None` only while the value is dropped.
    file: Option<NamedTempFile>,
    target: PathBuf,
    interrupt: Interrupt,
}

impl PendingFile {
    /// Creates an empty temporary file beside `target`.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn new(target: &Path, interrupt: &Interrupt) -> io::Result<Self> {
        let mut temp_files = interrupt.temp_files();
        let file = temporary(destination::parent_directory(target))?;
        temp_files.insert(file.path().to_owned());
        Ok(Self {
            file: Some(file),
            target: target.to_owned(),
            interrupt: interrupt.clone(),
        })
    }

    /// Returns the file, for writing.
    ///
    /// # Errors
    /// Never, until the file is placed.
    pub fn file(&mut self) -> io::Result<&mut File> {
        // The inner file, because the errors of the wrapper name the temporary file.
        let file = self.file.as_mut().map(NamedTempFile::as_file_mut);
        file.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Renames the file to its target; `temp_files` is the lock of the interrupt. Returns the open file.
    ///
    /// # Errors
    /// The file cannot be renamed, and is removed.
    pub fn place(mut self, temp_files: &mut TempFiles<'_>) -> io::Result<File> {
        let Some(file) = self.file.take() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let path = file.path().to_owned();
        // Renames or deletes the file.
        let placed = file.persist(&self.target);
        temp_files.remove(&path);
        let placed = placed?;
        // Syncing the directory writes the rename to disk; not every file system supports it.
        let _ = File::open(destination::parent_directory(&self.target)).and_then(|f| f.sync_all());
        Ok(placed)
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            let mut temp_files = self.interrupt.temp_files();
            let path = file.path().to_owned();
            drop(file);
            temp_files.remove(&path);
        }
    }
}

/// The content of an output that is not yet at its path.
pub enum Prepared {
    /// A temporary file.
    File(PendingFile),
    /// The bytes for a device, a FIFO, a socket or standard output.
    Stream(Destination, Vec<u8>),
}

/// Prepares the file at `path`, with the bytes that `content` writes. Symbolic links are followed.
///
/// # Errors
/// The path is unusable, or the content could not be written. No temporary file remains.
pub fn prepare(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    interrupt: &Interrupt,
) -> io::Result<Prepared> {
    let mut prepared = Prepared::new(path, interrupt)?;
    content(prepared.writer()?)?;
    prepared.sync()?;
    Ok(prepared)
}

impl Prepared {
    /// Creates an empty content for the file at `path`. Symbolic links are followed.
    ///
    /// # Errors
    /// The path is unusable, or no temporary file can be created.
    pub fn new(path: &Path, interrupt: &Interrupt) -> io::Result<Self> {
        Ok(match Destination::new(path)? {
            Destination::File(target) => Self::File(PendingFile::new(&target, interrupt)?),
            stream => Self::Stream(stream, Vec::new()),
        })
    }

    /// Returns the writer of the content.
    ///
    /// # Errors
    /// Never.
    pub fn writer(&mut self) -> io::Result<&mut dyn Write> {
        match self {
            Self::File(pending) => Ok(pending.file()?),
            Self::Stream(_, bytes) => Ok(bytes),
        }
    }

    /// Writes the content to the disk, if it is that of a file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn sync(&mut self) -> io::Result<()> {
        match self {
            Self::File(pending) => pending.file()?.sync_all(),
            Self::Stream(..) => Ok(()),
        }
    }

    /// Replaces the file, or writes to the stream, which may wait for a reader. After `before`, which gets the lock of
    /// the interrupt, a file is replaced without another step in between.
    ///
    /// # Errors
    /// A step failed, or a signal has ended the run: an existing file is unchanged.
    pub fn place(
        self,
        interrupt: &Interrupt,
        before: impl FnOnce(&mut TempFiles<'_>),
    ) -> io::Result<()> {
        let mut temp_files = interrupt.temp_files();
        if interrupt.signal().is_some() {
            drop(temp_files);
            return Err(io::ErrorKind::Interrupted.into());
        }
        before(&mut temp_files);
        match self {
            Self::File(pending) => pending.place(&mut temp_files).map(drop),
            Self::Stream(destination, bytes) => {
                drop(temp_files);
                write_stream(&destination, &bytes)
            }
        }
    }
}

/// Writes `bytes` to a device, a FIFO, a socket or standard output.
///
/// # Errors
/// It cannot be opened or written.
pub fn write_stream(destination: &Destination, bytes: &[u8]) -> io::Result<()> {
    let mut stream = destination.open()?;
    stream.write_all(bytes)?;
    stream.flush()
}

/// Writes the file at `path`, with the bytes that `content` writes.
///
/// # Errors
/// A step failed, or a signal has ended the run: an existing file is unchanged, and no temporary file remains.
pub fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    interrupt: &Interrupt,
) -> io::Result<()> {
    prepare(path, content, interrupt)?.place(interrupt, |_| {})
}

/// Checks that a file can be created in `directory`, by creating a temporary one.
///
/// # Errors
/// The file cannot be created.
pub fn check_directory(directory: &Path, interrupt: &Interrupt) -> io::Result<()> {
    // Holds the lock while the file exists, so that an interrupt waits for its removal.
    let _lock = interrupt.temp_files();
    temporary(directory).map(drop)
}

/// Checks that the file at `path` can be replaced or written to. Returns its destination.
///
/// # Errors
/// It cannot be, as far as that is known without writing.
pub fn check_path(path: &Path, interrupt: &Interrupt) -> io::Result<Destination> {
    let destination = Destination::new(path)?;
    match &destination {
        Destination::File(target) => {
            check_directory(destination::parent_directory(target), interrupt)?;
            destination::check_owner(target)?;
        }
        stream => stream.check_stream()?,
    }
    Ok(destination)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn old_file_is_replaced_completely() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("x.csv"), "a longer old text").unwrap();
        let new = |to: &mut dyn Write| to.write_all(b"new");
        write(&directory.path().join("x.csv"), new, &Interrupt::default()).unwrap();
        assert_eq!(
            std::fs::read(directory.path().join("x.csv")).unwrap(),
            b"new"
        );
        assert_eq!(names(directory.path()), ["x.csv"]);
        let mode = |name| {
            let path = directory.path().join(name);
            path.metadata().unwrap().permissions().mode()
        };
        File::create(directory.path().join("plain")).unwrap();
        assert_eq!(mode("x.csv"), mode("plain"), "the mode follows the umask");
    }

    #[test]
    fn failure_leaves_no_temporary_file() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("x.csv")).unwrap();
        let new = |to: &mut dyn Write| to.write_all(b"new");
        assert!(write(&directory.path().join("x.csv"), new, &Interrupt::default()).is_err());
        assert_eq!(names(directory.path()), ["x.csv"]);
        let failing = |to: &mut dyn Write| {
            to.write_all(b"a part")?;
            Err(io::Error::other("disk full"))
        };
        let old = directory.path().join("old.csv");
        std::fs::write(&old, "old").unwrap();
        let error = write(&old, failing, &Interrupt::default()).unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        assert_eq!(std::fs::read(&old).unwrap(), b"old");
        std::fs::remove_file(old).unwrap();
        assert_eq!(names(directory.path()), ["x.csv"]);
        let missing = directory.path().join("missing");
        assert!(write(&missing.join("x.csv"), new, &Interrupt::default()).is_err());
        assert!(check_directory(&missing, &Interrupt::default()).is_err());
        check_directory(directory.path(), &Interrupt::default()).unwrap();
        assert_eq!(names(directory.path()), ["x.csv"]);
    }

    #[test]
    fn interrupt_knows_every_temporary_file() {
        let directory = tempfile::tempdir().unwrap();
        let interrupt = Interrupt::default();
        let (seen, bytes) = (AtomicBool::new(false), vec![b'x'; 100_000]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !seen.load(Ordering::SeqCst) {
                    check_directory(directory.path(), &interrupt).unwrap();
                    let fill = |to: &mut dyn Write| to.write_all(&bytes);
                    write(&directory.path().join("x.csv"), fill, &interrupt).unwrap();
                }
            });
            while !seen.load(Ordering::SeqCst) {
                let temp_files = interrupt.temp_files();
                let mut present = names(directory.path());
                present.retain(|name| name != "x.csv");
                let listed: Vec<_> = temp_files
                    .iter()
                    .map(|path| path.file_name().unwrap().to_str().unwrap())
                    .collect();
                // Set before the assertion, so that the writer ends in any case.
                if present != listed || !present.is_empty() {
                    seen.store(true, Ordering::SeqCst);
                    assert_eq!(present, listed);
                }
                drop(temp_files);
                std::thread::yield_now();
            }
        });
        assert_eq!(names(directory.path()), ["x.csv"]);
        assert!(interrupt.temp_files().is_empty());
    }
}
