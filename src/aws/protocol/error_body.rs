//! The content of an error response, in any of the three formats.

use super::error::ErrorBody;
use super::json;
use super::query;
use crate::untrusted::Untrusted;

/// Parses an error body in the format that it has: a proxy may answer a JSON request with XML.
#[must_use]
pub fn error_body(body: &[u8]) -> ErrorBody {
    let read = if body.trim_ascii_start().starts_with(b"<") {
        query::error_body(body)
    } else {
        json::error_body(body)
    };
    read.unwrap_or_else(|| ErrorBody {
        message: Untrusted::from_bytes(body),
        ..ErrorBody::default()
    })
}
