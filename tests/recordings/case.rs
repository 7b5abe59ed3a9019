//! A recorded run of the table.

use std::fs;
use std::path::{Path, PathBuf};

/// A recorded run.
pub struct Case {
    /// The directory in `fixtures`.
    pub name: &'static str,
    /// The directory in `fixtures/_base` that the case is laid over.
    pub base: Option<&'static str>,
    /// The command-line arguments without `--replay` and `--output-dir`.
    pub args: &'static [&'static str],
    pub exit_code: u8,
}

impl Case {
    /// Returns the fixture directory relative to the package root, as on a user's command line.
    pub fn path(&self) -> PathBuf {
        Path::new("fixtures").join(self.name)
    }

    /// Returns the directory of the base.
    pub fn base_path(&self) -> Option<PathBuf> {
        Some(Path::new("fixtures/_base").join(self.base?))
    }

    /// Returns what is recorded and what the result must be.
    pub fn description(&self) -> String {
        let text = fs::read_to_string(self.path().join("case.md"));
        let text = text.unwrap_or_else(|e| panic!("{}/case.md: {e}", self.name));
        let line = text.strip_suffix(".\n").filter(|l| !l.contains('\n'));
        assert!(
            line.is_some(),
            "{}: not one sentence in one line",
            self.name
        );
        text.trim_end().to_owned()
    }

    pub fn expected(&self, file: &str) -> Option<Vec<u8>> {
        let path = self.path().join(file);
        path.exists().then(|| fs::read(&path).unwrap())
    }
}
