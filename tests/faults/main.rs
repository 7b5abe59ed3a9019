//! Runs the built binary with every fault at every request, once and always, and compares each run with
//! the expected result in `expected.rs`.
//!
//! Each test runs its faults on [`CONCURRENT_RUNS`] threads. A thread takes the next run from a shared
//! index, starts a server and the program, and waits for the program to end. Nearly all runs wait for a
//! backoff or a time-out. The test ends when all runs have ended, and reports every run that failed.

#[path = "../support/mod.rs"]
mod support;

mod assertions;
mod endless;
mod expected;
mod fault;
mod fault_point;
mod identity;
mod memory;
mod providers;
mod text;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use expected::Expected;
use fault::{FAULTS, Fault};
use fault_point::{FaultPoint, Purpose};
use support::{Account, Call, Outcome, Program, Reply, Responder, Server};

/// The requests at which a fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// The first request.
    Once,
    /// Every request.
    Always,
}

/// The number of concurrent runs in a test.
const CONCURRENT_RUNS: usize = 20;

/// The maximum duration of a run. The longest waits are two attempts of two seconds in each of two
/// regions; the rest is a margin for a busy machine.
const MAX_DURATION: Duration = Duration::from_secs(40);

/// The maximum memory of a run, in bytes: the program and one body of 16 MiB while it grows.
const MAX_MEMORY: u64 = 60_000_000;

/// Runs every fault at `point`, once and always; fails with all unexpected results.
fn run_every_fault(point: &FaultPoint) {
    // A fault in one of all regions does not change the result of this check.
    let can_occur_once =
        |fault: &&Fault| fault.is_retried() && point.purpose != Purpose::CheckAnyRecorder;
    let once = FAULTS.iter().filter(can_occur_once);
    let once = once.map(|fault| (fault, When::Once));
    // The number of requests shows that a fault without retries occurs only once.
    let always = FAULTS.iter().map(|fault| (fault, When::Always));
    let mut runs: Vec<_> = once
        .chain(always)
        .filter(|(fault, _)| fault.applies_to(point))
        .collect();
    // The longest runs start first.
    runs.sort_by_key(|(fault, _)| !fault.is_timeout());
    assert!(runs.len() > 90, "{}", runs.len());
    let account = point.account();
    let responder = Arc::new(account.responder());
    run_all(&runs, |(fault, when)| {
        run_fault(point, fault, *when, &account, &responder)
    });
}

/// Executes all runs, [`CONCURRENT_RUNS`] at a time; fails with all their errors.
fn run_all<T: Sync>(runs: &[T], run: impl Fn(&T) -> Result<(), String> + Sync) {
    let (next, errors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..CONCURRENT_RUNS {
            scope.spawn(|| {
                while let Some(this) = runs.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(error) = run(this) {
                        let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
                        errors.push(error);
                    }
                }
            });
        }
    });
    let errors = errors.into_inner().unwrap();
    let failed = format!("{} of {} runs failed", errors.len(), runs.len());
    assert!(errors.is_empty(), "{failed}:\n{}", errors.join("\n"));
}

/// Starts a server that replies with `reply`, or with `fault_reply` to the requests that `matches`
/// selects.
fn faulty_server(
    matches: fn(&Call) -> bool,
    when: When,
    reply: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    fault_reply: impl Fn(&Call, &Reply) -> Reply + Send + Sync + 'static,
) -> Server {
    let faults = AtomicUsize::new(0);
    Server::new(move |call| {
        let reply = reply(call);
        let is_first = || faults.fetch_add(1, Ordering::SeqCst) == 0;
        if matches(call) && (is_first() || when == When::Always) {
            fault_reply(call, &reply)
        } else {
            reply
        }
    })
}

