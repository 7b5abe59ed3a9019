//! The counting of one region, by several tasks at once, and what follows a failure.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::verdict::{Then, verdict};
use super::{Report, Scan, Tell, panic_text};
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::count::CountError;
use crate::coverage::{Loss, Outcome};
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType, clean, plural};

/// The wait after a throttled step, so that the region's limit can recover.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);

/// The longest reason that is kept of a loss, in characters.
const MAX_DETAIL: usize = 1000;

/// The counting of one region: what its tasks share.
pub(super) struct Counting {
    scan: Arc<Scan>,
    region: Region,
    began: Duration,
    state: Mutex<State>,
}

struct State {
    /// What has been found so far; handed over by the task that ends last.
    outcome: Option<Outcome>,
    /// The types that no task has taken yet.
    left: VecDeque<ResourceType>,
    /// How many types tasks are at.
    busy: usize,
    /// Why no type is taken any more.
    over: Option<Over>,
}

/// Why a region ended before its types did.
enum Over {
    /// Nothing can be counted there, which has been told.
    Skipped,
    /// The network failed.
    GivenUp,
    /// The run stopped, for this reason.
    Stopped(String),
}

impl Counting {
    /// A region of which nothing has been counted.
    pub(super) fn new(scan: Arc<Scan>, region: Region) -> Self {
        let none = Loss::of(ErrorType::ScanFailed, "not tried");
        Self {
            began: scan.clock.elapsed(),
            state: Mutex::new(State {
                outcome: Some(Outcome::lost(region.clone(), none)),
                left: VecDeque::new(),
                busy: 0,
                over: None,
            }),
            scan,
            region,
        }
    }

    /// Asks for the counts, where that is the way; tells how many types are to be listed then.
    pub(super) fn begin(&self, tell: &dyn Tell) -> usize {
        let Scan {
            counter,
            method,
            types,
            ..
        } = &*self.scan;
        if self.scan.was_stopped() {
            self.stop(None);
        } else if method.asks_counts(types) {
            let counts = self.step(None, tell, &|| counter.counts(&self.region, types));
            if let Some(outcome) = &mut self.lock().outcome {
                match counts {
                    Ok(counts) => outcome.counts = Some(counts),
                    // The one call was for every type.
                    Err(loss) => outcome.rest = loss,
                }
            }
        }
        let mut state = self.lock();
        if state.over.is_none() {
            let counts = state.outcome.as_ref().and_then(|o| o.counts.as_ref());
            state.left = method.to_list(types, counts).into();
        }
        state.left.len()
    }

    /// Lists type after type until none is left; the last task to end hands over what was found.
    pub(super) fn list(&self, tell: &dyn Tell) {
        while let Some(resource_type) = self.take() {
            let work = || self.scan.counter.list(&self.region, &resource_type);
            let listed = self.step(Some(&resource_type), tell, &work);
            let mut state = self.lock();
            state.busy -= 1;
            if let Some(outcome) = &mut state.outcome {
                outcome.listed.insert(resource_type, listed);
            }
        }
        self.hand_over(tell);
    }

    fn take(&self) -> Option<ResourceType> {
        let mut state = self.lock();
        if state.over.is_some() || state.left.is_empty() {
            return None;
        }
        if self.scan.was_stopped() {
            drop(state);
            self.stop(None);
            return None;
        }
        state.busy += 1;
        state.left.pop_front()
    }

    /// Hands over what was found, and tells what was not, once no task is at anything any more.
    fn hand_over(&self, tell: &dyn Tell) {
        let mut state = self.lock();
        if state.busy > 0 {
            return;
        }
        let Some(mut outcome) = state.outcome.take() else {
            return;
        };
        let over = state.over.take();
        // No task takes a type any more.
        state.left.clear();
        drop(state);
        outcome.took = self.scan.clock.elapsed().saturating_sub(self.began);
        let counted = outcome.listed.values().filter(|l| l.is_ok()).count();
        let left = match self.scan.types.named().len() {
            0 => "its types".to_owned(),
            asked => plural(asked - counted, "type"),
        };
        let message = match over {
            Some(Over::GivenUp) => Some(format!("region given up, {left} not counted")),
            Some(Over::Stopped(why)) if self.scan.interrupt.signal().is_none() => {
                Some(format!("{left} not counted: {why}"))
            }
            _ => None,
        };
        if let Some(message) = message {
            self.tell(tell, ErrorType::ScanFailed, None, message);
        }
        tell.tell(Report::Counted(outcome));
    }

