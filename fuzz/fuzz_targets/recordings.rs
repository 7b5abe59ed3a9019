//! Records any response without secrets and replays it. The first byte selects the request; the
//! rest of the input is an HTTP-like response.
#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config_resource_count::http::{HttpClient, Request};
use aws_config_resource_count::recording::cassette::RecordedBody;
use aws_config_resource_count::recording::{Content, RecordingClient, ReplayClient, VirtualClock};
use aws_config_resource_count::secret::Redactor;
use aws_config_resource_count_fuzz::{Always, KEY_ID, TOKEN, TempDir, leak, response};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use time::macros::datetime;

/// A part of the token, so that the order of redaction matters.
const SIGNATURE: &str = "IQoJb3JpZ2luX2VjEJr";

/// The secrets in a request, longest first. The secret access key is never sent.
const SECRETS: [&str; 3] = [TOKEN, KEY_ID, SIGNATURE];

const NOW: time::OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let response = response(data);
    let json = choice % 2 == 0;
    let request = Request {
        method: "POST",
        uri: "https://a.example/".to_owned(),
        headers: vec![
            ("content-type", "x".to_owned()),
            (
                "authorization",
                format!("AWS4 Credential={KEY_ID}/x/y, Signature={SIGNATURE}"),
            ),
            ("x-amz-security-token", TOKEN.to_owned()),
        ],
        body: if json {
            response.body.clone()
        } else {
            b"Action=A".to_vec()
        },
        scope: None,
        budget: Duration::from_secs(1),
        private: aws_config_resource_count::http::Private::default(),
    };
    let dir = TempDir::new();
    let clock = Arc::new(VirtualClock::new(NOW));
    let sender = Arc::new(Always(response.clone()));
    let recorder = RecordingClient::new(sender, clock, &dir.0, BTreeMap::new(), None).unwrap();
    let live = recorder.send(&request).unwrap();
    assert_eq!(
        (live.status, &live.body),
        (response.status, &response.body),
        "the recording client changes nothing"
    );
    recorder.finish().unwrap();
    assert_no_secrets(&dir.0, data);

    let replay = ReplayClient::open(&dir.0, NOW).expect("a recording can be replayed");
    let replayed = replay
        .send(&request)
        .expect("the request has a recorded response");
    assert_eq!(replayed.status, live.status);
    assert_eq!(replay.left_over(), [""; 0]);
    // A body without secrets is unchanged, except for whitespace and order in JSON. Values of the
    // request body are secrets too, so a JSON request body is not compared.
    let redactor = Redactor::new(SECRETS.map(|secret| (secret.into(), "REDACTED".to_owned())));
    let is_success = (200..300).contains(&live.status);
    let content = if is_success {
        Content::Names
    } else {
        Content::Text
    };
    let recorded = RecordedBody::new(&live.body, content, &redactor);
    let is_unchanged = match &recorded.body {
        Some(Value::String(text)) => text.as_bytes() == live.body,
        Some(value) => serde_json::from_slice::<Value>(&live.body).ok().as_ref() == Some(value),
        None => recorded.file_content.is_none(),
    };
    if is_unchanged && !json {
        let replayed_body = RecordedBody::new(&replayed.body, content, &redactor);
        let text = |body: &RecordedBody| serde_json::to_string(body).unwrap();
        assert_eq!(text(&replayed_body), text(&recorded));
    }
});

fn assert_no_secrets(dir: &Path, input: &[u8]) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_no_secrets(&path, input);
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert_eq!(
            leak(&text, input, &SECRETS),
            None,
            "{}: {text}",
            path.display()
        );
    }
}