/// Runs the program with one fault; returns the difference from the expected result.
fn run_fault(
    point: &FaultPoint,
    fault: &'static Fault,
    when: When,
    account: &Account,
    responder: &Arc<Responder>,
) -> Result<(), String> {
    let responder = responder.clone();
    let reply = move |call: &Call| responder.respond(call);
    let server = faulty_server(point.matches, when, reply, |call, reply| {
        fault.reply(call, reply)
    });
    let program = with_fault_options(Program::new(&server).args(point.args), fault, when);
    let (outcome, duration) = run_timed(program.arg("--coverage"));
    let expected = Expected::new(point, fault, when);
    let result = assertions::assert_expected(&expected, point, account, &server, &outcome)
        .and_then(|()| assertions::assert_printable(&outcome))
        .and_then(|()| assert_limits(&outcome, duration));
    result.map_err(|error| {
        let output = outcome.describe();
        format!(
            "=== {} at {}, {when:?}: {error}\n{output}",
            fault.name, point.name
        )
    })
}

/// Adds the options that depend only on the fault.
fn with_fault_options(program: Program, fault: &Fault, when: When) -> Program {
    let attempts = if when == When::Once { "3" } else { "2" };
    let program = program
        .args(["--debug", "--connect-timeout", "5"])
        .args(["--max-attempts", attempts]);
    if fault.is_timeout() {
        program.args(["--read-timeout", "2"])
    } else {
        program
    }
}

/// Runs the program; returns its output and its duration.
fn run_timed(program: Program) -> (Outcome, Duration) {
    let begin = Instant::now();
    let outcome = program.run();
    (outcome, begin.elapsed())
}

/// Fails if a run exceeds [`MAX_DURATION`] or [`MAX_MEMORY`].
fn assert_limits(outcome: &Outcome, duration: Duration) -> Result<(), String> {
    let peak = outcome.peak_memory.unwrap_or_default();
    if duration > MAX_DURATION {
        Err(format!("duration {duration:?}"))
    } else if peak > MAX_MEMORY {
        Err(format!("{peak} bytes of memory"))
    } else {
        Ok(())
    }
}

#[test]
fn identity_check_faults_give_expected_result() {
    run_every_fault(&fault_point::IDENTITY_CHECK);
}

#[test]
fn alias_check_faults_give_expected_result() {
    run_every_fault(&fault_point::ALIAS_CHECK);
}

#[test]
fn regions_check_faults_give_expected_result() {
    run_every_fault(&fault_point::REGIONS_CHECK);
}

#[test]
fn list_check_faults_give_expected_result() {
    run_every_fault(&fault_point::LIST_CHECK);
}

#[test]
fn counts_check_faults_give_expected_result() {
    run_every_fault(&fault_point::COUNTS_CHECK);
}

#[test]
fn status_check_faults_give_expected_result() {
    run_every_fault(&fault_point::STATUS_CHECK);
}

#[test]
fn recorder_check_faults_give_expected_result() {
    run_every_fault(&fault_point::RECORDER_CHECK);
}

#[test]
fn list_faults_give_expected_result() {
    run_every_fault(&fault_point::LIST);
}

#[test]
fn list_second_page_faults_give_expected_result() {
    run_every_fault(&fault_point::LIST_SECOND_PAGE);
}

#[test]
fn counts_faults_give_expected_result() {
    run_every_fault(&fault_point::COUNTS);
}

#[test]
fn counts_second_page_faults_give_expected_result() {
    run_every_fault(&fault_point::COUNTS_SECOND_PAGE);
}

#[test]
fn verify_list_faults_give_expected_result() {
    run_every_fault(&fault_point::VERIFY_LIST);
}

#[test]
fn verify_list_page_faults_give_expected_result() {
    run_every_fault(&fault_point::VERIFY_LIST_SECOND_PAGE);
}

#[test]
fn verify_counts_faults_give_expected_result() {
    run_every_fault(&fault_point::VERIFY_COUNTS);
}

#[test]
fn recorder_status_faults_give_expected_result() {
    run_every_fault(&fault_point::RECORDER_STATUS);
}

#[test]
fn recorders_faults_give_expected_result() {
    run_every_fault(&fault_point::RECORDERS);
}
