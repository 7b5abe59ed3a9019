//! Keys that `aws login` left in its cache, while they live.
//!
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html>. They last fifteen
//! minutes; the AWS CLI refreshes them with a key of its own, which this program leaves to it.

use serde::Deserialize;

use super::answer::{instant, json};
use super::{Context, CredentialsError, Found, Provider, Resolved, cache_name};
use crate::aws::config_file::expand_home;

pub struct Login;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cache {
    access_token: Held,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Held {
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
            return Ok(Found::Nothing("the profile has no login_session"));
        };
        let profile = &context.profile.name;
        let env = context.env;
        let folder = env.var("AWS_LOGIN_CACHE_DIRECTORY");
        let folder = folder.unwrap_or_else(|| "~/.aws/login/cache".to_owned());
        let name = cache_name(&ring::digest::SHA256, session);
        let path = expand_home(env, &folder).join(name);
        let repair = format!(
            "run `aws login --profile {profile}`, or let the AWS CLI refresh: eval \"$(aws configure \
             export-credentials --profile {profile} --format env)\""
        );
        let origin = format!("the sign-in of profile {profile} in {}", path.display());
        let broken = |why: &str| CredentialsError(format!("{origin} {why}; {repair}"));
        let bytes = env
            .read(&path)
            .map_err(|e| broken(&format!("cannot be read: {e}")))?;
        let Held {
            access_key_id,
            secret_access_key,
            session_token,
            expires_at,
        } = json::<Cache>(&bytes, &origin)
            .map_err(|e| CredentialsError(format!("{e}; {repair}")))?
            .access_token;
        let expires = instant(&expires_at).ok_or_else(|| broken("has no end that can be read"))?;
        if expires <= context.net.clock.now() {
            return Err(broken("has expired"));
        }
        let token = Some(session_token.as_str());
        let keys = Resolved::new(&access_key_id, &secret_access_key, token, origin);
        Ok(Found::Keys(keys.until(Some(expires))))
    }
}
