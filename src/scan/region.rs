//! The scan of one region: which steps are left, what was found, and how it ends.
//!
//! A [`RegionScan`] is the state of one region. The scheduler keeps it behind its mutex and calls it only to take a
//! step and to add an outcome; the steps run without the mutex (see `step`).
//! - The counts come first if the method needs them, then one listing per type, a page per step. A listing that has
//!   started continues before another type starts, so types finish in order.
//! - The two calls for the recorder are one step, which waits for no other.
//! - An error that skips or abandons the region, or stops the scan, ends the region: no further type starts, and the
//!   types that are left share one gap. Only the first such error is logged. Listings in progress continue.
//! - With `--method verify`, numbers that differ are requested again in one step after all others.
//! - The result is complete when no listing is left and the recorder is fetched.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::account::AccountScan;
use super::message::{self, ScanEvent};
use super::recheck;
use super::recovery::Recovery;
use super::step::{Failure, Outcome, Step, gap};
use crate::advice;
use crate::coverage::{Gap, RegionResult};
use crate::error_log::{Entry, ErrorType};
use crate::inventory::list::Listing;
use crate::inventory::{Counts, Listed, Method};
use crate::model::{Region, ResourceType};

/// The scan of one region of one account.
pub(super) struct RegionScan {
    account: Arc<AccountScan>,
    /// The counts or the listings that wait for their next page.
    started: VecDeque<Step>,
    /// The types that are not listed yet.
    pending: VecDeque<ResourceType>,
    /// The number of counting steps in progress.
    active: usize,
    recorder_step: Option<Step>,
    began: Option<Duration>,
    ended: Option<EndReason>,
    was_rechecked: bool,
    phase: Phase,
    result: RegionResult,
}

/// The phase of a region's scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Counting steps are left.
    Counting,
    /// Only the recorder is left.
    Counted,
    /// The result is complete.
    Finished,
    /// A panic ended the scan.
    Discarded,
}

/// The reason why a region ended before all its types were listed.
enum EndReason {
    /// Nothing can be counted in the region, for the reason in the log entry; an interrupt has none. The
    /// entry is logged when the counting has ended, with the types that were not counted.
    Skipped(Option<Entry>),
    /// The network failed.
    Abandoned,
    /// The scan stopped, for this reason.
    Stopped(String),
}

/// The request of a region to stop the scan of all regions of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopScan {
    /// A fatal error or an interrupt.
    Fatal,
    /// The time of the scan is used up.
    OutOfTime,
}

impl RegionScan {
    /// Creates the scan of a region, with no step started.
    pub(super) fn new(account: &Arc<AccountScan>, region: Region) -> Self {
        let not_tried = Gap::new(ErrorType::ScanFailed, "not tried");
        let status = account.prefetched.take_status(&region);
        let mut scan = Self {
            account: account.clone(),
            started: VecDeque::new(),
            pending: VecDeque::new(),
            active: 0,
            recorder_step: Some(Step::Recorder(status)),
            began: None,
            ended: None,
            was_rechecked: false,
            phase: Phase::Counting,
            result: RegionResult::missing(region, not_tried),
        };
        if account.method.asks_counts(&account.types) {
            let first_page = account.prefetched.take_counts(scan.region());
            scan.started.push_back(Step::Counts(first_page));
        } else {
            scan.pending = account.method.to_list(&account.types, None).into();
        }
        scan
    }

    /// Returns the region.
    pub(super) fn region(&self) -> &Region {
        &self.result.region
    }

    /// Returns true if a counting step can start: there is one, and the concurrency of the region allows it.
    pub(super) fn has_step(&self) -> bool {
        let is_left = !self.started.is_empty() || !self.pending.is_empty();
        is_left && self.active < self.account.concurrency(self.region())
    }

    /// Returns true if more counting steps are in progress than the concurrency of the region allows.
    pub(super) fn is_crowded(&self) -> bool {
        self.active > self.account.concurrency(self.region())
    }

    /// Returns true if the recorder step is not started.
    pub(super) fn has_recorder_step(&self) -> bool {
        self.recorder_step.is_some()
    }

