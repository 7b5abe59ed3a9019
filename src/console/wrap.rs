//! Wraps text at the width of the terminal.

/// Wraps `text` at spaces into lines of at most `columns` characters; all lines but the first are indented by
/// `hanging` spaces, by fewer where that would leave less than half of the line.
///
/// A word that is longer than a line has a line of its own, which the terminal breaks. All characters are one column
/// wide.
#[must_use]
pub fn wrap(text: &str, columns: usize, hanging: usize) -> Vec<String> {
    let indent = " ".repeat(hanging.min(columns / 2));
    let mut lines = vec![String::new()];
    let mut width = 0;
    // The spaces before a word are part of it, unless the line ends before them.
    for (n, word) in words(text).enumerate() {
        let length = word.chars().count();
        let line = lines.len() - 1;
        if n > 0 && width + length > columns {
            let word = word.trim_start();
            lines.push(format!("{indent}{word}"));
            width = indent.len() + word.chars().count();
        } else {
            lines[line].push_str(word);
            width += length;
        }
    }
    lines
}

/// Splits `text` before the spaces that follow a word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.len() - rest.trim_start_matches(' ').len();
        let end = rest[word..].find(' ').map_or(rest.len(), |at| word + at);
        let (first, others) = rest.split_at(end);
        rest = others;
        (!first.is_empty()).then_some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_order_at_every_width() {
        let text = "  sa-east-1   all types   access denied: attach the policy, then scan again";
        let expected: Vec<_> = text.split_whitespace().collect();
        for columns in 0..=100 {
            for hanging in [0, 4, 40] {
                let lines = wrap(text, columns, hanging);
                let found: Vec<_> = lines.iter().flat_map(|l| l.split_whitespace()).collect();
                assert_eq!(found, expected, "{columns} {hanging}");
                for line in &lines {
                    let is_one_word = line.split_whitespace().count() == 1;
                    let fits = line.chars().count() <= columns;
                    assert!(fits || is_one_word, "{columns} {hanging}: {line:?}");
                    assert_eq!(line.trim_end(), line, "{columns} {hanging}");
                }
            }
        }
        assert_eq!(wrap(text, 100, 4), [text]);
    }

    #[test]
    fn continued_lines_have_hanging_indent() {
        assert_eq!(wrap("", 10, 2), [""]);
        assert_eq!(wrap("one two three", 8, 2), ["one two", "  three"]);
        assert_eq!(wrap("  a  b   c", 5, 4), ["  a", "  b", "  c"]);
        assert_eq!(wrap("é é é é", 3, 1), ["é é", " é", " é"]);
        assert_eq!(
            wrap("in a.very.long.name now", 6, 2),
            ["in", "  a.very.long.name", "  now"]
        );
    }
}
