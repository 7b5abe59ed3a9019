//! The queue of a scan: the accounts with their regions, from which the workers take work.
//!
//! - The accounts are in one list, in order. The work of an account comes before that of the next one: its counting steps,
//!   then its recorder steps. An account is opened (access, regions) when no account before it has work that can start.
//!   With one worker (a replay) the order of the requests is always the same.
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
use super::account_work::{AccountWork, OpenAccount};
use super::feed::{Feed, NotOpened, Opened};
use super::message::ScanEvent;
use super::step::{Performer, Step};
use crate::accounts::{AccountStatus, MemberAccount};
use crate::model::Region;
use crate::sync;

/// The maximum number of accounts that are open at the same time; it bounds the memory of a scan.
const MAX_OPEN: usize = 200;

/// The accounts of the scan, shared by the workers.
pub(super) struct Queue<'a, 'f> {
    feed: Option<&'a Feed<'f>>,
    state: Mutex<QueueState>,
    changed: Condvar,
}

struct QueueState {
    accounts: Vec<AccountWork>,
    /// The number of accounts at the start of the list that are done.
    first: usize,
    list: ListState,
    /// The number of open accounts.
    open: usize,
    /// The number of workers that wait for work.
    idle: usize,
}

/// The state of the list of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListState {
    /// There may be another page.
    HasMore,
    /// A worker fetches the next page.
    IsFetched,
    /// All accounts are in the queue, or the list failed.
    HasEnded,
}

/// Work that a worker performs without the mutex.
enum Work {
    /// Fetches the next accounts.
    List,
    /// Opens an account.
    Open(usize, MemberAccount),
    /// Performs a step of a region of an account, which has this index.
    Step(Arc<AccountScan>, Region, usize, Step),
}

impl<'a, 'f> Queue<'a, 'f> {
    /// Creates the queue of one account.
    pub(super) fn of_account(account: &Arc<AccountScan>, regions: &[Region]) -> Self {
        let open = OpenAccount::new(account.clone(), regions, Vec::new(), false);
        let account = if open.is_done() {
            AccountWork::Done
        } else {
            AccountWork::Open(open)
        };
        Self::new(None, vec![account], ListState::HasEnded)
    }

    /// Creates the queue of the accounts of `feed`.
    pub(super) fn of_feed(feed: &'a Feed<'f>) -> Self {
        Self::new(Some(feed), Vec::new(), ListState::HasMore)
    }

    fn new(feed: Option<&'a Feed<'f>>, accounts: Vec<AccountWork>, list: ListState) -> Self {
        Self {
            feed,
            state: Mutex::new(QueueState {
                accounts,
                first: 0,
                list,
                open: 0,
                idle: 0,
            }),
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
                let work = |member: &MemberAccount| {
                    if (feed.is_scanned)(member) {
                        AccountWork::Waiting(member.clone())
                    } else {
                        AccountWork::Done
                    }
                };
                state.accounts.extend(members.iter().map(work));
                state.skip_done();
                state.list = ListState::HasMore;
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
            let open = state.accounts[number].open_mut();
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
            let Some(open) = state.accounts[number].open_mut() else {
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
            if let Some(open) = state.accounts[number].open_mut() {
                open.discard(index);
            }
            state.finish(number, events);
        }
    }

    /// Closes the accounts that are still open: all workers have panicked outside of their steps. Returns their last
    /// events.
    pub(super) fn close_all(&self) -> Vec<ScanEvent> {
        let mut state = self.lock();
        let open = state.accounts.iter_mut().filter_map(AccountWork::open_mut);
        open.flat_map(OpenAccount::close).collect()
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        sync::lock(&self.state)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, QueueState>) -> MutexGuard<'s, QueueState> {
        let guard = self.changed.wait(state);
        guard.unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    fn is_done(&self) -> bool {
        self.list == ListState::HasEnded && self.first == self.accounts.len()
    }

    /// Takes the first work that can start.
    fn next(&mut self) -> Option<Work> {
        if self.list == ListState::HasMore {
            self.list = ListState::IsFetched;
            return Some(Work::List);
        }
        let may_open = self.open < MAX_OPEN;
        for (number, account) in self.accounts.iter_mut().enumerate().skip(self.first) {
            match account {
                AccountWork::Open(open) => {
                    if let Some((index, step)) = open.next() {
                        let (account, region) = (open.scan().clone(), open.region(index).clone());
                        return Some(Work::Step(account, region, index, step));
                    }
                }
                AccountWork::Waiting(member) if may_open => {
                    let member = member.clone();
                    *account = AccountWork::Opening;
                    self.open += 1;
                    return Some(Work::Open(number, member));
                }
                // No later account can be opened, and none is open.
                AccountWork::Waiting(_) => return None,
                AccountWork::Opening | AccountWork::Done => {}
            }
        }
        None
    }

    /// Returns true if work can start.
    fn has_work(&self) -> bool {
        self.list == ListState::HasMore
            || self.accounts[self.first..]
                .iter()
                .any(|account| match account {
                    AccountWork::Open(open) => open.has_step(),
                    AccountWork::Waiting(_) => self.open < MAX_OPEN,
                    AccountWork::Opening | AccountWork::Done => false,
                })
    }

    /// Adds the regions of an account that was opened.
    fn add_opened(&mut self, number: usize, opened: Opened, events: &Sender<ScanEvent>) {
        let _ = events.send(ScanEvent::Opened {
            number,
            regions: opened.regions.len(),
            skipped_regions: opened.skipped_regions,
            alias: opened.alias,
        });
        for entry in opened.errors {
            let _ = events.send(ScanEvent::Logged(number, entry));
        }
        let open = OpenAccount::new(opened.scan, &opened.regions, opened.missing, true);
        self.accounts[number] = AccountWork::Open(open);
        self.finish(number, events);
    }

    /// Closes an account whose regions are finished.
    fn finish(&mut self, number: usize, events: &Sender<ScanEvent>) {
        let open = self.accounts[number].open_mut();
        if let Some(open) = open.filter(|open| open.is_done()) {
            for event in open.close() {
                let _ = events.send(event);
            }
            self.close(number);
        }
    }

    fn close(&mut self, number: usize) {
        self.accounts[number] = AccountWork::Done;
        self.open = self.open.saturating_sub(1);
        self.skip_done();
    }

    /// Skips the accounts at the start of the list that are done.
    fn skip_done(&mut self) {
        let done = |account: &&AccountWork| matches!(account, AccountWork::Done);
        self.first += self.accounts[self.first..].iter().take_while(done).count();
    }
}
