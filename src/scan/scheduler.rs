//! Runs a scan: the workers take steps from the queue, the main thread handles their events.
//!
//! - Every worker repeats: lock the queue, take the first work that can start, unlock, perform it, lock, add its outcome
//!   (see `queue`).
//! - The workers send events over one channel; the main thread logs, draws the bar, and draws what it waits for while
//!   there is no event. The channel closes when the last worker has ended.
//! - The queue has the results of an account until it is done.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use super::account::AccountScan;
use super::feed::Feed;
use super::message::ScanEvent;
use super::queue::Queue;
use crate::coverage::RegionResult;
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
    let mut results = Vec::new();
    run(workers, &queue, account.clock.tick(), |event| match event {
        ScanEvent::Done(_, done) => results = done,
        event => on_event(event),
    });
    results
}

/// Scans the accounts of `feed` on `workers`. Events go to `on_event` as they come; [`ScanEvent::Waiting`] at each
/// `interval`.
pub fn scan_accounts(
    workers: &Workers,
    feed: &Feed<'_>,
    interval: Option<Duration>,
    on_event: impl FnMut(ScanEvent),
) {
    run(
        workers,
        &Queue::of_feed(feed, workers.count()),
        interval,
        on_event,
    );
}

fn run(
    workers: &Workers,
    queue: &Queue<'_, '_>,
    interval: Option<Duration>,
    mut on_event: impl FnMut(ScanEvent),
) {
    let (sender, events) = channel();
    workers.broadcast(
        move || queue.work(&sender),
        || {
            while let Some(event) =
                workers::receive(&events, interval, || on_event(ScanEvent::Waiting))
            {
                on_event(event);
            }
        },
    );
    queue.close_all().into_iter().for_each(on_event);
}
