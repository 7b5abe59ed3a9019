//! Terminal output: check marks, progress bar, summary.

mod comparison;
mod streams;
mod summary;

pub use comparison::comparison;
pub use streams::{Bar, Color, Console};
pub use summary::summary;

#[cfg(test)]
mod tests;
