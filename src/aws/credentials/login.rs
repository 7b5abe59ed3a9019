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
use super::provider::{Context, Found, Provider};
use crate::aws::config_file::expand_home;
use crate::aws::credential_cache::{CredentialsError, ResolvedCredentials};

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
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expires_at: String,
}

impl Provider for Login {
    fn name(&self) -> &'static str {
        "aws login"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let Some(session) = context.setting("login_session") else {
            return Ok(Found::NotConfigured("the profile has no login_session"));
        };
        let profile = &context.profile.name;
        let env = context.env;
        let directory = env.var("AWS_LOGIN_CACHE_DIRECTORY");
        let directory = directory.unwrap_or_else(|| "~/.aws/login/cache".to_owned());
        let name = cache_name(&ring::digest::SHA256, session);
        let path = expand_home(env, &directory).join(name);
        let advice = format!(
            "run `aws login --profile {profile}`, or let the AWS CLI refresh: eval \"$(aws configure \
             export-credentials --profile {profile} --format env)\""
        );
        let origin = format!("the sign-in of profile {profile} in {}", path.display());
        let error = |why: &str| CredentialsError(format!("{origin} {why}; {advice}"));
        let bytes = env
            .read(&path)
            .map_err(|e| error(&format!("cannot be read: {e}")))?;
        let CachedKeys {
            access_key_id,
            secret_access_key,
            session_token,
            expires_at,
        } = json::<Cache>(&bytes, &origin)
            .map_err(|e| CredentialsError(format!("{e}; {advice}")))?
            .access_token;
        let expires = instant(&expires_at).ok_or_else(|| error("has an invalid expiresAt"))?;
        if expires <= context.net.clock.now() {
            return Err(error("has expired"));
        }
        let token = Some(session_token.as_str());
        let keys = ResolvedCredentials::new(&access_key_id, &secret_access_key, token, origin);
        Ok(Found::Keys(keys.with_expiry(Some(expires))))
    }
}
