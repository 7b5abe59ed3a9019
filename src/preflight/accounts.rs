//! The checks of a run of many accounts: the caller's, then the list of accounts, and access to one of them.

use std::sync::Arc;

use super::check::{CheckError, CheckEvent, Checks};
use super::identity;
use super::open::{OpenError, OpenedAccount, open};
use super::permission::{PermissionCheck, check_region};
use super::profiles::check_profiles;
use super::recorder::{self, ENABLED};
use super::run::{Base, CREDENTIALS, IDENTITY, REGIONS, prepare, start};
use crate::accounts::access::{Access, AccessError, RoleAccess, RoleCaller};
use crate::accounts::session_policy::session_policy;
use crate::accounts::{AccountList, MemberAccount, ProfileAccounts, UnusableProfile};
use crate::aws::client::{Activity, Trace};
use crate::aws::partition::Partition;
use crate::http::HttpClient;
use crate::model::AccountId;
use crate::options::{AccountOptions, AccountSource, Options, actions, organization_actions};
use crate::runtime::Runtime;
use crate::session::SessionParts;
use crate::text::pluralize;
use crate::workers::Workers;

const LIST: &str = "List of accounts";
const ACCESS: &str = "Access to at least one account";

/// The maximum number of accounts in which the checks look for a recorder.
const MAX_CHECKED: usize = 10;

/// The number of accounts whose access may fail, other than by a denial, before the checks fail.
const MAX_FAILED: usize = 3;

/// The result of the checks.
pub struct AccountsPreflight {
    /// The HTTPS client, if it could be built; needed to finish a recording.
    pub http: Option<Arc<dyn HttpClient>>,
    /// The input of the scan, or the failed checks.
    pub outcome: Result<AccountsReady, Vec<(&'static str, CheckError)>>,
}

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

/// Runs the checks, and passes each finished check to `on_event`, in display order. With `skip_checks` only those run whose
/// results the scan needs: the client, the identity and the list.
pub fn run_accounts(
    options: &Options,
    accounts: &AccountOptions,
    runtime: &Runtime,
    trace: Option<Trace>,
    activity: Arc<Activity>,
    on_event: &mut dyn FnMut(CheckEvent),
) -> AccountsPreflight {
    let mut checks = Checks::new(on_event, runtime.clock.tick());
    let parts = SessionParts::new(options, runtime, trace, activity);
    let (http, ready) = match &accounts.source {
        AccountSource::Profiles(patterns) => {
            let (http, workers) = prepare(options, &parts, &mut checks);
            let checks = &mut checks;
            let ready = workers.and_then(|workers| {
                let profiles = check_profiles(patterns, &*runtime.env, &parts, &workers, checks)?;
                let start = parts.start_region();
                let found = ProfileAccounts::new(profiles, &accounts.selection, start.clone());
                ready_with_profiles(options, accounts, found, workers, checks)
            });
            (http, ready)
        }
        AccountSource::Organization | AccountSource::Named => {
            let (http, base) = start(options, parts, &mut checks);
            let ready = base.and_then(|base| check_accounts(options, accounts, base, &mut checks));
            (http, ready)
        }
    };
    let number = checks.first_failed();
    for name in [CREDENTIALS, IDENTITY, LIST, ACCESS, REGIONS, ENABLED] {
        if let Some(number) = number.filter(|_| !checks.has(name) && !options.skip_checks) {
            let skipped = Err::<(), _>(CheckError::Skipped(number));
            checks.add(name, skipped, |()| String::new());
        }
    }
    let failures = checks.into_failures();
    AccountsPreflight {
        http,
        outcome: ready.filter(|_| failures.is_empty()).ok_or(failures),
    }
}

/// Runs the checks that call AWS. Returns `None` if one fails.
fn check_accounts(
    options: &Options,
    accounts: &AccountOptions,
    (session, mut workers): Base,
    checks: &mut Checks,
) -> Option<AccountsReady> {
    let start = &session.start_region;
    let identity = identity::account_id(&session.client, start);
    let caller = checks.add(IDENTITY, identity, ToString::to_string)?;
    let role_caller = |policy: Vec<String>, external_id: Option<&String>| RoleCaller {
        client: session.client.clone(),
        region: start.clone(),
        external_id: external_id.cloned(),
        session_name: accounts.session_name.clone(),
        session_policy: accounts.session_policy.then(|| session_policy(&policy)),
    };
    let access = Arc::new(Access::Role(RoleAccess {
        caller: Arc::new(role_caller(actions(options), accounts.external_id.as_ref())),
        caller_account: caller.clone(),
        transport: session.transport.clone(),
        role: accounts.role.clone(),
    }));
    let is_organization = accounts.source == AccountSource::Organization;
    let organization_role = accounts.organization_role.as_ref();
    let lister = match organization_role.filter(|_| is_organization) {
        None => Ok(session.client.clone()),
        Some(arn) => {
            let caller = Arc::new(role_caller(organization_actions(accounts), None));
            RoleCaller::client(&caller, arn.clone(), session.transport.clone())
        }
    };
    let region = Partition::for_region(start).global_region();
    let first = lister.map_err(CheckError::Credentials).and_then(|client| {
        let mut list = AccountList::start(client, region, accounts).map_err(CheckError::List)?;
        let page = list.next_page().map_err(CheckError::List)?;
        Ok((list, page.unwrap_or_default()))
    });
    let (list, members) = checks.add(LIST, first, |(list, members)| describe(list, members))?;
    let mut ready = AccountsReady {
        access,
        list,
        members,
        unusable: Vec::new(),
        is_complete: false,
        opened: None,
        workers: Workers::new(1).ok()?,
    };
    if !options.skip_checks {
        check_one(options, &mut ready, &mut workers, checks)?;
    }
    ready.workers = workers;
    Some(ready)
}

/// Runs the other checks with the accounts of profiles.
fn ready_with_profiles(
    options: &Options,
    accounts: &AccountOptions,
    found: ProfileAccounts,
    mut workers: Workers,
    checks: &mut Checks,
) -> Option<AccountsReady> {
    let list = AccountList::of_profiles(accounts, &found);
    let (members, unusable) = (found.members, found.unusable);
    checks.add(LIST, Ok(()), |()| describe(&list, &members))?;
    let mut ready = AccountsReady {
        access: Arc::new(Access::Profiles(found.access)),
        list,
        members,
        unusable,
        is_complete: true,
        opened: None,
        workers: Workers::new(1).ok()?,
    };
    if !options.skip_checks {
        check_one(options, &mut ready, &mut workers, checks)?;
    }
    ready.workers = workers;
    Some(ready)
}

/// Describes the first page of the list: `o-abc: 20 accounts, 19 active`.
fn describe(list: &AccountList, members: &[MemberAccount]) -> String {
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
fn check_one(
    options: &Options,
    ready: &mut AccountsReady,
    workers: &mut Workers,
    checks: &mut Checks,
) -> Option<()> {
    let mut tried = 0;
    let opened = open_next(ready, &mut tried);
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
fn open_next(
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
