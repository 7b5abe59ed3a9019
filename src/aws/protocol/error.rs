//! Errors of parsing a response, and the content of an error response.

use std::fmt;

use thiserror::Error;

use crate::untrusted::Untrusted;

/// The error of a body that is not a response of the operation, with the parser's reason, which may
/// quote the body.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseError {
    /// The body is truncated; another attempt may return it complete.
    #[error("truncated response")]
    Truncated(Untrusted),
    /// An item of the response is not a valid item of the operation; another attempt may return it
    /// correctly.
    #[error("invalid item")]
    InvalidItem(Untrusted),
    /// The body is complete and has unexpected content.
    #[error("unexpected response")]
    Unexpected(Untrusted),
}

impl ParseError {
    /// Creates the error of a complete body with unexpected content.
    #[must_use]
    pub fn unexpected(reason: impl Into<Untrusted>) -> Self {
        Self::Unexpected(reason.into())
    }

    /// Creates the error of an invalid item.
    #[must_use]
    pub fn invalid_item(reason: impl Into<Untrusted>) -> Self {
        Self::InvalidItem(reason.into())
    }

    /// Creates the error of a body that the parser rejected with `error`; an empty body is not
    /// truncated.
    pub(super) fn from_error(body: &[u8], truncated: bool, error: &dyn fmt::Display) -> Self {
        let reason = error.to_string().into();
        if truncated && !body.trim_ascii().is_empty() {
            Self::Truncated(reason)
        } else {
            Self::Unexpected(reason)
        }
    }

    /// Returns the maximum number of retries after this error.
    #[must_use]
    pub fn max_retries(&self) -> u32 {
        match self {
            Self::Truncated(_) => u32::MAX,
            Self::InvalidItem(_) => 1,
            Self::Unexpected(_) => 0,
        }
    }

    /// Returns true if the body is truncated.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        matches!(self, Self::Truncated(_))
    }

    /// Returns the parser's reason.
    #[must_use]
    pub fn reason(&self) -> &Untrusted {
        match self {
            Self::Truncated(reason) | Self::InvalidItem(reason) | Self::Unexpected(reason) => {
                reason
            }
        }
    }
}

/// The code and the message of an error response, of any of the three formats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// The error code; empty if the body has none.
    pub code: Untrusted,
    /// The message.
    pub message: Untrusted,
    /// The request ID, if the body contains it.
    pub request_id: Option<Untrusted>,
}
