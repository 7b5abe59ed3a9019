//! A sender for tests: it answers by a script and keeps the requests.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::ledger::{Asker, Ledger};
use super::{HttpSend, Request, Response, TransportError, TransportErrorKind};

/// What a sender answers.
pub type Answer = Result<Response, TransportError>;

/// Answers by a script, however it is asked.
pub struct Scripted {
    script: Box<dyn Fn(&Request) -> Answer + Send + Sync>,
    requests: Mutex<Vec<Request>>,
    ledgers: Mutex<HashMap<String, Ledger>>,
}

impl Scripted {
    /// Answers with `answers`, in their order; one request more is a panic.
    pub fn list(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect::<VecDeque<_>>());
        Self::by(move |request| {
            let next = answers.lock().unwrap().pop_front();
            next.unwrap_or_else(|| panic!("no answer to {request:?} is scripted"))
        })
    }

    /// Answers with what `script` says.
    pub fn by(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            requests: Mutex::default(),
            ledgers: Mutex::default(),
        })
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// How many tasks may still ask the host of `uri`, where that was told.
    pub fn askers_left(&self, uri: &str) -> Option<usize> {
        self.ledgers.lock().unwrap().get(uri)?.told()
    }
}

impl HttpSend for Scripted {
    fn send(&self, request: &Request) -> Answer {
        self.requests.lock().unwrap().push(request.clone());
        (self.script)(request)
    }

    fn askers(&self, uri: &str, count: usize) -> Vec<Asker> {
        let mut ledgers = self.ledgers.lock().unwrap();
        ledgers.entry(uri.to_owned()).or_default().askers(count)
    }
}

/// An answer of that status and body.
pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    answer_with(status, &[], body)
}

/// An answer with headers.
#[allow(clippy::unnecessary_wraps)] // Scripts are lists of answers and failures.
pub fn answer_with(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ok(Response {
        status,
        headers: headers.iter().map(own).collect(),
        body: body.into(),
    })
}

/// A failure to get an answer.
pub fn failure(kind: TransportErrorKind) -> Answer {
    Err(TransportError {
        kind,
        message: format!("a.example: {kind:?}"),
    })
}
