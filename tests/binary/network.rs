//! Tests of connections that fail.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Call, Latch, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, without_cell, without_region};

/// The name of a fault, and its reply.
type Fault = (&'static str, fn(&Call) -> Reply);

/// Returns a page with one VPC.
fn page() -> Reply {
    Reply::json_bytes(*br#"{"resourceIdentifiers":[{"resourceType":"AWS::EC2::VPC"}]}"#)
}

/// Replies to the `n`th request that lists VPCs in eu-west-1 with `fault(n)`, if it has a reply;
/// `n` is from 1.
fn for_one_count(
    fault: impl Fn(usize, &Call) -> Option<Reply> + Send + Sync + 'static,
) -> impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static {
    let requests = AtomicUsize::new(0);
    move |call| {
        call.lists(VPC, "eu-west-1")
            .then(|| requests.fetch_add(1, Ordering::SeqCst) + 1)
            .and_then(|n| fault(n, call))
    }
}

#[test]
fn single_fault_is_retried() {
    let faults: [Fault; 7] = [
        ("a reset", |_| Reply::reset()),
        ("no response", |_| Reply::close()),
        ("half a status line", |_| Reply::bytes(*b"HTTP/1.")),
        ("half a body", |_| page().truncated()),
        ("a length too great", |_| page().with_content_length(1000)),
        ("a length too small", |_| page().with_content_length(40)),
        ("a bad gateway", |call| Reply::error(call, 502, "", "")),
    ];
    let account = account();
    for (name, fault) in faults {
        let server =
            account.serve_with(for_one_count(move |n, call| (n == 1).then(|| fault(call))));
        let run = Program::new(&server).args(TYPES).run_without_waits();
        assert_eq!(run.code, Some(0), "{name}: {}", run.describe());
        assert_eq!(run.csv(), account.csv(), "{name}");
        assert_eq!(run.errors(), "", "{name}");
        assert_eq!(server.count(|c| c.lists(VPC, "eu-west-1")), 2, "{name}");
    }
}

#[test]
fn repeated_fault_skips_only_its_region() {
    let faults: [Fault; 4] = [
        ("resets", |_| Reply::reset()),
        ("no responses", |_| Reply::close()),
        ("half bodies", |_| page().truncated()),
        ("lengths too great", |_| page().with_content_length(1000)),
    ];
    let account = account();
    for (name, fault) in faults {
        let server = account.serve_with(for_one_count(move |_, call| Some(fault(call))));
        let run = Program::new(&server)
            .args(TYPES)
            .args(["--max-attempts", "2", "--region-concurrency", "1"])
            .run_without_waits();
        assert_eq!(run.code, Some(0), "{name}: {}", run.describe());
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
fn lost_connection_leaves_other_types_complete() {
    let account = account();
    // The connection is lost when the other type is being listed.
    let other_type = Latch::default();
    let server = account.serve_with(move |call| {
        if call.lists(BUCKET, "eu-west-1") {
            other_type.open();
        }
        call.lists(VPC, "eu-west-1").then(|| {
            other_type.wait();
            Reply::reset()
        })
    });
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--max-attempts", "1"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    // The other type, listed concurrently, is complete.
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    let errors = run.errors();
    assert!(
        errors.contains("[CONNECTION] Region: eu-west-1, Resource: AWS::EC2::VPC, "),
        "{errors}"
    );
    assert!(
        errors.contains("[SCAN_FAILED] Region: eu-west-1, "),
        "{errors}"
    );
    let coverage = "\n  eu-west-1   AWS::EC2::VPC   connection failed   check the network, ";
    assert!(run.stdout.contains(coverage), "{}", run.describe());
    assert!(!run.stdout.contains("not tried"), "{}", run.describe());
}

#[test]
fn idle_connections_closed_by_server_are_reopened() {
    let account = account();
    let responder = account.responder();
    // No response announces that the connection is closed.
    let reply = move |call: &Call| Some(responder.respond(call).then_close());
    let server = account.serve_with(reply);
    let run = Program::new(&server).args(TYPES).run();
    run.assert_no_errors();
    assert_eq!(run.csv(), account.csv());
    // Three checks, six listings, and four calls about recorders.
    assert!(server.connections() >= 13, "{}", server.connections());
}

#[test]
fn redirect_is_not_followed() {
    let elsewhere = Server::new(|_| page());
    let account = account();
    for status in [301, 302, 303, 307, 308] {
        let url = elsewhere.url();
        let server = account.serve_with(for_one_count(move |_, _| {
            Some(Reply::response(status, "text/html", Vec::new()).header("location", url.clone()))
        }));
        let run = Program::new(&server).args(TYPES).run();
        assert_eq!(run.code, Some(0), "{status}: {}", run.describe());
        assert_eq!(
            run.csv(),
            without_cell(&account.csv(), "eu-west-1", VPC),
            "{status}"
        );
        assert!(
            run.errors().contains(&status.to_string()),
            "{}",
            run.describe()
        );
        assert_eq!(server.count(|c| c.lists(VPC, "eu-west-1")), 1, "{status}");
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn body_above_limit_is_refused() {
    let account = account();
    let server = account.serve_with(for_one_count(|_, _| {
        // A valid page except for its size.
        let mut body = br#"{"resourceIdentifiers":[]}"#.to_vec();
        body.resize(20 * 1024 * 1024, b' ');
        Some(Reply::json_bytes(body))
    }));
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
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
fn unreachable_server_fails_the_checks() {
    let server = Server::new(|_| Reply::close());
    let program = Program::new(&server).args(["--max-attempts", "1"]);
    let host = server.host();
    drop(server);
    let run = program.run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(run.stdout.matches('✗').count(), 5, "{}", run.describe());
    assert!(run.errors().contains(&host), "{}", run.describe());
}
