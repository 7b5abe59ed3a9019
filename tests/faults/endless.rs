//! Pages that never end, or seem to.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::seen;
use crate::site::{BUCKET, CHECKED, COUNTS, MIDDLE_OF_A_LIST, SCANNED, Site, VPC};
use crate::support::{Call, Outcome, Program, Reply, Server};
use crate::{LONGEST, MOST_MEMORY, timed};

/// What the `n`th page (from 0) is.
type Page = fn(usize) -> Value;

/// Some resources of the listing, and the token of the next page.
fn listed(resources: usize, token: &Value) -> Value {
    let resource = |n| json!({"resourceType": BUCKET, "resourceId": format!("{n} of {token}")});
    let resources: Vec<_> = (0..resources).map(resource).collect();
    json!({"resourceIdentifiers": resources, "nextToken": token})
}

/// A count of one resource of each type, and the token of the next page.
fn counted(types: &[String], token: &Value) -> Value {
    let counts = types.iter().map(|t| json!({"resourceType": t, "count": 1}));
    let counts: Vec<_> = counts.collect();
    json!({"totalDiscoveredResources": 7, "resourceCounts": counts, "nextToken": token})
}

/// A hundred types that no page before named.
fn new_types(n: usize) -> Vec<String> {
    (0..100).map(|m| format!("AWS::EC2::Type{n}x{m}")).collect()
}

fn is_counted(call: &Call) -> bool {
    call.is("GetDiscoveredResourceCounts", SCANNED)
}

fn is_listed(call: &Call) -> bool {
    call.lists(BUCKET, SCANNED)
}

/// A run whose pages are these, and how many of them it asked for.
fn run(site: &Site, picks: fn(&Call) -> bool, page: Page) -> (Outcome, usize) {
    let asked = AtomicUsize::new(0);
    let server: Server = site.account().serve_but(move |call| {
        picks(call).then(|| Reply::json(&page(asked.fetch_add(1, Ordering::SeqCst))))
    });
    let program = Program::new(&server).args(site.args).arg("--coverage");
    let (run, took) = timed(program);
    assert!(took < LONGEST, "{took:?}: {}", run.told());
    let peak = run.peak_memory.unwrap_or_default();
    assert!(peak < MOST_MEMORY, "{peak}");
    assert_eq!(run.code, Some(0), "{}", run.told());
    (run, server.count(picks))
}

#[test]
fn a_listing_that_does_not_end_has_no_row() {
    let cases: [(&str, Page, &str, &str, usize); 9] = [
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
            "the same resources under new tokens",
            |n| {
                let mut page = listed(100, &json!("a"));
                page["nextToken"] = json!(n.to_string());
                page
            },
            "API_ERROR",
            "the same resources on two pages",
            2,
        ),
        (
            "the same token on empty pages",
            |_| listed(0, &json!("a")),
            "API_ERROR",
            "the same page token twice",
            2,
        ),
        (
            "new tokens on empty pages",
            |n| listed(0, &json!(n.to_string())),
            "API_ERROR",
            "empty pages",
            100,
        ),
        (
            "new tokens behind some resources",
            |n| listed(usize::from(n == 0), &json!(n.to_string())),
            "API_ERROR",
            "empty pages",
            101,
        ),
        (
            "tokens of sixty kilobytes",
            |n| listed(0, &json!(format!("{n}{}", "t".repeat(60_000)))),
            "API_ERROR",
            "empty pages",
            100,
        ),
        (
            "a number for a token",
            |_| listed(100, &json!(7)),
            "UNEXPECTED",
            "invalid type",
            1,
        ),
        (
            "a list for a token",
            |_| listed(100, &json!(["a"])),
            "UNEXPECTED",
            "invalid type",
            1,
        ),
    ];
    let account = MIDDLE_OF_A_LIST.account();
    for (name, page, error_type, why, pages) in cases {
        let (run, asked) = run(&MIDDLE_OF_A_LIST, is_listed, page);
        assert_eq!(asked, pages, "{name}: {}", run.told());
        let log = seen::log(&run).unwrap();
        assert_eq!(log.len(), 1, "{name}: {}", run.told());
        let (line, message) = &log[0];
        assert_eq!(line.error_type, error_type, "{name}");
        assert_eq!(
            (line.region.as_deref(), line.resource.as_deref()),
            (Some(SCANNED), Some(BUCKET))
        );
        assert!(message.contains(why), "{name}: {message}");
        let row = format!("{},acme-prod,{SCANNED},{BUCKET},250\r\n", account.id);
        assert!(account.csv().contains(&row));
        assert_eq!(run.csv(), account.csv().replace(&row, ""), "{name}");
        let cell = format!("{SCANNED},{BUCKET},error,,");
        assert!(run.coverage().contains(&cell), "{name}: {}", run.coverage());
    }
}

#[test]
fn a_listing_with_empty_pages_is_counted_to_its_end() {
    let cases: [(&str, Page, usize, usize); 4] = [
        (
            "half a hundred empty pages",
            |n| match n {
                0..50 => listed(0, &json!(n.to_string())),
                _ => listed(3, &Value::Null),
            },
            51,
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
        let (run, asked) = run(&MIDDLE_OF_A_LIST, is_listed, page);
        assert_eq!((asked, run.errors()), (pages, String::new()), "{name}");
        let row = format!(",{SCANNED},{BUCKET},{total}\r\n");
        assert!(run.csv().contains(&row), "{name}: {}", run.told());
    }
}

#[test]
fn counts_that_do_not_end_leave_no_row() {
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
            " twice",
            2,
        ),
        (
            "empty pages",
            |n| counted(&[], &json!(n.to_string())),
            "pages",
            200,
        ),
        (
            "tokens of sixty kilobytes",
            |n| counted(&[], &json!(format!("{n}{}", "t".repeat(60_000)))),
            "pages",
            200,
        ),
        (
            "new types",
            |n| counted(&new_types(n), &json!(n.to_string())),
            "more than",
            200,
        ),
    ];
    let account = COUNTS.account();
    for (name, page, why, pages) in cases {
        let (run, asked) = run(&COUNTS, is_counted, page);
        assert!(asked > 1 && asked <= pages, "{name}: {asked}");
        let log = seen::log(&run).unwrap();
        assert_eq!(log.len(), 1, "{name}: {}", run.told());
        let (line, message) = &log[0];
        assert_eq!(
            (line.error_type.as_str(), line.region.as_deref()),
            ("API_ERROR", Some(SCANNED))
        );
        assert!(message.contains(why), "{name}: {message}");
        let others = account.csv();
        let others = others
            .split_inclusive("\r\n")
            .filter(|row| !row.contains(SCANNED));
        assert_eq!(run.csv(), others.collect::<String>(), "{name}");
        assert!(run.csv().contains(CHECKED));
        let cell = format!("{SCANNED},{VPC},error,,");
        assert!(run.coverage().contains(&cell), "{name}: {}", run.coverage());
    }
}
