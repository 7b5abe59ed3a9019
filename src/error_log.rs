//! The structured error log: the ten types of the specification, the line, the two destinations.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::model::{Region, ResourceType, clean};

/// What kind of incident a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorType {
    /// A prerequisite check failed.
    Prerequisite,
    /// Requests were limited until all attempts were used up.
    Throttle,
    /// Access was denied.
    Permission,
    /// The region is not enabled for the account.
    RegionDisabled,
    /// AWS Config is not enabled in the region.
    ConfigDisabled,
    /// The API answered with another error.
    ApiError,
    /// The network failed.
    Connection,
    /// A region was given up.
    ScanFailed,
    /// The run cannot go on.
    Fatal,
    /// Anything that nobody expected.
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

    /// The name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prerequisite => "PREREQUISITE",
            Self::Throttle => "THROTTLE",
            Self::Permission => "PERMISSION",
            Self::RegionDisabled => "REGION_DISABLED",
            Self::ConfigDisabled => "CONFIG_DISABLED",
            Self::ApiError => "API_ERROR",
            Self::Connection => "CONNECTION",
            Self::ScanFailed => "SCAN_FAILED",
            Self::Fatal => "FATAL",
            Self::Unexpected => "UNEXPECTED",
        }
    }
}

impl fmt::Display for ErrorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One incident; its `Display` is the line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, in UTC.
    pub at: OffsetDateTime,
    /// What kind.
    pub error_type: ErrorType,
    /// In which region, where it is about one.
    pub region: Option<Region>,
    /// For which type, where it is about one.
    pub resource_type: Option<ResourceType>,
    /// What happened and what to do about it: one line.
    pub message: String,
}

/// ISO 8601, to the millisecond.
const TIMESTAMP: &[BorrowedFormatItem] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// The longest message, in characters.
const MAX_MESSAGE: usize = 1500;

/// `at` in UTC: `2026-11-24T00:02:03.456Z`.
///
/// # Panics
/// Never: every time has these parts.
#[must_use]
pub fn timestamp(at: OffsetDateTime) -> String {
    let utc = at.to_offset(time::UtcOffset::UTC);
    utc.format(TIMESTAMP).expect("a time has these parts")
}

impl Entry {
    /// The message on one line, without anything a terminal would act on.
    #[must_use]
    pub fn message(&self) -> String {
        clean(&self.message, MAX_MESSAGE)
    }
}

/// `[timestamp] [ERROR_TYPE] Region: {region}, Resource: {type}, Message: {msg}`
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

/// The error file of a run; it comes into being with its first entry.
pub struct ErrorFile {
    path: PathBuf,
    file: Option<File>,
    /// Keeps a file descriptor for it, where connections take all others.
    spare: Option<File>,
    /// What could not be written yet; each entry is another attempt.
    unwritten: Vec<u8>,
}

impl ErrorFile {
    /// The file at `path`; one of an earlier run is deleted.
    ///
    /// # Errors
    /// There is one, and it cannot be deleted.
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

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether every entry so far stands in the file.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.unwritten.is_empty()
    }

    /// Appends an entry, after those that could not be written before.
    ///
    /// # Errors
    /// It could not be written.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        self.unwritten.extend(format!("{entry}\n").into_bytes());
        self.catch_up()
    }

    /// Writes what could not be written before.
    ///
    /// # Errors
    /// It still cannot.
    pub fn catch_up(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            match self.write() {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                // A part of a line is not written twice.
                Ok(written) => drop(self.unwritten.drain(..written)),
            }
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<usize> {
        if self.file.is_none() {
            self.spare = None;
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .open(&self.path)?;
            self.file = Some(file);
        }
        let written = self.file.as_mut().map(|file| file.write(&self.unwritten));
        written.unwrap_or(Ok(0))
    }
}

impl Drop for ErrorFile {
    fn drop(&mut self) {
        let _ = self.catch_up();
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
    fn the_log_line_with_and_without_region_and_resource() {
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
    fn the_ten_error_types() {
        assert_eq!(
            ErrorType::ALL.map(ErrorType::as_str).join(" "),
            "PREREQUISITE THROTTLE PERMISSION REGION_DISABLED CONFIG_DISABLED API_ERROR CONNECTION \
             SCAN_FAILED FATAL UNEXPECTED"
        );
    }

    #[test]
    fn the_old_error_file_is_deleted_and_the_new_one_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors.txt");
        fs::write(&path, "old\n").unwrap();
        let mut file = ErrorFile::new(path.clone()).unwrap();
        assert!(!path.exists(), "no errors, no file");
        file.append(&entry()).unwrap();
        file.append(&entry()).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{0}\n{0}\n", entry()));
        assert!(file.is_whole());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = ErrorFile::new(folder.path().join("none/errors.txt")).unwrap();
        assert!(file.append(&entry()).is_err());
        assert!(!file.is_whole());
        fs::create_dir(folder.path().join("errors.txt")).unwrap();
        assert!(ErrorFile::new(folder.path().join("errors.txt")).is_err());
    }

    #[test]
    fn what_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later/errors.txt");
        let mut file = ErrorFile::new(path.clone()).unwrap();
        let (first, mut second) = (entry(), entry());
        second.region = None;
        assert!(file.append(&first).is_err());
        assert!(file.catch_up().is_err() && !file.is_whole());
        fs::create_dir(folder.path().join("later")).unwrap();
        file.append(&second).unwrap();
        assert!(file.is_whole());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, format!("{first}\n{second}\n"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_the_message_an_entry_is_one_harmless_line(
            message in prop_oneof![any::<String>(), "[\\x00-\\x1f\\x7f-\\xa0\u{2028}\u{202e}a]*"],
            error_type in select(&ErrorType::ALL[..]),
            place in 0..3,
        ) {
            let mut entry = Entry { error_type, message, ..entry() };
            entry.resource_type = entry.resource_type.filter(|_| place > 1);
            entry.region = entry.region.filter(|_| place > 0);
            let line = entry.to_string();
            prop_assert!(!line.contains(char::is_control), "{line:?}");
            prop_assert!(!line.contains(['\u{2028}', '\u{2029}', '\u{202e}']), "{line:?}");
            let start = format!("[2026-11-24T00:02:03.456Z] [{error_type}] ");
            prop_assert!(line.starts_with(&start), "{line:?}");
        }

        #[test]
        fn a_file_has_a_line_for_each_entry_and_none_is_endless(
            messages in vec(prop_oneof![any::<String>(), "[\n\r\u{85}\u{2028}\u{0b}a]{0,40}", "é{0,3000}"], 1..9),
            seconds in 0..4_000_000_000i64,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let mut file = ErrorFile::new(folder.path().join("errors.txt")).unwrap();
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
                // A character that is not shown as itself takes ten at the most.
                prop_assert!(line.chars().count() < 100 + 10 * MAX_MESSAGE);
                prop_assert!(entry.message.chars().count() > MAX_MESSAGE || !line.ends_with('…')
                    || entry.message.ends_with('…'));
            }
        }
    }
}
