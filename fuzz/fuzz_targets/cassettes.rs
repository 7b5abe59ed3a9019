//! Cassettes: read, written, read again, and replayed.
#![no_main]

use std::fs;
use std::path::Path;
use std::time::Duration;

use aws_config_resource_count::http::cassette::{
    Cassette, FOLDER, Interaction, RecordedBody, key, recorded_request,
};
use aws_config_resource_count::http::replay::Replay;
use aws_config_resource_count::http::{HttpSend, Request, TransportErrorKind};
use aws_config_resource_count_fuzz::Folder;
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|data: &[u8]| {
    let Ok(cassette) = serde_json::from_slice::<Cassette>(data) else {
        return;
    };
    // A decimal may change in its last digit; nothing that is counted is one.
    let written = serde_json::to_vec_pretty(&cassette).unwrap();
    let again: Cassette = serde_json::from_slice(&written).expect("what is written is read");
    assert_eq!(cassette.interactions.len(), again.interactions.len());
    if !decimals(&written) {
        assert_eq!(written, serde_json::to_vec_pretty(&again).unwrap());
        for (one, other) in cassette.interactions.iter().zip(&again.interactions) {
            assert_eq!(key(&one.request), key(&other.request));
            assert_eq!(one.request.body, other.request.body);
        }
    }
    replay(data, &cassette);
});

/// Whether there is a number with a fraction or an exponent.
fn decimals(json: &[u8]) -> bool {
    json.windows(2)
        .any(|w| w[0].is_ascii_digit() && matches!(w[1], b'.' | b'e' | b'E'))
}

fn replay(data: &[u8], cassette: &Cassette) {
    let folder = Folder::new();
    let interactions = folder.0.join(FOLDER);
    fs::create_dir_all(&interactions).unwrap();
    fs::write(interactions.join("c.json"), data).unwrap();
    fs::write(interactions.join("a.xml"), "<a/>").unwrap();
    let answers: Vec<_> = cassette
        .interactions
        .iter()
        .map(|i| answer(i, &interactions))
        .collect();
    let replay = match Replay::open(&folder.0, datetime!(2026-11-24 12:00:00 UTC)) {
        Ok(replay) => replay,
        Err(error) => {
            assert!(answers.contains(&None), "{error}");
            return;
        }
    };
    let mut left = cassette.interactions.len();
    for (interaction, expected) in cassette.interactions.iter().zip(answers) {
        let expected = expected.expect("a replay opens where every answer is whole");
        let Some(request) = request(interaction, &interactions) else {
            continue;
        };
        left -= 1;
        match (replay.send(&request), expected) {
            (Ok(sent), Some((status, body))) => {
                assert_eq!((sent.status, sent.body), (status, body));
            }
            (Err(error), None) => assert_ne!(error.kind, TransportErrorKind::NotRecorded),
            (sent, expected) => panic!("{sent:?} for {expected:?}"),
        }
    }
    let over = replay.left_over().into_iter().map(|line| {
        let (n, _) = line.split_once(" × ").expect("n × key");
        n.parse::<usize>().unwrap()
    });
    assert_eq!(over.sum::<usize>(), left);
}

/// What an interaction answers, where it is whole: status and body, or none for a failure.
#[allow(clippy::option_option)]
fn answer(interaction: &Interaction, folder: &Path) -> Option<Option<(u16, Vec<u8>)>> {
    let answer = interaction.answer(folder).ok()?;
    Some(answer.ok().map(|response| (response.status, response.body)))
}

/// The request that was recorded so: none where a recorder would have written it in another way.
fn request(interaction: &Interaction, folder: &Path) -> Option<Request> {
    let recorded = &interaction.request;
    let method = ["GET", "POST", "PUT"]
        .into_iter()
        .find(|m| *m == recorded.method)?;
    let mut headers = Vec::new();
    for name in ["content-type", "x-amz-target"] {
        headers.extend(
            recorded
                .headers
                .get(name)
                .map(|value| (name, value.clone())),
        );
    }
    let request = Request {
        method,
        uri: recorded.uri.clone(),
        headers,
        body: recorded.body.bytes(folder).ok()?,
        scope: recorded.scope.clone(),
        budget: Duration::from_secs(1),
    };
    let by_recorder = recorded.body.body_file.is_none()
        && RecordedBody::inline(&request.body).as_ref() == Some(&recorded.body)
        && key(&recorded_request(&request)) == key(recorded);
    by_recorder.then_some(request)
}
