//! The checks of the credentials of profiles, each with a provider chain of its own.
//!
//! - Each profile is a task on the workers: its credentials, then GetCallerIdentity. The main thread joins the tasks in
//!   the order of the files.
//! - A profile that fails, whatever the reason, does not prevent the use of the others.

use super::check::{CheckError, Checks};
use super::identity;
use super::run::{CREDENTIALS, IDENTITY};
use crate::accounts::{AccountStatus, CheckedProfile, ProfilesError, UsableProfile, select, shown};
use crate::aws::config_file::SharedFiles;
use crate::aws::error::{CallError, CredentialsError, ErrorKind};
use crate::env::Env;
use crate::model::AccountId;
use crate::session::SessionParts;
use crate::text::{list, pluralize};
use crate::workers::Workers;

/// The maximum number of profiles that a check names.
const NAMED: usize = 8;

/// A profile after its checks.
struct Resolved {
    profile: CheckedProfile,
    has_credentials: bool,
}

/// The reason why a profile cannot be used.
struct UnusableReason {
    has_credentials: bool,
    status: AccountStatus,
    detail: String,
}

/// Checks the profiles that match `patterns`: check 3 is their credentials, check 4 the first account.
pub(super) fn check_profiles(
    patterns: &[String],
    env: &dyn Env,
    parts: &SessionParts,
    workers: &Workers,
    checks: &mut Checks,
) -> Option<Vec<CheckedProfile>> {
    let names = names(patterns, env);
    let resolved = names.and_then(|names| {
        let resolved = resolve(names, parts, workers, checks);
        if resolved.iter().any(|one| one.has_credentials) {
            Ok(resolved)
        } else {
            Err(none_usable(&resolved))
        }
    });
    let resolved = checks.add(CREDENTIALS, resolved, |resolved| describe(resolved))?;
    let first = resolved.iter().find(|one| one.profile.result.is_ok());
    let first = first.ok_or_else(|| none_usable(&resolved));
    checks.add(IDENTITY, first, |first| {
        let usable = first.profile.result.as_ref();
        let account = usable.map_or(String::new(), |usable| usable.account.to_string());
        format!("{account} (profile {})", shown(&first.profile.name))
    })?;
    Some(resolved.into_iter().map(|one| one.profile).collect())
}

/// Returns the profiles that match `patterns`, in the order of the files, with the accounts that their settings name.
fn names(
    patterns: &[String],
    env: &dyn Env,
) -> Result<Vec<(String, Option<AccountId>)>, CheckError> {
    let files = SharedFiles::load(env).map_err(CredentialsError::from)?;
    let names = select(patterns, &files)?.into_iter();
    Ok(names
        .map(|name| (name.to_owned(), expected_account(&files, name)))
        .collect())
}

/// Returns the account that the settings of a profile name: that of its role or of its permission set.
fn expected_account(files: &SharedFiles, profile: &str) -> Option<AccountId> {
    match files.get(profile, "role_arn") {
        Some(arn) => arn.split(':').nth(4)?.parse().ok(),
        None => files.get(profile, "sso_account_id")?.trim().parse().ok(),
    }
}

/// Resolves the credentials and the account of each profile, on the workers.
fn resolve(
    names: Vec<(String, Option<AccountId>)>,
    parts: &SessionParts,
    workers: &Workers,
    checks: &mut Checks,
) -> Vec<Resolved> {
    workers.scope(|scope| {
        let spawn = |(name, expected): (String, Option<AccountId>)| {
            let (task_name, wanted) = (name.clone(), expected.clone());
            let task = scope.spawn(move || resolve_one(parts, &task_name, wanted.as_ref()));
            (name, expected, task)
        };
        let tasks: Vec<_> = names.into_iter().map(spawn).collect();
        let join = |(name, expected, task): (String, _, _)| {
            let panicked = || Err(UnusableReason::new(&CheckError::Internal, false));
            let result = checks.join(CREDENTIALS, task).unwrap_or_else(panicked);
            let has_credentials = result.as_ref().err().is_none_or(|e| e.has_credentials);
            Resolved {
                profile: CheckedProfile {
                    result: result.map_err(|why| {
                        let detail = format!("profile {}: {}", shown(&name), why.detail);
                        (why.status, detail)
                    }),
                    name,
                    expected,
                },
                has_credentials,
            }
        };
        tasks.into_iter().map(join).collect()
    })
}

fn resolve_one(
    parts: &SessionParts,
    name: &str,
    expected: Option<&AccountId>,
) -> Result<UsableProfile, UnusableReason> {
    let region = parts.region_of_profile(name).map_err(CheckError::from);
    let client = region.and_then(|region| Ok(parts.client_of_profile(name, region)?));
    let (client, region) = client.map_err(|error| UnusableReason::new(&error, false))?;
    let account = identity::account_id(&client, &region);
    let account = account.map_err(|error| UnusableReason::new(&error, true))?;
    match expected {
        Some(expected) if *expected != account => Err(UnusableReason {
            has_credentials: true,
            status: AccountStatus::WrongAccount,
            detail: format!(
                "the credentials are of the account {account}, and the profile names {expected}; no count of it is used"
            ),
        }),
        _ => Ok(UsableProfile {
            client,
            region,
            account,
        }),
    }
}

impl UnusableReason {
    fn new(error: &CheckError, has_credentials: bool) -> Self {
        let call = match error {
            CheckError::Call(call) => Some(call),
            CheckError::Credentials(error) => error.call(),
            _ => None,
        };
        let kind = call.and_then(CallError::kind);
        let is_denied = kind == Some(ErrorKind::AccessDenied);
        Self {
            has_credentials,
            status: if is_denied {
                AccountStatus::AccessDenied
            } else {
                AccountStatus::Failed
            },
            detail: error.to_string(),
        }
    }
}

/// Returns the error that no profile can be used, with the reason of the first one that came furthest.
fn none_usable(resolved: &[Resolved]) -> CheckError {
    let first = resolved.iter().find(|one| one.has_credentials);
    let failure = first.or(resolved.first()).map(|one| &one.profile.result);
    let first = match failure {
        Some(Err((_, detail))) => detail.clone(),
        _ => String::new(),
    };
    CheckError::Profiles(ProfilesError::NoneUsable {
        profiles: resolved.len(),
        first,
    })
}

/// Describes the credentials: `3 of 4 profiles have credentials; the others: team-4`.
fn describe(resolved: &[Resolved]) -> String {
    let others = resolved.iter().filter(|one| !one.has_credentials);
    let others: Vec<_> = others.map(|one| shown(&one.profile.name)).collect();
    let all = pluralize(resolved.len(), "profile");
    match others.len() {
        0 => format!("{all}, all with credentials"),
        n => format!(
            "{} of {all} have credentials; the others: {}",
            resolved.len() - n,
            list(others, NAMED)
        ),
    }
}
