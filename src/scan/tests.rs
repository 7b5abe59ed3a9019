//! Scans of two regions through the client, against scripted responses.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::account::Flags;
use super::recovery::{Recovery, Standing, classify};
use super::*;
use crate::aws::client::Client;
use crate::aws::client::fake::{self, KEY_ID, SECRET, client, clock, credentials_with_id};
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::error::{CallError, Cause, CredentialsError};
use crate::clock::Clock;
use crate::coverage::{Coverage, RegionCoverage, Status};
use crate::error_log::{Entry, ErrorType};
use crate::http::fake::{FakeResponse, Scripted, answer, answer_with};
use crate::http::{Request, TransportError, TransportErrorKind};
use crate::interrupt::Interrupt;
use crate::inventory::{CountError, Inconsistency, Method, Prefetched};
use crate::model::{AccountId, Region, ResourceType, ResourceTypes};
use crate::recording::VirtualClock;
use crate::workers::Workers;

/// The types of every test, in request order.
const TYPES: [&str; 3] = ["AWS::S3::Bucket", "AWS::EC2::VPC", "AWS::IAM::Role"];

/// The regions of every test, unsorted.
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

fn types() -> Vec<ResourceType> {
    TYPES.iter().map(|t| t.parse().unwrap()).collect()
}

/// Responses of a script by region and type, in which every recorder is recording.
struct Fake {
    http: Arc<Scripted>,
    /// The listings: `eu-west-1 AWS::S3::Bucket`.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(script: impl Fn(&str, &str) -> Result<u64, CountError> + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let listings = requests.clone();
        let http = scripted(move |request| {
            let (region, resource_type) = (region_of(request), type_of(request));
            let listing = format!("{region} {resource_type}");
            listings.lock().unwrap().push(listing);
            match script(&region, &resource_type) {
                Ok(total) => page(&resource_type, total, None),
                Err(error) => response(&resource_type, &error),
            }
        });
        Self { http, requests }
    }

    /// A client that does not retry, without a session token.
    fn client(&self, clock: Arc<VirtualClock>, interrupt: &Interrupt) -> Client {
        let mut transport = fake::transport(self.http.clone(), clock);
        let provider = "the test".to_owned();
        let credentials = ResolvedCredentials::new(KEY_ID, SECRET, None, provider);
        transport.max_attempts = 1;
        transport.interrupt = interrupt.clone();
        Client::new(transport, CachedCredentials::fixed(credentials))
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Returns the responses of `script`, except that every recorder is recording all types.
fn scripted(script: impl Fn(&Request) -> FakeResponse + Send + Sync + 'static) -> Arc<Scripted> {
    Scripted::by(move |request| match request.header("x-amz-target") {
        Some(target) if target.ends_with(".DescribeConfigurationRecorderStatus") => answer(
            200,
            r#"{"ConfigurationRecordersStatus": [{"name": "default", "recording": true, "lastStatus": "SUCCESS"}]}"#,
        ),
        Some(target) if target.ends_with(".DescribeConfigurationRecorders") => answer(
            200,
            r#"{"ConfigurationRecorders": [{"name": "default",
                "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": true}}]}"#,
        ),
        _ => script(request),
    })
}

fn region_of(request: &Request) -> String {
    request.uri.split('.').nth(1).unwrap().to_owned()
}

fn type_of(request: &Request) -> String {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    body["resourceType"].as_str().unwrap().to_owned()
}

fn page(resource_type: &str, total: u64, token: Option<&str>) -> FakeResponse {
    let resource =
        |n: u64| serde_json::json!({"resourceType": resource_type, "resourceId": n.to_string()});
    let resources: Vec<_> = (0..total).map(resource).collect();
    let body = serde_json::json!({"resourceIdentifiers": resources, "nextToken": token});
    answer_with(200, &[("x-amzn-requestid", "r-1")], body.to_string())
}

/// Returns the response that causes `error`.
fn response(resource_type: &str, error: &CountError) -> FakeResponse {
    let with_id = |status, headers: &[(&str, &str)], body: String| {
        answer_with(
            status,
            &[&[("x-amzn-requestid", "r-1")], headers].concat(),
            body,
        )
    };
    let error_body = |code: &str, message: &str| {
        serde_json::json!({"__type": code, "message": message}).to_string()
    };
    match error {
        CountError::Pages { .. } => page(resource_type, 0, Some("again")),
        CountError::Call(error) => match &error.cause {
            Cause::Service {
                code,
                message,
                status,
                ..
            } => with_id(*status, &[], error_body(code, message)),
            Cause::ClockSkew {
                code,
                offset_minutes,
                status,
            } => {
                let now = clock().now() - time::Duration::minutes(*offset_minutes);
                let date = now.format(&Rfc2822).unwrap();
                with_id(*status, &[("date", &date)], error_body(code, "clock"))
            }
            Cause::Unreadable { status, .. } => with_id(*status, &[], String::new()),
            Cause::Transport(error) => Err(error.clone()),
            Cause::Signing(_) | Cause::Credentials(_) => panic!("not a response"),
        },
    }
}

/// The compared part of a cell: its total, or its status if it has no total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Counted(u64),
    Missing(Status),
}
use Cell::{Counted, Missing};

