//! The environment of a replay.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::cassette::with_path;
use crate::env::{CommandOutput, Env};

/// The environment of a recording: the variables of `env.json` and the files below the directory.
///
/// HOME is `home`, relative to the directory. No file outside the directory can be read, so replays
/// and tests give the same results on every machine.
pub struct RecordedEnv {
    dir: PathBuf,
    variables: BTreeMap<String, String>,
}

/// The name of the file that holds a recording's variables.
pub const ENV_FILE: &str = "env.json";

impl RecordedEnv {
    /// Creates an environment of `variables`, with files below `dir`.
    #[must_use]
    pub fn new(dir: &Path, variables: BTreeMap<String, String>) -> Self {
        Self {
            dir: dir.to_owned(),
            variables,
        }
    }

    /// Reads the environment of the recording in `dir`.
    ///
    /// # Errors
    /// `env.json` is missing, cannot be read, or is not a JSON object of strings.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join(ENV_FILE);
        match fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?)) {
            Ok(variables) => Ok(Self::new(dir, variables)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let dir = dir.display();
                let message = format!("{dir} is not a recording ({ENV_FILE} not found)");
                Err(io::Error::new(e.kind(), message))
            }
            Err(e) => Err(with_path(&path)(e)),
        }
    }
}

impl Env for RecordedEnv {
    fn var(&self, name: &str) -> Option<String> {
        if name == "HOME" {
            return Some("home".to_owned());
        }
        let value = self.variables.get(name);
        value.filter(|v| !v.trim().is_empty()).cloned()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let inside = path.components().all(|c| c != Component::ParentDir);
        // Relative paths are resolved in the directory, so that a recording can be moved.
        let path = self.dir.join(path);
        if inside && path.starts_with(&self.dir) {
            fs::read(path)
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    /// Fails: recordings are read-only.
    fn write_private(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    /// Fails: a replay runs no commands.
    fn run(&self, _: &str, _: &dyn Fn() -> Duration) -> io::Result<CommandOutput> {
        Err(io::ErrorKind::NotFound.into())
    }

    /// Returns `None`: a replay has no terminal.
    fn prompt(&self, _: &str) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_env_reads_only_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::write(dir.path().join("home/file"), "inside").unwrap();
        fs::write(dir.path().join(ENV_FILE), r#"{"A": "1", "B": " "}"#).unwrap();
        let env = RecordedEnv::open(dir.path()).unwrap();
        assert_eq!(env.var("A").as_deref(), Some("1"));
        assert_eq!(env.var("B"), None, "blank counts as absent");
        assert_eq!(env.var("PATH"), None);
        assert_eq!(
            env.read(&env.home().unwrap().join("file")).unwrap(),
            b"inside"
        );
        assert_eq!(env.read(Path::new("home/file")).unwrap(), b"inside");
        for outside in ["/etc/hostname", "../x", "home/../../x"] {
            assert!(env.read(Path::new(outside)).is_err(), "{outside}");
        }
    }

    #[test]
    fn relative_directory_is_accepted() {
        // As in `--replay fixtures/demo`; the tests run in the directory of Cargo.toml.
        let env = RecordedEnv::new(Path::new("src"), BTreeMap::new());
        assert!(env.read(Path::new("lib.rs")).is_ok());
        assert!(env.read(&env.home().unwrap().join("../lib.rs")).is_err());
        assert_eq!(env.home(), Some(PathBuf::from("home")));
    }

    #[test]
    fn invalid_env_file_error_names_file() {
        let dir = tempfile::tempdir().unwrap();
        let open_error = || RecordedEnv::open(dir.path()).err().unwrap().to_string();
        let expected = format!(
            "{} is not a recording (env.json not found)",
            dir.path().display()
        );
        assert_eq!(open_error(), expected);
        fs::write(dir.path().join(ENV_FILE), "[]").unwrap();
        let error = open_error();
        assert!(error.contains("env.json"), "{error}");
    }
}
