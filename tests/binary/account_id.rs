//! Tests of an account ID that begins with 0: it is text, and keeps the 0 everywhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Outcome, Program};
use crate::{TYPES, account};

const ID: &str = "012345678901";

/// Returns the output files of a run, by name.
fn output_files(run: &Outcome) -> BTreeMap<String, String> {
    let entries = fs::read_dir(run.directory().join("out")).unwrap();
    let files = entries.map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    files.collect()
}

/// Returns the account in a run's report.
fn reported_account(run: &Outcome) -> Value {
    let text = fs::read_to_string(run.directory().join("current/report.json")).unwrap();
    let report: Value = serde_json::from_str(&text).unwrap();
    report["account"].clone()
}

fn assert_keeps_zero(run: &Outcome, alias: &str) {
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let files = output_files(run);
    assert_eq!(files.len(), 2, "{:?}", files.keys());
    for (name, text) in &files {
        assert!(name.contains(&format!("_{ID}_{alias}")), "{name}");
        let rows: Vec<_> = text.lines().skip(1).collect();
        assert!(rows.len() >= 4, "{name}: {text}");
        for row in rows {
            assert!(row.starts_with(&format!("{ID},{alias},")), "{name}: {row}");
        }
    }
    let shown = format!("Scanning AWS account: {ID} ({alias})\n");
    assert!(run.stdout.contains(&shown), "{}", run.describe());
    let reported = reported_account(run);
    assert_eq!(reported["id"], ID, "a string, not a number: {reported}");
}

fn replay(recording: &Path) -> Outcome {
    Program::without_server()
        .args(TYPES)
        .args([
            "--coverage",
            "--report",
            "report.json",
            "--output-dir",
            "../out",
        ])
        .arg("--replay")
        .arg(recording)
        .run()
}

#[test]
fn leading_zero_of_account_id_is_kept() {
    let server = account().serve();
    for arguments in [&[][..], &["--record-account-id", ID]] {
        let live = Program::new(&server)
            .args(TYPES)
            .args([
                "--coverage",
                "--report",
                "report.json",
                "--record",
                "recording",
            ])
            .args(arguments)
            .run();
        assert_keeps_zero(&live, "acme-prod");
        let recording = live.directory().join("current/recording");
        let replayed = replay(&recording);
        if arguments.is_empty() {
            // The recording has a stand-in for the account.
            assert_eq!(replayed.code, Some(0), "{}", replayed.describe());
            continue;
        }
        assert_keeps_zero(&replayed, "acme-prod");
        assert_eq!(output_files(&replayed), output_files(&live));
    }
}
