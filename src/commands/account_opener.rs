//! Opens the accounts of a run of many for the scan.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::scan_regions;
use crate::accounts::MemberAccount;
use crate::accounts::access::{Access, AccessError};
use crate::advice;
use crate::aws::error::CallError;
use crate::error_log::{Entry, ErrorType};
use crate::inventory::CountError;
use crate::model::Region;
use crate::options::Options;
use crate::preflight::{self, CheckError, EarlyAccounts, OpenError, OpenedAccount};
use crate::runtime::Runtime;
use crate::scan::recovery::classify;
use crate::scan::{AccountScan, Flags, NotOpened, NotOpenedStatus, Opened};

/// The detail of accounts that are not tried.
const STOPPED: &str =
    "not tried, because the caller's credentials are no longer valid (see the FATAL entry)";

/// Opens accounts; several workers use it at a time.
pub(super) struct Opener<'a> {
    options: &'a Options,
    runtime: &'a Runtime,
    access: Arc<Access>,
    /// The accounts that the checks have started to open.
    early: EarlyAccounts,
    /// True if the caller's credentials are no longer valid: no further account is opened.
    is_stopped: AtomicBool,
}

impl<'a> Opener<'a> {
    pub(super) fn new(
        options: &'a Options,
        runtime: &'a Runtime,
        access: Arc<Access>,
        early: EarlyAccounts,
    ) -> Self {
        Self {
            options,
            runtime,
            access,
            early,
            is_stopped: AtomicBool::new(false),
        }
    }

    /// Opens the account with the position `number` in the list.
    pub(super) fn open(&self, number: usize, member: &MemberAccount) -> Result<Opened, NotOpened> {
        if self.is_stopped.load(Ordering::SeqCst) {
            return Err(not_opened(NotOpenedStatus::NotTried, None, STOPPED));
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
            Ok(account) => self.prepare(number, account),
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
        let entry = self.entry(ErrorType::ScanFailed, None, why.to_owned());
        not_opened(NotOpenedStatus::NotTried, Some(entry), why)
    }

    fn prepare(&self, number: usize, account: OpenedAccount) -> Result<Opened, NotOpened> {
        let options = self.options;
        let mut errors = Vec::new();
        for why in &account.refused_regions {
            let message = format!("ec2:DescribeRegions: {why}; the region was skipped");
            errors.push(self.entry(ErrorType::Unexpected, None, message));
        }
        let alias = account.alias.unwrap_or_else(|error| {
            let error_type = match &error {
                CheckError::Call(call) => error_type(Some(call)),
                _ => ErrorType::Unexpected,
            };
            errors.push(self.entry(error_type, None, error.to_string()));
            None
        });
        let now = self.runtime.clock.now();
        let (missing, entries): (Vec<_>, Vec<_>) =
            scan_regions::not_enabled(options, &account.regions, now)
                .into_iter()
                .unzip();
        errors.extend(entries);
        let regions: Vec<Region> = account
            .regions
            .into_iter()
            .filter(|region| options.wants(region))
            .collect();
        if regions.is_empty() {
            let why = "no regions to scan; check --regions and --exclude-regions";
            let entry = self.entry(ErrorType::ScanFailed, None, why.to_owned());
            return Err(not_opened(NotOpenedStatus::Failed, Some(entry), why));
        }
        account.client.end_after(options.account_time());
        let scan = AccountScan {
            number,
            client: account.client,
            method: options.method,
            types: options.resource_types.clone(),
            region_concurrency: options.types_at_once(regions.len()),
            prefetched: account.prefetched,
            clock: self.runtime.clock.clone(),
            interrupt: self.runtime.interrupt.clone(),
            flags: Flags::default(),
        };
        Ok(Opened {
            scan: Arc::new(scan),
            regions,
            missing,
            skipped_regions: account.refused_regions.len(),
            alias,
            errors,
        })
    }

    fn refuse(&self, error: &OpenError) -> NotOpened {
        let failed = if error.is_denied() {
            NotOpenedStatus::AccessDenied
        } else {
            NotOpenedStatus::Failed
        };
        let is_of_caller = error.is_of_caller() && !self.access.is_separate();
        let (error_type, status, message) = match error {
            OpenError::Access(access) => {
                let message = advice::for_access(access);
                match access {
                    AccessError::WrongAccount(_)
                    | AccessError::OtherAccount(_)
                    | AccessError::UnknownAccount => {
                        (ErrorType::Fatal, NotOpenedStatus::WrongAccount, message)
                    }
                    AccessError::NoProfile => {
                        (ErrorType::Unexpected, NotOpenedStatus::Failed, message)
                    }
                    AccessError::Credentials(_) if is_of_caller => {
                        (ErrorType::Fatal, NotOpenedStatus::NotTried, message)
                    }
                    AccessError::Credentials(_) => {
                        let error_type = match error.call() {
                            None if error.is_denied() => ErrorType::Permission,
                            call => error_type(call),
                        };
                        (error_type, failed, message)
                    }
                }
            }
            OpenError::Regions(CheckError::Call(call)) => {
                let message = format!("{call}; {}", advice::for_call(call));
                (error_type(Some(call)), failed, message)
            }
            OpenError::Regions(_) => (
                ErrorType::Unexpected,
                NotOpenedStatus::Failed,
                error.to_string(),
            ),
        };
        let is_first = !is_of_caller || !self.is_stopped.swap(true, Ordering::SeqCst);
        let entry = is_first.then(|| self.entry(error_type, None, message.clone()));
        not_opened(status, entry, &message)
    }

    fn entry(&self, error_type: ErrorType, region: Option<&Region>, message: String) -> Entry {
        Entry {
            at: self.runtime.clock.now(),
            error_type,
            region: region.cloned(),
            resource_type: None,
            message,
        }
    }
}

fn error_type(call: Option<&CallError>) -> ErrorType {
    let classified = call.map(|call| classify(&CountError::Call(call.clone())).0);
    classified.flatten().unwrap_or(ErrorType::ApiError)
}

fn not_opened(status: NotOpenedStatus, entry: Option<Entry>, detail: &str) -> NotOpened {
    NotOpened {
        status,
        entry,
        detail: detail.to_owned(),
    }
}
