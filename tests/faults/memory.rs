//! Answers as large as the program reads them, made of as many things as fit in.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_config_resource_count::http::MAX_BODY;

use crate::site::{self, CHECKED, Site};
use crate::support::{Account, Call, Program, Reply};
use crate::{LONGEST, MOST_MEMORY, timed};

/// `start`, as many times `thing` as leave room for it, and `end`.
fn full(start: &str, thing: &str, end: &str) -> String {
    let room = usize::try_from(MAX_BODY).unwrap() - start.len() - end.len() - thing.len();
    let mut body = start.to_owned() + &thing.repeat(room / thing.len());
    // A comma follows none.
    if body.ends_with(',') {
        body.pop();
    }
    body + end
}

/// The operation's own answer, and an error, of the smallest things that there are.
fn bodies(call: &Call) -> [(u16, String); 3] {
    let list = |member: &str, thing: &str| full(&format!("{{\"{member}\":["), thing, "]}");
    let answer = match call.operation.as_str() {
        "ListDiscoveredResources" => list("resourceIdentifiers", "{},"),
        "GetDiscoveredResourceCounts" => full(
            "{\"totalDiscoveredResources\":1,\"resourceCounts\":[",
            "{\"resourceType\":\"AA::AA::AA\",\"count\":1},",
            "]}",
        ),
        "DescribeConfigurationRecorders" => list("ConfigurationRecorders", "{},"),
        "DescribeConfigurationRecorderStatus" => {
            list("ConfigurationRecordersStatus", "{\"recording\":true},")
        }
        "ListAccountAliases" => full(
            "<ListAccountAliasesResponse><ListAccountAliasesResult><AccountAliases>",
            "<member/>",
            "</AccountAliases></ListAccountAliasesResult></ListAccountAliasesResponse>",
        ),
        "DescribeRegions" => full(
            "<DescribeRegionsResponse><regionInfo>",
            "<item><regionName/></item>",
            "</regionInfo></DescribeRegionsResponse>",
        ),
        _ => full(
            "<GetCallerIdentityResponse>",
            "<a/>",
            "</GetCallerIdentityResponse>",
        ),
    };
    [
        (200, answer),
        (400, list("message", "0,")),
        (400, full("", "\u{1}", "")),
    ]
}

#[test]
fn many_small_things_stay_small() {
    let sites: [&Site; 7] = [
        &site::IDENTITY,
        &site::ALIAS,
        &site::REGIONS,
        &site::LIST,
        &site::COUNTS,
        &site::STATUS,
        &site::RECORDERS,
    ];
    for site in sites {
        for n in 0..3 {
            let picks = site.picks;
            let server = site.account().serve_but(move |call| {
                picks(call).then(|| {
                    let (status, body) = bodies(call)[n].clone();
                    assert!(body.len() as u64 <= MAX_BODY);
                    Reply::answer(status, "text/plain", body.into_bytes())
                })
            });
            let program = Program::new(&server).args(site.args);
            let (run, took) = timed(program.args(["--max-attempts", "1", "--report", "r.json"]));
            println!("{} {n}: {:?} {took:?}", site.name, run.peak_memory);
            let peak = run.peak_memory.unwrap_or_default();
            assert!(peak < MOST_MEMORY, "{} {n}: {peak}", site.name);
            assert!(run.code.is_some(), "{}", run.told());
            assert!(
                run.errors().len() < 10_000 && run.stdout.len() < 20_000,
                "{}",
                site.name
            );
        }
    }
}

/// The regions that are hostile at once, beside the one that the checks ask.
const HOSTILE_REGIONS: usize = 16;

/// No run against them may have more memory, in bytes: 230 MB were measured, most of them the bodies of
/// all that is in flight.
const MOST_MEMORY_OF_ALL: u64 = 345_000_000;

#[test]
fn every_region_hostile_at_once_stays_small() {
    let account = (0..HOSTILE_REGIONS).fold(Account::new().region(CHECKED, &[]), |account, n| {
        account.region(&format!("xx-hostile-{n}"), &[])
    });
    let counted = ["--method", "counts", "--resource-types", "all"];
    for args in [&["--method", "verify"][..], &counted] {
        for n in 0..3 {
            // Rendered once for each operation: the server's time is not the program's.
            let ready = Mutex::<HashMap<String, Reply>>::default();
            let server = account.serve_but(move |call| {
                let hostile = call.service == "config" && call.region != CHECKED;
                hostile.then(|| {
                    let mut ready = ready.lock().unwrap();
                    let reply = ready.entry(call.operation.clone()).or_insert_with(|| {
                        let (status, body) = bodies(call)[n].clone();
                        Reply::answer(status, "text/plain", body.into_bytes())
                    });
                    reply.clone()
                })
            });
            let program = Program::new(&server).args(args).arg("--coverage");
            let (run, took) = timed(program.args(["--max-attempts", "1", "--report", "r.json"]));
            println!("{args:?} {n}: {:?} {took:?}", run.peak_memory);
            assert_eq!(run.code, Some(0), "{}", run.told());
            for operation in ["Status", "Recorders", "Counts"] {
                let asked = server
                    .count(|call| call.region != CHECKED && call.operation.ends_with(operation));
                assert_eq!(asked, HOSTILE_REGIONS, "{operation}");
            }
            assert!(took < LONGEST, "{args:?} {n}: {took:?}");
            let peak = run.peak_memory.unwrap_or_default();
            assert!(peak < MOST_MEMORY_OF_ALL, "{args:?} {n}: {peak}");
            assert!(run.errors().len() < 500_000, "{args:?} {n}");
            assert_eq!(run.csv().lines().count(), 1, "{}", run.csv());
        }
    }
}
