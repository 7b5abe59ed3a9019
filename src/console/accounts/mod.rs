//! The console of a run of many accounts: its errors and its summary.

mod errors;
mod figures;
mod input;
mod lines;
mod problems;

pub use errors::AccountErrors;
pub use input::{AccountSummary, AccountsSummary, MissingGroup};
pub use lines::accounts_summary;

#[cfg(test)]
mod tests;
