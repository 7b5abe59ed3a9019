//! The recorded runs of many accounts: their screens and all their files.

use std::collections::BTreeMap;
use std::fs;

use crate::harness::Threads;
use crate::outcome::{Outcome, TIMESTAMP_LEN};
use crate::recordings::{Case, MANY_ACCOUNTS, ORGANIZATION, assert_same_text, read_tree, text};

/// The file from which an interrupted run continues; its other content is in the other files.
const RUN_FILE: &str = "_combined_run_";

/// The time of the start.
const START: &str = "[2026-11-24T12:00:00.000Z]";

/// Returns the files but for the run file. The times of errors depend on the thread that waits for the portal, so all are
/// that of the start.
fn files(outcome: &Outcome) -> BTreeMap<String, String> {
    let files = outcome.files.iter();
    let files = files.filter(|(name, _)| !name.contains(RUN_FILE));
    let at_start = |line: &str| match line.get(TIMESTAMP_LEN..) {
        Some(rest) if line.starts_with("[2026-11-24T12:") => format!("{START}{rest}"),
        _ => line.to_owned(),
    };
    files
        .map(|(name, bytes)| {
            let text = text(bytes);
            (
                name.clone(),
                text.split_inclusive('\n').map(at_start).collect(),
            )
        })
        .collect()
}

/// Returns the cases that end, so that nothing depends on the order of requests.
fn finished() -> impl Iterator<Item = &'static Case> {
    MANY_ACCOUNTS.iter().filter(|case| case.exit_code != 1)
}

fn write_expected(case: &Case, outcome: &Outcome) {
    let directory = case.path().join("expected");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir(&directory).unwrap();
    for (name, text) in files(outcome) {
        fs::write(directory.join(name), text).unwrap();
    }
    if case.expected("expected_stdout.txt").is_some() {
        fs::write(case.path().join("expected_stdout.txt"), &outcome.stdout).unwrap();
    }
}

#[test]
fn runs_of_many_accounts_match_expected_files() {
    for case in MANY_ACCOUNTS {
        let outcome = case.replay(Threads::One);
        if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
            write_expected(case, &outcome);
        }
        let case_name = case.name;
        let (found, mut expected) = (files(&outcome), read_tree(&case.path().join("expected")));
        assert!(
            found.keys().eq(expected.keys()),
            "{case_name}: {:?}",
            found.keys()
        );
        for (name, found) in &found {
            let label = format!("{case_name}/{name}");
            assert_same_text(&label, Some(found), expected.remove(name));
        }
        if let Some(screen) = case.expected("expected_stdout.txt") {
            let label = format!("{case_name}: stdout");
            assert_same_text(&label, Some(&outcome.stdout), Some(screen));
        }
        assert_eq!(outcome.exit_code, case.exit_code, "{case_name}");
        assert_eq!(
            outcome.left_over, [""; 0],
            "{case_name}: responses without a request"
        );
        assert_eq!(outcome.unrecorded_requests(), [""; 0], "{case_name}");
        for shown in [outcome.stdout, outcome.stderr, outcome.trace] {
            assert!(!shown.contains('\u{1b}'), "{case_name}: {shown}");
        }
    }
}

#[test]
fn organization_has_accounts_of_each_status() {
    let directory = ORGANIZATION.path().join("expected");
    let accounts = "aws_config_combined_accounts_o-a1b2c3d4e5.csv";
    let accounts = fs::read_to_string(directory.join(accounts)).unwrap();
    for status in [
        "complete",
        "partial",
        "access_denied",
        "not_active",
        "wrong_account",
    ] {
        assert!(accounts.contains(&format!(",{status},")), "{status}");
    }
}

#[test]
fn many_accounts_replayed_concurrently_are_identical() {
    for case in finished() {
        let first = case.replay(Threads::One);
        for threads in [Threads::One, Threads::Many, Threads::Many] {
            let again = case.replay(threads);
            assert_eq!(files(&again), files(&first), "{}", case.name);
            assert_eq!(again.left_over, [""; 0], "{}", case.name);
        }
    }
}

#[test]
fn many_accounts_recorded_again_replay_the_same() {
    for case in finished() {
        let first = case.replay(Threads::One);
        let directory = tempfile::tempdir().unwrap();
        let recording = case.recording();
        case.replay_from(recording.path(), Threads::One, Some(directory.path()));
        let again = case.replay_from(directory.path(), Threads::One, None);
        assert_eq!(files(&again), files(&first), "{}", case.name);
        assert_eq!(again.left_over, [""; 0], "{}", case.name);
    }
}
