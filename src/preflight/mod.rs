//! The eight checks before a scan. All of them run, even after a failure; the scan uses their responses.

mod accounts;
mod check;
mod first_account;
mod identity;
mod open;
mod permission;
mod profiles;
mod recorder;
mod region_names;
mod run;
mod sso;

pub use accounts::{AccountsPreflight, run_accounts};
pub use check::{Check, CheckError, CheckEvent, RefusedRegion, fix_first};
pub use first_account::AccountsReady;
pub use identity::alias;
pub use open::{EarlyAccounts, OpenError, OpenedAccount, open};
pub use region_names::UnknownRegion;
pub use run::{NotReady, Preflight, Ready, run};
