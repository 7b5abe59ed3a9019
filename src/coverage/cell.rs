//! The count of one region and type.

use std::borrow::Cow;
use std::sync::Arc;

use super::gap::Gap;
use super::status::Status;
use crate::model::Region;

/// The count of one region and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The total, or the reason why it is missing.
    pub value: Value,
    /// The total of the listing, if it is complete.
    pub listed: Option<u64>,
    /// The count from AWS Config's own counts, if they were requested.
    pub counted: Option<u64>,
}

/// The total of a cell, or the reason why it has no total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// The exact total: the recorder is recording the type.
    Exact(u64),
    /// A total that may be stale, incomplete, or not recorded.
    Noted {
        /// The total.
        total: u64,
        /// The reason for the doubt.
        note: Note,
    },
    /// No total, and none is missing: this region does not record the global type.
    CountedElsewhere {
        /// A region that records and counts the same resources.
        region: Region,
    },
    /// The total is missing.
    Missing(Gap),
}

/// A doubt about a total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The resulting status of the region and type.
    pub status: Status,
    /// The reason.
    pub detail: Arc<str>,
}

impl Cell {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> Status {
        match &self.value {
            Value::Exact(total) => Status::from_total(*total),
            Value::Noted { note, .. } => note.status,
            Value::CountedElsewhere { .. } => Status::NotRecorded,
            Value::Missing(gap) => gap.status,
        }
    }

    /// Returns the total, if there is one. The status shows if it may be stale or not recorded.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match self.value {
            Value::Exact(total) | Value::Noted { total, .. } => Some(total),
            Value::CountedElsewhere { .. } | Value::Missing(_) => None,
        }
    }

    /// Returns true if the count is missing: there is no total, and no other region counts the same
    /// resources.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self.value, Value::Missing(_))
    }

    /// Returns true if another region counts the same resources.
    #[must_use]
    pub fn is_counted_elsewhere(&self) -> bool {
        matches!(self.value, Value::CountedElsewhere { .. })
    }

    /// Returns true if the total may be stale or incomplete, because the recorder does not record
    /// the type. (If the recorder is unknown, the region has a note, not the type.)
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let is_exact = matches!(self.status(), Status::Counted | Status::Zero);
        self.total().is_some() && !is_exact
    }

    /// Returns the reason why there is no total, or a note about it; empty if there is neither.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        match &self.value {
            Value::Exact(_) => "".into(),
            Value::Noted { note, .. } => (&*note.detail).into(),
            Value::CountedElsewhere { region } => {
                format!("not recorded here; counted in {region} (global)").into()
            }
            Value::Missing(gap) => (&*gap.detail).into(),
        }
    }
}
