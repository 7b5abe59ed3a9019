//! Roles of a profile, assumed with the credentials of another profile or provider.
//!
//! Settings of the profile:
//! - `role_arn`: configures this provider, unless `web_identity_token_file` is set too.
//! - `source_profile`: the profile whose credentials assume the role. It may be a role itself.
//! - `credential_source`: the provider whose credentials assume the role: `Environment`,
//!   `EcsContainer` or `Ec2InstanceMetadata`, in any case. Exactly one of these two keys is
//!   required.
//! - `external_id`: optional.
//! - `mfa_serial`: prompts on the terminal for a code of six digits; not repeated for a refresh.
//! - `role_session_name`: default is the program's name and the Unix time.
//! - `duration_seconds`: default is that of STS, 3,600. A value that is not a number is ignored.
//!
//! The call is sts:AssumeRole in the start region.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>

use super::provider::{Found, Profile, ProfileSource, Provider, ProviderContext, load_first};
use super::role::{role_keys, session_name};
use super::static_profile::{CONFIG_PROFILE, SHARED_PROFILE};
use super::{container, environment, imds, login, process, sso, web_identity};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::aws::ops::assume_role::AssumeRole;
use crate::redact;

/// The provider of a profile's role.
pub const PROVIDER: Provider = ("a role of the profile", load);

/// The providers of a `source_profile`, in the order in which they are loaded.
const PROFILE_CHAIN: [Provider; 6] = [
    SHARED_PROFILE,
    CONFIG_PROFILE,
    web_identity::PROVIDER,
    sso::PROVIDER,
    login::PROVIDER,
    process::PROVIDER,
];

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
    let profile = &context.profile.name;
    if !is_role(context, profile) {
        return Ok(Found::NotConfigured(
            "the profile has no role_arn to assume",
        ));
    }
    assume_role(context, profile, &mut Vec::new()).map(Found::Keys)
}

/// Assumes the role of `profile`; `visited` are the profiles on the way to it.
fn assume_role(
    context: &ProviderContext,
    profile: &str,
    visited: &mut Vec<String>,
) -> Result<ResolvedCredentials, CredentialsError> {
    let get = |key| context.files.get(profile, key);
    let role_arn = get("role_arn").unwrap_or_default();
    let role = format!(
        "the role {} of profile {profile}",
        redact::setting(role_arn)
    );
    visited.push(profile.to_owned());
    let source = match (get("source_profile"), get("credential_source")) {
        (Some(name), None) => source_profile(context, profile, name, visited)?,
        (None, Some(source)) => credential_source(context, source, &role)?,
        (Some(_), Some(_)) => {
            let problem = "has both source_profile and credential_source; keep one";
            return Err(CredentialsError::setting(&role, problem));
        }
        (None, None) => {
            let problem = "role_arn needs source_profile or credential_source";
            return Err(CredentialsError::setting(&role, problem));
        }
    };
    let mfa = match get("mfa_serial") {
        Some(serial) => Some((serial, mfa_code(context, serial, &role)?)),
        None => None,
    };
    let default_name = session_name(context);
    let call = AssumeRole {
        role_arn,
        session_name: get("role_session_name").unwrap_or(&default_name),
        external_id: get("external_id"),
        // As in botocore, a value that is not a number is ignored.
        duration_seconds: get("duration_seconds").and_then(|s| s.parse().ok()),
        mfa,
        policy: None,
    };
    role_keys(context.client(source).call(context.region, &call), role)
}

/// Loads the credentials of the profile `name`, which assume the role of `profile`.
fn source_profile(
    context: &ProviderContext,
    profile: &str,
    name: &str,
    visited: &mut Vec<String>,
) -> Result<ResolvedCredentials, CredentialsError> {
    if !context.files.has_profile(name) {
        let shown = redact::setting(name);
        let what = format!("source_profile \"{shown}\" of profile {profile}");
        return Err(CredentialsError::no_profile(&what, name, context.files));
    }
    let has_keys = context.files.get(name, "aws_access_key_id").is_some();
    // A profile with an access key ends the chain of roles, even if its source_profile is
    // itself.
    if !has_keys && is_role(context, name) {
        if visited.iter().any(|p| p == name) {
            visited.push(name.to_owned());
            return Err(CredentialsError::setting(
                "source_profile loop",
                visited.join(" -> "),
            ));
        }
        return assume_role(context, name, visited);
    }
    let source_context = ProviderContext {
        profile: &Profile::named(name),
        ..*context
    };
    load_first(&PROFILE_CHAIN, &source_context)?.ok_or_else(|| {
        CredentialsError::Setting(format!(
            "source_profile \"{name}\" of profile {profile} has no credentials; run `aws \
             configure --profile {name}`"
        ))
    })
}

/// Returns true if `profile` is a role for this provider: one with a web identity is for that
/// provider.
fn is_role(context: &ProviderContext, profile: &str) -> bool {
    let has = |key| context.files.get(profile, key).is_some();
    has("role_arn") && !has("web_identity_token_file")
}

/// Prompts for a code of the MFA device `serial`.
fn mfa_code(
    context: &ProviderContext,
    serial: &str,
    role: &str,
) -> Result<String, CredentialsError> {
    if context.is_refresh {
        let problem = "the credentials have expired and a new MFA code is needed; run again";
        return Err(CredentialsError::setting(role, problem));
    }
    let serial = redact::setting(serial);
    let question = format!("Enter MFA code for {serial}: ");
    match context.env.prompt(&question) {
        None => {
            let problem = format_args!(
                "needs an MFA code of {serial}, and there is no terminal to prompt on; run it on a \
                 terminal, or pass credentials with `aws configure export-credentials`"
            );
            Err(CredentialsError::setting(role, problem))
        }
        Some(code) if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) => Ok(code),
        Some(_) => Err(CredentialsError::setting(
            role,
            "MFA codes have six digits; try again",
        )),
    }
}

/// Loads the credentials of the provider that `credential_source` names, for `role`.
fn credential_source(
    context: &ProviderContext,
    source: &str,
    role: &str,
) -> Result<ResolvedCredentials, CredentialsError> {
    // Without `--profile`: a provider would skip the environment for it.
    let source_context = ProviderContext {
        profile: &Profile {
            name: context.profile.name.clone(),
            source: ProfileSource::Default,
        },
        ..*context
    };
    let (_, load): Provider = match source.to_ascii_lowercase().as_str() {
        "environment" => environment::PROVIDER,
        "ecscontainer" => container::PROVIDER,
        "ec2instancemetadata" => imds::PROVIDER,
        _ => {
            let source = redact::setting(source);
            let problem = format_args!(
                "credential_source \"{source}\" is not Environment, EcsContainer or \
                 Ec2InstanceMetadata"
            );
            return Err(CredentialsError::setting(role, problem));
        }
    };
    match load(&source_context) {
        Ok(Found::Keys(keys)) => Ok(keys),
        Ok(Found::NotConfigured(why)) => {
            let problem = format_args!("credential_source {source} has no credentials: {why}");
            Err(CredentialsError::setting(role, problem))
        }
        Err(error) => Err(CredentialsError::RoleSource {
            role: role.to_owned(),
            source: Box::new(error),
        }),
    }
}
