//! The content of the output files: rows, CSV, and the JSON report.

mod csv;
mod report;
pub mod rows;

pub use self::csv::write_csv;
pub use report::Report;

#[cfg(test)]
mod tests;
