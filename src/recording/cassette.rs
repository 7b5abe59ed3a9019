//! The files of a recording: JSON with the field names of VCR cassettes.
//!
//! A recording contains `interactions/*.json`, each with a list of interactions in chronological
//! order. A JSON body is stored as JSON, so that a diff shows the changed count; text is stored as
//! a string; XML and binary bodies are stored in a file next to the cassette. Unknown fields are
//! rejected.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::secrets::{redact_json, redact_text, secrets_of};
use crate::http::{Request, Response, TransportError, TransportErrorKind};

/// The name of the directory of cassettes in a recording.
pub const INTERACTIONS_DIR: &str = "interactions";

/// One file of a recording.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    /// The interactions, in order.
    pub interactions: Vec<Interaction>,
}

/// A request with its response or transport error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interaction {
    /// The request.
    pub request: RecordedRequest,
    /// The response, if one was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<RecordedResponse>,
    /// The transport error, if no response was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// The time of the response, in RFC 2822 format; recorded only with the response's `date`
    /// header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<String>,
}

/// The parts of a request that a replay matches, and its content type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The absolute URI of the request.
    pub uri: String,
    /// [`Request::scope`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The headers; names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(flatten)]
    pub body: RecordedBody,
}

/// A complete response.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedResponse {
    /// The status code.
    pub status: u16,
    /// The headers; names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(flatten)]
    pub body: RecordedBody,
}

/// A transport error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedError {
    /// `timeout`, `dns`, `connection`, `exhausted`, `tls`, `proxy` or `too_large`.
    pub kind: String,
    /// The error message.
    pub message: String,
}

/// A body: JSON as JSON, text as a string, anything else in a file next to the cassette.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedBody {
    /// A JSON object or array is a JSON body; a string is a text body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The name of the file that contains the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_file: Option<String>,
}

impl RecordedBody {
    /// Returns the body as stored in a cassette; `None` for XML and binary bodies, which need a
    /// file.
    #[must_use]
    pub fn inline(bytes: &[u8]) -> Option<Self> {
        let value = match serde_json::from_slice::<Value>(bytes) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
            _ => match std::str::from_utf8(bytes).ok()? {
                xml if xml.trim_start().starts_with('<') => return None,
                text => Value::String(text.to_owned()),
            },
        };
        Some(Self {
            body: (!bytes.is_empty()).then_some(value),
            body_file: None,
        })
    }

    /// Returns the body with its secret fields and all occurrences of `secrets` redacted.
    #[must_use]
    pub fn without(mut self, secrets: &[String]) -> Self {
        match &mut self.body {
            Some(Value::String(form)) => *form = redact_text(form, secrets),
            Some(value) => redact_json(value, secrets),
            None => {}
        }
        self
    }

    /// Returns the bytes of the body; `dir` is the directory of the cassette.
    ///
    /// # Errors
    /// The file next to the cassette cannot be read or is outside `dir`, or both fields are set.
    pub fn bytes(&self, dir: &Path) -> io::Result<Vec<u8>> {
        match (&self.body, &self.body_file) {
            (None, None) => Ok(Vec::new()),
            (Some(Value::String(text)), None) => Ok(text.clone().into_bytes()),
            (Some(value), None) => Ok(serde_json::to_vec(value)?),
            (None, Some(name)) if !name.contains(['/', '\\']) => fs::read(dir.join(name))
                .map_err(|e| io::Error::new(e.kind(), format!("{name}: {e}"))),
            _ => Err(invalid(
                "`body` and `body_file` exclude each other, and `body_file` is only a file name",
            )),
        }
    }
}

impl Interaction {
    /// Returns the recorded result of [`HttpClient::send`](crate::http::HttpClient::send); `dir` is the directory of the
    /// cassette.
    ///
    /// # Errors
    /// The interaction has neither or both of `response` and `error`, or its body cannot be read.
    pub fn result(&self, dir: &Path) -> io::Result<Result<Response, TransportError>> {
        match (&self.response, &self.error) {
            (Some(response), None) => Ok(Ok(Response {
                status: response.status,
                headers: response.headers.clone().into_iter().collect(),
                body: response.body.bytes(dir)?,
            })),
            (None, Some(error)) => Ok(Err(TransportError {
                kind: kind_from(&error.kind)?,
                message: error.message.clone(),
            })),
            _ => Err(invalid(
                "an interaction needs either a `response` or an `error`",
            )),
        }
    }
}

