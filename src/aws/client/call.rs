//! The attempts of a call.

use std::sync::Arc;
use std::time::Duration;

use super::activity::{ActiveCall, ActivityEntry};
use super::attempt::{Attempt, AttemptResult, interrupted};
use super::attempt_line::{AttemptLine, retry_in};
use super::hosts::PROBE_LIMIT;
use super::progress::Progress;
use super::region_state::{Probe, RegionState};
use super::{CallOutput, Client};
use crate::aws::error::{CallError, Cause, ErrorKind};
use crate::aws::operation::Operation;
use crate::aws::retry::CALL_LIMIT;
use crate::model::Region;
use crate::sync::lock;

impl Client {
    /// Calls `operation` in `region`, with at most [`Transport::max_attempts`](super::Transport::max_attempts) attempts
    /// within [`CALL_LIMIT`]. Each attempt has its own signature. Expired credentials are refreshed.
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
        let mut call = OngoingCall {
            client: self,
            region,
            operation,
            state: self.state(O::SERVICE, region),
            progress,
            traced: None,
        };
        if let Some(cause) = call.state.unreachable() {
            return Err(call.error(cause));
        }
        let active = call.active_call();
        call.traced = self.transport.trace.is_some().then(|| active.clone());
        call.run(&self.transport.activity.add(active), yields)
    }
}

/// A call that is started or continued.
pub(super) struct OngoingCall<'a, O> {
    pub(super) client: &'a Client,
    region: &'a Region,
    operation: &'a O,
    pub(super) state: Arc<RegionState>,
    pub(super) progress: &'a mut Progress,
    /// The call, if its attempts are logged.
    pub(super) traced: Option<ActiveCall>,
}

impl<O: Operation> OngoingCall<'_, O> {
    fn run(
        mut self,
        entry: &ActivityEntry,
        yields: &dyn Fn() -> bool,
    ) -> Result<Option<CallOutput<O::Output>>, CallError> {
        let client = self.client;
        let clock = &*client.transport.clock;
        loop {
            let probe = self.turn()?;
            entry.sent(clock.elapsed());
            let (attempt, version) = self.attempt(probe.as_ref());
            let now = clock.elapsed();
            let line = self.traced.as_ref().and_then(|call| {
                AttemptLine::new(call, self.progress.attempts, &attempt, &client.transport)
            });
            let log = |next: &str| {
                if let Some(line) = line {
                    line.log(next, &client.transport);
                }
            };
            let cause = match attempt.result {
                Ok(output) => {
                    log("");
                    client.identity.note(O::NAME);
                    let cost = self.progress.last.take().map(|(cost, _)| cost);
                    self.state.reward(cost);
                    client.credentials.record_success();
                    let request_id = attempt.request_id;
                    return Ok(Some(CallOutput { output, request_id }));
                }
                // After an interrupt the last response is irrelevant; do not log it.
                Err(_) if client.transport.interrupt.signal().is_some() => interrupted(),
                Err(cause) => cause,
            };
            let error = CallError {
                request_id: attempt.request_id,
                ..self.error(cause)
            };
            let (kind, is_silent) = (error.kind(), error.cause.is_timeout());
            if kind == Some(ErrorKind::Expired) {
                log(", refreshing the credentials");
                client.refresh(error, version)?;
            } else {
                let retry = self.back_off(error, attempt.retry_after, now);
                let wait = self.progress.ready.saturating_sub(now);
                let next = retry.is_ok().then(|| retry_in(wait));
                log(&next.unwrap_or_default());
                retry.inspect_err(|error| self.state.abandon(&error.cause))?;
            }
            self.progress.attempts += 1;
            entry.failed(self.progress.attempts, is_silent);
            if kind == Some(ErrorKind::Throttling) && yields() {
                return Ok(None);
            }
        }
    }

    /// Returns the entry of a call that starts or continues.
    fn active_call(&mut self) -> ActiveCall {
        let transport = &self.client.transport;
        let now = transport.clock.elapsed();
        let is_of_many = transport.hosts.is_some();
        let other = self.operation.account().filter(|_| is_of_many);
        ActiveCall {
            account: other.or_else(|| self.client.account.clone()),
            service: O::SERVICE,
            operation: O::NAME,
            region: self.region.clone(),
            resource_type: self.operation.resource_type().cloned(),
            page: self.operation.page(),
            attempt: self.progress.attempts,
            max_attempts: transport.max_attempts,
            began: *self.progress.began.get_or_insert(now),
            unanswered_since: None,
        }
    }

    pub(super) fn error(&self, cause: Cause) -> CallError {
        CallError {
            service: O::SERVICE,
            operation: O::NAME,
            region: self.region.clone(),
            resource_type: self.operation.resource_type().cloned(),
            attempts: self.progress.attempts,
            request_id: None,
            refresh_error: None,
            bound: None,
            endpoint: self.client.transport.endpoints.custom(O::SERVICE).cloned(),
            identity: self.client.identity.clone(),
            cause,
        }
    }

    /// Sends the next attempt, and records its usage, its time and its result; it is short if it is a `probe` of a suspect
    /// host. Returns it with the version of its credentials.
    fn attempt(&mut self, probe: Option<&Probe>) -> (AttemptResult<O::Output>, u64) {
        let client = self.client;
        let signer = client.signer();
        let clock = &*client.transport.clock;
        let sent = clock.elapsed();
        let (_, left) = self.time_left(sent);
        let (result, version) = match signer {
            Err(cause) => (AttemptResult::unsent(cause), 0),
            Ok((credentials, version)) => {
                let attempt = Attempt {
                    transport: &client.transport,
                    credentials: &credentials,
                    region: self.region,
                    number: self.progress.attempts,
                    budget: probe.map_or(left, |_| left.min(PROBE_LIMIT)),
                };
                (attempt.send(self.operation), version)
            }
        };
        if let Some(usage) = result.usage {
            client.transport.activity.add_usage(usage);
            let mut usages = lock(&client.usage);
            *usages.entry((O::SERVICE, self.region.clone())).or_default() += usage;
        }
        let now = clock.elapsed();
        let took = now.saturating_sub(sent);
        self.progress.budget = self.progress.budget.saturating_sub(took);
        let has_id = result.request_id.is_some();
        self.state.record(&result.result, has_id, sent, now);
        if self.operation.resource_type().is_some() {
            self.state.record_type(&result.result);
        }
        (result, version)
    }
}
