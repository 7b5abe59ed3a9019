//! The credentials endpoint of a container: ECS, and EKS pod identity.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use super::answer::{Keys, json};
use super::fetch::Fetch;
use super::{Context, CredentialsError, Found, Provider};

pub struct Container;

/// The hosts that a plain HTTP URI may name beside loopback: ECS, and EKS pod identity.
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
            // Anything else would change the host: `@evil.example`.
            (Some(path), _) if path.starts_with('/') => format!("http://169.254.170.2{path}"),
            (Some(_), _) => {
                return Err(CredentialsError(
                    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: must begin with /".to_owned(),
                ));
            }
            (None, Some(uri)) => allowed(uri)?,
            (None, None) => return Ok(Found::Nothing("no container credentials URI is set")),
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
            tries: 3,
            reach: 3,
            // As botocore does: a container may be up before what gives its keys is.
            is_answer: |response| {
                response.status == 200
                    && serde_json::from_slice::<serde_json::Value>(&response.body).is_ok()
            },
        };
        let sent = fetch.send(context.net);
        let response =
            sent.map_err(|e| CredentialsError(format!("the container endpoint: {e}")))?;
        let origin = format!("the container endpoint {uri}");
        if response.status != 200 {
            let status = response.status;
            return Err(CredentialsError(format!("{origin}: HTTP {status}")));
        }
        let keys: Keys = json(&response.body, &origin)?;
        keys.resolved(&origin).map(Found::Keys)
    }
}

/// The URI, where its host may be asked: keys must not be fetched from anywhere over plain HTTP.
fn allowed(text: String) -> Result<String, CredentialsError> {
    let bad = |why: &str| {
        let name = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
        Err(CredentialsError(format!("{name}: {why}")))
    };
    let Ok(uri) = text.parse::<http::Uri>() else {
        return bad("is no URI");
    };
    let Some(host) = uri.host() else {
        return bad("names no host");
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let near = match bare.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback() || ALLOWED.contains(&ip),
        Err(_) => bare == "localhost",
    };
    match uri.scheme_str() {
        Some("https") => Ok(text),
        Some("http") if near => Ok(text),
        _ => bad(
            "must be https, or http to loopback, 169.254.170.2, 169.254.170.23 or \
                  fd00:ec2::23",
        ),
    }
}

/// The authorization: a file's content, read each time, else a variable.
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
            "{name}: the token has a line break in it"
        ))),
        token => Ok(token.filter(|t| !t.is_empty())),
    }
}
