//! The shared state of all regions of an account's scan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::recovery::Standing;
use crate::advice;
use crate::aws::client::Client;
use crate::aws::operation::Service;
use crate::clock::Clock;
use crate::error_log::{Entry, ErrorType};
use crate::interrupt::Interrupt;
use crate::inventory::{CountError, Method, Prefetched};
use crate::model::{Region, ResourceType, ResourceTypes};
use crate::options::Options;
use crate::runtime::Runtime;
use crate::sync::lock;

/// The scan of one account.
pub struct AccountScan {
    /// The position of the account in the list; 0 if there is only one.
    pub number: usize,
    /// The client of the account.
    pub client: Arc<Client>,
    /// The method to count.
    pub method: Method,
    /// The types to count.
    pub types: ResourceTypes,
    /// The maximum number of types that are listed concurrently in a region; at least 1.
    pub region_concurrency: usize,
    /// The maximum time of the scan.
    pub time: Duration,
    /// Responses that the scan uses instead of requests.
    pub prefetched: Prefetched,
    /// The time of log entries, and the wait after a throttled type.
    pub clock: Arc<dyn Clock>,
    /// Ends the scan without log entries.
    pub interrupt: Interrupt,
    /// The flags that the regions share.
    pub flags: Flags,
}

/// The flags of an account's scan.
#[derive(Default)]
pub struct Flags {
    stopped: AtomicBool,
    fatal_logged: AtomicBool,
    /// The types that AWS Config rejects, in any region.
    rejected: Mutex<BTreeSet<ResourceType>>,
    /// The standing of the credentials after a region has rejected them.
    standings: Mutex<BTreeMap<Region, Standing>>,
}

impl AccountScan {
    /// Creates the scan of `regions` regions of an account.
    #[must_use]
    pub fn new(
        options: &Options,
        runtime: &Runtime,
        client: Arc<Client>,
        prefetched: Prefetched,
        (number, regions): (usize, usize),
    ) -> Self {
        Self {
            number,
            client,
            method: options.method,
            types: options.resource_types.clone(),
            region_concurrency: options.types_at_once(regions),
            time: options.account_time(),
            prefetched,
            clock: runtime.clock.clone(),
            interrupt: runtime.interrupt.clone(),
            flags: Flags::default(),
        }
    }

    /// Starts the time of the scan, unless it has started.
    pub(super) fn begin(&self) {
        self.client.end_after(self.time);
    }

    /// Returns true if a fatal error or an interrupt has stopped the scan of all regions.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        self.flags.stopped.load(Ordering::SeqCst)
    }

    /// Stops the scan of all regions; the credentials are no longer refreshed.
    pub(super) fn set_stopped(&self) {
        self.flags.stopped.store(true, Ordering::SeqCst);
        self.client.credentials().stop();
    }

    /// Returns the standing of the credentials after `region` has rejected them.
    ///
    /// Calls GetCallerIdentity once for each region, and no longer once the credentials are invalid. The other threads
    /// wait for the result.
    pub(super) fn standing(&self, region: &Region) -> Standing {
        let mut standings = lock(&self.flags.standings);
        if self.was_stopped() || standings.values().any(|s| *s == Standing::Invalid) {
            return Standing::Invalid;
        }
        let verify = || Standing::new(self.client.credentials().verify());
        *standings.entry(region.clone()).or_insert_with(verify)
    }

    /// Returns true once: a fatal error is logged only by the first region that meets it.
    pub(super) fn first_fatal(&self) -> bool {
        !self.flags.fatal_logged.swap(true, Ordering::SeqCst)
    }

    /// Returns true once for each type that AWS Config rejects: only the first region logs it.
    pub(super) fn first_rejection(&self, resource_type: &ResourceType) -> bool {
        lock(&self.flags.rejected).insert(resource_type.clone())
    }

    /// Returns the number of counting steps of a region that may be in progress, at least 1.
    pub(super) fn concurrency(&self, region: &Region) -> usize {
        let limit = self.client.concurrency(Service::Config, region);
        self.region_concurrency.min(limit).max(1)
    }

    /// Creates a log entry.
    pub(super) fn entry(
        &self,
        error_type: ErrorType,
        region: &Region,
        resource_type: Option<&ResourceType>,
        message: String,
    ) -> Entry {
        Entry {
            region: Some(region.clone()),
            resource_type: resource_type.cloned(),
            ..Entry::new(self.clock.now(), error_type, message)
        }
    }

    /// Returns the log message: the error and what to do about it.
    pub(super) fn describe(&self, error_type: ErrorType, error: &CountError) -> String {
        let has_session_token = self.client.has_session_token();
        advice::for_count(error_type, error, has_session_token)
    }
}
