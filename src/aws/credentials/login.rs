//! Credentials in the cache of `aws login`, until they expire.
//!
//! They expire after 15 minutes. Only the AWS CLI refreshes them, because it needs a key of its
//! own.
//!
//! Settings:
//! - `login_session` of the profile: configures this provider; its SHA-256 is the name of the file.
//! - AWS_LOGIN_CACHE_DIRECTORY: the directory of the cache, default `~/.aws/login/cache`.
//!
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html>

use serde::Deserialize;

use super::cache_file::cache_name;
use super::json_credentials::{instant, json};
use super::provider::{Found, Provider, ProviderContext};
use crate::aws::config_file::expand_home;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::secret::Secret;

/// The provider of the credentials of `aws login`.
pub struct Login;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cache {
    access_token: CachedKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CachedKeys {
    access_key_id: Secret,
    secret_access_key: Secret,
    session_token: Secret,
    expires_at: String,
}

impl Provider for Login {
    fn name(&self) -> &'static str {
        "aws login"
    }

    fn load(&self, context: &ProviderContext) -> Result<Found, CredentialsError> {
        let Some(session) = context.setting("login_session") else {
            return Ok(Found::NotConfigured("the profile has no login_session"));
        };
        let profile = &context.profile.name;
        let env = context.env;
        let directory = env.var("AWS_LOGIN_CACHE_DIRECTORY");
        let directory = directory.unwrap_or_else(|| "~/.aws/login/cache".to_owned());
        let name = cache_name(&ring::digest::SHA256, session);
        let path = expand_home(env, &directory).join(name);
        let origin = format!("the sign-in of profile {profile} in {}", path.display());
        let bytes = env
            .read(&path)
            .map_err(|e| sign_in(profile, format!("{origin} cannot be read: {e}")))?;
        let cache: Cache = json(&bytes, &origin).map_err(|e| sign_in(profile, e.to_string()))?;
        let keys = cache.access_token;
        let Some(expires) = instant(&keys.expires_at) else {
            return Err(sign_in(
                profile,
                format!("{origin} has an invalid expiresAt"),
            ));
        };
        if expires <= context.transport.clock.now() {
            return Err(sign_in(profile, format!("{origin} has expired")));
        }
        let (id, secret) = (keys.access_key_id.expose(), keys.secret_access_key.expose());
        let token = Some(keys.session_token.expose());
        let keys = ResolvedCredentials::new(id, secret, token, origin);
        Ok(Found::Keys(keys.with_expiry(Some(expires))))
    }
}

/// Returns the error that asks the user to sign in.
fn sign_in(profile: &str, problem: String) -> CredentialsError {
    let action = format!(
        "run `aws login --profile {profile}`, or let the AWS CLI refresh: eval \"$(aws configure \
         export-credentials --profile {profile} --format env)\""
    );
    CredentialsError::SignIn { problem, action }
}
