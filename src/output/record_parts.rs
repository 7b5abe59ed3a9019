//! The parts of an account's record: counts, regions and log entries.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::coverage::{Cell, Class, Coverage, Recorder, RegionCoverage, Status};
use crate::error_log::{Entry, ErrorType, timestamp};
use crate::model::{Region, ResourceType};

/// An entry of the error log, as the reports have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// The time, in UTC.
    pub at: String,
    /// The error type.
    pub error_type: ErrorType,
    /// The region, if the entry is about one.
    pub region: Option<String>,
    /// The resource type, if the entry is about one.
    pub resource_type: Option<String>,
    /// The message, as one line.
    pub message: String,
}

impl EntryRecord {
    /// Creates the record of an entry.
    #[must_use]
    pub fn new(entry: &Entry) -> Self {
        Self {
            at: timestamp(entry.at),
            error_type: entry.error_type,
            region: entry.region.as_ref().map(ToString::to_string),
            resource_type: entry.resource_type.as_ref().map(ToString::to_string),
            message: entry.message(),
        }
    }
}

/// An entry of the error log of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The entry.
    #[serde(flatten)]
    pub entry: EntryRecord,
    /// The line of the error log, with the account.
    pub line: String,
}

/// A count of one region and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellRecord {
    /// The region.
    pub region: String,
    /// The resource type.
    pub resource_type: String,
    /// The status.
    pub status: Status,
    /// The class.
    pub class: Class,
    /// True if the count is missing, and `--accept-missing` expects that.
    pub accepted: bool,
    /// The total, if there is one.
    pub total: Option<u64>,
    /// The time since which the recorder has not recorded.
    pub since: Option<String>,
    /// The reason why there is no total, or a note about it.
    pub detail: String,
}

impl CellRecord {
    /// Creates the record of a count.
    #[must_use]
    pub fn new(
        coverage: &Coverage,
        (region, resource_type, cell): (&Region, &ResourceType, &Cell),
    ) -> Self {
        Self {
            region: region.to_string(),
            resource_type: resource_type.to_string(),
            status: cell.status(),
            class: cell.class(),
            accepted: coverage.is_accepted(region, resource_type, cell),
            total: cell.total(),
            since: cell.since().map(timestamp),
            detail: cell.detail().into_owned(),
        }
    }

    /// Returns the count as a region of a report has it.
    #[must_use]
    pub fn report(&self) -> Value {
        json!({
            "resource_type": self.resource_type,
            "status": self.status,
            "class": self.class,
            "accepted": self.accepted,
            "total": self.total,
            "since": self.since,
            "detail": self.detail,
        })
    }
}

/// The facts of a region that its counts do not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionRecord {
    /// The region.
    pub region: String,
    /// The completeness of its counts.
    pub status: String,
    /// The state of its recorder, if it is known.
    pub recorder: Option<String>,
    /// The duration of its scan.
    pub milliseconds: u64,
}

impl RegionRecord {
    /// Creates the record of a region.
    #[must_use]
    pub fn new(coverage: &Coverage, region: &RegionCoverage) -> Self {
        let result = &region.result;
        Self {
            region: result.region.to_string(),
            status: coverage.completeness(region).to_string(),
            recorder: result
                .recorder
                .as_ref()
                .map(|recorder| Recorder::as_str(recorder).to_owned()),
            milliseconds: u64::try_from(result.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
