//! The content of the output files and of stdout: rows, CSV, the JSON report, and the table.

pub mod account_list;
mod accounts_report;
mod accounts_table;
pub mod combined;
mod csv;
pub mod earlier_run;
mod record_parts;
mod report;
pub mod rows;
pub mod run_file;
pub mod run_header;
mod run_line;
mod table;

pub use self::csv::{write_csv, write_csv_header, write_csv_rows};
pub use accounts_report::{AccountsReport, AccountsResults};
pub use accounts_table::accounts_table;
pub use report::Report;
pub use table::table;

#[cfg(test)]
mod tests;
