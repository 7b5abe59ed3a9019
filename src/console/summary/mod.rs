//! The summary at the end of a run: the figures, what is missing, stale or unverified and what to do about it, and the
//! reason for the exit code. All of it is computed from the coverage.

mod accepted;
mod figures;
mod gaps;
mod incomplete;
mod input;
mod layout;
mod lines;
mod names;
mod stale;

pub use figures::effort;
pub use input::SummaryInput;
pub use lines::summary;

#[cfg(test)]
mod tests;
