//! The reason why a count is missing.

use std::sync::Arc;

use super::status::Status;
use crate::error_log::ErrorType;

/// The reason why a count is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The resulting status of the region and type.
    pub status: Status,
    /// The error type in the log.
    pub error_type: ErrorType,
    /// The error and what to do about it.
    pub detail: Arc<str>,
    /// False if the log has no line for the gap yet, because no call failed.
    pub logged: bool,
}

impl Gap {
    /// Creates the gap caused by a logged error of this type.
    #[must_use]
    pub fn new(error_type: ErrorType, detail: &str) -> Self {
        Self {
            status: Status::from_error_type(error_type),
            error_type,
            detail: detail.into(),
            logged: true,
        }
    }
}
