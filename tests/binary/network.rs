//! Connections that fail.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Call, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, without_cell, without_region};

/// A fault's name, and the fault.
type Fault = (&'static str, fn(&Call) -> Reply);

/// A page with one VPC.
fn page() -> Reply {
    Reply::json_bytes(*br#"{"resourceIdentifiers":[{"resourceType":"AWS::EC2::VPC"}]}"#)
}

/// Answers the `n`th request (from 1) that lists VPCs in eu-west-1 by `fault`, if it has an answer.
fn for_one_cell(
    fault: impl Fn(usize, &Call) -> Option<Reply> + Send + Sync + 'static,
) -> impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static {
    let asked = AtomicUsize::new(0);
    move |call| {
        call.lists(VPC, "eu-west-1")
            .then(|| asked.fetch_add(1, Ordering::SeqCst) + 1)
            .and_then(|n| fault(n, call))
    }
}

#[test]
fn a_fault_that_happens_once_leaves_no_trace() {
    let faults: [Fault; 7] = [
        ("a reset", |_| Reply::reset()),
        ("no answer", |_| Reply::close()),
        ("half a status line", |_| Reply::bytes(*b"HTTP/1.")),
        ("half a body", |_| page().half()),
        ("a length too great", |_| page().declared(1000)),
        ("a length too small", |_| page().declared(40)),
        ("a bad gateway", |call| Reply::error(call, 502, "", "")),
    ];
    let account = account();
    for (name, fault) in faults {
        let server = account.serve_but(for_one_cell(move |n, call| (n == 1).then(|| fault(call))));
        let run = Program::new(&server).args(TYPES).run();
        assert_eq!(run.code, Some(0), "{name}: {}", run.told());
        assert_eq!(run.csv(), account.csv(), "{name}");
        assert_eq!(run.errors(), "", "{name}");
        assert_eq!(server.count(|c| c.lists(VPC, "eu-west-1")), 2, "{name}");
    }
}

#[test]
fn a_fault_that_stays_gives_the_region_up_and_no_other() {
    let faults: [Fault; 4] = [
        ("resets", |_| Reply::reset()),
        ("no answers", |_| Reply::close()),
        ("half bodies", |_| page().half()),
        ("lengths too great", |_| page().declared(1000)),
    ];
    let account = account();
    for (name, fault) in faults {
        let server = account.serve_but(for_one_cell(move |_, call| Some(fault(call))));
        let run = Program::new(&server)
            .args(TYPES)
            .args(["--max-attempts", "2", "--region-concurrency", "1"])
            .run();
        assert_eq!(run.code, Some(0), "{name}: {}", run.told());
        assert_eq!(
            run.csv(),
            without_region(&account.csv(), "eu-west-1"),
            "{name}"
        );
        assert_eq!(server.count(|c| c.lists(VPC, "eu-west-1")), 2, "{name}");
        assert_eq!(server.count(|c| c.lists(BUCKET, "eu-west-1")), 0, "{name}");
        let errors = run.errors();
        let lines: Vec<_> = errors.lines().collect();
        assert_eq!(lines.len(), 2, "{name}: {errors}");
        assert!(
            lines[0].contains("[CONNECTION] Region: eu-west-1, "),
            "{name}: {errors}"
        );
        assert!(lines[0].contains(&server.host()), "{name}: {errors}");
        assert!(
            lines[1].contains("[SCAN_FAILED] Region: eu-west-1, "),
            "{name}: {errors}"
        );
    }
}

#[test]
fn a_server_that_stalls_costs_the_read_timeout_and_its_region() {
    let account = account();
    let server = account.serve_but(for_one_cell(|_, _| Some(Reply::stall())));
    let start = Instant::now();
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--read-timeout", "1", "--max-attempts", "1"])
        .run();
    let took = start.elapsed();
    assert_eq!(run.code, Some(0), "{}", run.told());
    // What was listed beside it is whole.
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    assert!(
        took >= Duration::from_secs(1) && took < Duration::from_secs(10),
        "{took:?}"
    );
    let errors = run.errors();
    assert!(
        errors.contains("[CONNECTION] Region: eu-west-1, Resource: AWS::EC2::VPC, "),
        "{errors}"
    );
    assert!(
        errors.contains("[SCAN_FAILED] Region: eu-west-1, "),
        "{errors}"
    );
    let coverage = "\n  Coverage: 3 of 4 cells (regions × types) counted; 1 missing in 1 region:\n\
                    \x20   1 connection failed in eu-west-1 (AWS::EC2::VPC): ";
    assert!(run.stdout.contains(coverage), "{}", run.told());
    assert!(!run.stdout.contains("not tried"), "{}", run.told());
}

#[test]
fn connections_that_the_server_closes_when_idle_are_opened_anew() {
    let account = account();
    let answers = account.answers();
    // Every answer promises to keep the connection, and closes it.
    let all = move |call: &Call| Some(answers.answer(call).then_close());
    let server = account.serve_but(all);
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(
        (run.code, run.errors()),
        (Some(0), String::new()),
        "{}",
        run.told()
    );
    assert_eq!(run.csv(), account.csv());
    // Three checks, a listing and five more, a recorder's status and three more calls.
    assert!(server.connections() >= 13, "{}", server.connections());
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::new(|_| page());
    let account = account();
    for status in [301, 302, 303, 307, 308] {
        let url = elsewhere.url();
        let server = account.serve_but(for_one_cell(move |_, _| {
            Some(Reply::answer(status, "text/html", Vec::new()).header("location", url.clone()))
        }));
        let run = Program::new(&server).args(TYPES).run();
        assert_eq!(run.code, Some(0), "{status}: {}", run.told());
        assert_eq!(
            run.csv(),
            without_cell(&account.csv(), "eu-west-1", VPC),
            "{status}"
        );
        assert!(run.errors().contains(&status.to_string()), "{}", run.told());
        assert_eq!(server.count(|c| c.lists(VPC, "eu-west-1")), 1, "{status}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let account = account();
    let server = account.serve_but(for_one_cell(|_, _| {
        // A page in every way but its size.
        let mut body = br#"{"resourceIdentifiers":[]}"#.to_vec();
        body.resize(20 * 1024 * 1024, b' ');
        Some(Reply::json_bytes(body))
    }));
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    let errors = run.errors();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        errors.contains("[UNEXPECTED] Region: eu-west-1, Resource: AWS::EC2::VPC, "),
        "{errors}"
    );
    assert_eq!(server.count(|c| c.lists(VPC, "eu-west-1")), 1);
}

#[test]
fn a_server_that_is_not_there_fails_the_checks() {
    let gone = Server::new(|_| Reply::close());
    let program = Program::new(&gone).args(["--max-attempts", "1"]);
    let host = gone.host();
    drop(gone);
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_eq!(run.stdout.matches('✗').count(), 5, "{}", run.told());
    assert!(run.errors().contains(&host), "{}", run.told());
}
