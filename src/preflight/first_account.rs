//! The checks of the first account of a run of many that can be accessed.

use std::sync::Arc;

use super::check::{CheckError, Checks};
use super::open::{OpenError, OpenedAccount, open};
use super::permission::{PermissionCheck, check_region};
use super::recorder::{self, ENABLED};
use super::region_names::{self, RegionLookup, UnknownRegion};
use super::run::REGIONS;
use crate::accounts::access::{Access, AccessError};
use crate::accounts::{AccountList, MemberAccount, UnusableProfile};
use crate::model::AccountId;
use crate::options::{AccountTask, Options};
use crate::text::pluralize;
use crate::workers::Workers;

pub(super) const LIST: &str = "List of accounts";
pub(super) const ACCESS: &str = "Access to at least one account";

/// The maximum number of accounts in which the checks look for a recorder.
const MAX_CHECKED: usize = 10;

/// The number of accounts whose access may fail, other than by a denial, before the checks fail.
const MAX_FAILED: usize = 3;

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
    /// True if the list has no further page.
    pub is_complete: bool,
    /// The account that the checks have opened, so that it is not opened again.
    pub opened: Option<(AccountId, OpenedAccount)>,
    /// The regions of the options that no account can have; if there are any, the scan cannot start.
    pub unknown_regions: Vec<UnknownRegion>,
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
    workers: &mut Workers,
    checks: &mut Checks,
) -> Option<()> {
    let mut tried = 0;
    if options.skip_checks {
        return look_up_only(options, ready, &mut tried, checks);
    }
    let opened = open_next(ready, &mut tried);
    check_opened(options, ready, (opened, tried), workers, checks)
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
    if is_list || has_foreign_regions(options, ready) || !region_names::need_look_up(options) {
        return Some(());
    }
    // The scan reports accounts that cannot be opened.
    if let Ok((member, opened)) = open_next(ready, tried) {
        let looked_up = look_up_regions(options, ready, (&member, &opened));
        ready.opened = Some((member.id, opened));
        checks.add(REGIONS, looked_up, |()| String::new())?;
    }
    Some(())
}

/// Looks for regions of the options that are in another partition than all accounts.
fn has_foreign_regions(options: &Options, ready: &mut AccountsReady) -> bool {
    let members = ready.members.iter();
    let starts: Vec<_> = members.map(|member| ready.access.region(member)).collect();
    ready.unknown_regions = region_names::of_other_partitions(options, &starts);
    !ready.unknown_regions.is_empty()
}

/// Looks the regions of the options up in one account, for all accounts.
fn look_up_regions(
    options: &Options,
    ready: &mut AccountsReady,
    (member, opened): (&MemberAccount, &OpenedAccount),
) -> Result<(), CheckError> {
    let start = ready.access.region(member);
    ready.unknown_regions = match region_names::look_up(options, &opened.client, start) {
        RegionLookup::Found => Vec::new(),
        RegionLookup::NotFound(unknown) => unknown,
        RegionLookup::NotRecorded => region_names::unknown(options, &opened.regions),
        RegionLookup::Failed(error) => {
            let error = Box::new(CheckError::Call(*error));
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
    workers: &mut Workers,
    checks: &mut Checks,
) -> Option<()> {
    let described = checks.add(ACCESS, opened, |(member, _)| {
        format!("{} ({})", member.id, ready.access.describe(member))
    });
    let (mut member, mut opened) = described?;
    if has_foreign_regions(options, ready) {
        return Some(());
    }
    let looked_up = look_up_regions(options, ready, (&member, &opened));
    if !ready.unknown_regions.is_empty() {
        return Some(());
    }
    checks.add(REGIONS, looked_up, |()| {
        pluralize(opened.regions.len(), "enabled region")
    })?;
    let mut found = find_recorder(options, ready, (&member, &opened), workers, checks);
    for _ in 1..MAX_CHECKED {
        if found.is_ok() {
            break;
        }
        let Ok((next, next_opened)) = open_next(ready, &mut tried) else {
            break;
        };
        let next_found = find_recorder(options, ready, (&next, &next_opened), workers, checks);
        if let Ok(detail) = next_found {
            found = Ok(format!("{}: {detail}", next.id));
            (member, opened) = (next, next_opened);
        }
    }
    checks.add(ENABLED, found, String::clone)?;
    ready.opened = Some((member.id, opened));
    Some(())
}

/// Looks for a recorder in an account.
fn find_recorder(
    options: &Options,
    ready: &AccountsReady,
    (member, opened): (&MemberAccount, &OpenedAccount),
    workers: &mut Workers,
    checks: &mut Checks,
) -> Result<String, CheckError> {
    let start = ready.access.region(member);
    let check = PermissionCheck {
        client: &opened.client,
        method: options.method,
        types: &options.resource_types,
        prefetched: &opened.prefetched,
    };
    let region = check_region(start, &opened.regions);
    let permission = check.run(&region);
    let checked = (region, Some(permission));
    recorder::find(&check, workers, start, &opened.regions, &checked, checks)
}

/// Opens the next account that can be accessed, from the position `tried` on. An account that cannot be opened does not
/// prevent the run of the others; after [`MAX_FAILED`] failures other than a denied access, the first one is returned.
pub(super) fn open_next(
    ready: &mut AccountsReady,
    tried: &mut usize,
) -> Result<(MemberAccount, OpenedAccount), CheckError> {
    let (mut first, mut failed) = (None, 0);
    loop {
        while let Some(member) = ready.members.get(*tried).cloned() {
            *tried += 1;
            if !member.is_active() {
                continue;
            }
            match open(&ready.access, &member) {
                Ok(opened) => return Ok((member, opened)),
                Err(error) => {
                    failed += usize::from(!is_of_account(&error, &ready.access));
                    let is_last = failed == MAX_FAILED || error.is_of_caller();
                    let (account, error) = first.take().unwrap_or((member.id, error));
                    if is_last {
                        return Err(error.into_check(account));
                    }
                    first = Some((account, error));
                }
            }
        }
        if let Some(page) = ready.list.next_page().map_err(CheckError::List)? {
            ready.members.extend(page);
        } else {
            ready.is_complete = true;
            return Err(match first {
                Some((account, error)) => error.into_check(account),
                None => CheckError::NoAccounts,
            });
        }
    }
}

/// Returns true if the error is one of the account, not of the run.
fn is_of_account(error: &OpenError, access: &Access) -> bool {
    let is_answer = error.call().is_some_and(|call| call.kind().is_some());
    match error {
        _ if access.is_separate() && is_answer => true,
        OpenError::Access(AccessError::Credentials(_))
        | OpenError::Regions(CheckError::Call(_)) => error.is_denied(),
        OpenError::Access(_) | OpenError::Regions(_) => true,
    }
}
