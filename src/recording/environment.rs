//! The environment of a replay.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use super::source::{Source, with_path};
use crate::env::{CommandOutput, Env};
use crate::sync::lock;

/// The environment of a recording: the variables of `env.json` and the files of the recording.
///
/// HOME is `home`, relative to the recording. No file outside it can be read, so replays
/// and tests give the same results on every machine. No file is written: what a run saves, such as a refreshed token, is
/// kept in memory, where the same run reads it.
pub struct RecordedEnv {
    source: Source,
    variables: BTreeMap<String, String>,
    saved: Mutex<BTreeMap<PathBuf, Vec<u8>>>,
}

/// The name of the file that holds a recording's variables.
pub const ENV_FILE: &str = "env.json";

impl RecordedEnv {
    /// Creates an environment of `variables`, with files below `dir`.
    #[must_use]
    pub fn new(dir: &Path, variables: BTreeMap<String, String>) -> Self {
        Self {
            source: dir.into(),
            variables,
            saved: Mutex::default(),
        }
    }

    /// Reads the environment of the recording in `source`.
    ///
    /// # Errors
    /// `env.json` is missing, cannot be read, or is not a JSON object of strings.
    pub fn open(source: impl Into<Source>) -> io::Result<Self> {
        let source = source.into();
        let name = Path::new(ENV_FILE);
        let content = source.read(name);
        match content.and_then(|bytes| Ok(serde_json::from_slice(&bytes)?)) {
            Ok(variables) => Ok(Self {
                source,
                variables,
                saved: Mutex::default(),
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let message = format!("{source} is not a recording ({ENV_FILE} not found)");
                Err(io::Error::new(e.kind(), message))
            }
            Err(e) => Err(with_path(&source.path(name))(e)),
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

    fn is_set(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let saved = lock(&self.saved).get(path).cloned();
        saved.map_or_else(|| self.source.read(path), Ok)
    }

    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        lock(&self.saved).insert(path.to_owned(), bytes.to_owned());
        Ok(())
    }

    /// Fails: a replay runs no commands.
    fn run(&self, _: &str, _: Duration, _: &dyn Fn() -> Duration) -> io::Result<CommandOutput> {
        Err(io::ErrorKind::NotFound.into())
    }

    /// Returns `None`: a replay has no terminal.
    fn prompt(&self, _: &str) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

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
    fn saved_file_is_read_and_not_written() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), "recorded").unwrap();
        let env = RecordedEnv::new(dir.path(), BTreeMap::new());
        env.write_private(Path::new("token"), b"saved").unwrap();
        assert_eq!(env.read(Path::new("token")).unwrap(), b"saved");
        assert_eq!(fs::read(dir.path().join("token")).unwrap(), b"recorded");
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
