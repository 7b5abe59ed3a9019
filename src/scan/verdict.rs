//! What an answer means for the scan: the specification's error table.

use crate::aws::error::{Cause, ErrorKind};
use crate::count::CountError;
use crate::error_log::ErrorType;
use crate::http::TransportErrorKind;

/// How a region goes on after a batch failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// With the next batch.
    Next,
    /// With the next batch, after a second.
    WaitThenNext,
    /// Not at all: nothing can be counted there.
    SkipRegion,
    /// Not at all: the region is given up, which is logged once more.
    GiveUpRegion,
    /// With the same batch, once there are new credentials.
    Renew,
    /// No region goes on.
    StopScan,
}

/// What to log, and how to go on; nothing is logged where the run was interrupted.
#[must_use]
pub fn verdict(error: &CountError) -> (Option<ErrorType>, Then) {
    let CountError::Call(error) = error else {
        return (Some(ErrorType::ApiError), Then::Next);
    };
    let (error_type, then) = match &error.cause {
        Cause::Service { kind, .. } => match kind {
            ErrorKind::Throttling => (ErrorType::Throttle, Then::WaitThenNext),
            ErrorKind::NoRecorder => (ErrorType::ConfigDisabled, Then::SkipRegion),
            ErrorKind::AccessDenied => (ErrorType::Permission, Then::Next),
            // The key is good: GetCallerIdentity has passed.
            ErrorKind::OptInRequired | ErrorKind::UnknownKey => {
                (ErrorType::RegionDisabled, Then::SkipRegion)
            }
            ErrorKind::Expired => (ErrorType::Fatal, Then::Renew),
            // To the first page of a listing it is an answer, and no error.
            ErrorKind::ResourceNotDiscovered
            | ErrorKind::Transient
            | ErrorKind::BadSignature
            | ErrorKind::Other => (ErrorType::ApiError, Then::Next),
        },
        Cause::Clock { .. } => (ErrorType::Fatal, Then::StopScan),
        Cause::Unreadable { .. } | Cause::Unsigned(_) => (ErrorType::Unexpected, Then::Next),
        Cause::Transport(error) => match error.kind {
            TransportErrorKind::Dns
            | TransportErrorKind::Timeout
            | TransportErrorKind::Connection
            | TransportErrorKind::Exhausted
            | TransportErrorKind::Tls
            | TransportErrorKind::Proxy => (ErrorType::Connection, Then::GiveUpRegion),
            TransportErrorKind::TooLarge | TransportErrorKind::NotRecorded => {
                (ErrorType::Unexpected, Then::Next)
            }
            TransportErrorKind::Interrupted => return (None, Then::StopScan),
        },
    };
    (Some(error_type), then)
}
