//! Endpoints of credential providers that repeat secrets or return invalid credentials.

use std::fmt::Write;

use serde_json::json;

use crate::CONCURRENT_RUNS;
use crate::assertions::{self, assert_equal};
use crate::fault_point::LIST;
use crate::providers::{
    self, ACCESS_KEY_ID, ProviderRequest, SESSION_TOKEN, assert_no_secret, provider_response,
    service_response, with_service,
};
use crate::run::run_all;
use crate::support::{Call, Outcome, Reply, Server};

/// Runs the program with all logs; the server replies to `request` with the result of `reply`, which takes
/// the call and the correct reply.
fn run_with_reply(request: &ProviderRequest, reply: fn(&Call, &Reply) -> Reply) -> Outcome {
    let (matches, responder) = (request.matches, LIST.account().responder());
    let server = Server::new(move |call| {
        let correct = provider_response(call).unwrap_or_else(|| service_response(call, &responder));
        if matches(call) {
            reply(&with_service(call), &correct)
        } else {
            correct
        }
    });
    let program = request.program(&server);
    let out = program.directory().join("out");
    let program = program
        .args(["--debug", "--max-attempts", "1", "--report"])
        .arg(out.join("report.json"))
        .arg("--record")
        .arg(out.join("recording"));
    // The providers wait between their attempts.
    program.run_without_waits()
}

/// Returns everything in a request that an endpoint can repeat.
fn echo(call: &Call) -> String {
    let mut text = String::new();
    for (name, value) in &call.headers {
        let _ = write!(text, "{name}: {value} ");
    }
    text + &String::from_utf8_lossy(&call.body)
}

/// Errors and invalid responses that repeat the request; the last three repeat the credentials.
const ECHOES: [fn(&Call, &Reply) -> Reply; 9] = [
    |call, _| Reply::error(call, 403, "AccessDenied", &echo(call)),
    |call, _| Reply::error(call, 400, &echo(call), "no"),
    |call, _| Reply::response(400, "text/plain", echo(call).into_bytes()),
    |call, _| Reply::response(200, "text/plain", echo(call).into_bytes()),
    |call, _| Reply::json(&json!({"Code": echo(call), "AccessKeyId": 7})),
    |call, _| Reply::json(&json!({"Code": echo(call)})),
    |_, correct| Reply::response(302, "text/plain", correct.body()),
    |_, correct| Reply::response(418, "text/plain", [b"<", correct.body()].concat()),
    |_, correct| Reply::response(200, "text/plain", [correct.body(), correct.body()].concat()),
];

#[test]
fn echoed_secret_is_never_shown() {
    let runs: Vec<_> = providers::ALL
        .iter()
        .flat_map(|request| ECHOES.iter().enumerate().map(move |echo| (request, echo)))
        .collect();
    run_all(CONCURRENT_RUNS, &runs, |(request, (n, reply))| {
        let run = run_with_reply(request, **reply);
        let result = assert_equal("an exit code", &run.code.is_some(), &true)
            .and_then(|()| assertions::assert_printable(&run))
            .and_then(|()| assert_no_secret(&run));
        result.map_err(|error| {
            let output = run.describe();
            format!("=== {n} at {}: {error}\n{output}", request.name)
        })
    });
}

/// Credentials with characters that are invalid in a header or that control a terminal, or too long for a
/// header.
const INVALID_CREDENTIALS: [fn(&Call, &Reply) -> Reply; 4] = [
    |_, correct| replace(correct, ACCESS_KEY_ID, "ASIA0123456789ABCDEF\\u001b[2J"),
    |_, correct| {
        replace(
            correct,
            ACCESS_KEY_ID,
            "ASIA0123456789ABCDEF/../../a b,c=\u{e9}",
        )
    },
    |_, correct| replace(correct, SESSION_TOKEN, "token\\r\\nx-evil: yes\\u0000"),
    |_, correct| replace(correct, SESSION_TOKEN, &"t".repeat(500_000)),
];

/// Returns the correct response with `old` replaced by `new`; in XML, JSON escapes become references.
fn replace(correct: &Reply, old: &str, new: &str) -> Reply {
    let body = str::from_utf8(correct.body()).unwrap();
    let new = if body.starts_with('<') {
        new.replace("\\u001b", "\u{1b}")
            .replace("\\r\\n", "&#13;&#10;")
            .replace("\\u0000", "\u{1}")
    } else {
        new.to_owned()
    };
    Reply::response(200, "text/plain", body.replace(old, &new).into_bytes())
}

#[test]
fn invalid_credentials_fail_the_check() {
    let runs: Vec<_> = providers::ALL
        .iter()
        .filter(|request| returns_credentials(request))
        .flat_map(|request| {
            let replies = INVALID_CREDENTIALS.iter().enumerate();
            replies.map(move |reply| (request, reply))
        })
        .collect();
    run_all(CONCURRENT_RUNS, &runs, |(request, (n, reply))| {
        let run = run_with_reply(request, **reply);
        let result = assert_equal("exit code", &run.code, &Some(1))
            .and_then(|()| assertions::assert_printable(&run))
            .and_then(|()| assert_no_secret(&run))
            .and_then(|()| assert_equal("a short log", &(run.errors().len() < 10_000), &true));
        result.map_err(|error| {
            let output = run.describe();
            format!("=== {n} at {}: {error}\n{output}", request.name)
        })
    });
}

/// Returns true if the correct response contains credentials.
fn returns_credentials(request: &ProviderRequest) -> bool {
    [
        &providers::ROLE,
        &providers::WEB_IDENTITY,
        &providers::CONTAINER,
        &providers::INSTANCE_CREDENTIALS,
        &providers::SSO_CREDENTIALS,
    ]
    .iter()
    .any(|other| other.name == request.name)
}
