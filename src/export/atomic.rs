//! A file that is whole or the old one: written beside its place, flushed to disk, renamed.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::interrupt::Interrupt;

/// A new file in `folder` that goes when dropped; its mode follows the umask.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(".aws_config_resource_count_")
        .suffix(".tmp")
        // tempfile's own default is 0600, which os.replace would hand on to the CSV.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

/// Puts what `content` writes at `folder/name` in one step; a link that stands there gives way, and what it
/// points to stays as it is. An end at once through `interrupt` finds the temporary file.
///
/// # Errors
/// Any step failed: what stood there before stands there still, and no temporary file is left.
pub fn write(
    folder: &Path,
    name: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let mut unfinished = interrupt.unfinished();
    let mut file = temporary(folder)?;
    let path = file.path().to_owned();
    unfinished.insert(path.clone());
    drop(unfinished);

    // Through the file itself: the wrapper's errors name the temporary file.
    let filled = content(file.as_file_mut());
    let filled = filled.and_then(|()| file.as_file().sync_all());

    let mut unfinished = interrupt.unfinished();
    let placed = match filled {
        Ok(()) => file
            .persist(folder.join(name))
            .map(drop)
            .map_err(|e| e.error),
        Err(e) => {
            drop(file);
            Err(e)
        }
    };
    unfinished.remove(&path);
    drop(unfinished);
    placed?;
    // The rename itself reaches the disk with the folder; not every file system offers that.
    let _ = File::open(folder).and_then(|f| f.sync_all());
    Ok(())
}

/// Whether files can be made in `folder`, found by making one.
///
/// # Errors
/// They cannot.
pub fn check_writable(folder: &Path, interrupt: &Interrupt) -> io::Result<()> {
    // Held while the file stands.
    let _unfinished = interrupt.unfinished();
    temporary(folder).map(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn the_old_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.csv"), "a longer old text").unwrap();
        let new = |to: &mut dyn Write| to.write_all(b"new");
        write(folder.path(), "x.csv", new, &Interrupt::default()).unwrap();
        assert_eq!(std::fs::read(folder.path().join("x.csv")).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["x.csv"]);
        let mode = |name| {
            let path = folder.path().join(name);
            path.metadata().unwrap().permissions().mode()
        };
        File::create(folder.path().join("plain")).unwrap();
        assert_eq!(mode("x.csv"), mode("plain"), "the mode follows the umask");
    }

    #[test]
    fn a_failure_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("x.csv")).unwrap();
        let new = |to: &mut dyn Write| to.write_all(b"new");
        assert!(write(folder.path(), "x.csv", new, &Interrupt::default()).is_err());
        assert_eq!(names(folder.path()), ["x.csv"]);
        let cut = |to: &mut dyn Write| {
            to.write_all(b"a part")?;
            Err(io::Error::other("no more"))
        };
        let old = folder.path().join("old.csv");
        std::fs::write(&old, "old").unwrap();
        let error = write(folder.path(), "old.csv", cut, &Interrupt::default()).unwrap_err();
        assert_eq!(error.to_string(), "no more");
        assert_eq!(std::fs::read(&old).unwrap(), b"old");
        std::fs::remove_file(old).unwrap();
        assert_eq!(names(folder.path()), ["x.csv"]);
        let missing = folder.path().join("missing");
        assert!(write(&missing, "x.csv", new, &Interrupt::default()).is_err());
        assert!(check_writable(&missing, &Interrupt::default()).is_err());
        check_writable(folder.path(), &Interrupt::default()).unwrap();
        assert_eq!(names(folder.path()), ["x.csv"]);
    }

    #[test]
    fn an_end_at_once_finds_every_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let interrupt = Interrupt::default();
        let (seen, bytes) = (AtomicBool::new(false), vec![b'x'; 100_000]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !seen.load(Ordering::SeqCst) {
                    check_writable(folder.path(), &interrupt).unwrap();
                    let fill = |to: &mut dyn Write| to.write_all(&bytes);
                    write(folder.path(), "x.csv", fill, &interrupt).unwrap();
                }
            });
            while !seen.load(Ordering::SeqCst) {
                let unfinished = interrupt.unfinished();
                let mut there = names(folder.path());
                there.retain(|name| name != "x.csv");
                let listed: Vec<_> = unfinished
                    .iter()
                    .map(|path| path.file_name().unwrap().to_str().unwrap())
                    .collect();
                // The writer is told first, so that it ends too.
                if there != listed || !there.is_empty() {
                    seen.store(true, Ordering::SeqCst);
                    assert_eq!(there, listed);
                }
                drop(unfinished);
                std::thread::yield_now();
            }
        });
        assert_eq!(names(folder.path()), ["x.csv"]);
        assert!(interrupt.unfinished().is_empty());
    }
}
