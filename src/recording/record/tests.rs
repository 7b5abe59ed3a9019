use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::http::TransportErrorKind;
use crate::http::fake::{FakeResponse, Scripted, answer, answer_with, failure};
use crate::recording::environment::ENV_FILE;
use crate::recording::{ReplayClient, VirtualClock};
use crate::redact::REDACTED;

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEJr/+wEaCXVzLWVhc3QtMSJHMEUCIQDVuoO8==";

/// Returns a signed AWS JSON request to `host`.
fn request(host: &str, body: &str) -> Request {
    let target = "StarlingDoveService.ListDiscoveredResources";
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={KEY_ID}/20261124/eu-west-1/config/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"
    );
    Request {
        method: "POST",
        uri: format!("https://{host}/"),
        headers: vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", target.to_owned()),
            ("x-amz-date", "20261124T120000Z".to_owned()),
            ("authorization", authorization),
            ("x-amz-security-token", TOKEN.to_owned()),
        ],
        body: body.as_bytes().to_vec(),
        scope: None,
        budget: Duration::from_secs(1),
        private: crate::http::Private::default(),
    }
}

/// Records `exchanges` to a new directory.
fn record(exchanges: &[(Request, FakeResponse)], account: Option<&str>) -> TempDir {
    let results = exchanges.iter().map(|(_, result)| result.clone());
    let requests: Vec<Request> = exchanges.iter().map(|(r, _)| r.clone()).collect();
    record_requests(Scripted::list(results), &requests, account)
}

fn record_requests(
    inner: Arc<dyn HttpClient>,
    requests: &[Request],
    account: Option<&str>,
) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let variables = BTreeMap::from([("AWS_REGION".to_owned(), "eu-west-1".to_owned())]);
    let account = account.map(str::to_owned);
    let clock = Arc::new(VirtualClock::new(NOW));
    let recorder = RecordingClient::new(inner, clock, dir.path(), variables, account).unwrap();
    for request in requests {
        let _ = recorder.send(request);
    }
    recorder.finish().unwrap();
    dir
}

