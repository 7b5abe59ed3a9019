//! The thread pool: its threads wait for the network, so there is one for every task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};

use rayon::{ScopeFifo, ThreadPool, ThreadPoolBuilder};

/// A pool of threads of its own.
pub struct Pool(ThreadPool);

impl Pool {
    /// A pool of `threads` threads.
    ///
    /// # Errors
    /// The system does not give so many; the text says why.
    pub fn new(threads: usize) -> Result<Self, String> {
        let named = |n| format!("region-{n}");
        let built = ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(named);
        let pool = built
            .build()
            .map_err(|e| format!("{threads} threads: {e}"))?;
        Ok(Self(pool))
    }

    /// This pool, or a larger one where it has fewer than `threads`; this one too where the system
    /// does not give so many: the tasks then wait for each other.
    #[must_use]
    pub fn with_at_least(self, threads: usize) -> Self {
        self.larger(threads).unwrap_or(self)
    }

    /// A pool of `threads` threads; none where this one has as many, or does one task after the other
    /// with a single one.
    #[must_use]
    pub fn larger(&self, threads: usize) -> Option<Self> {
        let has = self.0.current_num_threads();
        let wanted = has > 1 && threads > has;
        wanted.then(|| Self::new(threads).ok()).flatten()
    }

    /// Does `work` on every item side by side, and on those that it adds; what it sends reaches
    /// `each` on this thread.
    ///
    /// Tasks begin in the order of the items. A task that panics just ends.
    pub fn side_by_side<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T, &Outlet<'_, T, R>) + Sync,
        mut each: impl FnMut(R),
    ) {
        let (to_main, from_tasks) = channel();
        self.0.in_place_scope_fifo(|scope| {
            for item in items {
                begin(scope, item, &work, to_main.clone());
            }
            drop(to_main);
            for event in from_tasks {
                each(event);
            }
        });
    }
}

/// Where a task's results and further tasks go.
pub struct Outlet<'a, T, R> {
    to_main: &'a Sender<R>,
    add: &'a dyn Fn(T),
}

impl<T, R> Outlet<'_, T, R> {
    /// Tells the main thread, which waits for it.
    pub fn send(&self, result: R) {
        let _ = self.to_main.send(result);
    }

    /// Has another item worked on, beside this one.
    pub fn add(&self, item: T) {
        (self.add)(item);
    }
}

fn begin<'scope, T, R, W>(scope: &ScopeFifo<'scope>, item: T, work: &'scope W, to_main: Sender<R>)
where
    T: Send + 'scope,
    R: Send + 'scope,
    W: Fn(T, &Outlet<'_, T, R>) + Sync,
{
    scope.spawn_fifo(move |scope| {
        let outlet = Outlet {
            to_main: &to_main,
            add: &|item| begin(scope, item, work, to_main.clone()),
        };
        // A panic would come up again on the main thread and end the whole scan.
        let _ = catch_unwind(AssertUnwindSafe(|| work(item, &outlet)));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_and_a_panic_stays_in_its_task() {
        let pool = Pool::new(4).unwrap();
        let mut seen = Vec::new();
        let work = |n: u32, outlet: &Outlet<'_, u32, u32>| {
            assert!(n != 3, "three");
            outlet.send(n * 10);
        };
        pool.side_by_side(vec![1, 2, 3, 4], work, |n| seen.push(n));
        seen.sort_unstable();
        assert_eq!(seen, [10, 20, 40]);
    }

    #[test]
    fn one_thread_keeps_the_order() {
        let pool = Pool::new(1).unwrap();
        for _ in 0..50 {
            let mut seen = Vec::new();
            let work = |n: u32, outlet: &Outlet<'_, u32, u32>| {
                outlet.send(n);
                if n.is_multiple_of(10) {
                    outlet.add(n + 1);
                    outlet.add(n + 2);
                }
            };
            pool.side_by_side(vec![10, 20, 30], work, |n| seen.push(n));
            assert_eq!(seen, [10, 11, 12, 20, 21, 22, 30, 31, 32]);
        }
    }

    #[test]
    fn a_pool_grows() {
        let single = Pool::new(1).unwrap();
        assert!(single.larger(3).is_none(), "one task after the other");
        let pool = Pool::new(2).unwrap().with_at_least(3);
        assert_eq!(pool.0.current_num_threads(), 3);
        let same = pool.with_at_least(2);
        assert_eq!(same.0.current_num_threads(), 3);
    }
}
