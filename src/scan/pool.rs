//! The thread pool. Its threads mostly wait for the network, so each task has its own thread.
//!
//! - [`Pool::new`] and [`Pool::grow`] start threads, which all wait for tasks in one `Queue`.
//! - [`Pool::side_by_side`] queues a task per item and returns an iterator of results, which the
//!   calling thread reads.
//! - A task may add further tasks; they run before the queued items.
//! - Every task of such a call holds the sender of the result channel. The last task to end drops
//!   it, which ends the iterator.
//! - A panic ends only its task.
//! - A pool of one thread never grows, so it runs the tasks in a fixed order; a replay depends on
//!   that.
//! - Dropping the pool closes the queue; each thread ends after its current task.

use std::collections::VecDeque;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{IntoIter, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// A set of threads that end when the pool is dropped.
///
/// The threads wait for tasks in one queue. Rayon's own scheduler is not used: idle threads would
/// search for work about thirty times before they sleep, and take CPU time from the busy ones.
pub struct Pool {
    queue: Arc<Queue>,
    pools: Vec<ThreadPool>,
}

impl Pool {
    /// Creates a pool of `threads` threads, at least one.
    ///
    /// # Errors
    /// The system cannot start so many threads; the text has the reason.
    pub fn new(threads: usize) -> Result<Self, String> {
        let mut pool = Self {
            queue: Arc::default(),
            pools: Vec::new(),
        };
        pool.add(threads.max(1))?;
        Ok(pool)
    }

    /// Adds threads up to `threads` in total. Does nothing if the pool has one thread, which must
    /// run one task after another, or if the system cannot start so many.
    pub fn grow(&mut self, threads: usize) {
        let has = self.threads();
        if has > 1 && threads > has {
            let _ = self.add(threads - has);
        }
    }

    fn threads(&self) -> usize {
        self.pools.iter().map(ThreadPool::current_num_threads).sum()
    }

    fn add(&mut self, threads: usize) -> Result<(), String> {
        let first = self.threads();
        let (queue, too_few) = (self.queue.clone(), Arc::new(AtomicBool::new(false)));
        let missed = too_few.clone();
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(move |n| format!("region-{}", first + n))
            // Runs on each thread before rayon's scheduler, and returns only when the pool is
            // closed.
            .start_handler(move |_| queue.work(&missed))
            .build();
        // If not all threads could be started, the others end: name resolution needs threads too.
        let pool = pool.map_err(|e| {
            self.queue.dismiss(&too_few);
            format!("{threads} threads: {e}")
        })?;
        self.pools.push(pool);
        Ok(())
    }

    /// Starts `work` on every item concurrently, and `then` on the items that `work` adds. Returns
    /// an iterator over the results that they send; it ends with the last task.
    ///
    /// Tasks start in the order of the items; added items come before the remaining ones. A panic
    /// ends only its task.
    pub fn side_by_side<T, M, R>(
        &self,
        items: Vec<T>,
        work: impl Fn(T, &Outlet<R>, &dyn Fn(M)) + Send + Sync + 'static,
        then: impl Fn(M, &Outlet<R>) + Send + Sync + 'static,
    ) -> IntoIter<R>
    where
        T: Send + 'static,
        M: Send + 'static,
        R: Send + 'static,
    {
        let (outlet, results) = channel();
        // Each task holds a reference; the last task to end drops the sender, which ends the
        // iterator.
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
        results.into_iter()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// The sender of a task's results.
pub struct Outlet<R>(Sender<R>);

impl<R> Outlet<R> {
    /// Sends a result to the thread that reads the iterator.
    pub fn send(&self, result: R) {
        let _ = self.0.send(result);
    }
}

type Task = Box<dyn FnOnce() + Send>;

/// The tasks that are waiting for a thread.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Task>,
    /// The tasks that were added by other tasks.
    added: VecDeque<Task>,
    closed: bool,
}

impl Queue {
    /// Runs tasks until the queue is closed or `dismissed` is set.
    fn work(&self, dismissed: &AtomicBool) {
        touch_stack();
        let mut heap = touched_heap();
        while let Some(task) = self.next(dismissed) {
            // Frees the memory that was prefaulted, so that the first task can use it.
            drop(std::mem::take(&mut heap));
            // A panic ends only its task; the caller detects the missing result.
            let _ = catch_unwind(AssertUnwindSafe(task));
        }
    }

    fn next(&self, dismissed: &AtomicBool) -> Option<Task> {
        let dismissed = || dismissed.load(Ordering::SeqCst);
        let must_wait =
            |w: &mut Waiting| w.tasks.is_empty() && w.added.is_empty() && !w.closed && !dismissed();
        let waiting = self.changed.wait_while(self.lock(), must_wait);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if dismissed() {
            return None;
        }
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

    /// Ends the threads that use this flag, each after its current task.
    fn dismiss(&self, flag: &AtomicBool) {
        let waiting = self.lock();
        flag.store(true, Ordering::SeqCst);
        drop(waiting);
        self.changed.notify_all();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stack and heap that a request uses, in bytes. The system maps each page at its first use:
/// this is done while the threads wait for the checks, not when two hundred of them send a request.
const STACK: usize = 40 * 1024;
const HEAP: usize = 36 * 1024;

#[inline(never)]
#[allow(
    clippy::large_stack_arrays,
    reason = "prefaults a large part of the stack"
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
    fn panic_ends_only_its_task() {
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
        seen.extend(pool.side_by_side(vec![1, 2, 3, 4], work, then));
        seen.sort_unstable();
        assert_eq!(seen, [10, 20, 40, 1010, 1030, 1040]);
    }

    #[test]
    fn one_thread_keeps_task_order() {
        let pool = Pool::new(1).unwrap();
        for _ in 0..50 {
            let mut seen = Vec::new();
            let work = |n: u32, outlet: &Outlet<u32>, add: &dyn Fn(u32)| {
                outlet.send(n);
                add(n + 1);
                add(n + 2);
            };
            let then = |n, outlet: &Outlet<u32>| outlet.send(n);
            seen.extend(pool.side_by_side(vec![10, 20, 30], work, then));
            assert_eq!(seen, [10, 11, 12, 20, 21, 22, 30, 31, 32]);
        }
    }

    #[test]
    fn added_tasks_run_on_waiting_threads() {
        let pool = Pool::new(17).unwrap();
        let all = std::sync::Barrier::new(17);
        let work = |(): (), _: &Outlet<()>, add: &dyn Fn(())| (0..17).for_each(|_| add(()));
        // Every task waits until all have started.
        let then = move |(), outlet: &Outlet<()>| {
            all.wait();
            outlet.send(());
        };
        let mut seen = 0;
        pool.side_by_side(vec![()], work, then)
            .for_each(|()| seen += 1);
        assert_eq!(seen, 17);
    }

    #[test]
    fn threads_end_with_pool() {
        let pool = Pool::new(17).unwrap();
        let queue = Arc::downgrade(&pool.queue);
        drop(pool);
        // Each thread holds a reference to the queue until it ends.
        while queue.strong_count() > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn pool_grows_unless_single_threaded() {
        let grown = |from: usize, to: usize| {
            let mut pool = Pool::new(from).unwrap();
            pool.grow(to);
            pool.threads()
        };
        assert_eq!(grown(1, 3), 1, "a single thread stays single");
        assert_eq!(grown(0, 3), 1);
        assert_eq!(grown(2, 50), 50);
        assert_eq!(grown(50, 2), 50);
    }
}
