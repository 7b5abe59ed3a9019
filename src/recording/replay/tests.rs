use std::collections::BTreeSet;
use std::fs;

use tempfile::TempDir;
use time::macros::datetime;

use super::*;
use crate::recording::INTERACTIONS_DIR;
use crate::recording::cassette::Cassette;

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

/// Creates a recording with these cassettes.
fn recording(cassettes: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join(INTERACTIONS_DIR)).unwrap();
    for (name, text) in cassettes {
        fs::write(dir.path().join(INTERACTIONS_DIR).join(name), text).unwrap();
    }
    dir
}

/// Returns a cassette of pairs of request body and response body.
fn cassette(exchanges: &[(&str, &str)]) -> String {
    let interaction = |(sent, received): &(&str, &str)| {
        serde_json::json!({
            "request": {"method": "POST", "uri": "https://a.example/", "body": sent},
            "response": {"status": 200, "body": received}
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
        private: crate::http::Private::default(),
    }
}

fn response_text(replay: &ReplayClient, body: &str) -> String {
    let response = replay.send(&request(body)).unwrap();
    String::from_utf8(response.body).unwrap()
}

fn open_error(dir: &TempDir) -> String {
    ReplayClient::open(dir.path(), NOW)
        .err()
        .unwrap()
        .to_string()
}

#[test]
fn responses_are_first_in_first_out() {
    let dir = recording(&[
        ("b.json", &cassette(&[("x", "3")])),
        ("a.json", &cassette(&[("x", "1"), ("y", "one"), ("x", "2")])),
    ]);
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    assert_eq!(response_text(&replay, "x"), "1");
    assert_eq!(response_text(&replay, "x"), "2");
    assert_eq!(response_text(&replay, "y"), "one");
    assert_eq!(response_text(&replay, "x"), "3", "files are sorted by name");
}

#[test]
fn matching_uses_method_uri_scope_target_body() {
    let recorded = r#"{"interactions": [{
        "request": {"method": "POST", "uri": "https://a.example/", "scope": "config/eu-west-1",
            "headers": {"x-amz-target": "T", "content-type": "recorded"}, "body": {"b": 1, "a": 2}},
        "response": {"status": 200}}]}"#;
    let dir = recording(&[("a.json", recorded)]);
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
    let is_matched = |request: Request| {
        let replay = ReplayClient::open(dir.path(), NOW).unwrap();
        replay.send(&request).is_ok()
    };
    assert!(is_matched(same()));
    let is_matched_after = |change: &dyn Fn(&mut Request)| {
        let mut request = same();
        change(&mut request);
        is_matched(request)
    };
    assert!(!is_matched_after(&|r| r.method = "GET"));
    assert!(!is_matched_after(&|r| r.uri.push('x')));
    assert!(!is_matched_after(&|r| r.scope = None));
    assert!(!is_matched_after(&|r| r.headers.clear()));
    assert!(!is_matched_after(&|r| r.body.clear()));
}

#[test]
fn unused_interactions_are_listed() {
    let dir = recording(&[("a.json", &cassette(&[("x", "1"), ("y", "2"), ("y", "3")]))]);
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    assert_eq!(
        replay.left_over(),
        [
            "1 × POST https://a.example/ \"x\"",
            "2 × POST https://a.example/ \"y\""
        ]
    );
    response_text(&replay, "x");
    response_text(&replay, "y");
    assert_eq!(replay.left_over(), ["1 × POST https://a.example/ \"y\""]);
    response_text(&replay, "y");
    assert_eq!(replay.left_over(), [""; 0]);
}

/// Returns a recording of two accounts whose roles have been assumed.
fn recording_of_two_accounts() -> TempDir {
    let role = |account: &str| {
        serde_json::json!({
            "request": {"method": "POST", "uri": "https://sts.example/",
                "body": format!("Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2Frole-1")},
            "response": {"status": 200, "body": format!("<AccessKeyId>REDACTED-{account}</AccessKeyId>")}
        })
    };
    let page = |account: Option<&str>, text: &str| {
        let mut request =
            serde_json::json!({"method": "POST", "uri": "https://a.example/", "body": "x"});
        if let Some(account) = account {
            request["account"] = account.into();
        }
        serde_json::json!({"request": request, "response": {"status": 200, "body": text}})
    };
    let interactions = serde_json::json!({"interactions": [
        role("100000000001"), role("100000000002"),
        page(Some("100000000002"), "two"), page(None, "caller"), page(Some("100000000001"), "one"),
    ]});
    recording(&[("a.json", &interactions.to_string())])
}

