//! Opens the accounts of a run of many for the scan.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::scan_regions::{self, NO_REGIONS};
use crate::accounts::access::{Access, AccessError};
use crate::accounts::{AccountStatus, MemberAccount};
use crate::advice;
use crate::aws::client::Client;
use crate::aws::error::CallError;
use crate::clock::Clock;
use crate::error_log::{Entry, ErrorType};
use crate::inventory::CountError;
use crate::model::Region;
use crate::options::Options;
use crate::preflight::{self, CheckError, EarlyAccounts, OpenError, OpenedAccount};
use crate::runtime::Runtime;
use crate::scan::recovery::classify;
use crate::scan::{AccountScan, NotOpened, Opened};

/// The detail of accounts that are not tried.
const STOPPED: &str =
    "not tried, because the caller's credentials are no longer valid (see the FATAL entry)";

/// Opens accounts; several workers use it at a time.
pub(super) struct Opener<'a> {
    pub(super) options: &'a Options,
    pub(super) runtime: &'a Runtime,
    pub(super) access: Arc<Access>,
    /// The accounts that the checks have started to open.
    pub(super) early: EarlyAccounts,
    /// True if the caller's credentials are no longer valid: no further account is opened.
    pub(super) is_stopped: AtomicBool,
}

impl Opener<'_> {
    /// Opens the account with the position `number` in the list.
    pub(super) fn open(&self, number: usize, member: &MemberAccount) -> Result<Opened, NotOpened> {
        if self.is_stopped.load(Ordering::SeqCst) {
            return Err(not_opened(AccountStatus::NotTried, None, STOPPED));
        }
        if self.is_out_of_time() {
            return Err(self.not_in_time());
        }
        let early = self.early.take(&member.id);
        let early = early.and_then(|task| task.join(None, || {}));
        let account = early.unwrap_or_else(|| preflight::open(&self.access, member));
        match account {
            Err(error) if error.is_denied() => Err(self.refuse(&error)),
            _ if self.is_out_of_time() => Err(self.not_in_time()),
            Ok(account) => self.prepare(number, member, account),
            Err(error) => Err(self.refuse(&error)),
        }
    }

    /// Returns true if the time of the whole run is used up.
    fn is_out_of_time(&self) -> bool {
        let ends = self.options.run_ends();
        ends.is_some_and(|ends| self.runtime.clock.elapsed() >= ends)
    }

    fn not_in_time(&self) -> NotOpened {
        let why = advice::NOT_TRIED_IN_TIME;
        let entry = self.entry(ErrorType::ScanFailed, why.to_owned());
        not_opened(AccountStatus::NotTried, Some(entry), why)
    }

    fn prepare(
        &self,
        number: usize,
        member: &MemberAccount,
        account: OpenedAccount,
    ) -> Result<Opened, NotOpened> {
        let (options, now) = (self.options, self.runtime.clock.now());
        let mut errors: Vec<Entry> =
            scan_regions::refused_entries(&account.refused_regions, now).collect();
        let (missing, entries) = scan_regions::not_enabled(options, &account.regions, now);
        errors.extend(entries);
        let mut regions = account.regions;
        regions.retain(|region| options.wants(region));
        if regions.is_empty() {
            let entry = self.entry(ErrorType::ScanFailed, NO_REGIONS.to_owned());
            return Err(not_opened(AccountStatus::Failed, Some(entry), NO_REGIONS));
        }
        let (client, prefetched) = (account.client, account.prefetched);
        let find_alias = find_alias(&client, self.access.region(member), &self.runtime.clock);
        let place = (number, regions.len());
        let scan = AccountScan::new(options, self.runtime, client, prefetched, place);
        Ok(Opened {
            scan: Arc::new(scan),
            regions,
            missing,
            skipped_regions: account.refused_regions.len(),
            find_alias: Box::new(find_alias),
            errors,
        })
    }

    fn refuse(&self, error: &OpenError) -> NotOpened {
        let is_of_caller = error.is_of_caller() && !self.access.is_separate();
        let (error_type, status, message) = match error {
            OpenError::Access(access) => {
                let status = access.status();
                let (error_type, status) = match (access, access.call()) {
                    (AccessError::NoProfile, _) => (ErrorType::Unexpected, status),
                    (AccessError::Credentials(_), _) if is_of_caller => {
                        (ErrorType::Fatal, AccountStatus::NotTried)
                    }
                    (AccessError::Credentials(_), None) if error.is_denied() => {
                        (ErrorType::Permission, status)
                    }
                    (AccessError::Credentials(_), call) => (error_type(call), status),
                    // Another account.
                    _ => (ErrorType::Fatal, status),
                };
                (error_type, status, advice::for_access(access))
            }
            OpenError::Regions(CheckError::Call(call)) => {
                let message = format!("{call}; {}", advice::for_call(call));
                let status = if error.is_denied() {
                    AccountStatus::AccessDenied
                } else {
                    AccountStatus::Failed
                };
                (error_type(Some(call)), status, message)
            }
            OpenError::Regions(_) => {
                let message = error.to_string();
                (ErrorType::Unexpected, AccountStatus::Failed, message)
            }
        };
        let is_first = !is_of_caller || !self.is_stopped.swap(true, Ordering::SeqCst);
        let entry = is_first.then(|| self.entry(error_type, message.clone()));
        not_opened(status, entry, &message)
    }

    fn entry(&self, error_type: ErrorType, message: String) -> Entry {
        Entry::new(self.runtime.clock.now(), error_type, message)
    }
}

/// Returns a function that requests the alias of an account.
fn find_alias(
    client: &Arc<Client>,
    start: &Region,
    clock: &Arc<dyn Clock>,
) -> impl FnOnce() -> Result<Option<String>, Entry> + use<> {
    let (client, start, clock) = (client.clone(), start.clone(), clock.clone());
    move || {
        preflight::alias(&client, &start).map_err(|error| {
            let error_type = match &error {
                CheckError::Call(call) => error_type(Some(call)),
                _ => ErrorType::Unexpected,
            };
            Entry::new(clock.now(), error_type, error.to_string())
        })
    }
}

fn error_type(call: Option<&CallError>) -> ErrorType {
    let classified = call.map(|call| classify(&CountError::Call(call.clone())).0);
    classified.flatten().unwrap_or(ErrorType::ApiError)
}

fn not_opened(status: AccountStatus, entry: Option<Entry>, detail: &str) -> NotOpened {
    NotOpened {
        status,
        entry,
        detail: detail.to_owned(),
    }
}
