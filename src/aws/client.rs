//! Calls an AWS operation: signs, sends, classifies the response, and retries with backoff.
//!
//! All threads share one [`Client`]; a call runs on the thread that made it.
//! - An attempt first waits for its turn, if the region is throttled or `--max-rps` spaces the requests.
//! - The attempt is signed and sent. Its result adjusts the region's rate limiter, which gives the scheduler the number of
//!   calls that may be in progress.
//! - A failure that can be retried takes tokens from the region's retry quota and waits for the backoff.
//! - A response that reports expired credentials refreshes them, once for all threads, and repeats the request.
//! - The call ends with a success, with a failure that is not retried, when its attempts, its quota or its time
//!   ([`CALL_LIMIT`](super::retry::CALL_LIMIT), all waits included) is used up, or at an interrupt. It also ends, while it waits, when its region
//!   is abandoned ([`Bound::Region`](super::error::Bound::Region)) or the time of the scan is used up ([`Bound::Scan`](super::error::Bound::Scan)).
//!
//! Limits, quotas and usage are kept per service and region. Their mutexes are not held while a thread sends or sleeps.

mod activity;
mod attempt;
mod attempt_line;
mod call;
mod hosts;
mod progress;
mod region_state;
mod signer;
mod transport;
mod waits;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

pub use activity::{ActiveCall, Activity};
pub use hosts::SharedHosts;
pub use progress::Progress;
use region_state::RegionState;
pub use transport::{Trace, Transport, trace_line};

use super::credential_cache::CachedCredentials;
use super::identity_flag::IdentityFlag;
use super::limiter::Limiter;
use super::operation::Service;
use super::usage::Usage;
use crate::model::{AccountId, Region};
use crate::sync::lock;

/// Calls AWS operations.
pub struct Client {
    transport: Transport,
    credentials: Arc<CachedCredentials>,
    /// The account, in a run of many accounts.
    account: Option<AccountId>,
    regions: Mutex<HashMap<(Service, Region), Arc<RegionState>>>,
    usage: Mutex<BTreeMap<(Service, Region), Usage>>,
    /// True once the credentials have been accepted.
    identity: IdentityFlag,
}

/// The output of a call, with the request ID.
#[derive(Debug, Clone)]
pub struct CallOutput<T> {
    /// The parsed response.
    pub output: T,
    /// The service's request ID; `None` if the response has none.
    pub request_id: Option<String>,
}

impl Client {
    /// Creates a client that signs with `credentials`.
    #[must_use]
    pub fn new(mut transport: Transport, credentials: impl Into<Arc<CachedCredentials>>) -> Self {
        if transport.hosts.is_some() {
            // In a run of many accounts, each has its own time.
            transport.ends = Arc::new(OnceLock::clone(&transport.ends));
        }
        Self {
            transport,
            credentials: credentials.into(),
            account: None,
            regions: Mutex::default(),
            usage: Mutex::default(),
            identity: IdentityFlag::default(),
        }
    }

    /// Creates a client of `account` in a run of many accounts. It has the same credentials, and limits, time and usage
    /// of its own.
    #[must_use]
    pub fn for_account(&self, account: AccountId) -> Self {
        Self {
            account: Some(account),
            identity: self.identity.clone(),
            ..Self::new(self.transport.clone(), self.credentials.clone())
        }
    }

    /// Returns the usage so far, by service and region.
    #[must_use]
    pub fn usage(&self) -> BTreeMap<(Service, Region), Usage> {
        lock(&self.usage).clone()
    }

    /// Returns the number of calls to `service` in `region` that may be in progress, at least 1.
    #[must_use]
    pub fn concurrency(&self, service: Service, region: &Region) -> usize {
        self.state(service, region).concurrency()
    }

    /// Ends all calls after `time` from now on. Has no effect if there is already such an end: that of the run, or of an
    /// earlier call of this method.
    pub fn end_after(&self, time: Duration) {
        let now = self.transport.clock.elapsed();
        let ends = &self.transport.ends;
        ends.get_or_init(|| now.saturating_add(time));
    }

    fn state(&self, service: Service, region: &Region) -> Arc<RegionState> {
        let mut regions = lock(&self.regions);
        let state = regions.entry((service, region.clone()));
        let Transport { limits, hosts, .. } = &self.transport;
        let host = || hosts.as_ref()?.host(service, region);
        let limiter = || match service {
            Service::Organizations => Limiter::with_slow_rate(*limits),
            _ => Limiter::new(*limits),
        };
        state
            .or_insert_with(|| Arc::new(RegionState::new(limiter(), host())))
            .clone()
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
