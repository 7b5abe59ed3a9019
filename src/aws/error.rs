//! Errors of AWS calls: their kinds, messages and advice.

use std::fmt;

use thiserror::Error;
use time::OffsetDateTime;

use super::endpoint::EndpointError;
use super::operation::Service;
use crate::http::{TransportError, TransportErrorKind};
use crate::model::Region;
use crate::text::sanitize;

/// The kind of an error response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many requests; retried.
    Throttling,
    /// A temporary fault of the service; retried.
    Transient,
    /// The caller lacks the permission.
    AccessDenied,
    /// The region has no configuration recorder.
    NoRecorder,
    /// The account is not subscribed to the service in this region.
    OptInRequired,
    /// The service does not recognize the access key ID. If other regions accept it, this region is
    /// not enabled.
    UnrecognizedClient,
    /// The credentials have expired.
    Expired,
    /// The signature was rejected.
    BadSignature,
    /// No resources of the type were discovered in this region.
    ResourceNotDiscovered,
    /// Any other error.
    Other,
}

/// The throttling codes of the SDKs' standard mode.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const THROTTLING: [&str; 13] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "EC2ThrottledException",
];

impl ErrorKind {
    /// Returns the kind of `code`; if the code has no kind of its own, the kind of the HTTP
    /// `status`.
    #[must_use]
    pub fn from_code(code: &str, status: u16) -> Self {
        match code {
            code if THROTTLING.contains(&code) => Self::Throttling,
            "RequestTimeout"
            | "RequestTimeoutException"
            | "PriorRequestNotComplete"
            | "IDPCommunicationError" => Self::Transient,
            "NoAvailableConfigurationRecorderException"
            | "NoSuchConfigurationRecorderException" => Self::NoRecorder,
            "UnauthorizedOperation" | "AuthorizationError" => Self::AccessDenied,
            code if code.starts_with("AccessDenied") => Self::AccessDenied,
            "OptInRequired" | "SubscriptionRequiredException" | "RegionDisabledException" => {
                Self::OptInRequired
            }
            "UnrecognizedClientException" | "InvalidClientTokenId" | "AuthFailure" => {
                Self::UnrecognizedClient
            }
            "RequestExpired" => Self::Expired,
            code if code.starts_with("ExpiredToken") => Self::Expired,
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "RequestTimeTooSkewed"
            | "RequestInTheFuture" => Self::BadSignature,
            "ResourceNotDiscoveredException" => Self::ResourceNotDiscovered,
            _ => match status {
                429 => Self::Throttling,
                500 | 502 | 503 | 504 => Self::Transient,
                _ => Self::Other,
            },
        }
    }
}

/// The cause of a failed call.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// The service returned an error.
    Service {
        /// The kind of the error.
        kind: ErrorKind,
        /// The error code, without secrets and control characters; empty if the response has none.
        code: String,
        /// The service's message, without secrets and control characters; may be empty.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The signature was rejected because this machine's clock is wrong.
    ClockSkew {
        /// The error code.
        code: String,
        /// The local time minus the service's time, in minutes.
        offset_minutes: i64,
        /// The HTTP status.
        status: u16,
    },
    /// A 2xx response that is not a response of the operation.
    Unreadable {
        /// True if the body is truncated.
        truncated: bool,
        /// The parser's reason and the start of the body, with secrets redacted.
        reason: String,
        /// The HTTP status.
        status: u16,
    },
    /// No complete response was received.
    Transport(TransportError),
    /// The request could not be signed.
    Signing(SigningError),
}

/// The reason why a request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SigningError {
    /// The endpoint of the service is unknown.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The signer's reason, which quotes no part of the request.
    #[error("{0}")]
    Signer(String),
}

/// The advice for a response that is not from AWS.
const NOT_AWS: &str = "a proxy or captive portal may be answering instead of AWS, or the endpoint \
                       URL is wrong";

