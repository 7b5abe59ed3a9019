//! What all regions of an account's scan share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::advice;
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::aws::operation::Service;
use crate::clock::Clock;
use crate::error_log::{Entry, ErrorType};
use crate::interrupt::Interrupt;
use crate::inventory::{CountError, Method, Prefetched};
use crate::model::{Region, ResourceType, ResourceTypes};

/// The scan of one account.
pub struct AccountScan {
    /// The client of the account.
    pub client: Arc<Client>,
    /// The method to count.
    pub method: Method,
    /// The types to count.
    pub types: ResourceTypes,
    /// The maximum number of types that are listed concurrently in a region; at least 1.
    pub region_concurrency: usize,
    /// Responses that the scan uses instead of requests.
    pub prefetched: Prefetched,
    /// The time of log entries, and the wait after a throttled type.
    pub clock: Arc<dyn Clock>,
    /// Ends the scan without log entries.
    pub interrupt: Interrupt,
    /// What the regions tell each other.
    pub flags: Flags,
}

/// The flags of an account's scan.
#[derive(Default)]
pub struct Flags {
    stopped: AtomicBool,
    fatal_logged: AtomicBool,
}

impl AccountScan {
    /// Returns true if a fatal error or an interrupt has stopped the scan of all regions.
    #[must_use]
    pub fn was_stopped(&self) -> bool {
        self.flags.stopped.load(Ordering::SeqCst)
    }

    pub(super) fn set_stopped(&self) {
        self.flags.stopped.store(true, Ordering::SeqCst);
    }

    /// Returns true once: a fatal error is logged only by the first region that meets it.
    pub(super) fn first_fatal(&self) -> bool {
        !self.flags.fatal_logged.swap(true, Ordering::SeqCst)
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
            at: self.clock.now(),
            error_type,
            region: Some(region.clone()),
            resource_type: resource_type.cloned(),
            message,
        }
    }

    /// Returns the log message: the error and what to do about it.
    pub(super) fn describe(&self, error_type: ErrorType, error: &CountError) -> String {
        let advice = match error {
            CountError::Pages { operation, .. } if *operation == "ListDiscoveredResources" => {
                "no row for this type".to_owned()
            }
            CountError::Pages { .. } => "these counts are not used".to_owned(),
            // The access key works in other regions, so the general advice would mislead.
            CountError::Call(call)
                if error_type == ErrorType::RegionDisabled
                    && call.kind() == Some(ErrorKind::UnrecognizedClient) =>
            {
                let token = if self.client.has_session_token() {
                    "; if it is enabled, the session token is from the global STS endpoint: get one \
                     from a regional endpoint"
                } else {
                    ""
                };
                format!(
                    "the region does not accept the account's credentials: enable it for the \
                     account, or exclude it with --exclude-regions{token}"
                )
            }
            CountError::Call(call) => advice::for_call(call),
        };
        format!("{error}; {advice}")
    }
}
