//! Credentials in the cache of `aws login`, refreshed as the AWS CLI does.
//!
//! They expire after 15 minutes. With less than 5 minutes left, a token request that is signed with
//! the key of the session (DPoP) returns new ones and a new refresh token, and the file is
//! replaced, readable only by its owner. The old refresh token is then no longer valid, so the
//! request is made only if the file can be replaced.
//!
//! Settings:
//! - `login_session` of the profile: configures this provider; its SHA-256 is the name of the file.
//! - AWS_LOGIN_CACHE_DIRECTORY: the directory of the cache, default `~/.aws/login/cache`.
//!
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html>

use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use super::cache_file::{cache_name, cache_time};
use super::iso_time::instant;
use super::json_credentials::json;
use super::provider::{Found, Provider, ProviderContext};
use super::sign_in_token::{Refused, SignInResponse, TokenRequest};
use crate::aws::config_file::expand_home;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::sync::lock;

/// The time before the expiry at which the credentials are refreshed, as in botocore.
const REFRESH_WINDOW: Duration = Duration::minutes(5);

/// Held during a refresh: several profiles may share a session, whose refresh token is valid only once. Other processes
/// are not excluded, as in the AWS CLI.
static REFRESHING: Mutex<()> = Mutex::new(());

/// The provider of the credentials of `aws login`.
pub const PROVIDER: Provider = ("aws login", load);

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
    let Some(session) = context.setting("login_session") else {
        return Ok(Found::NotConfigured("the profile has no login_session"));
    };
    SignIn::new(*context, session)
        .credentials()
        .map(Found::Keys)
}

/// The sign-in of a profile.
struct SignIn<'a> {
    context: ProviderContext<'a>,
    path: PathBuf,
    /// The description for messages.
    origin: String,
}

/// The content of the file.
struct Cache {
    members: Map<String, Value>,
    expires: OffsetDateTime,
    keys: ResolvedCredentials,
}

impl<'a> SignIn<'a> {
    fn new(context: ProviderContext<'a>, session: &str) -> Self {
        let env = context.env;
        let directory = env.var("AWS_LOGIN_CACHE_DIRECTORY");
        let directory = directory.unwrap_or_else(|| "~/.aws/login/cache".to_owned());
        let name = cache_name(&aws_lc_rs::digest::SHA256, session);
        let path = expand_home(env, &directory).join(name);
        let (profile, shown) = (&context.profile.name, path.display());
        let origin = format!("the sign-in of profile {profile} in {shown}");
        Self {
            context,
            path,
            origin,
        }
    }

    /// Returns the credentials of the cache, refreshed if they expire soon. If the refresh fails, they
    /// are used until they expire.
    fn credentials(&self) -> Result<ResolvedCredentials, CredentialsError> {
        let _refreshing = lock(&REFRESHING);
        let cache = self.read()?;
        let left = cache.expires - self.now();
        if left > REFRESH_WINDOW {
            return Ok(cache.keys);
        }
        match self.refresh(&cache) {
            Ok(fresh) => Ok(fresh),
            Err(error) if left > Duration::ZERO => {
                (self.context.log)(&format!("credentials: {error}"));
                Ok(cache.keys)
            }
            Err(error) => Err(error),
        }
    }

    fn now(&self) -> OffsetDateTime {
        self.context.transport.clock.now()
    }

    fn read(&self) -> Result<Cache, CredentialsError> {
        let bytes = self.context.env.read_regular(&self.path);
        let bytes = bytes.map_err(|e| self.sign_in_again(&format!("cannot be read: {e}")))?;
        let members: Map<String, Value> =
            json(&bytes, &self.origin).map_err(|e| self.advise(e.to_string()))?;
        let token = members.get("accessToken");
        let text = |name: &str| token.and_then(|t| t.get(name)?.as_str());
        let key =
            |name: &str| text(name).ok_or_else(|| self.sign_in_again(&format!("has no {name}")));
        let (id, secret) = (key("accessKeyId")?, key("secretAccessKey")?);
        let session_token = Some(key("sessionToken")?);
        let Some(expires) = instant(key("expiresAt")?) else {
            return Err(self.sign_in_again("has an invalid expiresAt"));
        };
        let keys = ResolvedCredentials::new(id, secret, session_token, self.origin.clone());
        Ok(Cache {
            keys: keys.with_expiry(Some(expires)),
            members,
            expires,
        })
    }

    /// Requests new credentials and saves them.
    fn refresh(&self, cache: &Cache) -> Result<ResolvedCredentials, CredentialsError> {
        let has_expired = cache.expires <= self.now();
        let request = TokenRequest::from_cache(&cache.members).map_err(|missing| {
            let state = if has_expired {
                "has expired"
            } else {
                "expires soon"
            };
            self.sign_in_again(&format!("{state} and cannot be refreshed: {missing}"))
        })?;
        self.check_writable(cache)?;
        match request.send(&self.context, &self.origin) {
            Ok(response) => self.save(cache, &response),
            // Another program may have used the refresh token since the file was read.
            Err(Refused::SignInAgain(code)) => match self.read() {
                Ok(other) if other.expires > cache.expires && other.expires > self.now() => {
                    Ok(other.keys)
                }
                _ => Err(self.sign_in_again(&format!("is no longer valid ({code})"))),
            },
            Err(Refused::Failed(error)) => Err(error),
        }
    }

    /// Replaces the file by an equal one: a refresh that cannot be saved would end the user's session.
    fn check_writable(&self, cache: &Cache) -> Result<(), CredentialsError> {
        self.write(&cache.members).map_err(|e| {
            let problem = format!("cannot be refreshed, because it cannot be written: {e}");
            self.sign_in_again(&problem)
        })
    }

    fn save(
        &self,
        cache: &Cache,
        response: &SignInResponse,
    ) -> Result<ResolvedCredentials, CredentialsError> {
        let lifetime = Duration::seconds(response.expires_in);
        let Some(expires) = self.now().checked_add(lifetime) else {
            let problem = "the token service returned an invalid expiresIn";
            return Err(CredentialsError::refused(&self.origin, problem));
        };
        let mut members = cache.members.clone();
        let keys = &response.access_token;
        if let Some(Value::Object(token)) = members.get_mut("accessToken") {
            for (name, value) in [
                ("accessKeyId", keys.access_key_id.expose()),
                ("secretAccessKey", keys.secret_access_key.expose()),
                ("sessionToken", keys.session_token.expose()),
                ("expiresAt", &cache_time(expires)),
            ] {
                token.insert(name.to_owned(), value.into());
            }
        }
        members.insert(
            "refreshToken".to_owned(),
            response.refresh_token.expose().into(),
        );
        if let Err(e) = self.write(&members) {
            let path = self.path.display();
            (self.context.log)(&format!("credentials: {path} could not be saved: {e}"));
        }
        Ok(keys.credentials(self.origin.clone(), Some(expires)))
    }

    fn write(&self, members: &Map<String, Value>) -> std::io::Result<()> {
        let bytes = serde_json::to_vec(members)?;
        self.context.env.write_private(&self.path, &bytes)
    }

    /// Returns the error that asks the user to sign in.
    fn sign_in_again(&self, problem: &str) -> CredentialsError {
        self.advise(format!("{} {problem}", self.origin))
    }

    fn advise(&self, problem: String) -> CredentialsError {
        let profile = &self.context.profile.name;
        let action = format!("run `aws login --profile {profile}`");
        CredentialsError::SignIn { problem, action }
    }
}
