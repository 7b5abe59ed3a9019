//! Replays a recording: no network, no credentials, no waiting.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Mutex;

use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use super::cassette::{Cassette, INTERACTIONS_DIR, Interaction, key, recorded_request};
use crate::http::{HttpClient, Request, Response, TransportError, TransportErrorKind};
use crate::sync;
use crate::text::sanitize;

/// The recorded result of a request.
type ReplayResult = Result<Response, TransportError>;

/// An HTTP client that returns the recorded results of each request, first in, first out.
pub struct ReplayClient {
    responses: Mutex<BTreeMap<String, VecDeque<ReplayResult>>>,
}

impl ReplayClient {
    /// Reads the recording in `dir`; `now` is the time of the replay.
    ///
    /// # Errors
    /// The recording has no cassettes, or one of them cannot be read. The error names the file.
    pub fn open(dir: &Path, now: OffsetDateTime) -> io::Result<Self> {
        let dir = dir.join(INTERACTIONS_DIR);
        let with_path = |path: &Path, e: io::Error| {
            io::Error::new(e.kind(), format!("{}: {e}", path.display()))
        };
        let mut paths = Vec::new();
        for entry in fs::read_dir(&dir).map_err(|e| with_path(&dir, e))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "json") {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            return Err(with_path(&dir, io::Error::other("contains no cassettes")));
        }
        paths.sort();
        let mut responses: BTreeMap<String, VecDeque<ReplayResult>> = BTreeMap::new();
        for path in paths {
            let cassette = load(&path).map_err(|e| with_path(&path, e))?;
            for interaction in cassette.interactions {
                let mut result = interaction.result(&dir).map_err(|e| with_path(&path, e))?;
                if let Ok(response) = &mut result {
                    shift_date(response, &interaction, now);
                }
                let queue = responses.entry(key(&interaction.request)).or_default();
                queue.push_back(result);
            }
        }
        Ok(Self {
            responses: Mutex::new(responses),
        })
    }

    /// Returns the recorded interactions that were not used, one line per request.
    #[must_use]
    pub fn left_over(&self) -> Vec<String> {
        let responses = sync::lock(&self.responses);
        let unused = responses.iter().filter(|(_, queue)| !queue.is_empty());
        unused
            .map(|(key, queue)| format!("{} × {key}", queue.len()))
            .collect()
    }
}

impl HttpClient for ReplayClient {
    fn send(&self, request: &Request) -> ReplayResult {
        let key = key(&recorded_request(request));
        let mut responses = sync::lock(&self.responses);
        let next = responses.get_mut(&key).and_then(VecDeque::pop_front);
        next.unwrap_or_else(|| {
            Err(TransportError {
                kind: TransportErrorKind::NotRecorded,
                message: format!(
                    "the recording has no response left for {}",
                    sanitize(&key, 400)
                ),
            })
        })
    }
}

fn load(path: &Path) -> io::Result<Cassette> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// Shifts the response's `date` by the age of the recording, so that the offset between the two
/// clocks is the recorded one.
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
            // HTTP dates use GMT; a recording of a replay must equal the original.
            *value = shifted.replace("+0000", "GMT");
        }
    }
}

fn parse(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc2822).ok()
}

#[cfg(test)]
mod tests;
