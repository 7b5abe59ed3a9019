//! Splits a section's name into words.

/// Splits text like `profile "x y"` into words by the rules of a POSIX shell, as Python's
/// `shlex.split` does; `None` if a quote is not closed.
pub fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if [' ', '\t', '\r', '\n'].contains(&c) {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match c {
            '\\' => word.push(chars.next()?),
            '\'' | '"' => quoted(c, &mut chars, word)?,
            _ => word.push(c),
        }
    }
    words.extend(word);
    Some(words)
}

/// Reads up to the closing `quote`. Within double quotes, a backslash escapes a double quote and
/// itself.
fn quoted(quote: char, chars: &mut std::str::Chars, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            c if c == quote => return Some(()),
            '\\' if quote == '"' => {
                let next = chars.next()?;
                if !['"', '\\'].contains(&next) {
                    word.push('\\');
                }
                word.push(next);
            }
            c => word.push(c),
        }
    }
}
