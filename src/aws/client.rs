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
//!   is abandoned ([`Bound::Region`](super::error::Bound::Region)) or the time of the scan is used up ([`Bound::Scan`](super::error::Bound::Scan)).
//!
//! Limits, quotas and usage are kept per service and region. Their mutexes are not held while a thread sends or sleeps.

mod activity;
mod attempt;
mod attempt_line;
mod hosts;
mod progress;
mod region_state;
mod signer;
mod transport;
mod waits;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

pub use activity::{ActiveCall, Activity};
use attempt::{Attempt, AttemptResult, interrupted};
use attempt_line::{AttemptLine, retry_in};
use hosts::PROBE_LIMIT;
pub use hosts::SharedHosts;
pub use progress::Progress;
use region_state::{Probe, RegionState};
pub use transport::{Trace, Transport, trace_line};

use super::call_facts::IdentityFlag;
use super::credential_cache::CachedCredentials;
use super::error::{CallError, Cause, ErrorKind};
use super::limiter::Limiter;
use super::operation::{Operation, Service};
use super::retry::CALL_LIMIT;
use super::usage::Usage;
use crate::model::{AccountId, Region};
use crate::sync::lock;

/// Calls AWS operations.
pub struct Client {
    transport: Transport,
    credentials: Arc<CachedCredentials>,
    /// The account, in a run of many accounts.
    account: Option<AccountId>,
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
        Self::with(
            transport,
            Arc::new(credentials),
            None,
            IdentityFlag::default(),
        )
    }

    /// Creates a client of `account` in a run of many accounts. It has the same credentials, and limits, time and usage
    /// of its own.
    #[must_use]
    pub fn for_account(&self, account: AccountId) -> Self {
        let (transport, credentials) = (self.transport.clone(), self.credentials.clone());
        Self::with(transport, credentials, Some(account), self.identity.clone())
    }

    fn with(
        transport: Transport,
        credentials: Arc<CachedCredentials>,
        account: Option<AccountId>,
        identity: IdentityFlag,
    ) -> Self {
        Self {
            scan_ends: transport.ends.map(OnceLock::from).unwrap_or_default(),
            transport,
            credentials,
            account,
            regions: Mutex::default(),
            usage: Mutex::default(),
            identity,
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
        self.state(service, region).concurrency()
    }

    /// Ends all calls after `time` from now on. Has no effect if there is already such an end: that of the run, or of an
    /// earlier call of this method.
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
        let call = self.active_call(region, operation, progress);
        let traced = self.transport.trace.is_some().then(|| call.clone());
        let entry = self.transport.activity.add(call);
        loop {
            let probe = self.turn(region, operation, &state, progress, traced.as_ref())?;
            entry.sent(clock.elapsed());
            let (attempt, version) =
                self.attempt(region, operation, &state, progress, probe.as_ref());
            let now = clock.elapsed();
            let line = traced.as_ref().and_then(|call| {
                AttemptLine::new(call, progress.attempts, &attempt, &self.transport)
            });
            let cause = match attempt.result {
                Ok(output) => {
                    self.log_attempt(line, "");
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
            let (kind, is_silent) = (error.kind(), error.cause.is_timeout());
            if kind == Some(ErrorKind::Expired) {
                self.log_attempt(line, ", refreshing the credentials");
                self.refresh(error, version)?;
            } else {
                let retry = self.back_off(&state, progress, error, attempt.retry_after, now);
                let wait = progress.ready.saturating_sub(now);
                let next = retry.is_ok().then(|| retry_in(wait));
                self.log_attempt(line, &next.unwrap_or_default());
                retry.inspect_err(|error| state.abandon(&error.cause))?;
            }
            progress.attempts += 1;
            entry.failed(progress.attempts, is_silent);
            if kind == Some(ErrorKind::Throttling) && yields() {
                return Ok(None);
            }
        }
    }

    fn log_attempt(&self, line: Option<AttemptLine>, next: &str) {
        if let Some(line) = line {
            line.log(next, &self.transport);
        }
    }

    /// Returns the entry of a call that starts or continues.
    fn active_call<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        progress: &mut Progress,
    ) -> ActiveCall {
        let now = self.transport.clock.elapsed();
        let is_of_many = self.transport.hosts.is_some();
        let other = operation.account().filter(|_| is_of_many);
        ActiveCall {
            account: other.or_else(|| self.account.clone()),
            service: O::SERVICE,
            operation: O::NAME,
            region: region.clone(),
            resource_type: operation.resource_type().cloned(),
            page: operation.page(),
            attempt: progress.attempts,
            max_attempts: self.transport.max_attempts,
            began: *progress.began.get_or_insert(now),
            unanswered_since: None,
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

    /// Sends the next attempt, and records its usage, its time and its result; it is short if it is a `probe` of a suspect
    /// host. Returns it with the version of its credentials.
    fn attempt<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        state: &RegionState,
        progress: &mut Progress,
        probe: Option<&Probe>,
    ) -> (AttemptResult<O::Output>, u64) {
        let signer = self.signer();
        let clock = &*self.transport.clock;
        let sent = clock.elapsed();
        let (_, left) = self.time_left(state, progress, sent);
        let limit = probe.map(|_| PROBE_LIMIT);
        let budget = limit.map_or(left, |limit| left.min(limit));
        let (result, version) = match signer {
            Err(cause) => (AttemptResult::unsent(cause), 0),
            Ok((credentials, version)) => {
                let attempt = Attempt {
                    transport: &self.transport,
                    credentials: &credentials,
                    region,
                    number: progress.attempts,
                    budget,
                };
                (attempt.send(operation), version)
            }
        };
        if let Some(usage) = result.usage {
            self.transport.activity.add_usage(usage);
            let mut usages = lock(&self.usage);
            *usages.entry((O::SERVICE, region.clone())).or_default() += usage;
        }
        let now = clock.elapsed();
        progress.budget = progress.budget.saturating_sub(now.saturating_sub(sent));
        state.record(&result.result, result.request_id.is_some(), sent, now);
        if operation.resource_type().is_some() {
            state.record_type(&result.result);
        }
        (result, version)
    }

    fn state(&self, service: Service, region: &Region) -> Arc<RegionState> {
        let mut regions = lock(&self.regions);
        let state = regions.entry((service, region.clone()));
        let Transport { limits, hosts, .. } = &self.transport;
        let host = || hosts.as_ref()?.host(service, region);
        let limiter = || match service {
            Service::Organizations => Limiter::with_slow_rate(*limits),
            _ => Limiter::new(*limits),
        };
        state
            .or_insert_with(|| Arc::new(RegionState::new(limiter(), host())))
            .clone()
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
