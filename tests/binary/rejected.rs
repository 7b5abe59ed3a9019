//! Tests of regions that reject the credentials although AWS accepts them, and of credentials that AWS rejects.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Account, Call, Outcome, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, without_region};

/// Returns a response to `call` that rejects its credentials.
type Rejection = fn(&Call) -> Reply;

const EXPIRED: Rejection = |call| Reply::error(call, 400, "ExpiredTokenException", "expired");
const REQUEST_EXPIRED: Rejection = |call| Reply::error(call, 400, "RequestExpired", "expired");
const UNRECOGNIZED: Rejection = |call| {
    Reply::error(
        call,
        400,
        "UnrecognizedClientException",
        "The token is invalid",
    )
};
const INVALID_KEY: Rejection =
    |call| Reply::error(call, 403, "InvalidClientTokenId", "no such key");
/// A region whose clock is wrong.
const WRONG_CLOCK: Rejection = |call| {
    Reply::error(call, 400, "InvalidSignatureException", "Signature expired")
        .header("date", "Tue, 24 Nov 2020 12:00:00 GMT")
};

/// The region of the checks does not reject the credentials.
fn scan(server: &Server) -> Outcome {
    Program::new(server)
        .args(TYPES)
        .args(["--coverage", "--max-attempts", "2"])
        .run()
}

fn identities(server: &Server) -> usize {
    server.count(|call| call.operation == "GetCallerIdentity")
}

fn of_type<'a>(log: &'a str, error_type: &str) -> Vec<&'a str> {
    let tag = format!("[{error_type}]");
    log.lines().filter(|line| line.contains(&tag)).collect()
}

fn three_regions() -> Account {
    account().region("ap-south-1", &[(VPC, 3), (BUCKET, 120)])
}

#[test]
fn one_region_that_rejects_does_not_stop_others() {
    for (reply, error_type) in [
        (EXPIRED, "API_ERROR"),
        (REQUEST_EXPIRED, "API_ERROR"),
        (WRONG_CLOCK, "API_ERROR"),
        (UNRECOGNIZED, "REGION_DISABLED"),
        (INVALID_KEY, "REGION_DISABLED"),
    ] {
        let server = three_regions().serve_with(move |call| {
            (call.service == "config" && call.region == "ap-south-1").then(|| reply(call))
        });
        let run = scan(&server);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let expected = without_region(&three_regions().csv(), "ap-south-1");
        assert_eq!(run.csv(), expected, "{}", run.describe());
        let log = run.errors();
        assert!(of_type(&log, "FATAL").is_empty(), "{log}");
        assert_eq!(of_type(&log, error_type).len(), 1, "{log}");
        assert!(
            log.lines().all(|l| l.contains("Region: ap-south-1")),
            "{log}"
        );
        assert_eq!(identities(&server), 2, "one to confirm: {}", run.describe());
    }
}

#[test]
fn rejected_page_does_not_stop_other_regions() {
    for reply in [EXPIRED, WRONG_CLOCK, UNRECOGNIZED] {
        let server = three_regions().serve_with(move |call| {
            let later = call.lists(BUCKET, "ap-south-1") && call.field("nextToken").is_some();
            later.then(|| reply(call))
        });
        let run = scan(&server);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        for row in ["us-east-1,AWS::S3::Bucket,250", "eu-west-1,AWS::EC2::VPC,1"] {
            assert!(run.csv().contains(row), "{}", run.describe());
        }
        assert!(
            !run.csv().contains("ap-south-1,AWS::S3::Bucket"),
            "{}",
            run.csv()
        );
        assert!(
            of_type(&run.errors(), "FATAL").is_empty(),
            "{}",
            run.errors()
        );
        assert_eq!(identities(&server), 2, "{}", run.describe());
    }
}

/// A rejection by every service from the second page of a listing on.
#[test]
fn revoked_credentials_are_fatal_once() {
    for reply in [UNRECOGNIZED, INVALID_KEY, EXPIRED, WRONG_CLOCK] {
        let is_revoked = AtomicBool::new(false);
        let server = three_regions().serve_with(move |call| {
            let later = call.lists(BUCKET, "us-east-1") && call.field("nextToken").is_some();
            is_revoked.fetch_or(later, Ordering::SeqCst);
            is_revoked.load(Ordering::SeqCst).then(|| reply(call))
        });
        let run = scan(&server);
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let log = run.errors();
        assert_eq!(of_type(&log, "FATAL").len(), 1, "{log}");
        assert!(of_type(&log, "REGION_DISABLED").is_empty(), "{log}");
        assert!(!log.contains("enable the region"), "{log}");
        assert!(!run.csv().contains(",250"), "{}", run.csv());
        assert_eq!(identities(&server), 2, "{}", run.describe());
    }
}

#[test]
fn unreachable_sts_leaves_region_disabled() {
    let asked = AtomicBool::new(false);
    let server = three_regions().serve_with(move |call| {
        if call.operation == "GetCallerIdentity" && asked.swap(true, Ordering::SeqCst) {
            return Some(Reply::error(call, 503, "ServiceUnavailable", "later"));
        }
        (call.service == "config" && call.region == "ap-south-1").then(|| UNRECOGNIZED(call))
    });
    let run = scan(&server);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(
        of_type(&run.errors(), "REGION_DISABLED").len(),
        1,
        "{}",
        run.errors()
    );
}
