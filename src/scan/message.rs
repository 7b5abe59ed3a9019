//! The messages of the workers to the main thread, and its events for the caller.

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

/// A message of a worker.
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
