//! How requests and replies are written: AWS JSON 1.1, and the Query form with XML replies.

pub mod json;
pub mod query;

use std::fmt;

/// A body that is not the reply that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Whether the body ends in the middle: it was cut on its way, another try may bring it whole.
    pub cut: bool,
    /// What is wrong with it.
    pub reason: String,
}

impl Unreadable {
    /// A whole body that means something else.
    #[must_use]
    pub fn foreign(reason: impl Into<String>) -> Self {
        Self {
            cut: false,
            reason: reason.into(),
        }
    }

    /// A body in which the parser met `error`; an empty one was not cut.
    fn of(body: &[u8], cut: bool, error: &dyn fmt::Display) -> Self {
        Self {
            cut: cut && !body.trim_ascii().is_empty(),
            reason: error.to_string(),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unreadable {}

/// The code and the text of an error answer, in whichever of the three shapes it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// The error code; empty where the body names none.
    pub code: String,
    /// The text meant for a person.
    pub message: String,
    /// The request id, where the body carries it.
    pub request_id: Option<String>,
}

/// Reads an error body by what it looks like: a JSON service may be answered in XML by what stands
/// before it.
#[must_use]
pub fn error_body(body: &[u8]) -> ErrorBody {
    let read = if body.trim_ascii_start().starts_with(b"<") {
        query::error_body(body)
    } else {
        json::error_body(body)
    };
    // The text is whole: of one that is cut here, half a secret could no longer be found and taken out.
    read.unwrap_or_else(|| ErrorBody {
        message: String::from_utf8_lossy(body).into_owned(),
        ..ErrorBody::default()
    })
}
