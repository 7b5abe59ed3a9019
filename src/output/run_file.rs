//! The run file of a run of many accounts: one JSON object per line, appended as it happens. The combined files are made
//! from it, so that memory does not grow with the number of accounts, and `--resume` continues it.
//!
//! The lines are the header, the IDs of each page of the list, the end of the list, and each account when it is finished.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record_parts::{CellRecord, EntryRecord, ErrorRecord, RegionRecord};
use super::run_header::RunHeader;
use super::run_line::{from_line, to_line};
use crate::accounts::{AccountStatus, MemberAccount, UnitNames, UnusableProfile};
use crate::atomic_file::{Destination, PendingFile};
use crate::coverage::{Class, ComparisonTotals, Coverage};
use crate::error_log::{Entry, ErrorType};
use crate::interrupt::Interrupt;
use crate::model::{Account, AccountId};

/// The maximum length of a line, in bytes: an account of 40 regions with 1,000 types needs about 10 MB.
pub(super) const MAX_LINE: u64 = 100_000_000;

/// A line of a run file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line<Header, Id, Record> {
    /// The header, which is the first line.
    Header(Header),
    /// The accounts of a page of the list.
    Page(Vec<Id>),
    /// The list is complete: the number of accounts.
    ListComplete(usize),
    /// A finished account.
    Account(Record),
}

/// A line that is written.
pub type NewLine<'a> = Line<&'a RunHeader, &'a AccountId, &'a AccountRecord>;

/// A line that was read.
pub type OldLine = Line<RunHeader, String, Box<AccountRecord>>;

/// A finished account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRecord {
    /// The account ID.
    pub account: String,
    /// The alias as it appears in output files; empty if the account has no alias.
    pub alias: String,
    /// The account ID with the alias, as in the names of its files.
    pub file_stem: String,
    /// The name in the organization, as one line.
    pub name: String,
    /// The IDs of the units above the account.
    pub ou_path: String,
    /// The state, such as `ACTIVE`.
    pub state: String,
    /// The way in which the account was accessed: `caller` or `role NAME`.
    pub access: String,
    /// The status.
    pub status: AccountStatus,
    /// The number of regions.
    pub regions: usize,
    /// The numbers of known, stale, unverified and missing counts.
    pub counts: [usize; 4],
    /// The number of names that ec2:DescribeRegions returned and that are not region codes.
    pub skipped_regions: usize,
    /// The comparison of listings and counts, with `--method verify`.
    pub comparison: ComparisonTotals,
    /// The sum of all totals, with each global resource counted once; `None` if there is no count.
    pub total: Option<u64>,
    /// The reason why the account is not complete, and what to do about it.
    pub detail: String,
    /// The counts.
    pub cells: Vec<CellRecord>,
    /// The regions, without their counts.
    pub by_region: Vec<RegionRecord>,
    /// The log entries.
    pub errors: Vec<ErrorRecord>,
    /// False if a file of the account could not be written; then the account is scanned again by `--resume`.
    pub has_files: bool,
}

impl AccountRecord {
    /// Creates the record of an account that was not scanned.
    #[must_use]
    pub fn not_scanned(
        member: &MemberAccount,
        access: String,
        status: AccountStatus,
        detail: String,
    ) -> Self {
        Self {
            name: member.name.clone(),
            ou_path: member.ou_path(),
            state: member.state.clone(),
            ..Self::without_counts(member.id.to_string(), access, status, detail)
        }
    }

    /// Creates the record of a profile that cannot be used; its account may not be known.
    #[must_use]
    pub fn of_profile(profile: UnusableProfile) -> Self {
        let account = profile.account.map(|id| id.to_string());
        let (access, status, detail) = (profile.access, profile.status, profile.detail);
        Self::without_counts(account.unwrap_or_default(), access, status, detail)
    }

    fn without_counts(
        account: String,
        access: String,
        status: AccountStatus,
        detail: String,
    ) -> Self {
        Self {
            file_stem: account.clone(),
            account,
            alias: String::new(),
            name: String::new(),
            ou_path: String::new(),
            state: String::new(),
            access,
            status,
            regions: 0,
            counts: [0; 4],
            skipped_regions: 0,
            comparison: ComparisonTotals::default(),
            total: None,
            detail,
            cells: Vec::new(),
            by_region: Vec::new(),
            errors: Vec::new(),
            has_files: true,
        }
    }

