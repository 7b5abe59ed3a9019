//! Records all requests and responses to a directory, without secrets, for a replay.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use time::format_description::well_known::Rfc2822;

use super::cassette::{
    Interaction, RecordedBody, RecordedError, RecordedResponse, kind_name, recorded_request,
};
use super::files::{self, Interactions};
use super::secrets::{redact_bytes, redact_text, secrets_of_exchange};
use crate::clock::Clock;
use crate::http::{HttpClient, Request, Response, TransportError};
use crate::sync;
use crate::text::encode_file_name;

/// The maximum size of a recording in memory, in bytes: 256 MiB.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The session token of a recording, if the run had one: the example of the AWS documentation.
const EXAMPLE_TOKEN: &str = "AQoDYXdzEJr1K9bEXAMPLETOKEN";

/// The response headers that are recorded.
const RESPONSE_HEADERS: [&str; 6] = [
    "content-type",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amzn-errortype",
    "x-amz-retry-after",
    "date",
];

/// An HTTP client that sends through another client and records its requests and results.
pub struct RecordingClient {
    inner: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    variables: BTreeMap<String, String>,
    account: Option<String>,
    recorded: Mutex<Recorded>,
}

#[derive(Default)]
struct Recorded {
    interactions: Interactions,
    bytes: usize,
    session_token: bool,
}

impl RecordingClient {
    /// Creates a client that records the requests of `inner` to `dir`, with `variables` as the
    /// environment of the recording. `account` replaces all account IDs.
    ///
    /// # Errors
    /// The directory cannot be created or is not empty.
    pub fn new(
        inner: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        dir: &Path,
        variables: BTreeMap<String, String>,
        account: Option<String>,
    ) -> io::Result<Self> {
        let with_path = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", dir.display()));
        fs::create_dir_all(dir).map_err(with_path)?;
        if fs::read_dir(dir).map_err(with_path)?.next().is_some() {
            return Err(with_path(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "the directory is not empty; use a new or empty one",
            )));
        }
        Ok(Self {
            inner,
            clock,
            dir: dir.to_owned(),
            variables,
            account,
            recorded: Mutex::default(),
        })
    }

    /// Records a request with its result, unless the recording is too large.
    fn add(&self, request: &Request, result: &Result<Response, TransportError>) {
        let Some((interaction, file)) = self.interaction(request, result) else {
            return;
        };
        let size = request.body.len() + result.as_ref().map_or(0, |r| r.body.len());
        let mut recorded = sync::lock(&self.recorded);
        recorded.bytes += size;
        // The advice on an error depends on whether a session token was used.
        recorded.session_token |= request.header("x-amz-security-token").is_some();
        if recorded.bytes <= MAX_BYTES {
            let name = cassette_name(request);
            let entries = recorded.interactions.entry(name).or_default();
            entries.push((interaction, file));
        }
    }

    /// Returns the interaction without secrets, and the body to store in a separate file. Returns
    /// `None` for an error without network access (a missing recording, an interrupt).
    fn interaction(
        &self,
        request: &Request,
        result: &Result<Response, TransportError>,
    ) -> Option<(Interaction, Option<Vec<u8>>)> {
        let secrets = secrets_of_exchange(request, result.as_ref().ok());
        let mut interaction = Interaction {
            request: recorded_request(request),
            response: None,
            error: None,
            recorded_at: None,
        };
        let mut file = None;
        match result {
            Ok(response) => {
                let (recorded, body_file) = recorded_response(response, &secrets);
                if recorded.headers.contains_key("date") {
                    interaction.recorded_at = self.clock.now().format(&Rfc2822).ok();
                }
                interaction.response = Some(recorded);
                file = body_file;
            }
            Err(error) => {
                interaction.error = Some(RecordedError {
                    kind: kind_name(error.kind)?.to_owned(),
                    message: redact_text(&error.message, &secrets),
                });
            }
        }
        Some((interaction, file))
    }
}

impl HttpClient for RecordingClient {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let result = self.inner.send(request);
        self.add(request, &result);
        result
    }

    fn finish(&self) -> io::Result<()> {
        let mut recorded = sync::lock(&self.recorded);
        if recorded.bytes > MAX_BYTES {
            return Err(io::Error::other(
                "the recording is larger than 256 MiB and was not written; record fewer regions \
                 or types",
            ));
        }
        let interactions = std::mem::take(&mut recorded.interactions);
        let mut variables = self.variables.clone();
        if recorded.session_token {
            variables.insert("AWS_SESSION_TOKEN".to_owned(), EXAMPLE_TOKEN.to_owned());
        }
        files::write(&self.dir, interactions, &variables, self.account.as_deref())
    }
}

/// Returns the cassette of a request: one per scope if the request has one, else one per host.
fn cassette_name(request: &Request) -> String {
    let host = request.uri.parse::<http::Uri>().ok();
    let host = host.as_ref().and_then(http::Uri::authority);
    let name = match (&request.scope, host) {
        (Some(scope), _) => scope.replace('/', "."),
        (None, Some(host)) => host.to_string(),
        (None, None) => "other".to_owned(),
    };
    encode_file_name(&name)
}

/// Returns the response without secrets, and its body if that needs a file of its own.
fn recorded_response(
    response: &Response,
    secrets: &[String],
) -> (RecordedResponse, Option<Vec<u8>>) {
    let ok = (200..300).contains(&response.status);
    let headers = RESPONSE_HEADERS
        .into_iter()
        // The date of a response matters only if a signature was rejected because of the clock.
        .filter(|name| !(ok && *name == "date"))
        .filter_map(|name| {
            let value = redact_text(response.header(name)?, secrets);
            Some((name.to_owned(), value))
        });
    let (body, file) = match RecordedBody::inline(&response.body) {
        Some(body) => (body.without(secrets), None),
        None => (
            RecordedBody::default(),
            Some(redact_bytes(&response.body, secrets)),
        ),
    };
    let recorded = RecordedResponse {
        status: response.status,
        headers: headers.collect(),
        body,
    };
    (recorded, file)
}

#[cfg(test)]
mod tests;
