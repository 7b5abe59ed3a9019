//! A role that is assumed with an OpenID Connect token in a file, as in CI systems and Kubernetes.
//!
//! Settings, as a variable or as a key of the profile. The variable takes precedence, for each
//! setting on its own; with `--profile` only the keys of the profile are read.
//! - AWS_WEB_IDENTITY_TOKEN_FILE, `web_identity_token_file`: configures this provider.
//! - AWS_ROLE_ARN, `role_arn`: required.
//! - AWS_ROLE_SESSION_NAME, `role_session_name`: default is the program's name and the Unix time.
//!
//! The call is sts:AssumeRoleWithWebIdentity in the start region.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/access-assume-role-web.html>

use std::path::Path;

use super::provider::{Found, ProfileSource, Provider, ProviderContext};
use super::role::{role_keys, session_name};
use crate::aws::config_file::expand_home;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::aws::ops::assume_role_with_web_identity::AssumeRoleWithWebIdentity;
use crate::env::Env;
use crate::redact;
use crate::secret::Secret;

/// The provider of a role for a web identity.
pub const PROVIDER: Provider = ("a web identity", load);

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
    let explicit = context.profile.source == ProfileSource::Flag;
    let setting = |variable: &str, key: &str| {
        let profile_key = || context.setting(key).map(str::to_owned);
        let var = context.env.var(variable).filter(|_| !explicit);
        var.or_else(profile_key)
    };
    let file = "AWS_WEB_IDENTITY_TOKEN_FILE";
    let Some(path) = setting(file, "web_identity_token_file") else {
        return Ok(Found::NotConfigured("no token file is configured"));
    };
    let path = expand_home(context.env, &path);
    // The variable may contain the token itself.
    let shown = redact::setting(&path.display().to_string());
    let origin = format!("the web identity in {shown}");
    let Some(role_arn) = setting("AWS_ROLE_ARN", "role_arn") else {
        let problem = "set AWS_ROLE_ARN (or role_arn) too";
        return Err(CredentialsError::setting(origin, problem));
    };
    let token = read_token(context.env, &path, &origin)?;
    let name = setting("AWS_ROLE_SESSION_NAME", "role_session_name");
    let call = AssumeRoleWithWebIdentity {
        role_arn: &role_arn,
        session_name: &name.unwrap_or_else(|| session_name(context)),
        token: &token,
    };
    // The call is not signed: the token is in its body. It is the secret key here so that it is
    // redacted in messages.
    let secret = ResolvedCredentials::new("", token.expose(), None, String::new());
    let result = context.client(secret).call(context.region, &call);
    role_keys(
        result,
        format!("{origin}, role {}", redact::setting(&role_arn)),
    )
    .map(Found::Keys)
}

/// Reads the token; surrounding whitespace is removed.
fn read_token(env: &dyn Env, path: &Path, origin: &str) -> Result<Secret, CredentialsError> {
    let bytes = env.read(path).map_err(|source| {
        let what = origin.to_owned();
        CredentialsError::Io { what, source }
    })?;
    let token = Secret::from(String::from_utf8_lossy(&bytes).trim());
    if token.expose().is_empty() {
        return Err(CredentialsError::setting(origin, "the file is empty"));
    }
    Ok(token)
}
