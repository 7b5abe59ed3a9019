//! HTTP requests and responses, and the [`HttpClient`] trait that sends them.

pub mod agent;
pub mod cassette;
#[cfg(test)]
pub(crate) mod fake;
mod no_proxy;
pub mod proxy;
pub mod record;
pub(crate) mod redact;
pub mod replay;

use std::fmt;
use std::time::Duration;

/// An HTTP request, ready to be sent.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// The absolute URI.
    pub uri: String,
    /// The headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// The service and region (`config/eu-west-1`), if the host does not contain them; never sent.
    ///
    /// With a custom endpoint all regions share one URI, and only the scope distinguishes their
    /// recorded interactions.
    pub scope: Option<String>,
    /// The maximum total time of the request, in addition to the client's own time-outs.
    pub budget: Duration,
}

/// Formats method, URI and header names; header values and the body may contain secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("uri", &self.uri)
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Returns the value of the header `name` (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| *n == name)?;
        Some(value)
    }
}

/// An HTTP response of any status.
#[derive(Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The complete body, at most [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

/// Formats the status; headers and the body may contain secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the value of the header `name`, ignoring case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let matches = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(matches).map(|(_, v)| v.as_str())
    }
}

/// The maximum size of a body, in bytes: 1 MiB.
///
/// A full page of AWS Config has about 30 kB; with the longest names that it allows, 150 kB. A
/// parsed body may use 20 times the memory of its text, in each region at the same time.
pub const MAX_BODY: u64 = 1024 * 1024;

/// The reason why no complete response was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// Connecting or receiving the response timed out.
    Timeout,
    /// The host name could not be resolved.
    Dns,
    /// The connection failed or was closed.
    Connection,
    /// The process cannot open more files (each connection uses one) or create more threads.
    Exhausted,
    /// The TLS handshake failed: the certificate is not trusted, or the server does not use TLS.
    Tls,
    /// The proxy refused the connection; a retry would not help.
    Proxy,
    /// The response exceeds the size limits.
    TooLarge,
    /// The replayed recording has no response to this request.
    NotRecorded,
    /// The user ended the run.
    Interrupted,
}

/// The error of a request without a complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// The kind of error.
    pub kind: TransportErrorKind,
    /// The error message, with the host.
    pub message: String,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TransportError {}

/// An HTTP client: the network, a client that records, or the replay of a recording.
pub trait HttpClient: Send + Sync {
    /// Sends a request and reads the complete response; any status is `Ok`.
    ///
    /// # Errors
    /// No complete response was received; [`TransportErrorKind`] is the reason.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;

    /// Ends a run: a recording client writes its recording.
    ///
    /// # Errors
    /// The recording cannot be written.
    fn finish(&self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_secrets() {
        let request = Request {
            method: "POST",
            uri: "https://a.example/".to_owned(),
            headers: vec![("authorization", "SECRET".to_owned())],
            body: b"SECRET".to_vec(),
            scope: None,
            budget: Duration::from_secs(1),
        };
        let response = Response {
            status: 403,
            headers: vec![("x-amzn-requestid".to_owned(), "SECRET".to_owned())],
            body: b"SECRET".to_vec(),
        };
        let debug = format!("{request:?} {response:?}");
        assert_eq!(
            debug,
            "Request { method: \"POST\", uri: \"https://a.example/\", headers: \
             [\"authorization\"], body_bytes: 6, .. } Response { status: 403, body_bytes: 6, .. }"
        );
    }

    #[test]
    fn response_header_name_ignores_case() {
        let response = Response {
            headers: vec![("X-Amzn-RequestId".to_owned(), "r-1".to_owned())],
            ..Response::default()
        };
        assert_eq!(response.header("x-amzn-requestid"), Some("r-1"));
        assert_eq!(response.header("x-amzn"), None);
    }
}
