//! Removes the secrets of a request from its recording.

use std::cmp::Reverse;

use serde_json::Value;

use crate::http::{Request, Response};
use crate::redact::{self, REDACTED, is_secret_field};

/// Returns the secrets in the headers and the body of a request, which an error response may
/// repeat. Sorted by length, longest first, so that a secret inside a longer one does not leave a
/// part of it.
pub(super) fn secrets_of(request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(authorization) = request.header("authorization") {
        let key = authorization.split_once("Credential=").map(|(_, r)| r);
        // The authorization of a container endpoint is itself the secret.
        let key = key.map_or(Some(authorization), |r| r.split('/').next());
        found.extend(key.map(str::to_owned));
        let signature = authorization.split_once("Signature=").map(|(_, r)| r);
        found.extend(signature.map(str::to_owned));
    }
    for name in [
        "x-amz-security-token",
        "x-amz-sso_bearer_token",
        "x-aws-ec2-metadata-token",
    ] {
        found.extend(request.header(name).map(str::to_owned));
    }
    found.extend(secrets_in(&request.body));
    found.retain(|secret| !secret.is_empty());
    found.sort_by_key(|secret| Reverse(secret.len()));
    found
}

/// Returns the values of the secret fields of a form or JSON body.
fn secrets_in(body: &[u8]) -> Vec<String> {
    if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
        let secret = members
            .into_iter()
            .filter(|(name, _)| is_secret_field(name));
        let text = |(_, value): (_, Value)| Some(value.as_str()?.to_owned());
        return secret.filter_map(text).collect();
    }
    let secret = form_urlencoded::parse(body).filter(|(name, _)| is_secret_field(name));
    secret.map(|(_, value)| value.into_owned()).collect()
}

/// Returns the secrets of a request and of its response, sorted like [`secrets_of`].
pub(super) fn secrets_of_exchange(request: &Request, response: Option<&Response>) -> Vec<String> {
    let mut secrets = secrets_of(request);
    let requests_token = request.header("x-aws-ec2-metadata-token-ttl-seconds");
    // The body of this response of the metadata service is a token.
    if let (Some(_), Some(response)) = (requests_token, response) {
        let text = String::from_utf8_lossy(&response.body);
        // The token is Base64; an unexpected response may have other text around it.
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
        let parts = text.split(|c| !is_base64(c));
        let parts = parts.filter(|part| !part.is_empty());
        secrets.extend(parts.map(str::to_owned));
        secrets.sort_by_key(|secret| Reverse(secret.len()));
    }
    secrets
}

/// Redacts all secret fields and all occurrences of `secrets` in `value`.
pub(super) fn redact_json(value: &mut Value, secrets: &[String]) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                if is_secret_field(name) && inner.is_string() {
                    *inner = REDACTED.into();
                } else {
                    redact_json(inner, secrets);
                }
            }
            if map.keys().any(|name| redact_text(name, secrets) != *name) {
                let members = std::mem::take(map).into_iter();
                *map = members
                    .map(|(n, v)| (redact_text(&n, secrets), v))
                    .collect();
            }
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|inner| redact_json(inner, secrets)),
        Value::String(string) => *string = redact_text(string, secrets),
        _ => {}
    }
}

/// Returns `text` (XML, a form or truncated JSON) with all secret fields and all occurrences of
/// `secrets` redacted.
pub(super) fn redact_text(text: &str, secrets: &[String]) -> String {
    let redacted = redact::fields(text);
    secrets
        .iter()
        .fold(redacted, |text, secret| text.replace(secret, REDACTED))
}

/// Returns `bytes` of any encoding with all secret fields and all occurrences of `secrets`
/// redacted.
pub(super) fn redact_bytes(bytes: &[u8], secrets: &[String]) -> Vec<u8> {
    // Maps each byte to one character and back: secrets are ASCII, and other bytes are unchanged.
    let characters: String = bytes.iter().copied().map(char::from).collect();
    let redacted = redact_text(&characters, secrets);
    redacted
        .chars()
        .filter_map(|c| u8::try_from(c).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_redacted_in_every_format() {
        let mut value = serde_json::json!({
            "roleCredentials": {"accessKeyId": "AKIAX", "secretAccessKey": "s3", "expiration": 1},
            "nextToken": "kept", "message": "key AKIALIVE is bad"
        });
        redact_json(&mut value, &["AKIALIVE".to_owned()]);
        assert_eq!(
            value,
            serde_json::json!({
                "roleCredentials": {"accessKeyId": "REDACTED", "secretAccessKey": "REDACTED",
                    "expiration": 1},
                "nextToken": "kept", "message": "key REDACTED is bad"
            })
        );
        assert_eq!(
            redact_text(
                "<a><SecretAccessKey>s3</SecretAccessKey><SessionToken>t</SessionToken>tok</a>",
                &["tok".to_owned()]
            ),
            "<a><SecretAccessKey>REDACTED</SecretAccessKey><SessionToken>REDACTED</SessionToken>REDACTED</a>"
        );
        assert_eq!(
            redact_text("Action=A&WebIdentityToken=jwt&Version=1", &[]),
            "Action=A&WebIdentityToken=REDACTED&Version=1"
        );
    }

    #[test]
    fn secrets_in_json_names_are_redacted() {
        let mut value = serde_json::json!({"AKIALIVE": {"x-AKIALIVE": "kept"}});
        redact_json(&mut value, &["AKIALIVE".to_owned()]);
        let expected = serde_json::json!({"REDACTED": {"x-REDACTED": "kept"}});
        assert_eq!(value, expected);
    }

    #[test]
    fn overlapping_secrets_are_redacted_completely() {
        let request = Request {
            method: "GET",
            uri: "u".to_owned(),
            headers: vec![
                ("authorization", "Credential=key/x, Signature=0".to_owned()),
                ("x-amz-security-token", "a-key-0".to_owned()),
            ],
            body: Vec::new(),
            scope: None,
            budget: std::time::Duration::ZERO,
        };
        let secrets = secrets_of(&request);
        assert_eq!(
            redact_text("key a-key-0 1", &secrets),
            "REDACTED REDACTED 1"
        );
    }

    #[test]
    fn container_authorization_is_a_secret() {
        let request = Request {
            method: "GET",
            uri: "u".to_owned(),
            headers: vec![("authorization", "Basic of-the-pod".to_owned())],
            body: Vec::new(),
            scope: None,
            budget: std::time::Duration::ZERO,
        };
        assert_eq!(secrets_of(&request), ["Basic of-the-pod"]);
    }

    #[test]
    fn request_body_secrets_are_found() {
        for (body, secrets) in [
            (
                "Action=A&WebIdentityToken=a.b%2Bc&TokenCode=1",
                &["a.b+c", "1"][..],
            ),
            (
                r#"{"grantType": "x", "refreshToken": "r", "clientId": 7}"#,
                &["r"],
            ),
            ("[1]", &[]),
            ("", &[]),
        ] {
            assert_eq!(secrets_in(body.as_bytes()), secrets, "{body}");
        }
    }

    #[test]
    fn secrets_are_redacted_in_any_encoding() {
        let body = b"\xff\xfe<Token>t</Token> AKIAX \xc3\xa9 \x00";
        assert_eq!(
            redact_bytes(body, &["AKIAX".to_owned()]),
            b"\xff\xfe<Token>REDACTED</Token> REDACTED \xc3\xa9 \x00"
        );
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(redact_bytes(&all, &[]), all);
    }
}
