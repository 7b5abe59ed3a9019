//! Removes the values of secret fields from JSON, XML, forms and other text, complete or truncated.
//!
//! The text is read with each of its encodings removed ([`levels`]), so that a field is found in JSON in a string of
//! JSON, in percent-encoded or HTML-encoded text, with a namespace prefix, and around comments and CDATA sections.

use std::ops::Range;

use crate::secret::Redactor;
use crate::secret::decode::{Unit, levels};

/// The text that replaces a secret.
pub const REDACTED: &str = "REDACTED";

/// The names of fields with secret values: lower case, without `-`, `_` and blanks.
const NAMES: [&str; 10] = [
    "token",
    "clientid",
    "tokencode",
    "secret",
    "signature",
    "credential",
    "assertion",
    "codeverifier",
    "devicecode",
    "pwd",
];

/// The ends of names of fields with secret values, in the same form.
const NAME_ENDS: [&str; 30] = [
    "accesskeyid",
    "accesskey",
    "secretkey",
    "secretaccesskey",
    "sessiontoken",
    "securitytoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "bearertoken",
    "authorizationtoken",
    "authtoken",
    "apitoken",
    "vaulttoken",
    "authorization",
    "cookie",
    "webidentitytoken",
    "metadatatoken",
    "clientsecret",
    "clientassertion",
    "samlassertion",
    "secretstring",
    "password",
    "passphrase",
    "passwd",
    "passcode",
    "privatekey",
    "apikey",
    "amzsignature",
    "amzcredential",
];

/// The maximum length of a tag or a list, in characters.
const MAX_DISTANCE: usize = 10_000;

/// The schemes of an Authorization header, which the credentials follow.
const SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "negotiate", "ntlm"];

/// Returns true if fields of this name have secret values; case, `-` and `_` are ignored.
#[must_use]
pub fn is_secret_field(name: &str) -> bool {
    let name = name.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
    let name: String = name.map(|c| c.to_ascii_lowercase()).collect();
    NAMES.contains(&&*name) || NAME_ENDS.iter().any(|end| name.ends_with(end))
}

/// Returns `text` with the values of all secret fields redacted.
#[must_use]
pub fn fields(text: &str) -> String {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for units in levels(text) {
        let chars: Vec<char> = units.iter().map(|u| u.c).collect();
        let found = Fields { chars: &chars }.values().into_iter();
        ranges.extend(found.filter_map(|range| bytes(&units, range)));
    }
    ranges.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        if range.start >= done {
            out.push_str(&text[done..range.start]);
            out.push_str(REDACTED);
        }
        done = done.max(range.end);
    }
    out + &text[done..]
}

/// Returns the redactor of the values of all secret fields in `text`, such as the output of a
/// credential source.
#[must_use]
pub fn secrets_in(text: &str) -> Redactor {
    let mut found = Vec::new();
    for units in levels(text) {
        let chars: Vec<char> = units.iter().map(|u| u.c).collect();
        for range in (Fields { chars: &chars }).values() {
            let value: String = chars[range].iter().collect();
            found.push((value.into(), REDACTED.to_owned()));
        }
    }
    Redactor::new(found)
}

/// Returns the place after the first name of a secret field in `text`, in bytes; `None` if there is no such name.
pub(super) fn end_of_first_name(text: &str) -> Option<usize> {
    let units = levels(text).swap_remove(0);
    let chars: Vec<char> = units.iter().map(|u| u.c).collect();
    let fields = Fields { chars: &chars };
    let mut at = 0;
    while at < chars.len() {
        let end = fields.skip(at, is_name).max(at + 1);
        if let Some(name) = fields.secret_name(at..end) {
            return Some(units[name.end - 1].end);
        }
        at = end;
    }
    None
}

/// Returns the bytes of the characters `range`; `None` if there are none.
fn bytes(units: &[Unit], range: Range<usize>) -> Option<Range<usize>> {
    let units = units.get(range)?;
    Some(units.first()?.start..units.last()?.end)
}

/// A text in which secret fields are searched. All ranges are of characters.
struct Fields<'a> {
    chars: &'a [char],
}

