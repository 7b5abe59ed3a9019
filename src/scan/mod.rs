//! The parallel scan of all regions.
//!
//! - The tasks run on the threads of a [`Pool`]. Each region has one task that starts its scan, up
//!   to `region_concurrency` tasks that list its types, and one task that fetches its recorder.
//! - No task waits for another task.
//! - Tasks send `ScanMessage`s over a channel: an error, the result of a region, or a recorder.
//! - The main thread receives them in [`Scan::run`], draws the progress bar, writes the log and
//!   builds the [`Coverage`].
//! - The channel ends when the last task has ended. A region without a result then counts as an
//!   internal error.
//! - A fatal error or an interrupt sets the stop flag; every task checks it before its next type.

pub mod pool;
pub mod recorder;
pub mod recovery;
mod region_scan;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::advice;
use crate::aws::client::Client;
use crate::aws::error::CallError;
use crate::clock::Clock;
use crate::coverage::{Coverage, Gap, Recorder, RegionResult, UnloggedGap};
use crate::error_log::{Entry, ErrorType};
use crate::interrupt::Interrupt;
use crate::inventory::{CountError, CountResources, Method};
use crate::model::{Region, ResourceType, ResourceTypes};
use pool::{Outlet, Pool};
use region_scan::RegionScan;

/// An event of a running scan.
pub enum Event {
    /// An error to log.
    Incident(Entry),
    /// The region is done.
    Done(Region),
}

/// Sends messages to the main thread, independent of the type of the task.
trait MessageSink {
    fn report(&self, message: ScanMessage);
}

impl MessageSink for Outlet<ScanMessage> {
    fn report(&self, message: ScanMessage) {
        self.send(message);
    }
}

/// A message from a task to the main thread.
enum ScanMessage {
    Incident(Entry),
    Counted(RegionResult),
    Recorder(Region, Recorder),
}

/// A task of the scan.
enum ScanJob {
    /// Starts a region: requests its counts if needed, and adds tasks that list its types.
    Count(Region),
    Recorder(Region),
}

/// A scan of regions × types.
pub struct Scan {
    /// Lists and counts resources.
    pub counter: Arc<dyn CountResources>,
    /// The counting method.
    pub method: Method,
    /// The maximum number of types that are listed concurrently in a region.
    pub region_concurrency: usize,
    /// Fetches a region's recorder.
    pub recorder: Box<AskRecorder>,
    /// Refreshes expired credentials and is informed of the tasks that will send requests; `None`
    /// in tests without a client.
    pub client: Option<Arc<Client>>,
    /// The clock for log lines and for the wait after a throttled type.
    pub clock: Arc<dyn Clock>,
    /// Stops the scan without a log line.
    pub interrupt: Interrupt,
    /// The types to count.
    pub types: ResourceTypes,
    /// The flags that the tasks share.
    pub flags: Flags,
}

/// Fetches a region's recorder. The second argument refreshes the credentials after a call failed
/// because they have expired; it returns true on success.
pub type AskRecorder = dyn Fn(&Region, &dyn Fn(&CallError) -> bool) -> Recorder + Send + Sync;

/// The flags that the tasks of a scan share.
#[derive(Default)]
pub struct Flags {
    stopped: AtomicBool,
    fatal_reported: AtomicBool,
}

