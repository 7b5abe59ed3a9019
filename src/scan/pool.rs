//! The thread pool: its threads wait for the network, so there is one for every task.

use std::collections::VecDeque;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// How many threads a pool of rayon's has. One of them that begins, or has nothing to do, looks for
/// work at every other one of its pool, so that two hundred are in several.
const TEAM: usize = 16;

/// Threads of its own, which end when it is dropped.
///
/// They wait for tasks in one queue. Rayon's own threads would look for work at each other some thirty
/// times each before they sleep, while those that have some want the processor.
pub struct Pool {
    queue: Arc<Queue>,
    teams: Vec<ThreadPool>,
}

/// Threads that a pool is to get.
pub struct More(Vec<ThreadPool>);

impl Pool {
    /// A pool of `threads` threads, of one at least.
    ///
    /// # Errors
    /// The system does not give so many; the text says why.
    pub fn new(threads: usize) -> Result<Self, String> {
        let mut pool = Self {
            queue: Arc::default(),
            teams: Vec::new(),
        };
        pool.teams = pool.teams(threads.max(1))?;
        Ok(pool)
    }

    /// What this pool lacks to `threads` threads; none where it lacks none, where it has a single one,
    /// which does one task after the other, or where the system does not give so many.
    #[must_use]
    pub fn more(&self, threads: usize) -> Option<More> {
        let has = self.threads();
        let lacks = threads.saturating_sub(has);
        (has > 1 && lacks > 0)
            .then(|| self.teams(lacks).ok())
            .flatten()
            .map(More)
    }

    /// Takes the threads of `more` in.
    pub fn extend(&mut self, more: Option<More>) {
        self.teams
            .extend(more.into_iter().flat_map(|More(teams)| teams));
    }

    fn threads(&self) -> usize {
        self.teams.iter().map(ThreadPool::current_num_threads).sum()
    }

    fn teams(&self, threads: usize) -> Result<Vec<ThreadPool>, String> {
        let team = |first: usize| {
            let last = threads.min(first + TEAM);
            ThreadPoolBuilder::new()
                .num_threads(last - first)
                .thread_name(move |n| format!("region-{}", first + n))
                .build()
        };
        let teams: Result<Vec<_>, _> = (0..threads).step_by(TEAM).map(team).collect();
        let teams = teams.map_err(|e| format!("{threads} threads: {e}"))?;
        // Where there are not enough, none begins: those that are there end with their pools, and are
        // not missed where a host is looked up.
        for team in &teams {
            let queue = self.queue.clone();
            team.spawn_broadcast(move |_| queue.work());
        }
        Ok(teams)
    }

    /// Does `work` on every item side by side, and `then` on those that it adds; what they send reaches
    /// `each` on this thread.
    ///
    /// Tasks begin in the order of the items, those that were added before the items that are left. A
    /// task that panics just ends.
    pub fn side_by_side<T, M, R>(
        &self,
        items: Vec<T>,
        work: impl Fn(T, &Outlet<R>, &dyn Fn(M)) + Send + Sync + 'static,
        then: impl Fn(M, &Outlet<R>) + Send + Sync + 'static,
        each: impl FnMut(R),
    ) where
        T: Send + 'static,
        M: Send + 'static,
        R: Send + 'static,
    {
        let (outlet, results) = channel();
        // Each task holds all three, and the last one to end lets the outlet go, which ends the results.
        let round = Arc::new((work, then, Outlet(outlet)));
        let task = |item| {
            let (round, queue) = (round.clone(), self.queue.clone());
            let task = move || {
                let (work, _, outlet) = &*round;
                let add = |more| {
                    let round = round.clone();
                    queue.add(Box::new(move || (round.1)(more, &round.2)));
                };
                work(item, outlet, &add);
            };
            Box::new(task) as Task
        };
        self.queue.extend(items.into_iter().map(task).collect());
        drop(round);
        results.into_iter().for_each(each);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Where a task's results go.
pub struct Outlet<R>(Sender<R>);

impl<R> Outlet<R> {
    /// Tells the thread that waits for the tasks.
    pub fn send(&self, result: R) {
        let _ = self.0.send(result);
    }
}

type Task = Box<dyn FnOnce() + Send>;

/// The tasks that wait for a thread.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Task>,
    /// Those that tasks have added.
    added: VecDeque<Task>,
    closed: bool,
}

impl Queue {
    /// Does task after task until the queue is closed.
    fn work(&self) {
        touch_stack();
        let mut heap = touched_heap();
        while let Some(task) = self.next() {
            // The first task gets what was touched for it.
            drop(std::mem::take(&mut heap));
            // A panic ends its task; that no result came of it tells.
            let _ = catch_unwind(AssertUnwindSafe(task));
        }
    }

