//! Calls an AWS operation: signs, sends, classifies the response, and retries with backoff.
//!
//! All threads share one [`Client`]; a call runs on the thread that made it.
//! - An attempt first waits for its turn, if the region is paused or `--max-rps` spaces the requests. This wait does not count toward the call's
//!   time limit.
//! - The attempt is signed and sent. Its result adjusts the region's [`Limiter`], which gives the scheduler the number of
//!   calls that may be in progress.
//! - A failure that can be retried takes tokens from the region's [`Quota`] and waits for the backoff.
//! - A response that reports expired credentials refreshes them, once for all threads, and repeats the request.
//! - The call ends with a success, with a failure that is not retried, when its attempts, its quota or its time
//!   ([`CALL_LIMIT`]) is used up, or at an interrupt.
//!
//! Limiters, quotas and usage are kept per service and region. Their mutexes are not held while a thread sends or
//! sleeps.

mod attempt;
mod transport;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use attempt::{Attempt, AttemptResult, interrupted};
pub use transport::{Trace, Transport};

use super::credential_cache::CachedCredentials;
use super::error::{CallError, Cause, ErrorKind};
use super::limiter::Limiter;
use super::operation::{Operation, Service};
use super::retry::{CALL_LIMIT, Cost, Quota, backoff};
use super::usage::Usage;
use crate::http::TransportErrorKind;
use crate::model::Region;
use crate::secret::Redactor;
use crate::sync::lock;

/// Maximum attempts when the host name cannot be resolved: two retries. More would only delay the
/// error, because a name that does not exist usually stays that way.
const MAX_DNS_ATTEMPTS: u32 = 3;

/// Calls AWS operations.
pub struct Client {
    transport: Transport,
    credentials: CachedCredentials,
    quotas: Mutex<HashMap<(Service, Region), Quota>>,
    limiters: Mutex<HashMap<(Service, Region), Arc<Limiter>>>,
    usage: Mutex<BTreeMap<(Service, Region), Usage>>,
    /// The call whose error led to the last refresh of expired credentials, until it is taken.
    refresh_notice: Mutex<Option<CallError>>,
}

/// The output of a call, with the request ID.
#[derive(Debug, Clone)]
pub struct CallOutput<T> {
    /// The parsed response.
    pub output: T,
    /// The service's request ID; `None` if the response has none.
    pub request_id: Option<String>,
}

impl Client {
    /// Creates a client that signs with `credentials`.
    #[must_use]
    pub fn new(transport: Transport, credentials: CachedCredentials) -> Self {
        Self {
            transport,
            credentials,
            quotas: Mutex::default(),
            limiters: Mutex::default(),
            usage: Mutex::default(),
            refresh_notice: Mutex::default(),
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
        let resolved = self.credentials.current();
        resolved.credentials.session_token().is_some()
    }

    /// Returns the redactor of the credentials that sign the calls.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        self.credentials.current().redactor()
    }

    /// Returns true if `text`, which comes from the network, contains one of these credentials.
    /// Names from AWS never do.
    #[must_use]
    pub fn holds_key(&self, text: &str) -> bool {
        self.redactor().finds(text)
    }

    /// Returns the number of calls to `service` in `region` that may be in progress, at least 1.
    #[must_use]
    pub fn concurrency(&self, service: Service, region: &Region) -> usize {
        self.limiter(service, region).concurrency()
    }

    /// Returns the call that found the credentials expired, once, after they were refreshed.
    #[must_use]
    pub fn take_refresh_notice(&self) -> Option<CallError> {
        lock(&self.refresh_notice).take()
    }

