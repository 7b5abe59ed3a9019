//! The account that `--demo` replays from the program, compared with its recording in
//! `fixtures/demo`.

use super::support::{Outcome, Program};

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo");

fn demo(args: &[&str]) -> Outcome {
    Program::without_server().arg("--demo").args(args).run()
}

/// Returns a text without the time of each log line, and without what is replayed.
fn comparable(text: &str) -> String {
    let text = text
        .replace(RECORDING, "SOURCE")
        .replace("the built-in demo", "SOURCE");
    let without_time = |line: &str| match line.split_once("] [") {
        Some((time, rest)) if time.starts_with("[2") => format!("[TIME] [{rest}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(without_time).collect()
}

#[test]
fn demo_output_equals_replay_of_fixture() {
    for args in [
        &[][..],
        &["--strict", "--coverage"],
        &["--regions", "us-east-1,sa-east-1", "--skip-checks"],
        &["--resource-types", "AWS::S3::Bucket,AWS::IAM::Role"],
        &["--quiet", "--output-dir", "new"],
        &["--format", "table"],
    ] {
        let demo = demo(args);
        let replay = Program::without_server()
            .args(["--replay", RECORDING])
            .args(args)
            .run();
        assert_eq!(demo.code, replay.code, "{args:?}: {}", demo.describe());
        assert_eq!(comparable(&demo.stdout), comparable(&replay.stdout));
        assert_eq!(comparable(&demo.stderr), comparable(&replay.stderr));
        assert_eq!(demo.files(), replay.files());
        for file in demo.files() {
            let text =
                |run: &Outcome| std::fs::read_to_string(run.temporary.path().join(&file)).unwrap();
            assert_eq!(comparable(&text(&demo)), comparable(&text(&replay)));
        }
        let csv = demo.csv();
        assert!(csv.ends_with("\r\n") && csv.lines().count() > 5, "{csv}");
    }
}

#[test]
fn demo_writes_recorded_csv_to_current_directory() {
    let run = demo(&[]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let expected = std::fs::read_to_string(format!("{RECORDING}/expected.csv")).unwrap();
    assert_eq!(run.csv(), expected);
    let files: Vec<_> = run.files();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().all(|file| file.starts_with("current")));
}

/// A run without HOME, and with settings that would stop or redirect another run.
#[test]
fn demo_ignores_environment() {
    let mut run = Program::without_server().arg("--demo");
    for (name, value) in [
        ("HOME", ""),
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_PROFILE", "missing"),
        ("AWS_CONFIG_FILE", "/missing/config"),
        ("AWS_REGION", "eu-west-9"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_CA_BUNDLE", "/missing.pem"),
        ("HTTPS_PROXY", "not a URL"),
    ] {
        run = run.env(name, value);
    }
    let run = run.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(comparable(&run.stdout), comparable(&demo(&[]).stdout));
}

#[test]
fn report_names_demo() {
    let run = demo(&["--report", "-", "--quiet"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["flags"]["demo"], true);
    assert!(report["flags"]["replay"].is_null());
}
