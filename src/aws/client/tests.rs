use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::fake::{KEY_ID, SECRET, TOKEN, client, clock, credentials, leak, transport};
use super::*;
use crate::advice;
use crate::aws::config_file::SharedFiles;
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::endpoint::Endpoints;
use crate::aws::error::{Bound, CallError, Cause, CredentialsError, ErrorKind};
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_caller_identity::GetCallerIdentity;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::aws::ops::list_discovered_resources::{ListDiscoveredResources, ResourcePage};
use crate::aws::retry::CALL_LIMIT;
use crate::clock::Clock;
use crate::http::fake::{FakeResponse as Sent, Scripted, answer, answer_with, failure};
use crate::http::{HttpClient, TransportErrorKind};
use crate::interrupt::Interrupt;
use crate::model::ResourceType;
use crate::recording::{RecordedEnv, RecordingClient, ReplayClient, VirtualClock};
use crate::sync::lock;

const EMPTY_PAGE: &str = r#"{"resourceIdentifiers": []}"#;
const INVALID_ITEM: &str = r#"{"resourceIdentifiers": [{}]}"#;
const THROTTLED: &str = r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#;
const DENIED: &str = r#"{"__type": "AccessDeniedException", "Message": "not authorized"}"#;

fn region(code: &str) -> Region {
    code.parse().unwrap()
}

/// Lists S3 buckets in eu-west-1.
fn list(client: &Client) -> Result<CallOutput<ResourcePage>, CallError> {
    list_in(client, "eu-west-1")
}

fn list_in(client: &Client, code: &str) -> Result<CallOutput<ResourcePage>, CallError> {
    let resource_type: ResourceType = "AWS::S3::Bucket".parse().unwrap();
    let operation = ListDiscoveredResources {
        resource_type: &resource_type,
        next_token: None,
        page: 1,
    };
    client.call(&region(code), &operation)
}

/// Returns the error of a listing that receives only `answers`.
fn failing(answers: impl IntoIterator<Item = Sent>) -> CallError {
    list(&client(Scripted::list(answers), clock())).unwrap_err()
}

fn seconds(clock: &VirtualClock) -> Vec<f64> {
    clock.sleeps().iter().map(Duration::as_secs_f64).collect()
}

fn interrupted(error: &CallError) -> bool {
    matches!(&error.cause, Cause::Transport(t) if t.kind == TransportErrorKind::Interrupted)
}

#[test]
fn recording_gap_replays_the_last_error() {
    let gap = || failure(TransportErrorKind::NotRecorded);
    let error = failing([failure(TransportErrorKind::Timeout), answer(503, ""), gap()]);
    assert_eq!(error.kind(), Some(ErrorKind::Transient));
    assert_eq!(error.attempts, 2);
    assert!(failing([gap()]).not_recorded(), "no earlier error");
}

#[test]
fn success_sends_one_signed_request() {
    let http = Scripted::list([answer_with(
        200,
        &[("x-amzn-RequestId", "r-1")],
        r#"{"resourceIdentifiers": [{"resourceType": "AWS::S3::Bucket", "resourceId": "b"}]}"#,
    )]);
    let clock = clock();
    let reply = list(&client(http.clone(), clock.clone())).unwrap();
    assert_eq!(reply.output.ids.len(), 1);
    assert_eq!(reply.request_id.as_deref(), Some("r-1"));
    assert_eq!(clock.sleeps().len(), 0);
    let [request] = &http.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(request.method, "POST");
    assert_eq!(request.uri, "https://config.eu-west-1.amazonaws.com/");
    assert_eq!(request.body, br#"{"resourceType":"AWS::S3::Bucket"}"#);
    assert_eq!(request.budget, CALL_LIMIT);
    for (name, value) in [
        ("content-type", "application/x-amz-json-1.1"),
        (
            "x-amz-target",
            "StarlingDoveService.ListDiscoveredResources",
        ),
        ("x-amz-date", "20261124T120000Z"),
        ("x-amz-security-token", TOKEN),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
    let scope = format!("Credential={KEY_ID}/20261124/eu-west-1/config/aws4_request");
    assert!(request.header("authorization").unwrap().contains(&scope));
}

#[test]
fn iam_form_uses_global_host_and_region() {
    let xml = "<ListAccountAliasesResponse><ListAccountAliasesResult><AccountAliases/>\
               </ListAccountAliasesResult></ListAccountAliasesResponse>";
    let http = Scripted::list([answer(200, xml)]);
    let client = client(http.clone(), clock());
    let reply = client.call(&region("eu-west-1"), &ListAccountAliases);
    assert_eq!(reply.unwrap().output, None);
    let request = &http.requests()[0];
    assert_eq!(request.uri, "https://iam.amazonaws.com/");
    assert_eq!(
        request.body,
        b"Action=ListAccountAliases&Version=2010-05-08"
    );
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded; charset=utf-8")
    );
    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.contains("/us-east-1/iam/"),
        "IAM is global: {authorization}"
    );
}

