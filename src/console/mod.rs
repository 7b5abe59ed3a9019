//! Terminal output: check marks, progress bar, summary.

mod comparison;
mod progress;
mod streams;
mod summary;

pub use comparison::comparison;
pub use progress::Bar;
pub use streams::{Color, Console};
pub use summary::summary;

#[cfg(test)]
mod tests;
