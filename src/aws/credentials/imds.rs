//! The role of an EC2 instance, from version 2 of the instance metadata service (IMDS).
//!
//! Most machines do not have this service, so the provider is skipped if it does not return a
//! token.
//!
//! Settings, all of them environment variables:
//! - AWS_EC2_METADATA_DISABLED: `true`, in any case, skips this provider.
//! - AWS_EC2_METADATA_SERVICE_ENDPOINT: the base URL; takes precedence over the mode.
//! - AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: `IPv6`, in any case, selects `http://[fd00:ec2::254]`;
//!   default is `http://169.254.169.254`.
//! - AWS_METADATA_SERVICE_TIMEOUT: seconds per attempt, at least 1, default 1.
//! - AWS_METADATA_SERVICE_NUM_ATTEMPTS: attempts per request, at least 1, default 4; if there is no
//!   response before the token is returned, default 1.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>

use std::time::Duration;

use serde::Deserialize;

use super::fetch::Fetch;
use super::json_credentials::{JsonKeys, json};
use super::provider::{Context, Found, Provider};
use crate::aws::credential_cache::CredentialsError;

/// The provider of an EC2 instance's role.
pub struct Imds;

/// The variable for the number of attempts: by default four, as in the Rust SDK, or one without a
/// response, as in botocore.
const ATTEMPTS: &str = "AWS_METADATA_SERVICE_NUM_ATTEMPTS";

/// The path of the list of roles.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

#[derive(Deserialize)]
struct CredentialsResponse {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(flatten)]
    keys: JsonKeys,
}

impl Provider for Imds {
    fn name(&self) -> &'static str {
        "the instance metadata service"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let var = |name| context.env.var(name);
        if var("AWS_EC2_METADATA_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
            return Ok(Found::NotConfigured("AWS_EC2_METADATA_DISABLED is true"));
        }
        let service = ImdsClient::from_context(context)?;
        let Ok((200, token)) = service.send(context, "PUT", "/latest/api/token", None) else {
            return Ok(Found::NotConfigured("not reachable"));
        };
        let token = token.trim();
        if !is_token(token) {
            return Ok(Found::NotConfigured("the endpoint did not return a token"));
        }
        let role = match service.send(context, "GET", ROLES, Some(token))? {
            (200, role) if !role.trim().is_empty() => {
                role.trim().lines().next().unwrap_or_default().to_owned()
            }
            _ => return Ok(Found::NotConfigured("the instance has no role")),
        };
        // Not quoted: the text may be a whole page, or the token.
        if !is_role(&role) {
            return Err(CredentialsError(
                "the instance metadata service returned an invalid role name; a proxy or captive \
                 portal may be answering instead; check AWS_EC2_METADATA_SERVICE_ENDPOINT, or set \
                 AWS_EC2_METADATA_DISABLED=true"
                    .to_owned(),
            ));
        }
        let path = format!("{ROLES}{role}");
        let (status, body) = service.send(context, "GET", &path, Some(token))?;
        let origin = format!("the instance metadata service (role {role})");
        if status != 200 {
            return Err(CredentialsError(format!("{origin}: HTTP {status}")));
        }
        let response: CredentialsResponse = json(body.as_bytes(), &origin)?;
        match response.code.as_deref() {
            None | Some("Success") => response.keys.into_credentials(&origin).map(Found::Keys),
            Some(code) => {
                let code = code.replace(token, "****");
                let code = crate::text::sanitize(&code, 80);
                Err(CredentialsError(format!("{origin} returned {code}")))
            }
        }
    }
}

/// Returns true if `text` is valid in a header. Tokens of the service are Base64, about 60
/// characters.
fn is_token(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Returns true if `name` is a valid name of an IAM role, `[\w+=,.@-]{1,64}`, and so safe in a
/// path.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>
fn is_role(name: &str) -> bool {
    let is_valid = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    (1..=64).contains(&name.len()) && name.bytes().all(is_valid)
}

/// The endpoint, the time-out and the number of attempts.
struct ImdsClient {
    base: String,
    timeout: Duration,
    max_attempts: u32,
    connect_attempts: u32,
}

impl ImdsClient {
    /// Reads the settings of the service.
    ///
    /// # Errors
    /// A number is not valid.
    fn from_context(context: &Context) -> Result<Self, CredentialsError> {
        let var = |name: &str| context.env.var(name);
        let number = |name: &str, default: u32| match var(name) {
            None => Ok(default),
            Some(text) => text.trim().parse().ok().filter(|n| *n > 0).ok_or_else(|| {
                CredentialsError(format!("{name}: \"{text}\" is not a number of at least 1"))
            }),
        };
        let ipv6 = var("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
        let base = var("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| {
            let host = if ipv6 {
                "[fd00:ec2::254]"
            } else {
                "169.254.169.254"
            };
            format!("http://{host}")
        });
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            timeout: Duration::from_secs(number("AWS_METADATA_SERVICE_TIMEOUT", 1)?.into()),
            max_attempts: number(ATTEMPTS, 4)?,
            // Most machines do not have the service: a run must not wait for it.
            connect_attempts: number(ATTEMPTS, 1)?,
        })
    }

    /// Sends a request and returns its status and body; without `token`, a request for a token.
    fn send(
        &self,
        context: &Context,
        method: &'static str,
        path: &str,
        token: Option<&str>,
    ) -> Result<(u16, String), CredentialsError> {
        let header = match token {
            None => ("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned()),
            Some(token) => ("x-aws-ec2-metadata-token", token.to_owned()),
        };
        // The service has returned a token, so it exists: a closed connection or a short outage is
        // retried.
        let connect_attempts = token.map_or(self.connect_attempts, |_| self.max_attempts);
        let fetch = Fetch {
            method,
            uri: &format!("{}{path}", self.base),
            headers: vec![header],
            body: Vec::new(),
            timeout: self.timeout,
            max_attempts: self.max_attempts,
            connect_attempts,
            is_ready: |_| true,
        };
        let result = fetch.send(context.net);
        let response =
            result.map_err(|e| CredentialsError(format!("the instance metadata service: {e}")))?;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        Ok((response.status, body))
    }
}