    /// Starts the next counting step.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        if !self.has_step() {
            return None;
        }
        let step = self.started.pop_front().or_else(|| {
            let resource_type = self.pending.pop_front()?;
            let prefetched = &self.account.prefetched;
            let first_page = prefetched.take_page(&self.result.region, &resource_type);
            let listing = Listing::new(resource_type, first_page);
            Some(Step::Page(Box::new(listing)))
        })?;
        self.active += 1;
        Some(step)
    }

    /// Starts the recorder step.
    pub(super) fn next_recorder_step(&mut self) -> Option<Step> {
        self.recorder_step.take()
    }

    /// Adds the outcome of a step that began at the time `began`. Returns a stop request after a fatal error or an
    /// interrupt.
    pub(super) fn add(
        &mut self,
        began: Duration,
        outcome: Outcome,
        events: &mut Vec<ScanEvent>,
    ) -> Option<StopScan> {
        let is_counting = !matches!(outcome, Outcome::Recorder(..));
        if is_counting {
            self.began = Some(self.began.map_or(began, |first| first.min(began)));
            self.active -= 1;
        }
        match outcome {
            Outcome::Counts(result) => self.add_counts(result, events),
            Outcome::Page(listing, result) => self.add_page(listing, result, events),
            Outcome::Recorder(recorder, failure) => {
                self.result.recorder = Some(recorder);
                self.handle(failure?, events).1
            }
            Outcome::Rechecked(rechecked) => {
                recheck::apply(rechecked, &mut self.result);
                None
            }
        }
    }

    fn add_counts(
        &mut self,
        counts: Result<Counts, Failure>,
        events: &mut Vec<ScanEvent>,
    ) -> Option<StopScan> {
        let (counts, gap, stop) = match counts {
            Ok(counts) => (Some(counts), None, None),
            Err(failure) => {
                let (gap, stop) = self.handle(failure, events);
                (None, Some(gap), stop)
            }
        };
        if self.ended.is_none() {
            let (method, types) = (self.account.method, &self.account.types);
            self.pending = method.to_list(types, counts.as_ref()).into();
        }
        self.result.counts = counts;
        if let Some(gap) = gap {
            self.result.unlisted = gap;
        }
        stop
    }

    fn add_page(
        &mut self,
        listing: Box<Listing>,
        result: Result<Option<Listed>, Failure>,
        events: &mut Vec<ScanEvent>,
    ) -> Option<StopScan> {
        let resource_type = listing.resource_type().clone();
        let (listed, stop) = match result {
            Ok(None) => {
                self.started.push_front(Step::Page(listing));
                return None;
            }
            Ok(Some(listed)) => (Ok(listed), None),
            Err(failure) => {
                let (gap, stop) = self.handle(failure, events);
                (Err(gap), stop)
            }
        };
        self.result.listed.insert(resource_type, listed);
        stop
    }

    /// Ends the region if the failure does, and logs it if it is the first. Returns the gap of the type.
    ///
    /// Types that are listed concurrently often get the same error; it is logged once.
    fn handle(&mut self, failure: Failure, events: &mut Vec<ScanEvent>) -> (Gap, Option<StopScan>) {
        let own = failure.gap;
        let (is_first, gap, stop) = match failure.recovery {
            Recovery::Next | Recovery::WaitThenNext => return (own, None),
            Recovery::SkipRegion => {
                self.end(EndReason::Skipped(failure.entry), &own);
                return match self.ended {
                    Some(EndReason::Skipped(_)) => (self.result.unlisted.clone(), None),
                    _ => (own, None),
                };
            }
            Recovery::AbandonRegion => {
                let detail = format!(
                    "not tried, because the region was abandoned: {}",
                    own.detail
                );
                let is_first = self.end(EndReason::Abandoned, &gap(own.error_type, &detail));
                (is_first, own, None)
            }
            Recovery::StopScan => {
                let stopped = self.stop(StopScan::Fatal, failure.refresh_error.as_deref());
                let is_own = failure.entry.is_some() && failure.refresh_error.is_none();
                let is_first = failure.entry.is_some() && self.account.first_fatal();
                (
                    is_first,
                    if is_own { own } else { stopped },
                    Some(StopScan::Fatal),
                )
            }
            Recovery::OutOfTime => {
                let stopped = self.stop(StopScan::OutOfTime, None);
                (false, stopped, Some(StopScan::OutOfTime))
            }
        };
        if is_first {
            let entry = failure.entry;
            events.extend(entry.map(|entry| ScanEvent::Logged(self.account.number, entry)));
        }
        (gap, stop)
    }

    /// Ends the region because the scan stopped. Returns the gap of the types that are left.
    pub(super) fn stop(&mut self, stop: StopScan, why: Option<&str>) -> Gap {
        let why = why.map(|w| format!("; {w}")).unwrap_or_default();
        let reason = match stop {
            StopScan::Fatal => format!("scan stopped by a fatal error (see the FATAL entry{why})"),
            StopScan::OutOfTime => advice::OUT_OF_TIME.to_owned(),
        };
        let gap = gap(ErrorType::ScanFailed, &reason);
        self.end(EndReason::Stopped(reason), &gap);
        gap
    }

    /// Ends the region: no further type starts, and the types that are left get the gap `unlisted`. Returns false if the
    /// region had already ended.
    fn end(&mut self, reason: EndReason, unlisted: &Gap) -> bool {
        if self.ended.is_some() || self.phase != Phase::Counting {
            return false;
        }
        self.ended = Some(reason);
        self.pending.clear();
        self.result.unlisted = unlisted.clone();
        true
    }

    /// Drops the region after a panic outside of its requests. Returns false if it was already finished or dropped.
    pub(super) fn discard(&mut self) -> bool {
        self.started.clear();
        self.pending.clear();
        self.recorder_step = None;
        let is_open = matches!(self.phase, Phase::Counting | Phase::Counted);
        if is_open {
            self.phase = Phase::Discarded;
        }
        is_open
    }

    /// Ends the counting of a region that has no counting step left. Returns true if the region is now finished.
    pub(super) fn finish(&mut self, events: &mut Vec<ScanEvent>) -> bool {
        let is_idle = self.active == 0 && self.started.is_empty() && self.pending.is_empty();
        if self.phase == Phase::Counting && is_idle && !self.start_recheck() {
            self.phase = Phase::Counted;
            self.finish_counting(events);
        }
        let is_finished = self.phase == Phase::Counted && self.result.recorder.is_some();
        if is_finished {
            self.phase = Phase::Finished;
        }
        is_finished
    }

    /// Returns the result; `None` if the region is not finished.
    pub(super) fn into_result(self) -> Option<RegionResult> {
        (self.phase == Phase::Finished).then_some(self.result)
    }

    /// Starts to request different numbers again, once, with `--method verify`. Returns true if there are any.
    fn start_recheck(&mut self) -> bool {
        let is_due = self.account.method == Method::Verify && self.ended.is_none();
        if !is_due || std::mem::replace(&mut self.was_rechecked, true) {
            return false;
        }
        let types = self.result.differing_types();
        if !types.is_empty() {
            self.started.push_back(Step::Recheck(types));
        }
        !self.started.is_empty()
    }

    fn finish_counting(&mut self, events: &mut Vec<ScanEvent>) {
        let now = self.account.clock.elapsed();
        self.result.took = now.saturating_sub(self.began.unwrap_or(now));
        let uncounted = message::uncounted(&self.result, self.account.types.named());
        let scan_failed = |message| {
            let error_type = ErrorType::ScanFailed;
            self.account
                .entry(error_type, &self.result.region, None, message)
        };
        let entry = match &mut self.ended {
            Some(EndReason::Skipped(entry)) => entry.take().map(|mut entry| {
                let _ = write!(entry.message, "; {uncounted}");
                entry
            }),
            Some(EndReason::Abandoned) => {
                Some(scan_failed(format!("region abandoned, {uncounted}")))
            }
            Some(EndReason::Stopped(why)) if self.account.interrupt.signal().is_none() => {
                Some(scan_failed(format!("{uncounted}: {why}")))
            }
            _ => None,
        };
        events.extend(entry.map(|entry| ScanEvent::Logged(self.account.number, entry)));
    }
}
