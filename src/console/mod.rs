//! Terminal output: check marks, progress bar, summary.

mod bar;
mod comparison;
mod streams;
mod summary;

pub use comparison::comparison;
pub use streams::{Bar, Color, Console, supports_escapes};
pub use summary::summary;

#[cfg(test)]
mod tests;
