//! What an error answer means, and what a person can do about it.

use std::fmt;

use time::OffsetDateTime;

use super::operation::Service;
use super::protocol::Unreadable;
use crate::http::{TransportError, TransportErrorKind};
use crate::model::{Region, clean};

/// What kind of refusal an error code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many requests; retried.
    Throttling,
    /// The service's own passing fault; retried.
    Transient,
    /// The caller lacks the permission.
    AccessDenied,
    /// The region has no configuration recorder.
    NoRecorder,
    /// The account has no subscription here.
    OptInRequired,
    /// The service does not know the key: a region that is not enabled, if it is known elsewhere.
    UnknownKey,
    /// The credentials have expired.
    Expired,
    /// The signature does not fit.
    BadSignature,
    /// The type holds nothing here.
    ResourceNotDiscovered,
    /// Anything else.
    Other,
}

/// The codes that mean throttling: the list of the SDKs' standard mode.
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
    /// The kind of `code`, or of the HTTP `status` where no code is known.
    #[must_use]
    pub fn of(code: &str, status: u16) -> Self {
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
                Self::UnknownKey
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

/// Why a call brought nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// The service answered with an error.
    Service {
        /// What the code means.
        kind: ErrorKind,
        /// The error code; empty where the body names none.
        code: String,
        /// The service's text, without secrets.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The signature was refused because this machine's clock is off.
    Clock {
        /// The error code.
        code: String,
        /// Our time less the service's, in minutes.
        offset_minutes: i64,
        /// The HTTP status.
        status: u16,
    },
    /// A 2xx answer that is not the operation's reply.
    Unreadable {
        /// What is wrong with it.
        what: Unreadable,
        /// The HTTP status.
        status: u16,
    },
    /// No whole answer came back.
    Transport(TransportError),
    /// The request could not be signed.
    Unsigned(String),
}

/// What to do about an answer that is not one of AWS's.
const NOT_AWS: &str = "something between here and AWS answers in its place (a proxy, a captive \
                       portal), or the endpoint URL is wrong";

/// A call that brought nothing, after all its attempts.
#[derive(Debug, Clone, PartialEq)]
pub struct CallError {
    /// The service that was called.
    pub service: Service,
    /// The operation that was called.
    pub operation: &'static str,
    /// The region that it was called in.
    pub region: Region,
    /// How many requests were sent.
    pub attempts: u32,
    /// The service's id of the last request.
    pub request_id: Option<String>,
    /// Which credentials it was signed with: 0 for the first ones, 1 for those after a renewal.
    pub generation: u64,
    /// Why the last attempt failed.
    pub cause: Cause,
}

impl CallError {
    /// The kind of the service's answer; `None` where the service did not answer with an error.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        match &self.cause {
            Cause::Service { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Whether a recording had no answer.
    #[must_use]
    pub fn not_recorded(&self) -> bool {
        matches!(&self.cause, Cause::Transport(t) if t.kind == TransportErrorKind::NotRecorded)
    }

    /// What a person can do about it.
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
                ErrorKind::Throttling => "run again later, or ask for fewer types".to_owned(),
                ErrorKind::Transient => "run again later".to_owned(),
                ErrorKind::AccessDenied => {
                    format!("allow {action} in the caller's policies and service control policies")
                }
                ErrorKind::NoRecorder => {
                    "turn AWS Config on in this region, or leave it out with --exclude-regions"
                        .to_owned()
                }
                ErrorKind::OptInRequired => {
                    "the account has no subscription to this service here: \
                    finish its sign-up, or leave the region out with --exclude-regions"
                        .to_owned()
                }
                ErrorKind::UnknownKey => "check the access key, that it is active, and that \
                    --region lies in its partition and is enabled for the account"
                    .to_owned(),
                ErrorKind::Expired => {
                    "get new credentials (with `aws sso login`, for instance)".to_owned()
                }
                ErrorKind::BadSignature => {
                    "the secret access key does not belong to the access key: set both anew"
                        .to_owned()
                }
                ErrorKind::ResourceNotDiscovered | ErrorKind::Other => {
                    "look the code up in the service's API reference".to_owned()
                }
            },
            Cause::Clock { .. } => "set this machine's clock".to_owned(),
            Cause::Unreadable { .. } => NOT_AWS.to_owned(),
            Cause::Transport(error) => match error.kind {
                TransportErrorKind::Dns => {
                    "check the network, and that the region's code is right".to_owned()
                }
                TransportErrorKind::Timeout | TransportErrorKind::Connection => {
                    "check the network, a firewall and the endpoint".to_owned()
                }
                TransportErrorKind::Exhausted => "raise the limits of open files and of threads \
                    (ulimit -n, ulimit -u), or ask for fewer regions or a lower \
                    --region-concurrency"
                    .to_owned(),
                TransportErrorKind::Tls => "check the certificate bundle".to_owned(),
                TransportErrorKind::Proxy => "check the user and the password in the proxy's URL \
                                              (percent-encoded), what the proxy lets through, and \
                                              NO_PROXY"
                    .to_owned(),
                TransportErrorKind::TooLarge => "this is no answer of AWS's: check the endpoint \
                    and what stands before it"
                    .to_owned(),
                TransportErrorKind::NotRecorded => {
                    "replay with the options of the recording, or record again".to_owned()
                }
                TransportErrorKind::Interrupted => "run again".to_owned(),
            },
            Cause::Unsigned(_) => "check the endpoint URL and the credentials".to_owned(),
        }
    }
}

