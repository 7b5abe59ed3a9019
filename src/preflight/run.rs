//! Runs the checks: the first three one after another, the others concurrently.
//!
//! - The calls of the checks are tasks on the workers: identity, alias, regions, and ahead of the regions the calls of
//!   the last two checks, in the region where they usually belong.
//! - The main thread joins the tasks in display order and shows the checks, and what it waits for meanwhile. Everything
//!   that may wait for the network runs on a worker.
//! - If the enabled regions show that the last two checks belong elsewhere, their calls are made again there.
//! - The last check runs when all tasks have ended. Its responses and those of the others are kept for the scan.

use std::sync::Arc;

use super::check::{CheckError, CheckEvent, Checks, RefusedRegion};
use super::identity::{self, Regions};
use super::permission::{self, Permission, PermissionCheck, check_region};
use super::recorder::{self, CheckedRegion, ENABLED, first_regions};
use super::region_names::{self, UnknownRegion};
use crate::aws::client::{Activity, Client, Trace};
use crate::aws::credential_cache::CachedCredentials;
use crate::aws::error::CallError;
use crate::http::HttpClient;
use crate::inventory::Prefetched;
use crate::model::{Account, AccountId, Region};
use crate::options::Options;
use crate::runtime::Runtime;
use crate::session::{Session, SessionParts};
use crate::text::pluralize;
use crate::workers::{Scope, Task, Workers};

/// The number of workers of the checks: one for each call.
const WORKERS: usize = 5;

pub(super) const CREDENTIALS: &str = "AWS credentials configured";
pub(super) const IDENTITY: &str = "IAM permission: sts:GetCallerIdentity";
const ALIAS: &str = "IAM permission: iam:ListAccountAliases";
pub(super) const REGIONS: &str = "IAM permission: ec2:DescribeRegions";
/// The number of the check of the regions.
const REGIONS_NUMBER: usize = 6;

/// The result of the checks.
pub struct Preflight {
    /// The HTTPS client, if it could be built; needed to finish a recording.
    pub http: Option<Arc<dyn HttpClient>>,
    /// The AWS client, if there are credentials.
    pub client: Option<Arc<Client>>,
    /// The account, if it could be identified.
    pub account: Option<Account>,
    /// The input of the scan, or the reason why the scan cannot start.
    pub outcome: Result<Ready, NotReady>,
}

