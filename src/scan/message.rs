//! The events of a scan, and the texts about types that were not counted.

use super::feed::NotOpened;
use crate::accounts::{ListError, MemberAccount};
use crate::advice;
use crate::coverage::RegionResult;
use crate::error_log::Entry;
use crate::model::{Region, ResourceType};
use crate::text::{list, pluralize};

/// An event of a scan, sent by a worker. The number of an account is its position in the list.
pub enum ScanEvent {
    /// The next accounts of the list.
    Listed(Vec<MemberAccount>),
    /// The list is complete, or the reason why it is not.
    ListEnded(Result<(), ListError>),
    /// The scan of an account begins.
    Opened {
        /// The number.
        number: usize,
        /// The number of regions to scan.
        regions: usize,
        /// The number of skipped region names.
        skipped_regions: usize,
    },
    /// The alias of an account.
    Alias(usize, Option<String>),
    /// An account cannot be scanned, or its results are not used.
    NotOpened(usize, NotOpened),
    /// A log entry of an account.
    Logged(usize, Entry),
    /// A region is finished: its last call has ended.
    RegionFinished(Region),
    /// An account is done: one result per region.
    Done(usize, Vec<RegionResult>),
    /// Time has passed without another event.
    Waiting,
}

/// Returns a text that names the types that were not counted; `named` is `None` if all types were to be counted.
pub(super) fn uncounted(result: &RegionResult, named: Option<&[ResourceType]>) -> String {
    let Some(named) = named else {
        return all_uncounted(None);
    };
    let is_counted = |t: &&ResourceType| matches!(result.listed.get(*t), Some(Ok(_)));
    let missing: Vec<_> = named.iter().filter(|t| !is_counted(t)).collect();
    if missing.len() == named.len() {
        return all_uncounted(Some(named));
    }
    let count = pluralize(missing.len(), "type");
    format!("{count} not counted ({})", list(missing, advice::NAMED))
}

/// Returns a text that all types were not counted; `named` is `None` if all types were to be counted.
#[must_use]
pub fn all_uncounted(named: Option<&[ResourceType]>) -> String {
    match named {
        None => "its types not counted".to_owned(),
        Some([only]) => format!("1 type not counted ({only})"),
        Some(named) => format!("all {} not counted", pluralize(named.len(), "type")),
    }
}
