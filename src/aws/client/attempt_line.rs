//! The lines of `--debug` about the attempts of a call.
//!
//! `TIME SERVICE:OPERATION REGION [TYPE] [page N] attempt N of N: RESULT in N ms[, NEXT] (request id ID[, endpoint HOST])`.

use std::time::Duration;

use super::activity::ActiveCall;
use super::attempt::AttemptResult;
use super::transport::Transport;
use crate::aws::error::Cause;
use crate::text::sanitize;

/// The line about an attempt, without its end, which is known when the next attempt is.
pub(super) struct AttemptLine {
    start: String,
    /// The request ID and the endpoint.
    sources: String,
}

impl AttemptLine {
    /// Creates the line about an attempt of `call`; `None` if nothing was sent.
    pub(super) fn new<T>(
        call: &ActiveCall,
        number: u32,
        attempt: &AttemptResult<T>,
        transport: &Transport,
    ) -> Option<Self> {
        attempt.usage?;
        let result = match (attempt.status, &attempt.result) {
            (Some(status), Err(cause)) => format!("HTTP {status}{}", code(cause)),
            (Some(status), Ok(_)) => format!("HTTP {status}"),
            (None, Err(Cause::Transport(error))) => {
                format!("no response: {}", sanitize(&error.message, 200))
            }
            (None, _) => "no response".to_owned(),
        };
        let head = head(call, number);
        let id = attempt.request_id.as_deref().unwrap_or("none");
        let endpoint = transport.endpoints.custom(call.service);
        let endpoint = endpoint.map(|endpoint| format!(", endpoint {}", endpoint.url.host()));
        Some(Self {
            start: format!("{head}: {result} in {} ms", attempt.took.as_millis()),
            sources: format!("request id {id}{}", endpoint.unwrap_or_default()),
        })
    }

    /// Logs the line; `next` is the text about the next attempt, which may be empty.
    pub(super) fn log(self, next: &str, transport: &Transport) {
        let Self { start, sources } = self;
        transport.log(&format_args!("{start}{next} ({sources})"));
    }
}

/// Returns the error code, or that the response is unreadable, after a space; may be empty.
fn code(cause: &Cause) -> String {
    match cause {
        Cause::Service { code, .. } | Cause::ClockSkew { code, .. } if !code.is_empty() => {
            format!(" {code}")
        }
        Cause::Unreadable { .. } => " unreadable".to_owned(),
        _ => String::new(),
    }
}

/// Returns the text about a retry after `wait`.
pub(super) fn retry_in(wait: Duration) -> String {
    format!(", retry in {:.1} s", wait.as_secs_f64())
}

/// Logs that the next attempt of `call` waits for the rate limit.
pub(super) fn log_turn(call: &ActiveCall, number: u32, wait: Duration, transport: &Transport) {
    let (head, seconds) = (head(call, number), wait.as_secs_f64());
    transport.log(&format_args!(
        "{head}: waits {seconds:.2} s for the rate limit"
    ));
}

/// Returns the start of a line: the call, and the number of its attempt.
fn head(call: &ActiveCall, number: u32) -> String {
    let (service, operation, region) = (call.service.name(), call.operation, &call.region);
    let resource_type = call.resource_type.as_ref().map(|t| format!(" {t}"));
    let page = call.page.map(|page| format!(" page {page}"));
    format!(
        "{service}:{operation} {region}{}{} attempt {number} of {}",
        resource_type.unwrap_or_default(),
        page.unwrap_or_default(),
        call.max_attempts
    )
}
