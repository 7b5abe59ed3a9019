//! Text in the form of a secret: access key IDs, keys and tokens in Base64 or hexadecimal, URLs.

use std::ops::Range;

/// The text in place of the user name and password of a URL, or of a host that may be a part of them.
pub(crate) const HIDDEN: &str = "****";

/// The minimum length of an access key ID, in characters.
const MIN_ID: usize = 16;

/// The minimum length of a word that may be a key or a token, in characters.
const MIN_KEY: usize = 20;

/// The minimum length of a word that may be the value of a secret field, in characters. A shorter one is an identifier.
const MIN_VALUE: usize = 16;

/// The maximum length of an ARN before a word in it, in characters.
const MAX_ARN: usize = 200;

/// The length of a secret access key, in characters.
const SECRET_ACCESS_KEY: usize = 40;

/// Returns the ranges of the access key IDs in `text`: `AKIA` or `ASIA` and at least 12 more capitals and digits.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
pub(crate) fn access_key_ids(text: &str) -> Vec<Range<usize>> {
    let words = words(text, |c| c.is_ascii_alphanumeric());
    let is_id = |range: &Range<usize>| {
        let word = &text[range.clone()];
        let is_upper = word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        word.len() >= MIN_ID && is_upper && (word.starts_with("AKIA") || word.starts_with("ASIA"))
    };
    words.filter(is_id).collect()
}

/// Returns the ranges of the words in `text` that look like a key or a token: long, and with so
/// many changes between capitals, small letters, digits and marks as random text has.
pub(crate) fn keys(text: &str) -> Vec<Range<usize>> {
    let is_key_char = |c: char| c.is_ascii_alphanumeric() || "+/=_-~".contains(c);
    let is_key =
        |range: &Range<usize>| is_random(&text[range.clone()]) && !is_in_arn(&text[..range.start]);
    words(text, is_key_char).filter(is_key).collect()
}

/// Returns the ranges of the words in `text` that may be the value of a secret field in any notation: long, with
/// letters and digits. Leaves out paths, names of hosts and profiles, UUIDs and ARNs.
pub(crate) fn values(text: &str) -> Vec<Range<usize>> {
    let is_word = |c: char| !c.is_whitespace() && !"\"'`,;:=<>{}()[]|&".contains(c);
    let is_value = |range: &Range<usize>| {
        let word = &text[range.clone()];
        word.len() >= MIN_VALUE
            && word.contains(|c: char| c.is_ascii_digit())
            && word.contains(|c: char| c.is_ascii_alphabetic())
            && !word.starts_with('/')
            && !is_plain_name(word)
            && !is_uuid(word)
            && !is_in_arn(&text[..range.start])
    };
    words(text, is_word).filter(is_value).collect()
}

/// Returns true if all parts of a name are small letters or at most two digits: `sts.eu-west-1.amazonaws.com`,
/// `team-platform-prod-01`.
fn is_plain_name(word: &str) -> bool {
    let is_number = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    let is_letters = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase());
    let mut parts = word.split(['-', '_', '.']);
    parts.all(|part| is_letters(part) || is_number(part))
}

/// Returns true if the word after `before` is a part of an ARN.
fn is_in_arn(before: &str) -> bool {
    let last = before.chars().rev().take(MAX_ARN);
    let word: String = last.take_while(|c| !c.is_whitespace()).collect();
    word.contains(":nra")
}

/// Returns true if `word` may be a key or a token; not for a UUID, such as a request ID.
fn is_random(word: &str) -> bool {
    if word.len() < MIN_KEY || is_uuid(word) {
        return false;
    }
    // The directories of a path are words of their own, unless it has the length of a secret access key.
    if let Some(path) = word.strip_prefix('/')
        && word.len() != SECRET_ACCESS_KEY
    {
        return path.split('/').any(is_random);
    }
    let class = |b: u8| match b {
        b'a'..=b'z' => 0_usize,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let classes: Vec<usize> = word.bytes().map(class).collect();
    let changes = classes.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let count = |class| classes.iter().filter(|c| **c == class).count();
    let is_hex = word.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex {
        return word.len() >= 32 && count(2) > 0;
    }
    let has_all = count(0) > 0 && count(1) > 0 && count(2) > 0;
    changes * 3 >= word.len()
        && (has_all || word.len() >= 40)
        && count(2) + count(1) + count(0) >= MIN_KEY
}

fn is_uuid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    let is_hex = word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_hex && lengths == [8, 4, 4, 4, 12]
}

/// Iterates over the longest parts of `text` with only characters of a word.
fn words(text: &str, is_word: impl Fn(char) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = rest + text[rest..].find(&is_word)?;
        let length = text[start..].find(|c| !is_word(c));
        rest = length.map_or(text.len(), |length| start + length);
        Some(start..rest)
    })
}

/// Returns scheme, host and port of a URL, without user name, password, path, query and fragment.
///
/// The host is hidden if it may be a part of a password with characters that should have been
/// percent-encoded.
pub(crate) fn origin(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let is_scheme = scheme
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let is_clear = !rest[authority.len()..].contains('@') && is_host(host);
    let host = if is_clear { host } else { HIDDEN };
    match scheme {
        "" => host.to_owned(),
        scheme if is_scheme => format!("{scheme}://{host}"),
        _ => HIDDEN.to_owned(),
    }
}

