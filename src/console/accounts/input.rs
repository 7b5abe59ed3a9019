//! The input of the summary of many accounts.

use std::time::Duration;

use crate::accounts::{AccountStatus, UnitNames};
use crate::aws::usage::Usage;
use crate::coverage::{ComparisonTotals, Status};
use crate::options::Options;

/// The result of an account, for the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSummary {
    /// The account ID.
    pub account: String,
    /// The account ID with the alias, as in the names of its files.
    pub file_stem: String,
    /// The name, else the alias; empty if neither is known.
    pub name: String,
    /// The IDs of the units above the account.
    pub ou_path: String,
    /// The access, such as `role Audit`.
    pub access: String,
    /// The status.
    pub status: AccountStatus,
    /// The total; `None` if nothing was counted.
    pub total: Option<u64>,
    /// The numbers of known, stale, unverified and missing counts.
    pub counts: [usize; 4],
    /// True if counts are missing, and `--accept-missing` expects each of them.
    pub is_expected: bool,
    /// The comparison of listings and counts, with `--method verify`.
    pub comparison: ComparisonTotals,
    /// The number of region names that were skipped.
    pub skipped_regions: usize,
    /// True if a fatal error ended the scan of its regions.
    pub was_stopped: bool,
    /// The missing counts by reason.
    pub missing: Vec<MissingGroup>,
    /// The reason why it is not complete, and what to do about it.
    pub detail: String,
    /// The number of log entries.
    pub errors: usize,
}

/// The missing counts of an account with the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingGroup {
    /// The reason.
    pub status: Status,
    /// The number of counts.
    pub counts: usize,
    /// The regions.
    pub regions: Vec<String>,
}

impl AccountSummary {
    /// Returns the ID with the name: `111111111111 (payments-dev)`.
    pub(super) fn label(&self) -> String {
        match self.name.as_str() {
            // The account of a profile may not be known.
            _ if self.account.is_empty() => self.access.clone(),
            "" => self.account.clone(),
            name => format!("{} ({name})", self.account),
        }
    }
}

/// The results of all accounts.
pub struct AccountsSummary<'a> {
    /// The accounts, in the order of the list.
    pub accounts: Vec<&'a AccountSummary>,
    /// The options of the run.
    pub options: &'a Options,
    /// The names of the organizational units.
    pub unit_names: &'a UnitNames,
    /// The name of the file with the log lines of all accounts.
    pub error_file: &'a str,
    /// The time since the start of the run.
    pub elapsed: Duration,
    /// The requests of the run.
    pub usage: Usage,
    /// Files of accounts in the output directory that are not of this run.
    pub earlier: &'a [String],
    /// The exit code and its reason, if it is not 0.
    pub exit: Option<String>,
}
