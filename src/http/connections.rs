//! The connections to all hosts: at most `--max-connections` sockets are open, idle ones included.
//!
//! - Each connection has its own ureq agent, because ureq cannot close one idle connection of an
//!   agent, and counts all of an agent with every request (a sixth of the CPU time of a scan).
//! - A request takes the idle connection of its origin that was used last, or a new one.
//! - If the bound is reached, a new connection replaces an idle one of the origin that has most.
//!   If none is idle, the request waits until another one ends. The scan has no more workers than
//!   the bound, so that its requests do not wait here.
//! - A race of connection attempts has more than one socket only while the bound allows it.
//! - The connection becomes idle when the request ends, also by an error or a panic.
//! - After an interrupt, every request fails at once, also one that waits.
//! - If the process cannot open more files, all idle connections are closed.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use ureq::Agent;

use crate::sync::lock;

/// The maximum number of sockets that all races have in addition to the first one of each.
const MAX_EXTRA: usize = 16;

/// The connections of a client.
pub(super) struct Connections {
    pool: Mutex<ConnectionPool>,
    /// Notified when a request may take a connection.
    freed: Condvar,
}

#[derive(Default)]
struct ConnectionPool {
    max: usize,
    /// By origin; the last one was used last.
    idle: HashMap<String, Vec<Arc<Agent>>>,
    in_use: Vec<Arc<Agent>>,
    /// The number of further sockets of races.
    extra: usize,
    is_shut_down: bool,
}

/// A connection that a request uses. It is idle after the drop.
pub(super) struct Connection<'a> {
    connections: &'a Connections,
    origin: &'a str,
    /// The agent, which has only this connection; `None` after the drop.
    agent: Option<Arc<Agent>>,
}

/// The permit for a further socket of a race.
pub(super) struct ExtraSocket<'a>(&'a Connections);

impl Connections {
    /// Creates an empty set of at most `max` connections, at least one.
    pub(super) fn new(max: usize) -> Self {
        let pool = ConnectionPool::default();
        let max = max.max(1);
        Self {
            pool: Mutex::new(ConnectionPool { max, ..pool }),
            freed: Condvar::new(),
        }
    }

    /// Takes an idle connection of `origin`; `open` creates the agent of a new one.
    pub(super) fn take<'a>(
        &'a self,
        origin: &'a str,
        open: impl FnOnce() -> Agent,
    ) -> Connection<'a> {
        let mut pool = lock(&self.pool);
        let idle = loop {
            let idle = pool.idle.get_mut(origin).and_then(Vec::pop);
            if idle.is_some() || pool.is_shut_down || pool.make_room() {
                break idle;
            }
            let woken = self.freed.wait(pool);
            pool = woken.unwrap_or_else(PoisonError::into_inner);
        };
        let agent = idle.unwrap_or_else(|| Arc::new(open()));
        if pool.is_shut_down {
            Agent::clone(&agent).shutdown();
        }
        pool.in_use.push(agent.clone());
        Connection {
            connections: self,
            origin,
            agent: Some(agent),
        }
    }

    /// Returns the permit for a further socket of a race, if the bound allows it.
    pub(super) fn extra(&self) -> Option<ExtraSocket<'_>> {
        let mut pool = lock(&self.pool);
        let is_allowed = pool.extra < MAX_EXTRA && pool.len() < pool.max;
        is_allowed.then(|| {
            pool.extra += 1;
            ExtraSocket(self)
        })
    }

    /// Shuts all connections down, which ends their requests with an error.
    pub(super) fn shut_down(&self) {
        let mut pool = lock(&self.pool);
        pool.is_shut_down = true;
        for agent in pool.in_use.iter().chain(pool.idle.values().flatten()) {
            Agent::clone(agent).shutdown();
        }
        self.freed.notify_all();
    }

    /// Closes all idle connections.
    pub(super) fn close_idle(&self) {
        lock(&self.pool).idle.clear();
    }
}

impl ConnectionPool {
    /// Returns the number of sockets, at most.
    fn len(&self) -> usize {
        self.in_use.len() + self.extra + self.idle.values().map(Vec::len).sum::<usize>()
    }