    /// Does `work` until it brings something or a loss; where the region is over, it is said why.
    fn step<T>(
        &self,
        resource_type: Option<&ResourceType>,
        tell: &dyn Tell,
        work: &dyn Fn() -> Result<T, CountError>,
    ) -> Result<T, Loss> {
        loop {
            let error = match catch_unwind(AssertUnwindSafe(work)) {
                Ok(Ok(output)) => return Ok(output),
                Ok(Err(error)) => error,
                Err(panic) => {
                    let message = format!("a fault of the program: {}", panic_text(&*panic));
                    self.tell(tell, ErrorType::Unexpected, resource_type, message.clone());
                    return Err(loss(ErrorType::Unexpected, &message));
                }
            };
            let (error_type, then) = verdict(&error);
            if then == Then::Renew {
                self.tell_fatal(tell, &error, resource_type);
                match self.scan.renew(&error) {
                    Ok(()) => continue,
                    Err(why) => return Err(self.stop(Some(&why))),
                }
            }
            return Err(match error_type {
                None => self.stop(None),
                Some(error_type) => self.follow(error_type, then, &error, resource_type, tell),
            });
        }
    }

    fn follow(
        &self,
        error_type: ErrorType,
        then: Then,
        error: &CountError,
        resource_type: Option<&ResourceType>,
        tell: &dyn Tell,
    ) -> Loss {
        let message = self.told(error_type, error, resource_type);
        let loss = loss(error_type, &message);
        match then {
            Then::Next | Then::WaitThenNext => {
                self.tell(tell, error_type, resource_type, message);
                if then == Then::WaitThenNext {
                    self.scan.clock.sleep(THROTTLE_WAIT);
                }
            }
            // Of the types that are listed at once each meets the same, and one line tells it.
            Then::SkipRegion => {
                if self.end(Over::Skipped, &loss) {
                    self.tell(tell, error_type, None, message);
                } else if let Some(told) = self.skipped() {
                    return told;
                }
            }
            Then::GiveUpRegion => {
                let detail = format!("not tried, because the region was given up: {message}");
                let rest = self::loss(ErrorType::ScanFailed, &detail);
                if self.end(Over::GivenUp, &rest) {
                    self.tell(tell, error_type, resource_type, message);
                }
            }
            Then::Renew | Then::StopScan => {
                self.tell_fatal(tell, error, resource_type);
                self.stop(None);
            }
        }
        loss
    }

    /// What happened and what to do about it.
    fn told(
        &self,
        error_type: ErrorType,
        error: &CountError,
        resource_type: Option<&ResourceType>,
    ) -> String {
        let CountError::Call(call) = error else {
            let lost = match resource_type {
                Some(_) => "no row for this type",
                None => "none of these counts is used",
            };
            return format!("{error}; {lost}");
        };
        let session = || {
            self.scan
                .client
                .as_deref()
                .is_some_and(Client::has_session_token)
        };
        let advice = match error_type {
            // The key is good elsewhere, so the general advice would mislead.
            ErrorType::RegionDisabled if call.kind() == Some(ErrorKind::UnknownKey) => {
                let token = if session() {
                    "; if it is enabled, the session token is one of the global STS endpoint: get \
                     it from a regional one"
                } else {
                    ""
                };
                format!(
                    "the region does not accept the account's credentials: enable it for the \
                     account, or leave it out with --exclude-regions{token}"
                )
            }
            _ => call.advice(),
        };
        format!("{error}; {advice}")
    }

    fn tell_fatal(
        &self,
        tell: &dyn Tell,
        error: &CountError,
        resource_type: Option<&ResourceType>,
    ) {
        let message = self.told(ErrorType::Fatal, error, resource_type);
        self.scan
            .tell_fatal(&self.region, resource_type, message, tell);
    }

    /// Ends the scan of every region.
    fn stop(&self, why: Option<&str>) -> Loss {
        self.scan.flags.stopped.store(true, Ordering::SeqCst);
        let why = why.map(|w| format!(" ({w})")).unwrap_or_default();
        let stopped = format!("the run was stopped by what FATAL tells{why}");
        let loss = loss(ErrorType::ScanFailed, &stopped);
        self.end(Over::Stopped(stopped), &loss);
        loss
    }

    /// Why nothing can be counted here, where that has been told.
    fn skipped(&self) -> Option<Loss> {
        let state = self.lock();
        let outcome = state.outcome.as_ref()?;
        matches!(state.over, Some(Over::Skipped)).then(|| outcome.rest.clone())
    }

    /// No type is taken any more, and `rest` is what becomes of those that nobody took; tells whether
    /// it was this that ended the region.
    fn end(&self, over: Over, rest: &Loss) -> bool {
        let mut state = self.lock();
        if state.over.is_some() {
            return false;
        }
        state.over = Some(over);
        if let Some(outcome) = &mut state.outcome {
            outcome.rest = rest.clone();
        }
        true
    }

    fn tell(
        &self,
        tell: &dyn Tell,
        error_type: ErrorType,
        resource_type: Option<&ResourceType>,
        message: String,
    ) {
        let entry = self
            .scan
            .entry(error_type, &self.region, resource_type, message);
        tell.tell(Report::Incident(entry));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn loss(error_type: ErrorType, message: &str) -> Loss {
    Loss::of(error_type, &clean(message, MAX_DETAIL))
}
