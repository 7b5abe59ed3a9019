//! The connections to all hosts: at most [`MAX_CONNECTIONS`] are open, idle ones included.
//!
//! - Each connection has its own ureq agent, because ureq cannot close one idle connection of an
//!   agent, and counts all of an agent with every request (a sixth of the CPU time of a scan).
//! - A request takes the idle connection of its origin that was used last, or a new one. It never
//!   waits for another request.
//! - If the bound is reached, a new connection replaces an idle one of the origin that has most.
//!   Only requests in flight can exceed the bound; the workers of the scan limit them.
//! - The connection becomes idle when the request ends, also by an error or a panic.
//! - After an interrupt, every request fails at once.
//! - If the process cannot open more files, all idle connections are closed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ureq::Agent;

use crate::sync::lock;

/// The maximum number of open connections. macOS limits a process to 256 open files by default.
pub(super) const MAX_CONNECTIONS: usize = 220;

/// The connections of a client.
pub(super) struct Connections(Mutex<ConnectionPool>);

#[derive(Default)]
struct ConnectionPool {
    max: usize,
    /// By origin; the last one was used last.
    idle: HashMap<String, Vec<Arc<Agent>>>,
    in_use: Vec<Arc<Agent>>,
    is_shut_down: bool,
}

/// A connection that a request uses. It is idle after the drop.
pub(super) struct Connection<'a> {
    connections: &'a Connections,
    origin: &'a str,
    /// The agent, which has only this connection.
    pub(super) agent: Arc<Agent>,
}

impl Connections {
    /// Creates an empty set of at most `max` connections.
    pub(super) fn new(max: usize) -> Self {
        let pool = ConnectionPool::default();
        Self(Mutex::new(ConnectionPool { max, ..pool }))
    }

    /// Takes an idle connection of `origin`; `open` creates the agent of a new one.
    pub(super) fn take<'a>(
        &'a self,
        origin: &'a str,
        open: impl FnOnce() -> Agent,
    ) -> Connection<'a> {
        let mut pool = lock(&self.0);
        let idle = pool.idle.get_mut(origin).and_then(Vec::pop);
        if idle.is_none() && pool.len() >= pool.max {
            pool.close_oldest_idle();
        }
        let agent = idle.unwrap_or_else(|| Arc::new(open()));
        if pool.is_shut_down {
            Agent::clone(&agent).shutdown();
        }
        pool.in_use.push(agent.clone());
        Connection {
            connections: self,
            origin,
            agent,
        }
    }

    /// Shuts all connections down, which ends their requests with an error.
    pub(super) fn shut_down(&self) {
        let mut pool = lock(&self.0);
        pool.is_shut_down = true;
        for agent in pool.in_use.iter().chain(pool.idle.values().flatten()) {
            Agent::clone(agent).shutdown();
        }
    }

    /// Closes all idle connections.
    pub(super) fn close_idle(&self) {
        lock(&self.0).idle.clear();
    }
}

impl ConnectionPool {
    fn len(&self) -> usize {
        self.in_use.len() + self.idle.values().map(Vec::len).sum::<usize>()
    }

    /// Closes the oldest idle connection of the origin that has most.
    fn close_oldest_idle(&mut self) {
        let most = self.idle.values_mut().max_by_key(|agents| agents.len());
        if let Some(agents) = most.filter(|agents| !agents.is_empty()) {
            agents.remove(0);
        }
    }
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let mut pool = lock(&self.connections.0);
        pool.in_use.retain(|agent| !Arc::ptr_eq(agent, &self.agent));
        if pool.len() < pool.max {
            let idle = pool.idle.entry(self.origin.to_owned()).or_default();
            idle.push(self.agent.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Connections {
        /// Sets the maximum, for tests of the client.
        pub(in crate::http) fn set_max(&self, max: usize) {
            lock(&self.0).max = max;
        }
    }

    fn idle_count(connections: &Connections, origin: &str) -> usize {
        lock(&connections.0).idle.get(origin).map_or(0, Vec::len)
    }

    #[test]
    fn last_used_connection_is_taken_again() {
        let connections = Connections::new(3);
        let take = || connections.take("a", Agent::new_with_defaults);
        let (first, second) = (take(), take());
        let expected = Arc::as_ptr(&second.agent);
        drop(first);
        drop(second);
        assert_eq!(Arc::as_ptr(&take().agent), expected);
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
        assert_eq!(lock(&connections.0).len(), 3);
        drop(used);
        assert_eq!(idle_count(&connections, "c"), 1);
    }

    #[test]
    fn surplus_connection_is_closed_after_its_request() {
        let connections = Connections::new(2);
        let in_use = ["a", "b", "c"].map(|o| connections.take(o, Agent::new_with_defaults));
        assert_eq!(lock(&connections.0).len(), 3);
        drop(in_use);
        assert_eq!(lock(&connections.0).len(), 2);
    }

    #[test]
    fn all_idle_connections_can_be_closed() {
        let connections = Connections::new(4);
        let take = |origin| connections.take(origin, Agent::new_with_defaults);
        let used = take("a");
        let idle = ["a", "a", "b"].map(take);
        let closed = idle.each_ref().map(|c| Arc::downgrade(&c.agent));
        drop(idle);
        assert_eq!(lock(&connections.0).len(), 4);
        connections.close_idle();
        assert_eq!(lock(&connections.0).len(), 1, "the used one stays open");
        assert!(closed.iter().all(|agent| agent.upgrade().is_none()));
        drop(used);
        assert_eq!(idle_count(&connections, "a"), 1);
    }
}
