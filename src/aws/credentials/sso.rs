//! Credentials of a role in IAM Identity Center, for the token in the cache of `aws sso login`.
//!
//! Settings of the profile; `sso_start_url` and `sso_region` are usually in its `[sso-session]`:
//! - `sso_account_id`, `sso_role_name`: either one configures this provider; both are required.
//! - `sso_start_url`, `sso_region`: required. A key that is in both sections must have the same
//!   value.
//! - `sso_session`: the name of the `[sso-session]`. Without it, the legacy form, whose token is
//!   not refreshed.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html>

use serde::Deserialize;
use time::OffsetDateTime;

use super::fetch::Fetch;
use super::json_credentials::json;
use super::provider::{Found, Provider, ProviderContext};
use super::sso_token::{TIMEOUT, TokenSession, private};
use crate::aws::config_file::{FileKind, Section};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::aws::operation::Service;
use crate::http::Response;
use crate::redact;
use crate::secret::{Redactor, Secret};
use crate::untrusted::Untrusted;

/// The provider of the credentials of IAM Identity Center.
pub struct Sso;

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
        let session = SsoProfile::from_profile(*context)?;
        let token = session.session.token(None)?;
        session.role_credentials(&token.access).map(Found::Keys)
    }
}

/// The settings of the profile and of its session.
struct SsoProfile<'a> {
    session: TokenSession<'a>,
    account: &'a str,
    role: &'a str,
}

impl<'a> SsoProfile<'a> {
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
        let session = TokenSession {
            start_url: setting(&context, section, "sso_start_url")?,
            region: region.trim().parse().map_err(|e| {
                CredentialsError::setting(format_args!("profile {profile}: sso_region"), e)
            })?,
            owner: format!("profile {profile}"),
            login: format!("--profile {profile}"),
            context,
            name,
        };
        Ok(Self {
            account: setting(&context, section, "sso_account_id")?,
            role: setting(&context, section, "sso_role_name")?,
            session,
        })
    }

    /// Requests the credentials of the role.
    fn role_credentials(&self, token: &Secret) -> Result<ResolvedCredentials, CredentialsError> {
        let (profile, transport) = (
            &self.session.context.profile.name,
            self.session.context.transport,
        );
        let (account, role) = (self.account, self.role);
        let origin =
            format!("IAM Identity Center (profile {profile}, account {account}, role {role})");
        let response = match self.role_request(token)?.send(transport) {
            Ok(response) => response,
            Err(source) => return Err(CredentialsError::Fetch { origin, source }),
        };
        let problem = match response.status {
            200 => return keys(&response, origin),
            401 => return Err(self.session.token_error("is no longer accepted")),
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
        let endpoints = &self.session.context.transport.endpoints;
        let endpoint = endpoints.resolve(Service::Sso, &self.session.region)?;
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
pub(super) fn keys(
    response: &Response,
    origin: String,
) -> Result<ResolvedCredentials, CredentialsError> {
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
