//! The keys that a service, a process or a cache gives as JSON.

use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{CredentialsError, Resolved};

/// Temporary keys in the spelling of the metadata services and of `credential_process`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Keys {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Option<String>,
}

impl Keys {
    /// The keys of `provider`.
    ///
    /// # Errors
    /// One is missing, or the end cannot be read; the text quotes neither.
    pub fn resolved(self, provider: &str) -> Result<Resolved, CredentialsError> {
        let missing = |what: &str| CredentialsError(format!("{provider} gave no {what}"));
        let filled = |v: Option<String>| v.filter(|v| !v.trim().is_empty());
        let id = filled(self.access_key_id).ok_or_else(|| missing("AccessKeyId"))?;
        let secret = filled(self.secret_access_key).ok_or_else(|| missing("SecretAccessKey"))?;
        let expires = self.expiration.as_deref().map(|text| {
            instant(text).ok_or_else(|| {
                CredentialsError(format!(
                    "{provider} gave an Expiration that is no ISO 8601 time"
                ))
            })
        });
        let token = filled(self.token);
        let keys = Resolved::new(&id, &secret, token.as_deref(), provider.to_owned());
        Ok(keys.until(expires.transpose()?))
    }
}

/// A time in ISO 8601, with `Z` or an offset, as the caches and services write it.
pub fn instant(text: &str) -> Option<OffsetDateTime> {
    // Old caches write `UTC` for `Z`.
    let text = text.trim().replace("UTC", "Z");
    OffsetDateTime::parse(&text, &Rfc3339).ok()
}

/// Reads JSON; the error tells no value of it.
///
/// # Errors
/// `text` is not the JSON that was expected.
pub fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8], origin: &str) -> Result<T, CredentialsError> {
    serde_json::from_slice(bytes).map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        CredentialsError(format!("{origin} is not the JSON that was expected ({at})"))
    })
}
