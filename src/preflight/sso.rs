//! The checks of a session of IAM Identity Center.

use std::sync::Arc;

use super::check::{CheckError, Checks};
use super::first_account::{AccountsReady, LIST, check_one, check_opened, describe, open_next};
use super::run::{CREDENTIALS, IDENTITY};
use crate::accounts::access::Access;
use crate::accounts::{AccountList, SsoAccess, only_permission_set, shown};
use crate::aws::credentials::SsoPortal;
use crate::error_log::timestamp;
use crate::model::RoleName;
use crate::options::{AccountOptions, Options};
use crate::session::SessionParts;
use crate::workers::Workers;

/// Runs the checks of the session `name`: its token, the first account that can be accessed, and the list.
pub(super) fn check_session(
    (options, accounts): (&Options, &AccountOptions),
    (name, role): (&str, Option<&RoleName>),
    parts: &SessionParts,
    workers: Workers,
    checks: &mut Checks,
) -> Option<AccountsReady> {
    let portal = checks.run(CREDENTIALS, &workers, || parts.sso_portal(name));
    let portal = checks.add(CREDENTIALS, portal, |portal| {
        let end = timestamp(portal.expires());
        format!("SSO session {}, token valid until {end}", shown(name))
    })?;
    let portal = Arc::new(portal);
    let mut ready = match first_page(accounts, portal, role, parts, workers) {
        Ok(ready) => ready,
        Err(error) => {
            // The fifth check is the list.
            checks.fail(IDENTITY, CheckError::Skipped(5));
            checks.fail(LIST, error);
            return None;
        }
    };
    if options.skip_checks {
        check_one(options, &mut ready, checks)?;
        return Some(ready);
    }
    let mut tried = 0;
    let opened = open_next(options, &mut ready, &mut tried, checks);
    let identity = match &opened {
        Ok((member, _)) => Ok(member.id.clone()),
        // The sixth check is the access.
        Err(_) => Err(CheckError::Skipped(6)),
    };
    checks.add(IDENTITY, identity, ToString::to_string);
    checks.add(LIST, Ok(()), |()| describe(&ready.list, &ready.members));
    check_opened(options, &mut ready, (opened, tried), checks)?;
    Some(ready)
}

/// Fetches the first page of the list, and the permission set if the options name none.
fn first_page(
    accounts: &AccountOptions,
    portal: Arc<SsoPortal>,
    role: Option<&RoleName>,
    parts: &SessionParts,
    workers: Workers,
) -> Result<AccountsReady, CheckError> {
    let mut list = AccountList::of_sso(accounts, portal.clone());
    let mut members = Vec::new();
    while let Some(page) = list.next_page()? {
        members.extend(page);
        if !members.is_empty() {
            break;
        }
    }
    let role = match (role, members.first()) {
        (Some(role), _) => role.clone(),
        (None, Some(first)) => only_permission_set(&portal, &first.id)?,
        (None, None) => return Err(CheckError::NoAccounts),
    };
    let access = Access::Sso(SsoAccess {
        portal,
        role,
        transport: parts.transport().clone(),
        start_region: parts.start_region().clone(),
    });
    Ok(AccountsReady::new(access, list, members, workers))
}
