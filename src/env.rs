//! The environment: variables, files and commands behind a trait, so that tests do not use the real
//! ones.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::interrupt::Interrupt;
use crate::secret::Secret;

/// A source of variables, files and command output.
pub trait Env: Send + Sync {
    /// Returns the variable `name`; an empty or blank variable counts as absent, as in the AWS CLI.
    fn var(&self, name: &str) -> Option<String>;

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read; `NotFound` if it does not exist.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Replaces the file at `path` atomically; only its owner can read it (mode 0600).
    ///
    /// # Errors
    /// The file cannot be written; the old file is then unchanged.
    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Runs a command line in a shell and waits for it to exit.
    ///
    /// # Errors
    /// The command cannot be started.
    fn run(&self, command: &str) -> io::Result<CommandOutput>;

    /// Prompts the user on the terminal and returns the input; `None` without a terminal.
    fn prompt(&self, question: &str) -> Option<String>;

    /// Returns the user's home directory: HOME, else USERPROFILE.
    fn home(&self) -> Option<PathBuf> {
        let home = self.var("HOME").or_else(|| self.var("USERPROFILE"));
        home.map(PathBuf::from)
    }
}

/// The exit status and output of a command.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandOutput {
    /// True if the exit code was 0.
    pub ok: bool,
    /// The standard output.
    pub stdout: Secret,
    /// The standard error output.
    pub stderr: String,
}

/// The environment of the process. The interrupt tracks the temporary files, which
/// [`Interrupt::listen`] removes.
#[derive(Default)]
pub struct SystemEnv(pub Interrupt);

impl Env for SystemEnv {
    fn var(&self, name: &str) -> Option<String> {
        // Invalid Unicode does not count as absent, because an unreadable proxy variable is an
        // error.
        let value = std::env::var_os(name)?.to_string_lossy().into_owned();
        Some(value).filter(|v| !v.trim().is_empty())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // An immediate exit waits until the file is written.
        let _locked = self.0.temp_files();
        let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
        let result = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&temporary, path));
        if result.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        result
    }

    fn run(&self, command: &str) -> io::Result<CommandOutput> {
        let output = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .output()?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Ok(CommandOutput {
            ok: output.status.success(),
            stdout: text(&output.stdout).into(),
            stderr: text(&output.stderr),
        })
    }

    fn prompt(&self, question: &str) -> Option<String> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return None;
        }
        eprint!("{question}");
        let mut input = String::new();
        io::stdin().read_line(&mut input).ok()?;
        Some(input.trim().to_owned())
    }
}

/// Returns `path` with `$NAME` and `${NAME}` replaced by their values. Unset variables are
/// unchanged, as in Python's `os.path.expandvars`.
pub fn expand_variables(env: &dyn Env, path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (name, after) = split_variable(&from[1..]);
        match env.var(name) {
            Some(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&from[..from.len() - after.len()]),
        }
        rest = after;
    }
    out + rest
}

/// Splits `text`, which follows a `$`, into the name of the variable and the rest.
fn split_variable(text: &str) -> (&str, &str) {
    let braced = text.strip_prefix('{').and_then(|t| t.split_once('}'));
    let other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    braced.unwrap_or_else(|| text.split_at(text.find(other).unwrap_or(text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_file_is_replaced_atomically() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token.json");
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
            "an open reader still reads the complete old file"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn failed_write_keeps_old_file() {
        let dir = tempfile::tempdir().unwrap();
        // A directory cannot be replaced by a file.
        let path = dir.path().join("token.json");
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("old"), "unchanged").unwrap();
        assert!(SystemEnv::default().write_private(&path, b"new").is_err());
        assert_eq!(std::fs::read(path.join("old")).unwrap(), b"unchanged");
        let nowhere = dir.path().join("nowhere/token.json");
        assert!(
            SystemEnv::default()
                .write_private(&nowhere, b"new")
                .is_err()
        );
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no temporary file remains"
        );
    }

    #[test]
    fn commands_run_in_shell_without_stdin() {
        let output = SystemEnv::default().run("printf x | tr x y").unwrap();
        assert!(output.ok);
        assert_eq!(output.stdout.expose(), "y");
        let output = SystemEnv::default().run("cat && echo 'the end'").unwrap();
        assert_eq!(output.stdout.expose(), "the end\n", "stdin is closed");
        let output = SystemEnv::default()
            .run("echo out; echo why >&2; exit 3")
            .unwrap();
        assert!(!output.ok);
        assert_eq!(
            (output.stdout.expose(), output.stderr.as_str()),
            ("out\n", "why\n")
        );
        let output = SystemEnv::default().run("/nowhere/at/all").unwrap();
        assert!(!output.ok, "the shell reports the missing command");
        assert!(
            output.stderr.contains("/nowhere/at/all"),
            "{}",
            output.stderr
        );
    }
}
