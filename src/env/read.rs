//! Reads files within bounds of size, and without blocking an interrupt.

use std::fs::{File, OpenOptions, metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::interrupt::Interrupt;

/// The maximum size of a file, in bytes.
const MAX_SIZE: u64 = 16 << 20;

/// Reads a file of any kind. A FIFO or device may block the read; an interrupt ends the wait.
///
/// # Errors
/// The file cannot be read, is larger than 16 MiB, or the run is interrupted.
pub(super) fn any(path: &Path, interrupt: &Interrupt) -> io::Result<Vec<u8>> {
    let kind = metadata(path)?.file_type();
    if kind.is_file() || kind.is_dir() {
        return bounded(File::open(path)?);
    }
    let path = path.to_owned();
    interrupt.run(move || bounded(File::open(path)?))
}

/// Reads a regular file.
///
/// # Errors
/// The file is not a regular one, cannot be read, or is larger than 16 MiB.
pub(super) fn regular(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a FIFO does not wait for its writer.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let found = metadata(path).map_err(|e| dangling(path).unwrap_or(e))?;
    if !found.is_file() {
        return Err(not_regular(path));
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    // It may have been replaced in the meantime.
    if file.metadata()?.is_file() {
        bounded(file)
    } else {
        Err(not_regular(path))
    }
}

/// Returns the error for a symbolic link to nothing.
fn dangling(path: &Path) -> Option<io::Error> {
    let is_link = std::fs::symlink_metadata(path).ok()?.is_symlink();
    let error = || io::Error::new(ErrorKind::NotFound, "symbolic link to a missing file");
    is_link.then(error)
}

fn not_regular(path: &Path) -> io::Error {
    if path.is_dir() {
        io::Error::new(ErrorKind::IsADirectory, "is a directory")
    } else {
        io::Error::other("not a regular file")
    }
}

fn bounded(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        let limit = format!("larger than {} MiB", MAX_SIZE >> 20);
        return Err(io::Error::new(ErrorKind::FileTooLarge, limit));
    }
    Ok(bytes)
}
