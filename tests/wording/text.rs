//! Texts to check, and the words in them.

use crate::lexer::{Kind, Token};

/// A text to check: a comment block, a string, an identifier, a path or a whole file.
pub struct Segment {
    pub kind: &'static str,
    /// The text, with every run of whitespace as one blank.
    pub text: String,
    /// The lines of the text, by the offset where each begins.
    lines: Vec<(usize, usize)>,
    pub words: Vec<Word>,
}

/// A word, or a part of an identifier.
pub struct Word {
    pub lower: String,
    pub start: usize,
    pub end: usize,
    /// The connection with the word before it.
    pub link: Link,
    /// Set when the word is not a part of an identifier with several parts.
    pub whole: bool,
}

/// The characters between two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Part of the same identifier.
    Part,
    /// Only whitespace or emphasis.
    Blank,
    /// Punctuation, or the beginning of the text.
    Broken,
}

impl Segment {
    pub fn new<'a>(
        kind: &'static str,
        source: impl IntoIterator<Item = (usize, &'a str)>,
    ) -> Segment {
        let mut text = String::new();
        let mut lines = Vec::new();
        for (number, line) in source {
            for piece in line.split_whitespace() {
                if !text.is_empty() {
                    text.push(' ');
                }
                if lines.last().is_none_or(|(_, last)| *last != number) {
                    lines.push((text.len(), number));
                }
                text.push_str(piece);
            }
        }
        let words = words(&text);
        Segment {
            kind,
            text,
            lines,
            words,
        }
    }

    /// The line of the character at `offset`, 1-based.
    pub fn line(&self, offset: usize) -> usize {
        let after = self.lines.partition_point(|(start, _)| *start <= offset);
        self.lines
            .get(after.saturating_sub(1))
            .map_or(1, |(_, line)| *line)
    }
}

/// Groups the tokens of a file into segments; comments on consecutive lines form one.
pub fn segments(tokens: &[Token]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut at = 0;
    while let Some(first) = tokens.get(at) {
        let block: Vec<_> = tokens[at..]
            .iter()
            .enumerate()
            .take_while(|(i, t)| {
                *i == 0 || is_comment(t) && t.kind == first.kind && t.line == first.line + i
            })
            .map(|(_, t)| t)
            .collect();
        at += if is_comment(first) { block.len() } else { 1 };
        let kind = match first.kind {
            Kind::Doc => "doc comment",
            Kind::Comment => "comment",
            Kind::Str => "string",
            Kind::Ident => "identifier",
            Kind::Punct => continue,
        };
        let block = if is_comment(first) {
            &block[..]
        } else {
            &block[..1]
        };
        let lines = block
            .iter()
            .flat_map(|t| (t.line..).zip(t.text.split('\n')));
        segments.push(Segment::new(kind, lines));
    }
    segments
}

fn is_comment(token: &Token) -> bool {
    matches!(token.kind, Kind::Doc | Kind::Comment)
}

/// A whole file as one segment, without comment and heading marks at the beginning of its lines and without escapes.
pub fn whole(source: &str) -> Segment {
    let plain = blank_escapes(source);
    let lines = plain
        .lines()
        .map(|l| l.trim_start().trim_start_matches(['#', '>', '!']));
    Segment::new("text", (1..).zip(lines))
}

/// Replaces `\n`, `\t`, `\r` and `\"`, as JSON and shell strings have them, by blanks.
fn blank_escapes(source: &str) -> String {
    ["\\n", "\\t", "\\r", "\\\""]
        .iter()
        .fold(source.to_owned(), |s, escape| s.replace(escape, "  "))
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut end = 0;
    for token in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        let offset = token.as_ptr() as usize - text.as_ptr() as usize;
        let parts = identifier_parts(token);
        for (i, (start, part)) in parts.iter().enumerate() {
            let start = offset + start;
            let gap = &text[end..start];
            let link = if words.is_empty() {
                Link::Broken
            } else if i > 0 {
                Link::Part
            } else if gap.chars().all(|c| c == ' ' || c == '*') {
                Link::Blank
            } else {
                Link::Broken
            };
            end = start + part.len();
            let lower = part.to_ascii_lowercase();
            words.push(Word {
                lower,
                start,
                end,
                link,
                whole: parts.len() == 1,
            });
        }
    }
    words
}

/// Splits `snake_case`, `CamelCase` and `HTTPCase` into parts, each with its offset.
pub fn identifier_parts(name: &str) -> Vec<(usize, &str)> {
    let bytes = name.as_bytes();
    let begins = |i: usize| {
        let upper = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_uppercase);
        let lower = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_lowercase);
        let part = |i: usize| bytes[i] != b'_';
        part(i) && (i == 0 || !part(i - 1) || (upper(i) && (!upper(i - 1) || lower(i + 1))))
    };
    let starts: Vec<_> = (0..bytes.len()).filter(|i| begins(*i)).collect();
    let ends = starts.iter().skip(1).copied().chain([name.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(s, e)| (*s, name[*s..e].trim_end_matches('_')))
        .collect()
}
