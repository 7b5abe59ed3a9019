//! The kinds of files at the path of an output. Only a regular file, or nothing, is replaced.

use std::fs::{File, Metadata, OpenOptions, read_link, symlink_metadata};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, OFlags, access};

/// The path that means standard output.
const STDOUT: &str = "-";

/// The maximum number of symbolic links that are followed, as on Linux.
const MAX_LINKS: usize = 40;

/// The kind of output that a path leads to, after all symbolic links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A regular file, or nothing: a new file replaces it.
    File(PathBuf),
    /// A device, a FIFO, or an open file descriptor such as `/dev/fd/3`: it is written to.
    Stream(PathBuf),
    /// A socket: it is connected to.
    Socket(PathBuf),
    /// Standard output.
    Stdout,
}

impl Destination {
    /// Follows the symbolic links of `path`; `-`, `/dev/stdout` and `/dev/fd/1` are standard output. The target of the
    /// last link need not exist.
    ///
    /// # Errors
    /// The path is a directory, its parent directory does not exist, or there are too many links.
    pub fn new(path: &Path) -> io::Result<Self> {
        if path == Path::new(STDOUT) {
            return Ok(Self::Stdout);
        }
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let (directory, file) = resolve_parent(&path)?;
            if is_descriptor_directory(&directory) {
                let is_stdout = is_own(&directory) && file.ends_with("1");
                return Ok(if is_stdout {
                    Self::Stdout
                } else {
                    Self::Stream(file)
                });
            }
            let found = match symlink_metadata(&file) {
                Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Self::File(file)),
                found => found?,
            };
            if !found.is_symlink() {
                return Self::of_kind(&found, file);
            }
            path = directory.join(read_link(&file)?);
        }
        Err(io::Error::other("too many levels of symbolic links"))
    }

    /// Returns true if `path` is standard output.
    #[must_use]
    pub fn is_stdout(path: &Path) -> bool {
        Self::new(path).is_ok_and(|destination| destination == Self::Stdout)
    }

    fn of_kind(found: &Metadata, path: PathBuf) -> io::Result<Self> {
        match found.file_type() {
            kind if kind.is_dir() => Err(is_a_directory()),
            kind if kind.is_file() => Ok(Self::File(path)),
            kind if kind.is_socket() => Ok(Self::Socket(path)),
            _ => Ok(Self::Stream(path)),
        }
    }

    /// Checks that a stream or socket can be written to. A FIFO or socket is not opened: its reader would see the end.
    ///
    /// # Errors
    /// The permissions do not allow it, or a device cannot be opened.
    pub(super) fn check_stream(&self) -> io::Result<()> {
        let (Self::Stream(path) | Self::Socket(path)) = self else {
            return Ok(());
        };
        access(path, Access::WRITE_OK)?;
        let kind = std::fs::metadata(path)?.file_type();
        if !kind.is_fifo() && !kind.is_socket() {
            open_stream(path, OFlags::NONBLOCK)?;
        }
        Ok(())
    }

    /// Returns true if stdout or stderr writes to the same regular file.
    #[must_use]
    pub fn is_file_of_a_stream(&self) -> bool {
        let Self::File(path) = self else { return false };
        let Ok(found) = symlink_metadata(path) else {
            return false;
        };
        let is_same = |stream: io::Result<Metadata>| {
            stream.is_ok_and(|s| (s.dev(), s.ino()) == (found.dev(), found.ino()))
        };
        is_same(metadata(&io::stdout())) || is_same(metadata(&io::stderr()))
    }

    /// Opens a stream, a socket or standard output for writing. Opening a FIFO waits for its reader.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn Write + Send>> {
        match self {
            Self::Stdout => Ok(Box::new(io::stdout())),
            Self::Socket(path) => Ok(Box::new(UnixStream::connect(path)?)),
            Self::File(path) | Self::Stream(path) => {
                Ok(Box::new(open_stream(path, OFlags::empty())?))
            }
        }
    }
}

/// Opens a device, FIFO or descriptor. Neither creates nor truncates a file, because a descriptor may be the user's log.
/// A terminal does not become the controlling one.
fn open_stream(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = (OFlags::NOCTTY | flags).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    OpenOptions::new()
        .append(true)
        .custom_flags(flags)
        .open(path)
}

fn metadata(stream: &impl AsFd) -> io::Result<Metadata> {
    File::from(stream.as_fd().try_clone_to_owned()?).metadata()
}

fn is_a_directory() -> io::Error {
    io::Error::new(ErrorKind::IsADirectory, "is a directory")
}

