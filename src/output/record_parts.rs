//! The parts of an account's record that only the report and the error log need.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::coverage::{Coverage, Recorder, RegionCoverage};
use crate::error_log::{Entry, timestamp};

/// An entry of the error log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorRecord {
    /// The time, in UTC.
    pub at: String,
    /// The name of the error type.
    pub error_type: String,
    /// The region, if the entry is about one.
    pub region: Option<String>,
    /// The resource type, if the entry is about one.
    pub resource_type: Option<String>,
    /// The message, as one line.
    pub message: String,
    /// The line of the error log, with the account.
    pub line: String,
}

impl ErrorRecord {
    /// Creates the record of an entry of `account`.
    #[must_use]
    pub fn new(entry: &Entry, account: &str) -> Self {
        Self {
            at: timestamp(entry.at),
            error_type: entry.error_type.to_string(),
            region: entry.region.as_ref().map(ToString::to_string),
            resource_type: entry.resource_type.as_ref().map(ToString::to_string),
            message: entry.message(),
            line: entry.line_of_account(account),
        }
    }

    /// Returns the entry as in the report.
    #[must_use]
    pub fn report(&self) -> Value {
        json!({
            "at": self.at,
            "error_type": self.error_type,
            "region": self.region,
            "resource_type": self.resource_type,
            "message": self.message,
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
