//! The calls in progress, which the main thread shows while it waits.
//!
//! A call adds itself before its first attempt, changes its entry when an attempt is sent and when it has failed, and
//! removes it at its end. Each of these holds the mutex for a moment.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use crate::aws::operation::Service;
use crate::aws::usage::Usage;
use crate::model::{AccountId, Region, ResourceType};
use crate::sync::lock;

/// The calls in progress of all clients of a run.
#[derive(Default)]
pub struct Activity(Mutex<CallList>);

#[derive(Default)]
struct CallList {
    /// By the number of calls before.
    calls: BTreeMap<u64, ActiveCall>,
    /// The number of calls so far.
    count: u64,
    /// The usage of all calls.
    usage: Usage,
}

/// A call in progress. All times are on the clock of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveCall {
    /// The account that the call is for, in a run of many accounts.
    pub account: Option<AccountId>,
    /// The service.
    pub service: Service,
    /// The name of the operation.
    pub operation: &'static str,
    /// The region.
    pub region: Region,
    /// The resource type that the call is about.
    pub resource_type: Option<ResourceType>,
    /// The number of the page, from 1; `None` if the operation has no pages.
    pub page: Option<usize>,
    /// The number of the current or next attempt, from 1.
    pub attempt: u32,
    /// The maximum number of attempts.
    pub max_attempts: u32,
    /// The time at which the call began.
    pub began: Duration,
    /// The time of the first attempt since the last response; `None` if none is sent.
    pub unanswered_since: Option<Duration>,
}

impl Activity {
    /// Returns the calls in progress.
    #[must_use]
    pub fn calls(&self) -> Vec<ActiveCall> {
        lock(&self.0).calls.values().cloned().collect()
    }

    /// Returns the usage of all calls so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        lock(&self.0).usage
    }

    /// Adds the usage of an attempt.
    pub(super) fn add_usage(&self, usage: Usage) {
        lock(&self.0).usage += usage;
    }

    /// Adds a call, until the entry is dropped.
    pub(super) fn add(&self, call: ActiveCall) -> ActivityEntry<'_> {
        let mut list = lock(&self.0);
        let number = list.count;
        list.count += 1;
        list.calls.insert(number, call);
        ActivityEntry {
            activity: self,
            number,
        }
    }
}

/// The entry of a call in progress.
pub(super) struct ActivityEntry<'a> {
    activity: &'a Activity,
    number: u64,
}

impl ActivityEntry<'_> {
    /// Records that an attempt is sent at the time `now`.
    pub(super) fn sent(&self, now: Duration) {
        self.change(|call| {
            call.unanswered_since.get_or_insert(now);
        });
    }

    /// Records that an attempt has failed, and the number of the next one; `is_silent` if there was no response in time.
    pub(super) fn failed(&self, next: u32, is_silent: bool) {
        self.change(|call| {
            call.attempt = next;
            call.unanswered_since = call.unanswered_since.filter(|_| is_silent);
        });
    }

    fn change(&self, change: impl FnOnce(&mut ActiveCall)) {
        if let Some(call) = lock(&self.activity.0).calls.get_mut(&self.number) {
            change(call);
        }
    }
}

impl Drop for ActivityEntry<'_> {
    fn drop(&mut self) {
        lock(&self.activity.0).calls.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(region: &str) -> ActiveCall {
        ActiveCall {
            account: None,
            service: Service::Config,
            operation: "ListDiscoveredResources",
            region: region.parse().unwrap(),
            resource_type: None,
            page: Some(1),
            attempt: 1,
            max_attempts: 10,
            began: Duration::ZERO,
            unanswered_since: None,
        }
    }

    #[test]
    fn calls_in_progress_are_listed_until_their_end() {
        let activity = Activity::default();
        let regions = || {
            let calls = activity.calls().into_iter();
            calls.map(|c| c.region.to_string()).collect::<Vec<_>>()
        };
        let first = activity.add(call("eu-west-1"));
        let second = activity.add(call("eu-west-2"));
        assert_eq!(regions(), ["eu-west-1", "eu-west-2"]);
        drop(first);
        assert_eq!(regions(), ["eu-west-2"]);
        let third = activity.add(call("eu-west-3"));
        assert_eq!(
            regions(),
            ["eu-west-2", "eu-west-3"],
            "in the order of their starts"
        );
        drop((second, third));
        assert_eq!(regions(), [""; 0]);
    }

    #[test]
    fn time_without_response_spans_attempts() {
        let activity = Activity::default();
        let entry = activity.add(call("eu-west-1"));
        let at = Duration::from_secs;
        let state = || {
            let call = activity.calls().remove(0);
            (call.attempt, call.unanswered_since)
        };
        entry.sent(at(3));
        entry.failed(2, true);
        assert_eq!(state(), (2, Some(at(3))));
        entry.sent(at(34));
        assert_eq!(state(), (2, Some(at(3))));
        entry.failed(3, false);
        assert_eq!(state(), (3, None));
        entry.sent(at(40));
        assert_eq!(state(), (3, Some(at(40))));
    }
}
