//! Credentials as JSON, from a service, a process or a cache.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::aws::credential_cache::{CredentialsError, ResolvedCredentials};

/// Credentials in the form of the metadata services and of `credential_process`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct JsonKeys {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<String>,
}

impl JsonKeys {
    /// Converts to the credentials of `provider`.
    ///
    /// # Errors
    /// A key is missing, or the Expiration is not valid; the message quotes no value.
    pub fn into_credentials(self, provider: &str) -> Result<ResolvedCredentials, CredentialsError> {
        let missing = |what: &str| CredentialsError(format!("{provider} returned no {what}"));
        let filled = |v: Option<String>| v.filter(|v| !v.trim().is_empty());
        let id = filled(self.access_key_id).ok_or_else(|| missing("AccessKeyId"))?;
        let secret = filled(self.secret_access_key).ok_or_else(|| missing("SecretAccessKey"))?;
        let expires = self.expiration.as_deref().map(|text| {
            instant(text).ok_or_else(|| {
                CredentialsError(format!(
                    "{provider} returned an Expiration that is not an ISO 8601 time"
                ))
            })
        });
        let token = filled(self.token);
        let keys = ResolvedCredentials::new(&id, &secret, token.as_deref(), provider.to_owned());
        Ok(keys.with_expiry(expires.transpose()?))
    }
}

/// Parses a time in ISO 8601, with `Z` or an offset, as the caches and services write it.
pub fn instant(text: &str) -> Option<OffsetDateTime> {
    // Old caches write `UTC` instead of `Z`.
    let text = text.trim().replace("UTC", "Z");
    OffsetDateTime::parse(&text, &Rfc3339).ok()
}

/// Parses JSON of `origin`.
///
/// # Errors
/// `bytes` is not the expected JSON; the message quotes no value.
pub fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8], origin: &str) -> Result<T, CredentialsError> {
    serde_json::from_slice(bytes).map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        CredentialsError(format!("{origin} is not the expected JSON ({at})"))
    })
}
