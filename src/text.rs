//! Text helpers: plurals, sanitized text from the network, file names.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters of an alias that are percent-encoded in a file name: all except letters, digits,
/// `-` and `_`, which no shell, terminal or file system treats specially.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Returns the number with its noun: `1 region`, `2 regions`.
#[must_use]
pub fn pluralize(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Returns the first `limit` items and the number of the others: `a, b, c and 2 more`.
pub fn list<T: Display>(items: impl IntoIterator<Item = T>, limit: usize) -> String {
    let mut items = items.into_iter();
    let named: Vec<String> = items.by_ref().take(limit).map(|i| i.to_string()).collect();
    let named = named.join(", ");
    match items.count() {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Returns `text` as one line of at most `limit` characters that is safe to print on a terminal; a
/// longer text ends with `…`.
///
/// Control characters and marks that reorder or hide text are escaped as `\u{..}`.
#[must_use]
pub fn sanitize(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == limit {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Returns true for line separators, directional overrides and zero-width marks.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Returns `alias` with everything but letters, digits, `-` and `_` percent-encoded.
#[must_use]
pub fn encode_alias(alias: &str) -> String {
    utf8_percent_encode(alias, FILE_NAME).to_string()
}

/// Returns `text` with everything but letters, digits, `.`, `-` and `_` percent-encoded.
#[must_use]
pub fn encode_file_name(text: &str) -> String {
    const SAFE: &AsciiSet = &FILE_NAME.remove(b'.');
    utf8_percent_encode(text, SAFE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_list_is_shortened() {
        let lists = [0, 1, 2, 3].map(|n| list(&["a", "b", "c"][..n], 2));
        assert_eq!(lists, ["", "a", "a, b", "a, b and 1 more"]);
    }

    #[test]
    fn sanitized_text_is_one_safe_line() {
        assert_eq!(
            sanitize("a\nb\u{1b}[31m\u{202e}c", 80),
            "a b\\u{1b}[31m\\u{202e}c"
        );
        assert_eq!(sanitize("abcdef", 3), "abc…");
        assert_eq!(sanitize("abc", 3), "abc");
    }
}