/// The result of a scan.
struct Scanned {
    results: Vec<RegionCoverage>,
    entries: Vec<Entry>,
    /// `eu-west-1 AWS::S3::Bucket THROTTLE message`, in their order.
    lines: Vec<String>,
    /// The regions that were reported as done.
    done: Vec<String>,
    stopped: bool,
}

impl Scanned {
    /// The cells of a region, in the order of [`TYPES`].
    fn cells(&self, region: &str) -> [Cell; 3] {
        let result = self
            .results
            .iter()
            .find(|r| r.result.region.as_str() == region);
        let result = result.expect("every region has a result");
        let mut sorted = types();
        sorted.sort_unstable();
        types()
            .iter()
            .map(|t| &result.cells[sorted.binary_search(t).unwrap()])
            .map(|cell| cell.total().map_or(Missing(cell.status()), Counted))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    }

    fn lines_of(&self, region: &str) -> Vec<&str> {
        let in_region = |line: &&String| line.starts_with(region);
        self.lines
            .iter()
            .filter(in_region)
            .map(|l| &l[region.len() + 1..])
            .collect()
    }
}

fn line(entry: &Entry) -> String {
    let region = entry.region.as_ref().map_or("", Region::as_str);
    let resource_type = entry.resource_type.as_ref();
    let resource_type = resource_type.map_or(String::new(), |t| format!(" {t}"));
    format!(
        "{region}{resource_type} {} {}",
        entry.error_type, entry.message
    )
}

/// Scans [`REGIONS`] × [`TYPES`] on `threads` threads, and asserts the invariants of every scan.
fn run(client: Client, clock: Arc<dyn Clock>, interrupt: &Interrupt, threads: usize) -> Scanned {
    // One listing at a time, as in the specification, gives a fixed order of the types.
    let account = account(client, clock, interrupt, 1);
    let regions = REGIONS.map(|r| r.parse().unwrap());
    let (mut entries, mut done) = (Vec::new(), Vec::new());
    let workers = Workers::new(threads, threads).unwrap();
    let results = super::scan(&workers, &account, &regions, |event| match event {
        ScanEvent::Logged(0, entry) => entries.push(entry),
        ScanEvent::RegionFinished(region) => done.push(region.to_string()),
        _ => panic!("the clock has no ticks, and the account is the only one"),
    });
    let coverage = Coverage::new(results, &account.types, account.method);
    let results = coverage.regions;
    let codes: Vec<&str> = results.iter().map(|r| r.result.region.as_str()).collect();
    assert_eq!(
        codes,
        ["eu-west-1", "us-east-1"],
        "sorted, without duplicates"
    );
    for RegionCoverage { result, cells, .. } in &results {
        assert_eq!(cells.len(), TYPES.len(), "a cell for every type");
        for (resource_type, cell) in coverage.types.iter().zip(cells) {
            let logged = entries.iter().any(|e| {
                e.region.as_ref() == Some(&result.region)
                    && e.resource_type.as_ref().is_none_or(|t| t == resource_type)
            });
            assert!(
                !cell.is_missing() || logged || interrupt.signal().is_some(),
                "{resource_type} in {} is missing without a log line",
                result.region
            );
        }
    }
    Scanned {
        results,
        lines: entries.iter().map(line).collect(),
        entries,
        done,
        stopped: account.was_stopped(),
    }
}

fn account(
    client: Client,
    clock: Arc<dyn Clock>,
    interrupt: &Interrupt,
    region_concurrency: usize,
) -> Arc<AccountScan> {
    Arc::new(AccountScan {
        number: 0,
        client: Arc::new(client),
        method: Method::List,
        types: ResourceTypes::Named(types()),
        region_concurrency,
        time: Duration::from_hours(1),
        prefetched: Prefetched::default(),
        clock,
        interrupt: interrupt.clone(),
        flags: Flags::default(),
    })
}

/// Runs a scripted scan on one thread. Returns the result, the requests and the sleeps.
fn scan(
    script: impl Fn(&str, &str) -> Result<u64, CountError> + Send + Sync + 'static,
) -> (Scanned, Vec<String>, Vec<Duration>) {
    let (fake, clock) = (Fake::new(script), clock());
    let interrupt = Interrupt::default();
    let client = fake.client(clock.clone(), &interrupt);
    let scanned = run(client, clock.clone(), &interrupt, 1);
    (scanned, fake.requests(), clock.sleeps())
}

/// Runs a scan that uses a client, which can also refresh credentials.
fn scan_with_client(client: Client, clock: Arc<dyn Clock>, threads: usize) -> Scanned {
    run(client, clock, &Interrupt::default(), threads)
}

/// Runs a scan in which only the VPCs of eu-west-1 fail, with `error`. The other region is
/// complete.
fn scan_with_error(error: &CountError) -> (Scanned, Vec<String>, Vec<Duration>) {
    let error = error.clone();
    let (scanned, requests, sleeps) = scan(move |region, name| match (region, name) {
        ("eu-west-1", "AWS::EC2::VPC") => Err(error.clone()),
        _ => Ok(7),
    });
    assert_eq!(scanned.cells("us-east-1"), [Counted(7); 3]);
    assert_eq!(scanned.lines_of("us-east-1"), [""; 0]);
    assert!(!scanned.stopped);
    let requests = requests.into_iter().filter(|r| r.starts_with("eu-west-1"));
    (scanned, requests.collect(), sleeps)
}

