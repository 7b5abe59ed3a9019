//! The checks of a run of many accounts: the caller's, then the list of accounts, and access to one of them.

use std::sync::Arc;

use super::check::{CheckError, CheckEvent, Checks};
use super::first_account::{ACCESS, AccountsReady, LIST, check_one, describe};
use super::identity;
use super::profiles::check_profiles;
use super::recorder::ENABLED;
use super::run::{Base, CREDENTIALS, IDENTITY, NotReady, REGIONS, prepare, start};
use super::sso::check_session;
use crate::accounts::access::{Access, RoleAccess, RoleCaller};
use crate::accounts::session_policy::session_policy;
use crate::accounts::{AccountList, ProfileAccounts};
use crate::aws::client::{Activity, Trace};
use crate::aws::partition::Partition;
use crate::http::HttpClient;
use crate::options::{
    AccountOptions, AccountSource, AccountTask, Options, actions, organization_actions,
};
use crate::runtime::Runtime;
use crate::session::SessionParts;
use crate::workers::Workers;

/// The result of the checks.
pub struct AccountsPreflight {
    /// The HTTPS client, if it could be built; needed to finish a recording.
    pub http: Option<Arc<dyn HttpClient>>,
    /// The input of the scan, or the reason why the scan cannot start.
    pub outcome: Result<AccountsReady, NotReady>,
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
        AccountSource::Sso { session, role } => {
            let (http, workers) = prepare(options, &parts, &mut checks);
            let all = (options, accounts);
            let session = (session.as_str(), role.as_ref());
            let ready = workers
                .and_then(|workers| check_session(all, session, &parts, workers, &mut checks));
            (http, ready)
        }
        AccountSource::Organization | AccountSource::Named => {
            let (http, base) = start(options, parts, &mut checks);
            let ready = base.and_then(|base| check_accounts(options, accounts, base, &mut checks));
            (http, ready)
        }
    };
    if !options.skip_checks {
        checks.skip_rest(&[CREDENTIALS, IDENTITY, LIST, ACCESS, REGIONS, ENABLED]);
    }
    let failures = checks.into_failures();
    AccountsPreflight {
        http,
        outcome: match ready {
            Some(ready) if failures.is_empty() && ready.unknown_regions.is_empty() => Ok(ready),
            Some(ready) if failures.is_empty() => {
                Err(NotReady::UnknownRegions(ready.unknown_regions))
            }
            _ => Err(NotReady::Failed(failures)),
        },
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
    let role_caller = |policy: Vec<String>, external_id: Option<&String>| RoleCaller {
        client: session.client.clone(),
        region: start.clone(),
        external_id: external_id.cloned(),
        session_name: accounts.session_name.clone(),
        session_policy: accounts.session_policy.then(|| session_policy(&policy)),
    };
    let is_organization = accounts.source == AccountSource::Organization;
    let organization_role = accounts.organization_role.as_ref();
    let first_page = || {
        let client = match organization_role.filter(|_| is_organization) {
            None => session.client.clone(),
            Some(arn) => {
                let caller = Arc::new(role_caller(organization_actions(accounts), None));
                RoleCaller::client(&caller, arn.clone(), session.transport.clone())?
            }
        };
        let region = Partition::for_region(start).global_region();
        let mut list = AccountList::start(client, region, accounts)?;
        let page = list.next_page()?;
        Ok::<_, CheckError>((list, page.unwrap_or_default()))
    };
    let (larger, caller, first) = workers.scope(|scope| {
        let identity = scope.spawn(|| identity::account_id(&session.client, start));
        let first = scope.spawn(first_page);
        // Meanwhile, because 220 threads take 10 ms. A list of accounts does not need them.
        let is_count = accounts.task == AccountTask::Count;
        let larger = is_count.then(|| workers.larger(options.max_connections));
        let identity = checks.try_join(IDENTITY, identity);
        let caller = checks.add(IDENTITY, identity, ToString::to_string)?;
        Some((larger, caller, checks.try_join(LIST, first)))
    })?;
    workers = larger.flatten().unwrap_or(workers);
    let (list, members) = checks.add(LIST, first, |(list, members)| describe(list, members))?;
    let access = Access::Role(RoleAccess {
        caller: Arc::new(role_caller(actions(options), accounts.external_id.as_ref())),
        caller_account: caller,
        transport: session.transport.clone(),
        role: accounts.role.clone(),
    });
    let mut ready = AccountsReady::new(access, list, members, workers);
    check_one(options, &mut ready, checks)?;
    Some(ready)
}

/// Runs the other checks with the accounts of profiles.
fn ready_with_profiles(
    options: &Options,
    accounts: &AccountOptions,
    found: ProfileAccounts,
    workers: Workers,
    checks: &mut Checks,
) -> Option<AccountsReady> {
    let list = AccountList::of_profiles(accounts, &found);
    let (members, unusable) = (found.members, found.unusable);
    checks.add(LIST, Ok(()), |()| describe(&list, &members))?;
    let access = Access::Profiles(found.access);
    let mut ready = AccountsReady {
        unusable,
        ..AccountsReady::new(access, list, members, workers)
    };
    check_one(options, &mut ready, checks)?;
    Some(ready)
}
