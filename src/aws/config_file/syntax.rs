//! Sections, keys and values: the text of a shared file, as the AWS CLI reads it.
//!
//! botocore's `configloader.py` hands both files to Python's `configparser`, and this reads like the
//! two together. Where that differs from the SDKs' specification
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>) the AWS CLI goes first, but
//! for a few shapes that it refuses or garbles; `tests/config_files/cases.json` has each with its
//! reason, beside what botocore says.

use std::collections::BTreeMap;
use std::fmt;

/// The keys and values of one section; keys are in lower case.
///
/// A value over several lines has them with `\n` between and nothing around each; a nested block
/// begins with `\n`, and [`nested`] reads it.
pub type Section = BTreeMap<String, String>;

/// A line that cannot be read. It may hold a secret, so nothing of it is told but its number.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub(super) line: usize,
    why: &'static str,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// The sections of a file, as they are written and in their order; sections and keys that are given
/// twice are merged, the later value wins.
///
/// # Errors
/// A section without its bracket or its name, a key before the first section, a line without `=`.
pub fn parse(text: &str) -> Result<Vec<(String, Section)>, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n");
    let mut reader = Reader::default();
    for (n, line) in text.split(['\n', '\r']).enumerate() {
        let error = |why| SyntaxError { line: n + 1, why };
        reader.line(line).map_err(error)?;
    }
    Ok(with_defaults(reader.sections))
}

/// A nested block's keys, in lower case, and values; `None` for a value that is no block.
#[must_use]
pub fn nested(value: &str) -> Option<Section> {
    let lines = value.strip_prefix('\n')?.split('\n');
    let pairs = lines.filter_map(|line| line.split_once('='));
    Some(
        pairs
            .map(|(key, value)| (key.trim().to_lowercase(), without_comment(value)))
            .collect(),
    )
}

/// What is known after the lines so far.
#[derive(Default)]
struct Reader {
    sections: Vec<(String, Section)>,
    /// Where in `sections` the current one is.
    current: Option<usize>,
    /// The key that a line indented deeper goes on with.
    key: Option<String>,
    /// The depth of the last section or key, in characters.
    indent: usize,
    /// Empty lines since the last line of the value.
    blank: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) {
            return Ok(());
        }
        if trimmed.is_empty() {
            self.blank += 1;
            return Ok(());
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        let blank = std::mem::take(&mut self.blank);
        if indent > self.indent
            && let Some(value) = self.value()
        {
            return go_on(value, blank, trimmed);
        }
        self.indent = indent;
        match trimmed.strip_prefix('[') {
            Some(rest) => self.section(rest),
            None => self.pair(trimmed),
        }
    }

    /// The value that an indented line goes on with.
    fn value(&mut self) -> Option<&mut String> {
        let (_, section) = &mut self.sections[self.current?];
        section.get_mut(self.key.as_ref()?)
    }

    fn section(&mut self, rest: &str) -> Result<(), &'static str> {
        let name = section_name(rest).ok_or("a section's name ends with ]")?;
        if name.is_empty() {
            return Err("a section has a name");
        }
        let known = self.sections.iter().position(|(known, _)| known == name);
        self.current = Some(known.unwrap_or_else(|| {
            self.sections.push((name.to_owned(), Section::new()));
            self.sections.len() - 1
        }));
        self.key = None;
        Ok(())
    }

    fn pair(&mut self, line: &str) -> Result<(), &'static str> {
        let Some(current) = self.current else {
            return Err("a key stands before the first [section]");
        };
        // `:` as well: configparser takes either.
        let (key, value) = line
            .split_once(['=', ':'])
            .ok_or("a key and its value are joined by =")?;
        let key = key.trim().to_lowercase();
        if key.is_empty() {
            return Err("a key stands before =");
        }
        let section = &mut self.sections[current].1;
        section.insert(key.clone(), without_comment(value));
        self.key = Some(key);
        Ok(())
    }
}

/// Adds a line to a value; in a nested block, which begins below an empty value, it is a pair.
fn go_on(value: &mut String, blank: usize, line: &str) -> Result<(), &'static str> {
    let block = value.is_empty() || value.starts_with('\n');
    if block && !line.contains('=') {
        return Err("in an indented block, a key and its value are joined by =");
    }
    value.extend(std::iter::repeat_n('\n', blank + 1));
    value.push_str(line);
    Ok(())
}

/// The name in `name] # comment`: it ends at the first `]` with nothing but a comment behind it, so
/// that a comment and a name may hold brackets; failing that at the last one, as in configparser.
fn section_name(rest: &str) -> Option<&str> {
    let mut ends = rest.match_indices(']').map(|(at, _)| at);
    let last = |at: &usize| {
        let behind = rest[at + 1..].trim_start();
        behind.is_empty() || behind.starts_with(['#', ';'])
    };
    let end = ends.find(last).or_else(|| rest.rfind(']'))?;
    Some(rest[..end].trim())
}

/// A comment after a value begins with a blank and `#` or `;`; there is none where no value is.
fn without_comment(value: &str) -> String {
    let value = value.trim();
    let comment = |(at, _): &(usize, &str)| value[..*at].ends_with(char::is_whitespace);
    let end = value.match_indices(['#', ';']).find(comment);
    let end = end.map_or(value.len(), |(at, _)| at);
    value[..end].trim_end().to_owned()
}

/// configparser's `[DEFAULT]`, in capitals: no section, but values for all the others.
fn with_defaults(mut sections: Vec<(String, Section)>) -> Vec<(String, Section)> {
    let Some(at) = sections.iter().position(|(name, _)| name == "DEFAULT") else {
        return sections;
    };
    let (_, defaults) = sections.remove(at);
    for (key, value) in defaults {
        for (_, section) in &mut sections {
            section.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    sections
}