/// A call that failed after all its attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct CallError {
    /// The service that was called.
    pub service: Service,
    /// The operation that was called.
    pub operation: &'static str,
    /// The region of the call.
    pub region: Region,
    /// The number of attempts.
    pub attempts: u32,
    /// The request ID of the last response, without secrets and control characters.
    pub request_id: Option<String>,
    /// The reason why expired credentials could not be refreshed.
    pub refresh_error: Option<String>,
    /// The cause of the last attempt's failure.
    pub cause: Cause,
}

impl CallError {
    /// Returns the kind of the service's error; `None` if the service did not return one.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        match &self.cause {
            Cause::Service { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Returns true if a recording has no response for this call.
    #[must_use]
    pub fn not_recorded(&self) -> bool {
        matches!(&self.cause, Cause::Transport(t) if t.kind == TransportErrorKind::NotRecorded)
    }

    /// Returns what the user can do about the error.
    #[must_use]
    pub fn advice(&self) -> String {
        let action = format!("{}:{}", self.service.name(), self.operation);
        match &self.cause {
            Cause::Service {
                kind: ErrorKind::Other,
                code,
                ..
            } if code.is_empty() => NOT_AWS.to_owned(),
            Cause::Service { kind, .. } => match kind {
                ErrorKind::Throttling => "try again later, or scan fewer types".to_owned(),
                ErrorKind::Transient => "try again later".to_owned(),
                ErrorKind::AccessDenied => {
                    format!("allow {action} in the caller's policies and service control policies")
                }
                ErrorKind::NoRecorder => {
                    "turn on AWS Config in this region, or exclude it with --exclude-regions"
                        .to_owned()
                }
                ErrorKind::OptInRequired => {
                    "the account is not subscribed to this service in this region: \
                    complete the sign-up, or exclude the region with --exclude-regions"
                        .to_owned()
                }
                ErrorKind::UnrecognizedClient => {
                    "check that the access key is active and that --region is enabled and in the \
                    same partition"
                        .to_owned()
                }
                ErrorKind::Expired => {
                    "get new credentials, for example with `aws sso login`".to_owned()
                }
                ErrorKind::BadSignature => {
                    "the signature was rejected: check the secret access key (and the region, if \
                    an endpoint URL is set)"
                        .to_owned()
                }
                ErrorKind::ResourceNotDiscovered | ErrorKind::Other => {
                    "see the AWS API reference for this error code".to_owned()
                }
            },
            Cause::ClockSkew { .. } => "set this machine's clock".to_owned(),
            Cause::Unreadable { .. } => NOT_AWS.to_owned(),
            Cause::Transport(error) => match error.kind {
                TransportErrorKind::Dns => "check the network and the region name".to_owned(),
                TransportErrorKind::Timeout | TransportErrorKind::Connection => {
                    "check the network, firewall and endpoint".to_owned()
                }
                TransportErrorKind::Exhausted => "raise the limits on open files and threads \
                    (ulimit -n, ulimit -u), scan fewer regions, or lower --region-concurrency"
                    .to_owned(),
                TransportErrorKind::Tls => "check the certificate bundle".to_owned(),
                TransportErrorKind::Proxy => "check the user name and password in the proxy URL \
                                              (percent-encoded), the rules of the proxy, and \
                                              NO_PROXY"
                    .to_owned(),
                TransportErrorKind::TooLarge => "the response is not from AWS: check the endpoint \
                    and any proxy"
                    .to_owned(),
                TransportErrorKind::NotRecorded => {
                    "replay with the options of the recording, or make a new recording".to_owned()
                }
                TransportErrorKind::Interrupted => "run again".to_owned(),
            },
            Cause::Signing(_) => "check the endpoint URL and the credentials".to_owned(),
        }
    }
}

/// Formats the operation, the attempts, the cause and the request ID, without the advice.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ", self.service.name(), self.operation)?;
        match (&self.cause, self.attempts) {
            (_, 2..) => write!(f, "failed after {} attempts: ", self.attempts)?,
            (Cause::Signing(_), _) => f.write_str("failed: ")?,
            _ => f.write_str("failed with ")?,
        }
        let id = match &self.request_id {
            Some(id) => format!(", request id {id}"),
            None => String::new(),
        };
        match &self.cause {
            Cause::Service {
                code,
                message,
                status,
                ..
            } => {
                match code.as_str() {
                    "" => write!(f, "HTTP {status} (no error code{id})")?,
                    code => write!(f, "{code} (HTTP {status}{id})")?,
                }
                match message.as_str() {
                    "" => Ok(()),
                    message => write!(f, ": {message}"),
                }
            }
            Cause::ClockSkew {
                code,
                offset_minutes,
                status,
            } => {
                let direction = if *offset_minutes < 0 {
                    "behind"
                } else {
                    "ahead of"
                };
                write!(
                    f,
                    "{code} (HTTP {status}{id}): this machine's clock is {} minutes {direction} AWS's",
                    offset_minutes.abs()
                )
            }
            Cause::Unreadable { reason, status, .. } => {
                write!(f, "an unreadable response (HTTP {status}{id}): {reason}")
            }
            Cause::Transport(error) => {
                write!(f, "no response: {}", sanitize(&error.message, 400))
            }
            Cause::Signing(why) => write!(f, "cannot sign the request: {why}"),
        }
    }
}

