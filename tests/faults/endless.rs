//! Listings and counts whose pages do not end, and long listings that do.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::assertions;
use crate::fault_point::{
    BUCKET, CHECKED_REGION, COUNTS, FaultPoint, LIST_SECOND_PAGE, SCANNED_REGION, VPC,
};
use crate::run::{MAX_DURATION, MAX_MEMORY};
use crate::run_timed;
use crate::support::{Account, Call, Outcome, Program, Reply, Server};

/// Returns the page with this index, from 0.
type Page = fn(usize) -> Value;

/// Returns a page of a listing with `resources` resources and the token of the next page.
fn listed(resources: usize, token: &Value) -> Value {
    let resource = |n| json!({"resourceType": BUCKET, "resourceId": format!("{n} of {token}")});
    let resources: Vec<_> = (0..resources).map(resource).collect();
    json!({"resourceIdentifiers": resources, "nextToken": token})
}

/// Returns a page of counts, one resource of each type, and the token of the next page.
fn counted(types: &[String], token: &Value) -> Value {
    let counts = types.iter().map(|t| json!({"resourceType": t, "count": 1}));
    let counts: Vec<_> = counts.collect();
    json!({"totalDiscoveredResources": 7, "resourceCounts": counts, "nextToken": token})
}

/// Returns 100 resource types that no earlier page names.
fn new_types(n: usize) -> Vec<String> {
    (0..100).map(|m| format!("AWS::EC2::Type{n}x{m}")).collect()
}

fn is_counted(call: &Call) -> bool {
    call.is("GetDiscoveredResourceCounts", SCANNED_REGION)
}

fn is_listed(call: &Call) -> bool {
    call.lists(BUCKET, SCANNED_REGION)
}

/// Runs the program with these pages; returns its output and the number of requested pages.
fn run_with_pages(point: &FaultPoint, matches: fn(&Call) -> bool, page: Page) -> (Outcome, usize) {
    let pages = AtomicUsize::new(0);
    let server: Server = point.account().serve_with(move |call| {
        matches(call).then(|| Reply::json(&page(pages.fetch_add(1, Ordering::SeqCst))))
    });
    let program = Program::new(&server).args(point.args).arg("--coverage");
    let (run, duration) = run_timed(program);
    assert!(
        duration < 3 * MAX_DURATION,
        "{duration:?}: {}",
        run.describe()
    );
    let peak = run.peak_memory.unwrap_or_default();
    assert!(peak < MAX_MEMORY, "{peak}");
    assert_eq!(run.code, Some(0), "{}", run.describe());
    (run, server.count(matches))
}

#[test]
fn endless_listing_has_no_row() {
    let cases: [(&str, Page, &str, &str, usize); 8] = [
        (
            "the same token",
            |_| listed(100, &json!("a")),
            "API_ERROR",
            "the same page token twice",
            2,
        ),
        (
            "three tokens",
            |n| listed(100, &json!((n % 3).to_string())),
            "API_ERROR",
            "the same page token twice",
            4,
        ),
        (
            "the same resources with new tokens",
            |n| {
                let mut page = listed(1, &json!("a"));
                page["nextToken"] = json!(n.to_string());
                page
            },
            "API_ERROR",
            // The first listing ends at the first repeated resource.
            "10000 pages in a row without anything new",
            2 + 1 + 10_000,
        ),
        (
            "an old token on a page of new resources",
            |n| listed(100, &json!(if n == 300 { 17 } else { n }.to_string())),
            "API_ERROR",
            "the same page token twice",
            301,
        ),
        (
            "the same token on empty pages",
            |_| listed(0, &json!("a")),
            "API_ERROR",
            "the same page token twice",
            2,
        ),
        (
            "tokens of 60 KB",
            |n| listed(0, &json!(format!("{}{}", n % 400, "t".repeat(60_000)))),
            "API_ERROR",
            "the same page token twice",
            401,
        ),
        (
            "a number as token",
            |_| listed(100, &json!(7)),
            "UNEXPECTED",
            "invalid type",
            1,
        ),
        (
            "a list as token",
            |_| listed(100, &json!(["a"])),
            "UNEXPECTED",
            "invalid type",
            1,
        ),
    ];
    let account = LIST_SECOND_PAGE.account();
    for (name, page, error_type, message_part, pages) in cases {
        let (run, requests) = run_with_pages(&LIST_SECOND_PAGE, is_listed, page);
        assert_eq!(requests, pages, "{name}: {}", run.describe());
        let log = assertions::parse_log(&run).unwrap();
        assert_eq!(log.len(), 1, "{name}: {}", run.describe());
        let (line, message) = &log[0];
        assert_eq!(line.error_type, error_type, "{name}");
        assert_eq!(
            (line.region.as_deref(), line.resource_type.as_deref()),
            (Some(SCANNED_REGION), Some(BUCKET))
        );
        assert!(message.contains(message_part), "{name}: {message}");
        let row = format!("{},acme-prod,{SCANNED_REGION},{BUCKET},250\r\n", account.id);
        assert!(account.csv().contains(&row));
        assert_eq!(run.csv(), account.csv().replace(&row, ""), "{name}");
        let cell = format!("{SCANNED_REGION},{BUCKET},error,missing,,,");
        assert!(run.coverage().contains(&cell), "{name}: {}", run.coverage());
    }
}

