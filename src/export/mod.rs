//! Output files: tables, a file per format, and the atomic write.

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
    /// Returns the file extension, with the dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Csv => ".csv",
        }
    }

    /// Writes the table to `to`, row by row.
    ///
    /// # Errors
    /// Writing to `to` failed.
    pub fn write(self, table: Table<'_>, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Csv => csv::write(table, to),
        }
    }
}
