//! The URL of an endpoint.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::text::sanitize;

/// The error of parsing an endpoint URL: the text, as one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is not an endpoint URL such as http://127.0.0.1:5000")]
pub struct ParseUrlError(String);

/// The URL of an endpoint: `http` or `https`, a host, an optional port and path, no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl(String);

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EndpointUrl {
    type Err = ParseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseUrlError> {
        let error = ParseUrlError(sanitize(text, 200));
        let Ok(uri) = text.trim().parse::<http::Uri>() else {
            return Err(error);
        };
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        // User names and passwords in a URL would appear in messages.
        let has_no_user = uri.authority().is_some_and(|a| !a.as_str().contains('@'));
        if is_http && has_no_user && uri.query().is_none() {
            Ok(Self(uri.to_string()))
        } else {
            Err(error)
        }
    }
}
