//! A file that is whole or the old one: written beside its place, flushed to disk, renamed.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// A new file in `folder` that goes when dropped; its mode follows the umask.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new()
        .prefix(".aws_config_resource_count_")
        .suffix(".tmp")
        // tempfile's own default is 0600, which os.replace would hand on to the CSV.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

/// Puts `bytes` at `folder/name` in one step.
///
/// # Errors
/// Any step failed: what stood there before stands there still, and no temporary file is left.
pub fn write(folder: &Path, name: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|e| e.error)?;
    // The rename itself reaches the disk with the folder; not every file system offers that.
    let _ = File::open(folder).and_then(|f| f.sync_all());
    Ok(())
}

/// Whether files can be made in `folder`, found by making one.
///
/// # Errors
/// They cannot.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    temporary(folder).map(drop)
}

#[cfg(test)]
mod tests {
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
        write(folder.path(), "x.csv", b"new").unwrap();
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
        assert!(write(folder.path(), "x.csv", b"new").is_err());
        assert_eq!(names(folder.path()), ["x.csv"]);
        let missing = folder.path().join("missing");
        assert!(write(&missing, "x.csv", b"new").is_err());
        assert!(check_writable(&missing).is_err());
        check_writable(folder.path()).unwrap();
        assert_eq!(names(folder.path()), ["x.csv"]);
    }
}