/// Returns the files of a recording by their paths.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap();
                let name = name.to_str().unwrap().to_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn text(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

/// Returns the names and contents of all files of a recording.
fn everything(dir: &Path) -> String {
    let files = files(dir);
    let texts = files
        .iter()
        .map(|(name, bytes)| format!("{name}\n{}\n", String::from_utf8_lossy(bytes)));
    texts.collect()
}

/// Returns a response of each body format and an error of each kind.
fn every_kind() -> Vec<(Request, FakeResponse)> {
    use TransportErrorKind::{Connection, Dns, Timeout, Tls, TooLarge};
    let xml = "<?xml version=\"1.0\"?>\n<R><a>1 &amp; 2</a></R>\n";
    let headers = [
        ("x-amzn-requestid", "r-1"),
        ("content-type", "application/json"),
    ];
    let error = [("x-amzn-errortype", "X"), ("x-amz-retry-after", "100")];
    let mut results = vec![
        answer_with(200, &headers, r#"{"b": [1, 2.5, null], "a": "é \" \n"}"#),
        answer(200, r#"[{"a": -1}]"#),
        answer_with(400, &error, r#"{"__type": "X"}"#),
        answer(200, xml),
        answer(403, "  <html>no</html>"),
        answer(200, "text\r\nin two lines"),
        answer(200, "12"),
        answer(200, "\"a text\""),
        answer(200, r#"{"truncated": ["#),
        answer(204, ""),
        answer(503, " "),
        answer(200, b"\x1f\x8b\x00\xff".to_vec()),
    ];
    results.extend([Timeout, Dns, Connection, Tls, TooLarge].map(failure));
    let numbered = |(n, result)| (request("a.example", &format!("{{\"n\":{n}}}")), result);
    results.into_iter().enumerate().map(numbered).collect()
}

#[test]
fn replay_returns_recorded_results() {
    let exchanges = every_kind();
    let dir = record(&exchanges, None);
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    for (request, recorded) in &exchanges {
        let name = String::from_utf8_lossy(&request.body);
        match (replay.send(request), recorded) {
            (Ok(replayed), Ok(recorded)) => {
                assert_eq!(replayed.status, recorded.status, "{name}");
                let mut headers = recorded.headers.clone();
                headers.sort();
                assert_eq!(replayed.headers, headers, "{name}");
                let json = |body: &[u8]| serde_json::from_slice::<serde_json::Value>(body).ok();
                if json(&recorded.body).is_some_and(|v| v.is_object() || v.is_array()) {
                    assert_eq!(json(&replayed.body), json(&recorded.body), "{name}");
                } else {
                    assert_eq!(replayed.body, recorded.body, "{name}");
                }
            }
            (replayed, recorded) => {
                assert_eq!(replayed.unwrap_err(), *recorded.as_ref().unwrap_err());
            }
        }
    }
    assert_eq!(replay.left_over(), Vec::<String>::new());
}

#[test]
fn bodies_are_stored_in_readable_files() {
    let dir = record(&every_kind(), None);
    let names: Vec<String> = files(dir.path()).into_keys().collect();
    assert_eq!(
        names,
        [
            "env.json",
            "interactions/a.example.12.bin",
            "interactions/a.example.4.xml",
            "interactions/a.example.5.xml",
            "interactions/a.example.json",
        ]
    );
    assert_eq!(
        text(dir.path(), "env.json"),
        "{\n  \"AWS_REGION\": \"eu-west-1\",\n  \"AWS_SESSION_TOKEN\": \
         \"AQoDYXdzEJr1K9bEXAMPLETOKEN\"\n}\n",
        "an example token replaces the real one"
    );
    let cassette = text(dir.path(), "interactions/a.example.json");
    assert!(
        cassette.contains("\"__type\": \"X\""),
        "JSON is stored as JSON"
    );
    assert!(cassette.contains("\"body_file\": \"a.example.4.xml\""));
}

#[test]
fn recording_of_a_replay_is_identical() {
    let mut exchanges = every_kind();
    let date = [("date", "Tue, 24 Nov 2026 11:30:00 GMT")];
    exchanges.push((
        request("b.example", "{}"),
        answer_with(403, &date, r#"{"__type": "InvalidSignatureException"}"#),
    ));
    let first = record(&exchanges, Some("123456789012"));
    let replay = Arc::new(ReplayClient::open(first.path(), NOW).unwrap());
    let requests: Vec<Request> = exchanges.into_iter().map(|(r, _)| r).collect();
    let second = record_requests(replay, &requests, Some("123456789012"));
    assert_eq!(everything(second.path()), everything(first.path()));
    assert_eq!(files(second.path()), files(first.path()), "byte for byte");
}

/// Returns responses that repeat the secrets of the request, as a debugging proxy does.
fn echoes() -> Vec<FakeResponse> {
    let all = format!("key={KEY_ID} signature={SIGNATURE} token={TOKEN}");
    let json = serde_json::json!({"message": all, "list": [{"deep": all}]});
    let header = [("x-amzn-requestid", TOKEN), ("content-type", all.as_str())];
    let failed = TransportError {
        kind: TransportErrorKind::Connection,
        message: all.clone(),
    };
    vec![
        answer(403, json.to_string()),
        answer(403, format!("<R><Message>{all}</Message></R>")),
        answer(403, all.clone()),
        answer(403, [all.as_bytes(), b"\xff\x00", all.as_bytes()].concat()),
        answer_with(403, &header, "{}"),
        Err(failed),
    ]
}

#[test]
fn recording_has_no_signing_secrets() {
    let numbered = |(n, result)| (request("a.example", &format!("{{\"n\":{n}}}")), result);
    let exchanges: Vec<_> = echoes().into_iter().enumerate().map(numbered).collect();
    let dir = record(&exchanges, None);
    let all = everything(dir.path());
    for secret in [
        KEY_ID,
        SIGNATURE,
        TOKEN,
        "AWS4-HMAC",
        "20261124T120000Z",
        "x-amz-date",
        "authorization",
        "security-token",
    ] {
        assert!(!all.contains(secret), "{secret} is in\n{all}");
    }
    assert!(all.contains("REDACTED"));
}

#[test]
fn recording_has_no_returned_credentials() {
    let json = r#"{"credentials": {"accessKeyId": "SECRET-1", "secretAccessKey": "SECRET-2",
        "sessionToken": "SECRET-3"}, "nextToken": "kept"}"#;
    let xml = "<R><Credentials><AccessKeyId>SECRET-1</AccessKeyId><SecretAccessKey>SECRET-2\
               </SecretAccessKey><SessionToken>SECRET-3</SessionToken></Credentials></R>";
    let exchanges = [
        (request("a.example", "{}"), answer(200, json)),
        (request("b.example", "{}"), answer(200, xml)),
    ];
    let dir = record(&exchanges, None);
    let all = everything(dir.path());
    assert!(!all.contains("SECRET-"), "{all}");
    assert!(all.contains("kept"));
}

#[test]
fn metadata_token_is_not_recorded() {
    let mut put = request("169.254.169.254", "");
    put.headers
        .push(("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned()));
    put.private.response = true;
    for body in [
        "AQAEAmarkedtoken==",
        r#"{"message": "no AQAEAmarkedtoken=="}"#,
        "<a>AQAEAmarkedtoken==</a>",
    ] {
        let dir = record(&[(put.clone(), answer(200, body))], None);
        let all = everything(dir.path());
        assert!(all.contains("169.254.169.254"), "{all}");
        assert!(!all.contains("markedtoken"), "{all}");
    }
}

#[test]
fn numbers_are_replayed_exactly() {
    for number in ["92253372032854775807", "1790000000.2500001", "1e300"] {
        let body = format!("{{\"n\": {number}}}");
        let sent = request("a.example", &body);
        let dir = record(&[(sent.clone(), answer(200, body.as_str()))], None);
        let replayed = ReplayClient::open(dir.path(), NOW).unwrap().send(&sent);
        let parsed: Value = serde_json::from_slice(&replayed.unwrap().body).unwrap();
        assert_eq!(parsed, serde_json::from_str::<Value>(&body).unwrap());
    }
}

#[test]
fn echoed_request_secrets_are_redacted() {
    let form = "Action=A&WebIdentityToken=marked.token.0123456789";
    let echo = "<Message>the token marked.token.0123456789 of &amp;WebIdentityToken=marked.token.0123456789</Message>";
    let exchange = (request("sts.example", form), answer(400, echo));
    let dir = record(&[exchange], None);
    let all = everything(dir.path());
    assert!(all.contains("the token REDACTED of"), "{all}");
    assert!(!all.contains("marked.token.0123456789"), "{all}");
}

#[test]
fn account_ids_are_replaced_everywhere() {
    let page = r#"{"nextToken": "arn:aws:x:eu-west-1:111122223333:y", "resourceIdentifiers": [
        {"resourceId": "logs-111122223333"}, {"resourceId": "arn:aws:iam::444455556666:role/x"}]}"#;
    let identity =
        "<R><Arn>arn:aws:iam::111122223333:user/x</Arn><Account>111122223333</Account></R>";
    let next = r#"{"nextToken":"arn:aws:x:eu-west-1:111122223333:y"}"#;
    let exchanges = [
        (request("sts.example", "{}"), answer(200, identity)),
        (request("config.example", "{}"), answer(200, page)),
        (request("config.example", next), answer(200, "{}")),
    ];
    let dir = record(&exchanges, Some("123456789012"));
    let all = everything(dir.path());
    for id in ["111122223333", "444455556666"] {
        assert!(!all.contains(id), "{all}");
    }
    assert!(all.contains("<Account>123456789012</Account>"));
    assert!(all.contains("logs-123456789012"));
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    let next = next.replace("111122223333", "123456789012");
    replay.send(&request("config.example", &next)).unwrap();
    let unchanged = record(&exchanges, None);
    assert!(everything(unchanged.path()).contains("444455556666"));
}

#[test]
fn errors_without_network_are_not_recorded() {
    for kind in [
        TransportErrorKind::Interrupted,
        TransportErrorKind::NotRecorded,
    ] {
        let dir = record(&[(request("a.example", "{}"), failure(kind))], None);
        assert_eq!(files(dir.path()).len(), 1, "only env.json");
    }
}

#[test]
fn recording_needs_new_or_empty_directory() {
    let dir = tempfile::tempdir().unwrap();
    let open = |path: &Path| {
        let clock = Arc::new(VirtualClock::new(NOW));
        RecordingClient::new(Scripted::list([]), clock, path, BTreeMap::new(), None)
    };
    assert!(open(dir.path()).is_ok());
    assert!(open(&dir.path().join("new/deep")).is_ok());
    let error = open(dir.path()).err().unwrap().to_string();
    let expected = format!(
        "{}: the directory is not empty; use a new or empty one",
        dir.path().display()
    );
    assert_eq!(error, expected);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = open(&file).err().unwrap().to_string();
    assert!(error.starts_with(file.to_str().unwrap()), "{error}");
}

#[test]
fn recording_client_returns_results_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let inner = Scripted::list([answer(200, TOKEN), failure(TransportErrorKind::Tls)]);
    let clock = Arc::new(VirtualClock::new(NOW));
    let recorder = RecordingClient::new(inner, clock, dir.path(), BTreeMap::new(), None).unwrap();
    let result = recorder.send(&request("a.example", "{}")).unwrap();
    assert_eq!(result.body, TOKEN.as_bytes(), "unchanged");
    let result = recorder.send(&request("a.example", "{}"));
    assert_eq!(result.unwrap_err().kind, TransportErrorKind::Tls);
    assert!(files(dir.path()).is_empty(), "files are written at the end");
}

#[test]
fn scope_separates_regions_of_one_endpoint() {
    let scoped = |scope: &str| Request {
        scope: Some(scope.to_owned()),
        ..request("127.0.0.1:5000", "{}")
    };
    let [ireland, ohio] = ["config/eu-west-1", "config/us-east-2"].map(scoped);
    let exchanges = [
        (ireland.clone(), answer(200, "ireland")),
        (ohio.clone(), answer(200, "ohio")),
        (request("127.0.0.1:5000", "{}"), answer(200, "neither")),
    ];
    let dir = record(&exchanges, None);
    let names: Vec<String> = files(dir.path()).into_keys().collect();
    assert_eq!(
        names,
        [
            "env.json",
            "interactions/127.0.0.1%3A5000.json",
            "interactions/config.eu-west-1.json",
            "interactions/config.us-east-2.json",
        ]
    );
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    assert_eq!(replay.send(&ohio).unwrap().body, b"ohio");
    assert_eq!(replay.send(&ireland).unwrap().body, b"ireland");
    let error = replay.send(&ireland).unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::NotRecorded);
    assert!(error.message.contains("config/eu-west-1"), "{error}");
}

#[test]
fn invalid_host_creates_no_file_outside() {
    for uri in ["https://../../x/", "https://a%2f..%2fb/", "nonsense", ""] {
        let odd = Request {
            uri: uri.to_owned(),
            ..request("a.example", "{}")
        };
        let dir = record(&[(odd, answer(200, "<a/>"))], None);
        for name in files(dir.path()).keys() {
            let depth = name.matches('/').count();
            assert!(name == ENV_FILE || depth == 1, "{uri}: {name}");
        }
        assert!(ReplayClient::open(dir.path(), NOW).is_ok(), "{uri}");
    }
}

/// Returns a request to the portal that bears `token`.
fn portal(path: &str, token: &str) -> Request {
    Request {
        method: "GET",
        uri: format!("https://portal.example/{path}"),
        headers: vec![("x-amz-sso_bearer_token", token.to_owned())],
        ..request("portal.example", "")
    }
}

#[test]
fn refreshed_token_gets_its_own_responses() {
    let (a, b) = ("assignment/accounts?a", "assignment/accounts?b");
    let mut refresh = request("oidc.example", r#"{"refreshToken": "the-refresh-token"}"#);
    refresh.private.response = true;
    let exchanges = [
        (portal(a, "the-old-token"), answer(401, "{}")),
        (portal(b, "the-old-token"), answer(401, "{}")),
        (
            refresh.clone(),
            answer(200, r#"{"accessToken": "the-new-token"}"#),
        ),
        (portal(a, "the-new-token"), answer(200, "a")),
        (portal(b, "the-new-token"), answer(200, "b")),
    ];
    let dir = tempfile::tempdir().unwrap();
    let inner = Scripted::list(exchanges.iter().map(|(_, result)| result.clone()));
    let clock = Arc::new(VirtualClock::new(NOW));
    let recorder = RecordingClient::new(inner, clock, dir.path(), BTreeMap::new(), None).unwrap();
    let recorder = recorder.of_many_accounts();
    for (request, _) in &exchanges {
        recorder.send(request).unwrap();
    }
    recorder.finish().unwrap();
    let all = everything(dir.path());
    assert!(!all.contains("the-"), "{all}");

    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    assert_eq!(replay.send(&portal(a, REDACTED)).unwrap().status, 401);
    let fresh: Value = serde_json::from_slice(&replay.send(&refresh).unwrap().body).unwrap();
    let fresh = fresh["accessToken"].as_str().unwrap();
    assert_eq!(replay.send(&portal(a, fresh)).unwrap().body, b"a");
    // In the recorded run, this request was first sent with the old token.
    assert_eq!(replay.send(&portal(b, fresh)).unwrap().body, b"b");
    assert_eq!(replay.left_over().len(), 1);
    // A request that the recorded run sent with the other token only.
    let replay = ReplayClient::open(dir.path(), NOW).unwrap();
    replay.send(&portal(a, REDACTED)).unwrap();
    assert_eq!(replay.send(&portal(a, REDACTED)).unwrap().body, b"a");
}
