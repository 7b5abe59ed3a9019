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

use super::portal;
use super::provider::{Found, Provider, ProviderContext};
use super::sso_token::TokenSession;
use crate::aws::config_file::{FileKind, Section};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::secret::{Redactor, Secret};

/// The provider of the credentials of IAM Identity Center.
pub const PROVIDER: Provider = ("IAM Identity Center", load);

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
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
        let context = &self.session.context;
        let (profile, account, role) = (&context.profile.name, self.account, self.role);
        let origin =
            format!("IAM Identity Center (profile {profile}, account {account}, role {role})");
        let query = [("role_name", role), ("account_id", account)];
        let (transport, region) = (context.transport, &self.session.region);
        let fetch = portal::request(transport, region, portal::CREDENTIALS, &query, token)?;
        let response = fetch.send(transport);
        let response = response.map_err(CredentialsError::fetch(&origin))?;
        if response.status == 401 {
            return Err(self.session.token_error("is no longer accepted"));
        }
        let response = portal::checked(response, &origin, &Redactor::for_secret(token))?;
        portal::keys(&response, origin)
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
