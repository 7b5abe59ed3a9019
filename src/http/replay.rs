//! Answers from a recording: no network, no credentials, no waiting.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use super::cassette::{Cassette, FOLDER, Interaction, key, recorded_request};
use super::{HttpSend, Request, Response, TransportError, TransportErrorKind};
use crate::model::clean;

type Answer = Result<Response, TransportError>;

/// Answers each request with the interactions recorded for it, first in, first out.
pub struct Replay {
    answers: Mutex<BTreeMap<String, VecDeque<Answer>>>,
}

impl Replay {
    /// Reads the recording in `folder`; `now` is the time at which it is replayed.
    ///
    /// # Errors
    /// The folder has no cassettes, or one of them cannot be read: the error names the file.
    pub fn open(folder: &Path, now: OffsetDateTime) -> io::Result<Self> {
        let folder = folder.join(FOLDER);
        let named = |path: &Path, e: io::Error| {
            io::Error::new(e.kind(), format!("{}: {e}", path.display()))
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|e| named(&folder, e))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "json") {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(named(&folder, io::Error::other("holds no recording")));
        }
        paths.sort();
        let mut answers: BTreeMap<String, VecDeque<Answer>> = BTreeMap::new();
        for path in paths {
            let cassette = load(&path).map_err(|e| named(&path, e))?;
            for interaction in cassette.interactions {
                let mut answer = interaction.answer(&folder).map_err(|e| named(&path, e))?;
                if let Ok(response) = &mut answer {
                    shift_date(response, &interaction, now);
                }
                let queue = answers.entry(key(&interaction.request)).or_default();
                queue.push_back(answer);
            }
        }
        Ok(Self {
            answers: Mutex::new(answers),
        })
    }

    /// What was recorded and never asked for, one line each.
    #[must_use]
    pub fn left_over(&self) -> Vec<String> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = answers.iter().filter(|(_, queue)| !queue.is_empty());
        unused
            .map(|(key, queue)| format!("{} × {key}", queue.len()))
            .collect()
    }
}

impl HttpSend for Replay {
    fn send(&self, request: &Request) -> Answer {
        let key = key(&recorded_request(request));
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let next = answers.get_mut(&key).and_then(VecDeque::pop_front);
        next.unwrap_or_else(|| {
            Err(TransportError {
                kind: TransportErrorKind::NotRecorded,
                message: format!("the recording has no answer left to {}", clean(&key, 400)),
            })
        })
    }
}

fn load(path: &Path) -> io::Result<Cassette> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Moves the response's `date` by the age of the recording, so that it tells the same offset
/// between the two clocks as it did then.
fn shift_date(response: &mut Response, interaction: &Interaction, now: OffsetDateTime) {
    let Some(then) = interaction.recorded_at.as_deref().and_then(parse) else {
        return;
    };
    let age: Duration = now - then;
    for (name, value) in &mut response.headers {
        if name == "date"
            && let Some(shifted) = parse(value)
                .and_then(|d| d.checked_add(age))
                .and_then(|d| d.format(&Rfc2822).ok())
        {
            // HTTP writes the zone so, and what is recorded again has to be what was recorded.
            *value = shifted.replace("+0000", "GMT");
        }
    }
}

fn parse(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok()
}

#[cfg(test)]
mod tests;
