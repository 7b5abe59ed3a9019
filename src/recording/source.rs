//! The source of the files of a recording: a directory, or the demo in the program.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::demo;

/// The name of the directory of cassettes in a recording.
pub const INTERACTIONS_DIR: &str = "interactions";

/// The path of the file of profiles in a recording.
pub const CREDENTIALS_FILE: &str = "home/.aws/credentials";

/// The source of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory.
    Directory(PathBuf),
    /// The recorded account that is built into the program.
    Demo,
}

impl Source {
    /// Returns the directory, if the source is one.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::Demo => None,
        }
    }

    /// Reads a file; `path` is relative to the recording.
    ///
    /// # Errors
    /// The file cannot be read or is outside the recording.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let inside = path.components().all(|c| c != Component::ParentDir);
        let content = match self {
            Self::Directory(directory) => {
                let path = directory.join(path);
                (inside && path.starts_with(directory)).then(|| fs::read(path))
            }
            Self::Demo => demo::FILES.get(path).map(|content| Ok(content.to_vec())),
        };
        content.unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))
    }

    /// Returns the paths of the cassettes, sorted.
    ///
    /// # Errors
    /// The directory of cassettes cannot be read or contains none. The error names it.
    pub(super) fn cassettes(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> = match self {
            Self::Directory(directory) => {
                let directory = directory.join(INTERACTIONS_DIR);
                let entries = fs::read_dir(&directory).map_err(with_path(&directory))?;
                let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name());
                let names = entries.map(name).collect::<io::Result<Vec<_>>>()?;
                let relative = |name| Path::new(INTERACTIONS_DIR).join(name);
                names.into_iter().map(relative).collect()
            }
            Self::Demo => demo::FILES.keys().map(|path| path.to_path_buf()).collect(),
        };
        paths.retain(|path| {
            path.starts_with(INTERACTIONS_DIR) && path.extension().is_some_and(|e| e == "json")
        });
        paths.sort();
        if paths.is_empty() {
            let error = io::Error::other("contains no cassettes");
            return Err(with_path(&self.path(INTERACTIONS_DIR.as_ref()))(error));
        }
        Ok(paths)
    }

    /// Returns the path of a file for messages.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.directory().unwrap_or(Path::new("demo")).join(path)
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Source {
    fn from(directory: &P) -> Self {
        Self::Directory(directory.as_ref().to_owned())
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Directory(directory) => write!(f, "{}", directory.display()),
            Self::Demo => write!(f, "the built-in demo"),
        }
    }
}

/// Adds the path of a file to its errors.
pub(super) fn with_path(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
