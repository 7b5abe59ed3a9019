//! Removes secrets from recordings and messages, and finds account IDs to replace.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use super::Request;

/// The text that replaces a secret.
const REDACTED: &str = "REDACTED";

/// The names of fields with secret values in JSON, XML and forms; case is ignored.
const SECRET_FIELDS: [&str; 14] = [
    "AccessKeyId",
    "SecretAccessKey",
    "SessionToken",
    "Token",
    "accessToken",
    "refreshToken",
    "idToken",
    "clientId",
    "clientSecret",
    "Password",
    "WebIdentityToken",
    "SAMLAssertion",
    "TokenCode",
    "Authorization",
];

/// The maximum length of the start of a response, in characters; more than any message shows.
const MAX_START: usize = 4000;

fn is_secret(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|s| s.eq_ignore_ascii_case(name))
}

/// Returns the secrets in the headers and the body of a request, which an error response may
/// repeat. Sorted by length, longest first, so that a secret inside a longer one does not leave a
/// part of it.
pub fn secrets_of(request: &Request) -> Vec<String> {
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
        let secret = members.into_iter().filter(|(name, _)| is_secret(name));
        let text = |(_, value): (_, Value)| Some(value.as_str()?.to_owned());
        return secret.filter_map(text).collect();
    }
    let secret = form_urlencoded::parse(body).filter(|(name, _)| is_secret(name));
    secret.map(|(_, value)| value.into_owned()).collect()
}

/// Redacts all secret fields and all occurrences of `secrets` in `value`.
pub fn json(value: &mut Value, secrets: &[String]) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map.iter_mut() {
                if is_secret(name) && inner.is_string() {
                    *inner = REDACTED.into();
                } else {
                    json(inner, secrets);
                }
            }
            if map.keys().any(|name| text(name, secrets) != *name) {
                let members = std::mem::take(map).into_iter();
                *map = members.map(|(n, v)| (text(&n, secrets), v)).collect();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| json(inner, secrets)),
        Value::String(string) => *string = text(string, secrets),
        _ => {}
    }
}

/// Returns `text` (XML, a form or truncated JSON) with all secret fields and all occurrences of
/// `secrets` redacted.
pub fn text(text: &str, secrets: &[String]) -> String {
    let mut out = text.to_owned();
    for name in SECRET_FIELDS {
        out = redact_after(&out, &format!("<{name}"), in_element);
        out = redact_after(&out, &format!("&{name}="), in_form);
        out = redact_after(&out, &format!("\"{name}\""), in_json);
    }
    for secret in secrets {
        out = out.replace(secret, REDACTED);
    }
    out
}

/// Returns the start of a response body for a message, with all secret fields redacted: an
/// unreadable response may contain the requested credentials.
pub fn start(body: &str) -> String {
    let end = body.char_indices().nth(MAX_START).map(|(at, _)| at);
    text(&body[..end.unwrap_or(body.len())], &[])
}

/// Returns the range of the text of an XML element; `rest` follows the element's name.
fn in_element(rest: &str) -> Option<Range<usize>> {
    let is_name_end = rest.starts_with(|c: char| c == '>' || c.is_whitespace());
    let end_of_tag = rest.find('>').filter(|_| is_name_end)?;
    if rest[..end_of_tag].ends_with('/') {
        return None;
    }
    let start = end_of_tag + 1;
    Some(start..rest[start..].find("</").map_or(rest.len(), |n| start + n))
}

/// Returns the range of the value of a form parameter; `rest` follows the `=`.
#[allow(clippy::unnecessary_wraps)] // Same type as `in_element`.
fn in_form(rest: &str) -> Option<Range<usize>> {
    Some(0..rest.find('&').unwrap_or(rest.len()))
}

/// Returns the range of the string value of a JSON member; `rest` follows the member's name.
fn in_json(rest: &str) -> Option<Range<usize>> {
    let value = rest.trim_start().strip_prefix(':')?;
    let value = value.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = value.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let start = rest.len() - value.len();
    Some(start..end.map_or(rest.len(), |n| start + n))
}

/// Returns `bytes` of any encoding with all secret fields and all occurrences of `secrets`
/// redacted.
pub fn bytes(bytes: &[u8], secrets: &[String]) -> Vec<u8> {
    // Maps each byte to one character and back: secrets are ASCII, and other bytes are unchanged.
    let characters: String = bytes.iter().copied().map(char::from).collect();
    let redacted = text(&characters, secrets);
    redacted
        .chars()
        .filter_map(|c| u8::try_from(c).ok())
        .collect()
}