    /// Calls `operation` in `region`, with at most [`Transport::max_attempts`] attempts within
    /// [`CALL_LIMIT`]. Each attempt has its own signature. Expired credentials are refreshed.
    ///
    /// # Errors
    /// The failure of the last attempt.
    pub fn call<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
    ) -> Result<CallOutput<O::Output>, CallError> {
        self.call_within(region, operation, CALL_LIMIT)
    }

    /// Calls as [`Self::call`], with the time limit `limit`.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub fn call_within<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        limit: Duration,
    ) -> Result<CallOutput<O::Output>, CallError> {
        let mut progress = Progress::new(limit);
        loop {
            if let Some(output) = self.resume(region, operation, &mut progress, &|| false)? {
                return Ok(output);
            }
        }
    }

    /// Starts or continues a call. Returns `None` if it was throttled and `yields` returned true: `progress` then has
    /// its state, and the call does not wait for the backoff here. The time until it is continued does not count toward
    /// its time limit.
    ///
    /// # Errors
    /// The failure of the last attempt.
    pub fn resume<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        progress: &mut Progress,
        yields: &dyn Fn() -> bool,
    ) -> Result<Option<CallOutput<O::Output>>, CallError> {
        let clock = &*self.transport.clock;
        let limiter = self.limiter(O::SERVICE, region);
        loop {
            if progress.attempts > 1 {
                clock.sleep(progress.ready.saturating_sub(clock.elapsed()));
            }
            limiter.wait_turn(clock, progress.attempts > 1);
            let began = clock.elapsed();
            let (attempt, version) = self.attempt(region, operation, progress);
            let now = clock.elapsed();
            adjust(&limiter, &attempt.result, now);
            progress.budget = progress.budget.saturating_sub(now.saturating_sub(began));
            let cause = match attempt.result {
                Ok(output) => {
                    let cost = progress.last.take().map(|(cost, _)| cost);
                    self.quota(O::SERVICE, region, |quota| quota.reward(cost));
                    let request_id = attempt.request_id;
                    return Ok(Some(CallOutput { output, request_id }));
                }
                // After an interrupt the last response is irrelevant; do not log it.
                Err(_) if self.transport.interrupt.signal().is_some() => interrupted(),
                Err(cause) => cause,
            };
            let error = CallError {
                service: O::SERVICE,
                operation: O::NAME,
                region: region.clone(),
                resource_type: operation.resource_type().cloned(),
                attempts: progress.attempts,
                request_id: attempt.request_id,
                refresh_error: None,
                cause,
            };
            let kind = error.kind();
            if kind == Some(ErrorKind::Expired) {
                self.refresh(error, version)?;
            } else {
                self.back_off(progress, error, attempt.retry_after, now)?;
            }
            progress.attempts += 1;
            if kind == Some(ErrorKind::Throttling) && yields() {
                return Ok(None);
            }
        }
    }

    /// Sends one attempt, and adds its usage. Returns it with the version of its credentials.
    fn attempt<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        progress: &Progress,
    ) -> (AttemptResult<O::Output>, u64) {
        let (credentials, version) = self.credentials.for_signing(self.transport.clock.now());
        let attempt = Attempt {
            transport: &self.transport,
            credentials: &credentials,
            region,
            number: progress.attempts,
            budget: progress.budget,
        };
        let result = attempt.send(operation);
        if let Some(usage) = result.usage {
            let mut usages = lock(&self.usage);
            *usages.entry((O::SERVICE, region.clone())).or_default() += usage;
        }
        (result, version)
    }

    /// Refreshes the credentials of `version`, which `expired` found expired.
    ///
    /// # Errors
    /// They cannot be refreshed: `expired` with the reason.
    fn refresh(&self, expired: CallError, version: u64) -> Result<(), CallError> {
        match self.credentials.refresh(version) {
            Ok(true) => {
                *lock(&self.refresh_notice) = Some(expired);
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(why) => Err(CallError {
                refresh_error: Some(Arc::new(why)),
                ..expired
            }),
        }
    }

    /// Sets the time of the next attempt.
    ///
    /// # Errors
    /// There must be no other attempt: the error of the call.
    fn back_off(
        &self,
        progress: &mut Progress,
        error: CallError,
        retry_after: Option<Duration>,
        now: Duration,
    ) -> Result<(), CallError> {
        // The recorded call may have ended because its time or its quota was used up. A replay
        // has more of both, so the error before the gap is the recorded result.
        if let (true, Some((_, recorded))) = (error.not_recorded(), progress.last.take()) {
            return Err(recorded);
        }
        let wait = backoff(
            progress.attempts - 1,
            (self.transport.jitter)(),
            retry_after,
        );
        let cost = self
            .cost(&error.cause, progress)
            .filter(|_| wait < progress.budget)
            .filter(|cost| self.quota(error.service, &error.region, |quota| quota.pay(*cost)));
        let Some(cost) = cost else {
            return Err(error);
        };
        progress.unreadable += u32::from(matches!(error.cause, Cause::Unreadable { .. }));
        progress.last = Some((cost, error));
        progress.budget = progress.budget.saturating_sub(wait);
        progress.ready = now + wait;
        Ok(())
    }

    /// Returns the cost of another attempt; `None` if there must be none.
    fn cost(&self, cause: &Cause, progress: &Progress) -> Option<Cost> {
        let attempts = progress.attempts;
        if attempts >= self.transport.max_attempts || self.transport.interrupt.signal().is_some() {
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
            Cause::Unreadable { max_retries, .. } => {
                (progress.unreadable < *max_retries).then_some(Cost::Usual)
            }
            _ => None,
        }
    }

    fn limiter(&self, service: Service, region: &Region) -> Arc<Limiter> {
        let mut limiters = lock(&self.limiters);
        let limiter = limiters.entry((service, region.clone()));
        let limits = self.transport.limits;
        limiter
            .or_insert_with(|| Arc::new(Limiter::new(limits)))
            .clone()
    }

    fn quota<R>(&self, service: Service, region: &Region, f: impl FnOnce(&mut Quota) -> R) -> R {
        let mut quotas = lock(&self.quotas);
        f(quotas.entry((service, region.clone())).or_default())
    }
}

/// The state of a call between its attempts.
pub struct Progress {
    /// The time that is left for its requests and backoffs.
    budget: Duration,
    /// The number of the next attempt, from 1.
    attempts: u32,
    /// The earliest time of the next attempt, on the clock of the run.
    ready: Duration,
    /// The cost and the error of the last retried attempt.
    last: Option<(Cost, CallError)>,
    /// The number of retries after unreadable responses.
    unreadable: u32,
}

impl Progress {
    /// Creates the state of a call that may take `limit` in all.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self {
            budget: limit,
            attempts: 1,
            ready: Duration::ZERO,
            last: None,
            unreadable: 0,
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new(CALL_LIMIT)
    }
}

/// Adjusts the concurrency of the region to the result of a request.
fn adjust<T>(limiter: &Limiter, result: &Result<T, Cause>, now: Duration) {
    match result {
        Err(Cause::Service {
            kind: ErrorKind::Throttling,
            ..
        }) => limiter.throttled(now),
        // Without a response, nothing is known about the region's limit.
        Err(Cause::Transport(_)) => {}
        _ => limiter.succeeded(),
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
