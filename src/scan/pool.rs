//! The thread pool: its threads wait for the network, so there is one for every task.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// A thread of rayon's that has nothing to do looks for work at every other thread of its pool, some
/// thirty times, before it sleeps. Two hundred in one pool did little else, so they are in several.
const TEAM: usize = 16;

/// Threads of its own.
pub struct Pool(Vec<ThreadPool>);

impl Pool {
    /// A pool of `threads` threads, of one at least.
    ///
    /// # Errors
    /// The system does not give so many; the text says why.
    pub fn new(threads: usize) -> Result<Self, String> {
        let threads = threads.max(1);
        let team = |first: usize| {
            let last = threads.min(first + TEAM);
            ThreadPoolBuilder::new()
                .num_threads(last - first)
                .thread_name(move |n| format!("region-{}", first + n))
                .build()
        };
        let teams: Result<_, _> = (0..threads).step_by(TEAM).map(team).collect();
        teams
            .map(Self)
            .map_err(|e| format!("{threads} threads: {e}"))
    }

    /// What this pool lacks to `threads` threads; none where it lacks none, where it has a single one,
    /// which does one task after the other, or where the system does not give so many.
    #[must_use]
    pub fn more(&self, threads: usize) -> Option<Self> {
        let has = self.threads();
        let lacks = threads.saturating_sub(has);
        (has > 1 && lacks > 0)
            .then(|| Self::new(lacks).ok())
            .flatten()
    }

    /// Takes the threads of `more` in.
    pub fn extend(&mut self, more: Option<Self>) {
        self.0.extend(more.into_iter().flat_map(|more| more.0));
    }

    fn threads(&self) -> usize {
        self.0.iter().map(ThreadPool::current_num_threads).sum()
    }

    /// Does `work` on every item side by side, and `then` on those that it adds; what they send reaches
    /// `each` on this thread.
    ///
    /// Tasks begin in the order of the items, those that were added before the items that are left. A
    /// task that panics just ends.
    pub fn side_by_side<T: Send, M: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T, &Outlet<R>, &dyn Fn(M)) + Sync,
        then: impl Fn(M, &Outlet<R>) + Sync,
        mut each: impl FnMut(R),
    ) {
        if items.is_empty() {
            return;
        }
        let (to_main, from_tasks) = channel();
        let queue = Queue::new(items);
        let worker = || {
            let outlet = Outlet(to_main.clone());
            while let Some(next) = queue.next() {
                let first = matches!(next, Next::First(_));
                let task = || match next {
                    Next::First(item) => work(item, &outlet, &|more| queue.add(more)),
                    Next::Added(item) => then(item, &outlet),
                };
                // A panic would come up again on the main thread and end the whole scan.
                let _ = catch_unwind(AssertUnwindSafe(task));
                if queue.done(first) {
                    let _ = to_main.send(None);
                }
            }
        };
        on_every_thread(&self.0, &worker, &mut || {
            while let Ok(Some(event)) = from_tasks.recv() {
                each(event);
            }
        });
    }
}

/// Does `work` on each thread of `teams`, and meanwhile `main` on this one.
fn on_every_thread(teams: &[ThreadPool], work: &(dyn Fn() + Sync), main: &mut dyn FnMut()) {
    match teams.split_first() {
        None => main(),
        Some((team, rest)) => team.in_place_scope(|scope| {
            scope.spawn_broadcast(|_, _| work());
            on_every_thread(rest, work, main);
        }),
    }
}

/// Where a task's results go; `None` says that no more will come.
pub struct Outlet<R>(Sender<Option<R>>);

impl<R> Outlet<R> {
    /// Tells the main thread, which waits for it.
    pub fn send(&self, result: R) {
        let _ = self.0.send(Some(result));
    }
}

/// The items that wait for a thread.
struct Queue<T, M> {
    waiting: Mutex<Waiting<T, M>>,
    changed: Condvar,
}

struct Waiting<T, M> {
    first: VecDeque<T>,
    added: VecDeque<M>,
    /// The first items that are worked on: each may still add some.
    adding: usize,
    /// All items that are worked on.
    busy: usize,
}

enum Next<T, M> {
    First(T),
    Added(M),
}

impl<T, M> Waiting<T, M> {
    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.added.is_empty()
    }
}

impl<T, M> Queue<T, M> {
    fn new(items: Vec<T>) -> Self {
        let waiting = Waiting {
            first: items.into(),
            added: VecDeque::new(),
            adding: 0,
            busy: 0,
        };
        Self {
            waiting: Mutex::new(waiting),
            changed: Condvar::new(),
        }
    }

    /// The next item, once there is one; none once none can come, so that the threads need not all
    /// be woken at the end.
    fn next(&self) -> Option<Next<T, M>> {
        let none_yet = |w: &mut Waiting<T, M>| w.is_empty() && w.adding > 0;
        let waiting = self.changed.wait_while(self.lock(), none_yet);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let next = match waiting.added.pop_front() {
            Some(item) => Next::Added(item),
            None => Next::First(waiting.first.pop_front()?),
        };
        waiting.busy += 1;
        waiting.adding += usize::from(matches!(next, Next::First(_)));
        Some(next)
    }

    fn add(&self, item: M) {
        self.lock().added.push_back(item);
        self.changed.notify_one();
    }

    /// An item that [`Self::next`] gave has been worked on, one of the `first` or not; tells whether
    /// it was the last.
    fn done(&self, first: bool) -> bool {
        let mut waiting = self.lock();
        waiting.busy -= 1;
        waiting.adding -= usize::from(first);
        if first && waiting.adding == 0 {
            self.changed.notify_all();
        }
        waiting.busy == 0 && waiting.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T, M>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        let then = |(), outlet: &Outlet<()>| {
            all.wait();
            outlet.send(());
        };
        let mut seen = 0;
        pool.side_by_side(vec![()], work, then, |()| seen += 1);
        assert_eq!(seen, TEAM + 1);
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