#[test]
fn each_account_gets_its_own_response() {
    let dir = recording_of_two_accounts();
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    let signed = |key: &str| {
        let credential = format!("AWS4-HMAC-SHA256 Credential={key}/20261124, Signature=y");
        Request {
            headers: vec![("authorization", credential)],
            ..request("x")
        }
    };
    // Another role, session and policy than those of the recording.
    let assume = |account: &str| Request {
        uri: "https://sts.example/".to_owned(),
        ..request(&format!(
            "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A{account}%3Arole%2FAudit&Policy=%7B%7D"
        ))
    };
    for account in ["100000000002", "100000000001"] {
        replay.send(&assume(account)).unwrap();
    }
    for (key, expected) in [
        ("REDACTED-100000000001", "one"),
        ("AKIAIOSFODNN7EXAMPLE", "caller"),
        ("REDACTED-100000000002", "two"),
    ] {
        assert_eq!(replay.send(&signed(key)).unwrap().body, expected.as_bytes());
        // The response of another account is not a replacement.
        let error = replay.send(&signed(key)).unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::NotRecorded);
    }
    assert_eq!(replay.left_over(), [""; 0]);
    let error = replay.send(&assume("100000000003")).unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::NotRecorded);
}

#[test]
fn missing_response_error_names_request() {
    let dir = recording(&[("a.json", &cassette(&[("x", "1")]))]);
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    response_text(&replay, "x");
    for body in ["x", "z\u{1b}[2J"] {
        let error = replay.send(&request(body)).unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::NotRecorded);
        let start = "the recording has no response left for POST https://a.example/ \"";
        assert!(error.message.starts_with(start), "{error}");
        assert!(!error.message.contains('\u{1b}'));
    }
}

#[test]
fn missing_recording_error_names_directory() {
    let missing = tempfile::tempdir().unwrap();
    let path = missing.path().join(INTERACTIONS_DIR);
    assert!(open_error(&missing).starts_with(&path.display().to_string()));
    let empty = recording(&[("readme.txt", "")]);
    let path = empty.path().join(INTERACTIONS_DIR);
    let expected = format!("{}: contains no cassettes", path.display());
    assert_eq!(open_error(&empty), expected);
}

#[test]
fn invalid_cassette_error_names_file() {
    let valid = r#"{"interactions": [{"request": {"method": "GET", "uri": "u"},
        "response": {"status": 200, "headers": {}}}]}"#;
    assert!(ReplayClient::open(recording(&[("a.json", valid)]).path(), NOW).is_ok());
    for (from, to, reason) in [
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
            "invalid error kind",
        ),
        (
            "\"headers\": {}",
            "\"body_file\": \"missing.xml\"",
            "missing.xml",
        ),
        (
            "\"headers\": {}",
            "\"body_file\": \"../../etc/passwd\"",
            "`body_file` is only a file name",
        ),
        (
            "\"headers\": {}",
            "\"body\": \"x\", \"body_file\": \"a.json\"",
            "`body` and `body_file` exclude each other",
        ),
    ] {
        let broken = valid.replace(from, to);
        assert_ne!(broken, valid, "{to}");
        let dir = recording(&[("good.json", valid), ("broken.json", &broken)]);
        let error = open_error(&dir);
        let path = dir.path().join(INTERACTIONS_DIR).join("broken.json");
        assert!(
            error.starts_with(&format!("{}: ", path.display())),
            "{error}"
        );
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn date_is_shifted_by_recording_age() {
    // At the time of recording, the clock of AWS was half an hour behind the local clock.
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
        let dir = recording(&[("a.json", &dated(recorded_at))]);
        let replay = ReplayClient::open(dir.path(), now).unwrap();
        let response = replay.send(&request("")).unwrap();
        assert_eq!(response.header("Date"), Some(date), "{now} {recorded_at}");
    }
}

#[test]
fn unshiftable_date_is_unchanged() {
    for date in ["Fri, 31 Dec 9999 23:00:00 GMT", "yesterday"] {
        let text = format!(
            r#"{{"interactions": [{{"request": {{"method": "POST", "uri": "https://a.example/"}},
            "response": {{"status": 403, "headers": {{"date": "{date}"}}}},
            "recorded_at": "Mon, 01 Jan 1900 00:00:00 +0000"}}]}}"#
        );
        let dir = recording(&[("a.json", &text)]);
        let replay = ReplayClient::open(dir.path(), NOW).unwrap();
        let response = replay.send(&request("")).unwrap();
        assert_eq!(response.header("Date"), Some(date));
    }
}

#[test]
fn concurrent_threads_get_each_response_once() {
    let numbers: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let exchanges: Vec<_> = numbers.iter().map(|n| ("x", n.as_str())).collect();
    let dir = recording(&[("a.json", &cassette(&exchanges))]);
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    let all: BTreeSet<String> = std::thread::scope(|scope| {
        let half = || {
            (0..100)
                .map(|_| response_text(&replay, "x"))
                .collect::<Vec<_>>()
        };
        let threads = [scope.spawn(half), scope.spawn(half)];
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(all.len(), 200);
}

#[test]
fn cassette_format_round_trips() {
    let text = cassette(&[("x", "1")]);
    let read: Cassette = serde_json::from_str(&text).unwrap();
    let written = serde_json::to_value(&read).unwrap();
    let original: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(written, original);
}
