//! The accounts of a scan of many, as the queue gets them.

use std::sync::{Arc, Mutex};

use super::account::AccountScan;
use crate::accounts::{AccountStatus, ListError, MemberAccount};
use crate::coverage::RegionResult;
use crate::error_log::Entry;
use crate::model::Region;

/// Fetches the next accounts; `None` after the last ones.
pub type NextAccountsFn<'a> =
    dyn FnMut() -> Result<Option<Vec<MemberAccount>>, ListError> + Send + 'a;

/// Opens an account; the number is its position in the list.
pub type OpenAccountFn<'a> =
    dyn Fn(usize, &MemberAccount) -> Result<Opened, NotOpened> + Send + Sync + 'a;

/// Requests the alias of an account; the error is its log entry.
pub type FindAliasFn = dyn FnOnce() -> Result<Option<String>, Entry> + Send;

/// Returns true if an account is to be scanned.
pub type IsScannedFn<'a> = dyn Fn(&MemberAccount) -> bool + Send + Sync + 'a;

/// The accounts of a scan of many.
pub struct Feed<'a> {
    /// Fetches the next accounts. One worker calls it at a time.
    pub next: Mutex<Box<NextAccountsFn<'a>>>,
    /// Returns true if an account is to be scanned; another one is done when it is listed.
    pub is_scanned: Box<IsScannedFn<'a>>,
    /// Opens an account: access and regions. Several workers call it at a time, for different accounts.
    pub open: Box<OpenAccountFn<'a>>,
}

/// An account that can be scanned.
pub struct Opened {
    /// The scan.
    pub scan: Arc<AccountScan>,
    /// The regions to scan.
    pub regions: Vec<Region>,
    /// The results of regions that cannot be scanned.
    pub missing: Vec<RegionResult>,
    /// The number of names that ec2:DescribeRegions returned and that are not region codes.
    pub skipped_regions: usize,
    /// Requests the alias.
    pub find_alias: Box<FindAliasFn>,
    /// Errors that did not prevent the scan.
    pub errors: Vec<Entry>,
}

/// The reason why an account cannot be scanned.
#[derive(Debug)]
pub struct NotOpened {
    /// The status of the account.
    pub status: AccountStatus,
    /// The log entry; `None` if the reason is in the log of another account.
    pub entry: Option<Entry>,
    /// The reason and what to do about it.
    pub detail: String,
}
