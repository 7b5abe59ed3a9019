//! Removes the values of secret fields from JSON, XML and forms, complete or truncated.

use std::ops::Range;

/// The text that replaces a secret.
pub const REDACTED: &str = "REDACTED";

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

/// Returns true if fields of this name have secret values; case is ignored.
#[must_use]
pub fn is_secret_field(name: &str) -> bool {
    SECRET_FIELDS.iter().any(|s| s.eq_ignore_ascii_case(name))
}

/// Returns `text` (XML, a form or truncated JSON) with all secret fields redacted.
#[must_use]
pub fn fields(text: &str) -> String {
    let mut out = text.to_owned();
    for name in SECRET_FIELDS {
        out = redact_after(&out, &format!("<{name}"), in_element);
        out = redact_after(&out, &format!("&{name}="), in_form);
        out = redact_after(&out, &format!("\"{name}\""), in_json);
    }
    out
}

/// Returns the start of a response body for a message, with all secret fields redacted: an
/// unreadable response may contain the requested credentials.
#[must_use]
pub fn start(body: &str) -> String {
    let end = body.char_indices().nth(MAX_START).map(|(at, _)| at);
    fields(&body[..end.unwrap_or(body.len())])
}

/// Returns the range of the text of an XML element; `rest` follows the element's name.
fn in_element(rest: &str) -> Option<Range<usize>> {
    let is_name_end = rest.starts_with(|c: char| c == '>' || c.is_whitespace());
    let (tag, text) = rest.split_once('>').filter(|_| is_name_end)?;
    let start = rest.len() - text.len();
    let range = start..text.find("</").map_or(rest.len(), |n| start + n);
    (!tag.ends_with('/')).then_some(range)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_fields_are_redacted_in_truncated_bodies() {
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
            assert_eq!(fields(body), expected);
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
}
