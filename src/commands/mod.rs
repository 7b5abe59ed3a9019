//! One file per command, readable as the steps of the specification.

mod account_files;
mod account_opener;
mod account_tally;
mod accounts;
mod accounts_outputs;
mod accounts_progress;
mod accounts_run;
mod combined;
mod context;
mod count;
mod count_accounts;
mod earlier_files;
mod error_reporter;
mod exit;
mod guard;
mod heartbeat;
pub mod iam_policy;
mod output_paths;
mod outputs;
mod resume;
mod run_state;
mod scan_regions;
mod verdict;

pub use exit::Exit;
pub use guard::run_guarded;
