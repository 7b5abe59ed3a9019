//! Functions of the two providers that assume a role.

use super::json_credentials::instant;
use super::provider::Context;
use crate::aws::client::CallOutput;
use crate::aws::credential_cache::{CredentialsError, ResolvedCredentials};
use crate::aws::error::CallError;
use crate::aws::ops::assume_role::TemporaryKeys;

/// Returns the default name of a role session: the program's name and the Unix time, which makes
/// the name unique.
pub fn session_name(context: &Context) -> String {
    let now = context.net.clock.now().unix_timestamp();
    format!("{}-{now}", env!("CARGO_PKG_NAME"))
}

/// Converts the temporary credentials that STS returned for a role.
///
/// # Errors
/// The call failed, or its Expiration is not an ISO 8601 time.
pub fn role_keys(
    result: Result<CallOutput<TemporaryKeys>, CallError>,
    origin: String,
) -> Result<ResolvedCredentials, CredentialsError> {
    let keys = result
        .map_err(|e| CredentialsError(format!("{origin}: {e}; {}", e.advice())))?
        .output;
    let expires = instant(&keys.expiration);
    if expires.is_none() {
        return Err(CredentialsError(format!(
            "{origin}: Expiration is not an ISO 8601 time"
        )));
    }
    let token = Some(keys.session_token.as_str());
    let found =
        ResolvedCredentials::new(&keys.access_key_id, &keys.secret_access_key, token, origin);
    Ok(found.with_expiry(expires))
}