#[test]
fn throttled_call_retries_with_standard_backoff() {
    for (jitter, sleeps) in [
        (
            // The longest possible waits: 111 s in all, within the limit of a call.
            (|| 1.0) as fn() -> f64,
            [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 20.0, 20.0],
        ),
        // After the first throttle, the limiter allows one request per second.
        (|| 0.5, [1.0, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0]),
    ] {
        let clock = clock();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (times, now) = (sent.clone(), clock.clone());
        let http = Scripted::by(move |_| {
            lock(&times).push(now.elapsed().as_secs_f64());
            answer_with(400, &[("x-amzn-requestid", "r-9")], THROTTLED)
        });
        let mut transport = transport(http.clone(), clock.clone());
        transport.jitter = jitter;
        let error = list(&Client::new(transport, credentials())).unwrap_err();
        let sent = lock(&sent);
        let waits: Vec<f64> = sent.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(waits, sleeps);
        assert_eq!(http.requests().len(), 10);
        assert_eq!(error.kind(), Some(ErrorKind::Throttling));
        assert_eq!(
            error.to_string(),
            "config:ListDiscoveredResources failed after 10 attempts: ThrottlingException \
             (HTTP 400, request id r-9): Rate exceeded"
        );
    }
}

#[test]
fn max_attempts_limits_the_requests() {
    for max_attempts in [1, 2, 25] {
        let http = Scripted::by(|_| answer(503, ""));
        let mut transport = transport(http.clone(), clock());
        transport.max_attempts = max_attempts;
        let error = list(&Client::new(transport, credentials())).unwrap_err();
        assert_eq!(error.attempts, max_attempts);
        assert_eq!(http.requests().len(), max_attempts as usize);
    }
}

