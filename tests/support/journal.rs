//! What a server has seen.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::call::Call;

/// A pause that is not worth being ended.
const SHORT: Duration = Duration::from_millis(500);

/// How long a test waits for a call before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// The calls of a server and the connections that they came on.
#[derive(Default)]
pub struct Journal {
    seen: Mutex<Seen>,
    grown: Condvar,
    /// Apart from the above: each call would wake every reply that waits for its time.
    stopped: (Mutex<bool>, Condvar),
}

#[derive(Default)]
struct Seen {
    calls: Vec<Arc<Call>>,
    connections: usize,
    resumed: usize,
    /// Connections that have brought no request yet: each was opened for one.
    opening: usize,
    in_flight: usize,
    most_in_flight: usize,
}

impl Seen {
    fn look(&mut self) {
        self.most_in_flight = self.most_in_flight.max(self.in_flight + self.opening);
    }
}

impl Journal {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a new connection, from 1.
    pub fn connected(&self) -> usize {
        let mut seen = self.lock();
        seen.connections += 1;
        seen.opening += 1;
        seen.look();
        seen.connections
    }

    /// The first request of a connection is here, or will not come.
    pub fn opened(&self) {
        self.lock().opening -= 1;
    }

    /// A connection resumed an earlier one's TLS session.
    pub fn resumed(&self) {
        self.lock().resumed += 1;
    }

    /// How many connections resumed a session.
    pub fn sessions_resumed(&self) -> usize {
        self.lock().resumed
    }

    /// Takes a request in and gives it its number; it is in flight from now on.
    pub fn begin(&self, mut call: Call) -> Arc<Call> {
        let mut seen = self.lock();
        call.number = seen.calls.len() + 1;
        let call = Arc::new(call);
        seen.calls.push(call.clone());
        seen.in_flight += 1;
        seen.look();
        self.grown.notify_all();
        call
    }

    /// A request has its reply, whatever it is.
    pub fn end(&self) {
        self.lock().in_flight -= 1;
    }

    /// Ends all [`Self::pause`]s, now and later.
    pub fn stop(&self) {
        let (stopped, changed) = &self.stopped;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Waits for `time`; where that is long, only until the server stops.
    pub fn pause(&self, time: Duration) {
        // Two hundred replies that wait would take the lock one after the other.
        if time < SHORT {
            return thread::sleep(time);
        }
        let (stopped, changed) = &self.stopped;
        let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(stopped, time, |stopped| !*stopped));
    }

    /// The calls so far, in the order of their arrival.
    pub fn calls(&self) -> Vec<Arc<Call>> {
        self.lock().calls.clone()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// The greatest number of requests that were in flight at one time, or on their way.
    pub fn most_in_flight(&self) -> usize {
        self.lock().most_in_flight
    }

    /// Waits until the calls are as `wanted`; fails the test when they never are.
    pub fn wait_until(&self, wanted: impl Fn(&[Arc<Call>]) -> bool) {
        let not_yet = |seen: &mut Seen| !wanted(&seen.calls);
        let guard = self.lock();
        let outcome = self.grown.wait_timeout_while(guard, PATIENCE, not_yet);
        let (seen, result) = outcome.unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = seen.calls.iter().map(|call| &call.operation).collect();
        assert!(!result.timed_out(), "only these calls came: {names:?}");
    }
}
