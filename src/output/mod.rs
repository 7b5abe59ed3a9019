//! The content of the output files and of stdout: rows, CSV, the JSON report, and the table.

mod csv;
mod report;
pub mod rows;
mod table;

pub use self::csv::write_csv;
pub use report::Report;
pub use table::table;

#[cfg(test)]
mod tests;