/// Returns the key by which a replay matches a request: method, URI, scope, `X-Amz-Target` and
/// body. It contains nothing that is secret or that changes between runs.
#[must_use]
pub fn key(request: &RecordedRequest) -> String {
    let target = request.headers.get("x-amz-target").map_or("", |t| t);
    let scope = request.scope.as_deref().unwrap_or_default();
    let body = request
        .body
        .body
        .as_ref()
        .map(Value::to_string)
        .unwrap_or_default();
    let RecordedRequest { method, uri, .. } = request;
    [method, uri, scope, target, body.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Returns the part of `request` that is recorded, without authorization, dates and tokens.
#[must_use]
pub fn recorded_request(request: &Request) -> RecordedRequest {
    let headers = ["content-type", "x-amz-target"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), request.header(name)?.to_owned())));
    RecordedRequest {
        method: request.method.to_owned(),
        uri: request.uri.clone(),
        scope: request.scope.clone(),
        headers: headers.collect(),
        body: RecordedBody::inline(&request.body)
            .unwrap_or_default()
            .without(&secrets_of(request)),
    }
}

/// Returns the name of a transport error in a cassette; `None` if the kind is not recorded.
#[must_use]
pub fn kind_name(kind: TransportErrorKind) -> Option<&'static str> {
    let (_, name) = KINDS.iter().find(|(k, _)| *k == kind)?;
    Some(name)
}

const KINDS: [(TransportErrorKind, &str); 7] = [
    (TransportErrorKind::Dns, "dns"),
    (TransportErrorKind::Timeout, "timeout"),
    (TransportErrorKind::Connection, "connection"),
    (TransportErrorKind::Exhausted, "exhausted"),
    (TransportErrorKind::Tls, "tls"),
    (TransportErrorKind::Proxy, "proxy"),
    (TransportErrorKind::TooLarge, "too_large"),
];

fn kind_from(name: &str) -> io::Result<TransportErrorKind> {
    let found = KINDS.iter().find(|(_, n)| *n == name);
    found.map(|(kind, _)| *kind).ok_or_else(|| {
        invalid(
            "invalid error kind; expected timeout, dns, connection, exhausted, tls, proxy or \
             too_large",
        )
    })
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_body_depends_on_its_format() {
        let inline = |bytes: &[u8]| RecordedBody::inline(bytes).map(|b| b.body);
        assert_eq!(inline(b""), Some(None));
        assert_eq!(
            inline(br#"{"a":1}"#),
            Some(Some(serde_json::json!({"a": 1})))
        );
        assert_eq!(inline(b"Action=X"), Some(Some("Action=X".into())));
        assert_eq!(inline(b"12"), Some(Some("12".into())), "not a JSON body");
        assert_eq!(inline(b" <a/>"), None, "XML is stored in a file");
        assert_eq!(inline(b"\xff"), None);
    }

    #[test]
    fn unknown_fields_are_rejected() {
        let known = r#"{"interactions": [{"request": {"method": "GET", "uri": "u"},
            "response": {"status": 200}}]}"#;
        assert!(serde_json::from_str::<Cassette>(known).is_ok());
        for (at, extra) in [
            ("\"interactions\"", "\"surprise\": 1, \"interactions\""),
            ("\"request\"", "\"surprise\": 1, \"request\""),
            ("\"method\"", "\"surprise\": 1, \"method\""),
            ("\"status\"", "\"surprise\": 1, \"status\""),
        ] {
            let error = serde_json::from_str::<Cassette>(&known.replace(at, extra))
                .unwrap_err()
                .to_string();
            assert!(error.contains("surprise"), "{at}: {error}");
        }
    }
}
