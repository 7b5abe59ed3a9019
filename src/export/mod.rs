//! Rows into bytes, one file a format, and the atomic write on its own.

use std::io::{self, Write};

pub mod atomic;
mod csv;
mod table;

pub use table::Table;

/// A file format.
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

    /// Writes the file's bytes, row after row.
    ///
    /// # Errors
    /// `to` does not take them.
    pub fn write(self, table: Table<'_>, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv => csv::write(table, to),
        }
    }
}
