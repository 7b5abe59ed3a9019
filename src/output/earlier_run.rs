//! Reads the run file of an earlier run, for `--resume`. An account is taken from it only if its record is whole; every
//! other account is scanned again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use thiserror::Error;

use super::run_file::{AccountRecord, Line, MAX_LINE, Position};
use super::run_header::RunHeader;
use super::run_line::from_line;
use crate::accounts::AccountStatus;
use crate::model::AccountId;

/// A run file of an earlier run.
#[derive(Debug)]
pub struct EarlierRun {
    /// The header.
    pub header: RunHeader,
    file: File,
    complete: BTreeMap<AccountId, Position>,
    /// The numbers of the invalid lines.
    pub invalid_lines: Vec<usize>,
}

/// The reason why a run file cannot be used.
#[derive(Debug, Error)]
pub enum EarlierRunError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file has no complete line: the run ended before the first one was written.
    #[error("it is empty")]
    Empty,
    /// The first line is not a header, or another line is one.
    #[error("it is not a run file of this version of the program, or it was changed")]
    NotRunFile,
}

impl EarlierRun {
    /// Reads the run file at `path`. A last line without a line feed is ignored.
    ///
    /// # Errors
    /// The file cannot be read, or is not a run file.
    pub fn read(path: &Path) -> Result<Self, EarlierRunError> {
        // Opening a FIFO would wait for its writer.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("not a regular file").into());
        }
        let file = File::open(path)?;
        let mut lines = Lines::new(&file);
        let header = match lines.next()? {
            Some((_, Some(Line::Header(header)))) => header,
            Some(_) => return Err(EarlierRunError::NotRunFile),
            None => return Err(EarlierRunError::Empty),
        };
        let mut invalid_lines = Vec::new();
        let mut found: BTreeMap<AccountId, Option<Position>> = BTreeMap::new();
        while let Some((position, line)) = lines.next()? {
            match line {
                Some(Line::Header(_)) => return Err(EarlierRunError::NotRunFile),
                Some(Line::Account(record)) => match record.account.parse() {
                    Ok(id) => {
                        let is_complete = record.status == AccountStatus::Complete;
                        let position = (is_complete && record.has_files).then_some(position);
                        // Of two records of an account, none is taken.
                        found
                            .entry(id)
                            .and_modify(|old| *old = None)
                            .or_insert(position);
                    }
                    // The record of a profile whose account is not known.
                    Err(_) if record.account.is_empty() => {}
                    Err(_) => invalid_lines.push(lines.number),
                },
                Some(Line::Page(_) | Line::ListComplete(_)) => {}
                None => invalid_lines.push(lines.number),
            }
        }
        let complete = found.into_iter();
        Ok(Self {
            header,
            complete: complete.filter_map(|(id, at)| Some((id, at?))).collect(),
            invalid_lines,
            file,
        })
    }

    /// Returns the number of complete accounts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.complete.len()
    }

    /// Returns true if no account is complete.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.complete.is_empty()
    }

    /// Reads the records of the complete accounts, by account ID. An account whose record was changed meanwhile is left
    /// out.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn records(&self) -> impl Iterator<Item = io::Result<(AccountId, AccountRecord)>> {
        self.complete
            .iter()
            .filter_map(|(id, position)| match position.read_line(&self.file) {
                Err(e) => Some(Err(e)),
                Ok(line) => match parse(&line) {
                    Some(Line::Account(record)) if record.account == id.as_str() => {
                        Some(Ok((id.clone(), record)))
                    }
                    _ => None,
                },
            })
    }
}

/// The complete lines of a file.
struct Lines<'a> {
    reader: BufReader<&'a File>,
    start: u64,
    /// The number of the last line, from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(file: &'a File) -> Self {
        Self {
            reader: BufReader::new(file),
            start: 0,
            number: 0,
        }
    }

    /// Returns the next line, `None` instead of an invalid one. Returns `None` at the end of the complete lines.
    fn next(&mut self) -> io::Result<Option<(Position, Option<Line>)>> {
        let mut line = Vec::new();
        let limited = &mut (&mut self.reader).take(MAX_LINE);
        limited.read_until(b'\n', &mut line)?;
        let mut length = line.len() as u64;
        if length == MAX_LINE {
            length += self.reader.skip_until(b'\n')? as u64;
        } else if !line.ends_with(b"\n") {
            return Ok(None);
        }
        let position = Position::new(self.start, length);
        self.start += length;
        self.number += 1;
        Ok(Some((position, parse(&line))))
    }
}

fn parse(line: &[u8]) -> Option<Line> {
    serde_json::from_slice(&from_line(line)?).ok()
}
