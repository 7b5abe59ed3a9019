//! Atomic file writes: the content goes to a temporary file in the same directory, which is synced
//! and renamed.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::interrupt::Interrupt;

/// Creates a temporary file in `directory`; it is deleted when dropped. Its mode follows the umask.
fn temporary(directory: &Path) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(".aws_config_resource_count_")
        .suffix(".tmp")
        // The default mode of tempfile is 0600, which the CSV would keep after the rename.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory)
}

/// Writes `directory/name` atomically, with the bytes that `content` writes. A symbolic link is
/// replaced, its target is not changed. The temporary file is registered in `interrupt`, which
/// removes it if the process exits early.
///
/// # Errors
/// A step failed: an existing file is unchanged, and no temporary file remains.
pub fn write(
    directory: &Path,
    name: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let mut temp_files = interrupt.temp_files();
    let mut file = temporary(directory)?;
    let path = file.path().to_owned();
    temp_files.insert(path.clone());
    drop(temp_files);

    // Uses the inner file, because the errors of the wrapper name the temporary file.
    let filled = content(file.as_file_mut());
    let filled = filled.and_then(|()| file.as_file().sync_all());

    let mut temp_files = interrupt.temp_files();
    // Renames or deletes the file.
    let placed = filled.and_then(|()| Ok(file.persist(directory.join(name))?));
    temp_files.remove(&path);
    drop(temp_files);
    placed?;
    // Syncing the directory writes the rename to disk; not every file system supports it.
    let _ = File::open(directory).and_then(|f| f.sync_all());
    Ok(())
}

/// Checks that files can be created in `directory`, by creating a temporary one.
///
/// # Errors
/// The file cannot be created.
pub fn check_writable(directory: &Path, interrupt: &Interrupt) -> io::Result<()> {
    // Holds the lock while the file exists, so that an interrupt waits for its removal.
    let _lock = interrupt.temp_files();
    temporary(directory).map(drop)
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
        write(directory.path(), "x.csv", new, &Interrupt::default()).unwrap();
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
        assert!(write(directory.path(), "x.csv", new, &Interrupt::default()).is_err());
        assert_eq!(names(directory.path()), ["x.csv"]);
        let failing = |to: &mut dyn Write| {
            to.write_all(b"a part")?;
            Err(io::Error::other("disk full"))
        };
        let old = directory.path().join("old.csv");
        std::fs::write(&old, "old").unwrap();
        let error = write(directory.path(), "old.csv", failing, &Interrupt::default()).unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        assert_eq!(std::fs::read(&old).unwrap(), b"old");
        std::fs::remove_file(old).unwrap();
        assert_eq!(names(directory.path()), ["x.csv"]);
        let missing = directory.path().join("missing");
        assert!(write(&missing, "x.csv", new, &Interrupt::default()).is_err());
        assert!(check_writable(&missing, &Interrupt::default()).is_err());
        check_writable(directory.path(), &Interrupt::default()).unwrap();
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
                    check_writable(directory.path(), &interrupt).unwrap();
                    let fill = |to: &mut dyn Write| to.write_all(&bytes);
                    write(directory.path(), "x.csv", fill, &interrupt).unwrap();
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
