//! The thread pool: its threads wait for the network, so there is one for every task.

use std::collections::VecDeque;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{IntoIter, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Threads of its own, which end when it is dropped.
///
/// They wait for tasks in one queue. Rayon's own threads would look for work at each other some thirty
/// times each before they sleep, while those that have some want the processor.
pub struct Pool {
    queue: Arc<Queue>,
    pools: Vec<ThreadPool>,
}

impl Pool {
    /// A pool of `threads` threads, of one at least.
    ///
    /// # Errors
    /// The system does not give so many; the text says why.
    pub fn new(threads: usize) -> Result<Self, String> {
        let mut pool = Self {
            queue: Arc::default(),
            pools: Vec::new(),
        };
        pool.add(threads.max(1))?;
        Ok(pool)
    }

    /// Gives it what it lacks to `threads` threads; none where it has a single one, which does one task
    /// after the other, or where the system does not give so many.
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
            // What a thread of rayon's does before it looks for work.
            .start_handler(move |_| queue.work(&missed))
            .build();
        // Where there are not enough, those that are there end: they would be missed where a host is
        // looked up.
        let pool = pool.map_err(|e| {
            self.queue.dismiss(&too_few);
            format!("{threads} threads: {e}")
        })?;
        self.pools.push(pool);
        Ok(())
    }

    /// Begins to do `work` on every item side by side, and `then` on those that it adds; gives what they
    /// send as it comes, until the last one has ended.
    ///
    /// Tasks begin in the order of the items, those that were added before the items that are left. A
    /// task that panics just ends.
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
        results.into_iter()
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
    /// Does task after task until the queue is closed, or this thread is `dismissed`.
    fn work(&self, dismissed: &AtomicBool) {
        touch_stack();
        let mut heap = touched_heap();
        while let Some(task) = self.next(dismissed) {
            // The first task gets what was touched for it.
            drop(std::mem::take(&mut heap));
            // A panic ends its task; that no result came of it tells.
            let _ = catch_unwind(AssertUnwindSafe(task));
        }
    }

    fn next(&self, dismissed: &AtomicBool) -> Option<Task> {
        let dismissed = || dismissed.load(Ordering::SeqCst);
        let none_yet =
            |w: &mut Waiting| w.tasks.is_empty() && w.added.is_empty() && !w.closed && !dismissed();
        let waiting = self.changed.wait_while(self.lock(), none_yet);
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

    /// Ends the threads that work with this flag, once each has done its task.
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
        seen.extend(pool.side_by_side(vec![1, 2, 3, 4], work, then));
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
            seen.extend(pool.side_by_side(vec![10, 20, 30], work, then));
            assert_eq!(seen, [10, 11, 12, 20, 21, 22, 30, 31, 32]);
        }
    }

    #[test]
    fn what_is_added_gets_a_thread_that_waited_for_it() {
        let pool = Pool::new(17).unwrap();
        let all = std::sync::Barrier::new(17);
        let work = |(): (), _: &Outlet<()>, add: &dyn Fn(())| (0..17).for_each(|_| add(()));
        // None of them ends before all have begun.
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
    fn the_threads_end_with_their_pool() {
        let pool = Pool::new(17).unwrap();
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
            pool.grow(to);
            pool.threads()
        };
        assert_eq!(grown(1, 3), 1, "one task after the other");
        assert_eq!(grown(0, 3), 1);
        assert_eq!(grown(2, 50), 50);
        assert_eq!(grown(50, 2), 50);
    }
}
