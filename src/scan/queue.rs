//! The queue of a scan: the accounts with their regions, from which the workers take work (see `queue_state`).
//!
//! - The list of accounts grows while they are scanned: fetching its next page is the first work, by one worker at a time.
//! - A region has at most as many counting steps in progress as its rate limiter allows, and a step is at most one page.
//!   A throttled page goes back to the list if its region has more in progress than that, and keeps its attempts. So a
//!   throttled or stalled region occupies only the workers of its own, shrinking concurrency.
//! - A worker that finds no work waits on the condition variable. A worker that takes work wakes another one if more
//!   can start. When all accounts are done, all workers end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::account::AccountScan;
use super::account_work::OpenAccount;
use super::feed::{Feed, FindAliasFn, NotOpened};
use super::message::ScanEvent;
use super::queue_state::{ListState, QueueState, Work};
use super::step::{Performer, Step, panic_text};
use crate::accounts::{AccountStatus, MemberAccount};
use crate::error_log::{Entry, ErrorType};
use crate::model::Region;
use crate::sync;

/// The accounts of the scan, shared by the workers.
pub(super) struct Queue<'a, 'f> {
    feed: Option<&'a Feed<'f>>,
    state: Mutex<QueueState>,
    changed: Condvar,
}

impl<'a, 'f> Queue<'a, 'f> {
    /// Creates the queue of one account.
    pub(super) fn of_account(account: &Arc<AccountScan>, regions: &[Region]) -> Self {
        let open = OpenAccount::new(account.clone(), regions);
        Self::new(None, QueueState::of_account(open))
    }

    /// Creates the queue of the accounts of `feed` for a number of workers.
    pub(super) fn of_feed(feed: &'a Feed<'f>, workers: usize) -> Self {
        Self::new(Some(feed), QueueState::of_list(workers))
    }

    fn new(feed: Option<&'a Feed<'f>>, state: QueueState) -> Self {
        Self {
            feed,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Performs work until all accounts are done.
    pub(super) fn work(&self, events: &Sender<ScanEvent>) {
        let mut state = self.lock();
        while !state.is_done() {
            let Some(work) = state.next() else {
                state.idle += 1;
                state = self.wait(state);
                state.idle -= 1;
                continue;
            };
            if state.idle > 0 && state.has_work() {
                self.changed.notify_one();
            }
            drop(state);
            self.perform(work, events);
            state = self.lock();
        }
        drop(state);
        self.changed.notify_all();
    }

    fn perform(&self, work: Work, events: &Sender<ScanEvent>) {
        match work {
            Work::List => self.list(events),
            Work::Open(number, member) => self.open(number, &member, events),
            Work::Alias(number, find) => self.find_alias(number, find, events),
            Work::Step(account, region, index, step) => {
                self.step(&account, &region, index, step, events);
            }
        }
    }

    /// Fetches the next accounts.
    fn list(&self, events: &Sender<ScanEvent>) {
        let Some(feed) = self.feed else {
            return;
        };
        let fetch = || (sync::lock(&feed.next))();
        let fetched = catch_unwind(AssertUnwindSafe(fetch));
        let mut state = self.lock();
        match fetched {
            Ok(Ok(Some(members))) => {
                state.add(&members, &feed.is_scanned);
                let _ = events.send(ScanEvent::Listed(members));
            }
            Ok(ended) => {
                state.list = ListState::HasEnded;
                let _ = events.send(ScanEvent::ListEnded(ended.map(drop)));
            }
            // The list is not complete: no result says that it is.
            Err(_) => state.list = ListState::HasEnded,
        }
        drop(state);
        // Several accounts may be opened now.
        self.changed.notify_all();
    }

    /// Opens an account.
    fn open(&self, number: usize, member: &MemberAccount, events: &Sender<ScanEvent>) {
        let Some(feed) = self.feed else {
            return;
        };
        let open = || (feed.open)(number, member);
        let opened = catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| {
            Err(NotOpened {
                status: AccountStatus::Failed,
                entry: None,
                detail: "internal error: the task of the account ended early".to_owned(),
            })
        });
        let mut state = self.lock();
        match opened {
            Ok(opened) => state.add_opened(number, opened, events),
            Err(why) => {
                state.close(number);
                let _ = events.send(ScanEvent::NotOpened(number, why));
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Requests the alias of an account.
    fn find_alias(&self, number: usize, find: Box<FindAliasFn>, events: &Sender<ScanEvent>) {
        let found = catch_unwind(AssertUnwindSafe(find));
        let mut state = self.lock();
        let Some(open) = state.account(number) else {
            return;
        };
        open.end_alias();
        let _ = events.send(match found {
            Ok(Ok(alias)) => ScanEvent::Alias(number, alias),
            Ok(Err(entry)) => ScanEvent::Logged(number, entry),
            Err(panic) => {
                let message = format!("internal error: {}", panic_text(&*panic));
                let now = open.scan().clock.now();
                let entry = Entry::new(now, ErrorType::Unexpected, message);
                ScanEvent::Logged(number, entry)
            }
        });
        state.finish(number, events);
    }

    /// Performs a step of a region.
    fn step(
        &self,
        account: &AccountScan,
        region: &Region,
        index: usize,
        step: Step,
        events: &Sender<ScanEvent>,
    ) {
        let number = account.number;
        let is_crowded = || {
            let mut state = self.lock();
            let open = state.account(number);
            open.is_some_and(|open| open.is_crowded(index))
        };
        let performer = Performer {
            account,
            region,
            events,
            is_crowded: &is_crowded,
        };
        let done = catch_unwind(AssertUnwindSafe(|| {
            let began = account.clock.elapsed();
            let outcome = performer.perform(step);
            let mut state = self.lock();
            let Some(open) = state.account(number) else {
                return;
            };
            for event in open.add(index, began, outcome) {
                let _ = events.send(event);
            }
            state.finish(number, events);
        }));
        if done.is_err() {
            // The other workers must not wait for the region.
            let mut state = self.lock();
            if let Some(open) = state.account(number) {
                open.discard(index);
            }
            state.finish(number, events);
        }
    }

    /// Closes the accounts that are still open: all workers have panicked outside of their steps. Returns their last
    /// events.
    pub(super) fn close_all(&self) -> Vec<ScanEvent> {
        self.lock().close_all()
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        sync::lock(&self.state)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, QueueState>) -> MutexGuard<'s, QueueState> {
        let guard = self.changed.wait(state);
        guard.unwrap_or_else(PoisonError::into_inner)
    }
}
