use std::collections::BTreeMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, OnceLock, Weak};
use std::time::Duration;

use super::verdict::{Then, verdict};
use time::OffsetDateTime;

use super::*;
use crate::aws::client::fake::{KEY_ID, client, clock, keys_of, parts};
use crate::aws::error::ErrorKind;
use crate::aws::error::{CallError, Cause};
use crate::aws::keyring::{CredentialsError, Keyring, Resolved};
use crate::aws::protocol::Unreadable;
use crate::clock::VirtualClock;
use crate::count::{Counter, Counts, Listed};
use crate::coverage::{RegionCoverage, Running, Status};
use crate::http::fake::{Scripted, answer};
use crate::http::{TransportError, TransportErrorKind};

/// The types of every test, in the order in which they are asked for.
const TYPES: [&str; 3] = ["AWS::S3::Bucket", "AWS::EC2::VPC", "AWS::IAM::Role"];

/// The regions of every test, unsorted.
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

fn types() -> Vec<ResourceType> {
    TYPES.iter().map(|t| t.parse().unwrap()).collect()
}

/// Counts each type by itself, by a script, and keeps what it was asked for.
struct Fake<F> {
    script: F,
    asked: Mutex<Vec<String>>,
}

impl<F: Fn(&str, &str) -> Result<u64, CountError> + Send + Sync> CountResources for Fake<F> {
    fn counts(&self, _: &Region, _: &ResourceTypes) -> Result<Counts, CountError> {
        panic!("nobody asked for counts")
    }

    fn list(&self, region: &Region, resource_type: &ResourceType) -> Result<Listed, CountError> {
        let (region, name) = (region.as_str(), resource_type.as_str());
        self.asked.lock().unwrap().push(format!("{region} {name}"));
        let total = (self.script)(region, name)?;
        let ids = Vec::new();
        Ok(Listed { total, ids })
    }
}

impl<F> Fake<F> {
    fn new(script: F) -> Arc<Self> {
        Arc::new(Self {
            script,
            asked: Mutex::default(),
        })
    }
}

/// What is looked at of a cell: its total, or its status where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Counted(u64),
    Lost(Status),
}
use Cell::{Counted, Lost};

