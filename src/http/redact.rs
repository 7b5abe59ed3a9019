//! What a recording must not hold, and account numbers that it need not hold.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Request;

/// What stands in a recording where a secret stood.
const REDACTED: &str = "REDACTED";

/// Names of fields whose values are secret, in JSON, XML and forms, compared without case.
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

fn is_secret(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|s| s.eq_ignore_ascii_case(name))
}

/// The secrets that a request carries in its headers: they may come back in an error's text.
pub fn secrets_of(request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(authorization) = request.header("authorization") {
        let key = authorization.split_once("Credential=").map(|(_, r)| r);
        found.extend(key.and_then(|r| r.split('/').next()).map(str::to_owned));
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
    found.retain(|secret| !secret.is_empty());
    found
}

/// `value` with every secret field and every one of `secrets` replaced.
pub fn json(value: &mut Value, secrets: &[String]) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if is_secret(name) && inner.is_string() {
                    *inner = REDACTED.into();
                } else {
                    json(inner, secrets);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|inner| json(inner, secrets)),
        Value::String(string) => *string = text(string, secrets),
        _ => {}
    }
}

/// `text`, XML or a form, with every secret field and every one of `secrets` replaced.
pub fn text(text: &str, secrets: &[String]) -> String {
    let mut out = text.to_owned();
    for name in SECRET_FIELDS {
        out = between(&out, &format!("<{name}>"), "</");
        out = between(&out, &format!("&{name}="), "&");
    }
    for secret in secrets {
        out = out.replace(secret, REDACTED);
    }
    out
}

/// `bytes` of whatever encoding, with every secret field and every one of `secrets` replaced.
pub fn bytes(bytes: &[u8], secrets: &[String]) -> Vec<u8> {
    // A character for each byte: what is secret is ASCII, and the rest stays as it is.
    let characters: String = bytes.iter().copied().map(char::from).collect();
    let redacted = text(&characters, secrets);
    redacted
        .chars()
        .filter_map(|c| u8::try_from(c).ok())
        .collect()
}

/// Replaces what stands between each `open` and the next `close` (or the end).
fn between(text: &str, open: &str, close: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        let (before, inner) = rest.split_at(at + open.len());
        out.push_str(before);
        out.push_str(REDACTED);
        rest = &inner[inner.find(close).unwrap_or(inner.len())..];
    }
    out + rest
}

/// The account numbers that `text` names: twelve digits that stand alone, in an ARN or as a value.
///
/// The last group of a UUID, behind its hyphen, is none.
pub fn account_numbers(text: &str, into: &mut BTreeSet<String>) {
    let part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let words = text.as_bytes().split(|b| !part(*b));
    let number = |w: &&[u8]| w.len() == 12 && w.iter().all(u8::is_ascii_digit);
    into.extend(
        words
            .filter(number)
            .map(|w| String::from_utf8_lossy(w).into_owned()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_leave_json_xml_and_forms() {
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
    fn secrets_leave_bytes_of_any_encoding() {
        let body = b"\xff\xfe<Token>t</Token> AKIAX \xc3\xa9 \x00";
        assert_eq!(
            bytes(body, &["AKIAX".to_owned()]),
            b"\xff\xfe<Token>REDACTED</Token> REDACTED \xc3\xa9 \x00"
        );
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&all, &[]), all);
    }

    #[test]
    fn account_numbers_are_found_in_arns_and_identities() {
        let mut found = BTreeSet::new();
        account_numbers(
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
