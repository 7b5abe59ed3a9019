//! Responses of the maximum size that consist of as many small elements as possible.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_config_resource_count::http::MAX_BODY;

use crate::fault_point::{self, CHECKED_REGION, FaultPoint};
use crate::run::{MAX_DURATION, MAX_MEMORY};
use crate::run_timed;
use crate::support::{Account, Call, Program, Reply};

/// Returns a body of the maximum size: `start`, as many copies of `element` as fit, and `end`.
fn full_body(start: &str, element: &str, end: &str) -> String {
    let room = usize::try_from(MAX_BODY).unwrap() - start.len() - end.len() - element.len();
    let mut body = start.to_owned() + &element.repeat(room / element.len());
    // The last element has no comma.
    if body.ends_with(',') {
        body.pop();
    }
    body + end
}

/// Returns a response of the operation and two errors, each of the smallest possible elements.
fn bodies(call: &Call) -> [(u16, String); 3] {
    let list = |member: &str, element: &str| full_body(&format!("{{\"{member}\":["), element, "]}");
    let response = match call.operation.as_str() {
        "ListDiscoveredResources" => list("resourceIdentifiers", "{},"),
        "GetDiscoveredResourceCounts" => full_body(
            "{\"totalDiscoveredResources\":1,\"resourceCounts\":[",
            "{\"resourceType\":\"AA::AA::AA\",\"count\":1},",
            "]}",
        ),
        "DescribeConfigurationRecorders" => list("ConfigurationRecorders", "{},"),
        "DescribeConfigurationRecorderStatus" => {
            list("ConfigurationRecordersStatus", "{\"recording\":true},")
        }
        "ListAccountAliases" => full_body(
            "<ListAccountAliasesResponse><ListAccountAliasesResult><AccountAliases>",
            "<member/>",
            "</AccountAliases></ListAccountAliasesResult></ListAccountAliasesResponse>",
        ),
        "DescribeRegions" => full_body(
            "<DescribeRegionsResponse><regionInfo>",
            "<item><regionName/></item>",
            "</regionInfo></DescribeRegionsResponse>",
        ),
        _ => full_body(
            "<GetCallerIdentityResponse>",
            "<a/>",
            "</GetCallerIdentityResponse>",
        ),
    };
    [
        (200, response),
        (400, list("message", "0,")),
        (400, full_body("", "\u{1}", "")),
    ]
}

#[test]
fn many_small_elements_stay_within_memory_limit() {
    let points: [&FaultPoint; 7] = [
        &fault_point::IDENTITY_CHECK,
        &fault_point::ALIAS_CHECK,
        &fault_point::REGIONS_CHECK,
        &fault_point::LIST,
        &fault_point::COUNTS,
        &fault_point::RECORDER_STATUS,
        &fault_point::RECORDERS,
    ];
    for point in points {
        for n in 0..3 {
            let matches = point.matches;
            let server = point.account().serve_with(move |call| {
                matches(call).then(|| {
                    let (status, body) = bodies(call)[n].clone();
                    assert!(body.len() as u64 <= MAX_BODY);
                    Reply::response(status, "text/plain", body.into_bytes())
                })
            });
            let program = Program::new(&server).args(point.args);
            let (run, duration) =
                run_timed(program.args(["--max-attempts", "1", "--report", "r.json"]));
            println!("{} {n}: {:?} {duration:?}", point.name, run.peak_memory);
            let peak = run.peak_memory.unwrap_or_default();
            assert!(peak < MAX_MEMORY, "{} {n}: {peak}", point.name);
            assert!(run.code.is_some(), "{}", run.describe());
            assert!(
                run.errors().len() < 10_000 && run.stdout.len() < 20_000,
                "{}",
                point.name
            );
        }
    }
}

/// The number of regions that send these responses at the same time.
const HOSTILE_REGIONS: usize = 16;

/// The maximum memory of a run with these regions, in bytes. 230 MB were measured, mostly the bodies of
/// all requests in flight.
const MAX_MEMORY_OF_ALL_REGIONS: u64 = 345_000_000;

#[test]
fn concurrent_large_bodies_stay_within_memory_limit() {
    let account = (0..HOSTILE_REGIONS)
        .fold(Account::new().region(CHECKED_REGION, &[]), |account, n| {
            account.region(&format!("xx-hostile-{n}"), &[])
        });
    let counted = ["--method", "counts", "--resource-types", "all"];
    for args in [&["--method", "verify"][..], &counted] {
        for n in 0..3 {
            // Each body is created once per operation, so that the server is not the bottleneck.
            let replies = Mutex::<HashMap<String, Reply>>::default();
            let server = account.serve_with(move |call| {
                let hostile = call.service == "config" && call.region != CHECKED_REGION;
                hostile.then(|| {
                    let mut replies = replies.lock().unwrap();
                    let reply = replies.entry(call.operation.clone()).or_insert_with(|| {
                        let (status, body) = bodies(call)[n].clone();
                        Reply::response(status, "text/plain", body.into_bytes())
                    });
                    reply.clone()
                })
            });
            let program = Program::new(&server).args(args).arg("--coverage");
            let (run, duration) =
                run_timed(program.args(["--max-attempts", "1", "--report", "r.json"]));
            println!("{args:?} {n}: {:?} {duration:?}", run.peak_memory);
            assert_eq!(run.code, Some(0), "{}", run.describe());
            for operation in ["Status", "Recorders", "Counts"] {
                let requests = server.count(|call| {
                    call.region != CHECKED_REGION && call.operation.ends_with(operation)
                });
                assert_eq!(requests, HOSTILE_REGIONS, "{operation}");
            }
            assert!(duration < MAX_DURATION, "{args:?} {n}: {duration:?}");
            let peak = run.peak_memory.unwrap_or_default();
            assert!(peak < MAX_MEMORY_OF_ALL_REGIONS, "{args:?} {n}: {peak}");
            assert!(run.errors().len() < 500_000, "{args:?} {n}");
            assert_eq!(run.csv().lines().count(), 1, "{}", run.csv());
        }
    }
}
