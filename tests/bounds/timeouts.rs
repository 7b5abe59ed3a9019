//! The faults of `tests/faults` that end at the read time-out.

use std::sync::Arc;

use crate::run::run_all;
use crate::{fault_point, providers, run};

/// The number of concurrent runs. Each waits nearly all its time.
const CONCURRENT_RUNS: usize = 20;

/// Runs every time-out at every request of an operation, once and always.
pub fn operations() {
    let runs = fault_point::ALL.into_iter().flat_map(|point| {
        let faults = run::faults_at(point).into_iter();
        faults.map(move |(fault, when)| (point, fault, when))
    });
    let runs: Vec<_> = runs.filter(|(_, fault, _)| fault.is_timeout()).collect();
    assert!(runs.len() > 150, "{}", runs.len());
    run_all(CONCURRENT_RUNS, &runs, |(point, fault, when)| {
        let account = point.account();
        let responder = Arc::new(account.responder());
        run::run_fault(point, fault, *when, &account, &responder)
    });
}

/// Runs every time-out at every request of a credential provider, once and always.
pub fn credential_providers() {
    let account = fault_point::LIST.account();
    let responder = Arc::new(account.responder());
    let runs = providers::ALL.into_iter().flat_map(|request| {
        let faults = providers::faults_at(request).into_iter();
        faults.map(move |(fault, when)| (request, fault, when))
    });
    let runs: Vec<_> = runs.filter(|(_, fault, _)| fault.is_timeout()).collect();
    assert!(runs.len() > 100, "{}", runs.len());
    run_all(CONCURRENT_RUNS, &runs, |(request, fault, when)| {
        providers::run_fault(request, fault, *when, &account, &responder)
    });
}
