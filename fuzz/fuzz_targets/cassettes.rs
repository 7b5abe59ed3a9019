//! Parses cassettes, writes and parses them again, and replays them.
#![no_main]

use std::fs;
use std::time::Duration;

use aws_config_resource_count::http::{HttpClient, Request, TransportErrorKind};
use aws_config_resource_count::recording::cassette::{
    Cassette, Interaction, RecordedBody, key, recorded_request,
};
use aws_config_resource_count::recording::{Content, INTERACTIONS_DIR, ReplayClient, Source};
use aws_config_resource_count::secret::Redactor;
use aws_config_resource_count_fuzz::TempDir;
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|data: &[u8]| {
    let Ok(cassette) = serde_json::from_slice::<Cassette>(data) else {
        return;
    };
    // The last digit of a decimal may change; counts are integers.
    let written = serde_json::to_vec_pretty(&cassette).unwrap();
    let again: Cassette =
        serde_json::from_slice(&written).expect("a written cassette can be parsed");
    assert_eq!(cassette.interactions.len(), again.interactions.len());
    if !has_decimals(&written) {
        assert_eq!(written, serde_json::to_vec_pretty(&again).unwrap());
        for (one, other) in cassette.interactions.iter().zip(&again.interactions) {
            assert_eq!(key(&one.request), key(&other.request));
            assert_eq!(one.request.body, other.request.body);
        }
    }
    replay(data, &cassette);
});

/// Returns true if the JSON contains a number with a fraction or an exponent.
fn has_decimals(json: &[u8]) -> bool {
    json.windows(2)
        .any(|w| w[0].is_ascii_digit() && matches!(w[1], b'.' | b'e' | b'E'))
}

fn replay(data: &[u8], cassette: &Cassette) {
    let dir = TempDir::new();
    let source = Source::from(&dir.0);
    let interactions = dir.0.join(INTERACTIONS_DIR);
    fs::create_dir_all(&interactions).unwrap();
    fs::write(interactions.join("c.json"), data).unwrap();
    fs::write(interactions.join("a.xml"), "<a/>").unwrap();
    let results: Vec<_> = cassette
        .interactions
        .iter()
        .map(|i| result(i, &source))
        .collect();
    let replay = match ReplayClient::open(&dir.0, datetime!(2026-11-24 12:00:00 UTC)) {
        Ok(replay) => replay,
        Err(error) => {
            assert!(results.contains(&None), "{error}");
            return;
        }
    };
    let mut unused = cassette.interactions.len();
    for (interaction, expected) in cassette.interactions.iter().zip(results) {
        let expected = expected.expect("a replay opens only if all interactions are valid");
        let Some(request) = request(interaction, &source) else {
            continue;
        };
        unused -= 1;
        match (replay.send(&request), expected) {
            (Ok(sent), Some((status, body))) => {
                assert_eq!((sent.status, sent.body), (status, body));
            }
            (Err(error), None) => assert_ne!(error.kind, TransportErrorKind::NotRecorded),
            (sent, expected) => panic!("{sent:?} for {expected:?}"),
        }
    }
    let left_over = replay.left_over().into_iter().map(|line| {
        let (n, _) = line.split_once(" × ").expect("n × key");
        n.parse::<usize>().unwrap()
    });
    assert_eq!(left_over.sum::<usize>(), unused);
}

/// Returns the result of a valid interaction: status and body, or `Some(None)` for a transport
/// error.
#[allow(clippy::option_option)]
fn result(interaction: &Interaction, source: &Source) -> Option<Option<(u16, Vec<u8>)>> {
    let result = interaction.result(source).ok()?;
    Some(result.ok().map(|response| (response.status, response.body)))
}

/// Returns the recorded request; `None` if a recording client would have recorded it differently.
fn request(interaction: &Interaction, source: &Source) -> Option<Request> {
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
        body: recorded.body.bytes(source).ok()?,
        scope: recorded.scope.clone(),
        budget: Duration::from_secs(1),
        private: aws_config_resource_count::http::Private::default(),
    };
    let is_canonical = recorded.body.body_file.is_none()
        && RecordedBody::new(&request.body, Content::Names, &Redactor::default()) == recorded.body
        && key(&recorded_request(&request)) == key(recorded);
    is_canonical.then_some(request)
}
