//! Roles of profiles: `role_arn` with `source_profile` or `credential_source`, and chains of them.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>

use super::container::Container;
use super::environment::Environment;
use super::imds::Imds;
use super::{
    Context, CredentialsError, Found, Keyring, NamedBy, PROFILE_CHAIN, Profile, Provider, Resolved,
    ask, role_keys, session_name,
};
use crate::aws::ops::assume_role::AssumeRole;

pub struct AssumeRoleProfile;

impl Provider for AssumeRoleProfile {
    fn name(&self) -> &'static str {
        "a role of the profile"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        if !is_role(context, &context.profile.name) {
            return Ok(Found::Nothing("the profile has no role_arn to assume"));
        }
        role(context, &context.profile.name, &mut Vec::new()).map(Found::Keys)
    }
}

/// A role with a web identity is that provider's.
fn is_role(context: &Context, profile: &str) -> bool {
    let has = |key| context.files.get(profile, key).is_some();
    has("role_arn") && !has("web_identity_token_file")
}

/// The keys of the role that `profile` names; `passed` are the profiles on the way to it.
fn role(
    context: &Context,
    profile: &str,
    passed: &mut Vec<String>,
) -> Result<Resolved, CredentialsError> {
    let get = |key| context.files.get(profile, key);
    let role_arn = get("role_arn").unwrap_or_default();
    let origin = format!("the role {role_arn} of profile {profile}");
    let broken = |why: String| CredentialsError(format!("{origin}: {why}"));
    passed.push(profile.to_owned());
    let source = match (get("source_profile"), get("credential_source")) {
        (Some(name), None) => source_profile(context, profile, name, passed)?,
        (None, Some(source)) => credential_source(context, source).map_err(|e| broken(e.0))?,
        (Some(_), Some(_)) => {
            return Err(broken(
                "has both source_profile and credential_source; keep one".into(),
            ));
        }
        (None, None) => {
            return Err(broken(
                "needs source_profile or credential_source beside role_arn".into(),
            ));
        }
    };
    let mfa = match get("mfa_serial") {
        None => None,
        Some(_) if context.again => {
            return Err(broken(
                "has expired, and a new MFA code is needed; run again".into(),
            ));
        }
        Some(serial) => Some((serial, code(context, serial).map_err(broken)?)),
    };
    let own = session_name(context);
    let call = AssumeRole {
        role_arn,
        session_name: get("role_session_name").unwrap_or(&own),
        external_id: get("external_id"),
        // botocore passes over one that is no number.
        duration_seconds: get("duration_seconds").and_then(|s| s.parse().ok()),
        mfa,
    };
    let answered = context
        .net
        .client(Keyring::fixed(source))
        .call(&context.net.region, &call);
    role_keys(answered, origin)
}

fn code(context: &Context, serial: &str) -> Result<String, String> {
    let asked = context.env.ask(&format!("Enter MFA code for {serial}: "));
    match asked {
        None => Err(format!(
            "wants an MFA code of {serial}, and there is no terminal to ask on; run it on one, or \
             hand on keys with `aws configure export-credentials`"
        )),
        Some(code) if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) => Ok(code),
        Some(_) => Err("an MFA code has six digits; run again".to_owned()),
    }
}

/// The keys that the role is assumed with: a profile's own, or those of another role.
fn source_profile(
    context: &Context,
    profile: &str,
    name: &str,
    passed: &mut Vec<String>,
) -> Result<Resolved, CredentialsError> {
    if !context.files.has_profile(name) {
        return Err(CredentialsError(format!(
            "the source_profile \"{name}\" of profile {profile} is neither in {} nor in {}; `aws \
             configure --profile {name}` makes it",
            context.files.config.path.display(),
            context.files.credentials.path.display()
        )));
    }
    let has_keys = context.files.get(name, "aws_access_key_id").is_some();
    // A profile with keys ends the chain, also where it names itself.
    if !has_keys && is_role(context, name) {
        if passed.iter().any(|p| p == name) {
            passed.push(name.to_owned());
            let way = passed.join(" -> ");
            return Err(CredentialsError(format!(
                "the source profiles go in a circle: {way}"
            )));
        }
        return role(context, name, passed);
    }
    let source = Profile {
        name: name.to_owned(),
        named_by: NamedBy::Flag,
    };
    let of_source = Context {
        profile: &source,
        ..*context
    };
    ask(&PROFILE_CHAIN, &of_source)?.ok_or_else(|| {
        CredentialsError(format!(
            "the source_profile \"{name}\" of profile {profile} has no credentials; `aws configure \
             --profile {name}` sets them"
        ))
    })
}

fn credential_source(context: &Context, source: &str) -> Result<Resolved, CredentialsError> {
    let unnamed = Profile {
        name: context.profile.name.clone(),
        named_by: NamedBy::Nobody,
    };
    let of_source = Context {
        profile: &unnamed,
        ..*context
    };
    let provider: &dyn Provider = match source.to_ascii_lowercase().as_str() {
        "environment" => &Environment,
        "ecscontainer" => &Container,
        "ec2instancemetadata" => &Imds,
        _ => {
            return Err(CredentialsError(format!(
                "credential_source \"{source}\" is none of Environment, EcsContainer and \
                 Ec2InstanceMetadata"
            )));
        }
    };
    match provider.load(&of_source)? {
        Found::Keys(keys) => Ok(keys),
        Found::Nothing(why) => Err(CredentialsError(format!(
            "credential_source {source} has no credentials: {why}"
        ))),
    }
}
