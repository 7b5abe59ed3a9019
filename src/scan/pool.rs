//! The thread pool: its threads wait for the network, so there is one for every task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};

use rayon::{ThreadPool, ThreadPoolBuilder};

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

    /// This pool, or a larger one where it has fewer than `threads`.
    ///
    /// # Errors
    /// The system does not give so many; the text says why.
    pub fn with_at_least(self, threads: usize) -> Result<Self, String> {
        if self.0.current_num_threads() >= threads {
            return Ok(self);
        }
        Self::new(threads)
    }

    /// Does `work` on every item side by side; what it sends reaches `each` on this thread.
    ///
    /// Tasks begin in the order of the items. A task that panics just ends.
    pub fn side_by_side<T: Send, R: Send>(
        &self,
        items: Vec<T>,
        work: impl Fn(T, &Sender<R>) + Sync,
        mut each: impl FnMut(R),
    ) {
        let work = &work;
        let (to_main, from_tasks) = channel();
        self.0.in_place_scope_fifo(|scope| {
            for item in items {
                let sender = to_main.clone();
                scope.spawn_fifo(move |_| {
                    // A panic would come up again on the main thread and end the whole scan.
                    let _ = catch_unwind(AssertUnwindSafe(|| work(item, &sender)));
                });
            }
            drop(to_main);
            for event in from_tasks {
                each(event);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_and_a_panic_stays_in_its_task() {
        let pool = Pool::new(4).unwrap();
        let mut seen = Vec::new();
        let work = |n: u32, to_main: &Sender<u32>| {
            assert!(n != 3, "three");
            to_main.send(n * 10).unwrap();
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
            let work = |n: u32, to_main: &Sender<u32>| to_main.send(n).unwrap();
            pool.side_by_side((0..20).collect(), work, |n| seen.push(n));
            assert_eq!(seen, (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_pool_grows() {
        let pool = Pool::new(1).unwrap().with_at_least(3).unwrap();
        assert_eq!(pool.0.current_num_threads(), 3);
        let same = pool.with_at_least(2).unwrap();
        assert_eq!(same.0.current_num_threads(), 3);
    }
}
