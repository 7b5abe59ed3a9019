//! The queue of the scan and the workers that take steps from it.
//!
//! - All regions are in one list, in the order of the accounts and regions. Every worker repeats: lock the list, take
//!   the first step that can start, unlock, perform it, lock, add its outcome.
//! - The counting steps of an account come before its recorder steps, the steps of an account before those of the next.
//!   With one worker (a replay) the order of the requests is always the same.
//! - A region has at most as many counting steps in progress as its rate limiter allows, and a step is at most one page.
//!   A throttled page goes back to the list if its region has more in progress than that, and keeps its attempts. So a
//!   throttled or stalled region occupies only the workers of its own, shrinking concurrency.
//! - A worker that finds no step waits on the condition variable. A worker that takes a step wakes another one if more
//!   steps can start. When all regions are finished, all workers end.
//! - The workers send messages over one channel; the main thread logs, draws the bar and collects the results, and draws
//!   what it waits for while there is no message. The channel closes when the last worker has ended.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::account::AccountScan;
use super::message::{ScanEvent, ScanMessage};
use super::region::{RegionScan, StopScan};
use super::step::{Outcome, Performer, Step};
use crate::coverage::{Gap, Recorder, RegionResult};
use crate::error_log::ErrorType;
use crate::model::Region;
use crate::sync;
use crate::workers::{self, Workers};

/// Scans `regions` of an account on `workers`. Events go to `on_event` as they come. Returns one result per region.
pub fn scan(
    workers: &Workers,
    account: &Arc<AccountScan>,
    regions: &[Region],
    mut on_event: impl FnMut(ScanEvent),
) -> Vec<RegionResult> {
    let queue = Queue::new(account, regions);
    let (sender, messages) = channel();
    let mut results = Vec::new();
    let interval = account.clock.tick();
    workers.broadcast(
        move || queue.work(&sender),
        || {
            while let Some(message) =
                workers::receive(&messages, interval, || on_event(ScanEvent::Waiting))
            {
                match message {
                    ScanMessage::Finished(result) => {
                        on_event(ScanEvent::Finished(result.region.clone()));
                        results.push(*result);
                    }
                    ScanMessage::Logged(entry) => on_event(ScanEvent::Logged(entry)),
                }
            }
        },
    );
    let finished: BTreeSet<Region> = results.iter().map(|r| r.region.clone()).collect();
    for region in regions.iter().filter(|r| !finished.contains(r)) {
        // A worker that panicked must not look like a region without resources.
        let message = "internal error: the region's task ended early";
        let gap = Gap::new(ErrorType::Unexpected, message);
        let entry = account.entry(gap.error_type, region, None, message.to_owned());
        on_event(ScanEvent::Logged(entry));
        on_event(ScanEvent::Finished(region.clone()));
        results.push(RegionResult {
            recorder: Some(Recorder::unknown(&gap)),
            ..RegionResult::missing(region.clone(), gap)
        });
    }
    results
}

/// The regions of the scan, shared by the workers.
struct Queue {
    state: Mutex<QueueState>,
    changed: Condvar,
}

struct QueueState {
    regions: Vec<RegionScan>,
    unfinished: usize,
    /// The number of workers that wait for a step.
    idle: usize,
}

impl Queue {
    fn new(account: &Arc<AccountScan>, regions: &[Region]) -> Self {
        let scans = regions.iter().cloned();
        let regions: Vec<_> = scans.map(|r| RegionScan::new(account, r)).collect();
        Self {
            state: Mutex::new(QueueState {
                unfinished: regions.len(),
                regions,
                idle: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// Performs steps until all regions are finished.
    fn work(&self, messages: &Sender<ScanMessage>) {
        let mut state = self.lock();
        while state.unfinished > 0 {
            let Some((index, step)) = state.next() else {
                state.idle += 1;
                state = self.wait(state);
                state.idle -= 1;
                continue;
            };
            if state.idle > 0 && state.has_step() {
                self.changed.notify_one();
            }
            let account = state.regions[index].account().clone();
            let region = state.regions[index].region().clone();
            drop(state);
            let performer = Performer {
                account: &account,
                region: &region,
                messages,
                is_crowded: &|| self.lock().regions[index].is_crowded(),
            };
            let done = catch_unwind(AssertUnwindSafe(|| {
                let began = account.clock.elapsed();
                let outcome = performer.perform(step);
                let mut state = self.lock();
                for message in state.add(index, began, outcome) {
                    let _ = messages.send(message);
                }
            }));
            state = self.lock();
            if done.is_err() {
                state.discard(index);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        sync::lock(&self.state)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, QueueState>) -> MutexGuard<'a, QueueState> {
        let guard = self.changed.wait(state);
        guard.unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    /// Takes the first step that can start, with the index of its region.
    fn next(&mut self) -> Option<(usize, Step)> {
        let mut first = 0;
        while first < self.regions.len() {
            let end = first + self.account_len(first);
            let mut indexes = first..end;
            if let Some(step) = indexes.find_map(|i| Some((i, self.regions[i].next_step()?))) {
                return Some(step);
            }
            let mut indexes = first..end;
            let recorder = |i: usize| Some((i, self.regions[i].next_recorder_step()?));
            if let Some(step) = indexes.find_map(recorder) {
                return Some(step);
            }
            first = end;
        }
        None
    }

    /// Returns the number of regions of the account that starts at the index `first`.
    fn account_len(&self, first: usize) -> usize {
        let account = self.regions[first].account();
        let same = |scan: &&RegionScan| Arc::ptr_eq(scan.account(), account);
        self.regions[first..].iter().take_while(same).count()
    }

    fn has_step(&self) -> bool {
        self.regions
            .iter()
            .any(|scan| scan.has_step() || scan.has_recorder_step())
    }

    /// Adds the outcome of a step. Returns the messages that it causes.
    fn add(&mut self, index: usize, began: Duration, outcome: Outcome) -> Vec<ScanMessage> {
        let mut messages = Vec::new();
        let stop = self.regions[index].add(began, outcome, &mut messages);
        self.finish(index, &mut messages);
        if let Some(stop) = stop {
            let account = self.regions[index].account().clone();
            if stop == StopScan::Fatal {
                account.set_stopped();
            }
            for i in 0..self.regions.len() {
                if Arc::ptr_eq(self.regions[i].account(), &account) {
                    let _ = self.regions[i].stop(stop, None);
                    self.finish(i, &mut messages);
                }
            }
        }
        messages
    }

    /// Drops a region after a panic outside of its requests, so that the other workers do not wait for it.
    fn discard(&mut self, index: usize) {
        self.unfinished -= usize::from(self.regions[index].discard());
    }

    fn finish(&mut self, index: usize, messages: &mut Vec<ScanMessage>) {
        let finished = messages.len();
        self.regions[index].finish(messages);
        let is_finished = |message: &ScanMessage| matches!(message, ScanMessage::Finished(_));
        self.unfinished -= messages[finished..]
            .iter()
            .filter(|m| is_finished(m))
            .count();
    }
}
