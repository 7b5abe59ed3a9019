//! The syntax of the shared files: sections, keys and values, read as the AWS CLI does.
//!
//! botocore's `configloader.py` parses both files with Python's `configparser`; this parser gives
//! the same results. If they differ from the SDKs' specification
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>), the AWS CLI takes
//! precedence, except for a few forms that it rejects or garbles: `tests/config_files/cases.json`
//! lists each with its reason, and `expected.json` has the results of botocore.

use std::collections::BTreeMap;

use thiserror::Error;

/// The keys and values of a section; keys are in lower case.
///
/// The lines of a multi-line value are trimmed and joined with `\n`. A nested block begins with
/// `\n`; [`nested`] parses it.
pub type Section = BTreeMap<String, String>;

/// The error of an invalid line. The line may contain a secret, so only its number is reported.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("line {line}: {source}")]
pub struct SyntaxError {
    pub(super) line: usize,
    source: InvalidLine,
}

/// The reason why a line is invalid.
#[derive(Debug, PartialEq, Eq, Error)]
enum InvalidLine {
    #[error("missing ] after the section name")]
    UnclosedSection,
    #[error("missing section name")]
    NoSectionName,
    #[error("key before the first [section]")]
    KeyOutsideSection,
    #[error("expected key = value")]
    NoValue,
    #[error("missing key before =")]
    NoKey,
    #[error("expected key = value in an indented block")]
    NoValueInBlock,
}

/// Parses the sections of a file, in their order and with their names as written. Repeated sections
/// and keys are merged; the later value takes precedence.
///
/// # Errors
/// A section without a closing bracket or a name, a key before the first section, or a
/// line without `=`.
pub fn parse(text: &str) -> Result<Vec<(String, Section)>, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n");
    let mut reader = Reader::default();
    for (n, line) in text.split(['\n', '\r']).enumerate() {
        let result = reader.line(line);
        result.map_err(|source| SyntaxError {
            line: n + 1,
            source,
        })?;
    }
    Ok(with_defaults(reader.sections))
}

/// Parses the keys, in lower case, and values of a nested block; `None` if the value is not a
/// block.
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

/// The state of the parser after a line.
#[derive(Default)]
struct Reader {
    sections: Vec<(String, Section)>,
    /// The index of the current section in `sections`.
    current: Option<usize>,
    /// The key that a line with deeper indentation continues.
    key: Option<String>,
    /// The indentation of the last section or key, in characters.
    indent: usize,
    /// The number of empty lines since the last line of the value.
    blank: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), InvalidLine> {
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
            return append_line(value, blank, trimmed);
        }
        self.indent = indent;
        match trimmed.strip_prefix('[') {
            Some(rest) => self.section(rest),
            None => self.pair(trimmed),
        }
    }

    /// Returns the value that an indented line continues.
    fn value(&mut self) -> Option<&mut String> {
        let (_, section) = &mut self.sections[self.current?];
        section.get_mut(self.key.as_ref()?)
    }

    fn section(&mut self, rest: &str) -> Result<(), InvalidLine> {
        let name = section_name(rest).ok_or(InvalidLine::UnclosedSection)?;
        if name.is_empty() {
            return Err(InvalidLine::NoSectionName);
        }
        let existing = self.sections.iter().position(|(other, _)| other == name);
        self.current = Some(existing.unwrap_or_else(|| {
            self.sections.push((name.to_owned(), Section::new()));
            self.sections.len() - 1
        }));
        self.key = None;
        Ok(())
    }

    fn pair(&mut self, line: &str) -> Result<(), InvalidLine> {
        let Some(current) = self.current else {
            return Err(InvalidLine::KeyOutsideSection);
        };
        // configparser accepts `:` as well.
        let (key, value) = line.split_once(['=', ':']).ok_or(InvalidLine::NoValue)?;
        let key = key.trim().to_lowercase();
        if key.is_empty() {
            return Err(InvalidLine::NoKey);
        }
        // A command may contain ` #` and ` ;`, as in `sh -c 'cd /opt ; tool'`.
        let value = match key.as_str() {
            "credential_process" => value.trim().to_owned(),
            _ => without_comment(value),
        };
        let section = &mut self.sections[current].1;
        section.insert(key.clone(), value);
        self.key = Some(key);
        Ok(())
    }
}

/// Adds a line to a value. In a nested block, which follows an empty value, the line must be a
/// pair.
fn append_line(value: &mut String, blank: usize, line: &str) -> Result<(), InvalidLine> {
    let block = value.is_empty() || value.starts_with('\n');
    if block && !line.contains('=') {
        return Err(InvalidLine::NoValueInBlock);
    }
    value.extend(std::iter::repeat_n('\n', blank + 1));
    value.push_str(line);
    Ok(())
}

/// Returns the name in `name] # comment`. It ends at the first `]` that only a comment follows, so
/// that names and comments may contain brackets; otherwise at the last `]`, as in configparser.
fn section_name(rest: &str) -> Option<&str> {
    let mut ends = rest.match_indices(']').map(|(at, _)| at);
    let is_last = |at: &usize| {
        let after = rest[at + 1..].trim_start();
        after.is_empty() || after.starts_with(['#', ';'])
    };
    let end = ends.find(is_last).or_else(|| rest.rfind(']'))?;
    Some(rest[..end].trim())
}

/// Removes a comment from a value: it begins with a blank and `#` or `;`, and only follows a value.
fn without_comment(value: &str) -> String {
    let value = value.trim();
    let is_comment = |(at, _): &(usize, &str)| value[..*at].ends_with(char::is_whitespace);
    let end = value.match_indices(['#', ';']).find(is_comment);
    let end = end.map_or(value.len(), |(at, _)| at);
    value[..end].trim_end().to_owned()
}

/// Applies configparser's `[DEFAULT]`, in capitals: not a section, but default values for all
/// others.
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
