//! Tests of listings whose pages are unusual: repeated resources, invalid items, empty pages, and
//! page tokens that expire.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::support::{Account, Outcome, Program, Reply, Server};
use crate::{BUCKET, VPC, without_cell};

const REGION: &str = "eu-west-1";
const ROLE: &str = "AWS::IAM::Role";

/// Returns an account that lists `resource_type` in the tested region, and a VPC elsewhere.
fn account(resource_type: &str) -> Account {
    Account::new()
        .region("us-east-1", &[(VPC, 1)])
        .region(REGION, &[(resource_type, 1), (VPC, 1)])
}

/// Returns the JSON of a page; `items` are in JSON.
fn page(items: &[String], token: Option<&str>) -> String {
    let token = token.map_or(String::new(), |t| format!(",\"nextToken\":{}", json!(t)));
    format!("{{\"resourceIdentifiers\":[{}]{token}}}", items.join(","))
}

/// Returns an item with an ID that is already in JSON, without the quotes.
fn item(resource_type: &str, id: &str) -> String {
    format!("{{\"resourceType\":\"{resource_type}\",\"resourceId\":\"{id}\"}}")
}

/// The IDs on each page of a listing.
type Pass<'a> = &'a [&'a [&'a str]];

/// Serves `passes` of a listing of `resource_type`: a request without a page token starts the next
/// pass, the last pass is served again and again. Each pass has pages of IDs.
fn serve_passes(resource_type: &'static str, passes: &[Pass]) -> Server {
    let render = |ids: &&[&str]| ids.iter().map(|id| item(resource_type, id)).collect();
    let pages = |pass: &&[&[&str]]| pass.iter().map(render).collect();
    let passes: Vec<Vec<Vec<String>>> = passes.iter().map(pages).collect();
    let started = AtomicUsize::new(0);
    account(resource_type).serve_with(move |call| {
        if !call.lists(resource_type, REGION) {
            return None;
        }
        let (pass, n) = match call.field("nextToken") {
            None => (started.fetch_add(1, Ordering::SeqCst), 0),
            Some(token) => {
                let (pass, n) = token.split_once('-').unwrap();
                (pass.parse().unwrap(), n.parse().unwrap())
            }
        };
        let pages = passes.get(pass).or(passes.last()).unwrap();
        let token = format!("{pass}-{}", n + 1);
        let next = (n + 1 < pages.len()).then_some(token.as_str());
        Some(Reply::json_bytes(page(&pages[n], next).into_bytes()))
    })
}

fn run(server: &Server, resource_type: &str, args: &[&str]) -> Outcome {
    let types = format!("{resource_type},{VPC}");
    let program = Program::new(server).args(["--resource-types", &types, "--coverage"]);
    program.args(args).run()
}

/// Returns the row of the tested region and `resource_type`.
fn row(resource_type: &str, total: usize) -> String {
    format!("012345678901,,{REGION},{resource_type},{total}\r\n")
}

fn requests(server: &Server, resource_type: &str) -> usize {
    server.count(|call| call.lists(resource_type, REGION))
}

/// Some operations of AWS Config call the page token `NextToken`, and so do emulators.
#[test]
fn page_token_in_upper_case_is_followed() {
    let server = account(BUCKET).serve_with(|call| {
        let token = call.field("nextToken");
        let (mut body, is_first) = if call.lists(BUCKET, REGION) {
            let id = token.unwrap_or("first");
            let item = json!({"resourceType": BUCKET, "resourceId": id});
            (json!({"resourceIdentifiers": [item]}), token.is_none())
        } else if call.is("GetDiscoveredResourceCounts", REGION) {
            let counted = [VPC, BUCKET][usize::from(token.is_none())];
            let count = json!({"resourceType": counted, "count": 1});
            let body = json!({"totalDiscoveredResources": 2, "resourceCounts": [count]});
            (body, token.is_none())
        } else {
            return None;
        };
        if is_first {
            body["NextToken"] = json!("second");
        }
        Some(Reply::json(&body))
    });
    for (method, total) in [("list", 2), ("counts", 1)] {
        let run = run(&server, BUCKET, &["--strict", "--method", method]);
        run.assert_no_errors();
        for row in [row(BUCKET, total), row(VPC, 1)] {
            assert!(run.csv().contains(&row), "{method}: {}", run.csv());
        }
    }
}