/// What failed, where, and the request id; without the advice.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ", self.service.name(), self.operation)?;
        if self.attempts > 1 {
            write!(f, "failed {} times, last with ", self.attempts)?;
        } else {
            f.write_str("failed with ")?;
        }
        let id = match &self.request_id {
            Some(id) => format!(", request id {}", clean(id, 80)),
            None => String::new(),
        };
        match &self.cause {
            Cause::Service {
                code,
                message,
                status,
                ..
            } => {
                let code = match code.as_str() {
                    "" => "an error without a code".to_owned(),
                    code => clean(code, 80),
                };
                write!(f, "{code} (HTTP {status}{id})")?;
                // The advice follows after a semicolon.
                match message.trim().trim_end_matches('.') {
                    "" => Ok(()),
                    message => write!(f, ": {}", clean(message, 400)),
                }
            }
            Cause::Clock {
                code,
                offset_minutes,
                status,
            } => {
                let way = if *offset_minutes < 0 {
                    "behind"
                } else {
                    "ahead of"
                };
                write!(
                    f,
                    "{} (HTTP {status}{id}): this machine's clock is {} minutes {way} AWS's",
                    clean(code, 80),
                    offset_minutes.abs()
                )
            }
            Cause::Unreadable { what, status } => write!(
                f,
                "an answer that cannot be read (HTTP {status}{id}): {what}"
            ),
            Cause::Transport(error) => {
                write!(f, "no answer: {}", clean(&error.message, 400))
            }
            Cause::Unsigned(why) => write!(f, "a request that cannot be signed: {why}"),
        }
    }
}

impl std::error::Error for CallError {}

/// How many minutes this machine's clock is off, where that is more than signatures bear: the
/// services allow five, and a little is lost on the way.
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
    fn every_code_of_the_table_has_its_kind() {
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
            ("UnrecognizedClientException", 400, ErrorKind::UnknownKey),
            ("InvalidClientTokenId", 403, ErrorKind::UnknownKey),
            ("AuthFailure", 401, ErrorKind::UnknownKey),
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
            assert_eq!(ErrorKind::of(code, status), kind, "{code} {status}");
        }
    }

    #[test]
    fn a_clock_is_off_beyond_four_minutes() {
        let now = time::macros::datetime!(2026-11-24 12:00:00 UTC);
        let offset = |date| clock_offset(Some(date), now);
        assert_eq!(offset("Tue, 24 Nov 2026 11:57:00 GMT"), None);
        assert_eq!(offset("Tue, 24 Nov 2026 11:30:00 GMT"), Some(30));
        assert_eq!(offset("Tue, 24 Nov 2026 13:00:00 GMT"), Some(-60));
        assert_eq!(offset("yesterday"), None);
        assert_eq!(clock_offset(None, now), None);
    }
}
