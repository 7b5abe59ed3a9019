//! One attempt of a call: signed, sent, and what came back.

use std::fmt;
use std::time::Duration;

use super::{Client, lock};
use crate::aws::endpoint::Endpoint;
use crate::aws::error::{Cause, ErrorKind, clock_offset};
use crate::aws::keyring::Resolved;
use crate::aws::operation::{Operation, Wire};
use crate::aws::protocol;
use crate::aws::sign::sign;
use crate::aws::usage::Usage;
use crate::http::{Request, Response, TransportError, TransportErrorKind, redact};
use crate::model::{Region, clean};

/// What is told of an attempt; `Display` is a line for `--debug`.
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
            Err(error) => clean(&error.message, 200),
        };
        write!(
            f,
            "debug: {} {} attempt {}: {outcome} in {} ms (request id {})",
            self.operation,
            self.region,
            self.number,
            self.took.as_millis(),
            clean(self.request_id.unwrap_or("none"), 80),
        )
    }
}

/// What one attempt came to, with the request id and the generation of its credentials.
pub(super) struct Outcome<T> {
    pub(super) result: Result<T, Cause>,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
    pub(super) generation: u64,
}

impl Client {
    /// One attempt, signed with the keys of this moment.
    pub(super) fn attempt<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        number: u32,
        budget: Duration,
    ) -> Outcome<O::Output> {
        let now = self.parts.clock.now();
        let (keys, generation) = self.parts.keyring.current(now);
        let mut outcome = Outcome {
            result: Err(interrupted()),
            request_id: None,
            retry_after: None,
            generation,
        };
        if self.parts.interrupt.signal().is_some() {
            return outcome;
        }
        let endpoint = match self.parts.endpoints.resolve(O::SERVICE, region) {
            Ok(endpoint) => endpoint,
            Err(why) => {
                outcome.result = Err(Cause::Unsigned(why));
                return outcome;
            }
        };
        let mut request = request(operation, &endpoint, budget);
        let (scope, name) = (&endpoint.signing_region, O::SERVICE.name());
        if O::SIGNED
            && let Err(why) = sign(&mut request, &keys.credentials, name, scope, now)
        {
            outcome.result = Err(Cause::Unsigned(keys.redact(&why).into_owned()));
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
        .map(|id| keys.redact(&id).into_owned());
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
            (Ok(response), Some(error)) => Err(self.refusal(&response, error, &keys)),
            (Ok(response), None) => parse(operation, &response, &keys),
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

    /// What an error answer means.
    fn refusal(&self, response: &Response, error: protocol::ErrorBody, keys: &Resolved) -> Cause {
        let status = response.status;
        // The header goes before the body, as in aws-sdk-rust.
        let header = response.header("x-amzn-errortype");
        let code = header.map_or(error.code, protocol::json::bare_code);
        let kind = ErrorKind::of(&code, status);
        let about_time = matches!(kind, ErrorKind::BadSignature)
            || matches!(code.as_str(), "AuthFailure" | "RequestExpired");
        let code = keys.redact(&code).into_owned();
        let offset = clock_offset(response.header("date"), self.parts.clock.now());
        match offset.filter(|_| about_time) {
            Some(offset_minutes) => Cause::Clock {
                code,
                offset_minutes,
                status,
            },
            None => Cause::Service {
                kind,
                code,
                message: redact::start(&keys.redact(&error.message)),
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
    keys: &Resolved,
) -> Result<O::Output, Cause> {
    operation.parse(&response.body).map_err(|mut what| {
        // The keys go out of the text before it is cut: half a key would not be found any more.
        let body = String::from_utf8_lossy(&response.body);
        let body = keys.redact(&body);
        let why = clean(&keys.redact(&what.reason), 200);
        what.reason = match clean(redact::start(&body).trim(), 60) {
            start if start.is_empty() => "the body is empty".to_owned(),
            start => format!("{why}; it begins with: {start}"),
        };
        Cause::Unreadable {
            what,
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
    let (headers, body) = match operation.wire() {
        Wire::Json { target, body } => (
            vec![
                ("content-type", protocol::json::CONTENT_TYPE.to_owned()),
                ("x-amz-target", target),
            ],
            body,
        ),
        Wire::Query(parameters) => (
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

/// From the header, in JSON services and EC2, or the body.
fn request_id(response: &Response, error: Option<&protocol::ErrorBody>) -> Option<String> {
    let header = ["x-amzn-requestid", "x-amz-request-id"]
        .into_iter()
        .find_map(|name| response.header(name));
    let body = || error?.request_id.as_deref();
    header.or_else(body).map(str::to_owned)
}

/// `x-amz-retry-after`, in milliseconds; one that is no number is passed over.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.header("x-amz-retry-after")?;
    text.trim().parse().ok().map(Duration::from_millis)
}
