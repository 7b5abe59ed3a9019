//! The status and the class of the count of a region and type, and the reason why a count is missing.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error_log::ErrorType;

/// The status of the count of one region and type; its name in files is like `recorder_missing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The region has at least one resource, and the count is complete.
    Counted,
    /// The region has no resources of the type, and its recorder records the type.
    Zero,
    /// Another region records and counts the global type.
    CountedElsewhere,
    /// The recorder is stopped: a count is stale, and other resources may exist.
    RecorderStopped,
    /// The recorder fails to record.
    RecorderFailed,
    /// The recorder has not recorded yet.
    RecorderPending,
    /// No resources are listed, but it is unknown if the recorder records the type.
    Unverified,
    /// The resources changed while they were listed.
    ChangedWhileListed,
    /// Access was denied.
    AccessDenied,
    /// The region has no configuration recorder.
    RecorderMissing,
    /// The recorder does not record the type.
    NotRecorded,
    /// The region is not enabled for the account.
    RegionDisabled,
    /// The type is not known to exist.
    UnknownType,
    /// All attempts were throttled.
    Throttled,
    /// The network failed.
    ConnectionFailed,
    /// AWS returned an error or an unreadable response.
    Error,
    /// The count was not attempted, because the run stopped or its time was used up.
    NotTried,
}

/// The claim of a count. Every count has one class; its name in files is like `known`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The count is exact, or another region counts the same resources.
    Known,
    /// The count may differ from the actual number.
    Stale,
    /// Nothing is listed, but the type may not be recorded.
    Unverified,
    /// There is no count.
    Missing,
}

impl Class {
    /// All classes.
    pub const ALL: [Self; 4] = [Self::Known, Self::Stale, Self::Unverified, Self::Missing];
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 17] = [
        Self::Counted,
        Self::Zero,
        Self::CountedElsewhere,
        Self::RecorderStopped,
        Self::RecorderFailed,
        Self::RecorderPending,
        Self::Unverified,
        Self::ChangedWhileListed,
        Self::AccessDenied,
        Self::RecorderMissing,
        Self::NotRecorded,
        Self::RegionDisabled,
        Self::UnknownType,
        Self::Throttled,
        Self::ConnectionFailed,
        Self::Error,
        Self::NotTried,
    ];

    /// Returns the status of a count that is missing because of an error of this type.
    #[must_use]
    pub fn from_error_type(error_type: ErrorType) -> Self {
        match error_type {
            ErrorType::Throttle => Self::Throttled,
            ErrorType::Permission => Self::AccessDenied,
            ErrorType::RegionDisabled => Self::RegionDisabled,
            ErrorType::ConfigDisabled => Self::RecorderMissing,
            ErrorType::Connection => Self::ConnectionFailed,
            ErrorType::ScanFailed => Self::NotTried,
            ErrorType::Prerequisite
            | ErrorType::ApiError
            | ErrorType::Fatal
            | ErrorType::Unexpected => Self::Error,
        }
    }

    /// Returns the class of a count with this status.
    #[must_use]
    pub fn class(self, has_total: bool) -> Class {
        match self {
            Self::Counted | Self::Zero | Self::CountedElsewhere => Class::Known,
            Self::Unverified if has_total => Class::Unverified,
            Self::RecorderStopped
            | Self::RecorderFailed
            | Self::RecorderPending
            | Self::ChangedWhileListed
            | Self::RecorderMissing
            | Self::NotRecorded
                if has_total =>
            {
                Class::Stale
            }
            _ => Class::Missing,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The reason why a count is missing: an error, which is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The resulting status of the region and type.
    pub status: Status,
    /// The error type in the log.
    pub error_type: ErrorType,
    /// The error and what to do about it. The cells of a region share it: it has about 100 bytes, and
    /// a large run has 50,000 cells.
    pub detail: Arc<str>,
}

impl Gap {
    /// Creates the gap caused by a logged error of this type.
    #[must_use]
    pub fn new(error_type: ErrorType, detail: &str) -> Self {
        Self {
            status: Status::from_error_type(error_type),
            error_type,
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn status_names_are_unique() {
        let names = BTreeSet::from(Status::ALL.map(|s| s.to_string()));
        assert_eq!(names.len(), 17);
        assert_eq!(Status::NotRecorded.to_string(), "not_recorded");
    }

    #[test]
    fn class_follows_status_and_total() {
        let classes = |has_total| {
            let mut names = Vec::new();
            for class in Class::ALL {
                let statuses = Status::ALL.into_iter();
                names.push(statuses.filter(|s| s.class(has_total) == class).count());
            }
            names
        };
        assert_eq!(classes(true), [3, 6, 1, 7]);
        assert_eq!(classes(false), [3, 0, 0, 14]);
        assert_eq!(Class::Unverified.to_string(), "unverified");
    }

    #[test]
    fn every_error_type_means_a_missing_count() {
        for error_type in ErrorType::ALL {
            let status = Status::from_error_type(error_type);
            assert_eq!(status.class(false), Class::Missing, "{error_type}");
        }
        assert_eq!(
            Status::from_error_type(ErrorType::Permission),
            Status::AccessDenied
        );
        assert_eq!(
            Status::from_error_type(ErrorType::ScanFailed),
            Status::NotTried
        );
    }
}
