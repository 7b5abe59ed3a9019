//! A run with a fault at one request of the program.
//!
//! [`run_all`] executes the runs on several threads. A thread takes the next run from a shared index,
//! starts a server and the program, and waits for the program to end. It ends when all runs have ended, and reports
//! every run that failed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::assertions;
use crate::expected::Expected;
use crate::fault::{FAULTS, Fault};
use crate::fault_point::{FaultPoint, Purpose};
use crate::support::{Account, Call, Outcome, Program, Reply, Responder, Server};

/// The requests at which a fault occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The first request.
    Once,
    /// Every request.
    Always,
}

/// The maximum duration of a run. The longest waits are two attempts of two seconds in each of two
/// regions; the rest is a margin for a busy machine.
pub const MAX_DURATION: Duration = Duration::from_secs(40);

/// The maximum memory of a run, in bytes: the program and one body of 16 MiB while it grows.
pub const MAX_MEMORY: u64 = 60_000_000;

/// Returns every fault that can occur at `point`, once and always.
pub fn faults_at(point: &FaultPoint) -> Vec<(&'static Fault, When)> {
    // A fault in one of all regions does not change the result of this check.
    let can_occur_once =
        |fault: &&Fault| fault.is_retried() && point.purpose != Purpose::CheckAnyRecorder;
    let once = FAULTS.iter().filter(can_occur_once);
    let once = once.map(|fault| (fault, When::Once));
    // The number of requests shows that a fault without retries occurs only once.
    let always = FAULTS.iter().map(|fault| (fault, When::Always));
    let all = once.chain(always);
    all.filter(|(fault, _)| fault.applies_to(point)).collect()
}

/// Executes all runs, `concurrent` at a time; fails with all their errors.
pub fn run_all<T: Sync>(
    concurrent: usize,
    runs: &[T],
    run: impl Fn(&T) -> Result<(), String> + Sync,
) {
    let (next, errors) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..concurrent {
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
pub fn faulty_server(
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
pub fn run_fault(
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
    let program = Program::new(&server).args(point.args).arg("--coverage");
    let (outcome, duration) = run_with_fault(program, fault, when, fault.is_retried());
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

/// Runs the program with the options for the fault; returns its output and its duration.
///
/// A run that only waits between its attempts (`retries`) is a run of the library, which does not wait.
pub fn run_with_fault(
    program: Program,
    fault: &Fault,
    when: When,
    retries: bool,
) -> (Outcome, Duration) {
    let program = with_fault_options(program, fault, when);
    let begin = Instant::now();
    let outcome = if retries && !fault.is_timeout() {
        program.run_without_waits()
    } else {
        program.run()
    };
    (outcome, begin.elapsed())
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

/// Fails if a run exceeds [`MAX_DURATION`] or [`MAX_MEMORY`].
pub fn assert_limits(outcome: &Outcome, duration: Duration) -> Result<(), String> {
    let peak = outcome.peak_memory.unwrap_or_default();
    if duration > MAX_DURATION {
        Err(format!("duration {duration:?}"))
    } else if peak > MAX_MEMORY {
        Err(format!("{peak} bytes of memory"))
    } else {
        Ok(())
    }
}