#[test]
fn listing_with_empty_pages_is_complete() {
    let cases: [(&str, Page, usize, usize); 4] = [
        (
            "999 empty pages",
            |n| match n {
                0..999 => listed(0, &json!(n.to_string())),
                _ => listed(3, &Value::Null),
            },
            1000,
            3,
        ),
        (
            "an empty page between others",
            |n| match n {
                0 | 2 => listed(100, &json!(n.to_string())),
                1 => listed(0, &json!("1")),
                _ => listed(0, &Value::Null),
            },
            4,
            200,
        ),
        ("an empty token", |_| listed(4, &json!("")), 1, 4),
        (
            "a token of control characters",
            |n| match n {
                0 => listed(1, &json!("\u{0}\u{1b}\r\n\"\\\u{2028}")),
                _ => listed(1, &Value::Null),
            },
            2,
            2,
        ),
    ];
    for (name, page, pages, total) in cases {
        let (run, requests) = run_with_pages(&LIST_SECOND_PAGE, is_listed, page);
        assert_eq!((requests, run.errors()), (pages, String::new()), "{name}");
        let row = format!(",{SCANNED_REGION},{BUCKET},{total}\r\n");
        assert!(run.csv().contains(&row), "{name}: {}", run.describe());
    }
}

#[test]
fn endless_counts_have_no_row() {
    let cases: [(&str, Page, &str, usize); 5] = [
        (
            "the same token",
            |n| counted(&new_types(n), &json!("a")),
            "the same page token twice",
            2,
        ),
        (
            "the same types",
            |n| counted(&new_types(0), &json!(n.to_string())),
            // The counts are fetched again.
            " twice",
            4,
        ),
        (
            "empty pages",
            |n| counted(&[], &json!(n.to_string())),
            "10000 pages in a row without anything new",
            10_000,
        ),
        (
            "tokens of 60 KB",
            |n| counted(&[], &json!(format!("{}{}", n % 400, "t".repeat(60_000)))),
            "the same page token twice",
            401,
        ),
        (
            "new types",
            |n| counted(&new_types(n), &json!(n.to_string())),
            "more than 20000 types",
            201,
        ),
    ];
    let account = COUNTS.account();
    for (name, page, message_part, pages) in cases {
        let (run, requests) = run_with_pages(&COUNTS, is_counted, page);
        assert_eq!(requests, pages, "{name}: {}", run.describe());
        let log = assertions::parse_log(&run).unwrap();
        assert_eq!(log.len(), 1, "{name}: {}", run.describe());
        let (line, message) = &log[0];
        assert_eq!(
            (line.error_type.as_str(), line.region.as_deref()),
            ("API_ERROR", Some(SCANNED_REGION))
        );
        assert!(message.contains(message_part), "{name}: {message}");
        let complete = account.csv();
        let other_rows = complete
            .split_inclusive("\r\n")
            .filter(|row| !row.contains(SCANNED_REGION));
        assert_eq!(run.csv(), other_rows.collect::<String>(), "{name}");
        assert!(run.csv().contains(CHECKED_REGION));
        let cell = format!("{SCANNED_REGION},{VPC},error,missing,,,");
        assert!(run.coverage().contains(&cell), "{name}: {}", run.coverage());
    }
}

/// Returns a page with `resources` new resources of `resource_type` and a new token.
fn new_resources(resource_type: &str, resources: usize, n: usize) -> Reply {
    let items = (0..resources)
        .map(|m| format!("{{\"resourceType\":\"{resource_type}\",\"resourceId\":\"{n}x{m}\"}}"));
    let items: Vec<_> = items.collect();
    let body = format!(
        "{{\"resourceIdentifiers\":[{}],\"nextToken\":\"{n}\"}}",
        items.join(",")
    );
    Reply::json_bytes(body.into_bytes())
}

#[test]
fn endless_iam_listing_ends_at_maximum() {
    for (resource_type, size) in [("AWS::IAM::Role", 100), ("AWS::IAM::Policy", 7)] {
        let account = Account::new()
            .region(CHECKED_REGION, &[(VPC, 1)])
            .region(SCANNED_REGION, &[(VPC, 1)]);
        let pages = AtomicUsize::new(0);
        let server = account.serve_with(move |call| {
            let is_listed = call.lists(resource_type, SCANNED_REGION);
            is_listed
                .then(|| new_resources(resource_type, size, pages.fetch_add(1, Ordering::SeqCst)))
        });
        let types = format!("{VPC},{resource_type}");
        let (run, _) = run_timed(Program::new(&server).args(["--resource-types", &types]));
        assert_eq!(run.csv(), account.csv(), "{}", run.describe());
        let errors = run.errors();
        assert_eq!(errors.lines().count(), 1, "{errors}");
        let start = format!(
            "[API_ERROR] Region: {SCANNED_REGION}, Resource: {resource_type}, Message: \
             config:ListDiscoveredResources returned more than 50000 resources"
        );
        assert!(errors.contains(&start), "{errors}");
        let requests = server.count(|call| call.lists(resource_type, SCANNED_REGION));
        assert_eq!(requests, 50_000 / size + 1);
        let peak = run.peak_memory.unwrap_or_default();
        assert!(peak < MAX_MEMORY, "{resource_type}: {peak}");
    }
}