fn call_error(cause: Cause) -> CountError {
    CountError::Call(CallError {
        region: "eu-west-1".parse().unwrap(),
        request_id: Some("r-1".to_owned()),
        ..fake::call_error(cause)
    })
}

fn service(code: &str) -> CountError {
    call_error(fake::service_cause(code, "the service's text", 400))
}

fn transport(kind: TransportErrorKind) -> CountError {
    call_error(Cause::Transport(TransportError {
        kind,
        message: "a.example: gone".to_owned(),
    }))
}

/// The start of every line about a service error with `code`.
fn error_text(code: &str) -> String {
    format!(
        "config:ListDiscoveredResources failed with {code} (HTTP 400, request id r-1): the \
         service's text"
    )
}

const ALL_REQUESTS: [&str; 3] = [
    "eu-west-1 AWS::S3::Bucket",
    "eu-west-1 AWS::EC2::VPC",
    "eu-west-1 AWS::IAM::Role",
];

/// The cells of a region in which only the VPCs are missing.
fn vpc_missing(why: ErrorType) -> [Cell; 3] {
    [
        Counted(7),
        Missing(Status::from_error_type(why)),
        Counted(7),
    ]
}

/// The cells of a region that ended at its VPCs.
fn vpc_and_later_missing(why: ErrorType) -> [Cell; 3] {
    [
        Counted(7),
        Missing(Status::from_error_type(why)),
        Missing(Status::from_error_type(why)),
    ]
}

/// Returns the number of types of a region without a total.
fn without_total(region: &RegionCoverage) -> usize {
    let cells = region.cells.iter();
    cells.filter(|cell| cell.total().is_none()).count()
}

#[test]
fn all_regions_and_types_are_counted() {
    let (scanned, requests, sleeps) = scan(|region, name| Ok((region.len() + name.len()) as u64));
    assert_eq!(scanned.cells("eu-west-1"), [24, 22, 23].map(Counted));
    assert_eq!(
        requests[0], "us-east-1 AWS::S3::Bucket",
        "in the given order"
    );
    assert_eq!((requests.len(), sleeps.len()), (6, 0));
    assert_eq!(scanned.done, ["us-east-1", "eu-west-1"]);
    assert_eq!(scanned.lines, [""; 0]);
    let result = &scanned.results[0];
    assert_eq!(without_total(result), 0);
    let totals: Vec<_> = result.cells.iter().map(|c| c.total().unwrap()).collect();
    assert_eq!(totals, [22, 23, 24], "by type");
}

#[test]
fn throttle_is_logged_then_waits_one_second() {
    let (scanned, requests, sleeps) = scan_with_error(&service("ThrottlingException"));
    let expected = format!(
        "AWS::EC2::VPC THROTTLE {}; try again later, or scan fewer types",
        error_text("ThrottlingException")
    );
    assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
    assert_eq!(scanned.cells("eu-west-1"), vpc_missing(ErrorType::Throttle));
    // The wait after the type; then the limiter paces the two calls for the recorder.
    assert_eq!(sleeps, [Duration::from_secs(1); 3]);
    assert_eq!(requests, ALL_REQUESTS);
    assert_eq!(without_total(&scanned.results[0]), 1);
}

#[test]
fn missing_recorder_skips_region_with_one_line() {
    for code in [
        "NoAvailableConfigurationRecorderException",
        "NoSuchConfigurationRecorderException",
    ] {
        let (scanned, requests, sleeps) = scan_with_error(&service(code));
        let expected = format!(
            "CONFIG_DISABLED {}; turn on AWS Config in this region, or exclude it with \
             --exclude-regions; 2 types not counted (AWS::EC2::VPC, AWS::IAM::Role)",
            error_text(code)
        );
        assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
        assert_eq!(
            scanned.cells("eu-west-1"),
            [
                Counted(7),
                Missing(Status::RecorderMissing),
                // The other region counts the global type.
                Missing(Status::CountedElsewhere),
            ]
        );
        assert_eq!(requests, ALL_REQUESTS[..2]);
        assert_eq!(sleeps, [Duration::ZERO; 0]);
    }
}

#[test]
fn access_denied_skips_only_the_type() {
    for code in [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
    ] {
        let (scanned, requests, sleeps) = scan_with_error(&service(code));
        let expected = format!(
            "AWS::EC2::VPC PERMISSION {}; allow config:ListDiscoveredResources in the caller's \
             policies and service control policies",
            error_text(code)
        );
        assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
        assert_eq!(
            scanned.cells("eu-west-1"),
            vpc_missing(ErrorType::Permission)
        );
        assert_eq!(requests, ALL_REQUESTS);
        assert_eq!(sleeps, [Duration::ZERO; 0]);
    }
}

#[test]
fn disabled_region_is_skipped_with_one_line() {
    for (code, advice) in [
        (
            "OptInRequired",
            "the account is not subscribed to this service in this region",
        ),
        (
            "UnrecognizedClientException",
            "the region does not accept the account's credentials: enable it",
        ),
        (
            "InvalidClientTokenId",
            "the region does not accept the account's credentials: enable it",
        ),
        (
            "AuthFailure",
            "the region does not accept the account's credentials: enable it",
        ),
    ] {
        let (scanned, requests, _) = scan_with_error(&service(code));
        let expected = format!("REGION_DISABLED {}; {advice}", error_text(code));
        let lines = scanned.lines_of("eu-west-1");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with(&expected), "{}", lines[0]);
        assert!(
            !lines[0].contains("session token"),
            "no session token is set: {}",
            lines[0]
        );
        assert_eq!(
            scanned.cells("eu-west-1"),
            vpc_and_later_missing(ErrorType::RegionDisabled)
        );
        assert_eq!(requests, ALL_REQUESTS[..2]);
    }
}

