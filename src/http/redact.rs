//! What a recording must not hold, and account numbers that it need not hold.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

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

/// More characters than of any answer are shown.
const MAX_START: usize = 4000;

fn is_secret(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|s| s.eq_ignore_ascii_case(name))
}

/// The secrets that a request carries in its headers and its body: they may come back in an error's
/// text. The longest first: of one that a shorter one is a part of, the rest would stay.
pub fn secrets_of(request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(authorization) = request.header("authorization") {
        let key = authorization.split_once("Credential=").map(|(_, r)| r);
        // That of a container is the secret itself.
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

/// The values of the secret fields of a body, a form or JSON.
fn secrets_in(body: &[u8]) -> Vec<String> {
    if let Ok(Value::Object(members)) = serde_json::from_slice(body) {
        let secret = members.into_iter().filter(|(name, _)| is_secret(name));
        let text = |(_, value): (_, Value)| Some(value.as_str()?.to_owned());
        return secret.filter_map(text).collect();
    }
    let secret = form_urlencoded::parse(body).filter(|(name, _)| is_secret(name));
    secret.map(|(_, value)| value.into_owned()).collect()
}

/// `value` with every secret field and every one of `secrets` replaced.
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

/// `text`, XML, a form or JSON that is not whole, with every secret field and every one of
/// `secrets` replaced.
pub fn text(text: &str, secrets: &[String]) -> String {
    let mut out = text.to_owned();
    for name in SECRET_FIELDS {
        out = replaced(&out, &format!("<{name}"), in_element);
        out = replaced(&out, &format!("&{name}="), in_form);
        out = replaced(&out, &format!("\"{name}\""), in_json);
    }
    for secret in secrets {
        out = out.replace(secret, REDACTED);
    }
    out
}

/// The start of `whole`, of which no more is ever shown, with every secret field replaced: what should
/// have been an error may be the keys that were asked for.
pub fn start(whole: &str) -> String {
    let end = whole.char_indices().nth(MAX_START).map(|(at, _)| at);
    text(&whole[..end.unwrap_or(whole.len())], &[])
}

/// Where the text is that an element holds, behind its name.
fn in_element(rest: &str) -> Option<Range<usize>> {
    let named = rest.starts_with(|c: char| c == '>' || c.is_whitespace());
    let end_of_tag = rest.find('>').filter(|_| named)?;
    if rest[..end_of_tag].ends_with('/') {
        return None;
    }
    let start = end_of_tag + 1;
    Some(start..rest[start..].find("</").map_or(rest.len(), |n| start + n))
}

/// Where the value is that a parameter has, behind its `=`.
#[allow(clippy::unnecessary_wraps)] // As its siblings.
fn in_form(rest: &str) -> Option<Range<usize>> {
    Some(0..rest.find('&').unwrap_or(rest.len()))
}

/// Where the text is that a member has, behind its name.
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

/// Replaces what is `secret` of the text behind each `open`, in whatever case that is.
fn replaced(text: &str, open: &str, secret: fn(&str) -> Option<Range<usize>>) -> String {
    let (lower, open) = (text.to_ascii_lowercase(), open.to_ascii_lowercase());
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    while let Some(at) = lower[done..].find(&open) {
        let behind = done + at + open.len();
        let found = secret(&text[behind..]);
        let (start, end) = found.map_or((behind, behind), |r| (behind + r.start, behind + r.end));
        out.push_str(&text[done..start]);
        if start < end {
            out.push_str(REDACTED);
        }
        done = end;
    }
    out + &text[done..]
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
    fn secrets_leave_what_is_not_whole_or_written_otherwise() {
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
    fn a_secret_that_is_a_part_of_another_leaves_nothing_of_it() {
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
    fn the_authorization_of_a_container_is_a_secret() {
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
    fn what_a_request_brings_in_its_body_is_a_secret() {
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
    fn what_is_shown_of_an_answer_has_no_half_of_a_key_in_it() {
        let key = "<SecretAccessKey>s3</SecretAccessKey>";
        assert_eq!(start(key), "<SecretAccessKey>REDACTED</SecretAccessKey>");
        for before in [MAX_START - 25, MAX_START - 18, MAX_START] {
            let shown = start(&("é".repeat(before) + key));
            assert!(!shown.contains("s3"), "{before}");
        }
        assert_eq!(start("No such role."), "No such role.");
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
