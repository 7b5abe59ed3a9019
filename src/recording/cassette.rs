//! The files of a recording: JSON with the field names of VCR cassettes.
//!
//! A recording contains `interactions/*.json`, each with a list of interactions in chronological
//! order. A JSON body is stored as JSON, so that a diff shows the changed count; text is stored as
//! a string; XML and binary bodies are stored in a file next to the cassette. Unknown fields are
//! rejected.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::credentials;
use super::secrets::{Content, redact_bytes, redact_json, redact_text, redactor};
use super::source::{INTERACTIONS_DIR, Source, with_path};
use crate::http::{Request, Response, TransportError};
use crate::redact::REDACTED;
use crate::secret::Redactor;

/// One file of a recording.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cassette {
    /// The interactions, in order.
    pub interactions: Vec<Interaction>,
}

/// A request with its response or transport error.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
    /// The position in the order of time while recording many accounts, else 0.
    #[serde(skip)]
    pub order: usize,
}

/// The parts of a request that a replay matches, and its content type.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedRequest {
    /// The HTTP method.
    pub method: String,
    /// The absolute URI of the request.
    pub uri: String,
    /// [`Request::scope`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The account whose credentials signed the request, in a recording of many accounts; none for the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
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

/// The error of a [`RecordedError::kind`] without such a name.
const INVALID_KIND: &str = "invalid error kind; expected timeout, dns, connection, exhausted, \
                            tls, proxy or too_large";

/// A transport error.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedError {
    /// The name of a [`TransportErrorKind`](crate::http::TransportErrorKind).
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
    /// The content of that file, until it is written: an XML or a binary body.
    #[serde(skip)]
    pub file_content: Option<Vec<u8>>,
}

impl RecordedBody {
    /// Returns the body without secret fields and the secrets of `redactor`.
    #[must_use]
    pub fn new(bytes: &[u8], content: Content, redactor: &Redactor) -> Self {
        let text = str::from_utf8(bytes);
        let value = match (serde_json::from_slice(bytes), text) {
            _ if bytes.is_empty() => return Self::default(),
            (Ok(mut json @ (Value::Object(_) | Value::Array(_))), _) => {
                redact_json(&mut json, content, redactor);
                json
            }
            (_, Ok(text)) if content == Content::Credentials => {
                match credentials::redact_xml(text, redactor) {
                    Some(xml) => return Self::from_file(xml.into_bytes()),
                    None => REDACTED.into(),
                }
            }
            _ if content == Content::Credentials => REDACTED.into(),
            (_, Ok(text)) if !text.trim_start().starts_with('<') => {
                redact_text(text, redactor).into()
            }
            _ => return Self::from_file(redact_bytes(bytes, redactor)),
        };
        Self {
            body: Some(value),
            ..Self::default()
        }
    }

    fn from_file(content: Vec<u8>) -> Self {
        Self {
            file_content: Some(content),
            ..Self::default()
        }
    }

    /// Returns the bytes of the body; `source` is the recording of the cassette.
    ///
    /// # Errors
    /// The file next to the cassette cannot be read or is in another directory, or both fields are
    /// set.
    pub fn bytes(&self, source: &Source) -> io::Result<Vec<u8>> {
        match (&self.body, &self.body_file) {
            (None, None) => Ok(Vec::new()),
            (Some(Value::String(text)), None) => Ok(text.clone().into_bytes()),
            (Some(value), None) => Ok(serde_json::to_vec(value)?),
            (None, Some(name)) if !name.contains(['/', '\\']) => {
                let path = Path::new(INTERACTIONS_DIR).join(name);
                source.read(&path).map_err(with_path(name.as_ref()))
            }
            _ => Err(invalid(
                "`body` and `body_file` exclude each other, and `body_file` is only a file name",
            )),
        }
    }
}

impl Interaction {
    /// Returns the recorded result of [`HttpClient::send`](crate::http::HttpClient::send); `source` is the recording of
    /// the cassette.
    ///
    /// # Errors
    /// The interaction has neither or both of `response` and `error`, or its body cannot be read.
    pub fn result(&self, source: &Source) -> io::Result<Result<Response, TransportError>> {
        match (&self.response, &self.error) {
            (Some(response), None) => Ok(Ok(Response {
                status: response.status,
                headers: response.headers.clone().into_iter().collect(),
                body: response.body.bytes(source)?,
            })),
            (None, Some(error)) => Ok(Err(TransportError {
                kind: serde_json::from_value(error.kind.as_str().into())
                    .map_err(|_| invalid(INVALID_KIND))?,
                message: error.message.clone(),
            })),
            _ => Err(invalid(
                "an interaction needs either a `response` or an `error`",
            )),
        }
    }
}

/// Returns the key by which a replay matches a request: method, URI, scope, account, `X-Amz-Target` and
/// body. It contains nothing that is secret or that changes between runs.
#[must_use]
pub fn key(request: &RecordedRequest) -> String {
    let target = request.headers.get("x-amz-target");
    let body = request.body.body.as_ref().map(Value::to_string);
    let optional = request
        .scope
        .iter()
        .chain(&request.account)
        .chain(target)
        .chain(&body);
    let mut key = format!("{} {}", request.method, request.uri);
    for part in optional.filter(|part| !part.is_empty()) {
        key.push(' ');
        key.push_str(part);
    }
    key
}

/// Returns the part of `request` that is recorded, without authorization, dates and tokens.
#[must_use]
pub fn recorded_request(request: &Request) -> RecordedRequest {
    let header = |name: &str| Some((name.to_owned(), request.header(name)?.to_owned()));
    let headers = ["content-type", "x-amz-target"].into_iter();
    RecordedRequest {
        method: request.method.to_owned(),
        uri: request.public_uri(),
        scope: request.scope.clone(),
        account: None,
        headers: headers.filter_map(header).collect(),
        body: RecordedBody::new(&request.body, Content::Names, &redactor(request)),
    }
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_body_depends_on_its_format() {
        let inline = |bytes: &[u8]| {
            let body = RecordedBody::new(bytes, Content::Names, &Redactor::default());
            body.file_content.is_none().then_some(body.body)
        };
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
