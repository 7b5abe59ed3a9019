//! One attempt of a call: signs and sends it, and classifies the response.

use std::time::Duration;

use time::OffsetDateTime;

use super::transport::Transport;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::endpoint::Endpoint;
use crate::aws::error::{Bound, Cause, ErrorKind, SigningError};
use crate::aws::operation::{Operation, RequestBody};
use crate::aws::protocol::{self, ErrorBody, ParseError};
use crate::aws::sign::sign;
use crate::aws::usage::Usage;
use crate::http::{Private, Request, Response, TransportError, TransportErrorKind};
use crate::model::Region;
use crate::redact;
use crate::secret::Redactor;
use crate::untrusted::{Redacted, Untrusted};

/// The length of the start of a body that is searched for credentials, in bytes; more than is shown.
const MAX_START: usize = 16_000;

/// One attempt of a call.
pub(super) struct Attempt<'a> {
    pub(super) transport: &'a Transport,
    pub(super) credentials: &'a ResolvedCredentials,
    pub(super) region: &'a Region,
    /// The number of the attempt, from 1.
    pub(super) number: u32,
    /// The longest time that it may take.
    pub(super) budget: Duration,
}

/// The result of one attempt.
pub(super) struct AttemptResult<T> {
    pub(super) result: Result<T, Cause>,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
    /// The usage of the attempt; `None` if no request was sent.
    pub(super) usage: Option<Usage>,
    /// The HTTP status; `None` if there was no response.
    pub(super) status: Option<u16>,
    /// The time that the attempt took.
    pub(super) took: Duration,
}

impl<T> AttemptResult<T> {
    /// Creates the result of an attempt that was not sent.
    pub(super) fn unsent(cause: Cause) -> Self {
        Self {
            result: Err(cause),
            request_id: None,
            retry_after: None,
            usage: None,
            status: None,
            took: Duration::ZERO,
        }
    }
}

impl Attempt<'_> {
    /// Signs and sends the request, and classifies the response.
    pub(super) fn send<O: Operation>(&self, operation: &O) -> AttemptResult<O::Output> {
        if self.is_interrupted() {
            return AttemptResult::unsent(interrupted());
        }
        let request = match self.signed_request(operation) {
            Ok(request) => request,
            Err(why) => return AttemptResult::unsent(Cause::Signing(why)),
        };
        let redactor = redactor(self.credentials, &request);
        let clock = &*self.transport.clock;
        let before = clock.elapsed();
        let sent = self.transport.http.send(&request);
        let took = clock.elapsed().saturating_sub(before);
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                let cause = if self.is_interrupted() {
                    interrupted()
                } else {
                    Cause::Transport(error)
                };
                return AttemptResult {
                    usage: Some(self.usage(0, None)),
                    took,
                    ..AttemptResult::unsent(cause)
                };
            }
        };
        let is_success = (200..300).contains(&response.status);
        let error = (!is_success).then(|| protocol::error_body(&response.body));
        let request_id = request_id(&response, error.as_ref());
        let result = match error {
            Some(error) => Err(service_error::<O>(&response, error, &redactor, clock.now())),
            None => operation
                .parse(&response.body)
                .map_err(|error| unreadable::<O>(&response, &error, &redactor)),
        };
        let kind = result.as_ref().err().and_then(Cause::kind);
        AttemptResult {
            usage: Some(self.usage(response.body.len() as u64, kind)),
            result,
            request_id: request_id.map(|id| id.redact(&redactor).shown(80)),
            retry_after: retry_after(&response),
            status: Some(response.status),
            took,
        }
    }

    fn is_interrupted(&self) -> bool {
        self.transport.interrupt.signal().is_some()
    }

    fn signed_request<O: Operation>(&self, operation: &O) -> Result<Request, SigningError> {
        let endpoint = self.transport.endpoints.resolve(O::SERVICE, self.region)?;
        let mut request = request(operation, &endpoint, self.budget);
        if O::SIGNED {
            let (name, scope) = (O::SERVICE.name(), &endpoint.signing_region);
            let (keys, now) = (&self.credentials.credentials, self.transport.clock.now());
            sign(&mut request, keys, name, scope, now)?;
        }
        Ok(request)
    }

    /// Returns the usage of the sent attempt, which received `bytes` and an error of this kind.
    fn usage(&self, bytes: u64, kind: Option<ErrorKind>) -> Usage {
        Usage {
            requests: 1,
            retries: u64::from(self.number > 1),
            throttles: u64::from(kind == Some(ErrorKind::Throttling)),
            bytes,
        }
    }
}

fn request<O: Operation>(operation: &O, endpoint: &Endpoint, budget: Duration) -> Request {
    let (headers, body) = match operation.request_body() {
        RequestBody::Json { target, body } => (
            vec![
                ("content-type", protocol::json::CONTENT_TYPE.to_owned()),
                ("x-amz-target", target),
            ],
            body,
        ),
        RequestBody::Query(parameters) => (
            vec![("content-type", protocol::query::CONTENT_TYPE.to_owned())],
            protocol::query::body(&parameters),
        ),
    };
    let region = &endpoint.signing_region;
    Request {
        method: "POST",
        uri: endpoint.uri.clone(),
        headers,
        body,
        scope: endpoint
            .custom
            .then(|| format!("{}/{region}", O::SERVICE.name())),
        budget,
        private: Private {
            response: O::RETURNS_CREDENTIALS,
            path: endpoint.has_path(),
        },
    }
}