impl Scan {
    /// Returns true if an error stopped the scan before all regions were done.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        self.flags.stopped.load(Ordering::SeqCst)
    }

    /// Scans `regions` on `pool`. Returns their coverage, with that of `skipped`, the regions that
    /// are not scanned. Errors and finished regions are passed to `on_event` as they occur.
    pub fn run(
        self: &Arc<Self>,
        pool: &mut Pool,
        regions: &[Region],
        skipped: Vec<RegionResult>,
        mut on_event: impl FnMut(Event),
    ) -> Coverage {
        let mut recorders: BTreeMap<Region, Recorder> = BTreeMap::new();
        let mut results: BTreeMap<Region, RegionResult> = BTreeMap::new();
        let listings = if self.method.lists() {
            self.region_concurrency
        } else {
            1
        };
        let count = |region: &Region| ScanJob::Count(region.clone());
        let recorder = |region: &Region| ScanJob::Recorder(region.clone());
        let jobs: Vec<ScanJob> = regions
            .iter()
            .map(count)
            .chain(regions.iter().map(recorder))
            .collect();
        let scan = self.clone();
        let work = move |job, outlet: &Outlet<ScanMessage>, add: &dyn Fn(Arc<RegionScan>)| match job
        {
            ScanJob::Count(region) => scan.start(region, outlet, add),
            ScanJob::Recorder(region) => {
                let recorder = scan.recorder(&region, outlet);
                outlet.send(ScanMessage::Recorder(region, recorder));
            }
        };
        let then = |region: Arc<RegionScan>, outlet: &Outlet<ScanMessage>| region.list(outlet);
        let messages = pool.side_by_side(jobs, work, then);
        // The existing threads start working meanwhile.
        pool.grow(regions.len() * (listings + 1));
        for message in messages {
            match message {
                ScanMessage::Incident(entry) => on_event(Event::Incident(entry)),
                ScanMessage::Recorder(region, recorder) => {
                    recorders.insert(region, recorder);
                }
                ScanMessage::Counted(result) => {
                    on_event(Event::Done(result.region.clone()));
                    results.insert(result.region.clone(), result);
                }
            }
        }
        let mut complete = skipped;
        for region in regions {
            // A task that panicked must not look like a region without resources.
            let message = "internal error: the region's task ended early";
            let why = Gap::new(ErrorType::Unexpected, message);
            let recorder = recorders.remove(region);
            let recorder = recorder.unwrap_or_else(|| Recorder::unknown(&why));
            let mut result = results.remove(region).unwrap_or_else(|| {
                let entry = self.entry(why.error_type, region, None, message.to_owned());
                on_event(Event::Incident(entry));
                on_event(Event::Done(region.clone()));
                RegionResult::missing(region.clone(), why)
            });
            result.recorder = Some(recorder);
            complete.push(result);
        }
        let coverage = Coverage::new(complete, &self.types, self.method);
        if self.interrupt.signal().is_none() {
            for gap in coverage.unlogged() {
                on_event(Event::Incident(self.unlogged_entry(&gap)));
            }
        }
        coverage
    }

    fn unlogged_entry(&self, unlogged: &UnloggedGap<'_>) -> Entry {
        let resource_type = match unlogged.types[..] {
            [only] => Some(only),
            _ => None,
        };
        let message = advice::for_gap(unlogged);
        let error_type = unlogged.gap.error_type;
        self.entry(error_type, unlogged.region, resource_type, message)
    }

    fn start(
        self: &Arc<Self>,
        region: Region,
        sink: &dyn MessageSink,
        list: &dyn Fn(Arc<RegionScan>),
    ) {
        let region_scan = Arc::new(RegionScan::new(self.clone(), region));
        let types = region_scan.start(sink);
        // At least one task is needed: the last one sends the region's result.
        for _ in 0..types.min(self.region_concurrency).max(1) {
            list(region_scan.clone());
        }
    }

    fn recorder(&self, region: &Region, sink: &dyn MessageSink) -> Recorder {
        if self.was_stopped() {
            return Recorder::unknown(&Gap::new(ErrorType::ScanFailed, "not tried"));
        }
        (self.recorder)(region, &|expired| {
            let message = format!("{expired}; {}", expired.advice());
            self.report_fatal(region, None, message, sink);
            self.refresh(&CountError::Call(expired.clone())).is_ok()
        })
    }

    /// Logs a fatal error, only once for all threads.
    fn report_fatal(
        &self,
        region: &Region,
        resource_type: Option<&ResourceType>,
        message: String,
        sink: &dyn MessageSink,
    ) {
        if !self.flags.fatal_reported.swap(true, Ordering::SeqCst) {
            let entry = self.entry(ErrorType::Fatal, region, resource_type, message);
            sink.report(ScanMessage::Incident(entry));
        }
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

    /// Refreshes expired credentials.
    fn refresh(&self, error: &CountError) -> Result<(), String> {
        match (error, &self.client) {
            (CountError::Call(error), Some(client)) => {
                client.refresh_credentials(error).map_err(|e| e.to_string())
            }
            _ => Err("these credentials cannot be refreshed".to_owned()),
        }
    }
}

/// Returns the message of a panic.
#[must_use]
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic without a message")
}

#[cfg(test)]
mod tests;
