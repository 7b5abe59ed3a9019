//! Which connections are kept for another request: no more than there may be requests at once.
//!
//! Those that a task is done with go while other tasks wait for answers. At the end the system would
//! close hundreds of them one after the other, and everything else would wait for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections to one host, and the tasks that may still ask it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Numbers>>);

#[derive(Debug, Default)]
struct Numbers {
    /// The connections that are open.
    open: usize,
    /// The tasks; `None` where nobody has told, so that every connection is kept.
    askers: Option<usize>,
}

/// A task that may still ask a host, one request at a time, until this is dropped.
pub struct Asker(Ledger);

impl Ledger {
    /// So many tasks more may ask.
    pub(crate) fn askers(&self, count: usize) -> Vec<Asker> {
        *self.numbers().askers.get_or_insert(0) += count;
        (0..count).map(|_| Asker(self.clone())).collect()
    }

    /// How many tasks may ask, where that was told.
    #[cfg(test)]
    pub(crate) fn told(&self) -> Option<usize> {
        self.numbers().askers
    }

    /// A connection is open.
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

/// An open connection's place in its ledger.
#[derive(Debug)]
pub(super) struct Place(Option<Ledger>);

impl Place {
    /// Gives the place up where nobody will miss it; of two that are asked at once only one may.
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
    fn nothing_is_left_where_nobody_told() {
        let ledger = Ledger::default();
        let mut places = [ledger.open(), ledger.open()];
        assert!(!places[0].is_left() && !places[1].is_left());
        assert_eq!(ledger.told(), None);
    }

    #[test]
    fn as_many_connections_stay_as_tasks_may_ask() {
        let ledger = Ledger::default();
        let mut askers = ledger.askers(2);
        askers.extend(ledger.askers(1));
        let mut places: Vec<Place> = (0..4).map(|_| ledger.open()).collect();
        let mut left = || places.iter_mut().map(Place::is_left).filter(|l| *l).count();
        assert_eq!(left(), 1, "the fourth");
        askers.pop();
        assert_eq!(left(), 2, "the one that was left is still, and one more");
        drop(askers);
        assert_eq!(left(), 4);
        assert_eq!(ledger.numbers().open, 0);
        assert_eq!(ledger.told(), Some(0));
        drop(places);
        assert_eq!(ledger.numbers().open, 0, "each was counted once");
    }

    #[test]
    fn a_connection_that_broke_makes_room() {
        let ledger = Ledger::default();
        let _asker = ledger.askers(1);
        let (mut kept, broken) = (ledger.open(), ledger.open());
        drop(broken);
        assert!(!kept.is_left());
    }
}
