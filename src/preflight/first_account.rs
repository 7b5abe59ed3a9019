//! The checks of the first account of a run of many that can be accessed.

use std::sync::Arc;

use super::check::{CheckError, Checks};
use super::open::{OpenError, OpenedAccount, open};
use super::permission::{PermissionCheck, check_region};
use super::recorder::{self, ENABLED};
use super::run::REGIONS;
use crate::accounts::access::{Access, AccessError};
use crate::accounts::{AccountList, MemberAccount, UnusableProfile};
use crate::model::AccountId;
use crate::options::Options;
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
/// are tried: a faulty account does not prevent the run of the others.
pub(super) fn check_one(
    options: &Options,
    ready: &mut AccountsReady,
    workers: &mut Workers,
    checks: &mut Checks,
) -> Option<()> {
    let mut tried = 0;
    let opened = open_next(ready, &mut tried);
    check_opened(options, ready, (opened, tried), workers, checks)
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
    checks.add(REGIONS, Ok(()), |()| {
        pluralize(opened.regions.len(), "enabled region")
    });
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
