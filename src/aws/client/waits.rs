//! The waits of a call: for its turn and for its backoff, within its time limits.

use std::time::Duration;

use super::attempt::ended;
use super::attempt_line::log_turn;
use super::call::OngoingCall;
use super::hosts::{PROBE_POLL, is_of_host};
use super::region_state::Probe;
use crate::aws::error::{Bound, CallError, Cause};
use crate::aws::operation::Operation;
use crate::aws::retry::backoff;

/// Maximum attempts while a host cannot be reached and has never been: two retries. More would only delay the error.
const MAX_CONNECT_ATTEMPTS: u32 = 3;

impl<O: Operation> OngoingCall<'_, O> {
    /// Waits for the turn of the next attempt.
    ///
    /// # Errors
    /// The call must end before.
    pub(super) fn turn(&mut self) -> Result<Option<Probe>, CallError> {
        let probe = self.wait_turn().map_err(|bound| self.out_of_time(bound))?;
        // Another account may have abandoned the host while this one waited.
        match self.state.is_suspect().then(|| self.state.unreachable()) {
            Some(Some(cause)) => Err(self.error(cause)),
            _ => Ok(probe),
        }
    }

    /// Returns the error of a call that `bound` ends before its next attempt.
    fn out_of_time(&mut self, bound: Bound) -> CallError {
        let failed = self.progress.last.take().map(|(_, error)| error);
        let failed = failed.unwrap_or_else(|| {
            let cause = self.state.cause().unwrap_or_else(|| ended(bound));
            self.error(cause)
        });
        if bound == Bound::Region {
            self.state.abandon(&failed.cause);
        }
        let bound = Some(bound);
        CallError { bound, ..failed }
    }

    /// Waits until the next attempt of a call may be sent, or the run is interrupted. The time of a call starts with
    /// its first turn; if the region has no success, its bound ends that wait. The first wait for a turn is logged if the
    /// call is traced. Returns the turn at the host if it is suspect.
    ///
    /// # Errors
    /// The bound that ends the call before.
    fn wait_turn(&mut self) -> Result<Option<Probe>, Bound> {
        let transport = &self.client.transport;
        let (clock, state) = (&*transport.clock, &self.state);
        let (mut traced, mut probe) = (self.traced.as_ref(), None);
        while transport.interrupt.signal().is_none() {
            let now = clock.elapsed();
            let backoff = self.progress.ready.saturating_sub(now);
            if backoff.is_zero() && probe.is_none() && state.is_suspect() {
                if state.unreachable().is_some() {
                    return Ok(None);
                }
                probe = state.start_probe();
            }
            let wait = if backoff.is_zero() && probe.is_none() && state.is_suspect() {
                Some(PROBE_POLL)
            } else if backoff.is_zero() {
                let wait = state.limiter.take_turn(now).err();
                if let (Some(wait), Some(call)) = (wait, traced) {
                    log_turn(call, self.progress.attempts, wait, transport);
                    traced = None;
                }
                wait
            } else {
                Some(backoff)
            };
            let (bound, left) = self.time_left(now);
            match wait {
                _ if left.is_zero() => return Err(bound),
                None => return Ok(probe),
                Some(wait) => clock.sleep(wait.min(left)),
            }
            if self.progress.attempts > 1 {
                let waited = clock.elapsed().saturating_sub(now);
                self.progress.budget = self.progress.budget.saturating_sub(waited);
            }
        }
        Ok(probe)
    }

    /// Returns the bound that ends a call first, and the time until then.
    pub(super) fn time_left(&self, now: Duration) -> (Bound, Duration) {
        let ends = [
            (Bound::Region, self.state.ends_at()),
            (Bound::Scan, self.client.transport.ends.get().copied()),
        ];
        let left = |(bound, end): (_, Option<Duration>)| Some((bound, end?.saturating_sub(now)));
        let ends = ends.into_iter().filter_map(left);
        let first = ends.min_by_key(|(_, left)| *left);
        let budget = self.progress.budget;
        first
            .filter(|(_, left)| *left <= budget)
            .unwrap_or((Bound::Call, budget))
    }

    /// Sets the time of the next attempt.
    ///
    /// # Errors
    /// There must be no other attempt: the error of the call.
    pub(super) fn back_off(
        &mut self,
        error: CallError,
        retry_after: Option<Duration>,
        now: Duration,
    ) -> Result<(), CallError> {
        // The recorded call may have ended because its time or its quota was used up. A replay
        // has more of both, so the error before the gap is the recorded result.
        if let (true, Some((_, recorded))) = (error.not_recorded(), self.progress.last.take()) {
            return Err(recorded);
        }
        let jitter = (self.client.transport.jitter)();
        let wait = backoff(self.progress.attempts - 1, jitter, retry_after);
        let cost = self.cost(&error.cause);
        let cost = cost.filter(|cost| wait < self.progress.budget && self.state.pay(*cost));
        let Some(cost) = cost else {
            return Err(error);
        };
        self.progress.unreadable += u32::from(matches!(error.cause, Cause::Unreadable { .. }));
        self.progress.last = Some((cost, error));
        self.progress.ready = now + wait;
        Ok(())
    }

    /// Returns the cost of another attempt; `None` if there must be none.
    fn cost(&self, cause: &Cause) -> Option<u32> {
        let (transport, state) = (&self.client.transport, &self.state);
        let attempts = self.progress.attempts;
        if attempts >= transport.max_attempts || transport.interrupt.signal().is_some() {
            return None;
        }
        if state.is_suspect() && is_of_host(cause) {
            return None;
        }
        if cause.is_unreachable() && attempts >= MAX_CONNECT_ATTEMPTS && !state.has_answered() {
            state.set_unreachable();
            return None;
        }
        self.progress.cost(cause)
    }
}
