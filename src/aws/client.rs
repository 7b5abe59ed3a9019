//! Calls an AWS operation: signs, sends, classifies the response, and retries with backoff.
//!
//! All threads share one [`Client`]; a call runs on the thread that made it.
//! - An attempt first waits for its turn, if the region is throttled or `--max-rps` spaces the requests.
//! - The attempt is signed and sent. Its result adjusts the region's rate limiter, which gives the scheduler the number of
//!   calls that may be in progress.
//! - A failure that can be retried takes tokens from the region's retry quota and waits for the backoff.
//! - A response that reports expired credentials refreshes them, once for all threads, and repeats the request.
//! - The call ends with a success, with a failure that is not retried, when its attempts, its quota or its time
//!   ([`CALL_LIMIT`], all waits included) is used up, or at an interrupt. It also ends, while it waits, when its region
//!   is abandoned ([`Bound::Region`]) or the time of the scan is used up ([`Bound::Scan`]).
//!
//! Limits, quotas and usage are kept per service and region. Their mutexes are not held while a thread sends or sleeps.

mod attempt;
mod progress;
mod region_state;
mod signer;
mod transport;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use attempt::{Attempt, AttemptResult, interrupted};
pub use progress::Progress;
use region_state::RegionState;
pub use transport::{Trace, Transport};

use super::call_facts::IdentityFlag;
use super::credential_cache::{CachedCredentials, ResolvedCredentials};
use super::error::{Bound, CallError, Cause, ErrorKind};
use super::operation::{Operation, Service};
use super::retry::{CALL_LIMIT, Cost, backoff};
use super::usage::Usage;
use crate::model::Region;
use crate::sync::lock;

/// Maximum attempts while a host cannot be reached and has never been: two retries. More would only delay the error.
const MAX_CONNECT_ATTEMPTS: u32 = 3;

