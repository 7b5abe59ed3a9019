//! Terminal output: check marks, progress bar, summary.

mod bar;
mod comparison;
mod streams;
mod summary;
mod wrap;

pub use comparison::comparison;
pub use streams::{Bar, Color, Console, supports_escapes};
pub use summary::{SummaryInput, summary};
pub use wrap::wrap;

#[cfg(test)]
mod tests;
