//! The work of one account in the queue.

use std::sync::Arc;
use std::time::Duration;

use super::account::AccountScan;
use super::message::ScanMessage;
use super::region::{RegionScan, StopScan};
use super::step::{Outcome, Step};
use crate::accounts::MemberAccount;
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
    /// Creates the work of an account; one that is not scanned has none.
    pub(super) fn new(member: MemberAccount, is_scanned: bool) -> Self {
        if is_scanned {
            Self::Waiting(member)
        } else {
            Self::Done
        }
    }

    /// Takes an account that waits, to open it.
    pub(super) fn start(&mut self) -> Option<MemberAccount> {
        match std::mem::replace(self, Self::Opening) {
            Self::Waiting(member) => Some(member),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Returns the account if it is scanned.
    pub(super) fn open(&self) -> Option<&OpenAccount> {
        match self {
            Self::Open(open) => Some(open),
            _ => None,
        }
    }

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
    unfinished: usize,
}

impl OpenAccount {
    /// Creates the work of an account, with no step started.
    pub(super) fn new(scan: Arc<AccountScan>, regions: &[Region]) -> Self {
        let regions = regions.iter().cloned();
        let regions: Vec<_> = regions.map(|r| RegionScan::new(&scan, r)).collect();
        Self {
            scan,
            unfinished: regions.len(),
            regions,
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

    /// Returns true if all regions are finished.
    pub(super) fn is_done(&self) -> bool {
        self.unfinished == 0
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

    /// Takes the first step that can start, with the index of its region.
    pub(super) fn next(&mut self) -> Option<(usize, Step)> {
        let mut regions = self.regions.iter_mut().enumerate();
        let step = regions.find_map(|(i, scan)| Some((i, scan.next_step()?)));
        step.or_else(|| {
            let mut regions = self.regions.iter_mut().enumerate();
            regions.find_map(|(i, scan)| Some((i, scan.next_recorder_step()?)))
        })
    }

    /// Adds the outcome of a step. Returns the messages that it causes.
    pub(super) fn add(
        &mut self,
        index: usize,
        began: Duration,
        outcome: Outcome,
    ) -> Vec<ScanMessage> {
        let mut messages = Vec::new();
        let stop = self.regions[index].add(began, outcome, &mut messages);
        self.finish(index, &mut messages);
        if let Some(stop) = stop {
            if stop == StopScan::Fatal {
                self.scan.set_stopped();
            }
            for i in 0..self.regions.len() {
                let _ = self.regions[i].stop(stop, None);
                self.finish(i, &mut messages);
            }
        }
        messages
    }

    /// Drops a region after a panic outside of its requests.
    pub(super) fn discard(&mut self, index: usize) {
        self.unfinished -= usize::from(self.regions[index].discard());
    }

    fn finish(&mut self, index: usize, messages: &mut Vec<ScanMessage>) {
        let finished = messages.len();
        self.regions[index].finish(messages);
        let is_finished = |message: &ScanMessage| matches!(message, ScanMessage::Finished(_));
        let new = messages[finished..].iter();
        self.unfinished -= new.filter(|m| is_finished(m)).count();
    }
}
