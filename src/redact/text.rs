//! Redacts texts by where they come from.

use std::ops::Range;

use super::fields::{REDACTED, end_of_first_name, fields};
use crate::secret::shape::{HIDDEN, access_key_ids, keys, logins, origin, urls, values};

/// Returns `text` without the values of secret fields, access key IDs and the user names and passwords of URLs.
#[must_use]
pub fn message(text: &str) -> String {
    let text = replace(text, &urls(text), |url| {
        if url.contains('@') {
            origin(url)
        } else {
            url.to_owned()
        }
    });
    let text = replace(&text, &logins(&text), origin);
    let text = fields(&text);
    replace(&text, &access_key_ids(&text), masked_id)
}

/// Returns text of a source of credentials without anything that looks like a key or a token, and after the name of a
/// secret field without anything that may be its value, in any notation; URLs have no user name, query and fragment.
#[must_use]
pub fn source(text: &str) -> String {
    let text = replace(text, &urls(text), url_with_path);
    let text = message(&text);
    let text = replace(&text, &keys(&text), |_| REDACTED.to_owned());
    let Some(end) = end_of_first_name(&text) else {
        return text;
    };
    let (before, after) = text.split_at(end);
    before.to_owned() + &replace(after, &values(after), |_| REDACTED.to_owned())
}

/// Returns the value of a setting for a message: without anything that looks like a key or a token, and only scheme,
/// host and port of a URL.
#[must_use]
pub fn setting(value: &str) -> String {
    if value.contains("://") || value.contains('@') && value.contains(':') {
        return url(value);
    }
    source(value)
}

/// Returns scheme, host and port of a URL, without user name, password, path, query and fragment.
#[must_use]
pub fn url(url: &str) -> String {
    origin(url.trim())
}

/// Returns true if the host and the port of a URL are valid, so that [`url`] shows them.
#[must_use]
pub fn is_clear_url(text: &str) -> bool {
    !url(text).contains(HIDDEN)
}

fn url_with_path(url: &str) -> String {
    let end = url.find(['?', '#', '@']).unwrap_or(url.len());
    if url.contains('@') {
        return origin(url);
    }
    url[..end].to_owned()
}

/// Returns `****` and the last four characters of an access key ID.
fn masked_id(id: &str) -> String {
    format!("****{}", &id[id.len() - 4..])
}

/// Replaces the ranges of `text`, which are in order.
fn replace(text: &str, ranges: &[Range<usize>], with: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for range in ranges {
        out.push_str(&text[done..range.start]);
        out.push_str(&with(&text[range.clone()]));
        done = range.end;
    }
    out + &text[done..]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    #[test]
    fn message_has_no_fields_ids_and_users() {
        let text = "AKIAIOSFODNN7EXAMPLE at https://u:p@host/x, Token: t0ken-0123456789";
        assert_eq!(message(text), "****MPLE at https://host Token: REDACTED");
        let link = "see https://docs.aws.amazon.com/x?y";
        assert_eq!(message(link), link);
    }

    #[test]
    fn source_has_no_keys() {
        let text = format!("{KEY} of https://host/a?b={KEY}#c: {{\"Token\": 7}}");
        assert_eq!(
            source(&text),
            "REDACTED of https://host/a {\"Token\": REDACTED}"
        );
        for notation in [
            "set -gx AWS_SECRET_ACCESS_KEY {}",
            "--secret-access-key {} --region eu-west-1",
            "Access key ID,Secret access key\nx,{}",
            "SecretAccessKey: >-\n  {}",
            "[{\"Name\": \"SecretAccessKey\", \"Value\": \"{}\"}]",
            "SecretAccessKey\u{1b}[0m = \u{1b}[1m{}",
            "the secret access key is {}.",
        ] {
            let shown = source(&notation.replace("{}", "s3cret-of-the-field"));
            assert!(!shown.contains("s3cret"), "{shown}");
        }
        let host = "no token from oidc.eu-west-1.amazonaws.com for profile team-platform-prod-01 in /tmp/a-1234567890123";
        assert_eq!(source(host), host);
        let plain = "exit status 255: Unable to locate credentials";
        assert_eq!(source(plain), plain);
    }

    #[test]
    fn setting_shows_only_origin_of_a_url() {
        for (value, expected) in [
            ("https://u:p@host:1/a?b#c", "https://host:1"),
            ("u:p@host:1", "host:1"),
            ("eu-west", "eu-west"),
            (KEY, "REDACTED"),
            ("AKIAIOSFODNN7EXAMPLE", "****MPLE"),
        ] {
            assert_eq!(setting(value), expected);
        }
    }
}
