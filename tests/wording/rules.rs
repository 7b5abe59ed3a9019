//! The forbidden words, the exceptions, and the search for words in a text.

use std::cell::Cell;
use std::collections::HashMap;

use crate::text::{Link, Segment, Word};

/// The forbidden words, from `words.txt`.
pub struct Rules {
    rules: Vec<Rule>,
    by_first_word: HashMap<String, Vec<usize>>,
}

/// A forbidden word or phrase, with its replacement.
pub struct Rule {
    pub phrase: Vec<String>,
    pub say: String,
    /// Set for what identifiers may contain.
    text_only: bool,
    /// Longer phrases that are allowed.
    unless: Vec<Vec<String>>,
}

/// A match of a rule: the rule and the range of words.
pub struct Match<'a> {
    pub rule: &'a Rule,
    pub first: usize,
    pub last: usize,
}

impl Rules {
    /// Parses lines of the form `phrase, phrase | say instead | text, or everywhere | allowed; allowed`.
    pub fn parse(list: &str) -> Result<Rules, String> {
        let mut rules = Vec::new();
        for (number, line) in data_lines(list) {
            let fields: Vec<_> = line.split('|').map(str::trim).collect();
            let [phrases, say, scope, unless] = fields[..] else {
                return Err(format!("words.txt:{number}: four fields expected"));
            };
            if say.is_empty() || !["text", "everywhere"].contains(&scope) {
                return Err(format!("words.txt:{number}: invalid replacement or scope"));
            }
            for phrase in phrases.split(',') {
                rules.push(Rule {
                    phrase: split(phrase),
                    say: say.to_owned(),
                    text_only: scope == "text",
                    unless: unless
                        .split(';')
                        .map(split)
                        .filter(|u| !u.is_empty())
                        .collect(),
                });
            }
        }
        let mut by_first_word: HashMap<String, Vec<usize>> = HashMap::new();
        for (i, rule) in rules.iter().enumerate() {
            let first = rule.phrase.first().ok_or("words.txt: empty phrase")?;
            by_first_word.entry(first.clone()).or_default().push(i);
        }
        Ok(Rules {
            rules,
            by_first_word,
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Finds the forbidden words and phrases of `segment`.
    pub fn find<'a>(&'a self, segment: &'a Segment) -> impl Iterator<Item = Match<'a>> {
        let words = &segment.words;
        (0..words.len()).flat_map(move |first| {
            let rules = self
                .by_first_word
                .get(&words[first].lower)
                .into_iter()
                .flatten();
            rules.filter_map(move |i| self.rules[*i].at(words, first, segment.kind))
        })
    }
}

impl Rule {
    /// Returns whether the rule applies to identifiers and paths too.
    pub fn is_everywhere(&self) -> bool {
        !self.text_only
    }

    fn at<'a>(&'a self, words: &'a [Word], first: usize, kind: &str) -> Option<Match<'a>> {
        let last = first + self.phrase.len() - 1;
        let found = words.get(first..=last)?;
        let in_code = matches!(kind, "identifier" | "path");
        let in_text = found.iter().all(|w| w.whole) && !in_code;
        let matches = is_phrase(found, &self.phrase)
            && (in_text || !self.text_only)
            && !self
                .unless
                .iter()
                .any(|allowed| self.is_allowed(words, first, allowed));
        matches.then_some(Match {
            rule: self,
            first,
            last,
        })
    }

    /// Returns whether the phrase at `first` is a part of the phrase `allowed`.
    fn is_allowed(&self, words: &[Word], first: usize, allowed: &[String]) -> bool {
        (0..allowed.len()).any(|offset| {
            allowed[offset..].starts_with(&self.phrase)
                && first.checked_sub(offset).is_some_and(|start| {
                    words
                        .get(start..start + allowed.len())
                        .is_some_and(|w| is_phrase(w, allowed))
                })
        })
    }
}

fn is_phrase(words: &[Word], phrase: &[String]) -> bool {
    words.iter().zip(phrase).all(|(w, p)| w.lower == *p)
        && words.iter().skip(1).all(|w| w.link != Link::Broken)
}

fn split(phrase: &str) -> Vec<String> {
    phrase.split_whitespace().map(str::to_lowercase).collect()
}

fn data_lines(list: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(list.lines().map(str::trim))
        .filter(|(_, l)| !l.is_empty() && !l.starts_with('#'))
}

/// An allowed use of a forbidden word, from `exceptions.txt`.
pub struct Exception {
    pub number: usize,
    files: String,
    text: String,
    pub is_used: Cell<bool>,
}

impl Exception {
    /// Parses lines of the form `file pattern | text | reason`.
    pub fn parse(list: &str) -> Result<Vec<Exception>, String> {
        let parse = |(number, line): (usize, &str)| {
            let fields: Vec<_> = line.split(" | ").map(str::trim).collect();
            match fields[..] {
                [files, text, reason]
                    if !files.is_empty() && !text.is_empty() && !reason.is_empty() =>
                {
                    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                    Ok(Exception {
                        number,
                        files: files.to_owned(),
                        text,
                        is_used: Cell::new(false),
                    })
                }
                _ => Err(format!(
                    "exceptions.txt:{number}: file, text and reason expected"
                )),
            }
        };
        data_lines(list).map(parse).collect()
    }

    /// Returns whether the exception allows the characters from `start` to `end` of `segment`, a part of `file`.
    pub fn allows(&self, file: &str, segment: &Segment, start: usize, end: usize) -> bool {
        let is_name = self
            .text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_');
        let allows = is_match(&self.files, file)
            && if is_name {
                segment.text == self.text || self.allows_name(&segment.text, start, end)
            } else {
                segment
                    .text
                    .match_indices(&self.text)
                    .any(|(at, text)| at <= start && end <= at + text.len())
            };
        if allows {
            self.is_used.set(true);
        }
        allows
    }

    /// Returns whether the name is at this place of a text, between backticks.
    fn allows_name(&self, text: &str, start: usize, end: usize) -> bool {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let from = text[..start].rfind(|c| !is_part(c)).map_or(0, |i| i + 1);
        let to = text[end..]
            .find(|c| !is_part(c))
            .map_or(text.len(), |i| end + i);
        text.get(from..to) == Some(&self.text) && text[..from].matches('`').count() % 2 == 1
    }

    pub fn describe(&self) -> String {
        format!(
            "exceptions.txt:{}: matches nothing, remove it: {} | {}",
            self.number, self.files, self.text
        )
    }
}

/// Returns whether `name` has the form of `pattern`, where `*` is any text.
pub fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(i, _)| i)
                .chain([rest.len()])
                .any(|i| is_match(after, &rest[i..]))
        }),
    }
}