/// Returns the parent directory of `path` without symbolic links, and the path of the file in it.
fn resolve_parent(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let bytes = path.as_os_str().as_bytes();
    // `file_name` ignores a slash or `/.` at the end.
    let ends_as_directory = bytes == b"." || bytes.ends_with(b"/") || bytes.ends_with(b"/.");
    let name = path.file_name().filter(|_| !ends_as_directory);
    let name = name.ok_or_else(is_a_directory)?;
    let directory = parent_directory(path).canonicalize()?;
    if !directory.is_dir() {
        return Err(io::Error::new(ErrorKind::NotADirectory, "not a directory"));
    }
    let file = directory.join(name);
    Ok((directory, file))
}

/// Returns the directory of a file; `.` for a file name without a directory.
pub(super) fn parent_directory(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory != Path::new("") => directory,
        _ => Path::new("."),
    }
}

/// Checks that a file is not one of another user in a directory such as `/tmp`, where only the owner may replace it.
pub(super) fn check_owner(file: &Path) -> io::Result<()> {
    let Ok(found) = symlink_metadata(file) else {
        return Ok(());
    };
    let directory = std::fs::metadata(parent_directory(file))?;
    let user = rustix::process::geteuid().as_raw();
    if is_protected(directory.mode(), [directory.uid(), found.uid()], user) {
        let why = "belongs to another user";
        return Err(io::Error::new(ErrorKind::PermissionDenied, why));
    }
    Ok(())
}

/// Returns true if the mode of a directory lets only the `owners` of the directory and the file replace the file, and not
/// `user`.
fn is_protected(mode: u32, owners: [u32; 2], user: u32) -> bool {
    const STICKY: u32 = 0o1000;
    mode & STICKY != 0 && user != 0 && !owners.contains(&user)
}

/// Returns true for `/dev/fd` (macOS) and `/proc/PID/fd` (Linux): their entries are open files, whatever they seem to
/// be linked to.
fn is_descriptor_directory(directory: &Path) -> bool {
    let is_in_proc = directory.starts_with("/proc") && directory.ends_with("fd");
    is_in_proc || directory == Path::new("/dev/fd")
}

/// Returns true if the entries of a descriptor directory are those of this process.
fn is_own(directory: &Path) -> bool {
    let own = Path::new("/proc").join(std::process::id().to_string());
    directory.starts_with(own) || directory == Path::new("/dev/fd")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn new(path: impl AsRef<Path>) -> io::Result<Destination> {
        Destination::new(path.as_ref())
    }

    #[test]
    fn stdout_has_several_paths() {
        for path in ["-", "/dev/stdout", "/dev/fd/1"] {
            assert_eq!(new(path).unwrap(), Destination::Stdout, "{path}");
        }
        let directory = tempfile::tempdir().unwrap();
        symlink("/dev/stdout", directory.path().join("link")).unwrap();
        assert!(Destination::is_stdout(&directory.path().join("link")));
        for path in ["./-", "1", "/dev/fd/2", "/dev/stderr", "/dev/null"] {
            assert!(!Destination::is_stdout(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn kind_is_that_of_link_target() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let path = |name: &str| root.join(name);
        fs::write(path("file"), "").unwrap();
        fs::create_dir(path("directory")).unwrap();
        let _listener = UnixListener::bind(path("socket")).unwrap();
        for (link, target) in [
            ("a", "file"),
            ("b", "directory/../a"),
            ("c", "directory/new"),
            ("d", "socket"),
            ("e", "/dev/null"),
            ("directory/f", "../c"),
            ("g", "directory"),
            ("h", "missing/new"),
            ("i", "i"),
        ] {
            symlink(target, path(link)).unwrap();
        }
        for (name, expected) in [
            ("file", Destination::File(path("file"))),
            ("new", Destination::File(path("new"))),
            ("b", Destination::File(path("file"))),
            ("directory/f", Destination::File(path("directory/new"))),
            ("d", Destination::Socket(path("socket"))),
            ("e", Destination::Stream("/dev/null".into())),
        ] {
            assert_eq!(new(path(name)).unwrap(), expected, "{name}");
        }
        for name in [
            "directory",
            "g",
            "h",
            "i",
            "new/",
            "file/new",
            ".",
            "directory/..",
        ] {
            assert!(new(path(name)).is_err(), "{name}");
        }
    }

    #[test]
    fn sticky_directory_protects_files_of_others() {
        for (mode, owners, user, expected) in [
            (0o41777, [0, 7], 8, true),
            (0o41777, [0, 0], 8, true),
            (0o41777, [0, 8], 8, false),
            (0o41777, [8, 7], 8, false),
            (0o41777, [7, 7], 0, false),
            (0o40777, [0, 7], 8, false),
        ] {
            assert_eq!(is_protected(mode, owners, user), expected, "{owners:?}");
        }
    }

    #[test]
    fn stream_is_checked_without_writing() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("fifo");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap()
                .success()
        );
        // Opening the FIFO would wait for its reader.
        new(&fifo).unwrap().check_stream().unwrap();
        new("/dev/null").unwrap().check_stream().unwrap();
        new("/dev/fd/999").unwrap().check_stream().unwrap_err();
    }
}