    /// Returns the record with a note in its detail.
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        if !self.detail.is_empty() && !note.is_empty() {
            self.detail.push_str("; ");
        }
        self.detail.push_str(note);
        self
    }

    /// Returns the record with region names that were skipped: an account of which a region may be missing is not complete.
    #[must_use]
    pub fn with_skipped_regions(mut self, skipped: usize) -> Self {
        self.skipped_regions = skipped;
        if skipped > 0 && self.status == AccountStatus::Complete {
            self.status = AccountStatus::Partial;
        }
        self
    }

    /// Returns the account ID as log entries have it: `unknown` for a profile whose account is not known.
    #[must_use]
    pub fn shown_account(&self) -> &str {
        match self.account.as_str() {
            "" => "unknown",
            account => account,
        }
    }

    /// Creates the record of an account that was scanned.
    #[must_use]
    pub fn scanned(
        member: &MemberAccount,
        account: &Account,
        access: String,
        coverage: &Coverage,
    ) -> Self {
        let totals = coverage.totals();
        let status = match totals.missing {
            0 => AccountStatus::Complete,
            n if n == totals.cells => AccountStatus::Failed,
            _ => AccountStatus::Partial,
        };
        let cells = coverage.cells().map(|cell| CellRecord::new(coverage, cell));
        let regions = coverage.regions.iter();
        let by_region = regions.map(|region| RegionRecord::new(coverage, region));
        Self {
            alias: account.shown_alias().unwrap_or_default().into_owned(),
            file_stem: account.file_stem(),
            regions: coverage.regions.len(),
            counts: Class::ALL.map(|class| coverage.number_of(class)),
            total: (status != AccountStatus::Failed).then_some(totals.once),
            cells: cells.collect(),
            by_region: by_region.collect(),
            ..Self::not_scanned(member, access, status, String::new())
        }
    }

    /// Adds the log entries, by region and type: their order in time depends on the network. If the account has no detail
    /// yet, it is the first fatal one about a region, else the first one about a region with a reason: others may be about its
    /// alias.
    #[must_use]
    pub fn with_errors(mut self, entries: &[Entry]) -> Self {
        let mut entries: Vec<&Entry> = entries.iter().collect();
        entries.sort_by_key(|entry| (entry.region.clone(), entry.resource_type.clone()));
        let error = |entry: &&Entry| ErrorRecord {
            entry: EntryRecord::new(entry),
            line: entry.line_of_account(self.shown_account()),
        };
        self.errors = entries.iter().map(error).collect();
        if self.status.is_missing() && self.detail.is_empty() {
            let rank = |e: &&&Entry| {
                let is_result = e.error_type == ErrorType::ScanFailed;
                (
                    e.region.is_none(),
                    e.error_type != ErrorType::Fatal,
                    is_result,
                )
            };
            let first = entries.iter().min_by_key(rank);
            self.detail = first.map(|e| e.message()).unwrap_or_default();
        }
        self
    }

    /// Returns true if a fatal error ended the scan of its regions.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        let mut entries = self.errors.iter().map(|error| &error.entry);
        entries.any(|e| e.error_type == ErrorType::Fatal && e.region.is_some())
    }

    /// Returns true if counts are missing, and `--accept-missing` expects each of them.
    #[must_use]
    pub fn is_expected(&self) -> bool {
        let accepted = self.cells.iter().filter(|cell| cell.accepted).count();
        accepted > 0 && accepted == self.counts[3]
    }
}

/// The records of a run, in the order of the account IDs.
pub struct Records {
    /// The file.
    pub file: RunFile,
    /// Their positions.
    pub positions: Vec<Position>,
}

impl Records {
    /// Reads the records, one after another.
    pub fn iter(&self) -> impl Iterator<Item = io::Result<AccountRecord>> {
        self.positions.iter().map(|at| self.file.read(*at))
    }
}

/// A run file that is written.
pub struct RunFile {
    path: PathBuf,
    file: File,
    /// The length of the file, in bytes.
    length: u64,
    /// The names of the units in the paths of the records that are read.
    pub unit_names: UnitNames,
}

/// The position of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    start: u64,
    length: u64,
}

impl Position {
    /// Creates a position, in bytes.
    pub(super) fn new(start: u64, length: u64) -> Self {
        Self { start, length }
    }

    /// Reads the line.
    pub(super) fn read_line(self, mut file: &File) -> io::Result<Vec<u8>> {
        file.seek(SeekFrom::Start(self.start))?;
        let length = self.length.min(MAX_LINE);
        let mut line = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        file.take(length).read_to_end(&mut line)?;
        Ok(line)
    }
}