impl std::error::Error for CallError {}

/// Returns the local time minus the time in `date_header`, in minutes; `None` if the difference is
/// at most four minutes. The services accept five, and the response takes some time to arrive.
#[must_use]
pub fn clock_offset(date_header: Option<&str>, now: OffsetDateTime) -> Option<i64> {
    let rfc2822 = &time::format_description::well_known::Rfc2822;
    let theirs = OffsetDateTime::parse(date_header?, rfc2822).ok()?;
    let offset = now - theirs;
    (offset.abs() > time::Duration::minutes(4)).then(|| offset.whole_minutes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_have_their_kinds() {
        for (code, status, kind) in [
            ("ThrottlingException", 400, ErrorKind::Throttling),
            ("RequestLimitExceeded", 503, ErrorKind::Throttling),
            ("", 429, ErrorKind::Throttling),
            ("InternalFailure", 500, ErrorKind::Transient),
            ("", 503, ErrorKind::Transient),
            ("RequestTimeout", 400, ErrorKind::Transient),
            ("AccessDenied", 403, ErrorKind::AccessDenied),
            ("AccessDeniedException", 400, ErrorKind::AccessDenied),
            ("UnauthorizedOperation", 403, ErrorKind::AccessDenied),
            (
                "NoAvailableConfigurationRecorderException",
                400,
                ErrorKind::NoRecorder,
            ),
            (
                "NoSuchConfigurationRecorderException",
                400,
                ErrorKind::NoRecorder,
            ),
            ("OptInRequired", 401, ErrorKind::OptInRequired),
            (
                "UnrecognizedClientException",
                400,
                ErrorKind::UnrecognizedClient,
            ),
            ("InvalidClientTokenId", 403, ErrorKind::UnrecognizedClient),
            ("AuthFailure", 401, ErrorKind::UnrecognizedClient),
            ("ExpiredToken", 403, ErrorKind::Expired),
            ("ExpiredTokenException", 400, ErrorKind::Expired),
            ("RequestExpired", 400, ErrorKind::Expired),
            ("SignatureDoesNotMatch", 403, ErrorKind::BadSignature),
            (
                "ResourceNotDiscoveredException",
                400,
                ErrorKind::ResourceNotDiscovered,
            ),
            ("ValidationException", 400, ErrorKind::Other),
            ("", 418, ErrorKind::Other),
        ] {
            assert_eq!(ErrorKind::from_code(code, status), kind, "{code} {status}");
        }
    }

    #[test]
    fn clock_offset_begins_above_four_minutes() {
        let now = time::macros::datetime!(2026-11-24 12:00:00 UTC);
        let offset = |date| clock_offset(Some(date), now);
        assert_eq!(offset("Tue, 24 Nov 2026 11:57:00 GMT"), None);
        assert_eq!(offset("Tue, 24 Nov 2026 11:30:00 GMT"), Some(30));
        assert_eq!(offset("Tue, 24 Nov 2026 13:00:00 GMT"), Some(-60));
        assert_eq!(offset("yesterday"), None);
        assert_eq!(clock_offset(None, now), None);
    }
}
