//! The files of a recording: small JSON in the vocabulary of VCR cassettes.
//!
//! A folder holds `interactions/*.json`, each with a list of interactions in the order in which
//! they happened. A JSON body is real JSON, so that a diff shows the count that changed; any other
//! body stands in a file beside it. Unknown fields are refused.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Request, Response, TransportError, TransportErrorKind, redact};

/// The folder of the cassettes inside a recording.
pub const FOLDER: &str = "interactions";

/// One file of a recording.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    /// The exchanges, in their order.
    pub interactions: Vec<Interaction>,
}

/// One request and what came of it: a response, or a failure to get one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interaction {
    /// What was sent.
    pub request: RecordedRequest,
    /// What came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<RecordedResponse>,
    /// Why nothing came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// When, in RFC 2822; kept where the response's own `date` matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<String>,
}

/// The parts of a request that take part in matching, and its content type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The absolute URI.
    pub uri: String,
    /// [`Request::scope`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Header names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(flatten)]
    pub body: RecordedBody,
}

/// A whole response.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedResponse {
    /// The status code.
    pub status: u16,
    /// Header names in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body.
    #[serde(flatten)]
    pub body: RecordedBody,
}

/// A transport failure.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedError {
    /// `timeout`, `dns`, `connection`, `exhausted`, `tls`, `proxy` or `too_large`.
    pub kind: String,
    /// What the sender said.
    pub message: String,
}

/// A body: JSON as it is, text as a string, anything else in a file beside the cassette.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordedBody {
    /// An object or a list is a JSON body; a string is a body of that text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The name of the file that holds the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_file: Option<String>,
}

impl RecordedBody {
    /// The body as a cassette writes it; `None` in both fields where only a file can hold it.
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

    /// The body without its secret fields and without `secrets`.
    #[must_use]
    pub fn without(mut self, secrets: &[String]) -> Self {
        match &mut self.body {
            Some(Value::String(form)) => *form = redact::text(form, secrets),
            Some(value) => redact::json(value, secrets),
            None => {}
        }
        self
    }

    /// The bytes of the body.
    ///
    /// # Errors
    /// The file beside the cassette cannot be read, or is named outside the folder.
    pub fn bytes(&self, folder: &Path) -> io::Result<Vec<u8>> {
        match (&self.body, &self.body_file) {
            (None, None) => Ok(Vec::new()),
            (Some(Value::String(text)), None) => Ok(text.clone().into_bytes()),
            (Some(value), None) => Ok(serde_json::to_vec(value)?),
            (None, Some(name)) if !name.contains(['/', '\\']) => fs::read(folder.join(name))
                .map_err(|e| io::Error::new(e.kind(), format!("{name}: {e}"))),
            _ => Err(invalid("a body is given twice, or its file lies elsewhere")),
        }
    }
}

impl Interaction {
    /// What [`super::HttpSend::send`] is to answer.
    ///
    /// # Errors
    /// The interaction has no answer or two, or its body cannot be read.
    pub fn answer(&self, folder: &Path) -> io::Result<Result<Response, TransportError>> {
        match (&self.response, &self.error) {
            (Some(response), None) => Ok(Ok(Response {
                status: response.status,
                headers: response.headers.clone().into_iter().collect(),
                body: response.body.bytes(folder)?,
            })),
            (None, Some(error)) => Ok(Err(TransportError {
                kind: kind_from(&error.kind)?,
                message: error.message.clone(),
            })),
            _ => Err(invalid(
                "an interaction has either a `response` or an `error`",
            )),
        }
    }
}

/// What a replay matches: method, URI, scope, `X-Amz-Target` and body, nothing that is secret or
/// changes from run to run.
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

/// The part of `request` that is recorded: authorization, dates and tokens stay out.
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
            .without(&redact::secrets_of(request)),
    }
}

/// The name under which a cassette knows a failure.
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
        invalid("an error's kind is one of timeout, dns, connection, exhausted, tls, proxy and too_large")
    })
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_stand_as_what_they_are() {
        let inline = |bytes: &[u8]| RecordedBody::inline(bytes).map(|b| b.body);
        assert_eq!(inline(b""), Some(None));
        assert_eq!(
            inline(br#"{"a":1}"#),
            Some(Some(serde_json::json!({"a": 1})))
        );
        assert_eq!(inline(b"Action=X"), Some(Some("Action=X".into())));
        assert_eq!(inline(b"12"), Some(Some("12".into())), "not a JSON body");
        assert_eq!(inline(b" <a/>"), None, "XML stands in a file");
        assert_eq!(inline(b"\xff"), None);
    }

    #[test]
    fn unknown_fields_are_refused() {
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
