//! The requests that a server received.
//!
//! The accepting thread records each connection, and the thread of a connection its requests and
//! replies. The test reads the log, or waits in [`RequestLog::wait_until`] until the requests match
//! a condition, which is checked after each new request; it fails after 30 seconds.
//!
//! Replies with a delay wait in [`RequestLog::pause`] for its end or for [`RequestLog::stop`]. They
//! wait on a lock and a condition variable of their own: the log's are notified for every request,
//! which would wake every waiting reply.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::call::Call;

/// The pauses below this length are not interrupted when the server stops.
const SHORT_PAUSE: Duration = Duration::from_millis(500);

/// The time after which a test that waits for a request fails.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// The requests of a server and their connections.
#[derive(Default)]
pub struct RequestLog {
    state: Mutex<LogState>,
    /// Notified for each new request.
    added: Condvar,
    /// True once the server stops.
    stopped: (Mutex<bool>, Condvar),
}

#[derive(Default)]
struct LogState {
    calls: Vec<Arc<Call>>,
    connections: usize,
    resumed: usize,
    /// The connections without a request yet; each was opened for one.
    opening: usize,
    in_flight: usize,
    max_in_flight: usize,
}

impl LogState {
    fn update_max(&mut self) {
        self.max_in_flight = self.max_in_flight.max(self.in_flight + self.opening);
    }
}

impl RequestLog {
    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a new connection and returns its number, from 1.
    pub fn connected(&self) -> usize {
        let mut state = self.lock();
        state.connections += 1;
        state.opening += 1;
        state.update_max();
        state.connections
    }

    /// Records that the first request of a connection was read, or that the connection ended
    /// before.
    pub fn opened(&self) {
        self.lock().opening -= 1;
    }

    /// Records a connection that resumed the TLS session of an earlier one.
    pub fn resumed(&self) {
        self.lock().resumed += 1;
    }

    /// Returns the number of connections that resumed a TLS session.
    pub fn sessions_resumed(&self) -> usize {
        self.lock().resumed
    }

    /// Records a request and sets its number; it is in flight until [`Self::end`].
    pub fn begin(&self, mut call: Call) -> Arc<Call> {
        let mut state = self.lock();
        call.number = state.calls.len() + 1;
        let call = Arc::new(call);
        state.calls.push(call.clone());
        state.in_flight += 1;
        state.update_max();
        self.added.notify_all();
        call
    }

    /// Records the end of a reply.
    pub fn end(&self) {
        self.lock().in_flight -= 1;
    }

    /// Ends every [`Self::pause`], now and later.
    pub fn stop(&self) {
        let (stopped, changed) = &self.stopped;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Waits for `time`, or until the server stops if `time` is long.
    pub fn pause(&self, time: Duration) {
        // In a benchmark, two hundred waiting replies would contend for the lock.
        if time < SHORT_PAUSE {
            return thread::sleep(time);
        }
        let (stopped, changed) = &self.stopped;
        let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(stopped, time, |stopped| !*stopped));
    }

    /// Returns the requests so far, in order of arrival.
    pub fn calls(&self) -> Vec<Arc<Call>> {
        self.lock().calls.clone()
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// Returns the maximum number of concurrent requests: in flight, or expected on a new
    /// connection.
    pub fn max_in_flight(&self) -> usize {
        self.lock().max_in_flight
    }

    /// Waits until the requests match `condition`; fails the test after 30 seconds.
    pub fn wait_until(&self, condition: impl Fn(&[Arc<Call>]) -> bool) {
        let is_unmet = |state: &mut LogState| !condition(&state.calls);
        let guard = self.lock();
        let waited = self.added.wait_timeout_while(guard, WAIT_TIMEOUT, is_unmet);
        let (state, result) = waited.unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = state.calls.iter().map(|call| &call.operation).collect();
        assert!(
            !result.timed_out(),
            "only these requests arrived: {names:?}"
        );
    }
}
