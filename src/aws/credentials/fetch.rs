//! Plain requests of the providers: metadata, containers and the sign-in portal are asked unsigned.

use std::time::Duration;

use super::{CredentialsError, Net};
use crate::http::{Request, Response, TransportErrorKind};
use crate::model::clean;

/// How a provider asks.
pub struct Fetch<'a> {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// The absolute URI.
    pub uri: &'a str,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// How long one try may take.
    pub timeout: Duration,
    /// How often it is tried; a second lies between two tries.
    pub tries: u32,
    /// How often it is tried while nothing answers at all.
    pub reach: u32,
    /// Whether an answer below 500 is one at all, or reason to try again; the last one is handed on.
    pub is_answer: fn(&Response) -> bool,
}

impl Fetch<'_> {
    /// The answer; one of 500 and above, 429, one that is none and a failure to get one are tried
    /// again.
    ///
    /// # Errors
    /// No try brought an answer below 500.
    pub fn send(&self, net: &Net) -> Result<Response, CredentialsError> {
        let request = Request {
            method: self.method,
            uri: self.uri.to_owned(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            scope: None,
            budget: self.timeout,
        };
        let mut tries = 1;
        loop {
            let before = net.clock.elapsed();
            let sent = net.http.send(&request);
            if let Some(trace) = &net.trace {
                let took = net.clock.elapsed().saturating_sub(before).as_millis();
                let outcome = match &sent {
                    Ok(response) => format!("HTTP {}", response.status),
                    Err(error) => clean(&error.message, 200),
                };
                let (method, uri) = (self.method, clean(self.uri, 300));
                trace(&format_args!(
                    "debug: {method} {uri} try {tries}: {outcome} in {took} ms"
                ));
            }
            let mut most = self.tries;
            let why = match sent {
                Ok(response)
                    if (response.status < 500 && response.status != 429)
                        && (tries >= most || (self.is_answer)(&response)) =>
                {
                    return Ok(response);
                }
                Ok(response) => format!("HTTP {}", response.status),
                Err(error) => {
                    most = match error.kind {
                        TransportErrorKind::NotRecorded => 0,
                        _ => self.reach,
                    };
                    clean(&error.message, 200)
                }
            };
            if tries >= most || net.interrupt.signal().is_some() {
                let (method, uri) = (self.method, self.uri);
                return Err(CredentialsError(format!("{method} {uri}: {why}")));
            }
            net.clock.sleep(Duration::from_secs(1));
            tries += 1;
        }
    }
}
