//! Calls of AWS: attempt after attempt, held back by the region's limit, with a wait between them.

mod ahead;
mod attempt;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ahead::Ahead;
use attempt::interrupted;

use super::endpoint::Endpoints;
use super::error::{CallError, Cause, ErrorKind};
use super::keyring::{CredentialsError, Keyring};
use super::limit::{Limiter, Limits};
use super::operation::{Operation, Service};
use super::retry::{CALL_LIMIT, Cost, Quota, backoff};
use super::usage::Usage;
use crate::clock::Clock;
use crate::http::{Asker, HttpSend, TransportErrorKind};
use crate::interrupt::Interrupt;
use crate::model::Region;

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

/// A reply, and the service's id of the request that brought it.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The reply.
    pub output: T,
    /// The request id.
    pub request_id: Option<String>,
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
        self.parts.keyring.held().redact(text).into_owned()
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

    /// Tells of `count` tasks more that will ask `service` in `region`, each one call at a time and
    /// until it drops its [`Asker`].
    #[must_use]
    pub fn askers(&self, service: Service, region: &Region, count: usize) -> Vec<Asker> {
        let endpoint = self.parts.endpoints.resolve(service, region);
        let asked = endpoint.map(|endpoint| self.parts.http.askers(&endpoint.uri, count));
        asked.unwrap_or_default()
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
