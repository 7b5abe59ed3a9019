//! Rows into bytes, one file a format, and the atomic write on its own.

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

    /// The file's bytes.
    #[must_use]
    pub fn render(self, table: Table<'_>) -> Vec<u8> {
        match self {
            Self::Csv => csv::render(table),
        }
    }
}
