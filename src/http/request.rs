//! HTTP requests.

use std::fmt;
use std::time::Duration;

use crate::redact;

/// An HTTP request, ready to be sent.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// The absolute URI.
    pub uri: String,
    /// The headers; names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// The service and region (`config/eu-west-1`), if the host does not contain them; never sent.
    ///
    /// With a custom endpoint all regions share one URI, and only the scope distinguishes their
    /// recorded interactions.
    pub scope: Option<String>,
    /// The maximum total time of the request, in addition to the client's own time-outs.
    pub budget: Duration,
    /// The parts that may be secret.
    pub private: Private,
}

/// The parts of a request that may be secret, in addition to its headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Private {
    /// The response contains credentials or a token.
    pub response: bool,
    /// The path and the query of the URI are a setting of the user, in which a password may be.
    pub path: bool,
}

/// Formats method, URI and header names; header values and the body may contain secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("uri", &self.public_uri())
            .field("headers", &names)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Returns the value of the header `name` (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(n, _)| *n == name)?;
        Some(value)
    }

    /// Returns the scheme, the host and the port of the URI. Requests of one origin can share a
    /// connection.
    #[must_use]
    pub fn origin(&self) -> &str {
        let host_start = self.uri.find("://").map_or(0, |at| at + "://".len());
        let host_length = self.uri[host_start..].find(['/', '?']);
        host_length.map_or(&self.uri, |length| &self.uri[..host_start + length])
    }

    /// Returns the host of the URI for messages, with its port, without user name and password.
    #[must_use]
    pub fn host(&self) -> String {
        let origin = redact::url(self.origin());
        let host = origin.split_once("://").map(|(_, host)| host.to_owned());
        host.unwrap_or(origin)
    }

    /// Returns the URI for messages and recordings: without user name and password, and without a
    /// path that may be secret.
    #[must_use]
    pub fn public_uri(&self) -> String {
        let origin = self.origin();
        let public = redact::url(origin);
        if self.private.path {
            format!("{public}/")
        } else {
            format!("{public}{}", &self.uri[origin.len()..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request {
        Request {
            method: "POST",
            uri: uri.to_owned(),
            headers: vec![("authorization", "SECRET".to_owned())],
            body: b"SECRET".to_vec(),
            scope: None,
            budget: Duration::from_secs(1),
            private: Private::default(),
        }
    }

    #[test]
    fn request_debug_output_hides_secrets() {
        assert_eq!(
            format!("{:?}", request("https://a.example/")),
            "Request { method: \"POST\", uri: \"https://a.example/\", headers: \
             [\"authorization\"], body_bytes: 6, .. }"
        );
    }

    #[test]
    fn public_uri_hides_user_and_private_path() {
        for (uri, path, expected) in [
            ("https://a.example/x?y", false, "https://a.example/x?y"),
            ("https://a.example/x?y", true, "https://a.example/"),
            ("http://u:p@a.example:80/x", false, "http://a.example:80/x"),
            ("http://u:p@a.example:80/x", true, "http://a.example:80/"),
        ] {
            let mut request = request(uri);
            request.private.path = path;
            assert_eq!(request.public_uri(), expected);
            assert!(!request.host().contains('@'));
        }
    }

    #[test]
    fn origin_and_host_exclude_the_path() {
        for (uri, origin, host) in [
            (
                "https://a.example:8443/x?y",
                "https://a.example:8443",
                "a.example:8443",
            ),
            ("https://a.example?y=/", "https://a.example", "a.example"),
            ("http://[::1]", "http://[::1]", "[::1]"),
            ("nonsense", "nonsense", "nonsense"),
        ] {
            let request = request(uri);
            assert_eq!((request.origin(), request.host().as_str()), (origin, host));
        }
    }
}
