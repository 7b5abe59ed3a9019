//! A section's name in words, and variables in a path.

use crate::env::Env;

/// The words of `profile "x y"`, by the rules of a POSIX shell as Python's `shlex.split` has them;
/// `None` for a quote that does not end.
pub fn words(text: &str) -> Option<Vec<String>> {
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

/// Reads on to the closing `quote`; between double ones a backslash protects them and itself.
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

/// `path` with `$NAME` and `${NAME}` replaced; one that is not set stays, as in Python's
/// `os.path.expandvars`.
pub fn expand_variables(env: &dyn Env, path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let (name, length) = variable(&from[1..]);
        match env.var(name) {
            Some(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&from[..=length]),
        }
        rest = &from[1 + length..];
    }
    out + rest
}

/// The name behind a `$`, and how long it is with its braces.
fn variable(text: &str) -> (&str, usize) {
    if let Some((name, _)) = text.strip_prefix('{').and_then(|t| t.split_once('}')) {
        return (name, name.len() + 2);
    }
    let other = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
    let length = text.find(other).unwrap_or(text.len());
    (&text[..length], length)
}
