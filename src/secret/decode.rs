//! Text with its escapes decoded, so that a secret is found however a server has encoded it.

/// A character, and the range of bytes of the original text that it was decoded from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The character.
    pub(crate) c: char,
    /// The first byte.
    pub(crate) start: usize,
    /// The end, exclusive.
    pub(crate) end: usize,
}

/// The maximum number of encodings around each other that are decoded.
const MAX_ENCODINGS: usize = 4;

/// The named character references that are decoded; numeric ones always are.
const ENTITIES: [(&str, char); 18] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("plus", '+'),
    ("sol", '/'),
    ("equals", '='),
    ("colon", ':'),
    ("comma", ','),
    ("semi", ';'),
    ("period", '.'),
    ("lowbar", '_'),
    ("num", '#'),
    ("percnt", '%'),
    ("shy", '\u{ad}'),
    ("NewLine", '\n'),
    ("nbsp", ' '),
];

/// Returns the characters of `text`, then those with one encoding removed, and so on until nothing
/// is left to decode.
///
/// Decodes percent-encoding, the character references of HTML and XML, and the escapes of JSON and other languages.
/// NUL characters are left out, so that UTF-16 is read like ASCII.
pub(crate) fn levels(text: &str) -> Vec<Vec<Unit>> {
    let unit = |(start, c): (usize, char)| Unit {
        c,
        start,
        end: start + c.len_utf8(),
    };
    let units = text.char_indices().map(unit).filter(|u| u.c != '\0');
    let mut levels = vec![units.collect::<Vec<_>>()];
    while levels.len() <= MAX_ENCODINGS
        && let Some(next) = levels.last().and_then(|last| decode(last))
    {
        levels.push(next);
    }
    levels
}

/// Removes one encoding; `None` if `units` contains no escape.
fn decode(units: &[Unit]) -> Option<Vec<Unit>> {
    let mut decoded = Vec::with_capacity(units.len());
    let mut rest = units;
    while let Some(first) = rest.first() {
        let (c, length) = escape(rest).unwrap_or((first.c, 1));
        decoded.push(Unit {
            c,
            start: first.start,
            end: rest[length - 1].end,
        });
        rest = &rest[length..];
    }
    (decoded.len() < units.len()).then_some(decoded)
}

/// Returns the character that the escape at the start of `units` represents, and its length.
fn escape(units: &[Unit]) -> Option<(char, usize)> {
    let at = |n: usize| units.get(n).map(|u| u.c);
    match (at(0)?, at(1)?) {
        ('%', _) => Some((number(units.get(1..3)?, 16)?, 3)),
        ('&', '#') => reference(units),
        ('&', _) => {
            let named = |(name, c): &(&str, char)| {
                let end = 1 + name.len();
                let found = units.get(1..end)?;
                let is_equal = found.iter().map(|u| u.c).eq(name.chars());
                (is_equal && at(end) == Some(';')).then_some((*c, end + 1))
            };
            ENTITIES.iter().find_map(named)
        }
        ('\\', 'u') if at(2) == Some('{') => {
            let digits = units[3..].iter().take(6);
            let end = 3 + digits.take_while(|u| u.c.is_ascii_hexdigit()).count();
            (at(end) == Some('}')).then_some((number(&units[3..end], 16)?, end + 1))
        }
        ('\\', 'u') => Some((number(units.get(2..6)?, 16)?, 6)),
        ('\\', 'U') => Some((number(units.get(2..10)?, 16)?, 10)),
        ('\\', 'x') => Some((number(units.get(2..4)?, 16)?, 4)),
        ('\\', 'n' | 'r' | 't') => Some(('\n', 2)),
        ('\\', c) if c.is_ascii_punctuation() => Some((c, 2)),
        _ => None,
    }
}

/// Decodes a numeric character reference, with or without its semicolon.
fn reference(units: &[Unit]) -> Option<(char, usize)> {
    let is_hex = matches!(units.get(2)?.c, 'x' | 'X');
    let (start, radix) = if is_hex { (3, 16) } else { (2, 10) };
    let digits = units[start..].iter().take(8);
    let length = digits.take_while(|u| u.c.is_digit(radix)).count();
    let end = start + length;
    let c = number(&units[start..end], radix)?;
    let has_end = units.get(end).is_some_and(|u| u.c == ';');
    Some((c, end + usize::from(has_end)))
}

fn number(digits: &[Unit], radix: u32) -> Option<char> {
    let value = |value: u32, unit: &Unit| {
        let digit = unit.c.to_digit(radix)?;
        value.checked_mul(radix)?.checked_add(digit)
    };
    let value = digits.iter().try_fold(0, value)?;
    char::from_u32(value).filter(|_| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_with_their_ranges() {
        for (text, expected) in [
            ("a%2Bb", "a+b"),
            ("a%252bb", "a+b"),
            ("a&amp;#x2B;b", "a+b"),
            ("a&#43b", "a+b"),
            (r"a\/b\u003d\x3d", "a/b=="),
            (r#"\\\"a"#, "\"a"),
            (r"a\u{2B}\U0000003Db\u{}\u{2", r"a+=b\u{}\u{2"),
            ("a\0b", "ab"),
            (
                "100% & more &unknown; %zz \\",
                "100% & more &unknown; %zz \\",
            ),
        ] {
            let levels = levels(text);
            let last = levels.last().unwrap();
            let found: String = last.iter().map(|u| u.c).collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(last.last().unwrap().end, text.len(), "{text}");
        }
        let plus = levels("é%2Bb")[1][1];
        assert_eq!((plus.start, plus.end), (2, 5));
    }
}
