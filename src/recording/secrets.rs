//! Removes the secrets of a request from its recording.

use serde_json::Value;

use super::credentials;
use crate::http::Request;
use crate::redact::{self, REDACTED, is_secret_field};
use crate::secret::{Redactor, Secret};

/// The headers of requests whose values are secret.
const SECRET_HEADERS: [&str; 3] = [
    "x-amz-security-token",
    "x-amz-sso_bearer_token",
    "x-aws-ec2-metadata-token",
];

/// The content of a recorded body, which says how its strings are redacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A request or a page: its strings are names, of which only known secrets and nested documents
    /// are redacted. Two names must not become one.
    Names,
    /// An error response: its strings are text, in which secret fields are redacted.
    Text,
    /// Credentials or a token: only the values of known fields are recorded.
    Credentials,
}

/// Returns the redactor of the secrets in the headers and the body of a request, which a response
/// may repeat.
pub(super) fn redactor(request: &Request) -> Redactor {
    let mut found = secrets_in(&request.body);
    if let Some(authorization) = request.header("authorization") {
        let key = match authorization.split_once("Credential=") {
            Some((_, rest)) => rest.split('/').next(),
            // The authorization of a container endpoint is itself the secret.
            None => Some(authorization),
        };
        let signature = authorization.split_once("Signature=").map(|(_, rest)| rest);
        found.extend(key.into_iter().chain(signature).map(str::to_owned));
    }
    for name in SECRET_HEADERS {
        found.extend(request.header(name).map(str::to_owned));
    }
    let secret = |text: String| (Secret::from(text), REDACTED.to_owned());
    Redactor::new(found.into_iter().map(secret))
}

/// Returns the values of the secret fields of a form or JSON body.
fn secrets_in(body: &[u8]) -> Vec<String> {
    if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
        let secret = members.iter().filter(|(name, _)| is_secret_field(name));
        let texts = secret.filter_map(|(_, value)| value.as_str());
        return texts.map(str::to_owned).collect();
    }
    let secret = form_urlencoded::parse(body).filter(|(name, _)| is_secret_field(name));
    secret.map(|(_, value)| value.into_owned()).collect()
}

/// Redacts all secret fields and all secrets of `redactor` in `value`.
pub(super) fn redact_json(value: &mut Value, content: Content, redactor: &Redactor) {
    match value {
        _ if content == Content::Credentials => credentials::redact_json(value, redactor),
        Value::Object(members) => {
            for (name, mut inner) in std::mem::take(members) {
                if is_secret_field(&name) {
                    hide(&mut inner);
                } else {
                    redact_json(&mut inner, content, redactor);
                }
                members.insert(redactor.apply(&name).into_owned(), inner);
            }
        }
        Value::Array(list) => {
            for inner in list {
                redact_json(inner, content, redactor);
            }
        }
        Value::String(text) => *text = redact_string(text, content, redactor),
        _ => {}
    }
}

/// Returns a string of JSON with all secret fields and all secrets of `redactor` redacted; it may
/// itself be a document.
fn redact_string(text: &str, content: Content, redactor: &Redactor) -> String {
    let start = text.trim_start();
    if !start.starts_with(['{', '[', '<']) {
        return match content {
            Content::Names => redactor.apply(text).into_owned(),
            _ => redact_text(text, redactor),
        };
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut nested) if nested.is_object() || nested.is_array() => {
            let original = nested.clone();
            redact_json(&mut nested, content, redactor);
            if nested == original {
                text.to_owned()
            } else {
                nested.to_string()
            }
        }
        _ => redact_text(text, redactor),
    }
}

/// Redacts everything in the value of a secret field.
fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(hide),
        Value::Array(list) => list.iter_mut().for_each(hide),
        Value::Null => {}
        _ => *value = REDACTED.into(),
    }
}

/// Returns `text` (XML, a form or truncated JSON) with all secret fields and all secrets of
/// `redactor` redacted.
pub(super) fn redact_text(text: &str, redactor: &Redactor) -> String {
    redactor.apply(&redact::message(text)).into_owned()
}

