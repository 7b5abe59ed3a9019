//! Calls an AWS operation: signs, sends, retries with backoff, and respects the region's rate
//! limit.
//!
//! All threads share one [`Client`]; a call runs on the thread that made it.
//! - An attempt first waits for a permit of the region's [`Limiter`]. This wait does not count
//!   toward the call's time limit.
//! - The attempt is signed and sent. Its result releases the permit and adjusts the limiter.
//! - A failure that can be retried takes tokens from the region's [`Quota`] and waits for the
//!   backoff.
//! - The call ends with a success, with a failure that is not retried, when its attempts, its quota
//!   or its time ([`CALL_LIMIT`]) is used up, or at an interrupt.
//!
//! Limiters, quotas and usage are kept per service and region. Their mutexes are not held while a
//! thread sends or sleeps.

mod ahead;
mod attempt;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahead::Ahead;
use attempt::interrupted;

use super::credential_cache::{CachedCredentials, CredentialsError};
use super::endpoint::Endpoints;
use super::error::{CallError, Cause, ErrorKind};
use super::limit::{Limiter, Limits};
use super::operation::{Operation, Service};
use super::retry::{CALL_LIMIT, Cost, Quota, backoff};
use super::usage::Usage;
use crate::clock::Clock;
use crate::http::{HttpClient, TransportErrorKind};
use crate::interrupt::Interrupt;
use crate::model::Region;

/// Maximum attempts when the host name cannot be resolved: two retries. More would only delay the
/// error, because a name that does not exist usually stays that way.
const MAX_DNS_ATTEMPTS: u32 = 3;

/// Calls AWS operations.
pub struct Client {
    parts: Parts,
    quotas: Mutex<HashMap<(Service, Region), Quota>>,
    limiters: Mutex<HashMap<(Service, Region), Arc<Limiter>>>,
    usage: Mutex<BTreeMap<(Service, Region), Usage>>,
    ahead: Ahead,
}

/// The parts of a [`Client`].
pub struct Parts {
    /// Sends the requests.
    pub http: Arc<dyn HttpClient>,
    /// The clock for signatures and waits.
    pub clock: Arc<dyn Clock>,
    /// Ends a call before its next attempt.
    pub interrupt: Interrupt,
    /// The credentials that sign the calls.
    pub credentials: CachedCredentials,
    /// The endpoints of the services.
    pub endpoints: Endpoints,
    /// Maximum attempts per call, the first one included; at least 1.
    pub max_attempts: u32,
    /// The limits for each region of a service.
    pub limits: Limits,
    /// Returns the jitter of a backoff, from 0 to 1.
    pub jitter: fn() -> f64,
    /// Receives every attempt; `None` for no trace.
    pub trace: Option<Trace>,
}

/// Receives every attempt and every credential provider tried, as one line of `--debug` each.
pub type Trace = Arc<dyn Fn(&dyn fmt::Display) + Send + Sync>;

/// The output of a call, with the request ID.
#[derive(Debug, Clone)]
pub struct CallOutput<T> {
    /// The parsed response.
    pub output: T,
    /// The service's request ID; `None` if the response has none.
    pub request_id: Option<String>,
}

impl Client {
    /// Creates a client from its parts.
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

    /// Returns the usage so far, by service and region.
    #[must_use]
    pub fn usage(&self) -> BTreeMap<(Service, Region), Usage> {
        lock(&self.usage).clone()
    }

    /// Returns true if the calls are signed with a session token.
    #[must_use]
    pub fn has_session_token(&self) -> bool {
        let resolved = self.parts.credentials.current();
        resolved.credentials.session_token().is_some()
    }

