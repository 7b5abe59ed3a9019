//! Requests without a complete response: the kinds of errors, from the errors of ureq.

use std::io;

use serde::{Deserialize, Serialize};
use ureq::{Error, Timeout};

use super::tls_error;

/// The reason why no complete response was received. Recordings contain its name in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportErrorKind {
    /// Connecting or receiving the response timed out.
    Timeout,
    /// The host name could not be resolved.
    Dns,
    /// The host refused a connection, or did not accept it in time.
    Connect,
    /// The connection failed or was closed.
    Connection,
    /// The process cannot open more files (each connection uses one) or create more threads.
    Exhausted,
    /// The certificate of the server is not trusted.
    Tls,
    /// The TLS handshake failed for another reason: the server does not use TLS, or has only keys or
    /// signatures that are not supported.
    Handshake,
    /// The proxy refused the connection; a retry would not help.
    Proxy,
    /// The response exceeds the size limits.
    TooLarge,
    /// The replayed recording has no response to this request; never recorded.
    #[serde(skip)]
    NotRecorded,
    /// The user ended the run; never recorded.
    #[serde(skip)]
    Interrupted,
}

/// The error of a request without a complete response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// The kind of error.
    pub kind: TransportErrorKind,
    /// The error message, with the host.
    pub message: String,
}

impl TransportError {
    /// Creates the error of a request to `target`; `trust` describes the trusted CA certificates.
    pub(super) fn from_ureq(error: &Error, target: &str, trust: &str) -> Self {
        let (kind, reason) = (kind_of(error), describe(error));
        let message = match kind {
            TransportErrorKind::Tls => format!("{target}: {reason} ({trust})"),
            _ => format!("{target}: {reason}"),
        };
        Self { kind, message }
    }
}

/// The errors "too many open files" of the process and of the system, on Linux and macOS.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// Returns the kind of a ureq error.
pub(super) fn kind_of(error: &Error) -> TransportErrorKind {
    use TransportErrorKind::{Connect, Connection, Dns, Proxy, Timeout as TimedOut, Tls, TooLarge};
    match error {
        _ if matches!(proxy_status(error), Some(400..500)) => Proxy,
        Error::Io(e) => kind_of_io(e),
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => Dns,
        Error::Timeout(Timeout::Connect) | Error::ConnectionFailed => Connect,
        Error::Timeout(_) => TimedOut,
        Error::Tls(_) => Tls,
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) => TooLarge,
        // The error type is not public.
        Error::Protocol(e) if e.to_string().ends_with("too many headers") => TooLarge,
        _ => Connection,
    }
}

fn kind_of_io(error: &io::Error) -> TransportErrorKind {
    match error.kind() {
        // Errors of rustls are wrapped in InvalidData.
        io::ErrorKind::InvalidData if tls_error::is_about_trust(error) => TransportErrorKind::Tls,
        io::ErrorKind::InvalidData => TransportErrorKind::Handshake,
        // The standard library has no error kind for a failed lookup, only this text.
        _ if error.to_string().starts_with("failed to lookup address") => TransportErrorKind::Dns,
        io::ErrorKind::TimedOut => TransportErrorKind::Timeout,
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable => TransportErrorKind::Connect,
        _ if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => TransportErrorKind::Exhausted,
        _ => TransportErrorKind::Connection,
    }
}

/// Returns the text of a ureq error for messages.
fn describe(error: &Error) -> String {
    let text = match error {
        Error::Timeout(Timeout::Resolve) => "timed out resolving the host name",
        Error::Timeout(Timeout::Connect) => "timed out connecting",
        Error::Timeout(Timeout::SendRequest | Timeout::SendBody) => "timed out sending the request",
        Error::Timeout(Timeout::RecvResponse) => "timed out waiting for a response",
        Error::Timeout(Timeout::RecvBody) => "timed out reading the response",
        Error::Timeout(_) => "the call exceeded its time limit",
        Error::Io(e) => return tls_error::describe(e).unwrap_or_else(|| e.to_string()),
        _ => match proxy_status(error) {
            Some(407) => return proxy_authentication(error),
            Some(status) => return format!("the proxy refused to connect (HTTP {status})"),
            None => return error.to_string(),
        },
    };
    text.to_owned()
}