/// Redacts the range that `secret_range` finds after each occurrence of `start`, ignoring case.
fn redact_after(text: &str, start: &str, secret_range: fn(&str) -> Option<Range<usize>>) -> String {
    let (lower, start) = (text.to_ascii_lowercase(), start.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = lower[done..].find(&start) {
        let after = done + at + start.len();
        let secret = secret_range(&text[after..]).unwrap_or(0..0);
        let (begin, end) = (after + secret.start, after + secret.end);
        out.push_str(&text[done..begin]);
        if begin < end {
            out.push_str(REDACTED);
        }
        done = end;
    }
    out + &text[done..]
}

/// Adds the account IDs in `text` to `into`: words of exactly 12 digits, in an ARN or as a value.
///
/// The last group of a UUID, after a hyphen, is not an account ID.
pub fn find_account_ids(text: &str, into: &mut BTreeSet<String>) {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let words = text.as_bytes().split(|b| !is_word(*b));
    let is_account_id = |w: &&[u8]| w.len() == 12 && w.iter().all(u8::is_ascii_digit);
    into.extend(
        words
            .filter(is_account_id)
            .map(|w| String::from_utf8_lossy(w).into_owned()),
    );
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
        json(&mut value, &["AKIALIVE".to_owned()]);
        assert_eq!(
            value,
            serde_json::json!({
                "roleCredentials": {"accessKeyId": "REDACTED", "secretAccessKey": "REDACTED",
                    "expiration": 1},
                "nextToken": "kept", "message": "key REDACTED is bad"
            })
        );
        assert_eq!(
            text(
                "<a><SecretAccessKey>s3</SecretAccessKey><SessionToken>t</SessionToken>tok</a>",
                &["tok".to_owned()]
            ),
            "<a><SecretAccessKey>REDACTED</SecretAccessKey><SessionToken>REDACTED</SessionToken>REDACTED</a>"
        );
        assert_eq!(
            text("Action=A&WebIdentityToken=jwt&Version=1", &[]),
            "Action=A&WebIdentityToken=REDACTED&Version=1"
        );
    }

    #[test]
    fn secrets_are_redacted_in_truncated_bodies() {
        for (body, expected) in [
            (
                r#"{"accessToken":"a\"b", "x":1"#,
                r#"{"accessToken":"REDACTED", "x":1"#,
            ),
            (
                r#"[{"SECRETaccessKEY" : "s3"#,
                r#"[{"SECRETaccessKEY" : "REDACTED"#,
            ),
            (
                r#"{"clientId": 7, "x": "accessToken"#,
                r#"{"clientId": 7, "x": "accessToken"#,
            ),
            (
                "<token a=\"1\">t</token><Tokens>u",
                "<token a=\"1\">REDACTED</token><Tokens>u",
            ),
            ("<SessionToken>t", "<SessionToken>REDACTED"),
            ("<Token/><Token></Token>", "<Token/><Token></Token>"),
            ("<Token /><a>b</a>", "<Token /><a>b</a>"),
            ("É&token=t&x=1", "É&token=REDACTED&x=1"),
        ] {
            assert_eq!(text(body, &[]), expected);
        }
        let mut value = serde_json::json!({"AKIALIVE": {"x-AKIALIVE": "kept"}});
        json(&mut value, &["AKIALIVE".to_owned()]);
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
        assert_eq!(text("key a-key-0 1", &secrets), "REDACTED REDACTED 1");
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
    fn truncated_start_contains_no_partial_secret() {
        let key = "<SecretAccessKey>s3</SecretAccessKey>";
        assert_eq!(start(key), "<SecretAccessKey>REDACTED</SecretAccessKey>");
        for before in [MAX_START - 25, MAX_START - 18, MAX_START] {
            let shown = start(&("é".repeat(before) + key));
            assert!(!shown.contains("s3"), "{before}");
        }
        assert_eq!(start("No such role."), "No such role.");
    }

    #[test]
    fn secrets_are_redacted_in_any_encoding() {
        let body = b"\xff\xfe<Token>t</Token> AKIAX \xc3\xa9 \x00";
        assert_eq!(
            bytes(body, &["AKIAX".to_owned()]),
            b"\xff\xfe<Token>REDACTED</Token> REDACTED \xc3\xa9 \x00"
        );
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&all, &[]), all);
    }

    #[test]
    fn account_ids_are_found_in_arns_and_values() {
        let mut found = BTreeSet::new();
        find_account_ids(
            "arn:aws:iam::123456789012:role/x <Account>111122223333</Account> id-999999999999 \
             8a0c-123412341234 1700000000000 {\"accountId\": \"444455556666\"} 1a2345678901",
            &mut found,
        );
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["111122223333", "123456789012", "444455556666"]
        );
    }
}
