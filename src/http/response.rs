//! HTTP responses.

use std::fmt;

/// The maximum size of a body, in bytes: 1 MiB.
///
/// A full page of AWS Config has about 30 kB; with the longest names that it allows, 150 kB. A
/// parsed body may use 20 times the memory of its text, in each region at the same time.
pub const MAX_BODY: u64 = 1024 * 1024;

/// An HTTP response of any status.
#[derive(Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The complete body, at most [`MAX_BODY`] bytes.
    pub body: Vec<u8>,
}

/// Formats the status; headers and the body may contain secrets.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Response {
    /// Returns the value of the header `name`, ignoring case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let matches = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(matches).map(|(_, v)| v.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn response_debug_output_hides_secrets() {
        let response = Response {
            status: 403,
            headers: vec![("x-amzn-requestid".to_owned(), "SECRET".to_owned())],
            body: b"SECRET".to_vec(),
        };
        let debug = format!("{response:?}");
        assert_eq!(debug, "Response { status: 403, body_bytes: 6, .. }");
    }

    #[test]
    fn response_header_name_ignores_case() {
        let response = Response {
            headers: vec![("X-Amzn-RequestId".to_owned(), "r-1".to_owned())],
            ..Response::default()
        };
        assert_eq!(response.header("x-amzn-requestid"), Some("r-1"));
        assert_eq!(response.header("x-amzn"), None);
    }
}
