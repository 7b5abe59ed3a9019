//! Terminal output: check marks, progress bar, summary.

mod accounts;
mod bar;
mod comparison;
mod live_line;
mod streams;
mod summary;
mod waiting;
mod wrap;

pub use accounts::{
    AccountErrors, AccountSummary, AccountsSummary, MissingGroup, accounts_summary,
};
pub use comparison::comparison;
pub use live_line::{LiveLine, WaitStatus};
pub use streams::{Bar, Color, Console, is_ci, supports_escapes};
pub use summary::{SummaryInput, summary};
pub use waiting::{awaited_call, awaited_regions};
pub use wrap::wrap;

#[cfg(test)]
mod tests;
