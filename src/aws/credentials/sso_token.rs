//! The token of `aws sso login`, in `~/.aws/sso/cache`.
//!
//! The file name is the SHA-1 of the session name, or of the start URL in the legacy form, whose token is not refreshed. A
//! token with less than 15 minutes left is refreshed, and the file is replaced, readable only by its owner.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html>

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::cache_file::{cache_name, cache_time};
use super::fetch::Fetch;
use super::iso_time::instant;
use super::json_credentials::json;
use super::provider::ProviderContext;
use crate::aws::config_file::expand_home;
use crate::aws::error::CredentialsError;
use crate::aws::operation::Service;
use crate::model::Region;
use crate::redact::REDACTED;
use crate::secret::Secret;
use crate::sync::lock;

/// The time before its expiry at which a token is refreshed.
const REFRESH_WINDOW: time::Duration = time::Duration::minutes(15);

/// Held during a refresh: several profiles may share a session, whose refresh token is valid only once.
static REFRESHING: Mutex<()> = Mutex::new(());

/// The members of the file of a token that are read.
const TOKEN_MEMBERS: [&str; 6] = [
    "accessToken",
    "clientId",
    "clientSecret",
    "expiresAt",
    "refreshToken",
    "registrationExpiresAt",
];

/// The expiry of a recorded token.
const NEVER: &str = "9999-12-31T23:59:59Z";

/// The session whose token is in the cache.
pub(super) struct TokenSession<'a> {
    pub(super) context: ProviderContext<'a>,
    /// The name of the `[sso-session]`; `None` in the legacy form.
    pub(super) name: Option<&'a str>,
    pub(super) start_url: &'a str,
    pub(super) region: Region,
    /// The owner of the token in errors, such as `profile audit`.
    pub(super) owner: String,
    /// The option of `aws sso login`, such as `--profile audit`.
    pub(super) login: String,
}

/// A token and its expiry.
#[derive(Clone)]
pub struct Token {
    /// The token.
    pub access: Secret,
    /// The expiry.
    pub expires: OffsetDateTime,
    refresh: Option<Secret>,
}

impl TokenSession<'_> {
    /// Returns the error about the token that asks the user to sign in.
    pub(super) fn token_error(&self, why: &str) -> CredentialsError {
        self.sign_in(format!("the SSO token of {} {why}", self.owner))
    }

    /// Returns the error that asks the user to sign in.
    fn sign_in(&self, problem: String) -> CredentialsError {
        let action = format!("run `aws sso login {}`", self.login);
        CredentialsError::SignIn { problem, action }
    }

    /// Returns the path of the token's file.
    fn cache_path(&self) -> PathBuf {
        let key = self.name.unwrap_or(self.start_url);
        expand_home(self.context.env, &token_file(key))
    }

    /// Returns a valid token from the cache, refreshed if it expires soon, or if it is the `rejected` one, and the session
    /// allows it.
    pub(super) fn token(&self, rejected: Option<&Secret>) -> Result<Token, CredentialsError> {
        let _refreshing = lock(&REFRESHING);
        let (context, path) = (&self.context, self.cache_path());
        let Ok(bytes) = context.env.read_regular(&path) else {
            return Err(self.sign_in(format!(
                "no cached SSO token for {} (expected {})",
                self.owner,
                path.display()
            )));
        };
        let cached: Map<String, Value> = json(&bytes, &path.display().to_string())
            .map_err(|e| self.token_error(&format!("cannot be read: {e}")))?;
        let now = context.transport.clock.now();
        let token = Token::from_cache(&cached).ok_or_else(|| self.token_error("cannot be read"))?;
        let left = token.expires - now;
        let is_rejected = rejected.is_some_and(|old| old.expose() == token.access.expose());
        if self.name.is_some()
            && (left < REFRESH_WINDOW || is_rejected)
            && let Some(fresh) = self.refresh(&cached, now)
        {
            save(context, &path, cached, &fresh);
            return Ok(fresh);
        }
        if left <= time::Duration::ZERO {
            return Err(self.token_error("has expired"));
        }
        if is_rejected {
            return Err(self.token_error("is no longer accepted"));
        }
        Ok(token)
    }

    /// Requests a new token; `None` if the cache has no refresh token or client, the client's
    /// registration has expired, or the request fails.
    fn refresh(&self, cached: &Map<String, Value>, now: OffsetDateTime) -> Option<Token> {
        let text = |key: &str| cached.get(key)?.as_str();
        let registered = instant(text("registrationExpiresAt")?)? > now;
        let body = serde_json::json!({
            "clientId": text("clientId")?,
            "clientSecret": text("clientSecret")?,
            "grantType": "refresh_token",
            "refreshToken": text("refreshToken")?,
        });
        if !registered {
            return None;
        }
        let transport = self.context.transport;
        let endpoint = transport
            .endpoints
            .resolve(Service::SsoOidc, &self.region)
            .ok()?;
        let response = Fetch::post(&endpoint, "token", &body).send(transport);
        let response = response.ok().filter(|r| r.status == 200)?;
        let fresh: TokenResponse = serde_json::from_slice(&response.body).ok()?;
        Some(Token {
            access: fresh.access_token,
            expires: now.checked_add(time::Duration::seconds(fresh.expires_in))?,
            refresh: fresh.refresh_token,
        })
    }
}

