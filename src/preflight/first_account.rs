//! The checks of the first account of a run of many that can be accessed.

use std::sync::Arc;

use super::check::{CheckError, Checks};
use super::open::{EarlyAccounts, OpenError, OpenedAccount, open};
use super::permission::{PermissionCheck, check_region};
use super::recorder::{self, ENABLED};
use super::region_names::{self, UnknownRegion};
use super::run::{REGIONS, spawn};
use crate::accounts::access::Access;
use crate::accounts::{AccountList, MemberAccount, UnusableProfile};
use crate::options::{AccountOptions, AccountTask, Options};
use crate::text::pluralize;
use crate::workers::Workers;

pub(super) const LIST: &str = "List of accounts";
pub(super) const ACCESS: &str = "Access to at least one account";

/// The maximum number of accounts in which the search for a recorder fails: each may take minutes. Accounts without a
/// recorder do not count.
const MAX_FAILED: usize = 10;

/// The maximum number of accounts that are opened while the first one is checked: a page of AWS Organizations. All
/// connections are then in use after four round trips instead of seven: 7 % of the time of 40 accounts at 30 ms.
const MAX_EARLY: usize = 20;

/// The input of a scan of many accounts.
pub struct AccountsReady {
    /// The workers.
    pub workers: Workers,
    /// The access to the accounts.
    pub access: Arc<Access>,
    /// The list, of which some pages are fetched.
    pub list: AccountList,
    /// The accounts of the pages that the checks have fetched.
    pub members: Vec<MemberAccount>,
    /// The profiles that cannot be used.
    pub unusable: Vec<UnusableProfile>,
    /// The accounts that the checks have opened, or have started to open, so that they are not opened again.
    pub early: EarlyAccounts,
    /// The regions of the options that AWS does not have; if there are any, the scan cannot start.
    pub unknown_regions: Vec<UnknownRegion>,
}

impl AccountsReady {
    /// Creates the input of a scan of accounts that can be used, of a list that may have further pages.
    pub(super) fn new(
        access: Access,
        list: AccountList,
        members: Vec<MemberAccount>,
        workers: Workers,
    ) -> Self {
        Self {
            workers,
            access: Arc::new(access),
            list,
            members,
            unusable: Vec::new(),
            early: EarlyAccounts::default(),
            unknown_regions: Vec::new(),
        }
    }
}

/// Describes the first page of the list: `o-abc: 20 accounts, 19 active`.
pub(super) fn describe(list: &AccountList, members: &[MemberAccount]) -> String {
    let active = members.iter().filter(|member| member.is_active()).count();
    let accounts = pluralize(members.len(), "account");
    let more = if list.may_have_more() {
        " on the first page"
    } else {
        ""
    };
    format!("{}: {accounts}{more}, {active} active", list.scope())
}

/// Checks the access to one account, its regions and its recorders. If AWS Config is not enabled there, the next accounts
/// are tried: a faulty account does not prevent the run of the others. With `skip_checks`, only the regions of the options
/// are looked up.
pub(super) fn check_one(
    options: &Options,
    ready: &mut AccountsReady,
    checks: &mut Checks,
) -> Option<()> {
    let mut tried = 0;
    if options.skip_checks {
        return look_up_only(options, ready, &mut tried, checks);
    }
    open_early(options, ready);
    let opened = open_next(options, ready, &mut tried, checks);
    check_opened(options, ready, (opened, tried), checks)
}

/// Looks the regions of the options up without checks; a list of accounts does not need it.
fn look_up_only(
    options: &Options,
    ready: &mut AccountsReady,
    tried: &mut usize,
    checks: &mut Checks,
) -> Option<()> {
    let task = options.accounts.as_ref().map(|accounts| accounts.task);
    let is_list = task.is_some_and(|task| task != AccountTask::Count);
    if is_list || !region_names::need_look_up(options) {
        return Some(());
    }
    // The scan reports accounts that cannot be opened.
    if let Ok((member, opened)) = open_next(options, ready, tried, checks) {
        let looked_up = look_up_regions(options, ready, (&member, &opened));
        ready.early.add(member.id, opened);
        checks.add(REGIONS, looked_up, |()| String::new())?;
    }
    Some(())
}

/// Looks the regions of the options up in one account, for all accounts.
fn look_up_regions(
    options: &Options,
    ready: &mut AccountsReady,
    (member, opened): (&MemberAccount, &OpenedAccount),
) -> Result<(), CheckError> {
    let start = ready.access.region(member);
    ready.unknown_regions = match region_names::look_up(options, &opened.client, start) {
        Ok(unknown) => unknown,
        Err(error) if error.not_recorded() => region_names::unknown(options, &opened.regions),
        Err(error) => {
            let error = Box::new(error.into());
            return Err(CheckError::Account(member.id.clone(), error));
        }
    };
    Ok(())
}

