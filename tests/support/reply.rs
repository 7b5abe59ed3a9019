//! What the server does with a request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;

/// What the server does with one request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// How long after the request's arrival.
    pub delay: Duration,
    /// What then.
    pub action: Action,
}

/// What happens on the connection.
#[derive(Debug, Clone)]
pub enum Action {
    /// An HTTP answer.
    Answer(Answer),
    /// These bytes as they stand, and what follows them.
    Bytes(Vec<u8>, Then),
}

/// What follows bytes that are sent as they stand.
#[derive(Debug, Clone)]
pub enum Then {
    /// The next request.
    Keep,
    /// The end of the connection, in order.
    Close,
    /// A reset.
    Reset,
    /// Nothing, until the client goes or the server is dropped.
    Stall,
    /// The same piece as often as this, then the end.
    Flood(Arc<[u8]>, usize),
    /// These, one a second, then the end.
    Drip(Vec<u8>),
}

/// An HTTP answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers besides the length; the request id is added where it is not among them.
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    /// The body, shared so that a page that is rendered once can be sent often.
    pub body: Arc<[u8]>,
    /// How it is sent.
    pub delivery: Delivery,
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As it should be.
    Whole,
    /// As it should be; then the connection, said to be kept, is closed.
    ThenClose,
    /// Half of the body, then the connection is closed.
    Half,
    /// With this Content-Length; where the body is shorter, the connection is closed after it.
    Declared(usize),
}

impl Answer {
    /// What stands beside the status; nobody reads it.
    pub fn reason(&self) -> &'static str {
        if self.status < 300 { "OK" } else { "Other" }
    }
}

impl Reply {
    fn new(action: Action) -> Self {
        let delay = Duration::ZERO;
        Self { delay, action }
    }

    /// An answer with `status`, a content type and a body.
    pub fn answer(status: u16, content_type: &'static str, body: impl Into<Arc<[u8]>>) -> Self {
        Self::new(Action::Answer(Answer {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
            delivery: Delivery::Whole,
        }))
    }

    /// 200 with JSON.
    pub fn json(body: &Value) -> Self {
        Self::json_bytes(body.to_string().into_bytes())
    }

    /// 200 with JSON that is rendered already.
    pub fn json_bytes(body: impl Into<Arc<[u8]>>) -> Self {
        Self::answer(200, "application/x-amz-json-1.1", body)
    }

    /// 200 with XML.
    pub fn xml(body: impl Into<String>) -> Self {
        Self::answer(200, "text/xml;charset=UTF-8", body.into().into_bytes())
    }

    /// A service's error, in the shape of the service that was called.
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
                return Self::answer(status, "application/x-amz-json-1.1", body.into_bytes());
            }
        };
        Self::answer(status, "text/xml;charset=UTF-8", body.into_bytes())
    }

    /// The answer of a service that is asked too often.
    pub fn throttled(call: &Call) -> Self {
        match call.service.as_str() {
            "ec2" => Self::error(call, 503, "RequestLimitExceeded", "Request limit exceeded."),
            "config" => Self::error(call, 400, "ThrottlingException", "Rate exceeded"),
            _ => Self::error(call, 400, "Throttling", "Rate exceeded"),
        }
    }

    /// These bytes, and the end of the connection.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::bytes_then(bytes, Then::Close)
    }

    /// These bytes, and what follows them.
    pub fn bytes_then(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        Self::new(Action::Bytes(bytes.into(), then))
    }

    /// The end of the connection.
    pub fn close() -> Self {
        Self::bytes_then([], Then::Close)
    }

    /// A reset.
    pub fn reset() -> Self {
        Self::bytes_then([], Then::Reset)
    }

    /// Silence.
    pub fn stall() -> Self {
        Self::bytes_then([], Then::Stall)
    }

    /// The same, `delay` after the request's arrival.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The same answer with one more header.
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.answer_mut().headers.push((name.into(), value.into()));
        self
    }

    /// The answer's status; none where the bytes are sent as they stand.
    pub fn status(&self) -> Option<u16> {
        match &self.action {
            Action::Answer(answer) => Some(answer.status),
            Action::Bytes(..) => None,
        }
    }

    /// The bytes of the answer's body.
    pub fn body_length(&self) -> usize {
        self.body().len()
    }

    /// The answer's body.
    pub fn body(&self) -> &[u8] {
        match &self.action {
            Action::Answer(answer) => &answer.body,
            other @ Action::Bytes(..) => panic!("{other:?} is no answer"),
        }
    }

    /// What a client takes for the answer's body; none where bytes are sent as they stand.
    pub fn arriving(&self) -> Option<&[u8]> {
        let Action::Answer(answer) = &self.action else {
            return None;
        };
        let length = match answer.delivery {
            Delivery::Declared(length) => length.min(answer.body.len()),
            _ => answer.body.len(),
        };
        Some(&answer.body[..length])
    }

    /// The same answer, sent in this way.
    pub fn delivered(mut self, delivery: Delivery) -> Self {
        self.answer_mut().delivery = delivery;
        self
    }

    /// The same answer, cut in the middle of its body.
    pub fn half(self) -> Self {
        self.delivered(Delivery::Half)
    }

    /// The same answer, after which the idle connection is closed.
    pub fn then_close(self) -> Self {
        self.delivered(Delivery::ThenClose)
    }

    /// The same answer with another Content-Length.
    pub fn declared(self, length: usize) -> Self {
        self.delivered(Delivery::Declared(length))
    }

    fn answer_mut(&mut self) -> &mut Answer {
        match &mut self.action {
            Action::Answer(answer) => answer,
            other @ Action::Bytes(..) => panic!("{other:?} is no answer"),
        }
    }
}

/// `text` as XML's character data.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