impl Fields<'_> {
    /// Returns the ranges of the values of all secret fields.
    fn values(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.chars.len() {
            let end = self.skip(at, is_name);
            if end == at {
                at += 1;
                continue;
            }
            let value = self.secret_name(at..end).and_then(|name| self.value(&name));
            at = value.as_ref().map_or(end, |range| range.end.max(end));
            found.extend(value);
        }
        found
    }

    /// Returns the range of the secret name that begins with the word `first`: one to three words.
    fn secret_name(&self, first: Range<usize>) -> Option<Range<usize>> {
        let mut name = first;
        for _ in 0..3 {
            let text: String = self.chars[name.clone()].iter().collect();
            if is_secret_field(&text) {
                return Some(name);
            }
            if self.at(name.end) != Some(' ') {
                return None;
            }
            name.end = self.skip(name.end + 1, is_name);
        }
        None
    }

    /// Returns the range of the value of the field with this name.
    fn value(&self, name: &Range<usize>) -> Option<Range<usize>> {
        let prefix = self.chars[..name.start].iter().rev();
        let prefix = prefix.take_while(|c| is_name(**c) || **c == ':').count();
        match self.at_before(name.start - prefix) {
            Some('<') => self.element(name),
            _ => self.pair(name),
        }
    }

    /// Returns the range of the content of an element with this name, with comments and children.
    fn element(&self, name: &Range<usize>) -> Option<Range<usize>> {
        let tag_end = self.find_near(name.end, '>')?;
        if self.at_before(tag_end) == Some('/') {
            return None;
        }
        let start = tag_end + 1;
        let end = self.find(start, |at| self.is_end_tag(at, name));
        Some(start..end.unwrap_or(self.chars.len()))
    }

    /// Returns true if the end tag of `name`, with any prefix, is at `at`.
    fn is_end_tag(&self, at: usize, name: &Range<usize>) -> bool {
        if self.chars[at] != '<' || self.at(at + 1) != Some('/') {
            return false;
        }
        let end = self.skip(at + 2, |c| is_name(c) || c == ':');
        let found = self.chars[at + 2..end].iter().rev();
        let name = self.chars[name.clone()].iter().rev();
        let local = found.take_while(|c| **c != ':');
        local
            .map(char::to_ascii_lowercase)
            .eq(name.map(char::to_ascii_lowercase))
    }

    /// Returns the range of the value after `name`, a quote or none, and `:` or `=`.
    fn pair(&self, name: &Range<usize>) -> Option<Range<usize>> {
        let at = self.skip(name.end, |c| is_quote(c) || matches!(c, '\\' | ' ' | ']'));
        let separator = self.at(at).filter(|c| matches!(c, ':' | '='))?;
        let at = self.skip(at, |c| matches!(c, ':' | '=' | '>'));
        let start = self.skip(at, char::is_whitespace);
        let is_text = separator == ':' && start > at;
        let escapes = self.skip(start, |c| c == '\\') - start;
        let start = start + escapes;
        match self.at(start)? {
            quote if is_quote(quote) => Some(self.quoted(start + 1, quote, escapes)),
            '[' => self.find_near(start, ']').map(|end| start + 1..end),
            '{' => None,
            _ => self
                .unquoted(name, start)
                .filter(|value| !(is_text && self.is_word(value))),
        }
    }

    /// Returns the range from `start` to the `quote` with at most as many backslashes before it as the first one.
    fn quoted(&self, start: usize, quote: char, escapes: usize) -> Range<usize> {
        let ends = |at: usize| {
            let backslashes = self.backslashes(start, at);
            self.chars[at] == quote && (backslashes <= escapes || backslashes.is_multiple_of(2))
        };
        let end = self.find(start, ends).unwrap_or(self.chars.len());
        start..end - self.backslashes(start, end)
    }

    /// Returns the number of backslashes before `end`, at most back to `start`.
    fn backslashes(&self, start: usize, end: usize) -> usize {
        let before = self.chars[start..end].iter().rev();
        before.take_while(|c| **c == '\\').count()
    }

    /// Returns the range of a value without quotes, with the credentials after the scheme of an Authorization header.
    fn unquoted(&self, name: &Range<usize>, start: usize) -> Option<Range<usize>> {
        let ends = |c: char| !(c.is_whitespace() || is_quote(c) || "&;,<>{}()\\".contains(c));
        let end = self.skip(start, ends);
        let first: String = self.chars[start..end].iter().collect();
        let first = first.to_ascii_lowercase();
        let is_json = matches!(&*first, "null" | "true" | "false");
        let name: String = self.chars[name.clone()].iter().collect();
        let is_scheme =
            name.to_ascii_lowercase().ends_with("authorization") && SCHEMES.contains(&&*first);
        let end = match self.at(end) {
            Some(' ') if is_scheme => self.skip(end + 1, ends),
            _ => end,
        };
        (!is_json && start < end).then_some(start..end)
    }

    /// Returns true for text of a sentence, such as `Token: expired`.
    fn is_word(&self, range: &Range<usize>) -> bool {
        let text = self.chars[range.clone()].iter();
        let letters = text
            .skip(1)
            .all(|c| c.is_ascii_lowercase() || matches!(c, '.' | '!'));
        letters && self.chars[range.start].is_ascii_alphabetic()
    }

    fn at(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    fn at_before(&self, at: usize) -> Option<char> {
        self.at(at.checked_sub(1)?)
    }

    /// Returns the end of the characters from `start` for which `is_skipped` is true.
    fn skip(&self, start: usize, is_skipped: impl Fn(char) -> bool) -> usize {
        let rest = self.chars.get(start..).unwrap_or_default().iter();
        start + rest.take_while(|c| is_skipped(**c)).count()
    }

    /// Finds a character close to `start`: a search to the end for each field would take too long.
    fn find_near(&self, start: usize, c: char) -> Option<usize> {
        let near = self.chars.get(start..).unwrap_or_default().iter();
        let length = near.take(MAX_DISTANCE).position(|found| *found == c)?;
        Some(start + length)
    }

    fn find(&self, start: usize, is_found: impl Fn(usize) -> bool) -> Option<usize> {
        (start..self.chars.len()).find(|at| is_found(*at))
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
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
                r#"{"clientId": REDACTED, "x": "accessToken"#,
            ),
            (r#"{"token": ["a", "b"]}"#, r#"{"token": [REDACTED]}"#),
            (r#"{"token": null, "x": ""}"#, r#"{"token": null, "x": ""}"#),
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
    fn secret_fields_are_redacted_in_every_notation() {
        for (text, expected) in [
            (
                "<ns:SecretAccessKey>s3</ns:SecretAccessKey>.",
                "<ns:SecretAccessKey>REDACTED</ns:SecretAccessKey>.",
            ),
            (
                "<SecretAccessKey>s<!-- </x> -->3<![CDATA[s3]]></SecretAccessKey>.",
                "<SecretAccessKey>REDACTED</SecretAccessKey>.",
            ),
            (
                "&lt;SecretAccessKey&gt;s3&lt;/SecretAccessKey&gt;.",
                "&lt;SecretAccessKey&gt;REDACTED&lt;/SecretAccessKey&gt;.",
            ),
            (
                r#"{"m": "{\"SecretAccessKey\": \"s\\\"3\", \"x\": 1}"}"#,
                r#"{"m": "{\"SecretAccessKey\": \"REDACTED\", \"x\": 1}"}"#,
            ),
            (
                "%22SessionToken%22%3A%22s3%22.",
                "%22SessionToken%22%3A%22REDACTED%22.",
            ),
            (
                "x=1&amp;SessionToken=s3&amp;y",
                "x=1&amp;SessionToken=REDACTED&amp;y",
            ),
            (
                "export AWS_SECRET_ACCESS_KEY=s3;",
                "export AWS_SECRET_ACCESS_KEY=REDACTED;",
            ),
            ("aws_session_token = s3\n", "aws_session_token = REDACTED\n"),
            ("SecretAccessKey: s3\n", "SecretAccessKey: REDACTED\n"),
            ("Secret access key: s3, x", "Secret access key: REDACTED, x"),
            (
                "{'SecretAccessKey': 's3'}",
                "{'SecretAccessKey': 'REDACTED'}",
            ),
            (":secret_key => \"s3\"", ":secret_key => \"REDACTED\""),
            (
                "X-Amz-Security-Token: s3 x",
                "X-Amz-Security-Token: REDACTED x",
            ),
            ("authorization: Bearer s3 x", "authorization: REDACTED x"),
            (
                "Proxy-Authorization: Basic s3 x",
                "Proxy-Authorization: REDACTED x",
            ),
            ("Set-Cookie: id=s3; x", "Set-Cookie: REDACTED; x"),
            ("passphrase=s3 x", "passphrase=REDACTED x"),
            (
                "Credential=A/b, SignedHeaders=c, Signature=d",
                "Credential=REDACTED, SignedHeaders=c, Signature=REDACTED",
            ),
        ] {
            assert_eq!(fields(text), expected);
        }
    }

    #[test]
    fn sentences_are_unchanged() {
        for text in [
            "The security token included in the request is invalid",
            "Token: expired",
            "the token has expired; see https://a.example/token",
            "nextToken: abc, tokens=3",
        ] {
            assert_eq!(fields(text), text);
        }
    }
}
