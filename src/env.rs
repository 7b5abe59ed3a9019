//! The environment: variables, files and commands behind a trait, so that tests do not use the real
//! ones.

mod command;
mod read;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

pub use command::CommandOutput;

use crate::interrupt::Interrupt;
use crate::sync::lock;

/// A source of variables, files and command output.
pub trait Env: Send + Sync {
    /// Returns the variable `name`; an empty or blank variable counts as absent, as in the AWS CLI.
    fn var(&self, name: &str) -> Option<String>;

    /// Returns true if the variable `name` is set, also if it is empty.
    fn is_set(&self, name: &str) -> bool {
        self.var(name).is_some()
    }

    /// Reads the file at `path`. A FIFO may block until it has a writer, or until an interrupt.
    ///
    /// # Errors
    /// The file cannot be read, or is larger than 16 MiB; `NotFound` if it does not exist.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Reads the regular file at `path`, without blocking.
    ///
    /// # Errors
    /// Those of [`Self::read`]; or the file is not a regular one.
    fn read_regular(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.read(path)
    }

    /// Replaces the file at `path` atomically; only its owner can read it (mode 0600).
    ///
    /// # Errors
    /// The file cannot be written; the old file is then unchanged.
    fn write_private(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Runs a command line in a shell and waits for it to exit; `elapsed` is the time of the run. The stdin of the
    /// command is the terminal, if the program's is.
    ///
    /// # Errors
    /// The command cannot be started. It runs longer than `limit` (`TimedOut`), prints more than 1 MiB
    /// (`FileTooLarge`), or the run is interrupted (`Interrupted`); its processes are then ended.
    fn run(
        &self,
        command: &str,
        limit: Duration,
        elapsed: &dyn Fn() -> Duration,
    ) -> io::Result<CommandOutput>;

    /// Prompts the user on the terminal and returns the input; `None` without a terminal.
    fn prompt(&self, question: &str) -> Option<String>;

    /// Returns the user's home directory: HOME, else USERPROFILE.
    fn home(&self) -> Option<PathBuf> {
        let home = self.var("HOME").or_else(|| self.var("USERPROFILE"));
        home.map(PathBuf::from)
    }
}

/// The environment of the process. The interrupt tracks the temporary files, which
/// [`Interrupt::listen`] removes.
#[derive(Default)]
pub struct SystemEnv(pub Interrupt);

/// Held during a prompt: several profiles may need a code at a time.
static PROMPTING: Mutex<()> = Mutex::new(());

impl Env for SystemEnv {
    fn var(&self, name: &str) -> Option<String> {
        // Invalid Unicode does not count as absent, because an unreadable proxy variable is an
        // error.
        let value = std::env::var_os(name)?.to_string_lossy().into_owned();
        Some(value).filter(|v| !v.trim().is_empty())
    }

    fn is_set(&self, name: &str) -> bool {
        std::env::var_os(name).is_some()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read::any(path, &self.0)
    }

    fn read_regular(&self, path: &Path) -> io::Result<Vec<u8>> {
        read::regular(path)
    }

    /// Returns HOME, else the home directory in the user database, else USERPROFILE. An empty HOME is the root, as in the
    /// AWS CLI.
    fn home(&self) -> Option<PathBuf> {
        match std::env::var_os("HOME") {
            Some(home) if home.is_empty() => Some(PathBuf::from("/")),
            Some(home) => Some(home.into()),
            // HOME is not set, so this is the entry in the user database.
            None => std::env::home_dir().or_else(|| self.var("USERPROFILE").map(PathBuf::from)),
        }
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

    fn run(
        &self,
        command: &str,
        limit: Duration,
        elapsed: &dyn Fn() -> Duration,
    ) -> io::Result<CommandOutput> {
        command::run(command, limit, elapsed, &self.0)
    }

    fn prompt(&self, question: &str) -> Option<String> {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return None;
        }
        let _prompting = lock(&PROMPTING);
        eprint!("{question}");
        let input = self.0.run(|| {
            let mut input = String::new();
            io::stdin().read_line(&mut input)?;
            Ok(input)
        });
        if input.is_err() {
            // The next message does not follow the question.
            eprintln!();
        }
        Some(input.ok()?.trim().to_owned())
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

    const LIMIT: Duration = Duration::from_mins(2);

    fn run(command: &str) -> io::Result<CommandOutput> {
        SystemEnv::default().run(command, LIMIT, &|| Duration::ZERO)
    }

    fn make_fifo(path: impl AsRef<std::path::Path>) {
        let made = std::process::Command::new("mkfifo")
            .arg(path.as_ref())
            .status();
        assert!(made.unwrap().success());
    }

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
        let output = run("printf x | tr x y").unwrap();
        assert!(output.ok);
        assert_eq!(output.stdout.expose(), "y");
        let output = run("cat && echo 'the end'").unwrap();
        assert_eq!(output.stdout.expose(), "the end\n", "stdin is closed");
        let output = run("echo out; echo why >&2; exit 3").unwrap();
        assert!(!output.ok);
        assert_eq!(
            (output.stdout.expose(), output.stderr.as_str()),
            ("out\n", "why\n")
        );
        let output = run("/nowhere/at/all").unwrap();
        assert!(!output.ok, "the shell reports the missing command");
        assert!(
            output.stderr.contains("/nowhere/at/all"),
            "{}",
            output.stderr
        );
    }

