//! The structured error log: the ten error types of the specification and the log line.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::model::{Region, ResourceType};
use crate::text::sanitize;

/// The type of a logged error; its name in the log is in capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorType {
    /// A prerequisite check failed.
    Prerequisite,
    /// All attempts of a request were throttled.
    Throttle,
    /// Access was denied.
    Permission,
    /// The region is not enabled for the account.
    RegionDisabled,
    /// AWS Config is not enabled in the region.
    ConfigDisabled,
    /// The API returned another error.
    ApiError,
    /// The network failed.
    Connection,
    /// The scan of a region was abandoned.
    ScanFailed,
    /// The run cannot continue.
    Fatal,
    /// An unexpected response or an internal error.
    Unexpected,
}

impl ErrorType {
    /// All types, in the order of the specification.
    pub const ALL: [Self; 10] = [
        Self::Prerequisite,
        Self::Throttle,
        Self::Permission,
        Self::RegionDisabled,
        Self::ConfigDisabled,
        Self::ApiError,
        Self::Connection,
        Self::ScanFailed,
        Self::Fatal,
        Self::Unexpected,
    ];
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// One log entry; its `Display` is the line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The time, in UTC.
    pub at: OffsetDateTime,
    /// The error type.
    pub error_type: ErrorType,
    /// The region, if the entry is about one.
    pub region: Option<Region>,
    /// The resource type, if the entry is about one.
    pub resource_type: Option<ResourceType>,
    /// The error and what to do about it.
    pub message: String,
}

/// ISO 8601 with milliseconds.
const TIMESTAMP: &[BorrowedFormatItem] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The maximum length of a message, in characters.
const MAX_MESSAGE: usize = 1500;

/// Formats `at` in UTC, for example `2026-11-24T00:02:03.456Z`.
///
/// # Panics
/// Does not panic: every time can be formatted this way.
#[must_use]
pub fn timestamp(at: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    utc.format(TIMESTAMP).expect("every time can be formatted")
}

impl Entry {
    /// Creates an entry that is about no region and no type.
    #[must_use]
    pub fn new(at: OffsetDateTime, error_type: ErrorType, message: String) -> Self {
        Self {
            at,
            error_type,
            region: None,
            resource_type: None,
            message,
        }
    }

    /// Returns the message as one line that is safe to print on a terminal.
    #[must_use]
    pub fn message(&self) -> String {
        sanitize(&self.message, MAX_MESSAGE)
    }
}

/// Formats `[timestamp] [ERROR_TYPE] Region: {region}, Resource: {type}, Message: {msg}`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(None, f)
    }
}

impl Entry {
    /// Returns the line with the account before the region: `[timestamp] [ERROR_TYPE] Account: {account}, Region: …`.
    #[must_use]
    pub fn line_of_account(&self, account: &str) -> String {
        let mut line = String::new();
        // Writing to a string does not fail.
        let _ = self.write(Some(account), &mut line);
        line
    }

    fn write(&self, account: Option<&str>, f: &mut dyn fmt::Write) -> fmt::Result {
        write!(f, "[{}] [{}] ", timestamp(self.at), self.error_type)?;
        if let Some(account) = account {
            write!(f, "Account: {account}, ")?;
        }
        if let Some(region) = &self.region {
            write!(f, "Region: {region}, ")?;
        }
        if let Some(resource_type) = &self.resource_type {
            write!(f, "Resource: {resource_type}, ")?;
        }
        write!(f, "Message: {}", self.message())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn entry() -> Entry {
        Entry {
            at: time::macros::datetime!(2026-11-24 01:02:03.456789 +01:00),
            error_type: ErrorType::Permission,
            region: Some("eu-west-1".parse().unwrap()),
            resource_type: Some("AWS::S3::Bucket".parse().unwrap()),
            message: "no\nway\u{1b}[2J".to_owned(),
        }
    }

    #[test]
    fn log_line_omits_missing_region_and_type() {
        let mut entry = entry();
        assert_eq!(
            entry.to_string(),
            "[2026-11-24T00:02:03.456Z] [PERMISSION] Region: eu-west-1, Resource: \
             AWS::S3::Bucket, Message: no way\\u{1b}[2J"
        );
        entry.resource_type = None;
        assert_eq!(
            entry.to_string(),
            "[2026-11-24T00:02:03.456Z] [PERMISSION] Region: eu-west-1, Message: no way\\u{1b}[2J"
        );
        entry.region = None;
        assert_eq!(
            entry.to_string(),
            "[2026-11-24T00:02:03.456Z] [PERMISSION] Message: no way\\u{1b}[2J"
        );
    }

    #[test]
    fn error_types_match_the_specification() {
        assert_eq!(
            ErrorType::ALL.map(|t| t.to_string()).join(" "),
            "PREREQUISITE THROTTLE PERMISSION REGION_DISABLED CONFIG_DISABLED API_ERROR CONNECTION \
             SCAN_FAILED FATAL UNEXPECTED"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_message_is_one_safe_line(
            message in prop_oneof![any::<String>(), "[\\x00-\\x1f\\x7f-\\xa0\u{2028}\u{202e}a]*"],
            error_type in select(&ErrorType::ALL[..]),
            known_fields in 0..3,
        ) {
            let mut entry = Entry { error_type, message, ..entry() };
            entry.resource_type = entry.resource_type.filter(|_| known_fields > 1);
            entry.region = entry.region.filter(|_| known_fields > 0);
            let line = entry.to_string();
            prop_assert!(!line.contains(char::is_control), "{line:?}");
            prop_assert!(!line.contains(['\u{2028}', '\u{2029}', '\u{202e}']), "{line:?}");
            let start = format!("[2026-11-24T00:02:03.456Z] [{error_type}] ");
            prop_assert!(line.starts_with(&start), "{line:?}");
        }

        #[test]
        fn any_entry_is_one_bounded_line(
            message in prop_oneof![any::<String>(), "[\n\r\u{85}\u{2028}\u{0b}a]{0,40}", "é{0,3000}"],
            seconds in 0..4_000_000_000i64,
        ) {
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let entry = Entry { at, message, ..entry() };
            let line = entry.to_string();
            let breaks = ['\n', '\r', '\u{85}', '\u{2028}'];
            prop_assert!(!line.contains(breaks));
            // An escaped character takes at most ten characters.
            prop_assert!(line.chars().count() < 100 + 10 * MAX_MESSAGE);
            prop_assert!(entry.message.chars().count() > MAX_MESSAGE || !line.ends_with('…')
                || entry.message.ends_with('…'));
        }
    }
}
