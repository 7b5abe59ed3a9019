//! Records all requests and responses to a directory, without secrets, for a replay.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use time::format_description::well_known::Rfc2822;

use super::cassette::{
    Cassette, Interaction, RecordedBody, RecordedError, RecordedResponse, recorded_request,
};
use super::files;
use super::secrets::{Content, redact_text, redactor};
use super::signers::{self, Signers};
use super::source::{CREDENTIALS_FILE, with_path};
use crate::clock::Clock;
use crate::http::{HttpClient, Request, Response, TransportError};
use crate::redact;
use crate::secret::Redactor;
use crate::sync::lock;
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
    environment: BTreeMap<String, String>,
    account: Option<String>,
    of_many: bool,
    recorded: Mutex<Recorded>,
}

#[derive(Default)]
struct Recorded {
    /// By name.
    cassettes: BTreeMap<String, Cassette>,
    bytes: usize,
    session_token: bool,
    /// The number of requests.
    requests: usize,
    signers: Signers,
    /// The sections of the credentials file, by profile.
    profiles: BTreeMap<String, String>,
}

impl RecordingClient {
    /// Creates a client that records the requests of `inner` to `dir`, with `environment` as the variables of the
    /// recording and, by their path below it, the files of its home directory. `account` replaces the caller's account
    /// ID, and all others are replaced too.
    ///
    /// # Errors
    /// The directory cannot be created or is not empty.
    pub fn new(
        inner: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        dir: &Path,
        environment: BTreeMap<String, String>,
        account: Option<String>,
    ) -> io::Result<Self> {
        fs::create_dir_all(dir).map_err(with_path(dir))?;
        if fs::read_dir(dir).map_err(with_path(dir))?.next().is_some() {
            let reason = "the directory is not empty; use a new or empty one";
            let error = io::Error::new(io::ErrorKind::AlreadyExists, reason);
            return Err(with_path(dir)(error));
        }
        Ok(Self {
            inner,
            clock,
            dir: dir.to_owned(),
            environment,
            account,
            of_many: false,
            recorded: Mutex::default(),
        })
    }

    /// Records a run of many accounts: each request with the account that signed it. The replacement of account IDs and
    /// names is written beside the directory, to `DIR.mapping.json`.
    #[must_use]
    pub fn of_many_accounts(self) -> Self {
        Self {
            of_many: true,
            ..self
        }
    }

    /// Records a request with its result, unless the recording is too large.
    fn add(&self, request: &Request, result: &Result<Response, TransportError>) {
        let Some(mut interaction) = self.interaction(request, result) else {
            return;
        };
        let mut recorded = lock(&self.recorded);
        if self.of_many {
            recorded.identify(&mut interaction, request, result);
        }
        recorded.bytes += request.body.len() + result.as_ref().map_or(0, |r| r.body.len());
        // The advice on an error depends on whether a session token was used.
        recorded.session_token |= request.header("x-amz-security-token").is_some();
        if recorded.bytes <= MAX_BYTES {
            let cassette = recorded.cassettes.entry(cassette_name(request));
            cassette.or_default().interactions.push(interaction);
        }
    }

    /// Returns the interaction without secrets; `None` for an error without network access (a
    /// missing recording, an interrupt).
    fn interaction(
        &self,
        request: &Request,
        result: &Result<Response, TransportError>,
    ) -> Option<Interaction> {
        let redactor = redactor(request);
        let mut interaction = Interaction {
            request: recorded_request(request),
            ..Interaction::default()
        };
        match result {
            Ok(response) => {
                let response = self.recorded_response(request, response, &redactor);
                if response.headers.contains_key("date") {
                    interaction.recorded_at = self.clock.now().format(&Rfc2822).ok();
                }
                interaction.response = Some(response);
            }
            Err(error) => {
                interaction.error = Some(RecordedError {
                    kind: serde_json::to_value(error.kind).ok()?.as_str()?.to_owned(),
                    message: redact_text(&error.message, &redactor),
                });
            }
        }
        Some(interaction)
    }

