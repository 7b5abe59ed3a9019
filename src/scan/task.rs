//! The counting task of one region: step by step, and what follows a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::verdict::{Then, verdict};
use super::{Report, Scan, panic_text};
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::count::{CountError, Counts, ListOne, Listed, Tally};
use crate::coverage::{Loss, Outcome};
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType, clean, plural};

/// The wait after a throttled step, so that the region's limit can recover.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);

/// The longest reason that is kept of a loss, in characters.
const MAX_DETAIL: usize = 1000;

/// The task of one region.
pub(super) struct Task<'a> {
    scan: &'a Scan<'a>,
    region: &'a Region,
    to_main: &'a Sender<Report>,
    outcome: Outcome,
    began: Duration,
    over: bool,
}

/// What a step came to.
enum Step<T> {
    Done(T),
    /// The types hold nothing here.
    Nothing,
    Lost(Loss),
}

impl<'a> Task<'a> {
    /// A task that has counted nothing.
    pub(super) fn new(scan: &'a Scan<'a>, region: &'a Region, to_main: &'a Sender<Report>) -> Self {
        let none = Loss::of(ErrorType::ScanFailed, "not tried");
        Self {
            scan,
            region,
            to_main,
            outcome: Outcome::lost(region.clone(), none),
            began: scan.clock.elapsed(),
            over: false,
        }
    }

    /// What it brought.
    pub(super) fn outcome(self) -> Outcome {
        Outcome {
            took: self.scan.clock.elapsed().saturating_sub(self.began),
            ..self.outcome
        }
    }

    /// Does `work` until it brings something or a loss; where the region is over, it is said why.
    fn step<T>(
        &mut self,
        resource_type: Option<&ResourceType>,
        work: &dyn Fn() -> Result<T, CountError>,
    ) -> Step<T> {
        loop {
            let error = match catch_unwind(AssertUnwindSafe(work)) {
                Ok(Ok(output)) => return Step::Done(output),
                Ok(Err(error)) => error,
                Err(panic) => {
                    let message = format!("a fault of the program: {}", panic_text(&*panic));
                    return Step::Lost(self.lose(ErrorType::Unexpected, resource_type, &message));
                }
            };
            let (error_type, then) = verdict(&error);
            if then == Then::Renew {
                self.tell_fatal(&error, resource_type);
                match self.scan.renew(&error) {
                    Ok(()) => continue,
                    Err(why) => return Step::Lost(self.stop(Some(&why))),
                }
            }
            return match error_type {
                None if then == Then::StopScan => Step::Lost(self.stop(None)),
                None => Step::Nothing,
                Some(error_type) => {
                    Step::Lost(self.follow(error_type, then, &error, resource_type))
                }
            };
        }
    }

    fn follow(
        &mut self,
        error_type: ErrorType,
        then: Then,
        error: &CountError,
        resource_type: Option<&ResourceType>,
    ) -> Loss {
        let message = self.told(error_type, error, resource_type);
        match then {
            Then::Next => self.lose(error_type, resource_type, &message),
            Then::WaitThenNext => {
                let loss = self.lose(error_type, resource_type, &message);
                self.scan.clock.sleep(THROTTLE_WAIT);
                loss
            }
            Then::SkipRegion => {
                let loss = self.lose(error_type, None, &message);
                self.end(loss.clone());
                loss
            }
            Then::GiveUpRegion => {
                let loss = self.lose(error_type, resource_type, &message);
                let given_up = format!("region given up, {} not counted", self.left());
                self.tell(ErrorType::ScanFailed, None, given_up);
                let detail = format!("not tried, because the region was given up: {message}");
                self.end(Loss::of(ErrorType::ScanFailed, &clean(&detail, MAX_DETAIL)));
                loss
            }
            Then::Renew | Then::StopScan => {
                self.tell_fatal(error, resource_type);
                self.stop(None);
                Loss::of(error_type, &clean(&message, MAX_DETAIL))
            }
        }
    }

    /// What happened and what to do about it.
    fn told(
        &self,
        error_type: ErrorType,
        error: &CountError,
        resource_type: Option<&ResourceType>,
    ) -> String {
        let CountError::Call(call) = error else {
            let lost =
                resource_type.map_or("none of these counts is used", |_| "no row for this type");
            return format!("{error}; {lost}");
        };
        let session = || self.scan.client.is_some_and(Client::has_session_token);
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

    fn tell_fatal(&self, error: &CountError, resource_type: Option<&ResourceType>) {
        let message = self.told(ErrorType::Fatal, error, resource_type);
        self.scan
            .tell_fatal(self.region, resource_type, message, self.to_main);
    }

    /// Ends the scan of every region.
    pub(super) fn stop(&mut self, why: Option<&str>) -> Loss {
        self.scan.flags.stopped.store(true, Ordering::SeqCst);
        let why = why.map(|w| format!(" ({w})")).unwrap_or_default();
        let stopped = format!("the run was stopped by what FATAL tells{why}");
        let loss = Loss::of(ErrorType::ScanFailed, &clean(&stopped, MAX_DETAIL));
        if self.scan.interrupt.signal().is_none() {
            let message = format!("{} not counted: {stopped}", self.left());
            self.tell(ErrorType::ScanFailed, None, message);
        }
        self.end(loss.clone());
        loss
    }

    /// No step is done any more; `why` is what becomes of the rest.
    fn end(&mut self, why: Loss) {
        self.over = true;
        self.outcome.rest = why;
    }

    /// `3 types`, or `its types` where nobody knows how many there are.
    fn left(&self) -> String {
        let counted = self.outcome.listed.values().filter(|l| l.is_ok()).count();
        match self.scan.types.named().len() {
            0 => "its types".to_owned(),
            asked => plural(asked - counted, "type"),
        }
    }

    /// A loss that is told.
    fn lose(
        &self,
        error_type: ErrorType,
        resource_type: Option<&ResourceType>,
        message: &str,
    ) -> Loss {
        self.tell(error_type, resource_type, message.to_owned());
        Loss::of(error_type, &clean(message, MAX_DETAIL))
    }

    fn tell(&self, error_type: ErrorType, resource_type: Option<&ResourceType>, message: String) {
        let entry = self
            .scan
            .entry(error_type, self.region, resource_type, message);
        let _ = self.to_main.send(Report::Incident(entry));
    }
}

impl Tally for Task<'_> {
    fn counts(&mut self, work: &dyn Fn() -> Result<Counts, CountError>) -> Option<Counts> {
        if self.over {
            return None;
        }
        let counts = match self.step(None, work) {
            Step::Done(counts) => Some(counts),
            Step::Nothing => Some(Counts::new()),
            Step::Lost(loss) => {
                if !self.over {
                    self.outcome.rest = loss;
                }
                None
            }
        };
        self.outcome.counts.clone_from(&counts);
        counts
    }

    fn each(&mut self, types: &[ResourceType], work: &ListOne<'_>) {
        for resource_type in types {
            if self.over {
                return;
            }
            if self.scan.was_stopped() {
                self.stop(None);
                return;
            }
            let listed = match self.step(Some(resource_type), &|| work(resource_type)) {
                Step::Done(listed) => Ok(listed),
                Step::Nothing => Ok(Listed::default()),
                Step::Lost(loss) => Err(loss),
            };
            self.outcome.listed.insert(resource_type.clone(), listed);
        }
    }
}