/// Returns true for a host name or an address, with or without a port.
fn is_host(text: &str) -> bool {
    let end = text.find(']').map_or(0, |at| at + 1);
    let (host, port) = match text[end..].find(':') {
        Some(at) => (&text[..end + at], &text[end + at + 1..]),
        None => (text, ""),
    };
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || "-_.[]:".contains(c);
    let is_port = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    !host.is_empty() && host.chars().all(is_name_char) && is_port
}

/// Returns the ranges of the URLs in `text`: from the scheme to a blank, a quote or a bracket.
pub(crate) fn urls(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices("://") {
        if found.last().is_some_and(|last| at < last.end) {
            continue;
        }
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-".contains(c);
        let before = &text[..at];
        let start = before.trim_end_matches(is_scheme).len();
        let rest = &text[at..];
        let ends = |c: char| c.is_whitespace() || "\"'`<>(){}".contains(c);
        let end = at + rest.find(ends).unwrap_or(rest.len());
        if start < at && found.last().is_none_or(|last| last.end <= start) {
            found.push(start..end);
        }
    }
    found
}

/// Returns the ranges of the words `user:password@host` in `text`, which have no scheme. An ARN with an e-mail address as
/// the name of a session is left out.
pub(crate) fn logins(text: &str) -> Vec<Range<usize>> {
    let is_word = |c: char| !c.is_whitespace() && !"\"'`<>(){},;".contains(c);
    let is_login = |range: &Range<usize>| {
        let parts = text[range.clone()].rsplit_once('@');
        parts.is_some_and(|(user, host)| {
            let has_password = user.find(':').is_some_and(|at| at > 0) && !user.ends_with(':');
            has_password && is_host(host) && !user.contains("://") && !user.contains("arn:")
        })
    };
    words(text, is_word).filter(is_login).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_tokens_are_recognized() {
        for key in [
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
            "IQoJb3JpZ2luX2VjEJr/+wEaCXVzLWVhc3QtMSJHMEUCIQDVuoO8==",
            "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9",
            "/7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEYj",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ] {
            let text = format!("the key {key}, again");
            let found = keys(&text);
            assert_eq!(found.first(), Some(&(8..8 + key.len())), "{key}");
            assert_eq!(found.len(), 1, "{key}");
        }
        for other in [
            "8a0c1f2e-1234-4abc-9def-123412341234",
            "/home/jane/.aws/tools/credential-helper-2",
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/jane",
            "botocore.exceptions.NoCredentialsError: Unable to locate credentials",
            "AccessDeniedException",
            "aws-config-resource-count-1795522913",
            "/var/lib/kubelet/pods/8a0c1f2e-1234-4abc-9def-123412341234/volumes",
        ] {
            assert!(keys(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn values_are_long_words_with_digits() {
        let value = "marked-by-its-field-0123456789";
        for text in ["<string>{}</string>", "a={}&b", "| {} |", "[1m{}", "({})"] {
            let text = text.replace("{}", value);
            let found = values(&text);
            assert_eq!(found.len(), 1, "{text}");
            assert!(text[found[0].clone()].ends_with(value), "{text}");
        }
        for other in [
            "prod-account-7f",
            "team-platform-prod-01",
            "UnauthorizedSSOTokenError",
            "8a0c1f2e-1234-4abc-9def-123412341234",
            "/home/jane/.aws/sso/cache/0123456789abcdef.json",
            "oidc.eu-west-1.amazonaws.com",
            "arn:aws:sts::111122223333:assumed-role/Admin/session-1234567890",
        ] {
            assert!(values(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn access_key_ids_are_words() {
        let text = "AKIAIOSFODNN7EXAMPLE,xASIAIOSFODNN7EXAMPLE ASIA0123456789AB AROAIOSFODNN7EXAMPLE AKIAshort";
        assert_eq!(access_key_ids(text), [0..20, 43..59]);
    }

    #[test]
    fn origin_has_no_user_path_or_query() {
        for (url, expected) in [
            (
                "https://svc:Sup3rS3cret@host:8443/path?token=x#y",
                "https://host:8443",
            ),
            ("https://svc:Sup3r@S3cret@host", "https://host"),
            ("http://user:12#ss@host:3128", "http://****"),
            ("http://user:12/ss@host:3128", "http://****"),
            ("http://user:12\\ss@host:3128", "http://****"),
            ("http://host?email=a@SECRET", "http://****"),
            ("http://SECRET word", "http://****"),
            ("http://host:SECRET/", "http://****"),
            ("s3cret:p://host", "****"),
            ("user:pass@host", "host"),
            ("http://[::1]:80/x", "http://[::1]:80"),
            ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
            ("", "****"),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn logins_have_user_password_and_host() {
        let text = "<E>u:p@host</E> via 'u:p:q@h@[::1]:80', u:p@10.0.0.1:3128";
        let found: Vec<&str> = logins(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(found, ["u:p@host", "u:p:q@h@[::1]:80", "u:p@10.0.0.1:3128"]);
        for other in [
            "jane@corp.example",
            "Contact: jane@corp.example",
            "12:30:00",
            "arn:aws:sts::111122223333:assumed-role/x/jane@corp.example",
            "https://host/@",
        ] {
            assert!(logins(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn urls_end_at_blank_or_quote() {
        let text = "see \"https://a.example/x\" and (http://u:p@b) no://";
        let found: Vec<&str> = urls(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(found, ["https://a.example/x", "http://u:p@b", "no://"]);
    }
}
