use std::collections::BTreeSet;

use tempfile::TempDir;
use time::macros::datetime;

use super::*;
use crate::http::cassette::Cassette;

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

/// A recording with these cassettes.
fn recording(cassettes: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(FOLDER)).unwrap();
    for (name, text) in cassettes {
        fs::write(folder.path().join(FOLDER).join(name), text).unwrap();
    }
    folder
}

/// A cassette of interactions with bodies of `asked` and `told`.
fn cassette(exchanges: &[(&str, &str)]) -> String {
    let interaction = |(asked, told): &(&str, &str)| {
        serde_json::json!({
            "request": {"method": "POST", "uri": "https://a.example/", "body": asked},
            "response": {"status": 200, "body": told}
        })
    };
    let interactions: Vec<_> = exchanges.iter().map(interaction).collect();
    serde_json::json!({"interactions": interactions}).to_string()
}

fn request(body: &str) -> Request {
    Request {
        method: "POST",
        uri: "https://a.example/".to_owned(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        scope: None,
        budget: std::time::Duration::from_secs(1),
    }
}

fn told(replay: &Replay, body: &str) -> String {
    let response = replay.send(&request(body)).unwrap();
    String::from_utf8(response.body).unwrap()
}

fn refused(folder: &TempDir) -> String {
    Replay::open(folder.path(), NOW).err().unwrap().to_string()
}

#[test]
fn first_in_first_out_for_each_request() {
    let folder = recording(&[
        ("b.json", &cassette(&[("x", "3")])),
        ("a.json", &cassette(&[("x", "1"), ("y", "one"), ("x", "2")])),
    ]);
    let replay = Replay::open(folder.path(), NOW).unwrap();
    assert_eq!(told(&replay, "x"), "1");
    assert_eq!(told(&replay, "x"), "2");
    assert_eq!(told(&replay, "y"), "one");
    assert_eq!(told(&replay, "x"), "3", "files by their names");
}

#[test]
fn what_takes_part_in_matching() {
    let recorded = r#"{"interactions": [{
        "request": {"method": "POST", "uri": "https://a.example/", "scope": "config/eu-west-1",
            "headers": {"x-amz-target": "T", "content-type": "recorded"}, "body": {"b": 1, "a": 2}},
        "response": {"status": 200}}]}"#;
    let folder = recording(&[("a.json", recorded)]);
    let same = || Request {
        headers: vec![
            ("content-type", "another".to_owned()),
            ("x-amz-target", "T".to_owned()),
            (
                "authorization",
                "AWS4 Credential=A/b, Signature=c".to_owned(),
            ),
            ("x-amz-date", "20261124T120000Z".to_owned()),
            ("x-amz-security-token", "t".to_owned()),
        ],
        scope: Some("config/eu-west-1".to_owned()),
        ..request(r#"{"a":2,"b":1}"#)
    };
    let answers = |request: Request| {
        let replay = Replay::open(folder.path(), NOW).unwrap();
        replay.send(&request).is_ok()
    };
    assert!(answers(same()));
    let other = |change: &dyn Fn(&mut Request)| {
        let mut request = same();
        change(&mut request);
        answers(request)
    };
    assert!(!other(&|r| r.method = "GET"));
    assert!(!other(&|r| r.uri.push('x')));
    assert!(!other(&|r| r.scope = None));
    assert!(!other(&|r| r.headers.clear()));
    assert!(!other(&|r| r.body.clear()));
}

#[test]
fn what_is_left_over_is_named() {
    let folder = recording(&[("a.json", &cassette(&[("x", "1"), ("y", "2"), ("y", "3")]))]);
    let replay = Replay::open(folder.path(), NOW).unwrap();
    assert_eq!(
        replay.left_over(),
        [
            "1 × POST https://a.example/ \"x\"",
            "2 × POST https://a.example/ \"y\""
        ]
    );
    told(&replay, "x");
    told(&replay, "y");
    assert_eq!(replay.left_over(), ["1 × POST https://a.example/ \"y\""]);
    told(&replay, "y");
    assert_eq!(replay.left_over(), [""; 0]);
}

#[test]
fn an_answer_that_is_missing_names_the_request() {
    let folder = recording(&[("a.json", &cassette(&[("x", "1")]))]);
    let replay = Replay::open(folder.path(), NOW).unwrap();
    told(&replay, "x");
    for body in ["x", "z\u{1b}[2J"] {
        let error = replay.send(&request(body)).unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::NotRecorded);
        let start = "the recording has no answer left to POST https://a.example/ \"";
        assert!(error.message.starts_with(start), "{error}");
        assert!(!error.message.contains('\u{1b}'));
    }
}

#[test]
fn a_folder_without_a_recording_is_named() {
    let nothing = tempfile::tempdir().unwrap();
    let path = nothing.path().join(FOLDER);
    assert!(refused(&nothing).starts_with(&path.display().to_string()));
    let empty = recording(&[("readme.txt", "")]);
    let path = empty.path().join(FOLDER);
    let expected = format!("{}: holds no recording", path.display());
    assert_eq!(refused(&empty), expected);
}

