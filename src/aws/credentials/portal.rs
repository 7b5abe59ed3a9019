//! Requests to the portal of IAM Identity Center, and its responses.

use serde::Deserialize;
use time::OffsetDateTime;

use super::fetch::Fetch;
use super::json_credentials::{SessionKeys, json};
use crate::aws::client::Transport;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::aws::operation::Service;
use crate::http::Response;
use crate::model::Region;
use crate::redact;
use crate::secret::{Redactor, Secret};
use crate::untrusted::Untrusted;

/// The path of the credentials of a role.
pub const CREDENTIALS: &str = "federation/credentials";

/// Returns a request that bears `token`.
///
/// # Errors
/// The endpoint is unknown.
pub fn request(
    transport: &Transport,
    region: &Region,
    path: &str,
    query: &[(&str, &str)],
    token: &Secret,
) -> Result<Fetch, CredentialsError> {
    let endpoint = transport.endpoints.resolve(Service::Sso, region)?;
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(query)
        .finish();
    let mut fetch = Fetch::new("GET", &endpoint, &format!("{path}?{query}"));
    fetch.headers = vec![("x-amz-sso_bearer_token", token.expose().to_owned())];
    // The lists have no secret.
    fetch.private.response = path == CREDENTIALS;
    Ok(fetch)
}

/// Returns a response with the status 200; `redactor` removes the token from the body of another one.
///
/// # Errors
/// It has another status.
pub fn checked(
    response: Response,
    origin: &str,
    redactor: &Redactor,
) -> Result<Response, CredentialsError> {
    match response.status {
        200 => Ok(response),
        status @ (403 | 404) => Err(CredentialsError::NotAssigned(format!(
            "{origin}: the account or the role is not assigned to you (HTTP {status})"
        ))),
        status => {
            let body = Untrusted::from_bytes(&response.body).redact(redactor);
            let body = body.map(redact::source).shown(200);
            let problem = format_args!("HTTP {status}: {body}");
            Err(CredentialsError::refused(origin, problem))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PortalResponse {
    role_credentials: RoleKeys,
}

#[derive(Deserialize)]
struct RoleKeys {
    #[serde(flatten)]
    keys: SessionKeys,
    /// Milliseconds since 1970-01-01 UTC.
    expiration: i128,
}

/// Parses the credentials of a response.
///
/// # Errors
/// The body is not the expected JSON.
pub fn keys(response: &Response, origin: String) -> Result<ResolvedCredentials, CredentialsError> {
    let PortalResponse { role_credentials } = json(&response.body, &origin)?;
    let nanoseconds = role_credentials.expiration.checked_mul(1_000_000);
    let expires = nanoseconds.and_then(|n| OffsetDateTime::from_unix_timestamp_nanos(n).ok());
    Ok(role_credentials.keys.credentials(origin, expires))
}
