//! The rayon thread pool: workers that wait for the network, so there are more of them than processors.
//!
//! - The checks run as tasks of a [`Scope`]; the main thread joins them in the order in which it shows them.
//! - The scan runs one loop on every worker ([`Workers::broadcast`]), which takes work from a queue until the queue is
//!   finished. The main thread handles the results meanwhile.
//! - A pool of one thread runs its tasks one after another, in the order in which they were spawned: a replay is the
//!   same every time.
//! - A panic ends only its task. The system may refuse threads; then the pool
//!   keeps those that it has, which do the same work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// The error of a pool that could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{threads} threads: {source}")]
pub struct WorkersError {
    threads: usize,
    source: rayon::ThreadPoolBuildError,
}

/// A pool of workers. Its threads end when it is dropped.
pub struct Workers {
    pool: ThreadPool,
    /// The maximum number of threads.
    max: usize,
}

impl Workers {
    /// Creates a pool of `threads` threads, which may grow; it has at least one and at most `max`.
    ///
    /// # Errors
    /// The system refused the threads.
    pub fn new(threads: usize, max: usize) -> Result<Self, WorkersError> {
        let threads = threads.min(max).max(1);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|n| format!("worker-{n}"))
            .build()
            .map_err(|source| WorkersError { threads, source })?;
        Ok(Self { pool, max })
    }

    /// Replaces the pool with one of `threads` threads, at most the maximum, if that is more. Keeps it if the system
    /// refuses the threads.
    pub fn grow(&mut self, threads: usize) {
        if let Some(larger) = self.larger(threads) {
            *self = larger;
        }
    }

    /// Creates the pool by which [`Self::grow`] replaces this one, if it does.
    #[must_use]
    pub fn larger(&self, threads: usize) -> Option<Self> {
        let is_larger = threads.min(self.max) > self.count();
        is_larger.then(|| Self::new(threads, self.max).ok())?
    }

    /// Starts a task on a worker, after the tasks that were spawned before. If the pool is dropped, the task is performed
    /// anyway. Tasks that have not started when a broadcast begins start after it: wait for a later task before it.
    pub fn spawn<T: Send + 'static>(&self, task: impl FnOnce() -> T + Send + 'static) -> Task<T> {
        let (task, result) = task_of(task);
        self.pool.spawn(task);
        result
    }

    /// Returns the number of workers.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` once on every worker, and `meanwhile` on the calling thread. Returns the result of `meanwhile` when
    /// all have ended. A panic of `work` ends it on its worker.
    pub fn broadcast<R>(&self, work: impl Fn() + Send + Sync, meanwhile: impl FnOnce() -> R) -> R {
        self.pool.in_place_scope(|scope| {
            scope.spawn_broadcast(move |_, _| {
                let _ = catch_unwind(AssertUnwindSafe(&work));
            });
            meanwhile()
        })
    }

    /// Runs `body`, which may spawn tasks. Returns its result when all tasks have ended.
    pub fn scope<'scope, R>(&self, body: impl FnOnce(&Scope<'_, 'scope>) -> R) -> R {
        self.pool.in_place_scope(|scope| body(&Scope(scope)))
    }
}

/// Spawns tasks that may borrow from outside of the scope.
pub struct Scope<'a, 'scope>(&'a rayon::Scope<'scope>);

impl<'scope> Scope<'_, 'scope> {
    /// Starts a task on a worker, after the tasks that were spawned before.
    pub fn spawn<T: Send + 'scope>(&self, task: impl FnOnce() -> T + Send + 'scope) -> Task<T> {
        let (task, result) = task_of(task);
        self.0.spawn(|_| task());
        result
    }
}

/// Returns a function that performs `task`, and the task that waits for it.
fn task_of<T: Send>(task: impl FnOnce() -> T + Send) -> (impl FnOnce() + Send, Task<T>) {
    let (sender, result) = channel();
    let perform = move || {
        if let Ok(value) = catch_unwind(AssertUnwindSafe(task)) {
            let _ = sender.send(value);
        }
    };
    (perform, Task(result))
}

/// A task that runs on a worker.
pub struct Task<T>(Receiver<T>);

impl<T> Task<T> {
    /// Creates a task that has the result `value`.
    #[must_use]
    pub fn done(value: T) -> Self {
        let (sender, result) = channel();
        let _ = sender.send(value);
        Self(result)
    }

    /// Waits for the result of the task, and calls `tick` at each `interval` meanwhile; returns `None` if it panicked.
    pub fn join(self, interval: Option<Duration>, tick: impl FnMut()) -> Option<T> {
        receive(&self.0, interval, tick)
    }
}

/// Receives the next message, and calls `tick` at each `interval` meanwhile, never if it is `None`. Returns `None` when
/// the channel is closed.
pub fn receive<T>(
    receiver: &Receiver<T>,
    interval: Option<Duration>,
    mut tick: impl FnMut(),
) -> Option<T> {
    let Some(interval) = interval else {
        return receiver.recv().ok();
    };
    loop {
        match receiver.recv_timeout(interval) {
            Ok(message) => return Some(message),
            Err(RecvTimeoutError::Timeout) => tick(),
            Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}
