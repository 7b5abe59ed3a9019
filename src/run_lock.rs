//! The lock of an output directory: one run of an account at a time.
//!
//! The lock is a lock of the operating system (`flock`) on a file in the directory, so it ends with the process however
//! the process ends. The file contains the process ID and is removed at the end of the run; a file that remains after
//! SIGKILL does not block later runs.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use thiserror::Error;

use crate::interrupt::Interrupt;

/// The number of attempts while another process creates or removes the file.
const ATTEMPTS: usize = 50;

/// The time between two attempts.
const INTERVAL: Duration = Duration::from_millis(10);

/// The lock of a directory. Dropping it removes the file.
pub struct RunLock {
    path: PathBuf,
    file: File,
    interrupt: Interrupt,
}

/// The reason why a directory could not be locked.
#[derive(Debug, Error)]
pub enum LockError {
    /// Another process has the lock: its ID, if it is known.
    #[error("another run is using the directory{}", shown(*.0))]
    Held(Option<u32>),
    /// The file system does not support locks, or the file cannot be created.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn shown(process: Option<u32>) -> String {
    process.map_or_else(String::new, |id| format!(" (process {id})"))
}

impl RunLock {
    /// Locks `directory` for `account`. Symbolic links of the directory are the same directory.
    ///
    /// # Errors
    /// Another process has the lock, or the directory cannot be locked.
    pub fn new(directory: &Path, account: &str, interrupt: &Interrupt) -> Result<Self, LockError> {
        let path = directory.join(format!(".aws_config_resource_count_{account}.lock"));
        for _ in 0..ATTEMPTS {
            // An exit removes the file if it is registered, so it must not be created without.
            let mut temp_files = interrupt.temp_files();
            let mut file = open(&path)?;
            match file.try_lock() {
                // Another run may have removed the file before it was locked.
                Ok(()) if !is_at(&file, &path) => {}
                Ok(()) => {
                    temp_files.insert(path.clone());
                    // A file of another user may be read-only; then the process ID is missing.
                    let _ = write_process_id(&mut file);
                    let interrupt = interrupt.clone();
                    return Ok(Self {
                        path,
                        file,
                        interrupt,
                    });
                }
                Err(TryLockError::WouldBlock) => {
                    drop(temp_files);
                    let process = process_id(&mut file);
                    if process.is_some() || interrupt.signal().is_some() {
                        return Err(LockError::Held(process));
                    }
                    interrupt.sleep(INTERVAL);
                }
                Err(TryLockError::Error(e)) => return Err(e.into()),
            }
        }
        Err(LockError::Held(None))
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        let mut temp_files = self.interrupt.temp_files();
        // Removed before it is unlocked, so that the file of another run is never removed.
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
        temp_files.remove(&self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    let options = |write| {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(write)
            .create(write)
            .custom_flags(flags);
        options.open(path)
    };
    match options(true) {
        // The file of another user, after SIGKILL.
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => options(false),
        file => file,
    }
}

/// Returns true if `file` is the file at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(found)) = (file.metadata(), std::fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (found.dev(), found.ino())
}

fn write_process_id(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(format!("{}\n", std::process::id()).as_bytes())
}

/// Reads the process ID; `None` if it is not written yet.
fn process_id(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(20).read_to_string(&mut text).ok()?;
    text.strip_suffix('\n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "012345678901";

    fn acquire(directory: &Path) -> Result<RunLock, LockError> {
        RunLock::new(directory, ACCOUNT, &Interrupt::default())
    }

    #[test]
    fn second_lock_names_the_first_process() {
        let directory = tempfile::tempdir().unwrap();
        let lock = acquire(directory.path()).unwrap();
        let id = std::process::id();
        let held = acquire(directory.path()).err().unwrap();
        assert!(matches!(held, LockError::Held(Some(process)) if process == id));
        assert!(held.to_string().contains(&id.to_string()), "{held}");
        let other = RunLock::new(directory.path(), "111111111111", &Interrupt::default());
        assert!(other.is_ok(), "another account");
        drop((lock, other));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        acquire(directory.path()).unwrap();
    }

    #[test]
    fn stale_file_does_not_block() {
        let directory = tempfile::tempdir().unwrap();
        let name = format!(".aws_config_resource_count_{ACCOUNT}.lock");
        for content in ["1\n", "", "no process ID", "4294967296\n"] {
            std::fs::write(directory.path().join(&name), content).unwrap();
            let lock = acquire(directory.path()).unwrap();
            let held = acquire(directory.path()).err().unwrap().to_string();
            assert!(held.contains(&std::process::id().to_string()), "{held}");
            drop(lock);
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn unlockable_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        assert!(matches!(acquire(&missing).err().unwrap(), LockError::Io(_)));
        let name = format!(".aws_config_resource_count_{ACCOUNT}.lock");
        std::os::unix::fs::symlink("target", directory.path().join(name)).unwrap();
        assert!(matches!(
            acquire(directory.path()).err().unwrap(),
            LockError::Io(_)
        ));
        assert!(!directory.path().join("target").exists());
    }

    #[test]
    fn exit_removes_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let interrupt = Interrupt::default();
        let lock = RunLock::new(directory.path(), ACCOUNT, &interrupt).unwrap();
        assert_eq!(interrupt.temp_files().len(), 1, "registered for an exit");
        drop(lock);
        assert!(interrupt.temp_files().is_empty());
    }
}
