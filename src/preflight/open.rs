//! Opens an account of a run of many: its access and its regions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::check::{CheckError, RefusedRegion};
use super::identity::{self, Regions};
use crate::accounts::MemberAccount;
use crate::accounts::access::{Access, AccessError};
use crate::aws::client::Client;
use crate::aws::error::{CallError, ErrorKind};
use crate::inventory::Prefetched;
use crate::model::{AccountId, Region};
use crate::sync::lock;
use crate::workers::{Task, Workers};

/// An account that can be accessed.
pub struct OpenedAccount {
    /// The client of the account.
    pub client: Arc<Client>,
    /// The enabled regions, sorted.
    pub regions: Vec<Region>,
    /// The reasons why other names were refused as region codes.
    pub refused_regions: Vec<RefusedRegion>,
    /// The responses that the scan uses instead of requests.
    pub prefetched: Prefetched,
}

impl OpenedAccount {
    /// Creates an opened account, for which no response was prefetched.
    fn new(client: Arc<Client>, regions: Regions) -> Self {
        Self {
            client,
            regions: regions.enabled,
            refused_regions: regions.refused,
            prefetched: Prefetched::default(),
        }
    }
}

/// The reason why an account cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The account cannot be accessed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Its regions are not known.
    #[error(transparent)]
    Regions(CheckError),
}

impl OpenError {
    /// Returns the failed call.
    #[must_use]
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Self::Access(error) => error.call(),
            Self::Regions(CheckError::Call(error)) => Some(error),
            Self::Regions(_) => None,
        }
    }

    /// Returns the error as that of a check.
    #[must_use]
    pub fn into_check(self, account: AccountId) -> CheckError {
        match self {
            Self::Access(error) => CheckError::NoAccess {
                account,
                source: error,
            },
            Self::Regions(error) => CheckError::Account(account, Box::new(error)),
        }
    }

    /// Returns true if the caller's credentials caused the error: no other account can be accessed either.
    #[must_use]
    pub fn is_of_caller(&self) -> bool {
        if matches!(self, Self::Access(error) if error.is_signed_out()) {
            return true;
        }
        let kind = |call: &CallError| (call.operation == "AssumeRole").then(|| call.kind())?;
        matches!(
            self.call().and_then(kind),
            Some(ErrorKind::Expired | ErrorKind::UnrecognizedClient | ErrorKind::BadSignature)
        )
    }

    /// Returns true if AWS denied a call.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        match self {
            Self::Access(error) => error.is_denied(),
            Self::Regions(_) => {
                let kind = self.call().and_then(CallError::kind);
                kind == Some(ErrorKind::AccessDenied)
            }
        }
    }
}

/// The accounts that workers open ahead of the scan, or have opened.
#[derive(Default)]
pub struct EarlyAccounts(Mutex<BTreeMap<AccountId, OpenTask>>);

/// A task that opens an account.
pub type OpenTask = Task<Result<OpenedAccount, OpenError>>;

impl EarlyAccounts {
    /// Starts to open an account, unless it was started.
    pub(super) fn start(&self, workers: &Workers, access: &Arc<Access>, member: &MemberAccount) {
        let (access, member) = (access.clone(), member.clone());
        let id = member.id.clone();
        let mut tasks = lock(&self.0);
        tasks
            .entry(id)
            .or_insert_with(|| workers.spawn(move || open(&access, &member)));
    }

    /// Adds an account that was opened.
    pub(super) fn add(&self, id: AccountId, account: OpenedAccount) {
        lock(&self.0).insert(id, Task::done(Ok(account)));
    }

    /// Takes the task that opens an account; `None` if it has no task.
    #[must_use]
    pub fn take(&self, id: &AccountId) -> Option<OpenTask> {
        lock(&self.0).remove(id)
    }
}

/// Opens an account: assumes the role, then requests the regions.
///
/// # Errors
/// The account cannot be accessed, or its regions are not known.
pub fn open(access: &Access, member: &MemberAccount) -> Result<OpenedAccount, OpenError> {
    let client = client(access, member)?;
    let start = access.region(member);
    let regions = identity::regions(&client, start).map_err(OpenError::Regions)?;
    Ok(OpenedAccount::new(client, regions))
}

/// Returns a client for an account, with limits, time and usage of its own.
///
/// # Errors
/// The account cannot be accessed.
fn client(access: &Access, member: &MemberAccount) -> Result<Arc<Client>, AccessError> {
    // Also for the caller's own account: its time must not end the caller's calls of STS.
    Ok(Arc::new(
        access.open(member)?.for_account(member.id.clone()),
    ))
}
