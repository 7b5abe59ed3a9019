//! Counts the resources of one region.
//!
//! A [`RegionScan`] is shared by the tasks of its region, which run on the threads of the pool:
//! - One task calls [`RegionScan::start`]: it requests the counts if the method needs them, and
//!   queues the types to list.
//! - Up to `region_concurrency` tasks then call [`RegionScan::list`]. Each takes a type from the
//!   queue, lists it, stores the result, and repeats until the queue is empty or the region has
//!   ended early.
//! - The state is behind one mutex, which no task holds during a request or a wait.
//! - An error classified as skip, abandon or stop ends the region early: no task takes another
//!   type, and the types that are left share one gap. Only the first such error is logged for the
//!   region.
//! - The last task to end sends the [`RegionResult`] to the main thread.
//! - A stop ends all regions: every task checks the stop flag of the scan before it takes a type.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::recovery::{Recovery, classify};
use super::{MessageSink, Scan, ScanMessage, panic_text};
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::coverage::{Gap, RegionResult};
use crate::error_log::ErrorType;
use crate::inventory::CountError;
use crate::model::{Region, ResourceType};
use crate::text::{pluralize, sanitize};

/// The wait after a throttled type, so that the region's rate limit can recover.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);

/// The maximum length of a gap's reason, in characters.
const MAX_DETAIL: usize = 1000;

/// The scan of one region, shared by its tasks.
pub(super) struct RegionScan {
    scan: Arc<Scan>,
    region: Region,
    started: Duration,
    state: Mutex<RegionScanState>,
}

struct RegionScanState {
    /// The result so far; the last task to end takes it and sends it.
    outcome: Option<RegionResult>,
    /// The types that are not yet taken by a task.
    pending: VecDeque<ResourceType>,
    /// The number of types that are being listed.
    in_progress: usize,
    /// The reason why no further type is taken, if the region ended early.
    ended: Option<EndReason>,
}

/// The reason why a region ended before all its types were listed.
enum EndReason {
    /// Nothing can be counted in the region; already logged.
    Skipped,
    /// The network failed.
    Abandoned,
    /// The scan stopped, for this reason.
    Stopped(String),
}

impl RegionScan {
    /// Creates the scan of a region, without any result yet.
    pub(super) fn new(scan: Arc<Scan>, region: Region) -> Self {
        let not_tried = Gap::new(ErrorType::ScanFailed, "not tried");
        Self {
            started: scan.clock.elapsed(),
            state: Mutex::new(RegionScanState {
                outcome: Some(RegionResult::missing(region.clone(), not_tried)),
                pending: VecDeque::new(),
                in_progress: 0,
                ended: None,
            }),
            scan,
            region,
        }
    }

    /// Requests the counts if the method needs them. Returns the number of types to list.
    pub(super) fn start(&self, sink: &dyn MessageSink) -> usize {
        let Scan {
            counter,
            method,
            types,
            ..
        } = &*self.scan;
        if self.scan.was_stopped() {
            self.stop(None);
        } else if method.asks_counts(types) {
            let counts = self.attempt(None, sink, &|| counter.counts(&self.region, types));
            if let Some(outcome) = &mut self.lock().outcome {
                match counts {
                    Ok(counts) => outcome.counts = Some(counts),
                    // The call was for all types.
                    Err(gap) => outcome.unlisted = gap,
                }
            }
        }
        let mut state = self.lock();
        if state.ended.is_none() {
            let counts = state.outcome.as_ref().and_then(|o| o.counts.as_ref());
            state.pending = method.to_list(types, counts).into();
        }
        state.pending.len()
    }

    /// Lists one type after another until the queue is empty. The last task to end sends the
    /// region's result.
    pub(super) fn list(&self, sink: &dyn MessageSink) {
        while let Some(resource_type) = self.take() {
            let list = || self.scan.counter.list(&self.region, &resource_type);
            let listed = self.attempt(Some(&resource_type), sink, &list);
            let mut state = self.lock();
            state.in_progress -= 1;
            if let Some(outcome) = &mut state.outcome {
                outcome.listed.insert(resource_type, listed);
            }
        }
        self.finish(sink);
    }

    fn take(&self) -> Option<ResourceType> {
        let mut state = self.lock();
        if state.ended.is_some() || state.pending.is_empty() {
            return None;
        }
        if self.scan.was_stopped() {
            drop(state);
            self.stop(None);
            return None;
        }
        state.in_progress += 1;
        state.pending.pop_front()
    }

    /// Sends the result, and logs the types that were not counted, if no task is in progress.
    fn finish(&self, sink: &dyn MessageSink) {
        let mut state = self.lock();
        if state.in_progress > 0 {
            return;
        }
        let Some(mut outcome) = state.outcome.take() else {
            return;
        };
        let ended = state.ended.take();
        // Prevents the other tasks from taking a type.
        state.pending.clear();
        drop(state);
        outcome.took = self.scan.clock.elapsed().saturating_sub(self.started);
        let counted = outcome.listed.values().filter(|l| l.is_ok()).count();
        let uncounted = match self.scan.types.named().len() {
            0 => "its types".to_owned(),
            named => pluralize(named - counted, "type"),
        };
        let message = match ended {
            Some(EndReason::Abandoned) => {
                Some(format!("region abandoned, {uncounted} not counted"))
            }
            Some(EndReason::Stopped(why)) if self.scan.interrupt.signal().is_none() => {
                Some(format!("{uncounted} not counted: {why}"))
            }
            _ => None,
        };
        if let Some(message) = message {
            self.report(sink, ErrorType::ScanFailed, None, message);
        }
        sink.report(ScanMessage::Counted(outcome));
    }

