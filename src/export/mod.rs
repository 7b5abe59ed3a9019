//! Rows into bytes, one file a format, and the atomic write on its own.

pub mod atomic;
mod csv;

use crate::model::{Account, ResourceCount};

/// A file format for the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values.
    Csv,
}

impl Format {
    /// What the file's name ends in.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Csv => ".csv",
        }
    }

    /// The file's bytes: only totals above zero, sorted by region, then by type.
    #[must_use]
    pub fn render(self, account: &Account, counts: &[ResourceCount]) -> Vec<u8> {
        let mut rows: Vec<&ResourceCount> = counts.iter().filter(|c| c.total > 0).collect();
        rows.sort();
        match self {
            Self::Csv => csv::render(account, &rows),
        }
    }
}
