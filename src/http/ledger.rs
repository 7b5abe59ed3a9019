//! Counts the connections to a host, so that no more are kept than tasks still need.
//!
//! A surplus connection is closed right after its request, while other tasks wait for responses.
//! Otherwise the system would close hundreds of connections sequentially at the end of the run.
//! All counts of a host are under one lock, which is held only for the update.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The counts of open connections to one host and of tasks that may still send requests to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Numbers>>);

#[derive(Debug, Default)]
struct Numbers {
    /// The number of open connections.
    open: usize,
    /// The number of tasks; if `None`, all connections are kept.
    askers: Option<usize>,
}

/// A task that may send requests to a host, one at a time, until this value is dropped.
pub struct Asker(Ledger);

impl Ledger {
    /// Adds `count` tasks that may send requests.
    pub(crate) fn askers(&self, count: usize) -> Vec<Asker> {
        *self.numbers().askers.get_or_insert(0) += count;
        (0..count).map(|_| Asker(self.clone())).collect()
    }

    /// Returns the number of tasks that may send requests, if it was set.
    #[cfg(test)]
    pub(crate) fn tasks(&self) -> Option<usize> {
        self.numbers().askers
    }

    /// Counts a connection that was opened.
    pub(super) fn open(&self) -> Place {
        self.numbers().open += 1;
        Place(Some(self.clone()))
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        if let Some(askers) = &mut self.0.numbers().askers {
            *askers -= 1;
        }
    }
}

/// An open connection that is counted in a ledger.
#[derive(Debug)]
pub(super) struct Place(Option<Ledger>);

impl Place {
    /// Stops counting the connection if it is surplus, and returns true if so. With one surplus
    /// connection, only one of several concurrent calls returns true.
    pub(super) fn is_left(&mut self) -> bool {
        let Some(ledger) = &self.0 else { return true };
        let mut numbers = ledger.numbers();
        let surplus = numbers.askers.is_some_and(|askers| numbers.open > askers);
        if surplus {
            numbers.open -= 1;
            drop(numbers);
            self.0 = None;
        }
        surplus
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(ledger) = &self.0 {
            ledger.numbers().open -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_are_kept_by_default() {
        let ledger = Ledger::default();
        let mut places = [ledger.open(), ledger.open()];
        assert!(!places[0].is_left() && !places[1].is_left());
        assert_eq!(ledger.tasks(), None);
    }

    #[test]
    fn kept_connections_match_remaining_tasks() {
        let ledger = Ledger::default();
        let mut askers = ledger.askers(2);
        askers.extend(ledger.askers(1));
        let mut places: Vec<Place> = (0..4).map(|_| ledger.open()).collect();
        let mut left = || places.iter_mut().map(Place::is_left).filter(|l| *l).count();
        assert_eq!(left(), 1, "the fourth");
        askers.pop();
        assert_eq!(left(), 2, "the released one and one more");
        drop(askers);
        assert_eq!(left(), 4);
        assert_eq!(ledger.numbers().open, 0);
        assert_eq!(ledger.tasks(), Some(0));
        drop(places);
        assert_eq!(ledger.numbers().open, 0, "each was counted once");
    }

    #[test]
    fn closed_connection_frees_its_place() {
        let ledger = Ledger::default();
        let _asker = ledger.askers(1);
        let (mut kept, broken) = (ledger.open(), ledger.open());
        drop(broken);
        assert!(!kept.is_left());
    }
}