/// Adds the check of the access, then checks the regions and the recorders as [`check_one`] does.
pub(super) fn check_opened(
    options: &Options,
    ready: &mut AccountsReady,
    (opened, mut tried): (Result<(MemberAccount, OpenedAccount), CheckError>, usize),
    checks: &mut Checks,
) -> Option<()> {
    let described = checks.add(ACCESS, opened, |(member, _)| {
        format!("{} ({})", member.id, ready.access.describe(member))
    });
    let (mut member, mut opened) = described?;
    let looked_up = look_up_regions(options, ready, (&member, &opened));
    if !ready.unknown_regions.is_empty() {
        return Some(());
    }
    checks.add(REGIONS, looked_up, |()| {
        pluralize(opened.regions.len(), "enabled region")
    })?;
    let mut found = find_recorder(options, ready, (&member, &opened), checks);
    let mut failed = usize::from(is_failed(&found));
    while found.is_err() && failed < MAX_FAILED {
        open_ahead(options, ready, tried);
        let Ok((next, next_opened)) = open_next(options, ready, &mut tried, checks) else {
            break;
        };
        let next_found = find_recorder(options, ready, (&next, &next_opened), checks);
        failed += usize::from(is_failed(&next_found));
        if let Ok(detail) = next_found {
            found = Ok(format!("{}: {detail}", next.id));
            (member, opened) = (next, next_opened);
        }
    }
    checks.add(ENABLED, found, String::clone)?;
    ready.early.add(member.id, opened);
    Some(())
}

/// Returns true if the search for a recorder has failed in a region.
fn is_failed(found: &Result<String, CheckError>) -> bool {
    found
        .as_ref()
        .is_err_and(|error| !matches!(error, CheckError::NoRecorder(_)))
}

/// Looks for a recorder in an account.
fn find_recorder(
    options: &Options,
    ready: &mut AccountsReady,
    (member, opened): (&MemberAccount, &OpenedAccount),
    checks: &mut Checks,
) -> Result<String, CheckError> {
    let start = ready.access.region(member);
    let check = PermissionCheck {
        client: &opened.client,
        method: options.method,
        types: &options.resource_types,
        prefetched: &opened.prefetched,
    };
    let workers = &mut ready.workers;
    let permission = workers.scope(|scope| {
        let task = spawn(scope, &check, start, &opened.regions);
        checks.join(ENABLED, task)
    });
    let checked = (check_region(start, &opened.regions), permission);
    recorder::find(&check, workers, start, &opened.regions, &checked, checks)
}

/// Opens the next account that can be accessed, from the position `tried` on: accounts that cannot be opened do not
/// prevent the run of the others. If all fail, the first failure is returned.
pub(super) fn open_next(
    options: &Options,
    ready: &mut AccountsReady,
    tried: &mut usize,
    checks: &mut Checks,
) -> Result<(MemberAccount, OpenedAccount), CheckError> {
    let mut first = None;
    loop {
        while let Some(member) = ready.members.get(*tried).cloned() {
            *tried += 1;
            if !member.is_active() {
                continue;
            }
            match open_first(ready, &member, checks) {
                Ok(opened) => return Ok((member, opened)),
                Err(error) if error.is_of_caller() => return Err(error.into_check(member.id)),
                Err(error) => {
                    first.get_or_insert((member.id, error));
                    open_ahead(options, ready, *tried);
                }
            }
        }
        let Some(page) = ready.list.next_page()? else {
            return Err(match first {
                Some((account, error)) => error.into_check(account),
                None => CheckError::NoAccounts,
            });
        };
        ready.members.extend(page);
    }
}

/// Starts to open the accounts after the first one, so that the scan need not wait for them. A misspelled region is
/// reported before.
fn open_early(options: &Options, ready: &AccountsReady) {
    if !region_names::need_look_up(options) {
        let first = ready.members.iter().position(MemberAccount::is_active);
        open_ahead(options, ready, first.map_or(0, |first| first + 1));
    }
}

/// Starts to open the accounts from the position `from` on: the checks try one after another, and each may take long. A
/// replay, which has one worker, keeps its order; `--resume` may have no use for them. The last check waits for tasks that
/// start later (see [`Workers::spawn`]), so without it none is started.
fn open_ahead(options: &Options, ready: &AccountsReady, from: usize) {
    let is_new_count = |accounts: &AccountOptions| {
        accounts.task == AccountTask::Count && accounts.resume.is_none()
    };
    if options.skip_checks || !options.accounts.as_ref().is_some_and(is_new_count) {
        return;
    }
    let rest = ready.members[from..].iter();
    // Most workers stay free for the checks.
    let count = MAX_EARLY.min(ready.workers.count() / 4);
    for member in rest.filter(|member| member.is_active()).take(count) {
        ready.early.start(&ready.workers, &ready.access, member);
    }
}

/// Waits for an account that is being opened, or opens it.
fn open_first(
    ready: &AccountsReady,
    member: &MemberAccount,
    checks: &mut Checks,
) -> Result<OpenedAccount, OpenError> {
    let early = ready.early.take(&member.id);
    let opened = early.and_then(|task| checks.join(ACCESS, task));
    let opened = opened.or_else(|| {
        ready.workers.scope(|scope| {
            let task = scope.spawn(|| open(&ready.access, member));
            checks.join(ACCESS, task)
        })
    });
    opened.unwrap_or(Err(OpenError::Regions(CheckError::Internal)))
}