#[test]
fn repeated_resource_lists_again() {
    let cases: [(&[Pass], usize, usize); 5] = [
        // The second listing has no repeated resource.
        (
            &[
                &[&["a", "b", "c"], &["c", "d", "e"]],
                &[&["a", "b", "c"], &["d", "e"]],
            ],
            5,
            4,
        ),
        (&[&[&["a", "a"]], &[&["a"]]], 1, 2),
        (
            &[
                &[&["a", "b"], &["c"], &["a"]],
                &[&["a"], &["b"], &["c"], &["d"]],
            ],
            4,
            7,
        ),
        // The same ID in another spelling.
        (&[&[&["a/b"], &["\\u0061\\/b"]], &[&["a/b", "x"]]], 2, 3),
        // All resources are gone in the second listing.
        (&[&[&["a"], &["a"]], &[&[]]], 0, 3),
    ];
    for (passes, total, calls) in cases {
        let server = serve_passes(BUCKET, passes);
        let run = run(&server, BUCKET, &["--strict"]);
        run.assert_no_errors();
        assert_eq!(
            run.csv().contains(&row(BUCKET, total)),
            total > 0,
            "{}",
            run.csv()
        );
        assert_eq!(requests(&server, BUCKET), calls, "{passes:?}");
    }
}

#[test]
fn resource_repeated_again_is_counted_once() {
    let cases: [(&'static str, &[Pass], usize, usize, usize); 4] = [
        (BUCKET, &[&[&["a", "b", "c"], &["c", "d", "e"]]], 6, 5, 4),
        (ROLE, &[&[&["r1", "r2"], &["r2", "r3"]]], 4, 3, 4),
        (BUCKET, &[&[&["a", "a", "a"]]], 3, 1, 2),
        (
            VPC,
            &[
                &[&["a"], &["a"], &["b"]],
                &[&["x", "y"], &["y"], &["z"], &["x"]],
            ],
            5,
            3,
            6,
        ),
    ];
    for (resource_type, passes, listed, total, calls) in cases {
        for (args, code) in [(&[][..], 0), (&["--strict"], 3), (&["--strict=missing"], 0)] {
            let server = serve_passes(resource_type, passes);
            let run = run(&server, resource_type, args);
            assert_eq!(run.code, Some(code), "{args:?} {}", run.describe());
            assert!(
                run.csv().contains(&row(resource_type, total)),
                "{}",
                run.csv()
            );
            let errors = run.errors();
            assert_eq!(errors.lines().count(), 1, "{errors}");
            let start = format!(
                "[API_ERROR] Region: {REGION}, Resource: {resource_type}, Message: \
                 config:ListDiscoveredResources returned {listed} resources, of which {total} are different"
            );
            assert!(errors.contains(&start), "{errors}");
            let cell = format!(",{REGION},{resource_type},changed_while_listed,stale,{total},");
            assert!(run.coverage().contains(&cell), "{}", run.coverage());
            assert_eq!(requests(&server, resource_type), calls, "{passes:?}");
        }
    }
}

/// Asserts the results of a run with the item `bad` on the page `at`, always and once.
fn assert_item_is_invalid(bad: &str, at: usize) {
    let good = item(BUCKET, "a");
    let items = [good.clone(), bad.to_owned()];
    let serve = |times: usize| {
        let (items, good) = (items.clone(), item(BUCKET, "first"));
        let sent = AtomicUsize::new(0);
        account(BUCKET).serve_with(move |call| {
            let is_first = call.field("nextToken").is_none();
            let body = match (call.lists(BUCKET, REGION), at) {
                (false, _) => return None,
                (true, 1) if is_first => page(std::slice::from_ref(&good), Some("next")),
                _ if sent.fetch_add(1, Ordering::SeqCst) < times => page(&items, None),
                _ => page(&items[..1], None),
            };
            Some(Reply::json_bytes(body.into_bytes()))
        })
    };
    let server = serve(usize::MAX);
    let always = run(&server, BUCKET, &["--strict"]);
    assert_eq!(always.code, Some(3), "{bad}: {}", always.describe());
    let without = without_cell(&account(BUCKET).csv(), REGION, BUCKET);
    assert_eq!(always.csv(), without, "{bad}");
    let errors = always.errors();
    assert_eq!(errors.lines().count(), 1, "{bad}: {errors}");
    let start = format!("[UNEXPECTED] Region: {REGION}, Resource: {BUCKET}, Message: ");
    assert!(errors.contains(&start), "{bad}: {errors}");
    assert_eq!(requests(&server, BUCKET), 2 + at, "{bad}: retried once");

    let server = serve(1);
    let once = run(&server, BUCKET, &["--strict"]);
    assert_eq!(
        (once.code, once.errors()),
        (Some(0), String::new()),
        "{bad}: {}",
        once.describe()
    );
    assert!(
        once.csv().contains(&row(BUCKET, 1 + at)),
        "{bad}: {}",
        once.csv()
    );
}

#[test]
fn item_without_type_or_id_leaves_no_row() {
    let items = [
        "{}",
        "{},{}",
        r#"{"resourceType":"AWS::S3::Bucket"}"#,
        r#"{"resourceId":"b"}"#,
        r#"{"resourceType":"AWS::S3::Bucket","resourceId":""}"#,
        r#"{"resourceType":"","resourceId":"b"}"#,
        r#"{"resourceType":"AWS::S3::Bucket","resourceId":null}"#,
        r#"{"resourceType":null,"resourceId":"b"}"#,
        r#"{"resourceType":"AWS::S3::Bucket","resourceName":"b"}"#,
        r#"{"resourceType":"AWS::EC2::VPC","resourceId":"vpc-1"}"#,
    ];
    std::thread::scope(|scope| {
        for (n, bad) in items.into_iter().enumerate() {
            scope.spawn(move || assert_item_is_invalid(bad, n % 2));
            scope.spawn(move || assert_item_is_invalid(bad, (n + 1) % 2));
        }
    });
}

/// The check lists the first type in us-east-1.
#[test]
fn invalid_item_in_check_loses_one_type() {
    let server = account(BUCKET).serve_with(|call| {
        let body = page(&["{}".to_owned()], None);
        call.lists(BUCKET, "us-east-1")
            .then(|| Reply::json_bytes(body.into_bytes()))
    });
    let run = run(&server, BUCKET, &["--strict"]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(run.csv(), account(BUCKET).csv(), "us-east-1 has no buckets");
    let cell = ",us-east-1,AWS::S3::Bucket,error,missing,,,";
    assert!(run.coverage().contains(cell), "{}", run.describe());
    assert_eq!(run.errors().lines().count(), 1, "{}", run.describe());
    assert!(run.errors().contains("resource without a type"));
    assert_eq!(server.count(|call| call.lists(BUCKET, "us-east-1")), 2);
}

#[test]
fn id_of_invalid_text_is_an_identity() {
    let ids: [&[u8]; 7] = [
        b"plain",
        br"\ud800",
        br"\udfff tail",
        br"\ud800\ud800",
        b"\xff\xfe",
        b"caf\xe9",
        br"\u0000",
    ];
    let mut items = Vec::new();
    for id in ids {
        let start = format!("{{\"resourceType\":\"{BUCKET}\",\"resourceName\":\"");
        items.push([start.as_bytes(), id, b"\",\"resourceId\":\"", id, b"\"}"].concat());
    }
    let body = [
        b"{\"resourceIdentifiers\":[",
        &items.join(&b","[..])[..],
        b"]}",
    ]
    .concat();
    let server = account(BUCKET).serve_with(move |call| {
        call.lists(BUCKET, REGION)
            .then(|| Reply::json_bytes(body.clone()))
    });
    let run = run(&server, BUCKET, &["--strict"]);
    run.assert_no_errors();
    assert!(run.csv().contains(&row(BUCKET, ids.len())), "{}", run.csv());
}

#[test]
fn hundreds_of_empty_pages_are_counted() {
    for empty in [150, 999] {
        let server = account(BUCKET).serve_with(move |call| {
            let n = call.field("nextToken").map_or(0, |t| t.parse().unwrap());
            let body = match n {
                n if n < empty => page(&[], Some(&(n + 1).to_string())),
                _ => page(&[item(BUCKET, "a"), item(BUCKET, "b")], None),
            };
            call.lists(BUCKET, REGION)
                .then(|| Reply::json_bytes(body.into_bytes()))
        });
        let run = run(&server, BUCKET, &["--strict"]);
        run.assert_no_errors();
        assert!(run.csv().contains(&row(BUCKET, 2)), "{}", run.csv());
    }
}

/// Serves a listing of three pages whose second or third token expires the first `times` times.
fn serve_expiring(expiring: usize, times: usize) -> Server {
    let expired = AtomicUsize::new(0);
    account(BUCKET).serve_with(move |call| {
        if !call.lists(BUCKET, REGION) {
            return None;
        }
        let n = call.field("nextToken").map_or(0, |t| t.parse().unwrap());
        if n == expiring && expired.fetch_add(1, Ordering::SeqCst) < times {
            let code = "InvalidNextTokenException";
            return Some(Reply::error(
                call,
                400,
                code,
                "The specified next token is not valid",
            ));
        }
        let token = (n + 1).to_string();
        let items = [
            item(BUCKET, &format!("{n}a")),
            item(BUCKET, &format!("{n}b")),
        ];
        let body = page(&items, (n < 2).then_some(&token));
        Some(Reply::json_bytes(body.into_bytes()))
    })
}

#[test]
fn expired_page_token_restarts_listing() {
    for expiring in [1, 2] {
        let server = serve_expiring(expiring, 1);
        let once = run(&server, BUCKET, &["--strict"]);
        once.assert_no_errors();
        assert!(once.csv().contains(&row(BUCKET, 6)), "{}", once.csv());
        assert_eq!(requests(&server, BUCKET), expiring + 1 + 3);

        let server = serve_expiring(expiring, usize::MAX);
        let always = run(&server, BUCKET, &["--strict"]);
        assert_eq!(always.code, Some(3), "{}", always.describe());
        let without = without_cell(&account(BUCKET).csv(), REGION, BUCKET);
        assert_eq!(always.csv(), without);
        let errors = always.errors();
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains("[API_ERROR] "), "{errors}");
        assert!(errors.contains("InvalidNextTokenException"), "{errors}");
        assert_eq!(requests(&server, BUCKET), 2 * (expiring + 1));
    }
}
