//! A fake HTTP client for tests: it returns scripted responses and records the requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::client::HttpClient;
use super::request::Request;
use super::response::Response;
use super::transport_error::{TransportError, TransportErrorKind};

/// A response or a transport error.
pub type FakeResponse = Result<Response, TransportError>;

/// An HTTP client whose responses come from a script.
pub struct Scripted {
    script: Box<dyn Fn(&Request) -> FakeResponse + Send + Sync>,
    requests: Mutex<Vec<Request>>,
}

impl Scripted {
    /// Returns `answers` in order; panics on any further request.
    pub fn list(answers: impl IntoIterator<Item = FakeResponse>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::by(move |request| {
            let next = answers.lock().unwrap().pop_front();
            next.unwrap_or_else(|| panic!("no scripted response to {request:?}"))
        })
    }

    /// Returns the result of `script` for each request.
    pub fn by(script: impl Fn(&Request) -> FakeResponse + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            requests: Mutex::default(),
        })
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl HttpClient for Scripted {
    fn send(&self, request: &Request) -> FakeResponse {
        self.requests.lock().unwrap().push(request.clone());
        (self.script)(request)
    }
}

/// A response with this status and body.
pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> FakeResponse {
    answer_with(status, &[], body)
}

/// A response with headers.
#[allow(clippy::unnecessary_wraps)] // Scripts are lists of responses and errors.
pub fn answer_with(
    status: u16,
    headers: &[(&str, &str)],
    body: impl Into<Vec<u8>>,
) -> FakeResponse {
    let to_owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ok(Response {
        status,
        headers: headers.iter().map(to_owned).collect(),
        body: body.into(),
    })
}

/// A transport error.
pub fn failure(kind: TransportErrorKind) -> FakeResponse {
    Err(TransportError {
        kind,
        message: format!("a.example: {kind:?}"),
    })
}
