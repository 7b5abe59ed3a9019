//! One attempt of a call: signs and sends it, and classifies the response.

use std::fmt;
use std::time::Duration;

use super::{Client, lock};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::endpoint::Endpoint;
use crate::aws::error::{Cause, ErrorKind, clock_offset};
use crate::aws::operation::{Operation, RequestBody};
use crate::aws::protocol;
use crate::aws::sign::sign;
use crate::aws::usage::Usage;
use crate::http::{Request, Response, TransportError, TransportErrorKind};
use crate::model::Region;
use crate::redact;
use crate::text::sanitize;

/// The trace of an attempt; `Display` is a line for `--debug`.
struct Attempt<'a> {
    operation: String,
    region: &'a Region,
    number: u32,
    took: Duration,
    outcome: &'a Result<Response, TransportError>,
    request_id: Option<&'a str>,
}

impl fmt::Display for Attempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Ok(response) => format!("HTTP {}", response.status),
            Err(error) => sanitize(&error.message, 200),
        };
        write!(
            f,
            "debug: {} {} attempt {}: {outcome} in {} ms (request id {})",
            self.operation,
            self.region,
            self.number,
            self.took.as_millis(),
            sanitize(self.request_id.unwrap_or("none"), 80),
        )
    }
}

/// The result of one attempt, with the request ID and the version of its credentials.
pub(super) struct AttemptResult<T> {
    pub(super) result: Result<T, Cause>,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
    pub(super) version: u64,
}

impl Client {
    /// Sends one attempt, signed with the current credentials.
    pub(super) fn attempt<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        number: u32,
        budget: Duration,
    ) -> AttemptResult<O::Output> {
        let now = self.parts.clock.now();
        let (resolved, version) = self.parts.credentials.for_signing(now);
        let mut outcome = AttemptResult {
            result: Err(interrupted()),
            request_id: None,
            retry_after: None,
            version,
        };
        if self.parts.interrupt.signal().is_some() {
            return outcome;
        }
        let endpoint = match self.parts.endpoints.resolve(O::SERVICE, region) {
            Ok(endpoint) => endpoint,
            Err(why) => {
                outcome.result = Err(Cause::Signing(why));
                return outcome;
            }
        };
        let mut request = request(operation, &endpoint, budget);
        let (scope, name) = (&endpoint.signing_region, O::SERVICE.name());
        if O::SIGNED
            && let Err(why) = sign(&mut request, &resolved.credentials, name, scope, now)
        {
            outcome.result = Err(Cause::Signing(resolved.redact(&why).into_owned()));
            return outcome;
        }
        let before = self.parts.clock.elapsed();
        let sent = self.parts.http.send(&request);
        let error = sent
            .as_ref()
            .ok()
            .filter(|r| !is_success(r))
            .map(|r| protocol::error_body(&r.body));
        outcome.request_id = match (&sent, &error) {
            (Ok(response), error) => request_id(response, error.as_ref()),
            (Err(_), _) => None,
        }
        .map(|id| resolved.redact(&id).into_owned());
        if let Some(trace) = &self.parts.trace {
            trace(&Attempt {
                operation: format!("{}:{}", O::SERVICE.name(), O::NAME),
                region,
                number,
                took: self.parts.clock.elapsed().saturating_sub(before),
                outcome: &sent,
                request_id: outcome.request_id.as_deref(),
            });
        }
        outcome.retry_after = sent.as_ref().ok().and_then(retry_after);
        let bytes = sent.as_ref().map_or(0, |r| r.body.len() as u64);
        outcome.result = match (sent, error) {
            (Err(_), _) if self.parts.interrupt.signal().is_some() => Err(interrupted()),
            (Err(error), _) => Err(Cause::Transport(error)),
            (Ok(response), Some(error)) => Err(self.refusal(&response, error, &resolved)),
            (Ok(response), None) => parse(operation, &response, &resolved),
        };
        let throttled = matches!(
            outcome.result,
            Err(Cause::Service {
                kind: ErrorKind::Throttling,
                ..
            })
        );
        *lock(&self.usage)
            .entry((O::SERVICE, region.clone()))
            .or_default() += Usage {
            requests: 1,
            retries: u64::from(number > 1),
            throttles: u64::from(throttled),
            bytes,
        };
        outcome
    }

    /// Returns the meaning of an error response.
    fn refusal(
        &self,
        response: &Response,
        error: protocol::ErrorBody,
        resolved: &ResolvedCredentials,
    ) -> Cause {
        let status = response.status;
        // The header takes precedence over the body, as in aws-sdk-rust.
        let header = response.header("x-amzn-errortype");
        let code = header.map_or(error.code, protocol::json::bare_code);
        let kind = ErrorKind::from_code(&code, status);
        let about_time = matches!(kind, ErrorKind::BadSignature)
            || matches!(code.as_str(), "AuthFailure" | "RequestExpired");
        let code = resolved.redact(&code).into_owned();
        let offset = clock_offset(response.header("date"), self.parts.clock.now());
        match offset.filter(|_| about_time) {
            Some(offset_minutes) => Cause::ClockSkew {
                code,
                offset_minutes,
                status,
            },
            None => Cause::Service {
                kind,
                code,
                message: redact::start(&resolved.redact(&error.message)),
                status,
            },
        }
    }
}

fn is_success(response: &Response) -> bool {
    (200..300).contains(&response.status)
}

fn parse<O: Operation>(
    operation: &O,
    response: &Response,
    resolved: &ResolvedCredentials,
) -> Result<O::Output, Cause> {
    operation.parse(&response.body).map_err(|mut error| {
        // Redact before cutting: half a secret would no longer be found.
        let body = String::from_utf8_lossy(&response.body);
        let body = resolved.redact(&body);
        let why = sanitize(&resolved.redact(&error.reason), 200);
        error.reason = match sanitize(redact::start(&body).trim(), 60) {
            start if start.is_empty() => "the body is empty".to_owned(),
            start => format!("{why}; it starts with: {start}"),
        };
        Cause::Unreadable {
            error,
            status: response.status,
        }
    })
}

pub(super) fn interrupted() -> Cause {
    Cause::Transport(TransportError {
        kind: TransportErrorKind::Interrupted,
        message: "the run was interrupted".to_owned(),
    })
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
    }
}

/// Returns the request ID from the header (JSON services and EC2), else from the body.
fn request_id(response: &Response, error: Option<&protocol::ErrorBody>) -> Option<String> {
    let header = ["x-amzn-requestid", "x-amz-request-id"]
        .into_iter()
        .find_map(|name| response.header(name));
    let body = || error?.request_id.as_deref();
    header.or_else(body).map(str::to_owned)
}

/// Returns `x-amz-retry-after`, in milliseconds; `None` if it is absent or not a number.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.header("x-amz-retry-after")?;
    text.trim().parse().ok().map(Duration::from_millis)
}
