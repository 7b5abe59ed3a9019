//! The task of one region: batch by batch, and what follows a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::verdict::{Then, verdict};
use super::{Cell, Event, RegionResult, Scan, panic_text};
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::count::CountError;
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType, plural};

/// The wait after a throttled type, so that the region's limit can recover.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);

/// The task of one region.
pub(super) struct Task<'a> {
    pub(super) scan: &'a Scan<'a>,
    pub(super) region: &'a Region,
    pub(super) to_main: &'a Sender<Event>,
    pub(super) result: RegionResult,
}

impl Task<'_> {
    /// Counts a batch; tells why where the region ends with it.
    pub(super) fn batch(&mut self, batch: &[ResourceType]) -> Option<ErrorType> {
        loop {
            let counter = self.scan.counter;
            let outcome = catch_unwind(AssertUnwindSafe(|| counter.count(self.region, batch)));
            let error = match outcome {
                Ok(Ok(counts)) => {
                    for count in counts {
                        self.result
                            .cells
                            .insert(count.resource_type, Cell::Counted(count.total));
                    }
                    return None;
                }
                Ok(Err(error)) => error,
                Err(panic) => {
                    let message = format!("a fault of the program: {}", panic_text(&*panic));
                    self.tell(ErrorType::Unexpected, single(batch), message);
                    self.lose(batch, ErrorType::Unexpected);
                    return None;
                }
            };
            let (error_type, then) = verdict(&error);
            if then == Then::Renew {
                self.tell_fatal(&error, batch);
                match self.scan.renew(&error) {
                    Ok(()) => continue,
                    Err(why) => return Some(self.stop(Some(&why))),
                }
            }
            let Some(error_type) = error_type else {
                if then == Then::StopScan {
                    return Some(self.stop(None));
                }
                // The type holds nothing here.
                for resource_type in batch {
                    self.result
                        .cells
                        .insert(resource_type.clone(), Cell::Counted(0));
                }
                return None;
            };
            return self.follow(error_type, then, &error, batch);
        }
    }

    fn follow(
        &mut self,
        error_type: ErrorType,
        then: Then,
        error: &CountError,
        batch: &[ResourceType],
    ) -> Option<ErrorType> {
        match then {
            Then::Next | Then::WaitThenNext => {
                self.tell(error_type, single(batch), self.told(error_type, error));
                self.lose(batch, error_type);
                if then == Then::WaitThenNext {
                    self.scan.clock.sleep(THROTTLE_WAIT);
                }
                None
            }
            Then::SkipRegion => {
                self.tell(error_type, None, self.told(error_type, error));
                Some(error_type)
            }
            Then::GiveUpRegion => {
                self.tell(error_type, single(batch), self.told(error_type, error));
                let left = self.result.gaps();
                let message = format!("region given up, {} not counted", plural(left, "type"));
                self.tell(ErrorType::ScanFailed, None, message);
                Some(error_type)
            }
            Then::Renew | Then::StopScan => {
                self.tell_fatal(error, batch);
                Some(self.stop(None))
            }
        }
    }

    /// What happened and what to do about it.
    fn told(&self, error_type: ErrorType, error: &CountError) -> String {
        let CountError::Call(call) = error else {
            return format!("{error}; no row for this type");
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

    /// Once for all threads.
    fn tell_fatal(&self, error: &CountError, batch: &[ResourceType]) {
        if !self.scan.fatal_told.swap(true, Ordering::SeqCst) {
            let message = self.told(ErrorType::Fatal, error);
            self.tell(ErrorType::Fatal, single(batch), message);
        }
    }

    /// Ends the scan of every region.
    pub(super) fn stop(&self, why: Option<&str>) -> ErrorType {
        self.scan.stopped.store(true, Ordering::SeqCst);
        if self.scan.interrupt.signal().is_none() {
            let left = self.result.gaps();
            let why = why.map(|w| format!(" ({w})")).unwrap_or_default();
            let message = format!(
                "{} not counted: the run was stopped by what FATAL tells{why}",
                plural(left, "type")
            );
            self.tell(ErrorType::ScanFailed, None, message);
        }
        ErrorType::ScanFailed
    }

    pub(super) fn lose(&mut self, batch: &[ResourceType], why: ErrorType) {
        for resource_type in batch {
            self.result
                .cells
                .insert(resource_type.clone(), Cell::Lost(why));
        }
    }

    fn tell(&self, error_type: ErrorType, resource_type: Option<&ResourceType>, message: String) {
        let entry = self
            .scan
            .entry(error_type, self.region, resource_type, message);
        let _ = self.to_main.send(Event::Incident(entry));
    }
}

/// The type, where the batch is one.
fn single(batch: &[ResourceType]) -> Option<&ResourceType> {
    match batch {
        [only] => Some(only),
        _ => None,
    }
}