impl RunFile {
    /// Creates the file with `header` and the lines that `fill` appends, and then replaces an earlier one in one step.
    /// Symbolic links are followed.
    ///
    /// # Errors
    /// The path is not that of a regular file, or a step failed; then an earlier file is unchanged.
    pub fn create(
        path: PathBuf,
        header: &RunHeader,
        interrupt: &Interrupt,
        fill: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<Self> {
        let Destination::File(target) = Destination::new(&path)? else {
            return Err(io::Error::other(
                "not a regular file, which the run reads again",
            ));
        };
        let mut pending = PendingFile::new(&target, interrupt)?;
        let mut new = Self {
            file: pending.file()?.try_clone()?,
            path,
            length: 0,
            unit_names: UnitNames::default(),
        };
        new.append(&NewLine::Header(header))?;
        fill(&mut new)?;
        let mut temp_files = interrupt.temp_files();
        if interrupt.signal().is_some() {
            drop(temp_files);
            return Err(io::ErrorKind::Interrupted.into());
        }
        pending.place(&mut temp_files)?;
        drop(temp_files);
        Ok(new)
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line. Returns its position.
    ///
    /// # Errors
    /// The line cannot be written; a part of it is removed or, at worst, remains as an incomplete last line.
    pub fn append(&mut self, line: &NewLine) -> io::Result<Position> {
        let line = to_line(line);
        self.file.seek(SeekFrom::Start(self.length))?;
        if let Err(e) = self.file.write_all(&line) {
            let _ = self.file.set_len(self.length);
            return Err(e);
        }
        let position = Position::new(self.length, line.len() as u64);
        self.length += position.length;
        Ok(position)
    }

    /// Reads the record at `position`; its path has the names of the units, if they are known.
    ///
    /// # Errors
    /// The file cannot be read, or was changed.
    pub fn read(&self, position: Position) -> io::Result<AccountRecord> {
        let line = position.read_line(&self.file)?;
        let object =
            from_line(&line).ok_or_else(|| io::Error::other("the run file was changed"))?;
        match serde_json::from_slice(&object).map_err(io::Error::other)? {
            OldLine::Account(mut record) => {
                record.ou_path = self.unit_names.path(&record.ou_path);
                Ok(*record)
            }
            _ => Err(io::Error::other("the line is not a record of an account")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_in_any_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.jsonl");
        let header = RunHeader::default();
        let interrupt = Interrupt::default();
        let mut file = RunFile::create(path, &header, &interrupt, |_| Ok(())).unwrap();
        let record = |id: &str| {
            let member = MemberAccount::new(id.parse().unwrap());
            let status = AccountStatus::AccessDenied;
            AccountRecord::not_scanned(&member, "role R".to_owned(), status, "no\n".to_owned())
        };
        let ids = ["111111111111", "222222222222", "333333333333"];
        let positions = ids.map(|id| file.append(&NewLine::Account(&record(id))).unwrap());
        for (id, position) in ids.into_iter().zip(positions).rev() {
            assert_eq!(file.read(position).unwrap(), record(id));
        }
    }

    #[test]
    fn detail_is_the_reason_of_missing_counts() {
        let entry =
            |error_type, region: Option<&str>, resource_type: Option<&str>, message: &str| Entry {
                at: time::OffsetDateTime::UNIX_EPOCH,
                error_type,
                region: region.map(|region| region.parse().unwrap()),
                resource_type: resource_type.map(|name| name.parse().unwrap()),
                message: message.to_owned(),
            };
        let (region, bucket) = (Some("us-east-1"), Some("AWS::S3::Bucket"));
        let mut entries = vec![entry(ErrorType::Permission, None, None, "no alias")];
        for (error_type, region, resource_type, message) in [
            (ErrorType::ScanFailed, region, None, "region abandoned"),
            (ErrorType::ApiError, region, bucket, "a call failed"),
            (ErrorType::Fatal, Some("us-west-2"), bucket, "expired"),
            (ErrorType::Fatal, None, None, "nothing was counted"),
        ] {
            entries.push(entry(error_type, region, resource_type, message));
            let member = MemberAccount::new("111111111111".parse().unwrap());
            let (access, status) = (String::new(), AccountStatus::Failed);
            let record = AccountRecord::not_scanned(&member, access, status, String::new());
            let detail = record.with_errors(&entries).detail;
            let is_last = error_type == ErrorType::Fatal && region.is_none();
            assert_eq!(detail, if is_last { "expired" } else { message });
        }
    }

    #[test]
    fn earlier_file_stays_if_a_step_fails() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.jsonl");
        std::fs::write(&path, "old").unwrap();
        let failing = |_: &mut RunFile| Err(io::Error::other("no"));
        let created = RunFile::create(
            path.clone(),
            &RunHeader::default(),
            &Interrupt::default(),
            failing,
        );
        assert!(created.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
