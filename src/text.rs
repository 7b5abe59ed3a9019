//! Text helpers: plurals, sanitized text from the network, file names.

use std::fmt::Display;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The characters of an alias that are percent-encoded in a file name: all except letters, digits,
/// `-` and `_`, which no shell, terminal or file system treats specially.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Returns the number with its noun: `1 region`, `2 regions`.
#[must_use]
pub fn pluralize(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Returns a whole number with separators of thousands, for people to read: `-1,234,567`.
pub fn thousands(n: impl Display) -> String {
    let text = n.to_string();
    let digits = text.trim_start_matches(['-', '+']);
    let (sign, _) = text.split_at(text.len() - digits.len());
    let mut grouped = sign.to_owned();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns the number with its noun and with separators of thousands: `1 count`, `1,234 counts`.
#[must_use]
pub fn number_of(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// Formats a duration: `2.8 s`, from a minute on `1m12s`, from an hour on `1h02m`.
#[must_use]
pub fn duration(time: Duration) -> String {
    match (time.as_millis() + 50) / 100 {
        tenths if tenths < 600 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => elapsed(time.max(Duration::from_mins(1))),
    }
}

/// Formats a time: `9s`, `1m12s`, `1h02m`.
#[must_use]
pub fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
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

/// Returns rows of the same length as lines of aligned columns, two spaces apart; those of `numbers` are aligned to the
/// right.
pub fn aligned<R: AsRef<[String]>>(rows: &[R], numbers: &[usize]) -> Vec<String> {
    let length = rows.first().map_or(0, |row| row.as_ref().len());
    let width = |n: usize| {
        let cells = rows.iter().map(|row| row.as_ref()[n].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..length).map(width).collect();
    let line = |row: &R| {
        let cells = row.as_ref().iter().enumerate();
        let cells = cells.map(|(n, cell)| match (widths[n], numbers.contains(&n)) {
            (width, true) => format!("{cell:>width$}"),
            (width, false) => format!("{cell:width$}"),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
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

/// The maximum number of near matches of a name.
const MAX_NEAR: usize = 3;

/// Returns the candidates that `name` may be a misspelling of, the nearest first, at most three. Case
/// and punctuation do not count. A name may differ in two characters, a longer one in a fifth of
/// them, and in one more than the nearest.
pub fn near_matches<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = letters(name);
    let limit = (name.len() / 5).max(2);
    let distance = |candidate: &'a str| {
        let letters = letters(candidate);
        // The distance is at least the difference of the lengths; few candidates need the table.
        let is_near = letters.len().abs_diff(name.len()) <= limit;
        is_near.then(|| (edit_distance(&name, &letters), candidate))
    };
    let mut near: Vec<_> = candidates.into_iter().filter_map(distance).collect();
    near.sort_unstable();
    near.dedup();
    let limit = near
        .first()
        .map_or(limit, |(least, _)| limit.min(least + 1));
    near.retain(|(distance, _)| *distance <= limit);
    let near = near.into_iter().map(|(_, candidate)| candidate);
    near.take(MAX_NEAR).collect()
}

/// Returns a question for a message, such as `; did you mean a, b?`; empty if there are no matches.
#[must_use]
pub fn did_you_mean(near: &[&str]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(", ")),
    }
}

/// Returns the letters and digits of `text` in lower case; at most 200, which no name exceeds.
fn letters(text: &str) -> Vec<u8> {
    let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
    letters.map(|b| b.to_ascii_lowercase()).take(200).collect()
}

/// Returns the number of characters to insert, delete, replace or swap with their neighbor to get
/// from `a` to `b`.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    // The last three rows of the table of distances between the starts of `a` and of `b`.
    let (mut before, mut last) = (Vec::new(), (0..=b.len()).collect::<Vec<_>>());
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut distance = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                distance = distance.min(before[j - 2] + 1);
            }
            row.push(distance);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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
    fn numbers_have_separators_of_thousands() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (-123_456, "-123,456"),
            (1_234_567, "1,234,567"),
            (i128::from(u64::MAX), "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(thousands(n), text);
        }
        assert_eq!(thousands("+1234"), "+1,234");
        let numbers = [0, 1, 2, 1000].map(|n| number_of(n, "count"));
        assert_eq!(numbers, ["0 counts", "1 count", "2 counts", "1,000 counts"]);
    }

    #[test]
    fn duration_has_at_most_two_units() {
        for (milliseconds, text) in [
            (0, "0.0 s"),
            (49, "0.0 s"),
            (2_750, "2.8 s"),
            (59_949, "59.9 s"),
            (59_950, "1m00s"),
            (72_999, "1m12s"),
            (3_599_999, "59m59s"),
            (3_720_000, "1h02m"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn edit_distance_counts_changes() {
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("instnace", "instance", 1),
            ("abc", "abcd", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edit_distance(a.as_bytes(), b.as_bytes()), expected);
            assert_eq!(edit_distance(b.as_bytes(), a.as_bytes()), expected);
        }
    }

    #[test]
    fn near_matches_begin_with_nearest() {
        let regions = ["eu-west-1", "us-east-1", "us-east-2", "us-west-2"];
        for (name, near) in [
            ("us-esat-1", &["us-east-1", "us-east-2"][..]),
            ("US_EAST_2", &["us-east-2", "us-east-1"]),
            ("useast1a", &["us-east-1", "us-east-2"]),
            ("mars", &[]),
            ("", &[]),
        ] {
            assert_eq!(near_matches(name, regions), near, "{name}");
        }
        assert_eq!(did_you_mean(&[]), "");
        assert_eq!(did_you_mean(&["a", "b"]), "; did you mean a, b?");
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

    #[test]
    fn elapsed_time_has_two_units() {
        let texts =
            [0, 9, 60, 72, 3599, 3600, 7325].map(|seconds| elapsed(Duration::from_secs(seconds)));
        assert_eq!(
            texts,
            ["0s", "9s", "1m00s", "1m12s", "59m59s", "1h00m", "2h02m"]
        );
    }
}
