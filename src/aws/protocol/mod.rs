//! The protocols of the services: AWS JSON 1.1, and AWS Query with XML responses.

pub mod json;
pub mod query;

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
    fn from_error(body: &[u8], truncated: bool, error: &dyn fmt::Display) -> Self {
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

/// Parses an error body in the format that it has: a proxy may answer a JSON request with XML.
#[must_use]
pub fn error_body(body: &[u8]) -> ErrorBody {
    let read = if body.trim_ascii_start().starts_with(b"<") {
        query::error_body(body)
    } else {
        json::error_body(body)
    };
    // Do not cut the text here: half a secret could not be redacted later.
    read.unwrap_or_else(|| ErrorBody {
        message: String::from_utf8_lossy(body).into_owned(),
        ..ErrorBody::default()
    })
}
