//! The parallel scan: a region has tasks that count its types, and one that asks for its recorder;
//! results go over a channel to the main thread.

mod counting;
pub mod pool;
pub mod recorder;
pub mod verdict;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::aws::client::Client;
use crate::aws::error::CallError;
use crate::aws::operation::Service;
use crate::clock::Clock;
use crate::count::{CountError, CountResources, Method};
use crate::coverage::{Coverage, Loss, Outcome, Recorder, Seen, Settling};
use crate::error_log::{Entry, ErrorType};
use crate::http::Asker;
use crate::interrupt::Interrupt;
use crate::model::{Region, ResourceType, ResourceTypes};
use counting::Counting;
use pool::{Outlet, Pool};

/// What a scan tells as it goes on.
pub enum Event {
    /// Something went wrong.
    Incident(Entry),
    /// A region is counted.
    Done(Region),
}

/// Where tasks tell the main thread what happens, whatever else they are.
trait Tell {
    fn tell(&self, report: Report);
}

impl Tell for Outlet<Report> {
    fn tell(&self, report: Report) {
        self.send(report);
    }
}

/// What a task tells the main thread.
enum Report {
    Incident(Entry),
    Counted(Outcome),
    Recorder(Region, Recorder),
}

/// One task.
enum Job {
    /// Begins a region: its counts, where they are asked for, and tasks to list its types.
    Count(Region, Vec<Asker>),
    Recorder(Region, Vec<Asker>),
}

/// One of the tasks that list a region's types.
struct Listing {
    counting: Arc<Counting>,
    _asker: Option<Asker>,
}

/// A scan of regions × types.
pub struct Scan {
    /// Makes the calls that count.
    pub counter: Arc<dyn CountResources>,
    /// The way in which they count.
    pub method: Method,
    /// How many types of a region are listed at once, at the most.
    pub region_concurrency: usize,
    /// Asks for a region's recorder.
    pub recorder: Box<AskRecorder>,
    /// Renews the credentials that have expired, and is told which tasks will ask; `None` where there is
    /// nothing to renew and nobody to tell.
    pub client: Option<Arc<Client>>,
    /// The time of an incident, and the wait after a throttled type.
    pub clock: Arc<dyn Clock>,
    /// Ends the scan without a word.
    pub interrupt: Interrupt,
    /// The types.
    pub types: ResourceTypes,
    /// What the tasks tell each other.
    pub flags: Flags,
}

/// Asks for a region's recorder; the second argument brings new credentials in the place of those
/// that a call found expired.
pub type AskRecorder = dyn Fn(&Region, &dyn Fn(&CallError) -> bool) -> Recorder + Send + Sync;

/// What the tasks of a scan tell each other.
#[derive(Default)]
pub struct Flags {
    stopped: AtomicBool,
    fatal_told: AtomicBool,
}

