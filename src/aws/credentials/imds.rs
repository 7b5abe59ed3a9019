//! The role of an EC2 instance, from version 2 of the instance metadata service (IMDS).
//!
//! Most machines do not have this service, so the provider is skipped if it does not return a
//! token.
//!
//! Settings; the last four are a variable, or else the key of the profile in lower case and without
//! `AWS_`, such as `ec2_metadata_service_endpoint`:
//! - AWS_EC2_METADATA_DISABLED, a variable only: `true`, in any case, skips this provider.
//! - AWS_EC2_METADATA_SERVICE_ENDPOINT: the base URL; takes precedence over the mode.
//! - AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: `IPv6`, in any case, selects `http://[fd00:ec2::254]`;
//!   default is `IPv4`, `http://169.254.169.254`.
//! - AWS_METADATA_SERVICE_TIMEOUT: seconds per attempt, at least 1, default 1.
//! - AWS_METADATA_SERVICE_NUM_ATTEMPTS: attempts per request, at least 1, default 4; if there is no
//!   response before the token is returned, default 1.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>

use std::time::Duration;

use serde::Deserialize;

use super::fetch::Fetch;
use super::json_credentials::{JsonKeys, json};
use super::provider::{Found, Provider, ProviderContext};
use crate::aws::client::Transport;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::http::Private;
use crate::redact;
use crate::secret::{Redactor, Secret};
use crate::text::sanitize;
use crate::untrusted::Untrusted;

/// The path of the list of roles.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

#[derive(Deserialize)]
struct CredentialsResponse {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(flatten)]
    keys: JsonKeys,
}

/// The provider of an EC2 instance's role.
pub const PROVIDER: Provider = ("the instance metadata service", load);

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
    let disabled = context.env.var("AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        return Ok(Found::NotConfigured("AWS_EC2_METADATA_DISABLED is true"));
    }
    let client = ImdsClient::from_context(context)?;
    let Ok((200, token)) = client.send("PUT", "/latest/api/token", None) else {
        return Ok(Found::NotConfigured("not reachable"));
    };
    let token = Secret::from(token.raw().trim());
    if !is_token(token.expose()) {
        return Ok(Found::NotConfigured("the endpoint did not return a token"));
    }
    match client.role(&token)? {
        Some(role) => client.role_credentials(&role, &token).map(Found::Keys),
        None => Ok(Found::NotConfigured("the instance has no role")),
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
struct ImdsClient<'a> {
    transport: &'a Transport,
    base: String,
    timeout: Duration,
    max_attempts: u32,
    connect_attempts: u32,
}