/// Returns the path of the file of a token below the home directory, `~`; `key` is the name of its session, or the start
/// URL in the legacy form.
#[must_use]
pub fn token_file(key: &str) -> String {
    let name = cache_name(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, key);
    format!("~/.aws/sso/cache/{name}")
}

/// Returns the file of a token for a recording: the same members without secrets, which expire only if they had expired
/// `now`.
#[must_use]
pub fn recorded_token(file: &[u8], now: OffsetDateTime) -> String {
    let Ok(mut cached) = serde_json::from_slice::<Map<String, Value>>(file) else {
        return REDACTED.to_owned();
    };
    let recorded = |(name, value): (&&str, Value)| {
        let end = value.as_str().filter(|_| name.ends_with("At"));
        let text = match end.map(|text| (text, instant(text))) {
            Some((_, Some(end))) if end > now => NEVER,
            Some((text, Some(_))) => text,
            _ => REDACTED,
        };
        ((*name).to_owned(), text.into())
    };
    let members = TOKEN_MEMBERS.iter().filter_map(|name| {
        let value = cached.remove(*name)?;
        value.is_string().then(|| recorded((name, value)))
    });
    Value::Object(members.collect()).to_string()
}

/// Saves a refreshed token in the cache. A failure is only logged: without the saved token, the
/// next run refreshes it again.
fn save(context: &ProviderContext, path: &Path, mut cached: Map<String, Value>, fresh: &Token) {
    let expires = cache_time(fresh.expires);
    cached.insert("accessToken".to_owned(), fresh.access.expose().into());
    cached.insert("expiresAt".to_owned(), expires.into());
    if let Some(refresh) = &fresh.refresh {
        cached.insert("refreshToken".to_owned(), refresh.expose().into());
    }
    let bytes = serde_json::to_vec(&cached).unwrap_or_default();
    if let Err(e) = context.env.write_private(path, &bytes) {
        let path = path.display();
        (context.log)(&format!("credentials: {path} could not be saved: {e}"));
    }
}

/// The response of the token endpoint.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenResponse {
    access_token: Secret,
    expires_in: i64,
    refresh_token: Option<Secret>,
}

impl Token {
    /// Reads the token of a file in the cache.
    fn from_cache(cached: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| cached.get(key)?.as_str();
        Some(Self {
            access: text("accessToken")?.into(),
            expires: instant(text("expiresAt")?)?,
            refresh: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn recorded_token_has_no_secret() {
        let now = datetime!(2026-11-24 12:00:00 UTC);
        let file = json!({
            "startUrl": "https://corp.example", "region": "eu-west-1", "accessToken": "s3",
            "expiresAt": "2026-11-24T11:59:59Z", "clientId": "s3", "clientSecret": "s3", "refreshToken": 3,
            "registrationExpiresAt": "2026-11-24T12:00:01Z", "scopes": ["s3"],
        });
        let recorded: Value =
            serde_json::from_str(&recorded_token(file.to_string().as_bytes(), now)).unwrap();
        let expected = json!({
            "accessToken": "REDACTED", "expiresAt": "2026-11-24T11:59:59Z", "clientId": "REDACTED",
            "clientSecret": "REDACTED", "registrationExpiresAt": NEVER,
        });
        assert_eq!(recorded, expected);
        let odd = json!({"expiresAt": "s3"}).to_string();
        assert_eq!(
            recorded_token(odd.as_bytes(), now),
            r#"{"expiresAt":"REDACTED"}"#
        );
        for file in ["", "s3", "[\"s3\"]"] {
            assert_eq!(recorded_token(file.as_bytes(), now), "REDACTED");
        }
    }
}
