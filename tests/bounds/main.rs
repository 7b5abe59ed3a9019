//! Runs the built binary against each of its time limits, and with every fault that ends at the read time-out, in real
//! time.
//!
//! One test runs all cases in parallel, each on its own thread, because each waits for about two minutes. The other
//! tests use an injected clock.

#[path = "../faults/assertions.rs"]
mod assertions;
#[path = "../faults/expected.rs"]
mod expected;
#[path = "../faults/fault.rs"]
mod fault;
#[path = "../faults/fault_point.rs"]
mod fault_point;
#[path = "../faults/providers.rs"]
mod providers;
#[path = "../faults/run.rs"]
mod run;
#[path = "../support/mod.rs"]
mod support;

mod cases;
mod timeouts;

use std::panic::catch_unwind;
use std::thread;
use std::time::Duration;

/// The maximum time of the test.
const MAX_DURATION: Duration = Duration::from_secs(170);

#[test]
fn every_time_limit_ends_the_run() {
    let started = std::time::Instant::now();
    let running: Vec<_> = cases::ALL
        .iter()
        .map(|(name, case)| (name, thread::spawn(move || catch_unwind(case))))
        .collect();
    let failed: Vec<_> = running
        .into_iter()
        .filter_map(|(name, case)| case.join().unwrap().is_err().then_some(*name))
        .collect();
    assert_eq!(failed, [""; 0], "failed cases; their messages are above");
    let took = started.elapsed();
    assert!(took < MAX_DURATION, "{took:?}");
}
