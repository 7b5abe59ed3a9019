//! The output of each case against its expected files.

use std::collections::BTreeMap;
use std::fs;

use crate::harness::Threads;
use crate::outcome::{FILES, Outcome};
use crate::recordings::{CASES, Case, assert_same_text, read_tree, text};
use crate::table;

/// The only recording without a response to one of its requests.
const INCOMPLETE_RECORDING: &str = "scan/response_not_recorded";

#[test]
fn replay_output_matches_expected_files() {
    table::check_rows(CASES, check_output);
}

/// Compares everything a user sees with the expected files; checks that nothing else happened.
fn check_output(case: &Case) {
    let outcome = case.replay(Threads::One);
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        case.write_expected(&outcome);
    }
    let errors = outcome.file("_errors.txt");
    for (suffix, expected) in FILES {
        let written = outcome.file(suffix);
        assert_same_text(expected, written.as_deref(), case.expected(expected));
    }
    if let Some(expected) = case.expected("expected_stdout.txt") {
        assert_same_text("stdout", Some(&outcome.stdout), Some(expected));
    }
    assert_eq!(outcome.exit_code, case.exit_code, "exit code");

    assert_eq!(
        outcome.printed_errors(),
        errors.unwrap_or_default(),
        "stderr and the error log have the same errors"
    );
    assert_eq!(
        outcome.left_over, [""; 0],
        "recorded responses without a request"
    );
    let unrecorded = outcome.unrecorded_requests();
    let is_incomplete = case.name == INCOMPLETE_RECORDING;
    assert_eq!(
        !unrecorded.is_empty(),
        is_incomplete,
        "requests without a recorded response: {unrecorded:#?}"
    );
    for name in outcome.files.keys() {
        assert!(
            outcome.stdout.contains(&format!("out/{name}\n")),
            "stdout does not name {name}"
        );
    }
    let secrets = secrets(case);
    let files = outcome.files.values().map(|bytes| text(bytes));
    for shown in [&outcome.stdout, &outcome.stderr, &outcome.trace]
        .into_iter()
        .cloned()
        .chain(files)
    {
        for secret in &secrets {
            assert!(!shown.contains(secret), "a secret is shown: {shown}");
        }
    }
}

impl Case {
    fn write_expected(&self, outcome: &Outcome) {
        let stdout = self
            .expected("expected_stdout.txt")
            .map(|_| outcome.stdout.clone());
        let files = FILES.map(|(suffix, expected)| (expected, outcome.file(suffix)));
        for (name, content) in files.into_iter().chain([("expected_stdout.txt", stdout)]) {
            let path = self.path().join(name);
            match content {
                Some(content) => fs::write(path, content).unwrap(),
                None if path.exists() => fs::remove_file(path).unwrap(),
                None => {}
            }
        }
    }
}

/// Returns the access keys and tokens of a case.
fn secrets(case: &Case) -> Vec<String> {
    let recording = read_tree(case.recording().path());
    let env: BTreeMap<String, String> = serde_json::from_slice(&recording["env.json"]).unwrap();
    let mut secrets: Vec<String> = env
        .into_iter()
        .filter(|(name, _)| name.contains("ACCESS_KEY") || name.contains("TOKEN"))
        .map(|(_, value)| value)
        .collect();
    for file in ["home/.aws/config", "home/.aws/credentials"] {
        let text = recording
            .get(file)
            .map(|bytes| text(bytes))
            .unwrap_or_default();
        let keys = text.lines().filter_map(|line| line.split_once(" = "));
        let keys = keys.filter(|(name, _)| name.contains("access_key"));
        secrets.extend(keys.map(|(_, value)| value.to_owned()));
    }
    secrets
}