/// Returns `bytes` of any encoding with all secret fields and all secrets of `redactor` redacted.
pub(super) fn redact_bytes(bytes: &[u8], redactor: &Redactor) -> Vec<u8> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return redact_text(text, redactor).into_bytes();
    }
    // Maps each byte to one character and back: secrets are ASCII, and other bytes are unchanged.
    let characters: String = bytes.iter().copied().map(char::from).collect();
    let redacted = redact_text(&characters, redactor);
    redacted.chars().flat_map(u8::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "AKIALIVE0123456789AB";

    fn redacting(secret: &str) -> Redactor {
        Redactor::new([(secret.into(), REDACTED.to_owned())])
    }

    fn request(headers: Vec<(&'static str, String)>) -> Request {
        Request {
            method: "GET",
            uri: "u".to_owned(),
            headers,
            body: Vec::new(),
            scope: None,
            budget: std::time::Duration::ZERO,
            private: crate::http::Private::default(),
        }
    }

    #[test]
    fn secrets_are_redacted_in_every_format() {
        let mut value = serde_json::json!({
            "roleCredentials": {"accessKeyId": "AKIAX", "secretAccessKey": ["s3"], "expiration": 1},
            "nextToken": "kept", "message": format!("key {ID} is bad"), "token": null,
            "nested": "{\"a\": [{\"SecretAccessKey\": \"s3\"}]}", "xml": "<x:Token>s3</x:Token>",
        });
        redact_json(&mut value, Content::Names, &redacting(ID));
        assert_eq!(
            value,
            serde_json::json!({
                "roleCredentials": {"accessKeyId": "REDACTED", "secretAccessKey": ["REDACTED"],
                    "expiration": 1},
                "nextToken": "kept", "message": "key REDACTED is bad", "token": null,
                "nested": "{\"a\":[{\"SecretAccessKey\":\"REDACTED\"}]}",
                "xml": "<x:Token>REDACTED</x:Token>",
            })
        );
        assert_eq!(
            redact_text(
                &format!(
                    "<a><SecretAccessKey>s3</SecretAccessKey><SessionToken>t</SessionToken>{ID}</a>"
                ),
                &redacting(ID)
            ),
            "<a><SecretAccessKey>REDACTED</SecretAccessKey><SessionToken>REDACTED</SessionToken>****89AB</a>"
        );
        assert_eq!(
            redact_text(
                "Action=A&WebIdentityToken=jwt&Version=1",
                &Redactor::default()
            ),
            "Action=A&WebIdentityToken=REDACTED&Version=1"
        );
    }

    #[test]
    fn names_of_resources_stay_different() {
        let names = [
            "arn:aws:secretsmanager:eu-west-1:1:secret:a",
            "token=a",
            "Password: b-1",
        ];
        for name in names {
            let found = redact_string(name, Content::Names, &redacting(ID));
            assert_eq!(found, name);
        }
        let found = redact_string("token=a", Content::Text, &redacting(ID));
        assert_eq!(found, "token=REDACTED");
    }

    #[test]
    fn secrets_in_json_names_are_redacted() {
        let mut value = serde_json::json!({ID: {format!("x-{ID}"): "kept"}});
        redact_json(&mut value, Content::Names, &redacting(ID));
        let expected = serde_json::json!({"REDACTED": {"x-REDACTED": "kept"}});
        assert_eq!(value, expected);
    }

    #[test]
    fn authorization_is_a_secret() {
        let signed = format!("AWS4 Credential={ID}/x, Signature=0123456789abcdef0");
        let redactor_of = |text: &str| redactor(&request(vec![("authorization", text.to_owned())]));
        assert_eq!(
            redactor_of(&signed).apply(&format!("{ID} 0123456789abcdef0 AWS4")),
            "REDACTED REDACTED AWS4"
        );
        let container = redactor_of("Basic of-the-pod-of-a-test");
        assert_eq!(
            container.apply("Basic of-the-pod-of-a-test, of"),
            "REDACTED, of"
        );
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
        let body = b"\xff\xfe<Token>t</Token> 0123456789abcdef \xc3\xa9 \x00";
        assert_eq!(
            redact_bytes(body, &redacting("0123456789abcdef")),
            b"\xff\xfe<Token>REDACTED</Token> REDACTED \xc3\xa9 \x00"
        );
        let spaced = "<a>é 01234567\u{200b}89abcdef</a>".as_bytes();
        let found = redact_bytes(spaced, &redacting("0123456789abcdef"));
        assert_eq!(found, "<a>é REDACTED</a>".as_bytes());
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(redact_bytes(&all, &Redactor::default()), all);
    }
}
