//! Errors of parsing a response, and the content of an error response.

use std::fmt;

/// The error of a body that is not a response of the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// True if the body is truncated; another attempt may return it complete.
    pub truncated: bool,
    /// The reason.
    pub reason: String,
}

impl ParseError {
    /// Creates the error of a complete body with unexpected content.
    #[must_use]
    pub fn unexpected(reason: impl Into<String>) -> Self {
        Self {
            truncated: false,
            reason: reason.into(),
        }
    }

    /// Creates the error of a body that the parser rejected with `error`; an empty body is not
    /// truncated.
    pub(super) fn from_error(body: &[u8], truncated: bool, error: &dyn fmt::Display) -> Self {
        Self {
            truncated: truncated && !body.trim_ascii().is_empty(),
            reason: error.to_string(),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for ParseError {}

/// The code and the message of an error response, of any of the three formats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// The error code; empty if the body has none.
    pub code: String,
    /// The message.
    pub message: String,
    /// The request ID, if the body contains it.
    pub request_id: Option<String>,
}
