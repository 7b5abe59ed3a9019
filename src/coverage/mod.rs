//! The coverage: the count and status of every region and type. Source of the CSV, the summary and
//! the report.

mod accepted;
mod account_coverage;
mod cell;
mod classify;
mod comparison;
mod global_types;
mod recorder;
mod recorder_state;
mod region_result;
mod status;
mod totals;
mod type_totals;
mod unknown_types;
mod unlogged;

pub use accepted::{AcceptedGap, AcceptedStatus};
pub use account_coverage::{Completeness, Coverage, RegionCoverage};
pub use cell::Cell;
pub use comparison::{Comparison, ComparisonTotals, Difference};
pub use global_types::GlobalTotal;
pub use recorder::{Recorder, RecordingStatus, recorder_state};
pub use recorder_state::{RecorderState, StaleKind, StaleState};
pub use region_result::RegionResult;
pub use status::{Class, Gap, Status};
pub use totals::Totals;
pub use type_totals::TypeTotal;
pub use unlogged::{Types, Unlogged, UnloggedCounts};

#[cfg(test)]
mod tests;
