//! The structured error log: the ten error types of the specification, the log line, the error
//! file.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::model::{Region, ResourceType};
use crate::text::sanitize;

/// The type of a logged error; its name in the log is in capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    /// Returns the message as one line that is safe to print on a terminal.
    #[must_use]
    pub fn message(&self) -> String {
        sanitize(&self.message, MAX_MESSAGE)
    }
}

/// Formats `[timestamp] [ERROR_TYPE] Region: {region}, Resource: {type}, Message: {msg}`.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] [{}] ", timestamp(self.at), self.error_type)?;
        if let Some(region) = &self.region {
            write!(f, "Region: {region}, ")?;
        }
        if let Some(resource_type) = &self.resource_type {
            write!(f, "Resource: {resource_type}, ")?;
        }
        write!(f, "Message: {}", self.message())
    }
}

/// The error file of a run; created when the first entry is written.
pub struct ErrorFile {
    path: PathBuf,
    file: Option<File>,
    /// Reserves a file descriptor in case connections use all others.
    spare: Option<File>,
    /// The bytes that are not written yet; each new entry retries.
    unwritten: Vec<u8>,
}

impl ErrorFile {
    /// Creates the error file at `path` and deletes the file of an earlier run.
    ///
    /// # Errors
    /// The old file cannot be deleted.
    pub fn new(path: PathBuf) -> io::Result<Self> {
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(Self {
                path,
                file: None,
                spare: File::open("/dev/null").ok(),
                unwritten: Vec::new(),
            }),
        }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true if all entries so far are written.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Appends an entry, after the entries that could not be written before.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.unwritten.extend(format!("{entry}\n").into_bytes());
        self.flush_pending()
    }

    /// Writes the entries that could not be written before.
    ///
    /// # Errors
    /// The file still cannot be written.
    pub fn flush_pending(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            match self.write() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                // Prevents writing the first part of a line twice.
                Ok(written) => drop(self.unwritten.drain(..written)),
            }
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<usize> {
        if self.file.is_none() {
            self.spare = None;
            self.file = Some(File::options().create(true).append(true).open(&self.path)?);
        }
        let written = self.file.as_mut().map(|file| file.write(&self.unwritten));
        written.unwrap_or(Ok(0))
    }
}

impl Drop for ErrorFile {
    fn drop(&mut self) {
        let _ = self.flush_pending();
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
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

    #[test]
    fn new_error_file_replaces_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("errors.txt");
        fs::write(&path, "old\n").unwrap();
        let mut file = ErrorFile::new(path.clone()).unwrap();
        assert!(!path.exists(), "no file without errors");
        file.append(&entry()).unwrap();
        file.append(&entry()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{0}\n{0}\n", entry()));
        assert!(file.is_complete());
    }

    #[test]
    fn unwritable_error_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = ErrorFile::new(dir.path().join("missing/errors.txt")).unwrap();
        assert!(file.append(&entry()).is_err());
        assert!(!file.is_complete());
        fs::create_dir(dir.path().join("errors.txt")).unwrap();
        assert!(ErrorFile::new(dir.path().join("errors.txt")).is_err());
    }

    #[test]
    fn unwritten_entries_are_written_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("later/errors.txt");
        let mut file = ErrorFile::new(path.clone()).unwrap();
        let (first, mut second) = (entry(), entry());
        second.region = None;
        assert!(file.append(&first).is_err());
        assert!(file.flush_pending().is_err() && !file.is_complete());
        fs::create_dir(dir.path().join("later")).unwrap();
        file.append(&second).unwrap();
        assert!(file.is_complete());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{first}\n{second}\n"));
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
        fn file_has_one_bounded_line_per_entry(
            messages in vec(prop_oneof![any::<String>(), "[\n\r\u{85}\u{2028}\u{0b}a]{0,40}", "é{0,3000}"], 1..9),
            seconds in 0..4_000_000_000i64,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut file = ErrorFile::new(dir.path().join("errors.txt")).unwrap();
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            let entries: Vec<_> =
                messages.into_iter().map(|message| Entry { at, message, ..entry() }).collect();
            for entry in &entries {
                file.append(entry).unwrap();
            }
            let text = fs::read_to_string(file.path()).unwrap();
            prop_assert!(text.ends_with('\n'));
            let lines: Vec<_> = text.split_terminator(['\n', '\r', '\u{85}', '\u{2028}']).collect();
            prop_assert_eq!(lines.len(), entries.len());
            for (line, entry) in lines.into_iter().zip(entries) {
                prop_assert_eq!(line, entry.to_string());
                // An escaped character takes at most ten characters.
                prop_assert!(line.chars().count() < 100 + 10 * MAX_MESSAGE);
                prop_assert!(entry.message.chars().count() > MAX_MESSAGE || !line.ends_with('…')
                    || entry.message.ends_with('…'));
            }
        }
    }
}