    /// Removes the credentials that sign the calls from `text`, which comes from the network.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        self.parts.credentials.current().redact(text).into_owned()
    }

    /// Returns true if `text`, which comes from the network, contains one of these credentials.
    /// Names from AWS never do.
    #[must_use]
    pub fn holds_key(&self, text: &str) -> bool {
        self.redact(text) != text
    }

    /// Refreshes the credentials after a call failed because they had expired.
    ///
    /// # Errors
    /// The source has no other credentials.
    pub fn refresh_credentials(&self, expired: &CallError) -> Result<(), CredentialsError> {
        self.parts.credentials.refresh(expired.version)
    }

    /// Calls as [`Self::call`] and keeps the result for the next identical call, which sends no
    /// request.
    ///
    /// # Errors
    /// As [`Self::call`]; a failure is kept too.
    pub fn call_ahead<O: Operation<Output: Clone>>(
        &self,
        region: &Region,
        operation: &O,
    ) -> Result<CallOutput<O::Output>, CallError> {
        let result = self.call(region, operation);
        self.ahead.keep(region, operation, result.clone());
        result
    }

    /// Calls `operation` in `region`, with at most [`Parts::max_attempts`] attempts within
    /// [`CALL_LIMIT`]. Each attempt has its own signature. Uses the result that
    /// [`Self::call_ahead`] kept, if there is one.
    ///
    /// # Errors
    /// The failure of the last attempt.
    pub fn call<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
    ) -> Result<CallOutput<O::Output>, CallError> {
        let (limit, background) = (CALL_LIMIT, false);
        self.ahead
            .take(region, operation)
            .unwrap_or_else(|| self.call_with_retries(region, operation, limit, background))
    }

    /// Calls as [`Self::call`], but with the time limit `limit` and without using up the region's
    /// concurrency: for calls that are less important than the others.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_in_background<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        limit: Duration,
    ) -> Result<CallOutput<O::Output>, CallError> {
        let background = true;
        self.ahead
            .take(region, operation)
            .unwrap_or_else(|| self.call_with_retries(region, operation, limit, background))
    }

    fn call_with_retries<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        limit: Duration,
        background: bool,
    ) -> Result<CallOutput<O::Output>, CallError> {
        let clock = &self.parts.clock;
        let limiter = self.limiter(O::SERVICE, region);
        let mut deadline = clock.elapsed() + limit;
        let mut last: Option<(Cost, CallError)> = None;
        let mut attempts = 1;
        loop {
            // Waiting for a permit does not count: the time limit is for this call's own requests
            // and backoffs.
            let before = clock.elapsed();
            let permit = limiter.acquire(&**clock, background);
            deadline += clock.elapsed().saturating_sub(before);
            let budget = deadline.saturating_sub(clock.elapsed());
            let outcome = self.attempt(region, operation, attempts, budget);
            let wait = match &outcome.result {
                Ok(_) => Duration::ZERO,
                Err(_) => backoff(attempts - 1, (self.parts.jitter)(), outcome.retry_after),
            };
            match &outcome.result {
                Err(Cause::Service {
                    kind: ErrorKind::Throttling,
                    ..
                }) => permit.throttled(&**clock),
                // Without a response, nothing is known about the region's limit.
                Err(Cause::Transport(_)) => drop(permit),
                _ => permit.answered(),
            }
            let cause = match outcome.result {
                Ok(output) => {
                    let cost = last.map(|(cost, _)| cost);
                    self.quota(O::SERVICE, region, |quota| quota.reward(cost));
                    return Ok(CallOutput {
                        output,
                        request_id: outcome.request_id,
                    });
                }
                // After an interrupt the last response is irrelevant; do not log it.
                Err(_) if self.parts.interrupt.signal().is_some() => interrupted(),
                Err(cause) => cause,
            };
            let error = CallError {
                service: O::SERVICE,
                operation: O::NAME,
                region: region.clone(),
                attempts,
                request_id: outcome.request_id,
                version: outcome.version,
                cause,
            };
            // The recorded call may have ended because its time or its quota was used up. A replay
            // has more of both, so the error before the gap is the recorded result.
            if let (true, Some((_, recorded))) = (error.not_recorded(), last.take()) {
                return Err(recorded);
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

    /// Returns the cost of another attempt; `None` if there must be none.
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
            Cause::Unreadable { error, .. } => error.truncated.then_some(Cost::Usual),
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
