//! Records all requests and responses to a directory, without secrets, for a replay.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use time::format_description::well_known::Rfc2822;

use super::cassette::{
    Cassette, INTERACTIONS_DIR, Interaction, RecordedBody, RecordedError, RecordedResponse,
    kind_name, recorded_request,
};
use super::{HttpClient, Request, Response, TransportError, redact};
use crate::clock::Clock;
use crate::env::ENV_FILE;
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

/// By cassette name: the interactions, each with a body to store in a separate file, if any.
type Interactions = BTreeMap<String, Vec<(Interaction, Option<Vec<u8>>)>>;

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
        let mut secrets = redact::secrets_of(request);
        // The body of this response of the metadata service is a token.
        if request
            .header("x-aws-ec2-metadata-token-ttl-seconds")
            .is_some()
        {
            let body = result.as_ref().map_or(&[][..], |r| &r.body);
            let text = String::from_utf8_lossy(body);
            // The token is Base64; an unexpected response may have other text around it.
            let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
            let parts = text
                .split(|c| !is_base64(c))
                .filter(|word| !word.is_empty());
            secrets.extend(parts.map(str::to_owned));
            secrets.sort_by_key(|secret| Reverse(secret.len()));
        }
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
                // An error without network access (a missing recording, an interrupt) is not
                // recorded.
                let Some(kind) = kind_name(error.kind) else {
                    return;
                };
                interaction.error = Some(RecordedError {
                    kind: kind.to_owned(),
                    message: redact::text(&error.message, &secrets),
                });
            }
        }
        // The advice on an error depends on whether a session token was used.
        let session_token = request.header("x-amz-security-token").is_some();
        let size = request.body.len() + result.as_ref().map_or(0, |r| r.body.len());
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.bytes += size;
        recorded.session_token |= session_token;
        if recorded.bytes <= MAX_BYTES {
            let name = cassette_name(request);
            let entries = recorded.interactions.entry(name).or_default();
            entries.push((interaction, file));
        }
    }
}

impl HttpClient for RecordingClient {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let result = self.inner.send(request);
        self.add(request, &result);
        result
    }

    fn finish(&self) -> io::Result<()> {
        let mut recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
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
        write(&self.dir, interactions, &variables, self.account.as_deref())
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
            let value = redact::text(response.header(name)?, secrets);
            Some((name.to_owned(), value))
        });
    let mut recorded = RecordedResponse {
        status: response.status,
        headers: headers.collect(),
        body: RecordedBody::default(),
    };
    let mut file = None;
    match RecordedBody::inline(&response.body) {
        Some(body) => recorded.body = body.without(secrets),
        None => {
            file = Some(redact::bytes(&response.body, secrets));
        }
    }
    (recorded, file)
}

fn write(
    dir: &Path,
    interactions: Interactions,
    variables: &BTreeMap<String, String>,
    account: Option<&str>,
) -> io::Result<()> {
    let mut files = vec![(dir.join(ENV_FILE), pretty(variables)?)];
    for (name, entries) in interactions {
        let mut cassette = Cassette::default();
        for (n, (mut interaction, file)) in entries.into_iter().enumerate() {
            if let (Some(bytes), Some(response)) = (file, &mut interaction.response) {
                let body_file = format!("{name}.{}.{}", n + 1, extension(&bytes));
                files.push((dir.join(INTERACTIONS_DIR).join(&body_file), bytes));
                response.body.body_file = Some(body_file);
            }
            cassette.interactions.push(interaction);
        }
        let path = dir.join(INTERACTIONS_DIR).join(format!("{name}.json"));
        files.push((path, pretty(&cassette)?));
    }
    if let Some(account) = account {
        rewrite_accounts(&mut files, account);
    }
    fs::create_dir_all(dir.join(INTERACTIONS_DIR))?;
    for (path, bytes) in files {
        fs::write(&path, bytes)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    }
    Ok(())
}

fn extension(bytes: &[u8]) -> &'static str {
    if bytes.trim_ascii_start().starts_with(b"<") {
        "xml"
    } else {
        "bin"
    }
}

fn pretty(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn rewrite_accounts(files: &mut [(PathBuf, Vec<u8>)], account: &str) {
    let mut account_ids = BTreeSet::new();
    for (_, bytes) in files.iter() {
        redact::find_account_ids(&String::from_utf8_lossy(bytes), &mut account_ids);
    }
    for (_, bytes) in files.iter_mut() {
        let Ok(mut text) = std::str::from_utf8(bytes).map(str::to_owned) else {
            continue;
        };
        for id in &account_ids {
            text = text.replace(id, account);
        }
        *bytes = text.into_bytes();
    }
}

#[cfg(test)]
mod tests;
