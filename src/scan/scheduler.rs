//! Runs a scan: the workers take steps from the queue, the main thread handles their messages.
//!
//! - Every worker repeats: lock the queue, take the first work that can start, unlock, perform it, lock, add its outcome
//!   (see `queue`).
//! - The workers send messages over one channel; the main thread logs, draws the bar and collects the results, and draws
//!   what it waits for while there is no message. The channel closes when the last worker has ended.
//! - The results of an account are complete when the queue has sent that it is done. Only the main thread keeps results.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::account::AccountScan;
use super::feed::{Feed, NotOpened, NotOpenedStatus};
use super::message::{Message, ScanEvent, ScanMessage};
use super::queue::Queue;
use crate::accounts::{ListError, MemberAccount};
use crate::advice;
use crate::coverage::{Gap, Recorder, RegionResult};
use crate::error_log::{Entry, ErrorType};
use crate::model::Region;
use crate::workers::{self, Workers};

/// Scans `regions` of an account on `workers`. Events go to `on_event` as they come. Returns one result per region.
pub fn scan(
    workers: &Workers,
    account: &Arc<AccountScan>,
    regions: &[Region],
    mut on_event: impl FnMut(ScanEvent),
) -> Vec<RegionResult> {
    let queue = Queue::of_account(account, regions);
    let interval = account.clock.tick();
    let mut results = Vec::new();
    run(workers, &queue, interval, |message| match message {
        Some(Message::Scan(_, ScanMessage::Finished(result))) => {
            on_event(ScanEvent::Finished(result.region.clone()));
            results.push(*result);
        }
        Some(Message::Scan(_, ScanMessage::Logged(entry))) => on_event(ScanEvent::Logged(entry)),
        Some(_) => {}
        None => on_event(ScanEvent::Waiting),
    });
    add_unfinished(account, regions, &mut results, &mut on_event);
    results
}

/// An event of a scan of many accounts. The number of an account is its position in the list.
pub enum AccountsEvent {
    /// The next accounts of the list.
    Listed(Vec<MemberAccount>),
    /// The list is complete, or the reason why it is not.
    ListEnded(Result<(), ListError>),
    /// The scan of an account begins.
    Opened {
        /// The number.
        number: usize,
        /// The number of regions to scan.
        regions: usize,
        /// The number of skipped region names.
        skipped_regions: usize,
        /// The alias.
        alias: Option<String>,
    },
    /// An account cannot be scanned, or its results are not used.
    NotOpened(usize, NotOpened),
    /// A log entry of an account.
    Logged(usize, Entry),
    /// A region of an account is finished.
    RegionFinished(usize),
    /// An account is done: one result per region, in their order.
    Done(usize, Vec<RegionResult>),
    /// Time has passed without another event.
    Waiting,
}

/// The results of an open account so far, with its scan and its regions.
type OpenResults = (Arc<AccountScan>, Vec<Region>, Vec<RegionResult>);

/// Scans the accounts of `feed` on `workers`. Events go to `on_event` as they come; [`AccountsEvent::Waiting`] at each
/// `interval`.
pub fn scan_accounts(
    workers: &Workers,
    feed: &Feed<'_>,
    interval: Option<Duration>,
    mut on_event: impl FnMut(AccountsEvent),
) {
    let queue = Queue::of_feed(feed);
    let mut open: BTreeMap<usize, OpenResults> = BTreeMap::new();
    run(workers, &queue, interval, |message| match message {
        None => on_event(AccountsEvent::Waiting),
        Some(Message::Listed(members)) => on_event(AccountsEvent::Listed(members)),
        Some(Message::ListEnded(result)) => on_event(AccountsEvent::ListEnded(result)),
        Some(Message::NotOpened(number, why)) => on_event(AccountsEvent::NotOpened(number, why)),
        Some(Message::Opened(number, opened)) => {
            on_event(AccountsEvent::Opened {
                number,
                regions: opened.regions.len(),
                skipped_regions: opened.skipped_regions,
                alias: opened.alias,
            });
            for entry in opened.errors {
                on_event(AccountsEvent::Logged(number, entry));
            }
            open.insert(number, (opened.scan, opened.regions, opened.missing));
        }
        Some(Message::Scan(number, ScanMessage::Logged(entry))) => {
            on_event(AccountsEvent::Logged(number, entry));
        }
        Some(Message::Scan(number, ScanMessage::Finished(result))) => {
            if let Some((.., results)) = open.get_mut(&number) {
                results.push(*result);
            }
            on_event(AccountsEvent::RegionFinished(number));
        }
        Some(Message::Done(number)) => {
            if let Some((account, regions, mut results)) = open.remove(&number) {
                add_unfinished(&account, &regions, &mut results, &mut |event| {
                    if let ScanEvent::Logged(entry) = event {
                        on_event(AccountsEvent::Logged(number, entry));
                    }
                });
                on_event(match wrong_account(&account) {
                    Some(why) => AccountsEvent::NotOpened(number, why),
                    None => AccountsEvent::Done(number, results),
                });
            }
        }
    });
}

/// Returns the reason why no result of a scan is used, if its credentials are of another account. The log has the entry.
fn wrong_account(account: &AccountScan) -> Option<NotOpened> {
    let why = account.client.credentials().other_account()?;
    Some(NotOpened {
        status: NotOpenedStatus::WrongAccount,
        entry: None,
        detail: advice::for_other_account(&why),
    })
}

/// Runs the queue on `workers`. Passes the messages to `on_message`, and `None` at each `interval`.
fn run(
    workers: &Workers,
    queue: &Queue<'_, '_>,
    interval: Option<Duration>,
    mut on_message: impl FnMut(Option<Message>),
) {
    let (sender, messages) = channel();
    workers.broadcast(
        move || queue.work(&sender),
        || {
            while let Some(message) = workers::receive(&messages, interval, || on_message(None)) {
                on_message(Some(message));
            }
        },
    );
}

/// Adds a result for each region without one: a worker that panicked must not look like a region without resources.
fn add_unfinished(
    account: &AccountScan,
    regions: &[Region],
    results: &mut Vec<RegionResult>,
    on_event: &mut dyn FnMut(ScanEvent),
) {
    for region in regions {
        if results.iter().any(|result| result.region == *region) {
            continue;
        }
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
}
