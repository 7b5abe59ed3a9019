//! The messages of the workers to the main thread.

use crate::coverage::RegionResult;
use crate::error_log::Entry;
use crate::model::Region;

/// A message of a scan in progress.
pub enum ScanMessage {
    /// A log entry.
    Logged(Entry),
    /// The counting of a region has ended.
    Counted(Region),
    /// A region is finished, its recorder included.
    Finished(Box<RegionResult>),
}
