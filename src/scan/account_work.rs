//! The work of one account in the queue.

use std::sync::Arc;
use std::time::Duration;

use super::account::AccountScan;
use super::feed::{FindAliasFn, NotOpened, Opened};
use super::message::ScanEvent;
use super::region::{RegionScan, StopScan};
use super::step::{Outcome, Step};
use crate::accounts::{AccountStatus, MemberAccount};
use crate::advice;
use crate::coverage::{Gap, Recorder, RegionResult};
use crate::error_log::ErrorType;
use crate::model::Region;

/// The work of one account.
pub(super) enum AccountWork {
    /// The account is not opened yet.
    Waiting(MemberAccount),
    /// A worker opens the account.
    Opening,
    /// The account is scanned.
    Open(OpenAccount),
    /// The account is done, or is not scanned.
    Done,
}

impl AccountWork {
    /// Returns the account if it is scanned.
    pub(super) fn open_mut(&mut self) -> Option<&mut OpenAccount> {
        match self {
            Self::Open(open) => Some(open),
            _ => None,
        }
    }
}

/// An account that is scanned.
pub(super) struct OpenAccount {
    scan: Arc<AccountScan>,
    regions: Vec<RegionScan>,
    /// The number of steps that [`Self::next_first`] has passed.
    first_steps: usize,
    unfinished: usize,
    /// Requests the alias; `None` if that has started.
    find_alias: Option<Box<FindAliasFn>>,
    is_alias_known: bool,
    /// The results of regions that cannot be scanned.
    missing: Vec<RegionResult>,
    /// True for one of many accounts: its results are not used if its credentials are of another account.
    is_of_list: bool,
}

impl OpenAccount {
    /// Creates the work of an account, with no step started.
    pub(super) fn new(scan: Arc<AccountScan>, regions: &[Region]) -> Self {
        let regions = regions.iter().cloned();
        let regions: Vec<_> = regions.map(|r| RegionScan::new(&scan, r)).collect();
        Self {
            scan,
            first_steps: 0,
            unfinished: regions.len(),
            regions,
            find_alias: None,
            is_alias_known: true,
            missing: Vec::new(),
            is_of_list: false,
        }
    }

    /// Creates the work of one of many accounts.
    pub(super) fn of_list(opened: Opened) -> Self {
        Self {
            find_alias: Some(opened.find_alias),
            is_alias_known: false,
            missing: opened.missing,
            is_of_list: true,
            ..Self::new(opened.scan, &opened.regions)
        }
    }

    /// Returns the scan.
    pub(super) fn scan(&self) -> &Arc<AccountScan> {
        &self.scan
    }

    /// Returns a region.
    pub(super) fn region(&self, index: usize) -> &Region {
        self.regions[index].region()
    }

    /// Returns true if all regions are finished and the alias is requested.
    pub(super) fn is_done(&self) -> bool {
        self.unfinished == 0 && self.is_alias_known
    }

    /// Starts the request for the alias, unless it has started.
    pub(super) fn next_alias(&mut self) -> Option<Box<FindAliasFn>> {
        self.find_alias.take()
    }

    /// Ends the request for the alias.
    pub(super) fn end_alias(&mut self) {
        self.is_alias_known = true;
    }

    /// Returns true if a region has more steps in progress than its limiter allows.
    pub(super) fn is_crowded(&self, index: usize) -> bool {
        self.regions[index].is_crowded()
    }

    /// Returns true if a step can start.
    pub(super) fn has_step(&self) -> bool {
        let has_step = |scan: &RegionScan| scan.has_step() || scan.has_recorder_step();
        self.regions.iter().any(has_step)
    }

    /// Takes a step on which others wait, with the index of its region: the first counting step of each region, then
    /// their recorder steps, which are two requests. `None` if these have started.
    pub(super) fn next_first(&mut self) -> Option<(usize, Step)> {
        let count = self.regions.len();
        while self.first_steps < 2 * count {
            let index = self.first_steps % count;
            let region = &mut self.regions[index];
            let step = if self.first_steps < count {
                region.next_step()
            } else {
                region.next_recorder_step()
            };
            self.first_steps += 1;
            if let Some(step) = step {
                return Some((index, step));
            }
        }
        None
    }

    /// Takes the first step that can start, with the index of its region. The time of the account begins with the first
    /// one: the account may have waited long for those before it.
    pub(super) fn next(&mut self) -> Option<(usize, Step)> {
        self.scan.begin();
        let mut regions = self.regions.iter_mut().enumerate();
        let step = regions.find_map(|(i, scan)| Some((i, scan.next_step()?)));
        step.or_else(|| {
            let mut regions = self.regions.iter_mut().enumerate();
            regions.find_map(|(i, scan)| Some((i, scan.next_recorder_step()?)))
        })
    }

    /// Adds the outcome of a step. Returns the events that it causes.
    pub(super) fn add(
        &mut self,
        index: usize,
        began: Duration,
        outcome: Outcome,
    ) -> Vec<ScanEvent> {
        let mut events = Vec::new();
        let stop = self.regions[index].add(began, outcome, &mut events);
        self.finish(index, &mut events);
        if let Some(stop) = stop {
            if stop == StopScan::Fatal {
                self.scan.set_stopped();
            }
            for i in 0..self.regions.len() {
                let _ = self.regions[i].stop(stop, None);
                self.finish(i, &mut events);
            }
        }
        events
    }

    /// Drops a region after a panic outside of its requests.
    pub(super) fn discard(&mut self, index: usize) {
        self.unfinished -= usize::from(self.regions[index].discard());
    }

    fn finish(&mut self, index: usize, events: &mut Vec<ScanEvent>) {
        if self.regions[index].finish(events) {
            self.unfinished -= 1;
            let region = self.region(index).clone();
            events.push(ScanEvent::RegionFinished(region));
        }
    }

    /// Takes the results. Returns the last events of the account: a region whose task panicked must not look like one
    /// without resources.
    pub(super) fn close(&mut self) -> Vec<ScanEvent> {
        let (number, mut events) = (self.scan.number, Vec::new());
        let mut results = std::mem::take(&mut self.missing);
        for scan in self.regions.drain(..) {
            let region = scan.region().clone();
            results.push(scan.into_result().unwrap_or_else(|| {
                let message = "internal error: the region's task ended early";
                let gap = Gap::new(ErrorType::Unexpected, message);
                let message = message.to_owned();
                let entry = self.scan.entry(gap.error_type, &region, None, message);
                events.push(ScanEvent::Logged(number, entry));
                events.push(ScanEvent::RegionFinished(region.clone()));
                RegionResult {
                    recorder: Some(Recorder::unknown(&gap)),
                    ..RegionResult::missing(region, gap)
                }
            }));
        }
        let other = self.scan.client.credentials().other_account();
        events.push(match other.filter(|_| self.is_of_list) {
            // The log has the entry.
            Some(why) => ScanEvent::NotOpened(
                number,
                NotOpened {
                    status: AccountStatus::WrongAccount,
                    entry: None,
                    detail: advice::for_other_account(&why),
                },
            ),
            None => ScanEvent::Done(number, results),
        });
        events
    }
}
