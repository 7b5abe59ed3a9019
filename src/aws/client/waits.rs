//! The waits of a call: for its turn and for its backoff, within its time limits.

use std::sync::Arc;
use std::time::Duration;

use super::Client;
use super::activity::ActiveCall;
use super::attempt::ended;
use super::attempt_line::log_turn;
use super::hosts::{PROBE_POLL, is_of_host};
use super::progress::Progress;
use super::region_state::{Probe, RegionState};
use crate::aws::error::{Bound, CallError, Cause};
use crate::aws::operation::Operation;
use crate::aws::retry::{Cost, backoff};
use crate::model::Region;

/// Maximum attempts while a host cannot be reached and has never been: two retries. More would only delay the error.
const MAX_CONNECT_ATTEMPTS: u32 = 3;

impl Client {
    /// Waits for the turn of the next attempt.
    ///
    /// # Errors
    /// The call must end before.
    pub(super) fn turn<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        state: &Arc<RegionState>,
        progress: &mut Progress,
        traced: Option<&ActiveCall>,
    ) -> Result<Option<Probe>, CallError> {
        let probe = self
            .wait_turn(state, progress, traced)
            .map_err(|bound| self.out_of_time(region, operation, state, progress, bound))?;
        // Another account may have abandoned the host while this one waited.
        let abandoned = state.is_suspect().then(|| state.unreachable()).flatten();
        match abandoned {
            Some(cause) => Err(self.error(region, operation, progress, cause)),
            None => Ok(probe),
        }
    }

    /// Returns the error of a call that `bound` ends before its next attempt.
    fn out_of_time<O: Operation>(
        &self,
        region: &Region,
        operation: &O,
        state: &RegionState,
        progress: &mut Progress,
        bound: Bound,
    ) -> CallError {
        let failed = progress.last.take().map(|(_, error)| error);
        let failed = failed.unwrap_or_else(|| {
            let cause = state.cause().unwrap_or_else(|| ended(bound));
            self.error(region, operation, progress, cause)
        });
        if bound == Bound::Region {
            state.abandon(&failed.cause);
        }
        let bound = Some(bound);
        CallError { bound, ..failed }
    }

    /// Waits until the next attempt of a call may be sent, or the run is interrupted. The time of a call starts with
    /// its first turn; if the region has no success, its bound ends that wait. The first wait for a turn is logged if the call is `traced`.
    /// Returns the turn at the host if it is suspect.
    ///
    /// # Errors
    /// The bound that ends the call before.
    fn wait_turn(
        &self,
        state: &Arc<RegionState>,
        progress: &mut Progress,
        traced: Option<&ActiveCall>,
    ) -> Result<Option<Probe>, Bound> {
        let clock = &*self.transport.clock;
        let (mut traced, mut probe) = (traced, None);
        while self.transport.interrupt.signal().is_none() {
            let now = clock.elapsed();
            let backoff = progress.ready.saturating_sub(now);
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
                    log_turn(call, progress.attempts, wait, &self.transport);
                    traced = None;
                }
                wait
            } else {
                Some(backoff)
            };
            let (bound, left) = self.time_left(state, progress, now);
            match wait {
                _ if left.is_zero() => return Err(bound),
                None => return Ok(probe),
                Some(wait) => clock.sleep(wait.min(left)),
            }
            if progress.attempts > 1 {
                let waited = clock.elapsed().saturating_sub(now);
                progress.budget = progress.budget.saturating_sub(waited);
            }
        }
        Ok(probe)
    }

    /// Returns the bound that ends a call first, and the time until then.
    pub(super) fn time_left(
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

    /// Sets the time of the next attempt.
    ///
    /// # Errors
    /// There must be no other attempt: the error of the call.
    pub(super) fn back_off(
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
        if state.is_suspect() && is_of_host(cause) {
            return None;
        }
        if cause.is_unreachable() && attempts >= MAX_CONNECT_ATTEMPTS && !state.has_answered() {
            state.set_unreachable();
            return None;
        }
        progress.cost(cause)
    }
}
