//! Whatever a service answers is recorded without secrets, and replays as what was recorded.
//! The input is an answer as HTTP writes one; the first byte chooses the request.
#![no_main]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config_resource_count::clock::VirtualClock;
use aws_config_resource_count::http::cassette::RecordedBody;
use aws_config_resource_count::http::record::Recorder;
use aws_config_resource_count::http::replay::Replay;
use aws_config_resource_count::http::{HttpSend, Request};
use aws_config_resource_count_fuzz::{Always, Folder, KEY_ID, TOKEN, leak, response};
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

/// A part of the token, so that the order matters in which the two are taken out.
const SIGNATURE: &str = "IQoJb3JpZ2luX2VjEJr";

/// What a request carries; its secret key stays at home. The longest goes first.
const SECRETS: [&str; 3] = [TOKEN, KEY_ID, SIGNATURE];

const NOW: time::OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let answer = response(data);
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
            answer.body.clone()
        } else {
            b"Action=A".to_vec()
        },
        scope: None,
        budget: Duration::from_secs(1),
    };
    let folder = Folder::new();
    let clock = Arc::new(VirtualClock::new(NOW));
    let sender = Arc::new(Always(answer.clone()));
    let recorder = Recorder::new(sender, clock, &folder.0, BTreeMap::new(), None).unwrap();
    let live = recorder.send(&request).unwrap();
    assert_eq!(
        (live.status, &live.body),
        (answer.status, &answer.body),
        "it is only looked at"
    );
    recorder.finish().unwrap();
    no_secrets(&folder.0, data);

    let replay = Replay::open(&folder.0, NOW).expect("what is recorded can be replayed");
    let replayed = replay
        .send(&request)
        .expect("the same request has its answer");
    assert_eq!(replayed.status, live.status);
    assert_eq!(replay.left_over(), [""; 0]);
    // Without a secret in it the body is the same, in JSON apart from blanks and order; what a request
    // brought in its own body is a secret too.
    let secrets = SECRETS.map(str::to_owned);
    let inline = RecordedBody::inline(&live.body);
    let same = inline.clone().map(|body| body.without(&secrets));
    match (inline, same) {
        (Some(body), Some(same)) if body == same && !json => {
            let back = RecordedBody::inline(&replayed.body).unwrap();
            let text = |body: &RecordedBody| serde_json::to_string(body).unwrap();
            assert_eq!(text(&back), text(&body));
        }
        _ => {}
    }
});

fn no_secrets(folder: &Path, input: &[u8]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            no_secrets(&path, input);
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
