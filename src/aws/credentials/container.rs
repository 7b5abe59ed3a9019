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

use serde_json::Value;

use super::fetch::Fetch;
use super::json_credentials::{JsonKeys, json};
use super::provider::{Found, Provider, ProviderContext};
use crate::aws::error::CredentialsError;
use crate::http::{Private, Response};
use crate::redact;
use crate::secret::Secret;

/// The variable for the complete URI.
const FULL_URI: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// The hosts, in addition to loopback, that are allowed with plain HTTP: ECS and EKS Pod Identity.
const ALLOWED: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// The provider of a container's credentials.
pub const PROVIDER: Provider = ("the container", load);

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
    let Some(uri) = credentials_uri(context)? else {
        return Ok(Found::NotConfigured("no container credentials URI is set"));
    };
    let origin = format!("the container endpoint {}", redact::url(&uri));
    let mut headers = vec![("accept", "application/json".to_owned())];
    if let Some(token) = token(context)? {
        headers.push(("authorization", token.expose().to_owned()));
    }
    let fetch = Fetch {
        method: "GET",
        uri,
        headers,
        body: Vec::new(),
        timeout: Duration::from_secs(5),
        private: Private {
            response: true,
            path: true,
        },
        max_attempts: 3,
        connect_attempts: 3,
        is_ready,
    };
    let response = fetch.send(context.transport);
    let response = response.map_err(CredentialsError::fetch("the container endpoint"))?;
    if response.status != 200 {
        let problem = format_args!("HTTP {}", response.status);
        return Err(CredentialsError::refused(origin, problem));
    }
    let keys: JsonKeys = json(&response.body, &origin)?;
    keys.into_credentials(&origin).map(Found::Keys)
}

/// Returns true for a status of 200 and JSON. As in botocore: a container may start before its
/// credentials endpoint does.
fn is_ready(response: &Response) -> bool {
    let is_json = serde_json::from_slice::<Value>(&response.body).is_ok();
    response.status == 200 && is_json
}

/// Returns the URI of the credentials; `None` if none is set.
fn credentials_uri(context: &ProviderContext) -> Result<Option<String>, CredentialsError> {
    let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    match context.env.var(relative) {
        // Other text could change the host, for example `@evil.example`.
        Some(path) if path.starts_with('/') => Ok(Some(format!("http://169.254.170.2{path}"))),
        Some(_) => Err(CredentialsError::setting(relative, "must begin with /")),
        None => {
            let uri = context.env.var(FULL_URI).map(check_uri);
            uri.transpose()
        }
    }
}

/// Returns the full URI if its scheme and host are allowed.
///
/// Credentials must not travel over plain HTTP to an arbitrary host.
fn check_uri(text: String) -> Result<String, CredentialsError> {
    // A port that is not a number may be a password.
    let uri = text.parse::<http::Uri>().ok();
    let Some(uri) = uri.filter(|_| redact::is_clear_url(&text)) else {
        return Err(CredentialsError::setting(FULL_URI, "not a valid URI"));
    };
    let Some(host) = uri.host() else {
        return Err(CredentialsError::setting(FULL_URI, "the URI has no host"));
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = match bare.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ALLOWED.contains(&ip),
        Err(_) => bare == "localhost",
    };
    match uri.scheme_str() {
        Some("https") => Ok(text),
        Some("http") if is_local => Ok(text),
        _ => Err(CredentialsError::setting(
            FULL_URI,
            "must be https, or http to loopback, 169.254.170.2, 169.254.170.23 or \
                  fd00:ec2::23",
        )),
    }
}

/// Returns the value of the Authorization header, from the token file or else from the variable.
fn token(context: &ProviderContext) -> Result<Option<Secret>, CredentialsError> {
    let file = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    let (name, token) = if let Some(path) = context.env.var(file) {
        let bytes = context.env.read(Path::new(&path));
        let bytes = bytes.map_err(|source| {
            let what = format!("{file} {}", redact::setting(&path));
            CredentialsError::Io { what, source }
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let token = Secret::from(text.trim_end_matches(['\r', '\n']));
        (file, Some(token))
    } else {
        let name = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
        (name, context.env.var(name).map(Secret::from))
    };
    match token {
        Some(token) if token.expose().contains(['\r', '\n']) => Err(CredentialsError::setting(
            name,
            "the token contains a line break",
        )),
        token => Ok(token.filter(|t| !t.expose().is_empty())),
    }
}
