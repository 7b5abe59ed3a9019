//! The URL of an endpoint.

use std::fmt;
use std::str::FromStr;

use crate::model::ParseNameError;
use crate::text::sanitize;

/// The URL of an endpoint: `http` or `https`, a host, an optional port and path, no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl(String);

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EndpointUrl {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let error = || {
            ParseNameError::new(format!(
                "\"{}\" is not an endpoint URL such as http://127.0.0.1:5000",
                sanitize(text, 200)
            ))
        };
        let uri: http::Uri = text.trim().parse().map_err(|_| error())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        // User names and passwords in a URL would appear in messages.
        let has_no_user = uri.authority().is_some_and(|a| !a.as_str().contains('@'));
        if is_http && has_no_user && uri.query().is_none() {
            Ok(Self(uri.to_string()))
        } else {
            Err(error())
        }
    }
}
