//! Unsigned requests of the providers to the metadata services, containers and IAM Identity Center.

use std::time::Duration;

use super::provider::ProviderConfig;
use crate::aws::credential_cache::CredentialsError;
use crate::http::{Request, Response, TransportErrorKind};
use crate::text::sanitize;

/// A request of a provider, with its retries.
pub struct Fetch<'a> {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// The absolute URI.
    pub uri: &'a str,
    /// The headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The longest time that one attempt may take.
    pub timeout: Duration,
    /// The maximum number of attempts, one second apart.
    pub max_attempts: u32,
    /// The maximum number of attempts if there is no response.
    pub connect_attempts: u32,
    /// If false for a response below 500, the request is retried; the last response is returned
    /// anyway.
    pub is_ready: fn(&Response) -> bool,
}

impl Fetch<'_> {
    /// Sends the request and returns the response.
    ///
    /// Retries after a status of 429 or at least 500, after a response that is not ready, and
    /// without a response.
    ///
    /// # Errors
    /// No attempt returned a status below 500 other than 429.
    pub fn send(&self, net: &ProviderConfig) -> Result<Response, CredentialsError> {
        let request = Request {
            method: self.method,
            uri: self.uri.to_owned(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            scope: None,
            budget: self.timeout,
        };
        let mut attempts = 1;
        loop {
            let before = net.clock.elapsed();
            let result = net.http.send(&request);
            if let Some(trace) = &net.trace {
                let took = net.clock.elapsed().saturating_sub(before).as_millis();
                let outcome = match &result {
                    Ok(response) => format!("HTTP {}", response.status),
                    Err(error) => sanitize(&error.message, 200),
                };
                let (method, uri) = (self.method, sanitize(self.uri, 300));
                trace(&format_args!(
                    "debug: {method} {uri} attempt {attempts}: {outcome} in {took} ms"
                ));
            }
            let mut max_attempts = self.max_attempts;
            let why = match result {
                Ok(response)
                    if (response.status < 500 && response.status != 429)
                        && (attempts >= max_attempts || (self.is_ready)(&response)) =>
                {
                    return Ok(response);
                }
                Ok(response) => format!("HTTP {}", response.status),
                Err(error) => {
                    max_attempts = match error.kind {
                        TransportErrorKind::NotRecorded => 0,
                        _ => self.connect_attempts,
                    };
                    sanitize(&error.message, 200)
                }
            };
            if attempts >= max_attempts || net.interrupt.signal().is_some() {
                let (method, uri) = (self.method, self.uri);
                return Err(CredentialsError(format!("{method} {uri}: {why}")));
            }
            net.clock.sleep(Duration::from_secs(1));
            attempts += 1;
        }
    }
}
