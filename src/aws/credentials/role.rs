//! Functions of the two providers that assume a role.

use super::iso_time::instant;
use super::provider::ProviderContext;
use crate::aws::client::CallOutput;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::{CallError, CredentialsError};
use crate::aws::ops::assume_role::AssumedRole;

/// Returns the default name of a role session: the program's name and the Unix time, which makes
/// the name unique.
pub fn session_name(context: &ProviderContext) -> String {
    let now = context.transport.clock.now().unix_timestamp();
    format!("{}-{now}", env!("CARGO_PKG_NAME"))
}

/// Converts the temporary credentials that STS returned for a role.
///
/// # Errors
/// The call failed, or its Expiration is not an ISO 8601 time.
pub fn role_keys(
    result: Result<CallOutput<AssumedRole>, CallError>,
    origin: String,
) -> Result<ResolvedCredentials, CredentialsError> {
    let role = match result {
        Ok(response) => response.output,
        Err(error) => {
            let source = Box::new(error);
            return Err(CredentialsError::Call { origin, source });
        }
    };
    let keys = &role.keys;
    let Some(expires) = instant(&keys.expiration) else {
        let problem = "Expiration is not an ISO 8601 time";
        return Err(CredentialsError::refused(origin, problem));
    };
    let (id, secret) = (keys.access_key_id.expose(), keys.secret_access_key.expose());
    let token = Some(keys.session_token.expose());
    let mut keys = ResolvedCredentials::new(id, secret, token, origin).with_expiry(Some(expires));
    keys.account = role.account();
    Ok(keys)
}