#[test]
fn unrecognized_key_names_session_token() {
    let clock = clock();
    let http = scripted(|_| answer(400, r#"{"__type": "UnrecognizedClientException"}"#));
    let client = client(http, clock.clone());
    let scanned = scan_with_client(client, clock, 1);
    assert_eq!(scanned.lines.len(), 2, "one for each region");
    for line in &scanned.lines {
        assert!(
            line.ends_with(
                "; if it is enabled, the session token is from the global STS endpoint: get one \
                 from a regional endpoint; all 3 types not counted"
            ),
            "{line}"
        );
    }
}

#[test]
fn connection_error_abandons_region() {
    use TransportErrorKind::{Connection, Dns, Timeout, Tls};
    for (kind, advice) in [
        (Dns, "check the network and the region name"),
        (Connection, "check the network, firewall and endpoint"),
        (Timeout, "check the network, firewall and endpoint"),
        (Tls, "check the certificate bundle"),
    ] {
        let (scanned, requests, sleeps) = scan_with_error(&transport(kind));
        let connection = format!(
            "AWS::EC2::VPC CONNECTION config:ListDiscoveredResources failed with no response: a.example: gone; {advice}"
        );
        let abandoned = "SCAN_FAILED region abandoned, 2 types not counted (AWS::EC2::VPC, \
                         AWS::IAM::Role)";
        assert_eq!(scanned.lines_of("eu-west-1"), [&connection, abandoned]);
        // Only the requested type got the connection error.
        let not_tried = Missing(Status::ConnectionFailed);
        let expected = [Counted(7), Missing(Status::ConnectionFailed), not_tried];
        assert_eq!(scanned.cells("eu-west-1"), expected);
        assert_eq!(requests, ALL_REQUESTS[..2], "the other types are not tried");
        assert_eq!(sleeps, [Duration::ZERO; 0]);
    }
}

#[test]
fn api_error_skips_only_the_type() {
    for code in ["ValidationException", "InternalFailure", "HTTP 500"] {
        let (scanned, requests, _) = scan_with_error(&service(code));
        let expected = format!(
            "AWS::EC2::VPC API_ERROR {}; see the AWS API reference for this error code",
            error_text(code)
        );
        assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
        assert_eq!(scanned.cells("eu-west-1"), vpc_missing(ErrorType::ApiError));
        assert_eq!(requests, ALL_REQUESTS);
    }
}

#[test]
fn incomplete_listing_has_no_row() {
    let (scanned, requests, _) = scan_with_error(&CountError::Pages {
        operation: "ListDiscoveredResources",
        inconsistency: Inconsistency::RepeatedToken("listing"),
        request_id: Some("r-1".to_owned()),
    });
    let expected = "AWS::EC2::VPC API_ERROR config:ListDiscoveredResources returned the same page \
                    token twice: the listing would never end (request id r-1); no row for this type";
    assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
    assert_eq!(scanned.cells("eu-west-1"), vpc_missing(ErrorType::ApiError));
    assert_eq!(requests.len(), 4, "two pages of the VPCs");
}

#[test]
fn unreadable_response_skips_only_the_type() {
    for (error, text) in [
        (
            call_error(Cause::Unreadable {
                max_retries: 0,
                reason: "the body is empty".to_owned(),
                status: 204,
            }),
            " with an unreadable response (HTTP 204, request id r-1): the body is empty",
        ),
        (
            transport(TransportErrorKind::TooLarge),
            " with no response: ",
        ),
        (
            transport(TransportErrorKind::NotRecorded),
            " with no response: ",
        ),
    ] {
        let (scanned, requests, _) = scan_with_error(&error);
        let lines = scanned.lines_of("eu-west-1");
        let expected = "AWS::EC2::VPC UNEXPECTED config:ListDiscoveredResources failed";
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].starts_with(&format!("{expected}{text}")),
            "{}",
            lines[0]
        );
        assert_eq!(
            scanned.cells("eu-west-1"),
            vpc_missing(ErrorType::Unexpected)
        );
        assert_eq!(requests, ALL_REQUESTS);
    }
}

#[test]
fn panic_skips_only_the_type() {
    let (scanned, requests, _) = scan(|region, name| {
        assert!(
            (region, name) != ("eu-west-1", "AWS::EC2::VPC"),
            "index out of range"
        );
        Ok(7)
    });
    assert_eq!(
        scanned.lines,
        ["eu-west-1 AWS::EC2::VPC UNEXPECTED internal error: index out of range"]
    );
    assert_eq!(
        scanned.cells("eu-west-1"),
        vpc_missing(ErrorType::Unexpected)
    );
    assert_eq!(requests.len(), 6);
}