    /// Runs `request` and returns its output, or a gap after the error has been handled. Repeats it
    /// after a refresh of expired credentials.
    fn attempt<T>(
        &self,
        resource_type: Option<&ResourceType>,
        sink: &dyn MessageSink,
        request: &dyn Fn() -> Result<T, CountError>,
    ) -> Result<T, Gap> {
        loop {
            let error = match catch_unwind(AssertUnwindSafe(request)) {
                Ok(Ok(output)) => return Ok(output),
                Ok(Err(error)) => error,
                Err(panic) => {
                    let message = format!("internal error: {}", panic_text(&*panic));
                    self.report(sink, ErrorType::Unexpected, resource_type, message.clone());
                    return Err(gap(ErrorType::Unexpected, &message));
                }
            };
            let (error_type, recovery) = classify(&error);
            if recovery == Recovery::Refresh {
                self.report_fatal(sink, &error, resource_type);
                match self.scan.refresh(&error) {
                    Ok(()) => continue,
                    Err(why) => return Err(self.stop(Some(&why))),
                }
            }
            return Err(match error_type {
                None => self.stop(None),
                Some(error_type) => {
                    self.handle_error(error_type, recovery, &error, resource_type, sink)
                }
            });
        }
    }

    /// Logs the error and takes the recovery action. Returns the gap of the type.
    fn handle_error(
        &self,
        error_type: ErrorType,
        recovery: Recovery,
        error: &CountError,
        resource_type: Option<&ResourceType>,
        sink: &dyn MessageSink,
    ) -> Gap {
        let message = self.describe(error_type, error, resource_type);
        let gap = gap(error_type, &message);
        match recovery {
            Recovery::Next | Recovery::WaitThenNext => {
                self.report(sink, error_type, resource_type, message);
                if recovery == Recovery::WaitThenNext {
                    self.scan.clock.sleep(THROTTLE_WAIT);
                }
            }
            // Types that are listed concurrently all get the same error; it is logged once.
            Recovery::SkipRegion => {
                if self.end_early(EndReason::Skipped, &gap) {
                    self.report(sink, error_type, None, message);
                } else if let Some(logged) = self.skip_gap() {
                    return logged;
                }
            }
            Recovery::AbandonRegion => {
                let detail = format!("not tried, because the region was abandoned: {message}");
                let unlisted = self::gap(ErrorType::ScanFailed, &detail);
                if self.end_early(EndReason::Abandoned, &unlisted) {
                    self.report(sink, error_type, resource_type, message);
                }
            }
            Recovery::Refresh | Recovery::StopScan => {
                self.report_fatal(sink, error, resource_type);
                self.stop(None);
            }
        }
        gap
    }

    /// Returns the log message: the error and what to do about it.
    fn describe(
        &self,
        error_type: ErrorType,
        error: &CountError,
        resource_type: Option<&ResourceType>,
    ) -> String {
        let CountError::Call(call) = error else {
            let consequence = match resource_type {
                Some(_) => "no row for this type",
                None => "these counts are not used",
            };
            return format!("{error}; {consequence}");
        };
        let has_session_token = || {
            self.scan
                .client
                .as_deref()
                .is_some_and(Client::has_session_token)
        };
        let advice = match error_type {
            // The access key works in other regions, so the general advice would mislead.
            ErrorType::RegionDisabled if call.kind() == Some(ErrorKind::UnrecognizedClient) => {
                let token = if has_session_token() {
                    "; if it is enabled, the session token is from the global STS endpoint: get \
                     one from a regional endpoint"
                } else {
                    ""
                };
                format!(
                    "the region does not accept the account's credentials: enable it for the \
                     account, or exclude it with --exclude-regions{token}"
                )
            }
            _ => call.advice(),
        };
        format!("{error}; {advice}")
    }

    fn report_fatal(
        &self,
        sink: &dyn MessageSink,
        error: &CountError,
        resource_type: Option<&ResourceType>,
    ) {
        let message = self.describe(ErrorType::Fatal, error, resource_type);
        self.scan
            .report_fatal(&self.region, resource_type, message, sink);
    }

    /// Stops the scan of all regions. Returns the gap of the types that are left.
    fn stop(&self, why: Option<&str>) -> Gap {
        self.scan.flags.stopped.store(true, Ordering::SeqCst);
        let why = why.map(|w| format!("; {w}")).unwrap_or_default();
        let stopped = format!("scan stopped by a fatal error (see the FATAL entry{why})");
        let gap = gap(ErrorType::ScanFailed, &stopped);
        self.end_early(EndReason::Stopped(stopped), &gap);
        gap
    }

    /// Returns the gap that was logged when the region was skipped, if it was.
    fn skip_gap(&self) -> Option<Gap> {
        let state = self.lock();
        let outcome = state.outcome.as_ref()?;
        matches!(state.ended, Some(EndReason::Skipped)).then(|| outcome.unlisted.clone())
    }

    /// Ends the region: no further type is taken, and the types that are left get the gap
    /// `unlisted`. Returns false if the region had already ended.
    fn end_early(&self, reason: EndReason, unlisted: &Gap) -> bool {
        let mut state = self.lock();
        if state.ended.is_some() {
            return false;
        }
        state.ended = Some(reason);
        if let Some(outcome) = &mut state.outcome {
            outcome.unlisted = unlisted.clone();
        }
        true
    }

    fn report(
        &self,
        sink: &dyn MessageSink,
        error_type: ErrorType,
        resource_type: Option<&ResourceType>,
        message: String,
    ) {
        let entry = self
            .scan
            .entry(error_type, &self.region, resource_type, message);
        sink.report(ScanMessage::Incident(entry));
    }

    fn lock(&self) -> MutexGuard<'_, RegionScanState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gap(error_type: ErrorType, message: &str) -> Gap {
    Gap::new(error_type, &sanitize(message, MAX_DETAIL))
}
