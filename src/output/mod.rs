//! The content of the output files and of stdout: rows, CSV, the JSON report, and the table.

pub mod combined;
mod csv;
mod report;
pub mod rows;
pub mod run_file;
mod table;

pub use self::csv::{write_csv, write_csv_header, write_csv_rows};
pub use report::Report;
pub use table::table;

#[cfg(test)]
mod tests;