#[test]
fn panicked_task_is_logged_and_region_missing() {
    /// A clock that panics before the first request.
    struct Broken(VirtualClock);
    impl Clock for Broken {
        fn now(&self) -> OffsetDateTime {
            self.0.now()
        }
        fn elapsed(&self) -> Duration {
            panic!("before the first request")
        }
        fn sleep(&self, _: Duration) {}
    }
    let interrupt = Interrupt::default();
    let client = Fake::new(|_, _| Ok(7)).client(clock(), &interrupt);
    let clock = Arc::new(Broken(VirtualClock::new(OffsetDateTime::UNIX_EPOCH)));
    let scanned = run(client, clock, &interrupt, 2);
    let line = "UNEXPECTED internal error: the region's task ended early";
    for region in REGIONS {
        assert_eq!(scanned.lines_of(region), [line]);
        assert_eq!(
            scanned.cells(region),
            [Missing(Status::from_error_type(ErrorType::Unexpected)); 3]
        );
    }
    assert_eq!(scanned.done, REGIONS, "the progress bar is complete");
}

#[test]
fn clock_skew_stops_the_scan() {
    let (scanned, requests, _) = scan(|_, name| match name {
        "AWS::EC2::VPC" => Err(call_error(Cause::ClockSkew {
            code: "InvalidSignatureException".to_owned(),
            offset_minutes: -17,
            status: 400,
        })),
        _ => Ok(7),
    });
    let stopped = "scan stopped by a fatal error (see the FATAL entry)";
    assert_eq!(
        scanned.lines,
        [
            "us-east-1 AWS::EC2::VPC FATAL config:ListDiscoveredResources failed with \
             InvalidSignatureException (HTTP 400, request id r-1): this machine's clock is 17 minutes \
             behind AWS's; set this machine's clock"
                .to_owned(),
            format!(
                "us-east-1 SCAN_FAILED 2 types not counted (AWS::EC2::VPC, AWS::IAM::Role): {stopped}"
            ),
            format!("eu-west-1 SCAN_FAILED all 3 types not counted: {stopped}"),
        ]
    );
    assert_eq!(requests.len(), 2, "no request follows");
    assert!(scanned.stopped);
    assert_eq!(
        scanned.cells("us-east-1"),
        [
            Counted(7),
            Missing(Status::Error),
            Missing(Status::NotTried)
        ],
        "complete counts are kept"
    );
    assert_eq!(
        scanned.cells("eu-west-1"),
        [Missing(Status::from_error_type(ErrorType::ScanFailed)); 3]
    );
}

/// A client whose first credentials expire at the first request that contains `trigger`; later
/// loads return `later`. Every region has two resources of each type.
fn expiring(
    trigger: &'static str,
    later: impl Fn() -> Result<ResolvedCredentials, CredentialsError> + Send + Sync + 'static,
    clock: &Arc<VirtualClock>,
) -> Client {
    let accepts_new = |keys: &ResolvedCredentials| match keys.credentials.access_key_id() {
        "AKIANEWKEY" => Ok("012345678901".parse().unwrap()),
        _ => Err(fake::identity_error("ExpiredToken")),
    };
    expiring_with(trigger, later, accepts_new, clock)
}

/// As [`expiring`], with the responses of GetCallerIdentity.
fn expiring_with(
    trigger: &'static str,
    later: impl Fn() -> Result<ResolvedCredentials, CredentialsError> + Send + Sync + 'static,
    identifier: impl Fn(&ResolvedCredentials) -> Result<AccountId, CredentialsError>
    + Send
    + Sync
    + 'static,
    clock: &Arc<VirtualClock>,
) -> Client {
    let http = scripted(move |request| {
        let body = String::from_utf8(request.body.clone()).unwrap();
        let old = request
            .header("authorization")
            .is_some_and(|a| a.contains(KEY_ID));
        if old && body.contains(trigger) {
            return answer(
                400,
                r#"{"__type": "ExpiredTokenException", "message": "old"}"#,
            );
        }
        let paged = old && !body.contains("nextToken") && body.contains("Bucket");
        let item = |id| serde_json::json!({"resourceType": type_of(request), "resourceId": id});
        let items = [1, 2].map(|n| item(format!("{n} {paged}")));
        let token = paged.then_some("t");
        let body = serde_json::json!({"resourceIdentifiers": items, "nextToken": token});
        answer(200, body.to_string())
    });
    let loads = AtomicUsize::new(0);
    let loader = move |_| match loads.fetch_add(1, Ordering::SeqCst) {
        0 => Ok(credentials_with_id(KEY_ID)),
        _ => later(),
    };
    let credentials = CachedCredentials::load(Box::new(loader), Box::new(identifier)).unwrap();
    credentials
        .record_account(&"012345678901".parse().unwrap())
        .unwrap();
    Client::new(fake::transport(http, clock.clone()), credentials)
}

const EXPIRED: &str = "FATAL config:ListDiscoveredResources failed with ExpiredTokenException \
                       (HTTP 400): old; get new credentials, for example with `aws \
                       sso login`";

#[test]
fn refreshed_credentials_lose_nothing() {
    for threads in [1, 2] {
        let clock = clock();
        let client = expiring("VPC", || Ok(credentials_with_id("AKIANEWKEY")), &clock);
        let scanned = scan_with_client(client, clock, threads);
        assert_eq!(scanned.lines, [""; 0]);
        for region in REGIONS {
            let [_, vpc, role] = scanned.cells(region);
            assert_eq!([vpc, role], [Counted(2); 2]);
        }
        assert!(!scanned.stopped);
    }
}

