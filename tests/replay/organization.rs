//! The recorded run of many accounts: its screen and all its files.

use std::collections::BTreeMap;
use std::fs;

use crate::harness::Threads;
use crate::outcome::Outcome;
use crate::recordings::{ORGANIZATION, assert_same_text, read_tree, text};

/// The file from which an interrupted run continues; its other content is in the other files.
const RUN_FILE: &str = "_combined_run_";

/// Returns the files but for the run file.
fn files(outcome: &Outcome) -> BTreeMap<String, Vec<u8>> {
    let mut files = outcome.files.clone();
    files.retain(|name, _| !name.contains(RUN_FILE));
    files
}

#[test]
fn organization_matches_expected_files() {
    let outcome = ORGANIZATION.replay(Threads::One);
    let directory = ORGANIZATION.path().join("expected");
    let screen = ORGANIZATION.path().join("expected_stdout.txt");
    let found = files(&outcome);
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        for (name, bytes) in &found {
            fs::write(directory.join(name), bytes).unwrap();
        }
        fs::write(&screen, &outcome.stdout).unwrap();
    }
    let mut expected = read_tree(&directory);
    assert!(found.keys().eq(expected.keys()), "{:?}", found.keys());
    for (name, bytes) in &found {
        assert_same_text(name, Some(&text(bytes)), expected.remove(name));
    }
    let screen = ORGANIZATION.expected("expected_stdout.txt");
    assert_same_text("stdout", Some(&outcome.stdout), screen);
    assert_eq!(outcome.exit_code, ORGANIZATION.exit_code);
    assert_eq!(outcome.left_over, [""; 0], "responses without a request");
    assert_eq!(outcome.unrecorded_requests(), [""; 0]);
    for status in [
        "complete",
        "partial",
        "access_denied",
        "not_active",
        "wrong_account",
    ] {
        let accounts = &found["aws_config_combined_accounts_o-a1b2c3d4e5.csv"];
        assert!(text(accounts).contains(&format!(",{status},")), "{status}");
    }
    for shown in [outcome.stdout, outcome.stderr, outcome.trace] {
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}

#[test]
fn organization_replayed_concurrently_is_identical() {
    let first = ORGANIZATION.replay(Threads::One);
    for threads in [Threads::One, Threads::Many, Threads::Many] {
        let again = ORGANIZATION.replay(threads);
        assert_eq!(files(&again), files(&first));
        assert_eq!(again.left_over, [""; 0]);
    }
}

#[test]
fn organization_recorded_again_replays_the_same() {
    let first = ORGANIZATION.replay(Threads::One);
    let directory = tempfile::tempdir().unwrap();
    let recording = ORGANIZATION.recording();
    ORGANIZATION.replay_from(recording.path(), Threads::One, Some(directory.path()));
    let again = ORGANIZATION.replay_from(directory.path(), Threads::One, None);
    assert_eq!(files(&again), files(&first));
    assert_eq!(again.left_over, [""; 0]);
}
