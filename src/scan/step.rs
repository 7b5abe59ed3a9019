//! One step of a region's scan: the counts, a page of a listing, or the recorder.
//!
//! A step runs on a worker without the scheduler's mutex. It logs its own error, unless the error ends the region: then
//! the region decides under the mutex, because only the first such error is logged.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::account::AccountScan;
use super::message::{ScanEvent, all_uncounted};
use super::recheck::{self, Rechecked};
use super::recorder;
use super::recovery::{Recovery, classify, classify_rejection, rejects_credentials};
use crate::advice;
use crate::aws::error::{CallError, Cause};
use crate::coverage::{Gap, Recorder, Status};
use crate::error_log::{Entry, ErrorType};
use crate::inventory::counts::{self, FirstCountsPage};
use crate::inventory::list::Listing;
use crate::inventory::{CountError, Counts, Listed, StatusResponse};
use crate::model::{Region, ResourceType, ResourceTypes};
use crate::text::sanitize;

/// The wait after a throttled type, so that the region's rate limit can recover.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);

/// The maximum length of a gap's reason, in characters.
const MAX_DETAIL: usize = 1000;

/// A step that is not started.
pub(super) enum Step {
    /// Fetches the counts of all types.
    Counts(Option<FirstCountsPage>),
    /// Fetches the next page of a listing.
    Page(Box<Listing>),
    /// Fetches the recorder.
    Recorder(Option<StatusResponse>),
    /// Fetches the listings and the counts of these types again.
    Recheck(Vec<ResourceType>),
}

/// The outcome of a step.
pub(super) enum Outcome {
    /// The counts.
    Counts(Result<Counts, Failure>),
    /// The listing, which is complete, failed, or has more pages (`None`).
    Page(Box<Listing>, Result<Option<Listed>, Failure>),
    /// The recorder, and the failure that stops the scan, if there is one.
    Recorder(Recorder, Option<Failure>),
    /// The second numbers of the types that could be fetched again.
    Rechecked(Rechecked),
}

/// A failed step.
pub(super) struct Failure {
    /// The next step.
    pub(super) recovery: Recovery,
    /// The gap of the type.
    pub(super) gap: Gap,
    /// The log entry, if it is not logged yet: only the first error that ends a region is logged. An interrupt has none.
    pub(super) entry: Option<Entry>,
    /// The reason why expired credentials could not be refreshed.
    pub(super) refresh_error: Option<String>,
}

/// A worker that performs steps of one region.
pub(super) struct Performer<'a> {
    pub(super) account: &'a AccountScan,
    pub(super) region: &'a Region,
    pub(super) events: &'a Sender<ScanEvent>,
    /// Returns true if the region has more steps in progress than its limiter allows.
    pub(super) is_crowded: &'a dyn Fn() -> bool,
}

