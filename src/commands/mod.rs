//! One file per command, readable as the steps of the specification.

mod context;
mod count;
mod error_reporter;
mod exit;
mod heartbeat;
pub mod iam_policy;
mod output_paths;
mod outputs;
mod run_state;
mod scan_regions;
mod verdict;

pub use count::{run, run_guarded};
pub use exit::Exit;
