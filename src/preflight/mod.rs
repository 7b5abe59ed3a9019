//! The eight checks before a scan. All of them run, even after a failure; the scan uses their responses.

mod check;
mod identity;
mod permission;
mod recorder;
mod region_names;
mod run;

pub use check::{Check, CheckError, CheckEvent, RefusedRegion, fix_first};
pub use region_names::UnknownRegion;
pub use run::{NotReady, Preflight, Ready, run};