/// Returns the redactor of the credentials and of the request's signature.
fn redactor(credentials: &ResolvedCredentials, request: &Request) -> Redactor {
    let redactor = credentials.redactor();
    let authorization = request.header("authorization");
    match authorization.and_then(|text| text.split_once("Signature=")) {
        Some((_, signature)) => redactor.with(signature),
        None => redactor,
    }
}

/// Returns the request ID from the header (JSON services and EC2), else from the body.
fn request_id(response: &Response, error: Option<&ErrorBody>) -> Option<Untrusted> {
    let header = ["x-amzn-requestid", "x-amz-request-id"]
        .into_iter()
        .find_map(|name| response.header(name));
    header
        .map(Untrusted::from)
        .or_else(|| error?.request_id.clone())
}

/// Returns `x-amz-retry-after`, in milliseconds; `None` if it is absent or not a number.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.header("x-amz-retry-after")?;
    text.trim().parse().ok().map(Duration::from_millis)
}

/// Returns the meaning of an error response.
fn service_error<O: Operation>(
    response: &Response,
    error: ErrorBody,
    redactor: &Redactor,
    now: OffsetDateTime,
) -> Cause {
    let status = response.status;
    // The header takes precedence over the body, as in aws-sdk-rust.
    let header = response.header("x-amzn-errortype");
    let code = header.map_or(error.code, |code| protocol::json::bare_code(code).into());
    let kind = ErrorKind::from_code(code.raw(), status);
    let about_time = matches!(kind, ErrorKind::BadSignature)
        || matches!(code.raw(), "AuthFailure" | "RequestExpired");
    let code = redacted::<O>(&code, redactor).shown(80);
    let offset = clock_offset(response.header("date"), now);
    match offset.filter(|_| about_time) {
        Some(offset_minutes) => Cause::ClockSkew {
            code,
            offset_minutes,
            status,
        },
        None => Cause::Service {
            kind,
            code,
            message: error_message::<O>(&error.message, redactor),
            status,
        },
    }
}

/// Returns the service's message as it is shown: without a full stop, because the advice follows
/// after a semicolon.
fn error_message<O: Operation>(message: &Untrusted, redactor: &Redactor) -> String {
    let message = redacted::<O>(message, redactor);
    let message = message.map(|text| text.trim().trim_end_matches('.').to_owned());
    message.shown(400)
}

/// Returns `text` without secrets: as that of a source of credentials if the operation returns credentials.
fn redacted<O: Operation>(text: &Untrusted, redactor: &Redactor) -> Redacted {
    let text = text.redact(redactor);
    if O::RETURNS_CREDENTIALS {
        text.map(redact::source)
    } else {
        text
    }
}

/// Returns the cause of a 2xx response that could not be parsed, with the start of its body unless
/// it may contain credentials.
fn unreadable<O: Operation>(response: &Response, error: &ParseError, redactor: &Redactor) -> Cause {
    let why = error.reason().redact(redactor).shown(200);
    let body = Untrusted::from_bytes(&response.body).redact(redactor);
    let start = body.map(|text| text.trim().to_owned()).shown(60);
    let is_secret = O::RETURNS_CREDENTIALS && may_contain_credentials(&response.body);
    let reason = match start {
        _ if is_secret => format!("{error}, which may contain credentials"),
        start if start.is_empty() => "the body is empty".to_owned(),
        start => format!("{why}; it starts with: {start}"),
    };
    Cause::Unreadable {
        max_retries: error.max_retries(),
        reason,
        status: response.status,
    }
}

/// Returns true if the start of a body has a secret field or a text that looks like a key.
fn may_contain_credentials(body: &[u8]) -> bool {
    let start = &body[..body.len().min(MAX_START)];
    let text = String::from_utf8_lossy(start);
    redact::source(&text) != text
}

/// Returns the cause of a call that `bound` ended before its first attempt.
pub(super) fn ended(bound: Bound) -> Cause {
    match bound {
        Bound::Call | Bound::Region => interrupted(),
        Bound::Scan => Cause::Transport(Transport::out_of_time()),
    }
}

pub(super) fn interrupted() -> Cause {
    Cause::Transport(TransportError {
        kind: TransportErrorKind::Interrupted,
        message: "the run was interrupted".to_owned(),
    })
}

/// Returns the local time minus the time in `date_header`, in minutes; `None` if the difference is
/// at most four minutes. The services accept five, and the response takes some time to arrive.
fn clock_offset(date_header: Option<&str>, now: OffsetDateTime) -> Option<i64> {
    let rfc2822 = &time::format_description::well_known::Rfc2822;
    let theirs = OffsetDateTime::parse(date_header?, rfc2822).ok()?;
    let offset = now - theirs;
    (offset.abs() > time::Duration::minutes(4)).then(|| offset.whole_minutes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_offset_begins_above_four_minutes() {
        let now = time::macros::datetime!(2026-11-24 12:00:00 UTC);
        let offset = |date| clock_offset(Some(date), now);
        assert_eq!(offset("Tue, 24 Nov 2026 11:57:00 GMT"), None);
        assert_eq!(offset("Tue, 24 Nov 2026 11:30:00 GMT"), Some(30));
        assert_eq!(offset("Tue, 24 Nov 2026 13:00:00 GMT"), Some(-60));
        assert_eq!(offset("yesterday"), None);
        assert_eq!(clock_offset(None, now), None);
    }
}
