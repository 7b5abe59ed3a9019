//! Credentials as JSON, from a service, a process or a cache.

use serde::Deserialize;
use time::OffsetDateTime;

use super::iso_time::instant;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::secret::Secret;

/// Credentials in the form of the metadata services and of `credential_process`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct JsonKeys {
    access_key_id: Option<Secret>,
    secret_access_key: Option<Secret>,
    #[serde(alias = "SessionToken")]
    token: Option<Secret>,
    expiration: Option<String>,
}

impl JsonKeys {
    /// Converts to the credentials of `provider`.
    ///
    /// # Errors
    /// A key is missing, or the Expiration is not valid; the message quotes no value.
    pub fn into_credentials(self, provider: &str) -> Result<ResolvedCredentials, CredentialsError> {
        let refused = |what| CredentialsError::Refused(format!("{provider} returned {what}"));
        let id = filled(self.access_key_id.as_ref()).ok_or_else(|| refused("no AccessKeyId"))?;
        let secret =
            filled(self.secret_access_key.as_ref()).ok_or_else(|| refused("no SecretAccessKey"))?;
        let expires = match self.expiration.as_deref().map(instant) {
            Some(None) => {
                return Err(refused("an Expiration that is not an ISO 8601 time"));
            }
            expires => expires.flatten(),
        };
        let token = filled(self.token.as_ref());
        let keys = ResolvedCredentials::new(id, secret, token, provider.to_owned());
        Ok(keys.with_expiry(expires))
    }
}

/// Credentials in the form of IAM Identity Center and of `aws login`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionKeys {
    /// The access key ID.
    pub access_key_id: Secret,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
}

impl SessionKeys {
    /// Converts to the credentials of `provider`, which expire at the time `expires`.
    pub fn credentials(
        &self,
        provider: String,
        expires: Option<OffsetDateTime>,
    ) -> ResolvedCredentials {
        let (id, secret) = (self.access_key_id.expose(), self.secret_access_key.expose());
        let token = Some(self.session_token.expose());
        ResolvedCredentials::new(id, secret, token, provider).with_expiry(expires)
    }
}

/// Returns the secret unless it is blank.
fn filled(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose).filter(|s| !s.trim().is_empty())
}

/// Parses JSON of `origin`.
///
/// # Errors
/// `bytes` is not the expected JSON; the message quotes no value.
pub fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8], origin: &str) -> Result<T, CredentialsError> {
    serde_json::from_slice(bytes).map_err(|e| CredentialsError::Json {
        origin: origin.to_owned(),
        line: e.line(),
        column: e.column(),
    })
}
