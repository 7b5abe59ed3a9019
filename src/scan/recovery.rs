//! Classifies errors for the scan: the specification's error table.

use crate::aws::error::{Bound, Cause, CredentialsError, ErrorKind};
use crate::error_log::ErrorType;
use crate::http::TransportErrorKind;
use crate::inventory::CountError;

/// The next step of a region's scan after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Continue with the next type.
    Next,
    /// Wait one second, then continue with the next type.
    WaitThenNext,
    /// Skip the region: nothing can be counted in it.
    SkipRegion,
    /// Abandon the region, and log how many types were not counted.
    AbandonRegion,
    /// Stop the scan of all regions.
    StopScan,
    /// Stop the scan of all regions, because its time is used up.
    OutOfTime,
}

/// The standing of credentials that a region has rejected, by GetCallerIdentity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// AWS accepts them: only the region rejects them.
    Valid,
    /// AWS rejects them too.
    Invalid,
    /// GetCallerIdentity failed for another reason.
    Unknown,
}

impl Standing {
    /// Returns the standing of credentials by the result of their verification.
    #[must_use]
    pub fn new(verified: Result<(), CredentialsError>) -> Self {
        match verified {
            Ok(()) => Self::Valid,
            Err(CredentialsError::OtherAccount { .. }) => Self::Invalid,
            Err(why) => match why.call().map(|call| &call.cause) {
                Some(
                    Cause::ClockSkew { .. }
                    | Cause::Service {
                        kind:
                            ErrorKind::Expired | ErrorKind::UnrecognizedClient | ErrorKind::BadSignature,
                        ..
                    },
                ) => Self::Invalid,
                _ => Self::Unknown,
            },
        }
    }
}

/// Returns true if the error is about the credentials or the clock, and may concern one region or all.
#[must_use]
pub fn rejects_credentials(error: &CountError) -> bool {
    let CountError::Call(error) = error else {
        return false;
    };
    matches!(
        error.cause,
        Cause::ClockSkew { .. }
            | Cause::Service {
                kind: ErrorKind::Expired | ErrorKind::UnrecognizedClient,
                ..
            }
    )
}

/// Classifies an error that [`rejects_credentials`] by the standing of the credentials.
#[must_use]
pub fn classify_rejection(error: &CountError, standing: Standing) -> (Option<ErrorType>, Recovery) {
    match (standing, classify(error)) {
        (Standing::Invalid, _) => (Some(ErrorType::Fatal), Recovery::StopScan),
        (Standing::Valid, (_, Recovery::StopScan)) => {
            (Some(ErrorType::ApiError), Recovery::AbandonRegion)
        }
        (Standing::Valid | Standing::Unknown, unconfirmed) => unconfirmed,
    }
}

/// Returns the type of the log line and the next step. The type is `None`, and nothing is logged, if the run was
/// interrupted or the time of the scan is used up.
#[must_use]
pub fn classify(error: &CountError) -> (Option<ErrorType>, Recovery) {
    let CountError::Call(error) = error else {
        return (Some(ErrorType::ApiError), Recovery::Next);
    };
    let (error_type, recovery) = classify_cause(&error.cause);
    match error.bound {
        Some(Bound::Scan) => (None, Recovery::OutOfTime),
        Some(Bound::Region) => (error_type, Recovery::AbandonRegion),
        Some(Bound::Call) | None => (error_type, recovery),
    }
}

fn classify_cause(cause: &Cause) -> (Option<ErrorType>, Recovery) {
    let (error_type, recovery) = match cause {
        Cause::Service { kind, .. } => match kind {
            ErrorKind::Throttling => (ErrorType::Throttle, Recovery::WaitThenNext),
            ErrorKind::NoRecorder => (ErrorType::ConfigDisabled, Recovery::SkipRegion),
            ErrorKind::AccessDenied => (ErrorType::Permission, Recovery::Next),
            // The access key is valid: GetCallerIdentity has succeeded (see `classify_rejection`).
            ErrorKind::OptInRequired | ErrorKind::UnrecognizedClient => {
                (ErrorType::RegionDisabled, Recovery::SkipRegion)
            }
            // The client has tried to refresh the credentials.
            ErrorKind::Expired => (ErrorType::Fatal, Recovery::StopScan),
            // On the first page of a listing this is an empty listing, which never reaches this
            // table.
            ErrorKind::ResourceNotDiscovered
            | ErrorKind::InvalidPageToken
            | ErrorKind::Transient
            | ErrorKind::BadSignature
            | ErrorKind::Other => (ErrorType::ApiError, Recovery::Next),
        },
        Cause::ClockSkew { .. } | Cause::Credentials(_) => (ErrorType::Fatal, Recovery::StopScan),
        Cause::Unreadable { .. } | Cause::Signing(_) => (ErrorType::Unexpected, Recovery::Next),
        Cause::Transport(error) => match error.kind {
            TransportErrorKind::Dns
            | TransportErrorKind::Timeout
            | TransportErrorKind::Connect
            | TransportErrorKind::Connection
            | TransportErrorKind::Exhausted
            | TransportErrorKind::Tls
            | TransportErrorKind::Handshake
            | TransportErrorKind::Proxy => (ErrorType::Connection, Recovery::AbandonRegion),
            TransportErrorKind::TooLarge | TransportErrorKind::NotRecorded => {
                (ErrorType::Unexpected, Recovery::Next)
            }
            TransportErrorKind::Interrupted => return (None, Recovery::StopScan),
        },
    };
    (Some(error_type), recovery)
}