    /// Returns the response without secrets.
    fn recorded_response(
        &self,
        request: &Request,
        response: &Response,
        redactor: &Redactor,
    ) -> RecordedResponse {
        let mut headers = BTreeMap::new();
        for name in RESPONSE_HEADERS {
            if let Some(value) = response.header(name) {
                headers.insert(name.to_owned(), redact_text(value, redactor));
            }
        }
        let is_success = (200..300).contains(&response.status);
        let content = match is_success {
            // An account that refuses the role is a result of a run of many, and its message is in the files.
            false if self.of_many && signers::requested_account(request).is_some() => Content::Text,
            _ if request.private.response => Content::Credentials,
            true => Content::Names,
            false => Content::Text,
        };
        // The date of a response matters only if a signature was rejected because of the clock.
        if is_success {
            headers.remove("date");
        }
        RecordedResponse {
            status: response.status,
            headers,
            body: RecordedBody::new(&response.body, content, redactor),
        }
    }
}

impl HttpClient for RecordingClient {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let result = self.inner.send(request);
        self.add(request, &result);
        result
    }

    fn note_profile(&self, profile: &str, access_key: &str, has_token: bool) {
        let mut recorded = lock(&self.recorded);
        if !self.environment.contains_key(CREDENTIALS_FILE) {
            // The only profile is the caller's, which the recording replaces by keys in the environment.
            recorded.signers.remove(access_key);
        } else if let Some(signer) = recorded.signers.add_profile(access_key, profile) {
            let token = has_token.then_some(EXAMPLE_TOKEN);
            let section = signers::profile_section(profile, &signer, token);
            recorded.profiles.insert(profile.to_owned(), section);
        }
    }

    fn finish(&self) -> io::Result<()> {
        let mut recorded = lock(&self.recorded);
        if recorded.bytes > MAX_BYTES {
            return Err(io::Error::other(
                "the recording is larger than 256 MiB and was not written; record fewer regions \
                 or types",
            ));
        }
        let cassettes = std::mem::take(&mut recorded.cassettes);
        let mut environment = self.environment.clone();
        if recorded.session_token {
            environment.insert("AWS_SESSION_TOKEN".to_owned(), EXAMPLE_TOKEN.to_owned());
        }
        if let Some(credentials) = environment.get_mut(CREDENTIALS_FILE) {
            credentials.extend(std::mem::take(&mut recorded.profiles).into_values());
        }
        let account = self.account.as_deref();
        files::write(&self.dir, cassettes, environment, account, self.of_many)
    }
}

impl Recorded {
    /// Adds the account and the order to an interaction of a run of many accounts.
    fn identify(
        &mut self,
        interaction: &mut Interaction,
        request: &Request,
        result: &Result<Response, TransportError>,
    ) {
        self.requests += 1;
        interaction.order = self.requests;
        interaction.request.account = self.signers.account(request);
        if let (Ok(response), Some(recorded)) = (result, &mut interaction.response)
            && request.private.response
            && let Some(token) = self.signers.add_token(response, self.requests)
        {
            signers::mark_token(&mut recorded.body, token);
        }
        if signers::requested_account(request).is_none() {
            return;
        }
        signers::redact_external_id(&mut interaction.request);
        if let (Ok(response), Some(recorded)) = (result, &mut interaction.response)
            && let Some(account) = self.signers.add(request, response)
        {
            signers::mark_credentials(&mut recorded.body, &account);
        }
    }
}

/// Returns the cassette of a request: one per scope if the request has one, else one per host.
fn cassette_name(request: &Request) -> String {
    match &request.scope {
        Some(scope) => encode_file_name(&scope.replace('/', ".")),
        None if !redact::is_clear_url(request.origin()) => "other".to_owned(),
        None => encode_file_name(&request.host()),
    }
}

#[cfg(test)]
mod tests;
