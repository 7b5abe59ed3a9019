//! Writes every exchange into a folder that a replay answers from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use time::format_description::well_known::Rfc2822;

use super::cassette::{
    Cassette, FOLDER, Interaction, RecordedBody, RecordedError, RecordedResponse, kind_name,
    recorded_request,
};
use super::{HttpSend, Request, Response, TransportError, redact};
use crate::clock::Clock;
use crate::env::ENV_FILE;
use crate::model::file_safe;

/// The most that a recording may hold in memory before it is written: 256 MiB.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// The token that a recording has where the run had one: the documentation's example.
const EXAMPLE_TOKEN: &str = "AQoDYXdzEJr1K9bEXAMPLETOKEN";

/// The response headers that a recording keeps.
const RESPONSE_HEADERS: [&str; 6] = [
    "content-type",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amzn-errortype",
    "x-amz-retry-after",
    "date",
];

/// Sends through another sender and keeps what went over.
pub struct Recorder {
    inner: Arc<dyn HttpSend>,
    clock: Arc<dyn Clock>,
    folder: PathBuf,
    variables: BTreeMap<String, String>,
    account: Option<String>,
    tape: Mutex<Tape>,
}

/// By the name of its cassette: each interaction, and the body that stands in a file beside it.
type Interactions = BTreeMap<String, Vec<(Interaction, Option<Vec<u8>>)>>;

#[derive(Default)]
struct Tape {
    interactions: Interactions,
    bytes: usize,
    session_token: bool,
}

impl Recorder {
    /// Records what `inner` sends into `folder`, with `variables` as its environment; `account`
    /// replaces every account number.
    ///
    /// # Errors
    /// The folder cannot be made, or holds something already.
    pub fn new(
        inner: Arc<dyn HttpSend>,
        clock: Arc<dyn Clock>,
        folder: &Path,
        variables: BTreeMap<String, String>,
        account: Option<String>,
    ) -> io::Result<Self> {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", folder.display()));
        fs::create_dir_all(folder).map_err(named)?;
        if fs::read_dir(folder).map_err(named)?.next().is_some() {
            return Err(named(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "a recording goes into a new or empty folder",
            )));
        }
        Ok(Self {
            inner,
            clock,
            folder: folder.to_owned(),
            variables,
            account,
            tape: Mutex::default(),
        })
    }

    fn keep(&self, request: &Request, answer: &Result<Response, TransportError>) {
        let mut secrets = redact::secrets_of(request);
        // The metadata service's token is the whole of its answer.
        if request
            .header("x-aws-ec2-metadata-token-ttl-seconds")
            .is_some()
        {
            let body = answer.as_ref().map_or(&[][..], |r| &r.body);
            let text = String::from_utf8_lossy(body);
            // Base64, perhaps in the midst of something else.
            let part = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
            let parts = text.split(|c| !part(c)).filter(|word| !word.is_empty());
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
        match answer {
            Ok(response) => {
                let (recorded, beside) = recorded_response(response, &secrets);
                if recorded.headers.contains_key("date") {
                    interaction.recorded_at = self.clock.now().format(&Rfc2822).ok();
                }
                interaction.response = Some(recorded);
                file = beside;
            }
            Err(error) => {
                // What no wire said (a replay's gap, an interrupt) is not an exchange.
                let Some(kind) = kind_name(error.kind) else {
                    return;
                };
                interaction.error = Some(RecordedError {
                    kind: kind.to_owned(),
                    message: redact::text(&error.message, &secrets),
                });
            }
        }
        // That there was one shows in what a refusal advises.
        let token = request.header("x-amz-security-token").is_some();
        let size = request.body.len() + answer.as_ref().map_or(0, |r| r.body.len());
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.bytes += size;
        tape.session_token |= token;
        if tape.bytes <= MAX_BYTES {
            let name = cassette_name(request);
            let entries = tape.interactions.entry(name).or_default();
            entries.push((interaction, file));
        }
    }
}

impl HttpSend for Recorder {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let answer = self.inner.send(request);
        self.keep(request, &answer);
        answer
    }

    fn finish(&self) -> io::Result<()> {
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        if tape.bytes > MAX_BYTES {
            return Err(io::Error::other(
                "the recording is larger than 256 MiB and was not written; record fewer regions \
                 or types",
            ));
        }
        let interactions = std::mem::take(&mut tape.interactions);
        let mut variables = self.variables.clone();
        if tape.session_token {
            variables.insert("AWS_SESSION_TOKEN".to_owned(), EXAMPLE_TOKEN.to_owned());
        }
        write(
            &self.folder,
            interactions,
            &variables,
            self.account.as_deref(),
        )
    }
}

/// One cassette per host, or per scope where hosts do not tell.
fn cassette_name(request: &Request) -> String {
    let host = request.uri.parse::<http::Uri>().ok();
    let host = host.as_ref().and_then(http::Uri::authority);
    let name = match (&request.scope, host) {
        (Some(scope), _) => scope.replace('/', "."),
        (None, Some(host)) => host.to_string(),
        (None, None) => "other".to_owned(),
    };
    file_safe(&name)
}

fn recorded_response(
    response: &Response,
    secrets: &[String],
) -> (RecordedResponse, Option<Vec<u8>>) {
    let ok = (200..300).contains(&response.status);
    let headers = RESPONSE_HEADERS
        .into_iter()
        // The time of an answer matters only where a signature was refused for it.
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
    folder: &Path,
    interactions: Interactions,
    variables: &BTreeMap<String, String>,
    account: Option<&str>,
) -> io::Result<()> {
    let mut files = vec![(folder.join(ENV_FILE), pretty(variables)?)];
    for (name, entries) in interactions {
        let mut cassette = Cassette::default();
        for (n, (mut interaction, file)) in entries.into_iter().enumerate() {
            if let (Some(bytes), Some(response)) = (file, &mut interaction.response) {
                let beside = format!("{name}.{}.{}", n + 1, extension(&bytes));
                files.push((folder.join(FOLDER).join(&beside), bytes));
                response.body.body_file = Some(beside);
            }
            cassette.interactions.push(interaction);
        }
        let path = folder.join(FOLDER).join(format!("{name}.json"));
        files.push((path, pretty(&cassette)?));
    }
    if let Some(account) = account {
        rewrite_accounts(&mut files, account);
    }
    fs::create_dir_all(folder.join(FOLDER))?;
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
    let mut numbers = BTreeSet::new();
    for (_, bytes) in files.iter() {
        redact::account_numbers(&String::from_utf8_lossy(bytes), &mut numbers);
    }
    for (_, bytes) in files.iter_mut() {
        let Ok(mut text) = std::str::from_utf8(bytes).map(str::to_owned) else {
            continue;
        };
        for number in &numbers {
            text = text.replace(number, account);
        }
        *bytes = text.into_bytes();
    }
}

#[cfg(test)]
mod tests;
