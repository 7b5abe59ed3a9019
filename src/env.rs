//! The environment: variables and files, handed in so that no test reaches the real ones.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::interrupt::Interrupt;

/// Where variables and files come from.
pub trait Env: Send + Sync {
    /// The variable `name`; an empty or blank one counts as absent, as in the AWS CLI.
    fn var(&self, name: &str) -> Option<String>;

    /// The bytes of the file at `path`.
    ///
    /// # Errors
    /// Whatever the file system says; `NotFound` where there is no such file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Replaces the file at `path` in one step, readable by its owner alone.
    ///
    /// # Errors
    /// Whatever the file system says; the old file stands then.
    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Runs a command line as a shell does and waits for its end.
    ///
    /// # Errors
    /// It could not be started.
    fn run(&self, command: &str) -> io::Result<Ran>;

    /// Asks the user on the terminal; `None` where there is none.
    fn ask(&self, question: &str) -> Option<String>;

    /// The user's home folder: HOME, else USERPROFILE.
    fn home(&self) -> Option<PathBuf> {
        self.var("HOME")
            .or_else(|| self.var("USERPROFILE"))
            .map(PathBuf::from)
    }
}

/// What a command left.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Ran {
    /// Whether it ended with exit code 0.
    #[serde(default = "yes")]
    pub ok: bool,
    /// What it printed; may be secret.
    #[serde(default)]
    pub stdout: String,
    /// What it complained of.
    #[serde(default)]
    pub stderr: String,
}

fn yes() -> bool {
    true
}

/// The process's own environment; the interrupt knows of the files that are being written.
#[derive(Default)]
pub struct SystemEnv(pub Interrupt);

impl Env for SystemEnv {
    fn var(&self, name: &str) -> Option<String> {
        // One that is no Unicode does not count as absent: a proxy that cannot be read is an error.
        let value = std::env::var_os(name)?.to_string_lossy().into_owned();
        Some(value).filter(|v| !v.trim().is_empty())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // An end at once waits for what is being written.
        let _unfinished = self.0.unfinished();
        let beside = path.with_extension(format!("{}.tmp", std::process::id()));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&beside, path));
        if written.is_err() {
            let _ = std::fs::remove_file(&beside);
        }
        written
    }

    fn run(&self, command: &str) -> io::Result<Ran> {
        let ran = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .output()?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ran {
            ok: ran.status.success(),
            stdout: text(&ran.stdout),
            stderr: text(&ran.stderr),
        })
    }

    fn ask(&self, question: &str) -> Option<String> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return None;
        }
        eprint!("{question}");
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }
}

/// The environment of a recording: the variables of `env.json` and the files below the folder.
///
/// HOME is the folder's `home`, named from the folder on. Nothing outside the folder can be read, so
/// a replay and a test are the same on every machine.
pub struct FolderEnv {
    folder: PathBuf,
    variables: BTreeMap<String, String>,
}

/// The name of the file that holds a recording's variables.
pub const ENV_FILE: &str = "env.json";

impl FolderEnv {
    /// An environment of `variables`, with files below `folder`.
    #[must_use]
    pub fn new(folder: &Path, variables: BTreeMap<String, String>) -> Self {
        Self {
            folder: folder.to_owned(),
            variables,
        }
    }

    /// The environment that is recorded in `folder`.
    ///
    /// # Errors
    /// The folder or its `env.json` cannot be read, or is not an object of strings.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join(ENV_FILE);
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
        let bytes = std::fs::read(&path).map_err(named)?;
        let variables = serde_json::from_slice(&bytes).map_err(|e| named(e.into()))?;
        Ok(Self::new(folder, variables))
    }
}

impl Env for FolderEnv {
    fn var(&self, name: &str) -> Option<String> {
        if name == "HOME" {
            return Some("home".to_owned());
        }
        self.variables
            .get(name)
            .filter(|v| !v.trim().is_empty())
            .cloned()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let inside = path
            .components()
            .all(|c| c != std::path::Component::ParentDir);
        // A relative path is looked up in the folder, so that a recording can be moved.
        let path = self.folder.join(path);
        if inside && path.starts_with(&self.folder) {
            std::fs::read(path)
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    /// A recording is read, never written.
    fn write_private(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    /// What `processes.json` says that the command left.
    fn run(&self, command: &str) -> io::Result<Ran> {
        let bytes = std::fs::read(self.folder.join("processes.json"))?;
        let mut known: BTreeMap<String, Ran> = serde_json::from_slice(&bytes)?;
        known
            .remove(command)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The variable TEST_MFA_CODE in the place of a terminal.
    fn ask(&self, _: &str) -> Option<String> {
        self.var("TEST_MFA_CODE")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_env_reads_nothing_outside_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        std::fs::write(folder.path().join("home/file"), "inside").unwrap();
        std::fs::write(folder.path().join(ENV_FILE), r#"{"A": "1", "B": " "}"#).unwrap();
        let env = FolderEnv::open(folder.path()).unwrap();
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
    fn a_folder_may_be_named_from_here_on() {
        // As in `--replay fixtures/demo`; the tests run in the folder of Cargo.toml.
        let env = FolderEnv::new(Path::new("src"), BTreeMap::new());
        assert!(env.read(Path::new("env.rs")).is_ok());
        assert!(env.read(&env.home().unwrap().join("../env.rs")).is_err());
        assert_eq!(env.home(), Some(PathBuf::from("home")));
    }

    #[test]
    fn a_broken_env_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(ENV_FILE), "[]").unwrap();
        let error = FolderEnv::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains("env.json"), "{error}");
    }

    #[test]
    fn a_private_file_is_replaced_in_one_step() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.json");
        std::fs::write(&path, "old and longer").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        let before = std::fs::File::open(&path).unwrap();
        SystemEnv::default().write_private(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            io::read_to_string(before).unwrap(),
            "old and longer",
            "who reads at the time reads the old one whole"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn where_a_private_file_cannot_be_written_the_old_one_stands() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the file's place cannot be replaced by a file.
        let path = folder.path().join("token.json");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("old"), "stands").unwrap();
        assert!(SystemEnv::default().write_private(&path, b"new").is_err());
        assert_eq!(std::fs::read(path.join("old")).unwrap(), b"stands");
        let nowhere = folder.path().join("nowhere/token.json");
        assert!(
            SystemEnv::default()
                .write_private(&nowhere, b"new")
                .is_err()
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn commands_are_run_as_a_shell_does_and_read_nothing() {
        let ran = SystemEnv::default().run("printf x | tr x y").unwrap();
        assert!(ran.ok);
        assert_eq!(ran.stdout, "y");
        let ran = SystemEnv::default().run("cat && echo 'the end'").unwrap();
        assert_eq!(ran.stdout, "the end\n", "stdin is closed");
        let ran = SystemEnv::default()
            .run("echo out; echo why >&2; exit 3")
            .unwrap();
        assert!(!ran.ok);
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str()),
            ("out\n", "why\n")
        );
        let ran = SystemEnv::default().run("/nowhere/at/all").unwrap();
        assert!(!ran.ok, "the shell tells that there is no such command");
        assert!(ran.stderr.contains("/nowhere/at/all"), "{}", ran.stderr);
    }
}
