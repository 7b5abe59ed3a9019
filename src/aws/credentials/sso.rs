//! Credentials of a role in IAM Identity Center, for the token in the cache of `aws sso login`.
//!
//! Settings of the profile; `sso_start_url` and `sso_region` are usually in its `[sso-session]`:
//! - `sso_account_id`, `sso_role_name`: either one configures this provider; both are required.
//! - `sso_start_url`, `sso_region`: required. A key that is in both sections must have the same
//!   value.
//! - `sso_session`: the name of the `[sso-session]`. Without it, the legacy form, whose token is
//!   not refreshed.
//!
//! The token is in `~/.aws/sso/cache`; the file name is the SHA-1 of the session name, or of the
//! start URL in the legacy form. A token with less than 15 minutes left is refreshed, and the file
//! is replaced, readable only by its owner.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html>

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::cache_file::{cache_name, cache_time};
use super::fetch::Fetch;
use super::iso_time::instant;
use super::json_credentials::json;
use super::provider::{Found, Provider, ProviderContext};
use crate::aws::config_file::{FileKind, Section, expand_home};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::endpoint::Endpoint;
use crate::aws::error::CredentialsError;
use crate::aws::operation::Service;
use crate::http::{Private, Response};
use crate::model::Region;
use crate::redact;
use crate::secret::{Redactor, Secret};
use crate::sync::lock;
use crate::untrusted::Untrusted;

/// The provider of the credentials of IAM Identity Center.
pub struct Sso;

/// The time before its expiry at which a token is refreshed.
const REFRESH_WINDOW: time::Duration = time::Duration::minutes(15);

/// Held during a refresh: several profiles may share a session, whose refresh token is valid only once.
static REFRESHING: Mutex<()> = Mutex::new(());

/// The time-out of each attempt.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Provider for Sso {
    fn name(&self) -> &'static str {
        "IAM Identity Center"
    }

    fn load(&self, context: &ProviderContext) -> Result<Found, CredentialsError> {
        let has = |key| context.setting(key).is_some();
        // As in botocore: a profile with only an sso_session is for other tools, and may have
        // static credentials.
        if !has("sso_account_id") && !has("sso_role_name") {
            return Ok(Found::NotConfigured(
                "the profile has no sso_account_id or sso_role_name",
            ));
        }
        let session = SsoSession::from_profile(*context)?;
        let token = session.token()?;
        session.role_credentials(&token).map(Found::Keys)
    }
}

/// The settings of the profile and of its session.
struct SsoSession<'a> {
    context: ProviderContext<'a>,
    /// The name of the `[sso-session]`; `None` in the legacy form.
    name: Option<&'a str>,
    start_url: &'a str,
    region: Region,
    account: &'a str,
    role: &'a str,
}

impl<'a> SsoSession<'a> {
    /// Reads the settings.
    ///
    /// # Errors
    /// The `[sso-session]` is missing, or a key is missing, contradictory or not valid.
    fn from_profile(context: ProviderContext<'a>) -> Result<Self, CredentialsError> {
        let name = context.setting("sso_session");
        let section = name.map(|name| session_section(&context, name));
        let section = section.transpose()?;
        let region = setting(&context, section, "sso_region")?;
        let profile = &context.profile.name;
        Ok(Self {
            start_url: setting(&context, section, "sso_start_url")?,
            region: region.trim().parse().map_err(|e| {
                CredentialsError::setting(format_args!("profile {profile}: sso_region"), e)
            })?,
            account: setting(&context, section, "sso_account_id")?,
            role: setting(&context, section, "sso_role_name")?,
            context,
            name,
        })
    }

    /// Returns the error about the token that asks the user to sign in.
    fn token_error(&self, why: &str) -> CredentialsError {
        let profile = &self.context.profile.name;
        self.sign_in(format!("the SSO token of profile {profile} {why}"))
    }

    /// Returns the error that asks the user to sign in.
    fn sign_in(&self, problem: String) -> CredentialsError {
        let action = format!(
            "run `aws sso login --profile {}`",
            self.context.profile.name
        );
        CredentialsError::SignIn { problem, action }
    }

    /// Returns the path of the token's file.
    fn cache_path(&self) -> PathBuf {
        let key = self.name.unwrap_or(self.start_url);
        let name = cache_name(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, key);
        expand_home(self.context.env, "~/.aws/sso/cache").join(name)
    }

