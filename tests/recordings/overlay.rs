//! Builds the recording of a case from a shared base and the files of the case.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::case::Case;
use super::files::read_tree;

/// A complete recording; a temporary directory is deleted with it.
pub struct Recording {
    path: PathBuf,
    _temporary: Option<TempDir>,
}

impl Recording {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Case {
    /// Returns the files of the base and of the case; a file of the case replaces the base's file of
    /// the same name. Without a base, returns the directory of the case itself.
    pub fn recording(&self) -> Recording {
        let Some(base) = self.base_path() else {
            return Recording {
                path: self.path(),
                _temporary: None,
            };
        };
        let directory = tempfile::tempdir().unwrap();
        for source in [base, self.path()] {
            for (name, bytes) in read_tree(&source) {
                let path = directory.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
        }
        Recording {
            path: directory.path().to_owned(),
            _temporary: Some(directory),
        }
    }
}
