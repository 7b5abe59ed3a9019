//! The URL of an endpoint.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::redact;

/// The reason why a text is not the URL of an endpoint. It does not quote the text, which may
/// contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseUrlError {
    /// The text is not an absolute URL with a host.
    #[error("not an endpoint URL such as http://127.0.0.1:5000")]
    Form,
    /// The scheme is not `http` or `https`.
    #[error("an endpoint URL begins with http:// or https://")]
    Scheme,
    /// The URL contains a user name or a password.
    #[error("an endpoint URL has no user name and password")]
    User,
    /// The URL has a query or a fragment.
    #[error("an endpoint URL has no query and no fragment")]
    Query,
}

/// The URL of an endpoint: `http` or `https`, a host, an optional port and path, no query.
///
/// Its `Display` and `Debug` output is scheme, host and port.
#[derive(Clone, PartialEq, Eq)]
pub struct EndpointUrl(String);

impl EndpointUrl {
    /// Returns the complete URL, for a request.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host, with the port if it has one.
    #[must_use]
    pub fn host(&self) -> String {
        let uri: Option<http::Uri> = self.0.parse().ok();
        let authority = uri.as_ref().and_then(http::Uri::authority);
        authority.map_or_else(String::new, ToString::to_string)
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", redact::url(&self.0))
    }
}

impl fmt::Debug for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({self})")
    }
}

impl FromStr for EndpointUrl {
    type Err = ParseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseUrlError> {
        let text = text.trim();
        let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
        if after_scheme.contains(['@', '\\']) {
            return Err(ParseUrlError::User);
        }
        if after_scheme.contains(['?', '#']) {
            return Err(ParseUrlError::Query);
        }
        let uri = text.parse::<http::Uri>().map_err(|_| ParseUrlError::Form)?;
        match uri.scheme_str() {
            // A port that is not a number may be a password.
            _ if !redact::is_clear_url(text) => Err(ParseUrlError::Form),
            Some("http" | "https") => Ok(Self(uri.to_string())),
            Some(_) if uri.host().is_some() => Err(ParseUrlError::Scheme),
            _ => Err(ParseUrlError::Form),
        }
    }
}
