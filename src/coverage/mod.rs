//! The coverage: the count and status of every region and type. Source of the CSV, the summary and
//! the report.

mod account_coverage;
mod cell;
mod classify;
mod comparison;
mod gap;
mod global_types;
mod recorder;
mod region_coverage;
mod region_result;
mod status;
mod totals;
mod unlogged;

pub use account_coverage::Coverage;
pub use cell::{Cell, Note, Value};
pub use comparison::{Comparison, Difference};
pub use gap::Gap;
pub use global_types::GlobalTotal;
pub use recorder::{Recorder, RecorderState, RecordingStatus, recorder_state};
pub use region_coverage::RegionCoverage;
pub use region_result::RegionResult;
pub use status::Status;
pub use totals::{Group, Totals};
pub use unlogged::UnloggedGap;

#[cfg(test)]
mod tests;