impl<'a> ImdsClient<'a> {
    /// Reads the settings of the service.
    ///
    /// # Errors
    /// A setting is not valid.
    fn from_context(context: &ProviderContext<'a>) -> Result<Self, CredentialsError> {
        let base = match setting(context, "AWS_EC2_METADATA_SERVICE_ENDPOINT") {
            Some((name, url)) => checked_url(&name, &url)?,
            None => {
                default_url(setting(context, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"))?.to_owned()
            }
        };
        let number = |name, default| number(setting(context, name), default);
        Ok(Self {
            transport: context.transport,
            base: base.trim_end_matches('/').to_owned(),
            timeout: Duration::from_secs(number(TIMEOUT, 1)?.into()),
            max_attempts: number(ATTEMPTS, 4)?,
            // Most machines do not have the service: a run must not wait for it.
            connect_attempts: number(ATTEMPTS, 1)?,
        })
    }

    /// Returns the name of the instance's role; `None` if the instance has no role.
    fn role(&self, token: &Secret) -> Result<Option<String>, CredentialsError> {
        let (status, list) = self.send("GET", ROLES, Some(token))?;
        let Some(role) = list.raw().trim().lines().next().filter(|_| status == 200) else {
            return Ok(None);
        };
        // Not quoted: the text may be a whole page, or the token.
        if !is_role(role) {
            return Err(CredentialsError::Refused(
                "the instance metadata service returned an invalid role name; a proxy or captive \
                 portal may be answering instead; check AWS_EC2_METADATA_SERVICE_ENDPOINT, or set \
                 AWS_EC2_METADATA_DISABLED=true"
                    .to_owned(),
            ));
        }
        Ok(Some(role.to_owned()))
    }

    fn role_credentials(
        &self,
        role: &str,
        token: &Secret,
    ) -> Result<ResolvedCredentials, CredentialsError> {
        let (status, body) = self.send("GET", &format!("{ROLES}{role}"), Some(token))?;
        let origin = format!("the instance metadata service (role {role})");
        if status != 200 {
            let problem = format_args!("HTTP {status}");
            return Err(CredentialsError::refused(origin, problem));
        }
        let response: CredentialsResponse = json(body.raw().as_bytes(), &origin)?;
        match response.code.as_deref() {
            None | Some("Success") => response.keys.into_credentials(&origin),
            Some(code) => {
                let code = Untrusted::from(code).redact(&Redactor::for_secret(token));
                let problem = format!("{origin} returned {}", code.map(redact::source).shown(80));
                Err(CredentialsError::Refused(problem))
            }
        }
    }

    /// Sends a request and returns its status and body; without `token`, a request for a token.
    fn send(
        &self,
        method: &'static str,
        path: &str,
        token: Option<&Secret>,
    ) -> Result<(u16, Untrusted), CredentialsError> {
        let header = match token {
            None => ("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned()),
            Some(token) => ("x-aws-ec2-metadata-token", token.expose().to_owned()),
        };
        // The service has returned a token, so it exists: a closed connection or a short outage is
        // retried.
        let connect_attempts = token.map_or(self.connect_attempts, |_| self.max_attempts);
        let private = Private {
            // The list of roles contains only their names.
            response: path != ROLES,
            path: self.base.matches('/').count() > 2,
        };
        let fetch = Fetch {
            private,
            method,
            uri: format!("{}{path}", self.base),
            headers: vec![header],
            body: Vec::new(),
            timeout: self.timeout,
            max_attempts: self.max_attempts,
            connect_attempts,
            is_ready: |_| true,
        };
        let response = fetch.send(self.transport);
        let response =
            response.map_err(CredentialsError::fetch("the instance metadata service"))?;
        Ok((response.status, Untrusted::from_bytes(&response.body)))
    }
}

const TIMEOUT: &str = "AWS_METADATA_SERVICE_TIMEOUT";
/// The number of attempts: by default four, as in the Rust SDK, or one without a response, as in
/// botocore.
const ATTEMPTS: &str = "AWS_METADATA_SERVICE_NUM_ATTEMPTS";

/// The name of a setting and its value.
type NamedValue = (String, String);

/// Returns the variable, else the key of the profile: the same name in lower case and without `AWS_`.
fn setting(context: &ProviderContext, variable: &str) -> Option<NamedValue> {
    if let Some(value) = context.env.var(variable) {
        return Some((variable.to_owned(), value));
    }
    let key = variable.trim_start_matches("AWS_").to_ascii_lowercase();
    let value = context.setting(&key)?.to_owned();
    Some((key, value))
}

/// Returns the URL without surrounding blanks. An invalid one is not quoted: it may contain a
/// password.
fn checked_url(name: &str, url: &str) -> Result<String, CredentialsError> {
    let url = url.trim();
    let uri = url.parse::<http::Uri>().ok();
    let is_valid = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|a| !a.as_str().contains('@'))
            && uri.query().is_none()
    });
    let expected = "expected a URL such as http://169.254.169.254";
    let checked = is_valid.then(|| url.to_owned());
    checked.ok_or_else(|| CredentialsError::setting(name, expected))
}

/// Returns the service's URL in the mode.
fn default_url(mode: Option<NamedValue>) -> Result<&'static str, CredentialsError> {
    let Some((name, mode)) = mode else {
        return Ok("http://169.254.169.254");
    };
    match mode.trim().to_ascii_lowercase().as_str() {
        "ipv4" => Ok("http://169.254.169.254"),
        "ipv6" => Ok("http://[fd00:ec2::254]"),
        _ => Err(CredentialsError::setting(name, "expected IPv4 or IPv6")),
    }
}

/// Returns the number of a setting, at least 1.
fn number(setting: Option<NamedValue>, default: u32) -> Result<u32, CredentialsError> {
    let Some((name, text)) = setting else {
        return Ok(default);
    };
    let number = text.trim().parse().ok().filter(|n| *n > 0);
    number.ok_or_else(|| {
        let text = sanitize(&redact::setting(&text), 40);
        let problem = format_args!("\"{text}\" is not a number of at least 1");
        CredentialsError::setting(name, problem)
    })
}
