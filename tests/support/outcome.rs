//! The result of a run of the program.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Returns true for the path `…/aws_config_{kind}_….csv`.
fn is_table(path: &str, kind: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_csv = Path::new(name).extension().is_some_and(|e| e == "csv");
    is_csv && name.starts_with(&format!("aws_config_{kind}_"))
}

/// The result of a run: exit code, output, and files.
pub struct Outcome {
    /// The exit code; `None` if a signal ended the process.
    pub code: Option<i32>,
    /// The text on stdout: checks and summary.
    pub stdout: String,
    /// The text on stderr: errors and the progress bar.
    pub stderr: String,
    /// The peak memory in bytes, if the system reports it.
    pub peak_memory: Option<u64>,
    /// The directory of the run; deleted with this value.
    pub temporary: TempDir,
}

impl Outcome {
    /// Returns the CSV with the counts.
    pub fn csv(&self) -> String {
        let is_counts = |name: &str| is_table(name, "resource_count");
        self.read_only_file(is_counts).expect("a CSV")
    }

    /// Returns the CSV of `--coverage`.
    pub fn coverage(&self) -> String {
        self.table("coverage").expect("a coverage file")
    }

    /// Returns the CSV of `--coverage` (`coverage`) or of `--method verify` (`verify`), if there is
    /// one.
    pub fn table(&self, kind: &str) -> Option<String> {
        self.read_only_file(|name| is_table(name, kind))
    }

    /// Returns the error log; empty if there is no file.
    pub fn errors(&self) -> String {
        self.output("_errors.txt").unwrap_or_default()
    }

    /// Returns the file whose name ends with `suffix`, if there is one; panics if there are more.
    pub fn output(&self, suffix: &str) -> Option<String> {
        self.read_only_file(|name| name.ends_with(suffix))
    }

    /// Reads the only file whose path matches; panics if there are more.
    fn read_only_file(&self, matches: impl Fn(&str) -> bool) -> Option<String> {
        let files = self.files();
        let is_match = |path: &&PathBuf| matches(&path.to_string_lossy());
        let found: Vec<_> = files.iter().filter(is_match).collect();
        assert!(found.len() <= 1, "{found:?}");
        Some(std::fs::read_to_string(self.temporary.path().join(found.first()?)).unwrap())
    }

    /// Lists all files of the run's home, output and current directories, by relative path.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.temporary.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    files.push(path.strip_prefix(self.temporary.path()).unwrap().to_owned());
                }
            }
        }
        files.sort();
        files
    }

    /// Asserts that the run ended with exit code 0 and logged no error.
    pub fn assert_no_errors(&self) {
        let expected = (Some(0), String::new());
        assert_eq!((self.code, self.errors()), expected, "{}", self.describe());
    }

    /// Returns the directory of the run.
    pub fn directory(&self) -> &Path {
        self.temporary.path()
    }

    /// Describes the whole run, for the message of a failed assertion.
    pub fn describe(&self) -> String {
        format!(
            "exit code {:?}\n--- stdout\n{}--- stderr\n{}--- files {:?}\n--- error log\n{}",
            self.code,
            self.stdout,
            self.stderr,
            self.files(),
            self.errors()
        )
    }

    /// Returns the message of the interrupt that ended the run, which is the last line of stderr.
    pub fn interrupt_message(&self) -> &str {
        let last = self.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("Interrupted"), "{}", self.describe());
        assert!(self.stderr.ends_with(".\n"), "{}", self.describe());
        last
    }
}
