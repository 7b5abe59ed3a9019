//! Requests and responses, and the one seam through which they leave the program.

pub mod agent;
pub mod cassette;
#[cfg(test)]
pub(crate) mod fake;
mod ledger;
mod no_proxy;
pub mod proxy;
pub mod record;
pub(crate) mod redact;
pub mod replay;

use std::fmt;
use std::time::Duration;

pub use ledger::Asker;

/// One HTTP request, ready to be sent.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// The absolute URI.
    pub uri: String,
    /// Header names in lower case, with their values.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// What the request is for (`config/eu-west-1`) where its host does not tell; never sent.
    ///
    /// With a custom endpoint all regions share one URI, and only this keeps their recorded
    /// exchanges apart.
    pub scope: Option<String>,
    /// How long this exchange may take in all, whatever the sender's own time-outs are.
    pub budget: Duration,
}

/// Names the request; header values and the body may hold secrets and stay out.
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
    /// The value of the header `name` (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| *n == name)?;
        Some(value)
    }
}

/// One HTTP response, whatever its status.
#[derive(Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The whole body, at most [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

/// Tells the status; headers and the body may hold secrets and stay out.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The value of the header `name`, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(found).map(|(_, v)| v.as_str())
    }
}

/// The largest body that is read, in bytes: 1 MiB.
///
/// A full page of AWS Config is some 30 kB, and a page of the longest names that it allows 150 kB.
/// What is parsed may need twenty times the memory of its text, in each region at one time.
pub const MAX_BODY: u64 = 1024 * 1024;

/// Why no whole response came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportErrorKind {
    /// No connection, or no answer, in time.
    Timeout,
    /// The host name could not be resolved.
    Dns,
    /// The connection failed, or it broke off.
    Connection,
    /// The system gives this process no more files, of which each connection is one, or no more threads.
    Exhausted,
    /// The TLS handshake failed: a certificate that is not trusted, or a foreign protocol.
    Tls,
    /// The proxy would not open the way; another attempt would not move it.
    Proxy,
    /// The answer is larger than the program reads.
    TooLarge,
    /// A replay has no answer to this request.
    NotRecorded,
    /// The user ended the run.
    Interrupted,
}

/// A request that got no whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportError {
    /// What kind of failure it was.
    pub kind: TransportErrorKind,
    /// What the sender said, with the host.
    pub message: String,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TransportError {}

/// Sends requests: over the network, into a recording, or out of one.
pub trait HttpSend: Send + Sync {
    /// Sends one request and reads the whole response; any status is `Ok`.
    ///
    /// # Errors
    /// No whole response came back; [`TransportErrorKind`] says why.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;

    /// Tells of `count` tasks more that will ask the host of `uri`: connections that none of them needs
    /// any more are closed. Who never tells has all of them kept.
    fn askers(&self, _uri: &str, _count: usize) -> Vec<Asker> {
        Vec::new()
    }

    /// Ends a run: a recorder writes its folder.
    ///
    /// # Errors
    /// The recording could not be written.
    fn finish(&self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown() {
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
    fn a_responses_header_is_found_in_whatever_case() {
        let response = Response {
            headers: vec![("X-Amzn-RequestId".to_owned(), "r-1".to_owned())],
            ..Response::default()
        };
        assert_eq!(response.header("x-amzn-requestid"), Some("r-1"));
        assert_eq!(response.header("x-amzn"), None);
    }
}
