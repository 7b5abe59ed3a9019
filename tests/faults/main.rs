//! Runs the program with every fault at every request, once and always, and compares each run with the expected
//! result in `expected.rs`.
//!
//! No test waits: a run that retries is a run of the library with a clock whose sleeps return immediately, all others
//! are runs of the built binary. The time-outs are among the cases of `tests/bounds`.

#[path = "../support/mod.rs"]
mod support;

mod assertions;
mod endless;
mod expected;
mod fault;
mod fault_point;
mod hostile_providers;
mod identity;
mod memory;
mod providers;
mod run;
mod text;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fault::Fault;
use fault_point::FaultPoint;
use providers::ProviderRequest;
use run::When;
use support::{Outcome, Program};

/// The number of concurrent runs in a test.
const CONCURRENT_RUNS: usize = 4;

/// Runs every fault but the time-outs at `point`, once and always; fails with all unexpected results.
fn run_every_fault(point: &FaultPoint) {
    let is_listed = |other: &&FaultPoint| (other.name, other.region) == (point.name, point.region);
    assert_eq!(fault_point::ALL.into_iter().filter(is_listed).count(), 1);
    let runs = without_timeouts(run::faults_at(point));
    let account = point.account();
    let responder = Arc::new(account.responder());
    run::run_all(CONCURRENT_RUNS, &runs, |(fault, when)| {
        run::run_fault(point, fault, *when, &account, &responder)
    });
}

/// Runs every fault but the time-outs at `request`, once and always; fails with all unexpected results.
fn run_every_provider_fault(request: &ProviderRequest) {
    let is_listed = |other: &&ProviderRequest| other.name == request.name;
    assert_eq!(providers::ALL.into_iter().filter(is_listed).count(), 1);
    let runs = without_timeouts(providers::faults_at(request));
    let account = fault_point::LIST.account();
    let responder = Arc::new(account.responder());
    run::run_all(CONCURRENT_RUNS, &runs, |(fault, when)| {
        providers::run_fault(request, fault, *when, &account, &responder)
    });
}

/// Runs the program; returns its output and its duration.
fn run_timed(program: Program) -> (Outcome, Duration) {
    let begin = Instant::now();
    let outcome = program.run();
    (outcome, begin.elapsed())
}

/// Removes the time-outs, which are among the cases of `tests/bounds`.
fn without_timeouts(mut runs: Vec<(&'static Fault, When)>) -> Vec<(&'static Fault, When)> {
    runs.retain(|(fault, _)| !fault.is_timeout());
    assert!(runs.len() > 80, "{}", runs.len());
    runs
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

#[test]
fn role_faults_give_expected_result() {
    run_every_provider_fault(&providers::ROLE);
}

#[test]
fn web_identity_faults_give_expected_result() {
    run_every_provider_fault(&providers::WEB_IDENTITY);
}

#[test]
fn container_faults_give_expected_result() {
    run_every_provider_fault(&providers::CONTAINER);
}

#[test]
fn instance_token_faults_give_expected_result() {
    run_every_provider_fault(&providers::INSTANCE_SESSION);
}

#[test]
fn instance_role_faults_give_expected_result() {
    run_every_provider_fault(&providers::INSTANCE_ROLE);
}

#[test]
fn instance_credentials_faults_give_expected_result() {
    run_every_provider_fault(&providers::INSTANCE_CREDENTIALS);
}

#[test]
fn sso_credentials_faults_give_expected_result() {
    run_every_provider_fault(&providers::SSO_CREDENTIALS);
}

#[test]
fn sso_refresh_faults_give_expected_result() {
    run_every_provider_fault(&providers::SSO_REFRESH);
}

#[test]
fn sso_early_refresh_faults_give_expected_result() {
    run_every_provider_fault(&providers::SSO_EARLY_REFRESH);
}
