//! One call: sign, send, classify, wait.

mod ahead;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahead::Ahead;

use super::endpoint::{Endpoint, Endpoints};
use super::error::{CallError, Cause, ErrorKind, clock_offset};
use super::keyring::{CredentialsError, Keyring, Resolved};
use super::limit::{Limiter, Limits};
use super::operation::{Operation, Service, Wire};
use super::protocol;
use super::retry::{CALL_LIMIT, Cost, Quota, backoff};
use super::sign::sign;
use super::usage::Usage;
use crate::clock::Clock;
use crate::http::{HttpSend, Request, Response, TransportError, TransportErrorKind};
use crate::interrupt::Interrupt;
use crate::model::{Region, clean};

/// A failed look-up of a host is tried this often: a name that is not there does not come back,
/// and nobody should wait for it. aws-facts: "cap DNS retries at 2".
const MAX_DNS_ATTEMPTS: u32 = 3;

/// Calls operations of AWS.
pub struct Client {
    parts: Parts,
    quotas: Mutex<HashMap<(Service, Region), Quota>>,
    limiters: Mutex<HashMap<(Service, Region), Arc<Limiter>>>,
    usage: Mutex<BTreeMap<(Service, Region), Usage>>,
    ahead: Ahead,
}

/// What a [`Client`] is made of.
pub struct Parts {
    /// Sends the requests.
    pub http: Arc<dyn HttpSend>,
    /// The time to sign with and to wait by.
    pub clock: Arc<dyn Clock>,
    /// Ends a call at its next attempt.
    pub interrupt: Interrupt,
    /// Whose calls they are.
    pub keyring: Keyring,
    /// Where the services answer.
    pub endpoints: Endpoints,
    /// How often a request is tried in all; at least 1.
    pub max_attempts: u32,
    /// What each region of a service may be asked.
    pub limits: Limits,
    /// Where the backoff's chance comes from, in 0..1.
    pub chance: fn() -> f64,
    /// Told of every attempt.
    pub trace: Option<Trace>,
}

/// Told of every attempt, and of every provider of credentials: a line of `--debug` each.
pub type Trace = Arc<dyn Fn(&dyn fmt::Display) + Send + Sync>;

/// One attempt of a call; `Display` is a line for `--debug`.
pub struct Attempt<'a> {
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

/// A reply, and the service's id of the request that brought it.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The reply.
    pub output: T,
    /// The request id.
    pub request_id: Option<String>,
}

/// What one attempt came to, with the request id and the generation of its credentials.
struct Outcome<T> {
    result: Result<T, Cause>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    generation: u64,
}

