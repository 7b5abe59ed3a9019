//! The reply of the server to a request: an HTTP response, or a fault.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;

/// The reply to one request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The minimum time between the arrival of the request and the reply.
    pub delay: Duration,
    /// The bytes to send, and the state of the connection afterwards.
    pub action: Action,
}

/// The bytes of a reply.
#[derive(Debug, Clone)]
pub enum Action {
    /// An HTTP response.
    Response(HttpResponse),
    /// Raw bytes, and the action that follows them.
    Bytes(Vec<u8>, FollowUp),
}

/// The action after raw bytes.
#[derive(Debug, Clone)]
pub enum FollowUp {
    /// Read the next request.
    Keep,
    /// Close the connection.
    Close,
    /// Reset the connection.
    Reset,
    /// Send nothing until the client closes or the server is dropped.
    Stall,
    /// Send the bytes this many times, then close.
    Flood(Arc<[u8]>, usize),
    /// Send one byte per second, then close.
    Drip(Vec<u8>),
}

/// An HTTP response.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers without Content-Length; a request ID is added if it is missing.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body, shared: a page is rendered once and sent many times.
    pub body: Arc<[u8]>,
    /// The way in which it is sent.
    pub delivery: Delivery,
}

/// The way in which a response is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Complete.
    Whole,
    /// Complete; then the connection is closed although the response does not announce it.
    ThenClose,
    /// Half of the body; then the connection is closed.
    Half,
    /// With this Content-Length; if the body is shorter, the connection is closed after it.
    Declared(usize),
}

impl HttpResponse {
    /// Returns the reason phrase, which clients ignore.
    pub fn reason(&self) -> &'static str {
        if self.status < 300 { "OK" } else { "Other" }
    }
}

impl Reply {
    fn new(action: Action) -> Self {
        let delay = Duration::ZERO;
        Self { delay, action }
    }

    /// Creates a response with a status, a content type and a body.
    pub fn response(status: u16, content_type: &'static str, body: impl Into<Arc<[u8]>>) -> Self {
        Self::new(Action::Response(HttpResponse {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
            delivery: Delivery::Whole,
        }))
    }

    /// Creates a response with status 200 and JSON.
    pub fn json(body: &Value) -> Self {
        Self::json_bytes(body.to_string().into_bytes())
    }

    /// Creates a response with status 200 and rendered JSON.
    pub fn json_bytes(body: impl Into<Arc<[u8]>>) -> Self {
        Self::response(200, "application/x-amz-json-1.1", body)
    }

    /// Creates a response with status 200 and XML.
    pub fn xml(body: impl Into<String>) -> Self {
        Self::response(200, "text/xml;charset=UTF-8", body.into().into_bytes())
    }

    /// Creates an error response in the format of the service that was called.
    pub fn error(call: &Call, status: u16, code: &str, message: &str) -> Self {
        let id = call.request_id();
        let (code_xml, message_xml) = (escape(code), escape(message));
        let body = match call.service.as_str() {
            "ec2" => format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>\
                 {code_xml}</Code><Message>{message_xml}</Message></Error></Errors><RequestID>{id}\
                 </RequestID></Response>"
            ),
            "sts" | "iam" => format!(
                "<ErrorResponse xmlns=\"https://{}.amazonaws.com/doc/\"><Error><Type>Sender</Type>\
                 <Code>{code_xml}</Code><Message>{message_xml}</Message></Error><RequestId>{id}\
                 </RequestId></ErrorResponse>",
                call.service
            ),
            _ => {
                let body = json!({"__type": code, "message": message}).to_string();
                return Self::response(status, "application/x-amz-json-1.1", body.into_bytes());
            }
        };
        Self::response(status, "text/xml;charset=UTF-8", body.into_bytes())
    }

    /// Creates a throttling error in the format of the service that was called.
    pub fn throttled(call: &Call) -> Self {
        match call.service.as_str() {
            "ec2" => Self::error(call, 503, "RequestLimitExceeded", "Request limit exceeded."),
            "config" => Self::error(call, 400, "ThrottlingException", "Rate exceeded"),
            _ => Self::error(call, 400, "Throttling", "Rate exceeded"),
        }
    }

    /// Creates a reply of raw bytes, after which the connection is closed.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::bytes_then(bytes, FollowUp::Close)
    }

    /// Creates a reply of raw bytes, followed by `then`.
    pub fn bytes_then(bytes: impl Into<Vec<u8>>, then: FollowUp) -> Self {
        Self::new(Action::Bytes(bytes.into(), then))
    }

    /// Creates a reply that closes the connection.
    pub fn close() -> Self {
        Self::bytes_then([], FollowUp::Close)
    }

    /// Creates a reply that resets the connection.
    pub fn reset() -> Self {
        Self::bytes_then([], FollowUp::Reset)
    }

    /// Creates a reply that sends nothing and keeps the connection open.
    pub fn stall() -> Self {
        Self::bytes_then([], FollowUp::Stall)
    }

    /// Delays the reply by `delay` after the arrival of the request.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Adds a header to the response.
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.response_mut()
            .headers
            .push((name.into(), value.into()));
        self
    }

    /// Returns the status of the response; `None` for raw bytes.
    pub fn status(&self) -> Option<u16> {
        match &self.action {
            Action::Response(response) => Some(response.status),
            Action::Bytes(..) => None,
        }
    }

    /// Returns the length of the response's body in bytes.
    pub fn body_length(&self) -> usize {
        self.body().len()
    }

    /// Returns the response's body; panics for raw bytes.
    pub fn body(&self) -> &[u8] {
        match &self.action {
            Action::Response(response) => &response.body,
            other @ Action::Bytes(..) => panic!("{other:?} is not a response"),
        }
    }

    /// Returns the body as a client receives it, limited by Content-Length; `None` for raw bytes.
    pub fn received_body(&self) -> Option<&[u8]> {
        let Action::Response(response) = &self.action else {
            return None;
        };
        let length = match response.delivery {
            Delivery::Declared(length) => length.min(response.body.len()),
            _ => response.body.len(),
        };
        Some(&response.body[..length])
    }

    /// Sets the way in which the response is sent.
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.response_mut().delivery = delivery;
        self
    }

    /// Truncates the response in the middle of its body.
    pub fn truncated(self) -> Self {
        self.delivered(Delivery::Half)
    }

    /// Closes the connection after the complete response.
    pub fn then_close(self) -> Self {
        self.delivered(Delivery::ThenClose)
    }

    /// Sends the response with this Content-Length.
    pub fn with_content_length(self, length: usize) -> Self {
        self.delivered(Delivery::Declared(length))
    }

    fn response_mut(&mut self) -> &mut HttpResponse {
        match &mut self.action {
            Action::Response(response) => response,
            other @ Action::Bytes(..) => panic!("{other:?} is not a response"),
        }
    }
}

/// Escapes `text` as XML character data.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
