//! Reads the files of names that options take as `@FILE`.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read};

use thiserror::Error;

use crate::redact;

/// The maximum size of a file, in bytes: the list of 10,000 accounts with the results of a check has about 10 MB.
const MAX_FILE: u64 = 16 << 20;

/// The reason why a file of names is invalid.
#[derive(Debug, Error)]
pub(super) enum NameFileError {
    #[error("{0}: {1}")]
    Read(String, #[source] io::Error),
    #[error("{0} is too large (more than 16 MiB)")]
    TooLarge(String),
    #[error("{0}, line {1}: {2}")]
    Line(String, u64, #[source] Box<dyn Error + Send + Sync>),
}

impl NameFileError {
    /// Creates the error of a line.
    pub(super) fn new(path: &str, line: u64, why: impl Error + Send + Sync + 'static) -> Self {
        Self::Line(path.to_owned(), line, Box::new(why))
    }
}

/// Reads names from a file, separated by commas or whitespace; `#` starts a comment.
///
/// # Errors
/// The file cannot be read or is larger than 16 MiB, or `parse` returns an error.
pub(super) fn read_names<T, E: Error + Send + Sync + 'static>(
    path: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, NameFileError> {
    let text = read_text(path)?;
    let mut names = Vec::new();
    for (n, line) in (1..).zip(text.lines()) {
        let line = line.trim_start_matches('\u{feff}');
        let line = line.split('#').next().unwrap_or_default();
        for name in line.split([',', ' ', '\t']).filter(|name| !name.is_empty()) {
            names.push(parse(name).map_err(|e| NameFileError::new(path, n, e))?);
        }
    }
    Ok(names)
}

/// Reads a file of at most 16 MiB.
///
/// # Errors
/// The file cannot be read, is not UTF-8, or is larger.
pub(super) fn read_text(path: &str) -> Result<String, NameFileError> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
        .map_err(|e| NameFileError::Read(redact::setting(path), e))?;
    if text.len() as u64 > MAX_FILE {
        return Err(NameFileError::TooLarge(path.to_owned()));
    }
    Ok(text)
}