impl Client {
    /// A client of `parts`.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            quotas: Mutex::default(),
            limiters: Mutex::default(),
            usage: Mutex::default(),
            ahead: Ahead::default(),
        }
    }

    /// What the calls so far cost, by service and region.
    #[must_use]
    pub fn usage(&self) -> BTreeMap<(Service, Region), Usage> {
        lock(&self.usage).clone()
    }

    /// Whether the calls are signed with a session token.
    #[must_use]
    pub fn has_session_token(&self) -> bool {
        let resolved = self.parts.keyring.held();
        resolved.credentials.session_token().is_some()
    }

    /// `text` from the network without the keys that calls are signed with.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.parts.keyring.held().redact(text)
    }

    /// Whether `text` from the network, which is to be shown, holds one of those keys: nothing that AWS
    /// answers does.
    #[must_use]
    pub fn holds_key(&self, text: &str) -> bool {
        self.redact(text) != text
    }

    /// Brings new credentials after a call failed because its own had expired.
    ///
    /// # Errors
    /// There are no other ones.
    pub fn renew_credentials(&self, expired: &CallError) -> Result<(), CredentialsError> {
        self.parts.keyring.renew(expired.generation)
    }

    /// [`Self::call`], and its answer is kept: the next one who makes the same call gets it, and no
    /// request is sent for it.
    ///
    /// # Errors
    /// As [`Self::call`]; a failure is kept too.
    pub fn call_ahead<O: Operation<Output: Clone>>(
        &self,
        region: &Region,
        operation: &O,
    ) -> Result<Answer<O::Output>, CallError> {
        let answer = self.call(region, operation);
        self.ahead.keep(region, operation, answer.clone());
        answer
    }

    /// Calls `operation` in `region`, up to [`Parts::max_attempts`] times and [`CALL_LIMIT`] long;
    /// every attempt is signed anew. One that [`Self::call_ahead`] made is not made again.
    ///
    /// # Errors
    /// The last attempt's failure.
    pub fn call<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
    ) -> Result<Answer<O::Output>, CallError> {
        let (limit, aside) = (CALL_LIMIT, false);
        self.ahead
            .take(region, operation)
            .unwrap_or_else(|| self.ask(region, operation, limit, aside))
    }

    /// [`Self::call`] beside others that matter more: it ends after `limit` with all its attempts, and
    /// takes no place in flight away from them.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_aside<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        limit: Duration,
    ) -> Result<Answer<O::Output>, CallError> {
        let aside = true;
        self.ahead
            .take(region, operation)
            .unwrap_or_else(|| self.ask(region, operation, limit, aside))
    }

    fn ask<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        limit: Duration,
        aside: bool,
    ) -> Result<Answer<O::Output>, CallError> {
        let clock = &self.parts.clock;
        let limiter = self.limiter(O::SERVICE, region);
        let mut deadline = clock.elapsed() + limit;
        let mut last: Option<(Cost, CallError)> = None;
        let mut attempts = 1;
        loop {
            // Its time is its own requests' and waits': that others are before it takes nothing away.
            let before = clock.elapsed();
            let pass = limiter.enter(&**clock, aside);
            deadline += clock.elapsed().saturating_sub(before);
            let left = deadline.saturating_sub(clock.elapsed());
            let outcome = self.attempt(region, operation, attempts, left);
            let wait = match &outcome.result {
                Ok(_) => Duration::ZERO,
                Err(_) => backoff(attempts - 1, (self.parts.chance)(), outcome.retry_after),
            };
            match &outcome.result {
                Err(Cause::Service {
                    kind: ErrorKind::Throttling,
                    ..
                }) => pass.throttled(&**clock),
                // What got no answer says nothing of the region's limit.
                Err(Cause::Transport(_)) => drop(pass),
                _ => pass.answered(),
            }
            let cause = match outcome.result {
                Ok(output) => {
                    let cost = last.map(|(cost, _)| cost);
                    self.quota(O::SERVICE, region, |quota| quota.reward(cost));
                    return Ok(Answer {
                        output,
                        request_id: outcome.request_id,
                    });
                }
                // What the last answer was no longer matters, and is not to be logged.
                Err(_) if self.parts.interrupt.signal().is_some() => interrupted(),
                Err(cause) => cause,
            };
            let error = CallError {
                service: O::SERVICE,
                operation: O::NAME,
                region: region.clone(),
                attempts,
                request_id: outcome.request_id,
                generation: outcome.generation,
                cause,
            };
            // A recording ends where the live call was given up for the time that it took or for
            // its region's quota, and a replay has more of both.
            if let (true, Some((_, given_up))) = (error.not_recorded(), last.take()) {
                return Err(given_up);
            }
            let cost = self
                .cost(&error.cause, attempts)
                .filter(|_| clock.elapsed() + wait < deadline)
                .filter(|cost| self.quota(O::SERVICE, region, |quota| quota.pay(*cost)));
            let Some(cost) = cost else {
                return Err(error);
            };
            last = Some((cost, error));
            clock.sleep(wait);
            attempts += 1;
        }
    }

    /// What another attempt costs; `None` where there is to be none.
    fn cost(&self, cause: &Cause, attempts: u32) -> Option<Cost> {
        if attempts >= self.parts.max_attempts || self.parts.interrupt.signal().is_some() {
            return None;
        }
        match cause {
            Cause::Service {
                kind: ErrorKind::Throttling | ErrorKind::Transient,
                ..
            } => Some(Cost::Usual),
            Cause::Transport(error) => match error.kind {
                TransportErrorKind::Timeout => Some(Cost::Timeout),
                TransportErrorKind::Connection | TransportErrorKind::Exhausted => Some(Cost::Usual),
                TransportErrorKind::Dns => (attempts < MAX_DNS_ATTEMPTS).then_some(Cost::Usual),
                _ => None,
            },
            Cause::Unreadable { what, .. } => what.cut.then_some(Cost::Usual),
            _ => None,
        }
    }

    fn limiter(&self, service: Service, region: &Region) -> Arc<Limiter> {
        let mut limiters = lock(&self.limiters);
        let limiter = limiters.entry((service, region.clone()));
        let limits = self.parts.limits;
        limiter
            .or_insert_with(|| Arc::new(Limiter::new(limits)))
            .clone()
    }

    fn quota<R>(&self, service: Service, region: &Region, f: impl FnOnce(&mut Quota) -> R) -> R {
        let mut quotas = lock(&self.quotas);
        f(quotas.entry((service, region.clone())).or_default())
    }

    fn attempt<O: Operation>(
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
            outcome.result = Err(Cause::Unsigned(keys.redact(&why)));
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
        .map(|id| keys.redact(&id));
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
        let code = keys.redact(&code);
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
                message: keys.redact(&error.message),
                status,
            },
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let body = keys.redact(&String::from_utf8_lossy(&response.body));
        let why = clean(&keys.redact(&what.reason), 200);
        what.reason = match clean(body.trim(), 60) {
            start if start.is_empty() => "the body is empty".to_owned(),
            start => format!("{why}; it begins with: {start}"),
        };
        Cause::Unreadable {
            what,
            status: response.status,
        }
    })
}

fn interrupted() -> Cause {
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

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