/// Describes the status 407, with the schemes that the proxy offers: the third part of the reason
/// of the [connector](super::proxy_connector).
fn proxy_authentication(error: &Error) -> String {
    let schemes = match error {
        Error::ConnectProxyFailed(reason) => reason.splitn(3, '/').nth(2).unwrap_or_default(),
        _ => "",
    };
    let is_basic = |scheme: &str| scheme.eq_ignore_ascii_case("basic");
    let offers = match schemes {
        "" => String::new(),
        schemes if schemes.split(", ").any(is_basic) => format!("; it offers {schemes}"),
        schemes => format!("; it offers {schemes}, and only Basic is supported"),
    };
    format!("proxy authentication required or rejected (HTTP 407{offers})")
}

/// Returns the status of a proxy that refused to open a tunnel. ureq has it only in the error text.
fn proxy_status(error: &Error) -> Option<u16> {
    let Error::ConnectProxyFailed(reason) = error else {
        return None;
    };
    let status = reason.strip_prefix("proxy server responded ")?;
    status.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxy_refusal_differs_from_transient_proxy_errors() {
        let failed = |why: &str| Error::ConnectProxyFailed(why.to_owned());
        for (why, kind, text) in [
            (
                "proxy server responded 407/407",
                TransportErrorKind::Proxy,
                "(HTTP 407)",
            ),
            (
                "proxy server responded 407/407/Digest, Basic",
                TransportErrorKind::Proxy,
                "(HTTP 407; it offers Digest, Basic)",
            ),
            (
                "proxy server responded 407/407/NTLM",
                TransportErrorKind::Proxy,
                "(HTTP 407; it offers NTLM, and only Basic is supported)",
            ),
            (
                "proxy server responded 403/403",
                TransportErrorKind::Proxy,
                "(HTTP 403)",
            ),
            (
                "proxy server responded 502/502",
                TransportErrorKind::Connection,
                "(HTTP 502)",
            ),
            (
                "proxy server did not respond",
                TransportErrorKind::Connection,
                "did not respond",
            ),
        ] {
            let error = failed(why);
            assert_eq!(kind_of(&error), kind, "{why}");
            assert!(describe(&error).contains(text), "{why}");
        }
    }

    #[test]
    fn io_error_kind_depends_on_code_and_text() {
        let lookup = "failed to lookup address information: Name or service not known";
        for (error, kind) in [
            (
                io::Error::from_raw_os_error(EMFILE),
                TransportErrorKind::Exhausted,
            ),
            (
                io::Error::from_raw_os_error(ENFILE),
                TransportErrorKind::Exhausted,
            ),
            (io::Error::other(lookup), TransportErrorKind::Dns),
            (
                io::ErrorKind::InvalidData.into(),
                TransportErrorKind::Handshake,
            ),
            (io::ErrorKind::TimedOut.into(), TransportErrorKind::Timeout),
            (
                io::ErrorKind::NotConnected.into(),
                TransportErrorKind::Connection,
            ),
        ] {
            assert_eq!(kind_of(&Error::Io(error)), kind);
        }
    }

    #[test]
    fn errors_are_described_in_words() {
        let io = |text: &str| Error::Io(io::Error::other(text.to_owned()));
        for (error, text) in [
            (io("connection reset"), "connection reset"),
            (Error::Timeout(Timeout::Connect), "timed out connecting"),
            (
                Error::Timeout(Timeout::RecvResponse),
                "timed out waiting for a response",
            ),
            (
                Error::Timeout(Timeout::RecvBody),
                "timed out reading the response",
            ),
            (
                Error::Timeout(Timeout::Global),
                "the call exceeded its time limit",
            ),
            (Error::HostNotFound, "host not found"),
        ] {
            assert_eq!(describe(&error), text);
        }
    }
}
