//! The coverage: the count and status of every region and type. Source of the CSV, the summary and
//! the report.

mod account_coverage;
mod cell;
mod classify;
mod comparison;
mod global_types;
mod recorder;
mod region_result;
mod status;
mod totals;

pub use account_coverage::{Coverage, RegionCoverage};
pub use cell::Cell;
pub use comparison::{Comparison, Difference};
pub use global_types::GlobalTotal;
pub use recorder::{Recorder, RecorderState, RecordingStatus, recorder_state};
pub use region_result::RegionResult;
pub use status::{Gap, Status};
pub use totals::{Group, Totals, UnloggedGap};

#[cfg(test)]
mod tests;