impl Scan {
    /// Whether an incident ended the scan before every region was done.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        self.flags.stopped.load(Ordering::SeqCst)
    }

    /// Scans the regions on `pool` and returns what is known of them and of `lost`, the regions that
    /// need not be asked; incidents and the regions that are done go to `each` as they come.
    ///
    /// A region has a task that counts, as many more as its types are listed at once, and one that asks
    /// for the recorder; none waits for another.
    pub fn run(
        self: &Arc<Self>,
        pool: &mut Pool,
        regions: &[Region],
        lost: Vec<Outcome>,
        mut each: impl FnMut(Event),
    ) -> Coverage {
        let mut settling = Settling::new(&self.types, self.method);
        for outcome in lost {
            settling.outcome(outcome);
        }
        let mut seen = Seen::new();
        let listings = if self.method.lists() {
            self.region_concurrency
        } else {
            1
        };
        let count = |region: &Region| Job::Count(region.clone(), self.askers(region, listings));
        let recorder = |region: &Region| Job::Recorder(region.clone(), self.askers(region, 1));
        // All of them are told of before the first one ends.
        let jobs: Vec<Job> = regions
            .iter()
            .map(count)
            .chain(regions.iter().map(recorder))
            .collect();
        let scan = self.clone();
        let work = move |job, outlet: &Outlet<Report>, add: &dyn Fn(Listing)| match job {
            Job::Count(region, askers) => scan.begin(region, askers, outlet, add),
            Job::Recorder(region, _asker) => {
                let recorder = scan.recorder(&region, outlet);
                outlet.send(Report::Recorder(region, recorder));
            }
        };
        let then = |listing: Listing, outlet: &Outlet<Report>| listing.counting.list(outlet);
        let reports = pool.side_by_side(jobs, work, then);
        // Those that it has begin meanwhile.
        pool.grow(regions.len() * (listings + 1));
        for report in reports {
            match report {
                Report::Incident(entry) => each(Event::Incident(entry)),
                Report::Recorder(region, recorder) => settling.recorder(&region, recorder),
                Report::Counted(mut outcome) => {
                    outcome.hand_over_ids(&mut seen);
                    each(Event::Done(outcome.region.clone()));
                    settling.outcome(outcome);
                }
            }
        }
        for region in regions {
            // A task that ended without a word must not look like a region without resources.
            let fault = "the region's task ended early: this is a fault of the program";
            let why = Loss::of(ErrorType::Unexpected, fault);
            if !settling.has_recorder(region) {
                settling.recorder(region, Recorder::unknown(&why));
            }
            if !settling.has_outcome(region) {
                let entry = self.entry(why.error_type, region, None, fault.to_owned());
                each(Event::Incident(entry));
                each(Event::Done(region.clone()));
                settling.outcome(Outcome::lost(region.clone(), why));
            }
        }
        let coverage = settling.finish();
        if self.interrupt.signal().is_none() {
            for loss in coverage.untold() {
                let resource_type = loss.resource_type.as_ref();
                let entry = self.entry(loss.error_type, &loss.region, resource_type, loss.message);
                each(Event::Incident(entry));
            }
        }
        coverage
    }

    /// The tasks that ask a region: what is to be counted there, and what will be missed after them.
    fn askers(&self, region: &Region, count: usize) -> Vec<Asker> {
        let client = self.client.as_deref();
        client.map_or_else(Vec::new, |c| c.askers(Service::Config, region, count))
    }

    fn begin(
        self: &Arc<Self>,
        region: Region,
        mut askers: Vec<Asker>,
        tell: &dyn Tell,
        list: &dyn Fn(Listing),
    ) {
        let counting = Arc::new(Counting::new(self.clone(), region));
        let types = counting.begin(tell);
        // Without a type too there is one, which hands over what was found.
        for _ in 0..types.min(self.region_concurrency).max(1) {
            list(Listing {
                counting: counting.clone(),
                _asker: askers.pop(),
            });
        }
    }

    fn recorder(&self, region: &Region, outlet: &dyn Tell) -> Recorder {
        if self.was_stopped() {
            return Recorder::unknown(&Loss::of(ErrorType::ScanFailed, "not tried"));
        }
        (self.recorder)(region, &|expired| {
            let message = format!("{expired}; {}", expired.advice());
            self.tell_fatal(region, None, message, outlet);
            self.renew(&CountError::Call(expired.clone())).is_ok()
        })
    }

    /// Once for all threads.
    fn tell_fatal(
        &self,
        region: &Region,
        resource_type: Option<&ResourceType>,
        message: String,
        outlet: &dyn Tell,
    ) {
        if !self.flags.fatal_told.swap(true, Ordering::SeqCst) {
            let entry = self.entry(ErrorType::Fatal, region, resource_type, message);
            outlet.tell(Report::Incident(entry));
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

    /// New credentials in the place of expired ones.
    fn renew(&self, error: &CountError) -> Result<(), String> {
        match (error, &self.client) {
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