#[test]
fn page_with_expired_credentials_is_requested_again() {
    let clock = clock();
    // With the old credentials the buckets have two pages, and the second page is refused.
    let client = expiring(
        "nextToken",
        || Ok(credentials_with_id("AKIANEWKEY")),
        &clock,
    );
    let scanned = scan_with_client(client, clock, 1);
    assert_eq!(
        scanned.cells("us-east-1"),
        [Counted(4), Counted(2), Counted(2)],
        "each page is counted once"
    );
    assert_eq!(scanned.lines, [""; 0]);
}

#[test]
fn failed_refresh_stops_scan_and_keeps_counts() {
    type Load = fn() -> Result<ResolvedCredentials, CredentialsError>;
    let same: Load = || Ok(credentials_with_id(KEY_ID));
    let none: Load = || Err(CredentialsError::Setting("no such profile".to_owned()));
    for (later, why) in [
        (same, "the test returned expired credentials again"),
        (none, "no such profile"),
    ] {
        let clock = clock();
        let client = expiring("VPC", later, &clock);
        let scanned = scan_with_client(client, clock, 1);
        assert_eq!(
            scanned.lines,
            [
                format!("us-east-1 AWS::EC2::VPC {EXPIRED} (they could not be refreshed: {why})"),
                format!(
                    "us-east-1 SCAN_FAILED 2 types not counted (AWS::EC2::VPC, AWS::IAM::Role): scan stopped by a fatal error \
                     (see the FATAL entry; {why})"
                ),
                "eu-west-1 SCAN_FAILED all 3 types not counted: scan stopped by a fatal error \
                 (see the FATAL entry)"
                    .to_owned(),
            ]
        );
        assert!(scanned.stopped);
        let [bucket, vpc, _] = scanned.cells("us-east-1");
        assert_eq!(bucket, Counted(4));
        assert_eq!(vpc, Missing(Status::from_error_type(ErrorType::ScanFailed)));
    }
}

#[test]
fn second_expiry_stops_the_scan() {
    let clock = clock();
    // The new access key ID contains the old one, so the server refuses it too.
    let again = format!("NEW{KEY_ID}");
    // The verification after the refresh succeeds, the one after the second expiry fails.
    let verified = AtomicBool::new(false);
    let identifier = move |_: &_| {
        if verified.swap(true, Ordering::SeqCst) {
            Err(fake::identity_error("ExpiredToken"))
        } else {
            Ok("012345678901".parse().unwrap())
        }
    };
    let later = move || Ok(credentials_with_id(&again));
    let client = expiring_with("VPC", later, identifier, &clock);
    let scanned = scan_with_client(client, clock, 1);
    let fatal = scanned.lines.iter().filter(|l| l.contains("FATAL config"));
    assert_eq!(fatal.count(), 1, "{:?}", scanned.lines);
    assert!(
        scanned.lines[1].ends_with("(see the FATAL entry; the refreshed credentials have expired)")
    );
    assert!(scanned.stopped);
}

#[test]
fn refresh_to_another_account_stops_scan_once() {
    for threads in [1, 3] {
        let clock = clock();
        let later = || Ok(credentials_with_id("AKIANEWKEY"));
        let client = expiring_with(
            "VPC",
            later,
            |_| Ok("222222222222".parse().unwrap()),
            &clock,
        );
        let scanned = scan_with_client(client, clock, threads);
        let fatal: Vec<_> = scanned
            .lines
            .iter()
            .filter(|l| l.contains(" FATAL config:"))
            .collect();
        assert_eq!(fatal.len(), 1, "{:?}", scanned.lines);
        assert!(
            fatal[0].ends_with(
                "config:ListDiscoveredResources failed: no valid credentials: the test returned \
                 credentials of another account, 222222222222; this run counts the account \
                 012345678901; do not change the account of the credentials during a run; run again"
            ),
            "{}",
            fatal[0]
        );
        assert!(scanned.stopped);
        for region in REGIONS {
            let [_, vpc, _] = scanned.cells(region);
            assert_eq!(vpc, Missing(Status::NotTried));
        }
    }
}

