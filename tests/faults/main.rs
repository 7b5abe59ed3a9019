//! Every fault at every operation, once and always, through the built binary: what has to follow is
//! said once, in `expected.rs`, and each run is held to it.

#[path = "../support/mod.rs"]
mod support;

mod endless;
mod expected;
mod fault;
mod identity;
mod memory;
mod providers;
mod seen;
mod site;
mod text;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use expected::Expected;
use fault::{FAULTS, Fault};
use site::{Role, Site};
use support::{Account, Answers, Call, Outcome, Program, Reply, Server};

/// When a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// At the first request.
    Once,
    /// At every one.
    Always,
}

/// The runs that go on at one time in each test: nearly all of them wait, for a backoff or a
/// time-out.
const SIDE_BY_SIDE: usize = 20;

/// No run may take longer, whatever else the machine does. Two attempts of two seconds each, in two
/// regions one after the other, are the longest waits.
const LONGEST: Duration = Duration::from_secs(40);

/// No run may have more memory: the program's own, and one body of 16 MiB while it grows.
const MOST_MEMORY: u64 = 60_000_000;

/// Runs each fault at `site`, once and always; fails with all that was not as it should be.
fn every_fault_at(site: &Site) {
    // Where all regions are asked, one that has the fault leaves the others.
    let can_be_once = |f: &&Fault| f.is_retried() && site.role != Role::AnyRecorder;
    let once = FAULTS.iter().filter(can_be_once);
    let once = once.map(|fault| (fault, When::Once));
    // One that is not retried is met once in either case: the number of requests shows it.
    let always = FAULTS.iter().map(|fault| (fault, When::Always));
    let mut runs: Vec<_> = once.chain(always).filter(|(f, _)| f.fits(site)).collect();
    // Those that take long begin first.
    runs.sort_by_key(|(fault, _)| !fault.is_slow());
    assert!(runs.len() > 90, "{}", runs.len());
    let account = site.account();
    let answers = Arc::new(account.answers());
    all(&runs, |(fault, when)| {
        run(site, fault, *when, &account, &answers)
    });
}

/// Makes all of `runs` side by side; fails with all that was not as it should be.
fn all<T: Sync>(runs: &[T], run: impl Fn(&T) -> Result<(), String> + Sync) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(this) = runs.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(why) = run(this) {
                        let mut wrong = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                        wrong.push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let of = format!("{} of {} runs went wrong", wrong.len(), runs.len());
    assert!(wrong.is_empty(), "{of}:\n{}", wrong.join("\n"));
}

/// A server that answers as is `right`, and `wrong` where `picks` says so.
fn faulty(
    picks: fn(&Call) -> bool,
    when: When,
    right: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    wrong: impl Fn(&Call, &Reply) -> Reply + Send + Sync + 'static,
) -> Server {
    let met = AtomicUsize::new(0);
    Server::new(move |call| {
        let right = right(call);
        let first = || met.fetch_add(1, Ordering::SeqCst) == 0;
        if picks(call) && (first() || when == When::Always) {
            wrong(call, &right)
        } else {
            right
        }
    })
}

/// One run with one fault; what is wrong with it.
fn run(
    site: &Site,
    fault: &'static Fault,
    when: When,
    account: &Account,
    answers: &Arc<Answers>,
) -> Result<(), String> {
    let answers = answers.clone();
    let right = move |call: &Call| answers.answer(call);
    let server = faulty(site.picks, when, right, |call, right| {
        fault.happen(call, right)
    });
    let program = with_fault(Program::new(&server).args(site.args), fault, when);
    let (outcome, took) = timed(program.arg("--coverage"));
    let expected = Expected::of(site, fault, when);
    let wrong = seen::compare(&expected, site, account, &server, &outcome)
        .and_then(|()| seen::clean(&outcome))
        .and_then(|()| bounded(&outcome, took));
    wrong.map_err(|why| {
        let told = outcome.told();
        format!(
            "=== {} at {}, {when:?}: {why}\n{told}",
            fault.name, site.name
        )
    })
}

/// The run as far as it depends on the fault alone.
fn with_fault(program: Program, fault: &Fault, when: When) -> Program {
    let attempts = if when == When::Once { "3" } else { "2" };
    let program = program
        .args(["--debug", "--connect-timeout", "5"])
        .args(["--max-attempts", attempts]);
    if fault.is_slow() {
        program.args(["--read-timeout", "2"])
    } else {
        program
    }
}

fn timed(program: Program) -> (Outcome, Duration) {
    let begin = Instant::now();
    let outcome = program.run();
    (outcome, begin.elapsed())
}

fn bounded(outcome: &Outcome, took: Duration) -> Result<(), String> {
    let peak = outcome.peak_memory.unwrap_or_default();
    if took > LONGEST {
        Err(format!("it took {took:?}"))
    } else if peak > MOST_MEMORY {
        Err(format!("it had {peak} bytes of memory"))
    } else {
        Ok(())
    }
}

/// A test for each site.
macro_rules! sites {
    ($($test:ident: $site:ident),* $(,)?) => {
        $(#[test] fn $test() {
            every_fault_at(&site::$site);
        })*
    };
}

sites! {
    who_asks: IDENTITY,
    the_alias: ALIAS,
    the_regions: REGIONS,
    the_check_of_a_listing: CHECKED_LIST,
    the_check_of_the_counts: CHECKED_COUNTS,
    a_recorder_in_the_checks: CHECKED_STATUS,
    every_recorder_in_the_checks: ALL_STATUSES,
    a_listing: LIST,
    the_middle_of_a_listing: MIDDLE_OF_A_LIST,
    the_counts: COUNTS,
    the_middle_of_the_counts: MIDDLE_OF_THE_COUNTS,
    a_listing_that_is_compared: VERIFIED_LIST,
    the_middle_of_a_listing_that_is_compared: VERIFIED_MIDDLE_OF_A_LIST,
    the_counts_that_are_compared_with: VERIFIED_COUNTS,
    a_recorder: STATUS,
    what_a_recorder_records: RECORDERS,
}
