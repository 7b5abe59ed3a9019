//! Unsigned requests of the providers to the metadata services, containers and IAM Identity Center.

use std::time::Duration;

use serde_json::Value;

use crate::aws::client::Transport;
use crate::aws::endpoint::Endpoint;
use crate::aws::error::{FetchCause, FetchError};
use crate::http::{Private, Request, Response, TransportError, TransportErrorKind};
use crate::text::sanitize;

/// The headers of a request, names in lower case.
pub type Headers = Vec<(&'static str, String)>;

/// A request of a provider, with its retries.
pub struct Fetch {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// The absolute URI.
    pub uri: String,
    /// The headers, names in lower case.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
    /// The longest time that one attempt may take.
    pub timeout: Duration,
    /// The maximum number of attempts, one second apart.
    pub max_attempts: u32,
    /// The maximum number of attempts if there is no response.
    pub connect_attempts: u32,
    /// The parts that may be secret.
    pub private: Private,
    /// If false for a response below 500, the request is retried; the last response is returned
    /// anyway.
    pub is_ready: fn(&Response) -> bool,
}

impl Fetch {
    /// Creates a request to an endpoint of IAM Identity Center or of the sign-in service. Each of up to three attempts
    /// takes at most 30 seconds.
    pub fn new(method: &'static str, endpoint: &Endpoint, path: &str) -> Self {
        Self {
            method,
            uri: format!("{}{path}", endpoint.uri),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: Duration::from_secs(30),
            max_attempts: 3,
            connect_attempts: 3,
            private: Private {
                response: true,
                path: endpoint.has_path(),
            },
            is_ready: |_| true,
        }
    }

    /// Creates a POST request with a JSON body, like [`Self::new`].
    pub fn post(endpoint: &Endpoint, path: &str, body: &Value) -> Self {
        Self {
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            ..Self::new("POST", endpoint, path)
        }
    }

    /// Sends the request and returns the response.
    ///
    /// Retries after a status of 429 or at least 500, after a response that is not ready, and
    /// without a response.
    ///
    /// # Errors
    /// No attempt returned a status below 500 other than 429.
    pub fn send(self, transport: &Transport) -> Result<Response, FetchError> {
        self.send_signed(transport, &Vec::new)
    }

    /// Sends the request like [`Self::send`], with headers that `sign` creates for each attempt.
    ///
    /// # Errors
    /// No attempt returned a status below 500 other than 429.
    pub fn send_signed(
        self,
        transport: &Transport,
        sign: &dyn Fn() -> Headers,
    ) -> Result<Response, FetchError> {
        let mut request = Request {
            method: self.method,
            uri: self.uri,
            headers: Vec::new(),
            body: self.body,
            scope: None,
            budget: self.timeout,
            private: self.private,
        };
        let mut attempts = 1;
        loop {
            request.headers = [self.headers.clone(), sign()].concat();
            if let Some(left) = transport.time_left() {
                request.budget = self.timeout.min(left);
            }
            let (cause, max_attempts) =
                match attempt(transport, &request, (attempts, self.max_attempts)) {
                    Ok(response)
                        if is_answer(&response)
                            && (attempts >= self.max_attempts || (self.is_ready)(&response)) =>
                    {
                        return Ok(response);
                    }
                    Ok(response) => (FetchCause::Status(response.status), self.max_attempts),
                    Err(error) if error.kind == TransportErrorKind::NotRecorded => {
                        (error.into(), 0)
                    }
                    Err(error) => (error.into(), self.connect_attempts),
                };
            let wait = Duration::from_secs(1);
            let end = transport.time_left().filter(|left| *left < wait);
            if let Some(left) = end {
                transport.clock.sleep(left);
            }
            if attempts >= max_attempts || end.is_some() || transport.interrupt.signal().is_some() {
                let (method, uri) = (request.method, request.public_uri());
                return Err(FetchError { method, uri, cause });
            }
            transport.clock.sleep(wait);
            attempts += 1;
        }
    }
}

/// Returns true unless the status asks for another attempt.
fn is_answer(response: &Response) -> bool {
    response.status < 500 && response.status != 429
}

/// Sends one attempt, and logs it.
fn attempt(
    transport: &Transport,
    request: &Request,
    (number, max): (u32, u32),
) -> Result<Response, TransportError> {
    if request.budget.is_zero() {
        return Err(Transport::out_of_time());
    }
    let before = transport.clock.elapsed();
    let result = transport.http.send(request);
    if transport.trace.is_some() {
        let took = transport.clock.elapsed().saturating_sub(before).as_millis();
        let outcome = match &result {
            Ok(response) => format!("HTTP {}", response.status),
            Err(error) => format!("no response: {}", sanitize(&error.message, 200)),
        };
        let (method, uri) = (request.method, sanitize(&request.public_uri(), 300));
        transport.log(&format_args!(
            "{method} {uri} attempt {number} of {max}: {outcome} in {took} ms"
        ));
    }
    result
}
