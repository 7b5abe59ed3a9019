//! The parallel scan: one task per region, results over a channel to the main thread.

pub mod pool;
mod task;
pub mod verdict;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use crate::aws::client::Client;
use crate::clock::Clock;
use crate::count::{CountError, CountResources};
use crate::error_log::{Entry, ErrorType};
use crate::interrupt::Interrupt;
use crate::model::{Region, ResourceCount, ResourceType};
use pool::Pool;
use task::Task;

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

/// The text of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text")
}

#[cfg(test)]
mod tests;
