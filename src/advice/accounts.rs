//! Advice about the list of accounts and the access to them.

use std::fmt::Display;

use super::errors::for_call;
use super::summary::iam_policy_command;
use crate::accounts::ListError;
use crate::accounts::access::AccessError;
use crate::aws::error::{CallError, Cause, ErrorKind};
use crate::options::{AccountSource, Options};

/// The five causes of a denied role, which AWS does not distinguish.
const DENIED_ROLE: &str = "AWS gives the same answer for five causes: the role does not exist in the account; its trust \
                           policy does not name the caller; it requires an external ID, a session name or MFA; the \
                           caller lacks sts:AssumeRole; a service control policy denies it. Check --role-name and \
                           --external-id";

/// Returns the reason why the list does not have an account that the options name, and what to do about it.
#[must_use]
pub fn for_not_found(source: &AccountSource) -> &'static str {
    match source {
        AccountSource::Profiles(_) => "no profile of --profiles has this account; check --accounts",
        AccountSource::Sso { .. } => {
            "the account is not assigned to you in IAM Identity Center; check --accounts"
        }
        AccountSource::Organization | AccountSource::Named => {
            "the account is not in the caller's organization, or not in the selected units; check --accounts"
        }
    }
}

/// The advice about accounts whose role cannot be assumed: the five causes, shorter than in the log.
pub const FOR_DENIED_ROLES: &str = "Check, in each account: the role exists (--role-name); its trust policy names the \
                                    caller; it needs no other --external-id, session name or MFA; the caller may use \
                                    sts:AssumeRole; no service control policy denies it";

/// The advice about accounts whose permission set is not assigned to the user.
pub const FOR_NOT_ASSIGNED: &str =
    "Ask for the permission set in these accounts, or name another one with --role-name";

/// The advice about accounts in which regions are not enabled.
pub const FOR_DISABLED_REGIONS: &str =
    "Enable the regions in these accounts, or exclude them with --exclude-regions";

/// Returns the advice about accounts in which calls of a run with `options` are denied.
#[must_use]
pub fn for_denied_calls(options: &Options) -> String {
    let command = iam_policy_command(options);
    format!("Grant the policy that {command} prints; also check service control policies")
}

/// Formats the reason why the list of accounts is not complete, and what to do about it.
#[must_use]
pub fn for_list(error: &ListError) -> String {
    let advice = match error {
        ListError::Call(call) => for_list_call(call),
        ListError::Pages { .. } | ListError::InvalidAccount { .. } => {
            "a part of an organization is not the organization: check the endpoint and any proxy"
                .to_owned()
        }
        ListError::UnknownUnit(_) => {
            "check --ou and --exclude-ous; paths have the names of the units from the root down"
                .to_owned()
        }
        ListError::Portal(_) => return error.to_string(),
        ListError::PermissionSets { .. } => "name one with --role-name".to_owned(),
        ListError::TooManyAccounts(_) => "select accounts with --ou or --accounts".to_owned(),
    };
    format!("{error}; {advice}")
}

fn for_list_call(call: &CallError) -> String {
    match &call.cause {
        Cause::Service { code, .. } if code == "AWSOrganizationsNotInUseException" => {
            "the caller's account is in no organization: name the accounts with --accounts".to_owned()
        }
        _ if call.kind() == Some(ErrorKind::AccessDenied) => {
            "only the management account and delegated administrators may list the accounts: allow it there, name a role \
             with --organization-role, or name the accounts with --accounts"
                .to_owned()
        }
        _ => for_call(call),
    }
}

/// Formats the reason why an account cannot be accessed, and what to do about it.
#[must_use]
pub fn for_access(error: &AccessError) -> String {
    match (error, error.call()) {
        (_, Some(call)) if call.kind() == Some(ErrorKind::AccessDenied) => {
            format!("{call}; {DENIED_ROLE}")
        }
        (AccessError::Credentials(error), Some(call)) => format!("{error}; {}", for_role(call)),
        (AccessError::Credentials(error), None) => error.to_string(),
        (AccessError::NoProfile, _) => error.to_string(),
        (
            AccessError::WrongAccount(_)
            | AccessError::OtherAccount(_)
            | AccessError::UnknownAccount,
            _,
        ) => for_other_account(error),
    }
}

/// Returns the advice about a failed call of STS.
fn for_role(call: &CallError) -> String {
    match &call.cause {
        Cause::Service { code, .. } if code == "PackedPolicyTooLarge" => {
            "the session policy and the tags of the session are too large: try --no-session-policy".to_owned()
        }
        _ if call.kind() == Some(ErrorKind::OptInRequired) => {
            "STS is not active in this region: activate it in the account settings of IAM, or choose another start \
             region with --region"
                .to_owned()
        }
        _ => for_call(call),
    }
}

/// Formats the reason why the credentials are of another account, and what to do about it.
#[must_use]
pub fn for_other_account(error: impl Display) -> String {
    format!("{error}; no count of it is used: check the endpoint and any proxy")
}