/// The reason why the scan cannot start.
pub enum NotReady {
    /// Checks failed.
    Failed(Vec<(&'static str, CheckError)>),
    /// The options name regions that AWS does not have.
    UnknownRegions(Vec<UnknownRegion>),
}

/// The input of the scan.
pub struct Ready {
    /// The AWS client.
    pub client: Arc<Client>,
    /// The workers.
    pub workers: Workers,
    /// The account.
    pub account: Account,
    /// The enabled regions, sorted.
    pub regions: Vec<Region>,
    /// The reasons why other names were refused as region codes.
    pub refused_regions: Vec<RefusedRegion>,
    /// The responses that the scan uses instead of requests.
    pub prefetched: Prefetched,
}

/// Runs the checks, and passes each finished check to `on_event`, in display order. Their calls are in `activity`.
///
/// With `skip_checks` only the checks run whose results the scan needs: the client, the identity,
/// the alias and the regions.
pub fn run(
    options: &Options,
    runtime: &Runtime,
    trace: Option<Trace>,
    activity: Arc<Activity>,
    on_event: &mut dyn FnMut(CheckEvent),
) -> Preflight {
    let mut checks = Checks::new(on_event, runtime.clock.tick());
    let parts = SessionParts::new(options, runtime, trace, activity);
    let (http, base) = start(options, parts, &mut checks);
    match base {
        Some((session, workers)) => check_account(options, &session, workers, checks),
        None => Preflight {
            http,
            client: None,
            account: None,
            outcome: Err(NotReady::Failed(skip_rest(options, checks))),
        },
    }
}

/// The session and the workers of a run.
pub(super) type Base = (Session, Workers);

/// Runs the first two checks: the HTTPS client and the thread pool.
pub(super) fn prepare(
    options: &Options,
    parts: &SessionParts,
    checks: &mut Checks,
) -> (Option<Arc<dyn HttpClient>>, Option<Workers>) {
    let http = parts.http().map_err(CheckError::from);
    let http = checks.add("HTTPS client can be built", http, |_| {
        parts.describe_trust()
    });
    // A replay uses one worker, so that its requests have a fixed order.
    let replay = options.replay.as_ref();
    let max = replay.map_or(options.max_connections, |_| 1);
    let workers = Workers::new(WORKERS, max).map_err(CheckError::from);
    let workers = checks.add("Thread pool can be built", workers, |_| String::new());
    (http, workers)
}

/// Runs the first three checks: the HTTPS client, the thread pool and the credentials.
pub(super) fn start(
    options: &Options,
    parts: SessionParts,
    checks: &mut Checks,
) -> (Option<Arc<dyn HttpClient>>, Option<Base>) {
    let (http, workers) = prepare(options, &parts, checks);
    let credentials = match &workers {
        Some(workers) => checks.run(CREDENTIALS, workers, || parts.credentials()),
        None => parts.credentials().map_err(CheckError::from),
    };
    let credentials = checks.add(CREDENTIALS, credentials, describe);
    let session = credentials.and_then(|credentials| parts.into_session(credentials));
    (http, session.zip(workers))
}

fn describe(cached: &CachedCredentials) -> String {
    let current = cached.current();
    format!(
        "{}, access key {}",
        current.provider,
        current.masked_key_id()
    )
}

/// Adds the checks that cannot run. Without checks, only the failure itself is shown.
fn skip_rest(options: &Options, mut checks: Checks) -> Vec<(&'static str, CheckError)> {
    if !options.skip_checks {
        let counting = permission::name(options.method, &options.resource_types);
        checks.skip_rest(&[IDENTITY, ALIAS, REGIONS, counting, ENABLED]);
    }
    checks.into_failures()
}

/// Runs the checks that call AWS.
fn check_account(
    options: &Options,
    session: &Session,
    mut workers: Workers,
    mut checks: Checks,
) -> Preflight {
    let (client, start) = (&session.client, &session.start_region);
    let prefetched = Prefetched::default();
    let permission = PermissionCheck {
        client,
        method: options.method,
        types: &options.resource_types,
        prefetched: &prefetched,
    };
    let permission = (!options.skip_checks).then_some(&permission);
    // A misspelled region ends the run before any call to AWS Config.
    let looked_up = checks.run(REGIONS, &workers, || {
        region_names::look_up(options, client, start)
    });
    let not_recorded = matches!(&looked_up, Err(CheckError::Call(e)) if e.not_recorded());
    let lookup_error = match looked_up {
        Ok(unknown) if !unknown.is_empty() => return unknown_regions(session, unknown),
        looked_up => looked_up.err().filter(|_| !not_recorded),
    };
    let calls =
        workers.scope(|scope| call(scope, client, start, permission, lookup_error, &mut checks));
    let unknown = region_names::unknown(options, &calls.regions.enabled);
    if not_recorded && !calls.regions.enabled.is_empty() && !unknown.is_empty() {
        return unknown_regions(session, unknown);
    }
    if let (Some(check), Some(checked)) = (permission, &calls.permission) {
        let enabled = &calls.regions.enabled;
        let found = if calls.is_offline {
            Err(CheckError::Skipped(REGIONS_NUMBER))
        } else {
            recorder::find(check, &mut workers, start, enabled, checked, &mut checks)
        };
        checks.add(ENABLED, found, String::clone);
    }
    let alias = calls.alias;
    let account = calls.account_id.map(|id| Account { id, alias });
    let failures = checks.into_failures();
    Preflight {
        http: Some(session.http.clone()),
        client: Some(client.clone()),
        account: account.clone(),
        outcome: match account {
            Some(account) if failures.is_empty() => Ok(Ready {
                client: client.clone(),
                workers,
                account,
                regions: calls.regions.enabled,
                refused_regions: calls.regions.refused,
                prefetched,
            }),
            _ => Err(NotReady::Failed(failures)),
        },
    }
}

fn unknown_regions(session: &Session, unknown: Vec<UnknownRegion>) -> Preflight {
    Preflight {
        http: Some(session.http.clone()),
        client: Some(session.client.clone()),
        account: None,
        outcome: Err(NotReady::UnknownRegions(unknown)),
    }
}

/// The results of the calls.
struct Calls {
    account_id: Option<AccountId>,
    alias: Option<String>,
    regions: Regions,
    /// True if the host of the regions does not answer: the hosts of further regions are not tried.
    is_offline: bool,
    /// The result of the permission check, unless the checks are skipped.
    permission: Option<CheckedRegion>,
}

/// Makes the calls concurrently, and shows each check when its call has ended. The check of the regions fails if
/// looking the regions of the options up failed.
fn call<'scope>(
    scope: &Scope<'_, 'scope>,
    client: &'scope Client,
    start: &'scope Region,
    permission: Option<&'scope PermissionCheck<'scope>>,
    lookup_error: Option<CheckError>,
    checks: &mut Checks,
) -> Calls {
    let account_id = scope.spawn(|| identity::account_id(client, start));
    let alias = scope.spawn(|| identity::alias(client, start));
    let regions = scope.spawn(|| identity::regions(client, start));
    let early = permission.map(|check| (check, spawn(scope, check, start, &[])));

    let account_id = checks.try_join(IDENTITY, account_id);
    let account_id = checks.add(IDENTITY, account_id, ToString::to_string);
    let alias = checks.try_join(ALIAS, alias);
    let alias = checks.add(ALIAS, alias, |alias| {
        alias.clone().unwrap_or("no alias".to_owned())
    });
    let count = |regions: &Regions| pluralize(regions.enabled.len(), "enabled region");
    let regions = checks.try_join(REGIONS, regions);
    let regions = lookup_error.map_or(regions, Err);
    let is_offline = matches!(&regions, Err(CheckError::Call(e)) if e.cause.is_unanswered());
    let regions = checks.add(REGIONS, regions, count);
    let regions = regions.unwrap_or_default();

    let permission = early.map(|(check, task)| {
        let region = check_region(start, &regions.enabled);
        let task = if region == check_region(start, &[]) {
            task
        } else {
            spawn(scope, check, start, &regions.enabled)
        };
        let name = permission::name(check.method, check.types);
        let result = checks.join(name, task);
        let shown = result.clone().ok_or(CheckError::Internal);
        let shown = shown.and_then(|result| Ok(result?));
        checks.add(name, shown, |permission| match permission {
            Permission::NoRecorder => format!("{region}; no recorder"),
            Permission::Allowed | Permission::Inconclusive => region.to_string(),
        });
        (region, result)
    });
    Calls {
        account_id,
        alias: alias.flatten(),
        regions,
        is_offline,
        permission,
    }
}

/// Starts the calls of the last two checks for these enabled regions; if `enabled` is empty, the regions are not known
/// yet. Returns the task of the permission check.
pub(super) fn spawn<'scope>(
    scope: &Scope<'_, 'scope>,
    check: &'scope PermissionCheck<'scope>,
    start: &Region,
    enabled: &[Region],
) -> Task<Result<Permission, CallError>> {
    let region = check_region(start, enabled);
    let task = scope.spawn(move || check.run(&region));
    if let Some(region) = first_regions(start, enabled).into_iter().next() {
        drop(scope.spawn(move || check.recorder_status(&region)));
    }
    task
}