#[test]
fn transient_failure_is_retried() {
    let passing = [
        ("503 twice", vec![answer(503, ""), answer(503, "<html/>")]),
        ("500", vec![answer(500, "")]),
        ("502", vec![answer(502, "")]),
        ("504", vec![answer(504, "")]),
        ("429 without a code", vec![answer(429, "slow down")]),
        (
            "a throttling code of EC2",
            vec![answer(
                503,
                "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
            )],
        ),
        (
            "RequestTimeout",
            vec![answer(400, r#"{"__type": "RequestTimeout"}"#)],
        ),
        (
            "a connection reset",
            vec![failure(TransportErrorKind::Connection)],
        ),
        ("a time-out", vec![failure(TransportErrorKind::Timeout)]),
        (
            "two failed lookups",
            vec![
                failure(TransportErrorKind::Dns),
                failure(TransportErrorKind::Dns),
            ],
        ),
        (
            "a truncated body",
            vec![answer(200, r#"{"resourceIdentifiers": [{"resou"#)],
        ),
        (
            "an invalid item after a throttle",
            vec![
                answer(400, r#"{"__type": "ThrottlingException"}"#),
                answer(200, INVALID_ITEM),
            ],
        ),
    ];
    for (case, answers) in passing {
        let sent = answers.len() + 1;
        let http = Scripted::list(answers.into_iter().chain([answer(200, EMPTY_PAGE)]));
        let reply = list(&client(http.clone(), clock())).expect(case);
        assert_eq!(reply.output.ids.len(), 0, "{case}");
        assert_eq!(http.requests().len(), sent, "{case}");
    }
}

#[test]
fn invalid_item_is_retried_once() {
    for between in [None, Some(answer(503, ""))] {
        let answers = [
            Some(answer(200, INVALID_ITEM)),
            between,
            Some(answer(200, INVALID_ITEM)),
        ];
        let answers: Vec<_> = answers.into_iter().flatten().collect();
        let sent = answers.len();
        let http = Scripted::list(answers);
        let error = list(&client(http.clone(), clock())).unwrap_err();
        let why = "an unreadable response (HTTP 200): resource without a type";
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(http.requests().len(), sent);
    }
}

#[test]
fn truncated_xml_is_retried() {
    let whole = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>012345678901</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>";
    for cut in [20, 60, 90, whole.len() - 5] {
        let http = Scripted::list([answer(200, &whole[..cut]), answer(200, whole)]);
        let client = client(http.clone(), clock());
        let reply = client.call(&region("us-east-1"), &GetCallerIdentity);
        assert_eq!(reply.unwrap().output.as_str(), "012345678901", "{cut}");
        assert_eq!(http.requests().len(), 2, "{cut}");
    }
}

#[test]
fn permanent_failure_is_not_retried() {
    for (case, sent) in [
        ("access denied", answer(400, DENIED)),
        (
            "a bad parameter",
            answer(400, r#"{"__type": "ValidationException"}"#),
        ),
        ("a redirect", answer(301, "")),
        ("403 without a code", answer(403, "<html>Forbidden</html>")),
        ("a certificate", failure(TransportErrorKind::Tls)),
        ("a proxy error", failure(TransportErrorKind::Proxy)),
        (
            "a body that is too large",
            failure(TransportErrorKind::TooLarge),
        ),
        (
            "a gap in a replay",
            failure(TransportErrorKind::NotRecorded),
        ),
        (
            "a captive portal",
            answer(200, "<html><body>Sign in</body></html>"),
        ),
        ("unexpected JSON", answer(200, r#"{"status": "ok"}"#)),
        ("an empty body", answer(200, "")),
        ("204", answer(204, "")),
    ] {
        let clock = clock();
        let http = Scripted::list([sent]);
        let error = list(&client(http, clock.clone())).expect_err(case);
        assert_eq!((error.attempts, clock.sleeps().len()), (1, 0), "{case}");
    }
}

#[test]
fn failed_lookup_is_tried_three_times() {
    let error = failing((0..3).map(|_| failure(TransportErrorKind::Dns)));
    assert_eq!(error.attempts, 3);
    assert_eq!(
        error.to_string(),
        "config:ListDiscoveredResources failed after 3 attempts: no response: a.example: Dns"
    );
}

#[test]
fn each_attempt_has_its_own_signature() {
    let http = Scripted::list([answer(503, ""), answer(503, ""), answer(200, EMPTY_PAGE)]);
    let mut transport = transport(http.clone(), clock());
    transport.jitter = || 1.0;
    list(&Client::new(transport, credentials())).unwrap();
    let of = |name: &str| -> Vec<String> {
        let requests = http.requests();
        let values = requests.iter().map(|r| r.header(name).unwrap().to_owned());
        values.collect()
    };
    assert_eq!(
        of("x-amz-date"),
        ["20261124T120000Z", "20261124T120001Z", "20261124T120003Z"]
    );
    let mut signatures = of("authorization");
    signatures.dedup();
    assert_eq!(signatures.len(), 3);
}

#[test]
fn last_wait_respects_call_limit() {
    // 30 s per time-out: 30 + 1 + 30 + 2 + 30 + 4 = 97 s. Attempt 4 has the remaining 23 s, so that
    // there is no time for a wait of 8 s.
    let clock = clock();
    let passing = clock.clone();
    let http = Scripted::by(move |request| {
        passing.sleep(request.budget.min(Duration::from_secs(30)));
        failure(TransportErrorKind::Timeout)
    });
    let mut transport = transport(http.clone(), clock.clone());
    transport.jitter = || 1.0;
    let error = list(&Client::new(transport, credentials())).unwrap_err();
    assert_eq!(error.attempts, 4);
    let budgets: Vec<u64> = http.requests().iter().map(|r| r.budget.as_secs()).collect();
    assert_eq!(budgets, [120, 89, 57, 23]);
    assert_eq!(clock.elapsed(), CALL_LIMIT, "to the second");
}

#[test]
fn slow_call_ends_within_limit() {
    let slow = [
        failure(TransportErrorKind::Timeout),
        failure(TransportErrorKind::Connection),
        answer(503, ""),
        answer_with(400, &[("x-amz-retry-after", "3600000")], THROTTLED),
    ];
    for sent in slow {
        for spent in [0, 1, 7, 30, 59, 61, 119, 120] {
            let (clock, sent) = (clock(), sent.clone());
            let passing = clock.clone();
            let http = Scripted::by(move |request| {
                passing.sleep(request.budget.min(Duration::from_secs(spent)));
                sent.clone()
            });
            let mut transport = transport(http, clock.clone());
            transport.max_attempts = 1000;
            transport.jitter = || 1.0;
            list(&Client::new(transport, credentials())).unwrap_err();
            assert!(clock.elapsed() <= CALL_LIMIT, "{spent} s per attempt");
        }
    }
}

#[test]
fn call_limit_starts_with_each_call() {
    let http = Scripted::list([answer(503, ""), answer(200, EMPTY_PAGE)]);
    let clock = clock();
    clock.sleep(Duration::from_hours(10));
    list(&client(http, clock)).unwrap();
}

#[test]
fn retry_after_header_is_honored() {
    let after = |value: &str| answer_with(503, &[("X-Amz-Retry-After", value)], "");
    let http = Scripted::list([
        after("2500"),
        after(" 60000 "),
        after("soon"),
        after("-1"),
        answer(200, EMPTY_PAGE),
    ]);
    let clock = clock();
    list(&client(http, clock.clone())).unwrap();
    assert_eq!(seconds(&clock), [2.5, 5.0], "no wait for an invalid value");
}

/// Returns the number of requests of a call whose attempts all fail.
fn requests_of(client: &Client, http: &Scripted, code: &str) -> usize {
    let before = http.requests().len();
    list_in(client, code).unwrap_err();
    http.requests().len() - before
}

#[test]
fn retry_quota_is_per_region_and_service() {
    for (sent, retries) in [
        // Of 500 tokens, a time-out costs 10, any other failure 5.
        (failure(TransportErrorKind::Timeout), 50),
        (failure(TransportErrorKind::Connection), 100),
        (answer(400, THROTTLED), 100),
    ] {
        let http = Scripted::by(move |_| sent.clone());
        let mut transport = transport(http.clone(), clock());
        transport.max_attempts = 1000;
        let client = Client::new(transport, credentials());
        assert_eq!(requests_of(&client, &http, "eu-west-1"), retries + 1);
        assert_eq!(
            requests_of(&client, &http, "eu-west-1"),
            1,
            "no tokens left"
        );
        assert_eq!(
            requests_of(&client, &http, "eu-west-2"),
            retries + 1,
            "another region"
        );
        let before = http.requests().len();
        let identity = client.call(&region("eu-west-1"), &GetCallerIdentity);
        assert_eq!(identity.unwrap_err().attempts as usize, retries + 1);
        assert_eq!(
            http.requests().len(),
            before + retries + 1,
            "another service"
        );
    }
}

#[test]
fn success_refunds_retry_quota() {
    // Without refunds, 500 retries would cost 2500 tokens.
    let n = AtomicUsize::new(0);
    let http = Scripted::by(move |_| match n.fetch_add(1, Ordering::SeqCst) % 2 {
        0 => answer(400, THROTTLED),
        _ => answer(200, EMPTY_PAGE),
    });
    let client = client(http, clock());
    for _ in 0..500 {
        assert!(list(&client).is_ok());
    }
}

#[test]
fn interrupted_client_sends_nothing() {
    let http = Scripted::list([]);
    let transport = transport(http.clone(), clock());
    transport.interrupt.raise(2);
    let error = list(&Client::new(transport, credentials())).unwrap_err();
    assert!(interrupted(&error));
    assert_eq!(http.requests().len(), 0);
}

#[test]
fn interrupt_ends_retries() {
    for sent in [
        failure(TransportErrorKind::Connection),
        failure(TransportErrorKind::Interrupted),
    ] {
        let interrupt = Interrupt::default();
        let (raised, sent) = (interrupt.clone(), sent.clone());
        let http = Scripted::by(move |_| {
            raised.raise(2);
            sent.clone()
        });
        let mut transport = transport(http.clone(), clock());
        transport.interrupt = interrupt;
        let error = list(&Client::new(transport, credentials())).unwrap_err();
        assert!(
            interrupted(&error),
            "the interrupt replaces the connection error"
        );
        assert_eq!(http.requests().len(), 1);
    }
}

#[test]
fn interrupt_during_wait_ends_call() {
    struct Interrupting(Interrupt, Arc<VirtualClock>);
    impl Clock for Interrupting {
        fn now(&self) -> time::OffsetDateTime {
            self.1.now()
        }
        fn elapsed(&self) -> Duration {
            self.1.elapsed()
        }
        fn sleep(&self, _: Duration) {
            self.0.raise(15);
        }
    }
    let http = Scripted::list([answer(503, "")]);
    let mut transport = transport(http.clone(), clock());
    transport.jitter = || 1.0;
    transport.clock = Arc::new(Interrupting(transport.interrupt.clone(), clock()));
    assert!(interrupted(
        &list(&Client::new(transport, credentials())).unwrap_err()
    ));
    assert_eq!(http.requests().len(), 1);
}

#[test]
fn error_codes_are_read_from_every_shape() {
    let xml = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error>\
               <RequestId>in-the-body</RequestId></ErrorResponse>";
    let ec2 = "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message>\
               </Error></Errors><RequestID>in-the-body</RequestID></Response>";
    for (case, headers, body, code, id) in [
        ("JSON", vec![], DENIED, "AccessDeniedException", None),
        (
            "JSON with an id in the header",
            vec![("x-amzn-RequestId", "in-the-header")],
            DENIED,
            "AccessDeniedException",
            Some("in-the-header"),
        ),
        (
            "a namespace and a link around the code",
            vec![],
            r#"{"__type": "com.amazonaws.config#AccessDeniedException:http://internal/"}"#,
            "AccessDeniedException",
            None,
        ),
        (
            "the header takes precedence over the body",
            vec![("x-amzn-ErrorType", "AccessDeniedException:http://internal/")],
            r#"{"__type": "ValidationException"}"#,
            "AccessDeniedException",
            None,
        ),
        (
            "the message in both spellings",
            vec![],
            r#"{"__type": "AccessDeniedException", "message": "no", "Message": "no"}"#,
            "AccessDeniedException",
            None,
        ),
        (
            "a message that is null",
            vec![],
            r#"{"__type": "AccessDeniedException", "message": null}"#,
            "AccessDeniedException",
            None,
        ),
        (
            "a message that is not a string",
            vec![],
            r#"{"__type": "AccessDeniedException", "message": {"en": "no"}}"#,
            "AccessDeniedException",
            None,
        ),
        (
            "XML of STS and IAM, as response to JSON",
            vec![],
            xml,
            "AccessDenied",
            Some("in-the-body"),
        ),
        (
            "XML of EC2",
            vec![],
            ec2,
            "UnauthorizedOperation",
            Some("in-the-body"),
        ),
        (
            "the ID in the header takes precedence",
            vec![("x-amz-request-id", "in-the-header")],
            ec2,
            "UnauthorizedOperation",
            Some("in-the-header"),
        ),
    ] {
        let error = failing([answer_with(403, &headers, body)]);
        assert_eq!(error.kind(), Some(ErrorKind::AccessDenied), "{case}");
        assert!(
            error
                .to_string()
                .contains(&format!("failed with {code} (HTTP 403")),
            "{case}: {error}"
        );
        assert_eq!(error.request_id.as_deref(), id, "{case}");
    }
}

#[test]
fn error_without_code_shows_status() {
    for (body, text) in [
        ("", "failed with HTTP 403 (no error code)"),
        (
            "go\r\naway\u{1b}[2J",
            "failed with HTTP 403 (no error code): go  away\\u{1b}[2J",
        ),
        (
            "<html>no</html>",
            "failed with HTTP 403 (no error code): <html>no</html>",
        ),
        ("{}", "failed with HTTP 403 (no error code)"),
    ] {
        let error = failing([answer(403, body)]);
        assert_eq!(
            error.to_string(),
            format!("config:ListDiscoveredResources {text}")
        );
    }
}

#[test]
fn clock_skew_is_reported_with_offset() {
    let xml =
        |code: &str| format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
    let ec2 = |code: &str| {
        format!("<Response><Errors><Error><Code>{code}</Code></Error></Errors></Response>")
    };
    let json = r#"{"__type": "InvalidSignatureException"}"#;
    for (code, status, body) in [
        ("InvalidSignatureException", 400, json.to_owned()),
        ("SignatureDoesNotMatch", 403, xml("SignatureDoesNotMatch")),
        ("RequestExpired", 400, ec2("RequestExpired")),
        ("AuthFailure", 401, ec2("AuthFailure")),
    ] {
        for (date, offset) in [
            ("Tue, 24 Nov 2026 11:30:00 GMT", "30 minutes ahead of AWS's"),
            ("Tue, 24 Nov 2026 13:00:30 GMT", "60 minutes behind AWS's"),
        ] {
            let error = failing([answer_with(status, &[("Date", date)], body.clone())]);
            assert_eq!(
                error.to_string(),
                format!(
                    "config:ListDiscoveredResources failed with {code} (HTTP {status}): this \
                     machine's clock is {offset}"
                )
            );
            assert_eq!(advice::for_call(&error), "set this machine's clock");
        }
        for date in ["Tue, 24 Nov 2026 12:01:00 GMT", "", "yesterday"] {
            let error = failing([answer_with(status, &[("date", date)], body.clone())]);
            assert!(
                error.kind().is_some(),
                "{code}: the clock is right, {error}"
            );
        }
    }
    let denied = failing([answer_with(
        403,
        &[("date", "Tue, 24 Nov 2026 11:30:00 GMT")],
        DENIED,
    )]);
    assert_eq!(
        denied.kind(),
        Some(ErrorKind::AccessDenied),
        "the code does not depend on the clock"
    );
}

/// Returns responses that repeat the request's secrets, as a debugging proxy or a rejected
/// signature may.
fn echoes() -> Vec<(&'static str, Sent)> {
    let all = format!("id={KEY_ID} secret={SECRET} token={TOKEN}");
    let json = format!(r#"{{"__type": "{KEY_ID}", "message": "{all}"}}"#);
    let xml = format!(
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>{all}</Message></Error>\
         <RequestId>{TOKEN}</RequestId></ErrorResponse>"
    );
    let late = |length: usize| format!("{}{SECRET}{TOKEN}", "x ".repeat(length));
    let page = format!(r#"{{"resourceIdentifiers": [{{"resourceType": "{TOKEN}"}}]}}"#);
    let account = format!(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{TOKEN}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    );
    let header = [("x-amzn-errortype", TOKEN), ("x-amzn-requestid", TOKEN)];
    vec![
        ("JSON", answer(400, json)),
        ("XML", answer(403, xml)),
        ("text", answer(403, all.clone())),
        ("text cut within the secret", answer(403, late(190))),
        ("headers", answer_with(403, &header, "{}")),
        ("bytes", answer(403, [all.as_bytes(), b"\xff"].concat())),
        ("an unexpected response", answer(200, all.clone())),
        (
            "an unexpected response cut within the secret",
            answer(200, late(20)),
        ),
        (
            "an unexpected response of bytes",
            answer(200, [b"\xff", all.as_bytes()].concat()),
        ),
        (
            "an unexpected list",
            answer(200, format!(r#"{{"resourceIdentifiers": "{all}"}}"#)),
        ),
        ("an unexpected type", answer(200, page)),
        ("an unexpected account", answer(200, account)),
        (
            "an unexpected element",
            answer(200, format!("<{KEY_ID}>{all}</{KEY_ID}>")),
        ),
    ]
}

#[test]
fn echoed_secrets_are_redacted() {
    fn shown<T>(result: Result<CallOutput<T>, CallError>) -> String {
        let error = result.err().expect("an error");
        format!("{error} {error:?}")
    }
    for (case, sent) in echoes() {
        let lines = Arc::new(Mutex::new(String::new()));
        let traced = lines.clone();
        let http = Scripted::by(move |_| sent.clone());
        let mut transport = transport(http, clock());
        transport.trace = Some(Arc::new(move |attempt| {
            traced.lock().unwrap().push_str(&attempt.to_string());
        }));
        let client = Client::new(transport, credentials());
        let here = region("us-east-1");
        for text in [
            shown(list(&client)),
            shown(client.call(&here, &GetCallerIdentity)),
            shown(client.call(&here, &DescribeRegions { all: false })),
        ] {
            assert_eq!(leak(&text), None, "{case}: {text}");
        }
        let lines = lines.lock().unwrap();
        assert!(!lines.is_empty());
        assert_eq!(leak(&lines), None, "{case}: {lines}");
    }
}

/// An emulator may accept one-letter credentials, which occur in every body.
#[test]
fn one_letter_credentials_keep_error_kind() {
    let xml = "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>";
    for body in [DENIED, xml] {
        let transport = transport(Scripted::list([answer(403, body)]), clock());
        let keys = ResolvedCredentials::new("e", "o", None, "the test".to_owned());
        let client = Client::new(transport, CachedCredentials::fixed(keys));
        let error = list(&client).unwrap_err();
        assert_eq!(error.kind(), Some(ErrorKind::AccessDenied));
    }
}

#[test]
fn trace_line_shows_attempt_without_secrets() {
    let clock = clock();
    let passing = clock.clone();
    let n = AtomicUsize::new(0);
    let http = Scripted::by(move |_| {
        passing.sleep(Duration::from_millis(250));
        match n.fetch_add(1, Ordering::SeqCst) {
            0 => failure(TransportErrorKind::Connection),
            1 => answer_with(503, &[("x-amzn-requestid", "r-2\n\u{1b}[2J")], SECRET),
            _ => answer_with(200, &[("x-amzn-requestid", "r-3")], EMPTY_PAGE),
        }
    });
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut transport = transport(http, clock);
    transport.jitter = || 0.5;
    let traced = lines.clone();
    transport.trace = Some(Arc::new(move |attempt| {
        traced.lock().unwrap().push(attempt.to_string());
    }));
    list(&Client::new(transport, credentials())).unwrap();
    let call = "config:ListDiscoveredResources eu-west-1 AWS::S3::Bucket page 1 attempt";
    assert_eq!(
        *lines.lock().unwrap(),
        [
            format!(
                "12:00:00.250 {call} 1 of 10: no response: a.example: Connection in 250 ms, retry in \
                 0.5 s (request id none)"
            ),
            format!(
                "12:00:01.000 {call} 2 of 10: HTTP 503 in 250 ms, retry in 1.0 s (request id r-2 \
                 \\u{{1b}}[2J)"
            ),
            format!("12:00:02.250 {call} 3 of 10: HTTP 200 in 250 ms (request id r-3)"),
        ]
    );
}

#[test]
fn trace_line_has_code_endpoint_and_turn() {
    let http = Scripted::list([
        answer_with(400, &[("x-amzn-requestid", "r-1")], THROTTLED),
        answer_with(200, &[("x-amzn-requestid", "r-2")], "{}"),
    ]);
    let variables = BTreeMap::from([(
        "AWS_ENDPOINT_URL_CONFIG_SERVICE".to_owned(),
        "http://127.0.0.1:5000/secret".to_owned(),
    )]);
    let env = RecordedEnv::new("none".as_ref(), variables);
    let lines = Arc::new(Mutex::new(Vec::new()));
    let mut transport = transport(http, clock());
    transport.endpoints = Endpoints::new(None, &env, &SharedFiles::default(), "default").unwrap();
    let traced = lines.clone();
    transport.trace = Some(Arc::new(move |line| {
        traced.lock().unwrap().push(line.to_string());
    }));
    list(&Client::new(transport, credentials())).unwrap_err();
    let call = "config:ListDiscoveredResources eu-west-1 AWS::S3::Bucket page 1 attempt";
    assert_eq!(
        *lines.lock().unwrap(),
        [
            format!(
                "12:00:00.000 {call} 1 of 10: HTTP 400 ThrottlingException in 0 ms, retry in 0.0 s \
                 (request id r-1, endpoint 127.0.0.1:5000)"
            ),
            format!("12:00:00.000 {call} 2 of 10: waits 1.00 s for the rate limit"),
            format!(
                "12:00:01.000 {call} 2 of 10: HTTP 200 unreadable in 0 ms (request id r-2, endpoint \
                 127.0.0.1:5000)"
            ),
        ]
    );
}

#[test]
fn recording_without_secrets_replays_same_results() {
    let date = [("date", "Tue, 24 Nov 2026 11:30:00 GMT")];
    let refused = format!(r#"{{"__type": "InvalidSignatureException", "message": "{TOKEN}"}}"#);
    let mut answers = vec![answer(503, ""), answer(200, EMPTY_PAGE)];
    answers.push(answer_with(400, &date, refused));
    answers.extend(echoes().into_iter().map(|(_, sent)| sent));
    // The 503 and the unexpected type are retried.
    let calls = answers.len() - 2;

    let folder = tempfile::tempdir().unwrap();
    let (inner, none) = (Scripted::list(answers), BTreeMap::new());
    let recorder =
        Arc::new(RecordingClient::new(inner, clock(), folder.path(), none, None).unwrap());
    let live = client(recorder.clone(), clock());
    let results = |client: &Client| -> Vec<String> {
        let result = |_| match list(client) {
            Ok(reply) => format!("{} resources", reply.output.ids.len()),
            Err(error) => error.to_string(),
        };
        (0..calls).map(result).collect()
    };
    let first = results(&live);
    recorder.finish().unwrap();
    for folder in [folder.path().to_owned(), folder.path().join("interactions")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                // The secret access key is never sent, so the recording client cannot redact it.
                let text = text.replace(SECRET, "");
                assert_eq!(leak(&text), None, "{}: {text}", path.display());
                for word in ["AWS4-HMAC", "20261124T1200", "uthorization", "ecurity-"] {
                    assert!(!text.contains(word), "{}: {text}", path.display());
                }
            }
        }
    }

    let years_later = Arc::new(VirtualClock::new(
        time::macros::datetime!(2031-01-01 00:00:00 UTC),
    ));
    let replay = Arc::new(ReplayClient::open(folder.path(), years_later.now()).unwrap());
    let again = results(&client(replay.clone(), years_later));
    assert_eq!(again[..2], first[..2]);
    assert!(again[1].contains("30 minutes ahead"), "{}", again[1]);
    assert_eq!(replay.left_over(), Vec::<String>::new());
}

#[test]
fn scope_separates_regions_of_custom_endpoint() {
    let variables = BTreeMap::from([(
        "AWS_ENDPOINT_URL_CONFIG_SERVICE".to_owned(),
        "http://127.0.0.1:5000".to_owned(),
    )]);
    let env = RecordedEnv::new("none".as_ref(), variables);
    let http = Scripted::by(|_| answer(200, "unexpected"));
    let mut transport = transport(http.clone(), clock());
    transport.endpoints = Endpoints::new(None, &env, &SharedFiles::default(), "default").unwrap();
    let client = Client::new(transport, credentials());
    list_in(&client, "eu-west-1").unwrap_err();
    list_in(&client, "us-east-1").unwrap_err();
    let identity = client.call(&region("us-east-1"), &GetCallerIdentity);
    identity.unwrap_err();
    let requests = http.requests();
    let sent = |n: usize| (requests[n].uri.as_str(), requests[n].scope.as_deref());
    assert_eq!(
        sent(0),
        ("http://127.0.0.1:5000/", Some("config/eu-west-1"))
    );
    assert_eq!(
        sent(1),
        ("http://127.0.0.1:5000/", Some("config/us-east-1"))
    );
    assert_eq!(sent(2), ("https://sts.us-east-1.amazonaws.com/", None));
}

#[test]
fn expired_credentials_are_refreshed_in_the_call() {
    let loads = AtomicUsize::new(0);
    let http = Scripted::list([
        answer(400, r#"{"__type": "ExpiredTokenException"}"#),
        answer(200, EMPTY_PAGE),
    ]);
    let credentials = super::fake::refreshed_by(move |_| {
        let n = loads.fetch_add(1, Ordering::SeqCst);
        Ok(super::fake::credentials_with_id(&format!("KEY-{n}")))
    });
    let client = Client::new(transport(http.clone(), clock()), credentials);
    assert!(client.has_session_token());
    list(&client).unwrap();
    for (n, request) in http.requests().iter().enumerate() {
        let authorization = request.header("authorization").unwrap();
        assert!(authorization.contains(&format!("Credential=KEY-{n}/")));
    }
}

#[test]
fn usage_is_summed_by_region() {
    let throttled = || answer(400, r#"{"__type": "ThrottlingException"}"#);
    let http = Scripted::list([
        throttled(),
        failure(TransportErrorKind::Connection),
        answer(200, r#"{"resourceIdentifiers": []}"#),
        answer(403, ""),
        answer(200, r#"{"resourceIdentifiers": []}"#),
    ]);
    let client = client(http, clock());
    list(&client).unwrap();
    list(&client).unwrap_err();
    list_in(&client, "us-east-1").unwrap();
    let usage = client.usage();
    let of = |code| usage[&(Service::Config, region(code))];
    let page = r#"{"resourceIdentifiers": []}"#.len() as u64;
    let expected = Usage {
        requests: 4,
        retries: 2,
        throttles: 1,
        bytes: r#"{"__type": "ThrottlingException"}"#.len() as u64 + page,
    };
    assert_eq!(of("eu-west-1"), expected);
    let once = Usage {
        requests: 1,
        bytes: page,
        ..Usage::default()
    };
    assert_eq!(of("us-east-1"), once);
    assert_eq!(usage.len(), 2);
}

/// Returns true if another attempt may follow, and the result of an attempt. (Throttled attempts
/// also wait for their region, which `limit.rs` tests.)
fn any_attempt() -> impl Strategy<Value = (bool, Sent)> {
    select(vec![
        (true, failure(TransportErrorKind::Timeout)),
        (true, failure(TransportErrorKind::Connection)),
        (true, answer(503, "")),
        (
            true,
            answer_with(500, &[("x-amz-retry-after", "3600000")], ""),
        ),
        (true, answer(200, r#"{"resourceIdentifiers": [{"resou"#)),
        (false, answer(400, DENIED)),
        (false, answer(200, "{}")),
        (true, answer(200, INVALID_ITEM)),
        (false, failure(TransportErrorKind::Tls)),
        (false, answer(200, EMPTY_PAGE)),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn call_respects_time_and_attempt_limits(
        script in vec((any_attempt(), 0..200u64), 1..40),
        max_attempts in 1..30u32,
        jitter in select(vec![(|| 0.0) as fn() -> f64, || 0.3, || 1.0]),
        limit in (1..=120u64).prop_map(Duration::from_secs),
    ) {
        let clock = clock();
        let passing = clock.clone();
        let attempts = AtomicUsize::new(0);
        let played = script.clone();
        let times = Arc::new(Mutex::new(Vec::new()));
        let (starts, now) = (times.clone(), clock.clone());
        let http = Scripted::by(move |request| {
            lock(&starts).push(now.elapsed());
            let n = attempts.fetch_add(1, Ordering::SeqCst);
            let ((_, sent), spent) = &played[n % played.len()];
            passing.sleep(request.budget.min(Duration::from_secs(*spent)));
            sent.clone()
        });
        let mut transport = transport(http.clone(), clock.clone());
        transport.max_attempts = max_attempts;
        transport.jitter = jitter;
        let resource_type = "AWS::S3::Bucket".parse().unwrap();
        let page = ListDiscoveredResources { resource_type: &resource_type, next_token: None, page: 1 };
        let result = Client::new(transport, credentials()).call_within(&region("eu-west-1"), &page, limit);
        prop_assert!(clock.elapsed() <= limit, "{:?}", clock.elapsed());
        let sent = http.requests().len();
        prop_assert!((1..=max_attempts as usize).contains(&sent));
        if let Err(error) = &result {
            prop_assert_eq!(error.attempts as usize, sent);
        }
        // Only the last attempt may have a result that is not retried.
        let may = |n: usize| script[n % script.len()].0.0;
        prop_assert!((0..sent - 1).all(may));
        // Every request has the remaining time as its budget, and each wait is within the backoff.
        let starts = lock(&times);
        for (n, request) in http.requests().iter().enumerate() {
            prop_assert_eq!(request.budget, limit.saturating_sub(starts[n]));
            let spent = Duration::from_secs(script[n % script.len()].1).min(request.budget);
            let longest = spent + Duration::from_secs(20.min(1 << n.min(5)) + 5);
            prop_assert!(starts.get(n + 1).is_none_or(|next| *next <= starts[n] + longest));
        }
    }
}

#[test]
fn unreachable_host_is_tried_three_times_per_run() {
    for kind in [TransportErrorKind::Dns, TransportErrorKind::Connect] {
        let http = Scripted::by(move |_| failure(kind));
        let client = client(http.clone(), clock());
        for (call, requests) in [(1, 3), (2, 3), (3, 3)] {
            let error = list(&client).unwrap_err();
            assert!(error.cause.is_unreachable(), "{call}");
            assert_eq!(http.requests().len(), requests, "{kind:?}, call {call}");
        }
    }
}

#[test]
fn reachable_host_is_tried_ten_times() {
    let first = Arc::new(AtomicUsize::new(0));
    let http = Scripted::by(move |_| match first.fetch_add(1, Ordering::SeqCst) {
        0 => answer(200, EMPTY_PAGE),
        _ => failure(TransportErrorKind::Connect),
    });
    let client = client(http.clone(), clock());
    list(&client).unwrap();
    assert_eq!(list(&client).unwrap_err().attempts, 10);
}

#[test]
fn failing_region_ends_calls_that_wait() {
    for sent in [
        answer_with(400, &[("x-amzn-requestid", "r-9")], THROTTLED),
        answer(503, ""),
        failure(TransportErrorKind::Timeout),
    ] {
        let clock = clock();
        let now = clock.clone();
        let http = Scripted::by(move |_| {
            now.sleep(Duration::from_secs(3));
            sent.clone()
        });
        let mut transport = transport(http, clock.clone());
        transport.jitter = || 1.0;
        let client = Client::new(transport, credentials());
        let mut bounds = Vec::new();
        while bounds.last() != Some(&Some(Bound::Region)) {
            bounds.push(list(&client).unwrap_err().bound);
            assert!(bounds.len() < 20, "{bounds:?}");
        }
        assert!(
            clock.elapsed() <= Duration::from_secs(123),
            "{:?}",
            clock.elapsed()
        );
    }
}

#[test]
fn time_of_scan_ends_call_that_waits() {
    let http = Scripted::by(|_| answer(503, ""));
    let clock = clock();
    let mut transport = transport(http.clone(), clock.clone());
    transport.jitter = || 1.0;
    let client = Client::new(transport, credentials());
    client.end_after(Duration::from_secs(5));
    assert_eq!(list(&client).unwrap_err().bound, Some(Bound::Scan));
    assert_eq!(clock.elapsed().as_secs(), 5);
    let requests = http.requests().len();
    assert_eq!(list(&client).unwrap_err().bound, Some(Bound::Scan));
    assert_eq!(http.requests().len(), requests, "no request after the end");
}

#[test]
fn time_of_scan_ends_refresh() {
    for lifetime in [None, Some(time::Duration::seconds(2))] {
        let clock = clock();
        let http = Scripted::by(|_| answer(400, r#"{"__type": "ExpiredTokenException"}"#));
        let transport = transport(http, clock.clone());
        let refreshing = transport.clone();
        let expires = lifetime.map(|lifetime| clock.now() + lifetime);
        let credentials = super::fake::refreshed_by(move |is_refresh| {
            if is_refresh {
                refreshing.clock.sleep(refreshing.time_left().unwrap());
                return Err(CredentialsError::NotRefreshable);
            }
            Ok(super::fake::credentials_with_id("KEY").with_expiry(expires))
        });
        let client = Client::new(transport, credentials);
        client.end_after(Duration::from_secs(5));
        assert_eq!(list(&client).unwrap_err().bound, Some(Bound::Scan));
        assert_eq!(clock.elapsed().as_secs(), 5);
    }
}

#[test]
fn each_of_many_accounts_has_its_own_time() {
    let clock = clock();
    let mut transport = transport(Scripted::by(|_| answer(200, EMPTY_PAGE)), clock.clone());
    transport.hosts = Some(Arc::default());
    let client = || Client::new(transport.clone(), credentials());
    let (first, second) = (client(), client());
    first.end_after(Duration::from_secs(5));
    clock.sleep(Duration::from_secs(6));
    assert_eq!(list(&first).unwrap_err().bound, Some(Bound::Scan));
    list(&second).unwrap();
}

thread_local! {
    static ELAPSED: std::cell::Cell<Duration> = const { std::cell::Cell::new(Duration::ZERO) };
    static ATTEMPTS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// A clock whose waits pass only on the thread that waits: threads that wait at the same time do not add up.
struct ThreadClock;

impl Clock for ThreadClock {
    fn now(&self) -> time::OffsetDateTime {
        time::macros::datetime!(2026-11-24 12:00 UTC) + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        ELAPSED.get()
    }

    fn sleep(&self, time: Duration) {
        ELAPSED.set(ELAPSED.get() + time);
    }
}

#[test]
fn concurrent_regions_have_separate_time_limits() {
    // In each region, nine waits of a throttled call take 111 s of its limit of 120 s.
    let http = Scripted::by(|_| {
        let times = ATTEMPTS.get() + 1;
        ATTEMPTS.set(times);
        if times < 10 {
            answer(400, THROTTLED)
        } else {
            answer(200, EMPTY_PAGE)
        }
    });
    let mut transport = transport(http, clock());
    transport.clock = Arc::new(ThreadClock);
    transport.jitter = || 1.0;
    let client = Client::new(transport, credentials());
    std::thread::scope(|scope| {
        for name in ["eu-west-1", "us-east-1"] {
            let client = &client;
            scope.spawn(move || {
                let resource_type = "AWS::S3::Bucket".parse().unwrap();
                let page = ListDiscoveredResources {
                    resource_type: &resource_type,
                    next_token: None,
                    page: 1,
                };
                client.call(&region(name), &page).unwrap();
                assert_eq!(ELAPSED.get().as_secs(), 111, "{name}");
            });
        }
    });
}
