//! Replays a recording: no network, no credentials, no waiting.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::Mutex;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::cassette::{Cassette, Interaction, RecordedRequest, key, recorded_request};
use super::signers::{Signers, requested_roles};
use super::source::{Source, with_path};
use crate::http::{HttpClient, Request, Response, TransportError, TransportErrorKind};
use crate::sync::lock;
use crate::text::sanitize;

/// The recorded result of a request.
type ReplayResult = Result<Response, TransportError>;

/// An HTTP client that returns the recorded results of each request, first in, first out.
pub struct ReplayClient(Mutex<Responses>);

#[derive(Default)]
struct Responses {
    by_request: BTreeMap<String, VecDeque<ReplayResult>>,
    /// The keys of the requests for the credentials of each role and account, and for the lists of the portal: a replay may
    /// have another role, session name, policy or token.
    roles: BTreeMap<String, Vec<String>>,
    /// True if the recording has the accounts of its requests.
    has_accounts: bool,
    signers: Signers,
}

impl ReplayClient {
    /// Reads the recording in `source`; `now` is the time of the replay.
    ///
    /// # Errors
    /// The recording has no cassettes, or one of them cannot be read. The error names the file.
    pub fn open(source: impl Into<Source>, now: OffsetDateTime) -> io::Result<Self> {
        let source = source.into();
        let mut responses = Responses::default();
        for name in source.cassettes()? {
            let path = source.path(&name);
            let cassette = load(&source, &name).map_err(with_path(&path))?;
            for interaction in cassette.interactions {
                let mut result = interaction.result(&source).map_err(with_path(&path))?;
                if let Ok(response) = &mut result {
                    shift_date(response, &interaction, now);
                }
                responses.add(&interaction.request, result);
            }
        }
        Ok(Self(Mutex::new(responses)))
    }

    /// Returns the recorded interactions that were not used, one line per request.
    #[must_use]
    pub fn left_over(&self) -> Vec<String> {
        let responses = lock(&self.0);
        let unused = responses
            .by_request
            .iter()
            .filter(|(_, queue)| !queue.is_empty());
        let lines = unused.map(|(key, queue)| format!("{} × {key}", queue.len()));
        lines.collect()
    }
}

impl HttpClient for ReplayClient {
    fn send(&self, request: &Request) -> ReplayResult {
        let mut responses = lock(&self.0);
        let mut recorded = recorded_request(request);
        if responses.has_accounts {
            recorded.account = responses.signers.account(request);
        }
        let public = key(&recorded);
        // A recording that was written by hand may have the complete URI.
        recorded.uri.clone_from(&request.uri);
        let found = responses
            .next(&key(&recorded))
            .or_else(|| responses.next(&public))
            .or_else(|| responses.next_role(&recorded));
        if let Some(Ok(response)) = &found {
            responses.signers.add(request, response);
        }
        found.unwrap_or_else(|| {
            let key = sanitize(&public, 400);
            Err(TransportError {
                kind: TransportErrorKind::NotRecorded,
                message: format!("the recording has no response left for {key}"),
            })
        })
    }
}

impl Responses {
    fn add(&mut self, request: &RecordedRequest, result: ReplayResult) {
        let key = key(request);
        for asked in requested_roles(request).into_iter().flatten() {
            self.roles.entry(asked).or_default().push(key.clone());
        }
        self.has_accounts |= request.account.is_some();
        self.by_request.entry(key).or_default().push_back(result);
    }

    fn next(&mut self, key: &str) -> Option<ReplayResult> {
        self.by_request.get_mut(key)?.pop_front()
    }

    /// Returns the next response with credentials of the role of a request, else of its account; or the next one of its list.
    fn next_role(&mut self, request: &RecordedRequest) -> Option<ReplayResult> {
        let asked = requested_roles(request).filter(|_| self.has_accounts)?;
        let keys = asked.iter().filter_map(|asked| self.roles.get(asked));
        let keys: Vec<_> = keys.flatten().cloned().collect();
        keys.iter().find_map(|key| self.next(key))
    }
}

fn load(source: &Source, name: &Path) -> io::Result<Cassette> {
    Ok(serde_json::from_slice(&source.read(name)?)?)
}

/// Shifts the response's `date` by the age of the recording, so that the offset between the two
/// clocks is the recorded one.
fn shift_date(response: &mut Response, interaction: &Interaction, now: OffsetDateTime) {
    let Some(then) = interaction.recorded_at.as_deref().and_then(parse) else {
        return;
    };
    let headers = response.headers.iter_mut();
    for (_, value) in headers.filter(|(name, _)| name == "date") {
        let shifted = parse(value).and_then(|date| date.checked_add(now - then));
        if let Some(shifted) = shifted.and_then(|date| date.format(&Rfc2822).ok()) {
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