/// A recorder that runs and records everything.
fn recording(_: &Region, _: &dyn Fn(&CallError) -> bool) -> Recorder {
    Recorder {
        running: Ok(Running::Recording),
        group: Ok(serde_json::from_str(r#"{"includeGlobalResourceTypes": true}"#).unwrap()),
    }
}

/// What a scan came to.
struct Scanned {
    results: Vec<RegionCoverage>,
    entries: Vec<Entry>,
    /// `eu-west-1 AWS::S3::Bucket THROTTLE message`, in their order.
    lines: Vec<String>,
    /// The regions that were told to be done.
    done: Vec<String>,
    stopped: bool,
}

impl Scanned {
    /// A region's cells in the order of [`TYPES`].
    fn cells(&self, region: &str) -> [Cell; 3] {
        let result = self.results.iter().find(|r| r.region.as_str() == region);
        let result = result.expect("every region has a result");
        types()
            .iter()
            .map(|t| result.cells.get(t).unwrap())
            .map(|cell| cell.total().map_or(Lost(cell.status), Counted))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap()
    }

    fn lines_of(&self, region: &str) -> Vec<&str> {
        let own = |line: &&String| line.starts_with(region);
        self.lines
            .iter()
            .filter(own)
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

/// Scans [`REGIONS`] × [`TYPES`] on `threads` threads, and holds what is true of every scan.
fn run(
    counter: Arc<dyn CountResources>,
    client: Option<Arc<Client>>,
    clock: Arc<dyn Clock>,
    interrupt: &Interrupt,
    threads: usize,
) -> Scanned {
    let scan = Arc::new(Scan {
        counter,
        method: Method::List,
        // The order of the types is that of the specification's one task per region.
        region_concurrency: 1,
        recorder: Box::new(recording),
        client,
        clock,
        interrupt: interrupt.clone(),
        types: ResourceTypes::Named(types()),
        flags: Flags::default(),
    });
    let regions = REGIONS.map(|r| r.parse().unwrap());
    let (mut entries, mut done) = (Vec::new(), Vec::new());
    let mut pool = Pool::new(threads).unwrap();
    let coverage = scan.run(&mut pool, &regions, Vec::new(), |event| match event {
        Event::Incident(entry) => entries.push(entry),
        Event::Done(region) => done.push(region.to_string()),
    });
    let results = coverage.regions;
    let codes: Vec<&str> = results.iter().map(|r| r.region.as_str()).collect();
    assert_eq!(codes, ["eu-west-1", "us-east-1"], "sorted, each once");
    for result in &results {
        assert_eq!(
            result.cells.values().len(),
            TYPES.len(),
            "a cell for every type"
        );
        for (resource_type, cell) in result.cells.iter() {
            assert_eq!(
                cell.missing,
                cell.total().is_none(),
                "no type is counted elsewhere"
            );
            let lost = cell.missing;
            let told = entries.iter().any(|e| {
                e.region.as_ref() == Some(&result.region)
                    && e.resource_type.as_ref().is_none_or(|t| t == resource_type)
            });
            assert!(
                !lost || told || interrupt.signal().is_some(),
                "{resource_type} in {} was lost without a line",
                result.region
            );
        }
    }
    Scanned {
        results,
        lines: entries.iter().map(line).collect(),
        entries,
        done,
        stopped: scan.was_stopped(),
    }
}

/// A scan by a script, one region after the other; also what was asked for, and the sleeps.
fn scan(
    script: impl Fn(&str, &str) -> Result<u64, CountError> + Send + Sync + 'static,
) -> (Scanned, Vec<String>, Vec<Duration>) {
    let (counter, clock) = (Fake::new(script), clock());
    let none = Interrupt::default();
    let scanned = run(counter.clone(), None, clock.clone(), &none, 1);
    let asked = counter.asked.lock().unwrap().clone();
    (scanned, asked, clock.sleeps())
}

/// A scan through a client, which brings new keys too.
fn through(client: Client, clock: Arc<dyn Clock>, threads: usize) -> Scanned {
    let client = Arc::new(client);
    let counter = Arc::new(Counter::new(client.clone()));
    run(counter, Some(client), clock, &Interrupt::default(), threads)
}

/// A scan where only the VPCs of eu-west-1 fail, with `error`. The other region is always whole.
fn scan_with(error: &CountError) -> (Scanned, Vec<String>, Vec<Duration>) {
    let error = error.clone();
    let (scanned, asked, sleeps) = scan(move |region, name| match (region, name) {
        ("eu-west-1", "AWS::EC2::VPC") => Err(error.clone()),
        _ => Ok(7),
    });
    assert_eq!(scanned.cells("us-east-1"), [Counted(7); 3]);
    assert_eq!(scanned.lines_of("us-east-1"), [""; 0]);
    assert!(!scanned.stopped);
    let own = asked.into_iter().filter(|a| a.starts_with("eu-west-1"));
    (scanned, own.collect(), sleeps)
}

fn call_error(cause: Cause) -> CountError {
    CountError::Call(CallError {
        service: Service::Config,
        operation: "ListDiscoveredResources",
        region: "eu-west-1".parse().unwrap(),
        attempts: 1,
        request_id: Some("r-1".to_owned()),
        generation: 0,
        cause,
    })
}

fn service(code: &str) -> CountError {
    call_error(Cause::Service {
        kind: ErrorKind::of(code, 400),
        code: code.to_owned(),
        message: "the service's text".to_owned(),
        status: 400,
    })
}

fn transport(kind: TransportErrorKind) -> CountError {
    call_error(Cause::Transport(TransportError {
        kind,
        message: "a.example: gone".to_owned(),
    }))
}

/// What every line about a service's answer with `code` begins with.
fn told(code: &str) -> String {
    format!(
        "config:ListDiscoveredResources failed with {code} (HTTP 400, request id r-1): the \
         service's text"
    )
}

const ALL_ASKED: [&str; 3] = [
    "eu-west-1 AWS::S3::Bucket",
    "eu-west-1 AWS::EC2::VPC",
    "eu-west-1 AWS::IAM::Role",
];

/// The cells of a region that lost its VPCs alone.
fn one_lost(why: ErrorType) -> [Cell; 3] {
    [Counted(7), Lost(Status::of(why)), Counted(7)]
}

/// The cells of a region that ended at its VPCs.
fn rest_lost(why: ErrorType) -> [Cell; 3] {
    [Counted(7), Lost(Status::of(why)), Lost(Status::of(why))]
}

#[test]
fn everything_is_counted_in_every_region() {
    let (scanned, asked, sleeps) = scan(|region, name| Ok((region.len() + name.len()) as u64));
    assert_eq!(scanned.cells("eu-west-1"), [24, 22, 23].map(Counted));
    assert_eq!(asked[0], "us-east-1 AWS::S3::Bucket", "in the order given");
    assert_eq!((asked.len(), sleeps.len()), (6, 0));
    assert_eq!(scanned.done, ["us-east-1", "eu-west-1"]);
    assert_eq!(scanned.lines, [""; 0]);
    let result = &scanned.results[0];
    assert_eq!(result.missing(), 0);
    let totals: Vec<_> = result
        .cells
        .values()
        .iter()
        .map(|c| c.total().unwrap())
        .collect();
    assert_eq!(totals, [22, 23, 24], "by type");
}

#[test]
fn a_throttle_is_logged_then_a_second_slept_then_the_next_type() {
    let (scanned, asked, sleeps) = scan_with(&service("ThrottlingException"));
    let expected = format!(
        "AWS::EC2::VPC THROTTLE {}; run again later, or ask for fewer types",
        told("ThrottlingException")
    );
    assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
    assert_eq!(scanned.cells("eu-west-1"), one_lost(ErrorType::Throttle));
    assert_eq!(sleeps, [Duration::from_secs(1)]);
    assert_eq!(asked, ALL_ASKED);
    assert_eq!(scanned.results[0].missing(), 1);
}

#[test]
fn config_disabled_skips_the_region_with_one_line() {
    for code in [
        "NoAvailableConfigurationRecorderException",
        "NoSuchConfigurationRecorderException",
    ] {
        let (scanned, asked, sleeps) = scan_with(&service(code));
        let expected = format!(
            "CONFIG_DISABLED {}; turn AWS Config on in this region, or leave it out with \
             --exclude-regions",
            told(code)
        );
        assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
        assert_eq!(
            scanned.cells("eu-west-1"),
            rest_lost(ErrorType::ConfigDisabled)
        );
        assert_eq!(asked, ALL_ASKED[..2]);
        assert_eq!(sleeps, [Duration::ZERO; 0]);
    }
}

#[test]
fn permission_skips_the_type_alone() {
    for code in [
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
    ] {
        let (scanned, asked, sleeps) = scan_with(&service(code));
        let expected = format!(
            "AWS::EC2::VPC PERMISSION {}; allow config:ListDiscoveredResources in the caller's \
             policies and service control policies",
            told(code)
        );
        assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
        assert_eq!(scanned.cells("eu-west-1"), one_lost(ErrorType::Permission));
        assert_eq!(asked, ALL_ASKED);
        assert_eq!(sleeps, [Duration::ZERO; 0]);
    }
}

#[test]
fn region_disabled_skips_the_region_with_one_line() {
    for (code, advice) in [
        ("OptInRequired", "the account has no subscription"),
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
        let (scanned, asked, _) = scan_with(&service(code));
        let expected = format!("REGION_DISABLED {}; {advice}", told(code));
        let lines = scanned.lines_of("eu-west-1");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with(&expected), "{}", lines[0]);
        assert!(
            !lines[0].contains("session token"),
            "there is none: {}",
            lines[0]
        );
        assert_eq!(
            scanned.cells("eu-west-1"),
            rest_lost(ErrorType::RegionDisabled)
        );
        assert_eq!(asked, ALL_ASKED[..2]);
    }
}

#[test]
fn a_task_is_told_of_as_long_as_it_may_ask() {
    for threads in [1, 4] {
        let (clock, itself) = (clock(), Arc::new(OnceLock::<Weak<Scripted>>::new()));
        let asked = itself.clone();
        let http = Scripted::by(move |request| {
            let http = asked.get().unwrap().upgrade().unwrap();
            let left = http.askers_left(&request.uri);
            assert!(left.is_some_and(|tasks| tasks > 0), "{left:?}");
            answer(200, r#"{"resourceIdentifiers": []}"#)
        });
        itself.set(Arc::downgrade(&http)).unwrap();
        let client = client(http.clone(), clock.clone());
        let scanned = through(client, clock, threads);
        assert_eq!(scanned.lines, [""; 0]);
        for region in REGIONS {
            let uri = format!("https://config.{region}.amazonaws.com/");
            assert_eq!(http.askers_left(&uri), Some(0), "{region}");
        }
    }
}

#[test]
fn a_session_token_is_named_where_a_region_does_not_know_the_key() {
    let clock = clock();
    let http = Scripted::by(|_| answer(400, r#"{"__type": "UnrecognizedClientException"}"#));
    let client = client(http, clock.clone());
    let scanned = through(client, clock, 1);
    assert_eq!(scanned.lines.len(), 2, "one for each region");
    for line in &scanned.lines {
        assert!(
            line.ends_with(
                "; if it is enabled, the session token is one of the global STS endpoint: get it \
                 from a regional one"
            ),
            "{line}"
        );
    }
}

#[test]
fn connection_then_scan_failed_gives_the_region_up() {
    use TransportErrorKind::{Connection, Dns, Timeout, Tls};
    for (kind, advice) in [
        (
            Dns,
            "check the network, and that the region's code is right",
        ),
        (Connection, "check the network, a firewall and the endpoint"),
        (Timeout, "check the network, a firewall and the endpoint"),
        (Tls, "check the certificate bundle"),
    ] {
        let (scanned, asked, sleeps) = scan_with(&transport(kind));
        let connection = format!(
            "AWS::EC2::VPC CONNECTION config:ListDiscoveredResources failed with no answer: a.example: gone; {advice}"
        );
        let given_up = "SCAN_FAILED region given up, 2 types not counted";
        assert_eq!(scanned.lines_of("eu-west-1"), [&connection, given_up]);
        // Only the type that was asked for met the network.
        let rest = Lost(Status::NotTried);
        let expected = [Counted(7), Lost(Status::ConnectionFailed), rest];
        assert_eq!(scanned.cells("eu-west-1"), expected);
        assert_eq!(asked, ALL_ASKED[..2], "not one type after the other");
        assert_eq!(sleeps, [Duration::ZERO; 0]);
    }
}

#[test]
fn api_error_skips_the_type_alone() {
    for code in ["ValidationException", "InternalFailure", "HTTP 500"] {
        let (scanned, asked, _) = scan_with(&service(code));
        let expected = format!(
            "AWS::EC2::VPC API_ERROR {}; look the code up in the service's API reference",
            told(code)
        );
        assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
        assert_eq!(scanned.cells("eu-west-1"), one_lost(ErrorType::ApiError));
        assert_eq!(asked, ALL_ASKED);
    }
}

#[test]
fn a_listing_that_breaks_off_has_no_row() {
    let (scanned, asked, _) = scan_with(&CountError::Pages {
        operation: "ListDiscoveredResources",
        why: "the same page token twice".to_owned(),
        request_id: Some("r-1".to_owned()),
    });
    let expected = "AWS::EC2::VPC API_ERROR config:ListDiscoveredResources gave the same page \
                    token twice (request id r-1); no row for this type";
    assert_eq!(scanned.lines_of("eu-west-1"), [expected]);
    assert_eq!(scanned.cells("eu-west-1"), one_lost(ErrorType::ApiError));
    assert_eq!(asked, ALL_ASKED);
}

#[test]
fn an_unreadable_answer_is_unexpected_and_the_next_type_follows() {
    for (error, text) in [
        (
            call_error(Cause::Unreadable {
                what: Unreadable::foreign("the body is empty"),
                status: 204,
            }),
            "an answer that cannot be read (HTTP 204, request id r-1): the body is empty",
        ),
        (transport(TransportErrorKind::TooLarge), "no answer: "),
        (transport(TransportErrorKind::NotRecorded), "no answer: "),
        (
            call_error(Cause::Unsigned("no host".to_owned())),
            "a request that cannot be signed: no host",
        ),
    ] {
        let (scanned, asked, _) = scan_with(&error);
        let lines = scanned.lines_of("eu-west-1");
        let expected = "AWS::EC2::VPC UNEXPECTED config:ListDiscoveredResources failed with ";
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].starts_with(&format!("{expected}{text}")),
            "{}",
            lines[0]
        );
        assert_eq!(scanned.cells("eu-west-1"), one_lost(ErrorType::Unexpected));
        assert_eq!(asked, ALL_ASKED);
    }
}

#[test]
fn a_panic_takes_its_type_alone() {
    let (scanned, asked, _) = scan(|region, name| {
        assert!(
            (region, name) != ("eu-west-1", "AWS::EC2::VPC"),
            "index out of range"
        );
        Ok(7)
    });
    assert_eq!(
        scanned.lines,
        ["eu-west-1 AWS::EC2::VPC UNEXPECTED a fault of the program: index out of range"]
    );
    assert_eq!(scanned.cells("eu-west-1"), one_lost(ErrorType::Unexpected));
    assert_eq!(asked.len(), 6);
}

#[test]
fn a_task_that_ends_without_a_word_loses_its_region_and_says_so() {
    /// Fails outside of any step.
    struct Broken(VirtualClock);
    impl Clock for Broken {
        fn now(&self) -> OffsetDateTime {
            self.0.now()
        }
        fn elapsed(&self) -> Duration {
            panic!("before anything was counted")
        }
        fn sleep(&self, _: Duration) {}
    }
    let counter = Fake::new(|_: &str, _: &str| Ok(7));
    let clock = Arc::new(Broken(VirtualClock::new(OffsetDateTime::UNIX_EPOCH)));
    let scanned = run(counter, None, clock, &Interrupt::default(), 2);
    let told = "UNEXPECTED the region's task ended early: this is a fault of the program";
    for region in REGIONS {
        assert_eq!(scanned.lines_of(region), [told]);
        assert_eq!(
            scanned.cells(region),
            [Lost(Status::of(ErrorType::Unexpected)); 3]
        );
    }
    assert_eq!(scanned.done, REGIONS, "the bar reaches its end");
}

#[test]
fn a_clock_that_is_off_stops_the_scan() {
    let (scanned, asked, _) = scan(|_, name| match name {
        "AWS::EC2::VPC" => Err(call_error(Cause::Clock {
            code: "InvalidSignatureException".to_owned(),
            offset_minutes: -17,
            status: 400,
        })),
        _ => Ok(7),
    });
    let stopped = "types not counted: the run was stopped by what FATAL tells";
    assert_eq!(
        scanned.lines,
        [
            "us-east-1 AWS::EC2::VPC FATAL config:ListDiscoveredResources failed with \
             InvalidSignatureException (HTTP 400, request id r-1): this machine's clock is 17 minutes \
             behind AWS's; set this machine's clock"
                .to_owned(),
            format!("us-east-1 SCAN_FAILED 2 {stopped}"),
            format!("eu-west-1 SCAN_FAILED 3 {stopped}"),
        ]
    );
    assert_eq!(asked.len(), 2, "nobody is asked after that");
    assert!(scanned.stopped);
    assert_eq!(
        scanned.cells("us-east-1"),
        [Counted(7), Lost(Status::Error), Lost(Status::NotTried)],
        "what there is is kept"
    );
    assert_eq!(
        scanned.cells("eu-west-1"),
        [Lost(Status::of(ErrorType::ScanFailed)); 3]
    );
}

/// A client whose first keys expire at their first request for `expiring`; later loads are
/// `later`. Every region has two of each type.
fn expiring(
    expiring: &'static str,
    later: impl Fn() -> Result<Resolved, CredentialsError> + Send + Sync + 'static,
    clock: &Arc<VirtualClock>,
) -> Client {
    let http = Scripted::by(move |request| {
        let body = String::from_utf8(request.body.clone()).unwrap();
        let old = request
            .header("authorization")
            .is_some_and(|a| a.contains(KEY_ID));
        if old && body.contains(expiring) {
            return answer(
                400,
                r#"{"__type": "ExpiredTokenException", "message": "old"}"#,
            );
        }
        let paged = old && !body.contains("nextToken") && body.contains("Bucket");
        let token = if paged { r#", "nextToken": "t""# } else { "" };
        answer(
            200,
            format!(
                r#"{{"resourceIdentifiers": [{{"resourceId": "a{paged}"}}, {{"resourceId": "b"}}]{token}}}"#
            ),
        )
    });
    let loads = AtomicUsize::new(0);
    let mut parts = parts(http, clock.clone());
    parts.keyring = Keyring::load(Box::new(move |_| {
        match loads.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(keys_of(KEY_ID)),
            _ => later(),
        }
    }))
    .unwrap();
    Client::new(parts)
}

const EXPIRED: &str = "FATAL config:ListDiscoveredResources failed with ExpiredTokenException \
                       (HTTP 400): old; get new credentials (with `aws sso \
                       login`, for instance)";

#[test]
fn expired_credentials_are_fatal_once_and_renewed_ones_go_on() {
    for threads in [1, 2] {
        let clock = clock();
        let client = expiring("VPC", || Ok(keys_of("AKIANEWKEY")), &clock);
        let scanned = through(client, clock, threads);
        assert_eq!(scanned.lines.len(), 1, "{:?}", scanned.lines);
        assert!(
            scanned.lines[0].ends_with(&format!(" AWS::EC2::VPC {EXPIRED}")),
            "{}",
            scanned.lines[0]
        );
        for region in REGIONS {
            let [_, vpc, role] = scanned.cells(region);
            assert_eq!([vpc, role], [Counted(2); 2]);
        }
        assert!(!scanned.stopped);
    }
}

#[test]
fn a_listing_whose_credentials_expire_between_pages_begins_anew() {
    let clock = clock();
    // With the old keys the buckets have two pages, and the second one is refused.
    let client = expiring("nextToken", || Ok(keys_of("AKIANEWKEY")), &clock);
    let scanned = through(client, clock, 1);
    assert_eq!(scanned.cells("us-east-1"), [Counted(2); 3], "no page twice");
    assert_eq!(scanned.lines.len(), 1);
}

#[test]
fn expired_credentials_that_cannot_be_renewed_stop_the_scan_and_keep_what_there_is() {
    for (later, why) in [
        (
            Ok(keys_of(KEY_ID)),
            "the keys of the test are still the expired ones",
        ),
        (
            Err(CredentialsError("no such profile".to_owned())),
            "no such profile",
        ),
    ] {
        let clock = clock();
        let client = expiring("VPC", move || later.clone(), &clock);
        let scanned = through(client, clock, 1);
        assert_eq!(
            scanned.lines,
            [
                format!("us-east-1 AWS::EC2::VPC {EXPIRED}"),
                format!(
                    "us-east-1 SCAN_FAILED 2 types not counted: the run was stopped by what FATAL \
                     tells ({why})"
                ),
                "eu-west-1 SCAN_FAILED 3 types not counted: the run was stopped by what FATAL \
                 tells"
                    .to_owned(),
            ]
        );
        assert!(scanned.stopped);
        let [bucket, vpc, _] = scanned.cells("us-east-1");
        assert_eq!(bucket, Counted(4));
        assert_eq!(vpc, Lost(Status::of(ErrorType::ScanFailed)));
    }
}

#[test]
fn credentials_that_expire_a_second_time_stop_the_scan() {
    let clock = clock();
    // The new keys end like the old ones, so they are taken for expired too.
    let again = format!("NEW{KEY_ID}");
    let client = expiring("VPC", move || Ok(keys_of(&again)), &clock);
    let scanned = through(client, clock, 1);
    let fatal = scanned.lines.iter().filter(|l| l.contains("FATAL config"));
    assert_eq!(fatal.count(), 1, "{:?}", scanned.lines);
    assert!(scanned.lines[1].ends_with("(they expired a second time)"));
    assert!(scanned.stopped);
}

#[test]
fn one_regions_failure_never_stops_the_rest() {
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
            let counter = Fake::new(script);
            let scanned = run(counter, None, clock(), &Interrupt::default(), threads);
            assert_eq!(scanned.cells("eu-west-1"), [Counted(7); 3]);
            assert_eq!(scanned.results[1].missing(), 3);
            assert!(!scanned.stopped);
        }
    }
}

#[test]
fn regions_side_by_side_do_not_use_up_each_others_time() {
    // Nine waits of a throttled call are 111 s of the 120 that it may take, in either region.
    let both = std::sync::Barrier::new(2);
    let (first, n) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let http = Scripted::by(move |request| {
        if first.fetch_add(1, Ordering::SeqCst) < 2 {
            both.wait();
        }
        let mut n = n.lock().unwrap();
        let n: &mut u32 = n.entry(request.uri.clone()).or_default();
        *n += 1;
        if *n < 10 {
            return answer(400, r#"{"__type": "ThrottlingException"}"#);
        }
        answer(200, r#"{"resourceIdentifiers": []}"#)
    });
    let clock = clock();
    let mut parts = parts(http, clock.clone());
    parts.chance = || 1.0;
    let client = Client::new(parts);
    let scanned = through(client, clock, 2);
    assert!(scanned.lines.is_empty(), "{:?}", scanned.lines);
}

#[test]
fn an_interrupt_stops_quietly() {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    let script = move |region: &str, name: &str| {
        if (region, name) == ("us-east-1", "AWS::EC2::VPC") {
            raised.raise(2);
            return Err(transport(TransportErrorKind::Interrupted));
        }
        Ok(7)
    };
    let counter = Fake::new(script);
    let scanned = run(counter.clone(), None, clock(), &interrupt, 1);
    assert!(scanned.lines.is_empty(), "{:?}", scanned.lines);
    assert!(scanned.stopped);
    assert_eq!(scanned.cells("us-east-1"), rest_lost(ErrorType::ScanFailed));
    assert_eq!(counter.asked.lock().unwrap().len(), 2);
    assert_eq!(scanned.done, REGIONS);
}

#[test]
fn incidents_carry_their_time() {
    let counter = Fake::new(|_: &str, _: &str| Err(service("ThrottlingException")));
    let scanned = run(counter, None, clock(), &Interrupt::default(), 1);
    assert_eq!(
        scanned.entries[1].to_string(),
        format!(
            "[2026-11-24T12:00:01.000Z] [THROTTLE] Region: us-east-1, Resource: AWS::EC2::VPC, \
             Message: {}; run again later, or ask for fewer types",
            told("ThrottlingException")
        )
    );
}

#[test]
fn the_verdicts_of_the_table() {
    use ErrorType as E;
    use TransportErrorKind as T;

    for (code, error_type, then) in [
        ("ThrottlingException", Some(E::Throttle), Then::WaitThenNext),
        (
            "TooManyRequestsException",
            Some(E::Throttle),
            Then::WaitThenNext,
        ),
        (
            "NoAvailableConfigurationRecorderException",
            Some(E::ConfigDisabled),
            Then::SkipRegion,
        ),
        (
            "NoSuchConfigurationRecorderException",
            Some(E::ConfigDisabled),
            Then::SkipRegion,
        ),
        ("AccessDenied", Some(E::Permission), Then::Next),
        ("AccessDeniedException", Some(E::Permission), Then::Next),
        ("UnauthorizedOperation", Some(E::Permission), Then::Next),
        ("OptInRequired", Some(E::RegionDisabled), Then::SkipRegion),
        (
            "UnrecognizedClientException",
            Some(E::RegionDisabled),
            Then::SkipRegion,
        ),
        (
            "InvalidClientTokenId",
            Some(E::RegionDisabled),
            Then::SkipRegion,
        ),
        ("AuthFailure", Some(E::RegionDisabled), Then::SkipRegion),
        (
            "ResourceNotDiscoveredException",
            Some(E::ApiError),
            Then::Next,
        ),
        ("ExpiredToken", Some(E::Fatal), Then::Renew),
        ("ExpiredTokenException", Some(E::Fatal), Then::Renew),
        ("RequestExpired", Some(E::Fatal), Then::Renew),
        ("ValidationException", Some(E::ApiError), Then::Next),
        ("SignatureDoesNotMatch", Some(E::ApiError), Then::Next),
        ("RequestTimeout", Some(E::ApiError), Then::Next),
        ("NobodyKnowsThisOne", Some(E::ApiError), Then::Next),
    ] {
        assert_eq!(verdict(&service(code)), (error_type, then), "{code}");
    }
    for (kind, error_type, then) in [
        (T::Dns, Some(E::Connection), Then::GiveUpRegion),
        (T::Connection, Some(E::Connection), Then::GiveUpRegion),
        (T::Timeout, Some(E::Connection), Then::GiveUpRegion),
        (T::Tls, Some(E::Connection), Then::GiveUpRegion),
        (T::TooLarge, Some(E::Unexpected), Then::Next),
        (T::NotRecorded, Some(E::Unexpected), Then::Next),
        (T::Interrupted, None, Then::StopScan),
    ] {
        assert_eq!(verdict(&transport(kind)), (error_type, then), "{kind:?}");
    }
    let clock = call_error(Cause::Clock {
        code: "RequestExpired".to_owned(),
        offset_minutes: 9,
        status: 400,
    });
    assert_eq!(verdict(&clock), (Some(E::Fatal), Then::StopScan));
    let listing = CountError::Pages {
        operation: "ListDiscoveredResources",
        why: String::new(),
        request_id: None,
    };
    assert_eq!(verdict(&listing), (Some(E::ApiError), Then::Next));
}

/// Answers for a region's types only once all of them are asked for.
struct Together<F> {
    all: std::sync::Barrier,
    script: F,
}

impl<F: Fn(&str) -> Result<u64, CountError> + Send + Sync> CountResources for Together<F> {
    fn counts(&self, _: &Region, _: &ResourceTypes) -> Result<Counts, CountError> {
        panic!("nobody asked for counts")
    }

    fn list(&self, _: &Region, resource_type: &ResourceType) -> Result<Listed, CountError> {
        self.all.wait();
        let total = (self.script)(resource_type.as_str())?;
        let ids = Vec::new();
        Ok(Listed { total, ids })
    }
}

/// The lines and the cells of a region whose three types are listed at once.
fn together(
    script: impl Fn(&str) -> Result<u64, CountError> + Send + Sync + 'static,
) -> (Vec<String>, Vec<(Status, Option<u64>)>) {
    let counter = Together {
        all: std::sync::Barrier::new(3),
        script,
    };
    let scan = Arc::new(Scan {
        counter: Arc::new(counter),
        method: Method::List,
        region_concurrency: 3,
        recorder: Box::new(recording),
        client: None,
        clock: clock(),
        interrupt: Interrupt::default(),
        types: ResourceTypes::Named(types()),
        flags: Flags::default(),
    });
    let mut lines = Vec::new();
    let regions = ["eu-west-1".parse().unwrap()];
    let coverage = scan.run(&mut Pool::new(4).unwrap(), &regions, Vec::new(), |event| {
        if let Event::Incident(entry) = event {
            lines.push(line(&entry));
        }
    });
    let cells = coverage.cells().map(|(_, _, c)| (c.status, c.total()));
    (lines, cells.collect())
}

#[test]
fn the_types_of_a_region_are_listed_at_once() {
    let (lines, cells) = together(|name| Ok(name.len() as u64));
    assert_eq!(lines, [""; 0]);
    let totals: Vec<_> = cells.into_iter().map(|(_, total)| total.unwrap()).collect();
    assert_eq!(totals, [13, 14, 15]);
}

#[test]
fn what_all_types_meet_at_once_is_told_once() {
    let (lines, cells) = together(|_| Err(service("NoAvailableConfigurationRecorderException")));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(cells, [(Status::RecorderMissing, None); 3]);

    let (lines, cells) = together(|_| Err(transport(TransportErrorKind::Connection)));
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains(" CONNECTION "), "{lines:?}");
    assert!(
        lines[1].ends_with("region given up, 3 types not counted"),
        "{lines:?}"
    );
    assert_eq!(cells, [(Status::ConnectionFailed, None); 3]);

    let (lines, _) = together(|_| Err(service("AccessDeniedException")));
    assert_eq!(lines.len(), 3, "each type has its own policy: {lines:?}");
}

#[test]
fn what_is_listed_to_its_end_counts_though_the_region_was_given_up() {
    let (lines, cells) = together(|name| match name {
        "AWS::EC2::VPC" => Err(transport(TransportErrorKind::Connection)),
        _ => Ok(7),
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[1].ends_with("region given up, 1 type not counted"),
        "{lines:?}"
    );
    let counted = (Status::Counted, Some(7));
    assert_eq!(cells, [(Status::ConnectionFailed, None), counted, counted]);
}
