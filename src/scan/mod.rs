//! The parallel scan: one task per region, results over a channel to the main thread.

pub mod pool;
pub mod verdict;

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::clock::Clock;
use crate::count::{CountError, CountResources};
use crate::error_log::{Entry, ErrorType};
use crate::interrupt::Interrupt;
use crate::model::{Region, ResourceCount, ResourceType, plural};
use pool::Pool;
use verdict::{Then, verdict};

/// The wait after a throttled type, so that the region's limit can recover.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);

/// What is known of one region and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// The exact total.
    Counted(u64),
    /// No total, and the kind of the incident that took it.
    Lost(ErrorType),
}

/// What is known of one region: a cell for every type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionResult {
    /// The region.
    pub region: Region,
    /// By type.
    pub cells: BTreeMap<ResourceType, Cell>,
}

impl RegionResult {
    /// A region of which nothing is known.
    #[must_use]
    pub fn lost(region: Region, types: &[ResourceType], why: ErrorType) -> Self {
        let cells = types.iter().map(|t| (t.clone(), Cell::Lost(why))).collect();
        Self { region, cells }
    }

    /// How many types have no total.
    #[must_use]
    pub fn gaps(&self) -> usize {
        let lost = |cell: &&Cell| matches!(cell, Cell::Lost(_));
        self.cells.values().filter(lost).count()
    }

    /// The exact totals.
    pub fn counts(&self) -> impl Iterator<Item = ResourceCount> + '_ {
        self.cells
            .iter()
            .filter_map(|(resource_type, cell)| match cell {
                Cell::Counted(total) => Some(ResourceCount {
                    region: self.region.clone(),
                    resource_type: resource_type.clone(),
                    total: *total,
                }),
                Cell::Lost(_) => None,
            })
    }
}

/// What a task tells the main thread.
pub enum Event {
    /// Something went wrong.
    Incident(Entry),
    /// A region is done.
    Done(RegionResult),
}

/// A scan of regions × types.
pub struct Scan<'a> {
    /// Counts a region's types.
    pub counter: &'a dyn CountResources,
    /// Renews the credentials that have expired; `None` where there is nothing to renew.
    pub client: Option<&'a Client>,
    /// The time of an incident, and the wait after a throttled type.
    pub clock: Arc<dyn Clock>,
    /// Ends the scan without a word.
    pub interrupt: Interrupt,
    /// The types.
    pub types: &'a [ResourceType],
    stopped: AtomicBool,
    fatal_told: AtomicBool,
}

impl<'a> Scan<'a> {
    /// A scan that has not begun.
    #[must_use]
    pub fn new(
        counter: &'a dyn CountResources,
        client: Option<&'a Client>,
        clock: Arc<dyn Clock>,
        interrupt: Interrupt,
        types: &'a [ResourceType],
    ) -> Self {
        Self {
            counter,
            client,
            clock,
            interrupt,
            types,
            stopped: AtomicBool::new(false),
            fatal_told: AtomicBool::new(false),
        }
    }

    /// Whether an incident ended the scan before every region was done.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Scans the regions on `pool`, one task each, and returns their results by region; incidents
    /// and the regions that are done go to `each` as they come.
    pub fn run(
        &self,
        pool: &Pool,
        regions: &[Region],
        mut each: impl FnMut(&Event),
    ) -> Vec<RegionResult> {
        let mut results = BTreeMap::new();
        let mut take = |event: Event| {
            each(&event);
            if let Event::Done(result) = event {
                results.insert(result.region.clone(), result);
            }
        };
        let work = |region: Region, to_main: &Sender<Event>| self.region(&region, to_main);
        pool.side_by_side(regions.to_vec(), work, &mut take);
        let missing: Vec<&Region> = regions
            .iter()
            .filter(|r| !results.contains_key(*r))
            .collect();
        for region in missing {
            // A task that ended without a word must not look like a region without resources.
            let why = ErrorType::Unexpected;
            let message = "the region's task ended early: this is a fault of the program";
            each(&Event::Incident(self.entry(
                why,
                region,
                None,
                message.to_owned(),
            )));
            let lost = RegionResult::lost(region.clone(), self.types, why);
            each(&Event::Done(lost.clone()));
            results.insert(region.clone(), lost);
        }
        results.into_values().collect()
    }

    fn region(&self, region: &Region, to_main: &Sender<Event>) {
        let mut task = Task {
            scan: self,
            region,
            to_main,
            result: RegionResult::lost(region.clone(), self.types, ErrorType::ScanFailed),
        };
        let batches = self.counter.batches(self.types);
        for (n, batch) in batches.iter().enumerate() {
            let over = if self.was_stopped() {
                Some(task.stop(None))
            } else {
                task.batch(batch)
            };
            if let Some(why) = over {
                task.lose(&batches[n..].concat(), why);
                break;
            }
        }
        // The main thread waits for this; it cannot have gone.
        let _ = to_main.send(Event::Done(task.result));
    }

    fn entry(
        &self,
        error_type: ErrorType,
        region: &Region,
        resource_type: Option<&ResourceType>,
        message: String,
    ) -> Entry {
        Entry {
            at: self.clock.now(),
            error_type,
            region: Some(region.clone()),
            resource_type: resource_type.cloned(),
            message,
        }
    }

    /// New credentials in the place of expired ones.
    fn renew(&self, error: &CountError) -> Result<(), String> {
        match (error, self.client) {
            (CountError::Call(error), Some(client)) => {
                client.renew_credentials(error).map_err(|e| e.to_string())
            }
            _ => Err("nothing can renew them".to_owned()),
        }
    }
}

/// The task of one region.
struct Task<'a> {
    scan: &'a Scan<'a>,
    region: &'a Region,
    to_main: &'a Sender<Event>,
    result: RegionResult,
}

impl Task<'_> {
    /// Counts a batch; tells why where the region ends with it.
    fn batch(&mut self, batch: &[ResourceType]) -> Option<ErrorType> {
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
    fn stop(&self, why: Option<&str>) -> ErrorType {
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

    fn lose(&mut self, batch: &[ResourceType], why: ErrorType) {
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

/// The text of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text")
}

#[cfg(test)]
mod tests;
