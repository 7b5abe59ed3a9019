//! Classifies errors for the scan: the specification's error table.

use crate::aws::error::{Bound, Cause, ErrorKind};
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
            // The access key is valid: GetCallerIdentity has succeeded.
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
        Cause::ClockSkew { .. } => (ErrorType::Fatal, Recovery::StopScan),
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