    /// Makes room for a new connection: if the bound is reached, closes the oldest idle one of the origin that has most.
    /// Returns false if none is idle.
    fn make_room(&mut self) -> bool {
        if self.len() < self.max {
            return true;
        }
        let most = self.idle.values_mut().max_by_key(|agents| agents.len());
        let closed = most.filter(|agents| !agents.is_empty());
        closed.map(|agents| agents.remove(0)).is_some()
    }
}

impl Deref for Connection<'_> {
    type Target = Arc<Agent>;

    fn deref(&self) -> &Arc<Agent> {
        self.agent.as_ref().expect("not dropped")
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let mut pool = lock(&self.connections.pool);
        // Moved, so that the pool has the only handle: closing the idle connection closes its socket at once.
        if let Some(agent) = self.agent.take() {
            pool.in_use.retain(|other| !Arc::ptr_eq(other, &agent));
            let idle = pool.idle.entry(self.origin.to_owned()).or_default();
            idle.push(agent);
        }
        self.connections.freed.notify_one();
    }
}

impl Drop for ExtraSocket<'_> {
    fn drop(&mut self) {
        lock(&self.0.pool).extra -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;

    fn idle_count(connections: &Connections, origin: &str) -> usize {
        lock(&connections.pool).idle.get(origin).map_or(0, Vec::len)
    }

    #[test]
    fn last_used_connection_is_taken_again() {
        let connections = Connections::new(3);
        let take = || connections.take("a", Agent::new_with_defaults);
        let (first, second) = (take(), take());
        let expected = Arc::as_ptr(&second);
        drop(first);
        drop(second);
        assert_eq!(Arc::as_ptr(&take()), expected);
        assert_eq!(idle_count(&connections, "a"), 2);
    }

    #[test]
    fn new_connection_replaces_one_of_busiest_origin() {
        let connections = Connections::new(3);
        let take = |origin| connections.take(origin, Agent::new_with_defaults);
        drop([take("a"), take("b"), take("b")]);
        let used = take("c");
        let idle = ["a", "b", "c"].map(|origin| idle_count(&connections, origin));
        assert_eq!(idle, [1, 1, 0]);
        assert_eq!(lock(&connections.pool).len(), 3);
        drop(used);
        assert_eq!(idle_count(&connections, "c"), 1);
    }

    #[test]
    fn request_waits_until_another_ends() {
        let connections = Connections::new(1);
        let take = |origin| connections.take(origin, Agent::new_with_defaults);
        let (first, has_ended) = (take("a"), AtomicBool::new(false));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let _second = take("b");
                assert!(has_ended.load(Ordering::SeqCst));
                assert_eq!(lock(&connections.pool).len(), 1);
            });
            has_ended.store(true, Ordering::SeqCst);
            drop(first);
            waiting.join().unwrap();
        });
        let idle = ["a", "b"].map(|origin| idle_count(&connections, origin));
        assert_eq!(idle, [0, 1]);
    }

    #[test]
    fn interrupt_ends_wait_for_connection() {
        let connections = Connections::new(1);
        let take = |origin| connections.take(origin, Agent::new_with_defaults);
        let _first = take("a");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(take("b")));
            connections.shut_down();
            waiting.join().unwrap();
        });
    }

    #[test]
    fn further_sockets_of_races_count() {
        let connections = Connections::new(3);
        let take = |origin| connections.take(origin, Agent::new_with_defaults);
        let used = [take("a"), take("b")];
        let extra = connections.extra();
        assert!(extra.is_some() && connections.extra().is_none());
        drop(used);
        assert!(connections.extra().is_none(), "idle ones count");
        drop(extra);
        assert!(connections.extra().is_some());
        let many = Connections::new(100);
        let extra: Vec<_> = (0..20).map_while(|_| many.extra()).collect();
        assert_eq!(extra.len(), MAX_EXTRA);
    }

    #[test]
    fn all_idle_connections_can_be_closed() {
        let connections = Connections::new(4);
        let take = |origin| connections.take(origin, Agent::new_with_defaults);
        let used = take("a");
        let idle = ["a", "a", "b"].map(take);
        let closed = idle.each_ref().map(|c| Arc::downgrade(c));
        drop(idle);
        assert_eq!(lock(&connections.pool).len(), 4);
        connections.close_idle();
        assert_eq!(lock(&connections.pool).len(), 1, "the used one stays open");
        assert!(closed.iter().all(|agent| agent.upgrade().is_none()));
        drop(used);
        assert_eq!(idle_count(&connections, "a"), 1);
    }
}
