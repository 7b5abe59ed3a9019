//! Repeated, concurrent and recorded replays against the first one.

use crate::harness::Threads;
use crate::outcome::Outcome;
use crate::recordings::{CASES, Case, assert_same_text, read_tree, text};
use crate::table;

#[test]
fn demo_replayed_twenty_times_is_identical() {
    let demo = Case::named("demo");
    let first = demo.replay(Threads::One);
    for _ in 0..20 {
        let again = demo.replay(Threads::One);
        assert_eq!(again.files, first.files);
        assert_eq!(
            (again.stdout, again.stderr),
            (first.stdout.clone(), first.stderr.clone())
        );
    }
}

#[test]
fn concurrent_replay_matches_sequential_replay() {
    table::check_rows(CASES, |case| {
        // If the run stops early, the counts before it depend on the order.
        if case.exit_code == 1 {
            return;
        }
        let one = case.replay(Threads::One);
        for _ in 0..3 {
            let many = case.replay(Threads::Many);
            assert_eq!(many.exit_code, one.exit_code);
            assert_eq!(many.tables(), one.tables());
            assert_eq!(many.log_messages(), one.log_messages());
            assert_eq!(many.left_over, [""; 0]);
        }
    });
}

/// Records a replay of the case.
fn record(case: &Case) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let recording = case.recording();
    case.replay_from(recording.path(), Threads::One, Some(directory.path()));
    directory
}

#[test]
fn demo_recorded_again_is_identical() {
    let demo = Case::named("demo");
    let mut before = read_tree(&demo.path());
    before.retain(|name, _| name != "case.md" && !name.starts_with("expected"));
    let again = read_tree(record(demo).path());
    assert!(again.keys().eq(before.keys()), "{:?}", again.keys());
    for (name, bytes) in again {
        assert_same_text(&name, Some(&text(&bytes)), before.remove(&name));
    }
}

#[test]
fn recorded_replay_matches_original() {
    table::check_rows(CASES, |case| {
        let first = case.replay(Threads::One);
        let is_service_request =
            |line: &str| line.contains(" attempt 1 of ") && line.contains(" (request id ");
        if !first.trace.lines().any(is_service_request) {
            // A recording contains only requests to AWS services, so there is nothing to replay.
            return;
        }
        let recording = record(case);
        let again = case.replay_from(recording.path(), Threads::One, None);
        // The recorder redacts keys in responses differently. Times differ because the recording has
        // fewer attempts than the replay makes.
        let comparable = |o: &Outcome| {
            let messages = o.log_messages().join("\n").replace("REDACTED", "****MPLE");
            let tables = o
                .tables()
                .map(|t| t.map(|t| t.replace("REDACTED", "****MPLE")));
            (o.exit_code, tables, messages)
        };
        assert_eq!(comparable(&again), comparable(&first));
        assert_eq!(again.left_over, [""; 0]);
    });
}
