//! The parallel scan of the regions: [`scheduler`] has the queue and the workers, `region` the state of a region, `step`
//! one step of it, [`recovery`] what to do after an error.

mod account;
mod account_work;
mod feed;
mod message;
mod queue;
mod queue_state;
mod recheck;
mod recorder;
pub mod recovery;
mod region;
pub mod scheduler;
mod step;

pub use account::AccountScan;
pub use feed::{Feed, NotOpened, Opened};
pub use message::{ScanEvent, all_uncounted};
pub use scheduler::{scan, scan_accounts};
pub use step::panic_text;

#[cfg(test)]
mod tests;