    fn next(&self) -> Option<Task> {
        let none_yet = |w: &mut Waiting| w.tasks.is_empty() && w.added.is_empty() && !w.closed;
        let waiting = self.changed.wait_while(self.lock(), none_yet);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let task = waiting.added.pop_front();
        task.or_else(|| waiting.tasks.pop_front())
    }

    fn extend(&self, tasks: Vec<Task>) {
        let n = tasks.len();
        self.lock().tasks.extend(tasks);
        (0..n).for_each(|_| self.changed.notify_one());
    }

    fn add(&self, task: Task) {
        self.lock().added.push_back(task);
        self.changed.notify_one();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request takes of a thread's stack and of its heap, in bytes. The system gives memory page by
/// page where it is touched first: better while the threads wait for the checks than when two hundred
/// of them have a request to send.
const STACK: usize = 40 * 1024;
const HEAP: usize = 36 * 1024;

#[inline(never)]
#[allow(
    clippy::large_stack_arrays,
    reason = "a large part of the stack is the point"
)]
fn touch_stack() {
    black_box(&mut [0_u8; STACK]);
}

fn touched_heap() -> Vec<u8> {
    black_box(vec![1; HEAP])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_and_a_panic_stays_in_its_task() {
        let pool = Pool::new(4).unwrap();
        let mut seen = Vec::new();
        let work = |n: u32, outlet: &Outlet<u32>, add: &dyn Fn(u32)| {
            add(n + 100);
            assert!(n != 3, "three");
            outlet.send(n * 10);
        };
        let then = |n: u32, outlet: &Outlet<u32>| {
            assert!(n != 102, "two");
            outlet.send(n * 10);
        };
        pool.side_by_side(vec![1, 2, 3, 4], work, then, |n| seen.push(n));
        seen.sort_unstable();
        assert_eq!(seen, [10, 20, 40, 1010, 1030, 1040]);
    }

    #[test]
    fn one_thread_keeps_the_order() {
        let pool = Pool::new(1).unwrap();
        for _ in 0..50 {
            let mut seen = Vec::new();
            let work = |n: u32, outlet: &Outlet<u32>, add: &dyn Fn(u32)| {
                outlet.send(n);
                add(n + 1);
                add(n + 2);
            };
            let then = |n, outlet: &Outlet<u32>| outlet.send(n);
            pool.side_by_side(vec![10, 20, 30], work, then, |n| seen.push(n));
            assert_eq!(seen, [10, 11, 12, 20, 21, 22, 30, 31, 32]);
        }
    }

    #[test]
    fn what_is_added_gets_a_thread_that_waited_for_it() {
        let pool = Pool::new(TEAM + 1).unwrap();
        let all = std::sync::Barrier::new(TEAM + 1);
        let work = |(): (), _: &Outlet<()>, add: &dyn Fn(())| (0..=TEAM).for_each(|_| add(()));
        // None of them ends before all have begun.
        let then = move |(), outlet: &Outlet<()>| {
            all.wait();
            outlet.send(());
        };
        let mut seen = 0;
        pool.side_by_side(vec![()], work, then, |()| seen += 1);
        assert_eq!(seen, TEAM + 1);
    }

    #[test]
    fn the_threads_end_with_their_pool() {
        let pool = Pool::new(TEAM + 1).unwrap();
        let queue = Arc::downgrade(&pool.queue);
        drop(pool);
        // Each holds it as long as it waits for tasks.
        while queue.strong_count() > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_pool_grows() {
        let grown = |from: usize, to: usize| {
            let mut pool = Pool::new(from).unwrap();
            pool.extend(pool.more(to));
            pool.threads()
        };
        assert_eq!(grown(1, 3), 1, "one task after the other");
        assert_eq!(grown(0, 3), 1);
        assert_eq!(grown(2, 50), 50);
        assert_eq!(grown(50, 2), 50);
    }
}