impl Performer<'_> {
    /// Performs a step.
    pub(super) fn perform(&self, step: Step) -> Outcome {
        let client = &*self.account.client;
        match step {
            Step::Counts(first) => {
                let fetch = || counts::fetch(client, self.region, &self.account.types, first);
                Outcome::Counts(self.attempt(None, fetch))
            }
            Step::Page(mut listing) => {
                let resource_type = listing.resource_type().clone();
                let fetch = || listing.fetch_page(client, self.region, self.is_crowded);
                let result = self.attempt(Some(&resource_type), fetch);
                if let Ok(Some(Listed {
                    changed: Some(why), ..
                })) = &result
                {
                    self.log(ErrorType::ApiError, Some(&resource_type), why.to_string());
                }
                Outcome::Page(listing, result)
            }
            Step::Recorder(status) => {
                let (recorder, failure) = self.fetch_recorder(status);
                Outcome::Recorder(recorder, failure)
            }
            Step::Recheck(types) => Outcome::Rechecked(self.recheck(types)),
        }
    }

    fn attempt<T>(
        &self,
        resource_type: Option<&ResourceType>,
        request: impl FnOnce() -> Result<T, CountError>,
    ) -> Result<T, Failure> {
        let result = catch_unwind(AssertUnwindSafe(request));
        match result {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(self.failure(resource_type, &error)),
            Err(panic) => {
                let message = format!("internal error: {}", panic_text(&*panic));
                Err(self.next(ErrorType::Unexpected, resource_type, message))
            }
        }
    }

    /// Fetches the second numbers of `types`. Logs no error, because the first numbers are complete.
    fn recheck(&self, types: Vec<ResourceType>) -> Rechecked {
        if self.account.was_stopped() {
            return Rechecked::new();
        }
        let fetch = || recheck::fetch(&self.account.client, self.region, types);
        catch_unwind(AssertUnwindSafe(fetch)).unwrap_or_default()
    }

    /// Logs an error after which the next type follows.
    fn next(
        &self,
        error_type: ErrorType,
        resource_type: Option<&ResourceType>,
        message: String,
    ) -> Failure {
        let failure = logged(error_type, &message);
        let lost = match resource_type {
            Some(_) => None,
            None => self.lost_with_counts(),
        };
        self.log(
            error_type,
            resource_type,
            message + &lost.unwrap_or_default(),
        );
        failure
    }

    /// Names the types that are not counted if the request for the counts failed, if there are any: the
    /// types of a listing do not need the counts.
    fn lost_with_counts(&self) -> Option<String> {
        let (method, types) = (self.account.method, &self.account.types);
        let lost = !method.lists() || *types == ResourceTypes::All;
        lost.then(|| format!("; {}", all_uncounted(types.named())))
    }

    fn failure(&self, resource_type: Option<&ResourceType>, error: &CountError) -> Failure {
        let (log_type, recovery) = if rejects_credentials(error) {
            classify_rejection(error, self.account.standing(self.region))
        } else {
            classify(error)
        };
        let error_type = log_type.unwrap_or(ErrorType::ScanFailed);
        let message = self.account.describe(error_type, error);
        match recovery {
            Recovery::Next => match rejected_type(resource_type, error) {
                Some(rejected) => self.reject(rejected, error_type, message),
                None => self.next(error_type, resource_type, message),
            },
            Recovery::WaitThenNext => {
                let failure = self.next(error_type, resource_type, message);
                self.account.clock.sleep(THROTTLE_WAIT);
                failure
            }
            Recovery::SkipRegion
            | Recovery::AbandonRegion
            | Recovery::StopScan
            | Recovery::OutOfTime => {
                // A skipped region is not about a type.
                let shown = resource_type.filter(|_| recovery != Recovery::SkipRegion);
                let gap = gap(error_type, &message);
                let entry = self.account.entry(error_type, self.region, shown, message);
                Failure {
                    recovery,
                    gap,
                    entry: log_type.map(|_| entry),
                    refresh_error: match error {
                        CountError::Call(call) => refresh_error(call),
                        CountError::Pages { .. } => None,
                    },
                }
            }
        }
    }

    /// Logs, for the first region, that AWS Config rejects a type.
    fn reject(&self, rejected: &ResourceType, error_type: ErrorType, message: String) -> Failure {
        let mut failure = if self.account.first_rejection(rejected) {
            self.next(error_type, Some(rejected), message)
        } else {
            logged(error_type, &message)
        };
        if rejected.is_unknown() {
            failure.gap.status = Status::UnknownType;
        }
        failure
    }

    fn fetch_recorder(&self, status: Option<StatusResponse>) -> (Recorder, Option<Failure>) {
        if self.account.was_stopped() {
            let gap = Gap::new(ErrorType::ScanFailed, "not tried");
            return (Recorder::unknown(&gap), None);
        }
        let fetch = || {
            let (recorder, error) = recorder::fetch(&self.account.client, self.region, status);
            let failure = error.map(|error| self.failure(None, &CountError::Call(error)));
            // Other errors of the recorder do not affect the counts.
            let stops = |failure: &Failure| failure.recovery == Recovery::StopScan;
            (recorder, failure.filter(stops))
        };
        catch_unwind(AssertUnwindSafe(fetch)).unwrap_or_else(|panic| {
            let message = format!("internal error: {}", panic_text(&*panic));
            let gap = gap(ErrorType::Unexpected, &message);
            (Recorder::unknown(&gap), None)
        })
    }

    fn log(&self, error_type: ErrorType, resource_type: Option<&ResourceType>, message: String) {
        let entry = self
            .account
            .entry(error_type, self.region, resource_type, message);
        let logged = ScanEvent::Logged(self.account.number, entry);
        let _ = self.events.send(logged);
    }
}

/// Returns the type if AWS Config rejects it.
fn rejected_type<'a>(
    resource_type: Option<&'a ResourceType>,
    error: &CountError,
) -> Option<&'a ResourceType> {
    let is_rejected = matches!(error, CountError::Call(call) if call.is_rejected_input());
    resource_type.filter(|_| is_rejected)
}

/// Creates the failure of an error that is in the log, after which the next type follows.
fn logged(error_type: ErrorType, message: &str) -> Failure {
    Failure {
        recovery: Recovery::Next,
        gap: gap(error_type, message),
        entry: None,
        refresh_error: None,
    }
}

/// Returns the reason why there were no valid credentials for the call.
fn refresh_error(call: &CallError) -> Option<String> {
    let why = match &call.cause {
        Cause::Credentials(why) => Some(why),
        _ => call.refresh_error.as_ref(),
    };
    why.map(|why| advice::for_credentials(why))
}

/// Creates a gap with a message of limited length.
pub(super) fn gap(error_type: ErrorType, message: &str) -> Gap {
    Gap::new(error_type, &sanitize(message, MAX_DETAIL))
}

/// Returns the text of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text")
}