#[test]
fn rejection_by_one_region_is_confirmed_once() {
    type Case = (&'static str, Status, &'static str);
    let valid: [Case; 3] = [
        ("ExpiredTokenException", Status::Error, "API_ERROR"),
        ("RequestExpired", Status::Error, "API_ERROR"),
        (
            "UnrecognizedClientException",
            Status::RegionDisabled,
            "REGION_DISABLED",
        ),
    ];
    for (code, status, logged) in valid {
        let http = scripted(move |request| match region_of(request).as_str() {
            "eu-west-1" => answer(400, format!(r#"{{"__type": "{code}"}}"#)),
            _ => page(&type_of(request), 7, None),
        });
        let verifications = Arc::new(AtomicUsize::new(0));
        let counted = verifications.clone();
        let identifier = move |_: &_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok("012345678901".parse().unwrap())
        };
        let loader = |_| Ok(credentials_with_id(KEY_ID));
        let credentials = CachedCredentials::load(Box::new(loader), Box::new(identifier));
        let clock = clock();
        let client = Client::new(fake::transport(http, clock.clone()), credentials.unwrap());
        let scanned = scan_with_client(client, clock, 3);
        assert!(!scanned.stopped, "{code}: {:?}", scanned.lines);
        assert_eq!(scanned.cells("us-east-1"), [Counted(7); 3], "{code}");
        assert_eq!(scanned.cells("eu-west-1")[0], Missing(status), "{code}");
        let lines = scanned
            .lines
            .iter()
            .filter(|l| l.contains(&format!(" {logged} ")));
        assert_eq!(lines.count(), 1, "{code}: {:?}", scanned.lines);
        assert_eq!(verifications.load(Ordering::SeqCst), 1, "{code}");
    }
}

#[test]
fn revoked_key_stops_scan() {
    let clock = clock();
    let http = scripted(move |request| match type_of(request).as_str() {
        "AWS::EC2::VPC" => answer(400, r#"{"__type": "UnrecognizedClientException"}"#),
        name => page(name, 7, None),
    });
    let loader = |_| Ok(credentials_with_id(KEY_ID));
    let identifier = |_: &_| Err(fake::identity_error("InvalidClientTokenId"));
    let credentials = CachedCredentials::load(Box::new(loader), Box::new(identifier)).unwrap();
    let client = Client::new(fake::transport(http, clock.clone()), credentials);
    let scanned = scan_with_client(client, clock, 1);
    assert!(scanned.stopped);
    assert!(
        scanned.lines[0].starts_with("us-east-1 AWS::EC2::VPC FATAL ")
            && scanned.lines[0].ends_with("during the run: use other credentials"),
        "{:?}",
        scanned.lines
    );
    assert_eq!(scanned.cells("us-east-1")[0], Counted(7));
    assert!(
        scanned.lines[1..]
            .iter()
            .all(|l| l.contains(" SCAN_FAILED "))
    );
}

#[test]
fn standing_follows_from_get_caller_identity() {
    for (verified, standing) in [
        (Ok(()), Standing::Valid),
        (Err(fake::identity_error("ExpiredToken")), Standing::Invalid),
        (
            Err(fake::identity_error("InvalidClientTokenId")),
            Standing::Invalid,
        ),
        (
            Err(fake::identity_error("SignatureDoesNotMatch")),
            Standing::Invalid,
        ),
        (Err(fake::identity_error("AccessDenied")), Standing::Unknown),
        (Err(fake::identity_error("Throttling")), Standing::Unknown),
        (
            Err(fake::identity_error("ServiceUnavailable")),
            Standing::Unknown,
        ),
        (Err(CredentialsError::NotRefreshable), Standing::Unknown),
    ] {
        let text = format!("{verified:?}");
        assert_eq!(Standing::new(verified), standing, "{text}");
    }
}

#[test]
fn failed_region_does_not_stop_others() {
    let failures = [
        service("ThrottlingException"),
        service("NoAvailableConfigurationRecorderException"),
        service("AccessDeniedException"),
        service("OptInRequired"),
        service("ValidationException"),
        transport(TransportErrorKind::Timeout),
        transport(TransportErrorKind::TooLarge),
    ];
    for error in failures {
        for threads in [1, 2] {
            let error = error.clone();
            let script = move |region: &str, _: &str| match region {
                "us-east-1" => Err(error.clone()),
                _ => Ok(7),
            };
            let (fake, interrupt) = (Fake::new(script), Interrupt::default());
            let client = fake.client(clock(), &interrupt);
            let scanned = run(client, clock(), &interrupt, threads);
            assert_eq!(scanned.cells("eu-west-1"), [Counted(7); 3]);
            assert_eq!(without_total(&scanned.results[1]), 3);
            assert!(!scanned.stopped);
        }
    }
}

#[test]
fn interrupt_stops_without_log_lines() {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    let script = move |region: &str, name: &str| {
        if (region, name) == ("us-east-1", "AWS::EC2::VPC") {
            raised.raise(2);
            return Err(transport(TransportErrorKind::Interrupted));
        }
        Ok(7)
    };
    let fake = Fake::new(script);
    let client = fake.client(clock(), &interrupt);
    let scanned = run(client, clock(), &interrupt, 1);
    assert!(scanned.lines.is_empty(), "{:?}", scanned.lines);
    assert!(scanned.stopped);
    assert_eq!(
        scanned.cells("us-east-1"),
        vpc_and_later_missing(ErrorType::ScanFailed)
    );
    assert_eq!(fake.requests().len(), 2);
    assert_eq!(scanned.done, REGIONS);
}

#[test]
fn log_lines_have_timestamps() {
    let (clock, interrupt) = (clock(), Interrupt::default());
    let fake = Fake::new(|_, _| Err(service("ThrottlingException")));
    let client = fake.client(clock.clone(), &interrupt);
    let scanned = run(client, clock, &interrupt, 1);
    assert_eq!(
        scanned.entries[1].to_string(),
        format!(
            "[2026-11-24T12:00:01.000Z] [THROTTLE] Region: us-east-1, Resource: AWS::EC2::VPC, \
             Message: {}; try again later, or scan fewer types",
            error_text("ThrottlingException")
        )
    );
}

#[test]
fn errors_are_classified_by_specified_table() {
    use ErrorType as E;
    use TransportErrorKind as T;

    for (code, error_type, recovery) in [
        (
            "ThrottlingException",
            Some(E::Throttle),
            Recovery::WaitThenNext,
        ),
        (
            "TooManyRequestsException",
            Some(E::Throttle),
            Recovery::WaitThenNext,
        ),
        (
            "NoAvailableConfigurationRecorderException",
            Some(E::ConfigDisabled),
            Recovery::SkipRegion,
        ),
        (
            "NoSuchConfigurationRecorderException",
            Some(E::ConfigDisabled),
            Recovery::SkipRegion,
        ),
        ("AccessDenied", Some(E::Permission), Recovery::Next),
        ("AccessDeniedException", Some(E::Permission), Recovery::Next),
        ("UnauthorizedOperation", Some(E::Permission), Recovery::Next),
        (
            "OptInRequired",
            Some(E::RegionDisabled),
            Recovery::SkipRegion,
        ),
        (
            "UnrecognizedClientException",
            Some(E::RegionDisabled),
            Recovery::SkipRegion,
        ),
        (
            "InvalidClientTokenId",
            Some(E::RegionDisabled),
            Recovery::SkipRegion,
        ),
        ("AuthFailure", Some(E::RegionDisabled), Recovery::SkipRegion),
        (
            "ResourceNotDiscoveredException",
            Some(E::ApiError),
            Recovery::Next,
        ),
        ("ExpiredToken", Some(E::Fatal), Recovery::StopScan),
        ("ExpiredTokenException", Some(E::Fatal), Recovery::StopScan),
        ("RequestExpired", Some(E::Fatal), Recovery::StopScan),
        ("ValidationException", Some(E::ApiError), Recovery::Next),
        ("SignatureDoesNotMatch", Some(E::ApiError), Recovery::Next),
        ("RequestTimeout", Some(E::ApiError), Recovery::Next),
        ("UnknownCode", Some(E::ApiError), Recovery::Next),
    ] {
        assert_eq!(classify(&service(code)), (error_type, recovery), "{code}");
    }
    for (kind, error_type, recovery) in [
        (T::Dns, Some(E::Connection), Recovery::AbandonRegion),
        (T::Connection, Some(E::Connection), Recovery::AbandonRegion),
        (T::Timeout, Some(E::Connection), Recovery::AbandonRegion),
        (T::Tls, Some(E::Connection), Recovery::AbandonRegion),
        (T::TooLarge, Some(E::Unexpected), Recovery::Next),
        (T::NotRecorded, Some(E::Unexpected), Recovery::Next),
        (T::Interrupted, None, Recovery::StopScan),
    ] {
        assert_eq!(
            classify(&transport(kind)),
            (error_type, recovery),
            "{kind:?}"
        );
    }
    let clock = call_error(Cause::ClockSkew {
        code: "RequestExpired".to_owned(),
        offset_minutes: 9,
        status: 400,
    });
    assert_eq!(classify(&clock), (Some(E::Fatal), Recovery::StopScan));
    let listing = CountError::Pages {
        operation: "ListDiscoveredResources",
        inconsistency: Inconsistency::RepeatedToken("listing"),
        request_id: None,
    };
    assert_eq!(classify(&listing), (Some(E::ApiError), Recovery::Next));
}

/// Returns the log lines and the cells of a region whose three types are listed concurrently: no type gets a response
/// before all three are requested.
fn together(
    script: impl Fn(&str) -> Result<u64, CountError> + Send + Sync + 'static,
) -> (Vec<String>, Vec<(Status, Option<u64>)>) {
    let all = Barrier::new(3);
    let fake = Fake::new(move |_, resource_type| {
        all.wait();
        script(resource_type)
    });
    let (clock, interrupt) = (clock(), Interrupt::default());
    let client = fake.client(clock.clone(), &interrupt);
    let account = account(client, clock, &interrupt, 3);
    let mut lines = Vec::new();
    let regions = ["eu-west-1".parse().unwrap()];
    let workers = Workers::new(4, 4).unwrap();
    let results = super::scan(&workers, &account, &regions, |event| {
        if let ScanEvent::Logged(_, entry) = event {
            lines.push(line(&entry));
        }
    });
    let coverage = Coverage::new(results, &account.types, account.method);
    let cells = coverage.cells().map(|(_, _, c)| (c.status(), c.total()));
    (lines, cells.collect())
}

#[test]
fn types_of_a_region_are_listed_concurrently() {
    let (lines, cells) = together(|name| Ok(name.len() as u64));
    assert_eq!(lines, [""; 0]);
    let totals: Vec<_> = cells.into_iter().map(|(_, total)| total.unwrap()).collect();
    assert_eq!(totals, [13, 14, 15]);
}

#[test]
fn shared_error_of_types_is_logged_once() {
    let (lines, cells) = together(|_| Err(service("NoAvailableConfigurationRecorderException")));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(cells, [(Status::RecorderMissing, None); 3]);

    let (lines, cells) = together(|_| Err(transport(TransportErrorKind::Connection)));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains(" CONNECTION "), "{lines:?}");
    assert!(
        lines[1].ends_with("region abandoned, all 3 types not counted"),
        "{lines:?}"
    );
    assert_eq!(cells, [(Status::ConnectionFailed, None); 3]);

    let (lines, _) = together(|_| Err(service("AccessDeniedException")));
    assert_eq!(lines.len(), 3, "a permission may differ by type: {lines:?}");
}

#[test]
fn complete_listings_count_in_abandoned_region() {
    let (lines, cells) = together(|name| match name {
        "AWS::EC2::VPC" => Err(transport(TransportErrorKind::Connection)),
        _ => Ok(7),
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[1].ends_with("region abandoned, 1 type not counted (AWS::EC2::VPC)"),
        "{lines:?}"
    );
    let counted = (Status::Counted, Some(7));
    assert_eq!(cells, [(Status::ConnectionFailed, None), counted, counted]);
}
