//! Credentials of a container, from the endpoint of ECS or of EKS Pod Identity.
//!
//! Settings, all of them environment variables:
//! - AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: a path on `http://169.254.170.2`; must begin with `/`.
//! - AWS_CONTAINER_CREDENTIALS_FULL_URI: read if the relative URI is not set. The scheme is
//!   `https`, or `http` if the host is loopback, 169.254.170.2, 169.254.170.23 or fd00:ec2::23.
//! - AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: a file with the value of the Authorization header,
//!   read for each request; takes precedence over the next variable.
//! - AWS_CONTAINER_AUTHORIZATION_TOKEN: the value of the Authorization header; optional.
//!
//! Each of up to three attempts takes at most 5 seconds.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use super::fetch::Fetch;
use super::json_credentials::{JsonKeys, json};
use super::provider::{Context, Found, Provider};
use crate::aws::credential_cache::CredentialsError;

/// The provider of a container's credentials.
pub struct Container;

/// The hosts, in addition to loopback, that are allowed with plain HTTP: ECS and EKS Pod Identity.
const ALLOWED: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

impl Provider for Container {
    fn name(&self) -> &'static str {
        "the container"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let var = |name| context.env.var(name);
        let uri = match (
            var("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            var("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ) {
            // Other text could change the host, for example `@evil.example`.
            (Some(path), _) if path.starts_with('/') => format!("http://169.254.170.2{path}"),
            (Some(_), _) => {
                return Err(CredentialsError(
                    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: must begin with /".to_owned(),
                ));
            }
            (None, Some(uri)) => check_uri(uri)?,
            (None, None) => return Ok(Found::NotConfigured("no container credentials URI is set")),
        };
        let mut headers = vec![("accept", "application/json".to_owned())];
        if let Some(token) = token(context)? {
            headers.push(("authorization", token));
        }
        let fetch = Fetch {
            method: "GET",
            uri: &uri,
            headers,
            body: Vec::new(),
            timeout: Duration::from_secs(5),
            max_attempts: 3,
            connect_attempts: 3,
            // As in botocore: a container may start before its credentials endpoint does.
            is_ready: |response| {
                response.status == 200
                    && serde_json::from_slice::<serde_json::Value>(&response.body).is_ok()
            },
        };
        let result = fetch.send(context.net);
        let response =
            result.map_err(|e| CredentialsError(format!("the container endpoint: {e}")))?;
        let origin = format!("the container endpoint {uri}");
        if response.status != 200 {
            let status = response.status;
            return Err(CredentialsError(format!("{origin}: HTTP {status}")));
        }
        let keys: JsonKeys = json(&response.body, &origin)?;
        keys.into_credentials(&origin).map(Found::Keys)
    }
}

/// Returns the full URI if its scheme and host are allowed.
///
/// Credentials must not travel over plain HTTP to an arbitrary host.
fn check_uri(text: String) -> Result<String, CredentialsError> {
    let invalid = |why: &str| {
        let name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        Err(CredentialsError(format!("{name}: {why}")))
    };
    let Ok(uri) = text.parse::<http::Uri>() else {
        return invalid("not a valid URI");
    };
    let Some(host) = uri.host() else {
        return invalid("the URI has no host");
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = match bare.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ALLOWED.contains(&ip),
        Err(_) => bare == "localhost",
    };
    match uri.scheme_str() {
        Some("https") => Ok(text),
        Some("http") if is_local => Ok(text),
        _ => invalid(
            "must be https, or http to loopback, 169.254.170.2, 169.254.170.23 or \
                  fd00:ec2::23",
        ),
    }
}

/// Returns the value of the Authorization header, from the token file or else from the variable.
fn token(context: &Context) -> Result<Option<String>, CredentialsError> {
    let file = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let (name, token) = if let Some(path) = context.env.var(file) {
        let bytes = context.env.read(Path::new(&path));
        let bytes = bytes.map_err(|e| CredentialsError(format!("{file} {path}: {e}")))?;
        let text = String::from_utf8_lossy(&bytes);
        (file, Some(text.trim_end_matches(['\r', '\n']).to_owned()))
    } else {
        let name = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
        (name, context.env.var(name))
    };
    match token {
        Some(token) if token.contains(['\r', '\n']) => Err(CredentialsError(format!(
            "{name}: the token contains a line break"
        ))),
        token => Ok(token.filter(|t| !t.is_empty())),
    }
}
