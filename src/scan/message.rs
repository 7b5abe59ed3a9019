//! The messages of the workers to the main thread, and its events for the caller.

use super::feed::{NotOpened, Opened};
use crate::accounts::{ListError, MemberAccount};
use crate::advice;
use crate::coverage::RegionResult;
use crate::error_log::Entry;
use crate::model::{Region, ResourceType};
use crate::text::{list, pluralize};

/// An event of a scan in progress.
pub enum ScanEvent {
    /// A log entry.
    Logged(Entry),
    /// A region is finished: its last call has ended.
    Finished(Region),
    /// Time has passed without another event.
    Waiting,
}

/// A message of a worker. The number of an account is its position in the list.
pub(super) enum Message {
    /// The next accounts of the list.
    Listed(Vec<MemberAccount>),
    /// The list is complete, or the reason why it is not.
    ListEnded(Result<(), ListError>),
    /// An account was opened.
    Opened(usize, Box<Opened>),
    /// An account cannot be opened.
    NotOpened(usize, NotOpened),
    /// A message about a region of an account.
    Scan(usize, ScanMessage),
    /// All regions of an account are finished.
    Done(usize),
}

/// A message about a region.
pub(super) enum ScanMessage {
    /// A log entry.
    Logged(Entry),
    /// A region is finished: its last call has ended.
    Finished(Box<RegionResult>),
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
