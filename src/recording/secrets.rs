//! Removes the secrets of a request from its recording.

use serde_json::Value;

use crate::http::{Request, Response};
use crate::redact::{self, REDACTED, is_secret_field};
use crate::secret::{Redactor, Secret};

/// The headers of requests whose values are secret.
const SECRET_HEADERS: [&str; 3] = [
    "x-amz-security-token",
    "x-amz-sso_bearer_token",
    "x-aws-ec2-metadata-token",
];

/// Returns the redactor of the secrets in the headers and the body of a request, which an error
/// response may repeat, and in its response.
pub(super) fn redactor(request: &Request, response: Option<&Response>) -> Redactor {
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
    let requests_token = request.header("x-aws-ec2-metadata-token-ttl-seconds");
    // The body of this response of the metadata service is a token.
    if requests_token.is_some() {
        let body = response.map_or(&[][..], |response| &response.body);
        // The token is Base64; an unexpected response may have other text around it.
        let is_other = |b: &u8| !(b.is_ascii_alphanumeric() || b"+/=-_".contains(b));
        let parts = body.split(is_other);
        found.extend(parts.map(|part| String::from_utf8_lossy(part).into_owned()));
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
pub(super) fn redact_json(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::Object(members) => {
            for (name, mut inner) in std::mem::take(members) {
                if is_secret_field(&name) && inner.is_string() {
                    inner = REDACTED.into();
                } else {
                    redact_json(&mut inner, redactor);
                }
                members.insert(redact_text(&name, redactor), inner);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| redact_json(v, redactor)),
        Value::String(string) => *string = redact_text(string, redactor),
        _ => {}
    }
}

/// Returns `text` (XML, a form or truncated JSON) with all secret fields and all secrets of
/// `redactor` redacted.
pub(super) fn redact_text(text: &str, redactor: &Redactor) -> String {
    redactor.apply(&redact::fields(text)).into_owned()
}

/// Returns `bytes` of any encoding with all secret fields and all secrets of `redactor` redacted.
pub(super) fn redact_bytes(bytes: &[u8], redactor: &Redactor) -> Vec<u8> {
    // Maps each byte to one character and back: secrets are ASCII, and other bytes are unchanged.
    let characters: String = bytes.iter().copied().map(char::from).collect();
    let redacted = redact_text(&characters, redactor);
    redacted.chars().flat_map(u8::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacting(secret: &str) -> Redactor {
        Redactor::new([(secret.into(), REDACTED.to_owned())])
    }

    #[test]
    fn secrets_are_redacted_in_every_format() {
        let mut value = serde_json::json!({
            "roleCredentials": {"accessKeyId": "AKIAX", "secretAccessKey": "s3", "expiration": 1},
            "nextToken": "kept", "message": "key AKIALIVE is bad"
        });
        redact_json(&mut value, &redacting("AKIALIVE"));
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
                &redacting("tok")
            ),
            "<a><SecretAccessKey>REDACTED</SecretAccessKey><SessionToken>REDACTED</SessionToken>REDACTED</a>"
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
    fn secrets_in_json_names_are_redacted() {
        let mut value = serde_json::json!({"AKIALIVE": {"x-AKIALIVE": "kept"}});
        redact_json(&mut value, &redacting("AKIALIVE"));
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
        let redactor = redactor(&request, None);
        assert_eq!(
            redact_text("key a-key-0 1", &redactor),
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
        let redactor = redactor(&request, None);
        assert_eq!(redactor.apply("Basic of-the-pod, of"), "REDACTED, of");
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
            redact_bytes(body, &redacting("AKIAX")),
            b"\xff\xfe<Token>REDACTED</Token> REDACTED \xc3\xa9 \x00"
        );
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(redact_bytes(&all, &Redactor::default()), all);
    }
}