#[test]
fn a_cassette_that_cannot_be_read_is_named() {
    let whole = r#"{"interactions": [{"request": {"method": "GET", "uri": "u"},
        "response": {"status": 200, "headers": {}}}]}"#;
    assert!(Replay::open(recording(&[("a.json", whole)]).path(), NOW).is_ok());
    for (from, to, why) in [
        ("{\"interactions\"", "{\"x\": 1, \"interactions\"", "`x`"),
        ("{\"request\"", "{\"x\": 1, \"request\"", "`x`"),
        ("{\"method\"", "{\"x\": 1, \"method\"", "`x`"),
        ("{\"status\"", "{\"x\": 1, \"status\"", "`x`"),
        ("\"method\": \"GET\", ", "", "`method`"),
        ("\"response\"", "\"error\"", "`status`"),
        ("[{", "[{,", "line 1"),
        (
            ",\n        \"response\": {\"status\": 200, \"headers\": {}}",
            "",
            "either a `response` or an `error`",
        ),
        (
            "}}]",
            "}, \"error\": {\"kind\": \"dns\", \"message\": \"m\"}}]",
            "either a `response` or an `error`",
        ),
        (
            "\"response\": {\"status\": 200, \"headers\": {}}",
            "\"error\": {\"kind\": \"odd\", \"message\": \"m\"}",
            "an error's kind is one of",
        ),
        ("\"headers\": {}", "\"body_file\": \"none.xml\"", "none.xml"),
        (
            "\"headers\": {}",
            "\"body_file\": \"../../etc/passwd\"",
            "its file lies elsewhere",
        ),
        (
            "\"headers\": {}",
            "\"body\": \"x\", \"body_file\": \"a.json\"",
            "a body is given twice",
        ),
    ] {
        let broken = whole.replace(from, to);
        assert_ne!(broken, whole, "{to}");
        let folder = recording(&[("good.json", whole), ("broken.json", &broken)]);
        let error = refused(&folder);
        let path = folder.path().join(FOLDER).join("broken.json");
        assert!(
            error.starts_with(&format!("{}: ", path.display())),
            "{error}"
        );
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn a_date_is_shifted_by_the_age_of_the_recording() {
    // AWS's clock was half an hour behind the machine's when this was recorded.
    let dated = |recorded_at: &str| {
        format!(
            r#"{{"interactions": [{{"request": {{"method": "POST", "uri": "https://a.example/"}},
            "response": {{"status": 403, "headers": {{"date": "Tue, 24 Nov 2026 11:30:00 GMT"}}}}
            {recorded_at}}}]}}"#
        )
    };
    let at = r#", "recorded_at": "Tue, 24 Nov 2026 12:00:00 +0000""#;
    for (recorded_at, now, date) in [
        (at, NOW, "Tue, 24 Nov 2026 11:30:00 GMT"),
        (
            at,
            datetime!(2030-01-01 00:10:00 UTC),
            "Mon, 31 Dec 2029 23:40:00 GMT",
        ),
        (
            at,
            datetime!(2026-01-01 01:00:00 +01:00),
            "Wed, 31 Dec 2025 23:30:00 GMT",
        ),
        (
            "",
            datetime!(2030-01-01 00:10:00 UTC),
            "Tue, 24 Nov 2026 11:30:00 GMT",
        ),
    ] {
        let folder = recording(&[("a.json", &dated(recorded_at))]);
        let replay = Replay::open(folder.path(), now).unwrap();
        let response = replay.send(&request("")).unwrap();
        assert_eq!(response.header("Date"), Some(date), "{now} {recorded_at}");
    }
}

#[test]
fn a_date_that_cannot_be_shifted_stays() {
    for date in ["Fri, 31 Dec 9999 23:00:00 GMT", "yesterday"] {
        let text = format!(
            r#"{{"interactions": [{{"request": {{"method": "POST", "uri": "https://a.example/"}},
            "response": {{"status": 403, "headers": {{"date": "{date}"}}}},
            "recorded_at": "Mon, 01 Jan 1900 00:00:00 +0000"}}]}}"#
        );
        let folder = recording(&[("a.json", &text)]);
        let replay = Replay::open(folder.path(), NOW).unwrap();
        let response = replay.send(&request("")).unwrap();
        assert_eq!(response.header("Date"), Some(date));
    }
}

#[test]
fn threads_get_every_answer_once() {
    let numbers: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let exchanges: Vec<_> = numbers.iter().map(|n| ("x", n.as_str())).collect();
    let folder = recording(&[("a.json", &cassette(&exchanges))]);
    let replay = Replay::open(folder.path(), NOW).unwrap();
    let all: BTreeSet<String> = std::thread::scope(|scope| {
        let half = || (0..100).map(|_| told(&replay, "x")).collect::<Vec<_>>();
        let threads = [scope.spawn(half), scope.spawn(half)];
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(all.len(), 200);
}

#[test]
fn a_cassette_keeps_its_vocabulary() {
    let text = cassette(&[("x", "1")]);
    let read: Cassette = serde_json::from_str(&text).unwrap();
    let written = serde_json::to_value(&read).unwrap();
    let original: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written, original);
}