/// Calls AWS operations.
pub struct Client {
    transport: Transport,
    credentials: CachedCredentials,
    regions: Mutex<HashMap<(Service, Region), Arc<RegionState>>>,
    usage: Mutex<BTreeMap<(Service, Region), Usage>>,
    /// The time at which all calls end, on the clock of the run.
    scan_ends: OnceLock<Duration>,
    /// True once the credentials have been accepted.
    identity: IdentityFlag,
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
            regions: Mutex::default(),
            scan_ends: OnceLock::new(),
            usage: Mutex::default(),
            identity: IdentityFlag::default(),
        }
    }

    /// Returns the usage so far, by service and region.
    #[must_use]
    pub fn usage(&self) -> BTreeMap<(Service, Region), Usage> {
        lock(&self.usage).clone()
    }

    /// Returns the number of calls to `service` in `region` that may be in progress, at least 1.
    #[must_use]
    pub fn concurrency(&self, service: Service, region: &Region) -> usize {
        self.state(service, region).limiter.concurrency()
    }

    /// Ends all calls after `time` from now on. Only the first call of this method has an effect.
    pub fn end_after(&self, time: Duration) {
        let now = self.transport.clock.elapsed();
        self.scan_ends.get_or_init(|| now.saturating_add(time));
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
    /// its state, and the call does not wait for the backoff here.
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
        let state = self.state(O::SERVICE, region);
        if let Some(cause) = state.unreachable() {
            return Err(self.error(region, operation, progress, cause));
        }
        loop {
            if let Err(bound) = self.wait_turn(&state, progress) {
                let failed = progress.last.take().map(|(_, error)| error);
                let failed = failed.unwrap_or_else(|| {
                    let cause = state.cause().unwrap_or_else(interrupted);
                    self.error(region, operation, progress, cause)
                });
                let bound = Some(bound);
                return Err(CallError { bound, ..failed });
            }
            let signer = self.signer();
            let sent = clock.elapsed();
            let (_, budget) = self.time_left(&state, progress, sent);
            let number = progress.attempts;
            let (attempt, version) = self.attempt(region, operation, number, budget, signer);
            let now = clock.elapsed();
            progress.budget = progress.budget.saturating_sub(now.saturating_sub(sent));
            let has_id = attempt.request_id.is_some();
            state.record(&attempt.result, has_id, sent, now);
            let cause = match attempt.result {
                Ok(output) => {
                    self.identity.note(O::NAME);
                    let cost = progress.last.take().map(|(cost, _)| cost);
                    state.reward(cost);
                    self.credentials.record_success();
                    let request_id = attempt.request_id;
                    return Ok(Some(CallOutput { output, request_id }));
                }
                // After an interrupt the last response is irrelevant; do not log it.
                Err(_) if self.transport.interrupt.signal().is_some() => interrupted(),
                Err(cause) => cause,
            };
            let error = CallError {
                request_id: attempt.request_id,
                ..self.error(region, operation, progress, cause)
            };
            let kind = error.kind();
            if kind == Some(ErrorKind::Expired) {
                self.refresh(error, version)?;
            } else {
                self.back_off(&state, progress, error, attempt.retry_after, now)?;
            }
            progress.attempts += 1;
            if kind == Some(ErrorKind::Throttling) && yields() {
                return Ok(None);
            }
        }
    }

    fn error<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        progress: &Progress,
        cause: Cause,
    ) -> CallError {
        CallError {
            service: O::SERVICE,
            operation: O::NAME,
            region: region.clone(),
            resource_type: operation.resource_type().cloned(),
            attempts: progress.attempts,
            request_id: None,
            refresh_error: None,
            bound: None,
            facts: self.transport.facts(O::SERVICE, &self.identity),
            cause,
        }
    }

    /// Waits until the next attempt of a call may be sent, or the run is interrupted. The time of a call starts with
    /// its first turn; if the region has no success, its bound ends that wait.
    ///
    /// # Errors
    /// The bound that ends the call before.
    fn wait_turn(&self, state: &RegionState, progress: &mut Progress) -> Result<(), Bound> {
        let clock = &*self.transport.clock;
        while self.transport.interrupt.signal().is_none() {
            let now = clock.elapsed();
            let backoff = progress.ready.saturating_sub(now);
            let wait = if backoff.is_zero() {
                state.limiter.take_turn(now).err()
            } else {
                Some(backoff)
            };
            let (bound, left) = self.time_left(state, progress, now);
            match wait {
                _ if left.is_zero() => return Err(bound),
                None => return Ok(()),
                Some(wait) => clock.sleep(wait.min(left)),
            }
            if progress.attempts > 1 {
                let waited = clock.elapsed().saturating_sub(now);
                progress.budget = progress.budget.saturating_sub(waited);
            }
        }
        Ok(())
    }

    /// Returns the bound that ends a call first, and the time until then.
    fn time_left(
        &self,
        state: &RegionState,
        progress: &Progress,
        now: Duration,
    ) -> (Bound, Duration) {
        let ends = [
            (Bound::Region, state.ends_at()),
            (Bound::Scan, self.scan_ends.get().copied()),
        ];
        let left = |(bound, end): (_, Option<Duration>)| Some((bound, end?.saturating_sub(now)));
        let ends = ends.into_iter().filter_map(left);
        let first = ends.min_by_key(|(_, left)| *left);
        first
            .filter(|(_, left)| *left <= progress.budget)
            .unwrap_or((Bound::Call, progress.budget))
    }

    /// Sends one attempt, and adds its usage. Returns it with the version of its credentials.
    fn attempt<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        number: u32,
        budget: Duration,
        signer: Result<(ResolvedCredentials, u64), Cause>,
    ) -> (AttemptResult<O::Output>, u64) {
        let (credentials, version) = match signer {
            Ok(signer) => signer,
            Err(cause) => return (AttemptResult::unsent(cause), 0),
        };
        let attempt = Attempt {
            transport: &self.transport,
            credentials: &credentials,
            region,
            number,
            budget,
        };
        let result = attempt.send(operation);
        if let Some(usage) = result.usage {
            let mut usages = lock(&self.usage);
            *usages.entry((O::SERVICE, region.clone())).or_default() += usage;
        }
        (result, version)
    }

    /// Sets the time of the next attempt.
    ///
    /// # Errors
    /// There must be no other attempt: the error of the call.
    fn back_off(
        &self,
        state: &RegionState,
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
            .cost(state, &error.cause, progress)
            .filter(|_| wait < progress.budget)
            .filter(|cost| state.pay(*cost));
        let Some(cost) = cost else {
            return Err(error);
        };
        progress.unreadable += u32::from(matches!(error.cause, Cause::Unreadable { .. }));
        progress.last = Some((cost, error));
        progress.ready = now + wait;
        Ok(())
    }

    /// Returns the cost of another attempt; `None` if there must be none.
    fn cost(&self, state: &RegionState, cause: &Cause, progress: &Progress) -> Option<Cost> {
        let attempts = progress.attempts;
        if attempts >= self.transport.max_attempts || self.transport.interrupt.signal().is_some() {
            return None;
        }
        if cause.is_unreachable() && attempts >= MAX_CONNECT_ATTEMPTS && !state.has_answered() {
            state.set_unreachable();
            return None;
        }
        progress.cost(cause)
    }

    fn state(&self, service: Service, region: &Region) -> Arc<RegionState> {
        let mut regions = lock(&self.regions);
        let state = regions.entry((service, region.clone()));
        let limits = self.transport.limits;
        state
            .or_insert_with(|| Arc::new(RegionState::new(limits)))
            .clone()
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