    #[test]
    fn slow_command_is_ended_with_its_processes() {
        let dir = tempfile::tempdir().unwrap();
        let alive = dir.path().join("alive");
        make_fifo(&alive);
        // Each process keeps the FIFO open for writing as long as it lives.
        let reader = std::thread::spawn({
            let alive = alive.clone();
            move || std::fs::read(alive).unwrap()
        });
        let command = format!(
            "exec 3>'{}'; trap '' TERM; sleep 600 & sh -c 'sleep 600; :' & sleep 600; :",
            alive.display()
        );
        let calls = std::cell::Cell::new(0);
        // The clock passes the limit when the processes have had time to start.
        let elapsed = || {
            calls.set(calls.get() + 1);
            Duration::from_secs(if calls.get() > 10 { 121 } else { calls.get() })
        };
        let error = SystemEnv::default().run(&command, LIMIT, &elapsed);
        let error = error.err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "no result within 120 seconds");
        assert_eq!(reader.join().unwrap(), b"", "no process has the FIFO open");
    }

    #[test]
    fn command_has_two_minutes() {
        let calls = std::cell::Cell::new(0);
        let elapsed = || {
            calls.set(calls.get() + 1);
            Duration::from_secs(if calls.get() > 1 { 1119 } else { 1000 })
        };
        let output = SystemEnv::default().run("echo done", LIMIT, &elapsed);
        assert_eq!(output.unwrap().stdout.expose(), "done\n");
    }

    #[test]
    fn output_of_command_is_limited() {
        for stream in ["", " >&2"] {
            let exact = format!("head -c 1048576 /dev/zero{stream}");
            let output = run(&exact).unwrap();
            let length = output.stdout.expose().len() + output.stderr.len();
            assert_eq!(length, 1 << 20);
            for more in ["head -c 1048577 /dev/zero", "yes", "cat /dev/zero"] {
                let error = run(&format!("{more}{stream}")).err().unwrap();
                assert_eq!(error.to_string(), "printed more than 1 MiB", "{more}");
            }
        }
    }

    #[test]
    fn interrupt_ends_command_and_read() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        make_fifo(&fifo);
        let env = SystemEnv::default();
        env.0.raise(15);
        let error = env
            .run("sleep 600", LIMIT, &|| Duration::ZERO)
            .err()
            .unwrap();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
        assert!(env.0.commands().is_empty());
        let error = env.read(&fifo).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn signal_that_ends_command_ends_run() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        make_fifo(&fifo);
        let env = SystemEnv::default();
        let (calls, signals) = (std::cell::Cell::new(0), env.0.clone());
        // The first call is before the start of the command; at the second one it ends.
        let elapsed = || {
            calls.set(calls.get() + 1);
            if calls.get() == 2 {
                assert_eq!(std::fs::read(&fifo).unwrap(), b"");
                signals.raise(2);
            }
            Duration::ZERO
        };
        let command = format!("exec 3>{}; exit 1", fifo.display());
        let error = env.run(&command, LIMIT, &elapsed).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn reads_are_bounded_and_do_not_block() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name| dir.path().join(name);
        let env = SystemEnv::default();
        make_fifo(path("fifo"));
        std::fs::write(path("file"), "text").unwrap();
        std::os::unix::fs::symlink("file", path("link")).unwrap();
        std::os::unix::fs::symlink("nothing", path("dangling")).unwrap();
        std::fs::File::create(path("large"))
            .unwrap()
            .set_len((16 << 20) + 1)
            .unwrap();
        for name in ["file", "link"] {
            assert_eq!(env.read_regular(&path(name)).unwrap(), b"text");
            assert_eq!(env.read(&path(name)).unwrap(), b"text");
        }
        for (name, reason) in [
            (".", "is a directory"),
            ("fifo", "not a regular file"),
            ("dangling", "symbolic link to a missing file"),
            ("large", "larger than 16 MiB"),
        ] {
            let error = env.read_regular(&path(name)).unwrap_err();
            assert_eq!(error.to_string(), reason, "{name}");
        }
        for endless in [Path::new("/dev/zero"), &path("large")] {
            assert_eq!(
                env.read(endless).unwrap_err().to_string(),
                "larger than 16 MiB"
            );
        }
        let zero = env.read_regular(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(zero.to_string(), "not a regular file");
        assert!(
            env.read_regular(&path("missing"))
                .unwrap_err()
                .get_ref()
                .is_none()
        );
    }
}
