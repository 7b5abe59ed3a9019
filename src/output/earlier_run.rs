//! Reads the run file of an earlier run, for `--resume`. An account is taken from it only if its record is whole; every
//! other account is scanned again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use thiserror::Error;

use super::run_file::{AccountRecord, MAX_LINE, OldLine, Position};
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
            Some((_, Some(OldLine::Header(header)))) => header,
            Some(_) => return Err(EarlierRunError::NotRunFile),
            None => return Err(EarlierRunError::Empty),
        };
        let mut invalid_lines = Vec::new();
        let mut found: BTreeMap<AccountId, Option<Position>> = BTreeMap::new();
        while let Some((position, line)) = lines.next()? {
            match line {
                Some(OldLine::Header(_)) => return Err(EarlierRunError::NotRunFile),
                Some(OldLine::Account(record)) => match record.account.parse() {
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
                Some(OldLine::Page(_) | OldLine::ListComplete(_)) => {}
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
                    Some(OldLine::Account(record)) if record.account == id.as_str() => {
                        Some(Ok((id.clone(), *record)))
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
    fn next(&mut self) -> io::Result<Option<(Position, Option<OldLine>)>> {
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

fn parse(line: &[u8]) -> Option<OldLine> {
    serde_json::from_slice(&from_line(line)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::MemberAccount;
    use crate::interrupt::Interrupt;
    use crate::output::run_file::{NewLine, RunFile};

    const IDS: [&str; 4] = [
        "111111111111",
        "222222222222",
        "333333333333",
        "444444444444",
    ];

    fn record(id: &str, status: AccountStatus) -> AccountRecord {
        let member = MemberAccount::new(id.parse().unwrap());
        AccountRecord::not_scanned(&member, "caller".to_owned(), status, String::new())
    }

    /// Writes a run file with a page and a record of each of [`IDS`]. Returns its lines.
    fn lines(directory: &Path) -> Vec<Vec<u8>> {
        let path = directory.join("run.jsonl");
        let header = RunHeader::default();
        let fill = |file: &mut RunFile| {
            let ids: Vec<AccountId> = IDS.iter().map(|id| id.parse().unwrap()).collect();
            file.append(&NewLine::Page(ids.iter().collect()))?;
            file.append(&NewLine::ListComplete(ids.len()))?;
            for id in IDS {
                file.append(&NewLine::Account(&record(id, AccountStatus::Complete)))?;
            }
            Ok(())
        };
        RunFile::create(path.clone(), &header, &Interrupt::default(), fill).unwrap();
        let text = std::fs::read(path).unwrap();
        let lines = text.split_inclusive(|b| *b == b'\n');
        lines.map(<[u8]>::to_vec).collect()
    }

    fn read(directory: &Path, content: &[u8]) -> Result<EarlierRun, EarlierRunError> {
        let path = directory.join("changed.jsonl");
        std::fs::write(&path, content).unwrap();
        EarlierRun::read(&path)
    }

    fn taken(run: &EarlierRun) -> Vec<String> {
        let records = run.records().map(Result::unwrap);
        records.map(|(_, record)| record.account).collect()
    }

    #[test]
    fn truncated_file_keeps_its_complete_lines() {
        let directory = tempfile::tempdir().unwrap();
        let whole = lines(directory.path()).concat();
        let header = whole.iter().position(|b| *b == b'\n').unwrap();
        for length in 0..=whole.len() {
            let run = read(directory.path(), &whole[..length]);
            if length <= header {
                assert!(matches!(run, Err(EarlierRunError::Empty)), "{length}");
                continue;
            }
            let run = run.unwrap();
            let complete = whole[..length].split(|b| *b == b'\n').count() - 1;
            assert_eq!(taken(&run), IDS[..complete.saturating_sub(3)], "{length}");
            assert!(run.invalid_lines.is_empty(), "{length}");
        }
    }

    #[test]
    fn changed_or_repeated_records_are_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let mut lines = lines(directory.path());
        let partial = RunFile::create(
            directory.path().join("other"),
            &RunHeader::default(),
            &Interrupt::default(),
            |file| {
                let mut unwritten = record(IDS[3], AccountStatus::Complete);
                unwritten.has_files = false;
                file.append(&NewLine::Account(&unwritten))?;
                file.append(&NewLine::Account(&record(IDS[2], AccountStatus::Partial)))?;
                Ok(())
            },
        );
        let other = std::fs::read(partial.unwrap().path()).unwrap();
        let other: Vec<&[u8]> = other.split_inclusive(|b| *b == b'\n').collect();
        lines[6] = other[1].to_vec();
        lines[5] = other[2].to_vec();
        let repeated = lines[3].clone();
        lines.push(b"\0garbage\n".to_vec());
        lines.push(repeated);
        let run = read(directory.path(), &lines.concat()).unwrap();
        assert_eq!(taken(&run), [IDS[1]]);
        assert_eq!(run.invalid_lines, [8]);
    }

    #[test]
    fn other_files_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let lines = lines(directory.path());
        let two_headers = [lines.concat(), lines[0].clone()].concat();
        for content in [b"x\n".to_vec(), lines[1].clone(), two_headers] {
            let run = read(directory.path(), &content);
            assert!(matches!(run, Err(EarlierRunError::NotRunFile)));
        }
        for path in [
            directory.path().to_owned(),
            directory.path().join("missing"),
        ] {
            let run = EarlierRun::read(&path);
            assert!(matches!(run, Err(EarlierRunError::Io(_))));
        }
    }
}
