//! What a run left.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A run that has ended.
pub struct Outcome {
    /// The exit code; none where a signal ended the process.
    pub code: Option<i32>,
    /// The report.
    pub stdout: String,
    /// Errors and the bar.
    pub stderr: String,
    /// The most memory that it had at one time, in bytes, where the system tells.
    pub peak_memory: Option<u64>,
    /// The folder around the run; it goes with this.
    pub temporary: TempDir,
}

impl Outcome {
    /// The CSV with the counts.
    pub fn csv(&self) -> String {
        let beside = |stem: &str| stem.ends_with("_coverage") || stem.ends_with("_verify");
        let counts = |name: &str| name.strip_suffix(".csv").is_some_and(|stem| !beside(stem));
        self.only(counts).expect("a CSV")
    }

    /// The CSV of `--coverage`.
    pub fn coverage(&self) -> String {
        self.output("_coverage.csv").expect("a coverage file")
    }

    /// The error log; empty where there is none.
    pub fn errors(&self) -> String {
        self.output("_errors.txt").unwrap_or_default()
    }

    /// The one file whose name ends so, if there is one.
    pub fn output(&self, suffix: &str) -> Option<String> {
        self.only(|name| name.ends_with(suffix))
    }

    fn only(&self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let files = self.files();
        let named = |path: &&PathBuf| wanted(&path.to_string_lossy());
        let found: Vec<_> = files.iter().filter(named).collect();
        assert!(found.len() <= 1, "{found:?}");
        Some(std::fs::read_to_string(self.temporary.path().join(found.first()?)).unwrap())
    }

    /// Every file below the run's folder, in its home, output and work folder.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.temporary.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(self.temporary.path()).unwrap().to_owned());
                }
            }
        }
        files.sort();
        files
    }

    /// The folder around the run.
    pub fn folder(&self) -> &Path {
        self.temporary.path()
    }

    /// All that was seen of the run, for a failed assertion.
    pub fn told(&self) -> String {
        format!(
            "exit code {:?}\n--- stdout\n{}--- stderr\n{}--- files {:?}\n--- error log\n{}",
            self.code,
            self.stdout,
            self.stderr,
            self.files(),
            self.errors()
        )
    }
}