    /// Returns a valid token from the cache, refreshed if it expires soon and the session allows
    /// it.
    fn token(&self) -> Result<Secret, CredentialsError> {
        let _refreshing = lock(&REFRESHING);
        let (context, path) = (&self.context, self.cache_path());
        let Ok(bytes) = context.env.read_regular(&path) else {
            let (profile, path) = (&context.profile.name, path.display());
            return Err(self.sign_in(format!(
                "no cached SSO token for profile {profile} (expected {path})"
            )));
        };
        let cached: Map<String, Value> = json(&bytes, &path.display().to_string())
            .map_err(|e| self.token_error(&format!("cannot be read: {e}")))?;
        let now = context.transport.clock.now();
        let token = Token::from_cache(&cached).ok_or_else(|| self.token_error("cannot be read"))?;
        let left = token.expires - now;
        if self.name.is_some()
            && left < REFRESH_WINDOW
            && let Some(fresh) = self.refresh(&cached, now)
        {
            save(context, &path, cached, &fresh);
            return Ok(fresh.access);
        }
        if left <= time::Duration::ZERO {
            return Err(self.token_error("has expired"));
        }
        Ok(token.access)
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
        let fetch = Fetch {
            method: "POST",
            uri: format!("{}token", endpoint.uri),
            headers: vec![("content-type", "application/json".to_owned())],
            body: serde_json::to_vec(&body).ok()?,
            private: private(&endpoint),
            timeout: TIMEOUT,
            max_attempts: 3,
            connect_attempts: 3,
            is_ready: |_| true,
        };
        let response = fetch.send(transport).ok().filter(|r| r.status == 200)?;
        let fresh: TokenResponse = serde_json::from_slice(&response.body).ok()?;
        Some(Token {
            access: fresh.access_token,
            expires: now.checked_add(time::Duration::seconds(fresh.expires_in))?,
            refresh: fresh.refresh_token,
        })
    }

    /// Requests the credentials of the role.
    fn role_credentials(&self, token: &Secret) -> Result<ResolvedCredentials, CredentialsError> {
        let (profile, transport) = (&self.context.profile.name, self.context.transport);
        let (account, role) = (self.account, self.role);
        let origin =
            format!("IAM Identity Center (profile {profile}, account {account}, role {role})");
        let response = match self.role_request(token)?.send(transport) {
            Ok(response) => response,
            Err(source) => return Err(CredentialsError::Fetch { origin, source }),
        };
        let problem = match response.status {
            200 => return keys(&response, origin),
            401 => return Err(self.token_error("is no longer accepted")),
            status @ (403 | 404) => {
                format!("the account or the role is not assigned to you (HTTP {status})")
            }
            status => {
                let body = Untrusted::from_bytes(&response.body);
                let body = body
                    .redact(&Redactor::for_secret(token))
                    .map(redact::source);
                format!("HTTP {status}: {}", body.shown(200))
            }
        };
        Err(CredentialsError::refused(origin, problem))
    }

    fn role_request(&self, token: &Secret) -> Result<Fetch, CredentialsError> {
        let endpoints = &self.context.transport.endpoints;
        let endpoint = endpoints.resolve(Service::Sso, &self.region)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("role_name", self.role)
            .append_pair("account_id", self.account)
            .finish();
        Ok(Fetch {
            method: "GET",
            uri: format!("{}federation/credentials?{query}", endpoint.uri),
            headers: vec![("x-amz-sso_bearer_token", token.expose().to_owned())],
            body: Vec::new(),
            private: private(&endpoint),
            timeout: TIMEOUT,
            max_attempts: 3,
            connect_attempts: 3,
            is_ready: |_| true,
        })
    }
}

fn private(endpoint: &Endpoint) -> Private {
    Private {
        response: true,
        path: endpoint.has_path(),
    }
}

/// Returns the `[sso-session]` of the profile.
fn session_section<'a>(
    context: &ProviderContext<'a>,
    name: &str,
) -> Result<&'a Section, CredentialsError> {
    let (config, profile) = (&context.files.config, &context.profile.name);
    config.section(FileKind::SsoSession, name).ok_or_else(|| {
        CredentialsError::Setting(format!(
            "profile {profile}: [sso-session {name}] not found in {}; create it with `aws configure \
             sso --profile {profile}`",
            config.path.display()
        ))
    })
}

/// Returns a key of the profile or of its session.
fn setting<'a>(
    context: &ProviderContext<'a>,
    section: Option<&'a Section>,
    key: &str,
) -> Result<&'a str, CredentialsError> {
    let profile = &context.profile.name;
    let own = context.setting(key);
    let shared = section.and_then(|s| s.get(key)).map(String::as_str);
    match (own, shared) {
        (Some(a), Some(b)) if a != b => Err(CredentialsError::Setting(format!(
            "profile {profile}: {key} differs between the profile and its sso-session; keep one"
        ))),
        (Some(value), _) | (None, Some(value)) => Ok(value),
        (None, None) => Err(CredentialsError::Setting(format!(
            "profile {profile}: {key} is missing; run `aws configure sso --profile {profile}`"
        ))),
    }
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

/// A token and its expiry.
struct Token {
    access: Secret,
    expires: OffsetDateTime,
    refresh: Option<Secret>,
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

/// The response of the portal.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PortalResponse {
    role_credentials: PortalKeys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PortalKeys {
    access_key_id: Secret,
    secret_access_key: Secret,
    session_token: Secret,
    /// Milliseconds since 1970-01-01 UTC.
    expiration: i128,
}

/// Parses the credentials of a response of the portal.
fn keys(response: &Response, origin: String) -> Result<ResolvedCredentials, CredentialsError> {
    let PortalResponse {
        role_credentials: keys,
    } = json(&response.body, &origin)?;
    let nanoseconds = keys.expiration.checked_mul(1_000_000);
    let expires = nanoseconds.and_then(|n| OffsetDateTime::from_unix_timestamp_nanos(n).ok());
    let (id, secret) = (keys.access_key_id.expose(), keys.secret_access_key.expose());
    let token = Some(keys.session_token.expose());
    let found = ResolvedCredentials::new(id, secret, token, origin);
    Ok(found.with_expiry(expires))
}
