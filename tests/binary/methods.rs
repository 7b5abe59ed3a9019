//! Tests of `--method`, `--resource-types`, `--skip-checks` and `iam-policy`, and of their AWS
//! calls.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{Account, Call, Outcome, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, serve_at_once, without_cell, without_region};

const COUNTS: &str = "GetDiscoveredResourceCounts";
const LIST: &str = "ListDiscoveredResources";

/// Returns `n` types; the number of resources of each is its position, from 1.
fn many_types(n: usize) -> Vec<(String, usize)> {
    (1..=n)
        .map(|n| (format!("AWS::EC2::Type{n:03}"), n))
        .collect()
}

/// Returns an account of two regions, with `types` in eu-west-1.
fn large_account(types: &[(String, usize)]) -> Account {
    let counts: Vec<_> = types.iter().map(|(t, n)| (t.as_str(), *n)).collect();
    Account::new()
        .region("us-east-1", &[(VPC, 2), (BUCKET, 150)])
        .region("eu-west-1", &counts)
}

fn run(server: &Server, args: &[&str]) -> Outcome {
    Program::new(server).args(args).run()
}

/// Returns the inputs of `operation` in `region`, in the order of the calls, without page tokens.
fn inputs(server: &Server, operation: &str, region: &str) -> Vec<Value> {
    let calls = server.calls();
    let matching = calls.iter().filter(|call| call.is(operation, region));
    matching
        .map(|call| {
            let mut input = call.input.clone();
            input.as_object_mut().unwrap().remove("nextToken");
            input
        })
        .collect()
}

#[test]
fn counts_take_one_call_per_hundred_types() {
    for (types, calls) in [(1, 1), (100, 1), (101, 2), (205, 3)] {
        let account = large_account(&many_types(types));
        let server = account.serve();
        let args = ["--method", "counts", "--resource-types", "all", "--strict"];
        let counted = run(&server, &args);
        assert_eq!(counted.code, Some(0), "{}", counted.describe());
        assert_eq!(counted.csv(), account.csv(), "{types}");
        assert_eq!(inputs(&server, COUNTS, "eu-west-1"), vec![json!({}); calls]);
        assert_eq!(inputs(&server, COUNTS, "us-east-1"), [json!({})]);
        assert_eq!(server.count(|call| call.operation == LIST), 0);
    }
}

#[test]
fn counts_equal_listing_when_all_is_recorded() {
    let account = large_account(&many_types(30));
    let run_all_types = |method| {
        let server = account.serve();
        let run = run(&server, &["--resource-types", "all", "--method", method]);
        run.assert_no_errors();
        (run.csv(), server)
    };
    let (counted, _) = run_all_types("counts");
    assert_eq!(counted, account.csv());
    let (listed, server) = run_all_types("list");
    assert_eq!(listed, counted);
    // The counts return the types to list.
    assert_eq!(inputs(&server, COUNTS, "eu-west-1"), [json!({})]);
    // Types are listed concurrently, so the order is not defined.
    let listings = inputs(&server, LIST, "eu-west-1");
    let listed: BTreeSet<_> = listings.iter().map(ToString::to_string).collect();
    let types = many_types(30)
        .into_iter()
        .map(|(t, _)| json!({"resourceType": t}).to_string());
    assert_eq!((listings.len(), listed), (30, types.collect()));
    // No call is made twice, including in the region of the checks.
    assert_eq!(inputs(&server, COUNTS, "us-east-1"), [json!({})]);
    for region in ["us-east-1", "eu-west-1"] {
        let calls = server.calls();
        let listings = calls.iter().filter(|c| c.is(LIST, region));
        let inputs: Vec<_> = listings.map(|c| c.input.to_string()).collect();
        let unique: BTreeSet<_> = inputs.iter().collect();
        assert_eq!(inputs.len(), unique.len(), "{inputs:?}");
    }
}

#[test]
fn counts_name_at_most_twenty_types() {
    for count in [2, 20, 21] {
        let types = many_types(30);
        let account = large_account(&types);
        let server = account.serve();
        let names: Vec<_> = types[..count].iter().map(|(t, _)| t.as_str()).collect();
        let args = ["--method", "counts", "--resource-types", &names.join(",")];
        let run = run(&server, &args);
        run.assert_no_errors();
        let expected = large_account(&types[..count]).csv();
        assert_eq!(run.csv(), without_region(&expected, "us-east-1"), "{count}");
        let input = match count {
            21 => json!({}),
            _ => json!({"resourceTypes": names}),
        };
        assert_eq!(inputs(&server, COUNTS, "eu-west-1"), [input]);
    }
}

/// A type that this version does not know keeps the name of the options.
#[test]
fn counted_names_compare_without_case() {
    let server = account().serve_with(|call| {
        let counts = json!([{"resourceType": "AWS::New::Thing", "count": 3}]);
        let body = json!({"totalDiscoveredResources": 3, "resourceCounts": counts});
        call.is(COUNTS, "eu-west-1").then(|| Reply::json(&body))
    });
    let args = ["--method", "counts", "--resource-types", "aws::new::thing"];
    let run = run(&server, &args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let row = "012345678901,acme-prod,eu-west-1,AWS::new::thing,3\r\n";
    assert!(run.csv().ends_with(row), "{}", run.describe());
}

#[test]
fn contradictory_counts_are_not_used() {
    let account = account();
    let page = |total: u64, bucket: u64| {
        json!({
            "totalDiscoveredResources": total,
            "resourceCounts": [
                {"resourceType": BUCKET, "count": bucket},
                {"resourceType": VPC, "count": 1},
            ],
        })
    };
    for (body, why) in [
        (
            page(9, 7),
            "pages with 8 resources but totalDiscoveredResources is 9",
        ),
        (
            page(7, 7),
            "pages with 8 resources but totalDiscoveredResources is 7",
        ),
        (page(0, u64::MAX), "counts that are too large to add"),
    ] {
        let server = account
            .serve_with(move |call| call.is(COUNTS, "eu-west-1").then(|| Reply::json(&body)));
        for (args, code) in [(&[][..], 0), (&["--strict"], 3)] {
            let program = Program::new(&server).args(TYPES).args(args);
            let run = program.args(["--method", "counts", "--coverage"]).run();
            assert_eq!(run.code, Some(code), "{}", run.describe());
            assert_eq!(run.csv(), without_region(&account.csv(), "eu-west-1"));
            let errors = run.errors();
            let message = format!(
                "[API_ERROR] Region: eu-west-1, Message: config:{COUNTS} returned {why} (request id "
            );
            assert!(errors.contains(&message), "{errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
            assert_eq!(run.coverage().matches(",eu-west-1,").count(), 2);
            for resource_type in [VPC, BUCKET] {
                let cell = format!(
                    ",eu-west-1,{resource_type},error,missing,,,config:{COUNTS} returned {why}"
                );
                assert!(run.coverage().contains(&cell), "{}", run.coverage());
            }
        }
    }
}

#[test]
fn implausible_counts_are_absent() {
    let account = account();
    let counts = |total: &str, counts: &[&str]| {
        let item = |(n, count): (usize, &&str)| {
            let resource_type = [BUCKET, VPC, BUCKET][n];
            format!("{{\"resourceType\":\"{resource_type}\",\"count\":{count}}}")
        };
        let items: Vec<_> = counts.iter().enumerate().map(item).collect();
        let items = items.join(",");
        format!("{{\"totalDiscoveredResources\":{total},\"resourceCounts\":[{items}]}}")
    };
    let max = "18446744073709551615";
    for (body, error_type) in [
        (counts(max, &[max]), "API_ERROR"),
        (counts("18446744073709551614", &[max, max]), "API_ERROR"),
        (counts("0", &[max, "1"]), "API_ERROR"),
        (
            counts("9223372036854775808", &["9223372036854775808"]),
            "API_ERROR",
        ),
        (
            counts("18446744073709551616", &["18446744073709551616"]),
            "UNEXPECTED",
        ),
        (counts("-1", &["-1"]), "UNEXPECTED"),
        (counts("6", &["7", "-1"]), "UNEXPECTED"),
        (counts("1.5", &["1.5"]), "UNEXPECTED"),
        (counts("7", &["7.0"]), "UNEXPECTED"),
        (counts("\"7\"", &["\"7\""]), "UNEXPECTED"),
        (counts("14", &["7", "0", "7"]), "API_ERROR"),
        (counts("7", &["7", "0", "0"]), "API_ERROR"),
    ] {
        let (sent, bytes) = (body.clone(), body.clone().into_bytes());
        // Both regions return the same counts, so that their sums could wrap.
        let server = account.serve_with(move |call| {
            (call.operation == COUNTS).then(|| Reply::json_bytes(bytes.clone()))
        });
        let program = Program::new(&server)
            .args(TYPES)
            .args(["--method", "counts"]);
        let run = program
            .args(["--coverage", "--strict", "--skip-checks"])
            .run();
        assert_ne!(run.code, Some(0), "{sent}: {}", run.describe());
        let errors = run.errors();
        for region in ["us-east-1", "eu-west-1"] {
            let start = format!("[{error_type}] Region: {region}, Message: config:{COUNTS} ");
            assert!(errors.contains(&start), "{sent}: {errors}");
            for resource_type in [VPC, BUCKET] {
                let cell = format!(",{region},{resource_type},error,");
                assert!(run.coverage().contains(&cell), "{sent}: {}", run.coverage());
            }
        }
        assert!(
            run.stdout.contains("Total resources: unknown\n"),
            "{sent}: {}",
            run.describe()
        );
    }
}

#[test]
fn denied_counts_are_one_line_per_region() {
    let account = account();
    let server = account.serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.is(COUNTS, "eu-west-1").then(denied)
    });
    for types in ["all", "AWS::EC2::VPC,AWS::S3::Bucket"] {
        let args = ["--method", "counts", "--strict", "--resource-types", types];
        let run = run(&server, &args);
        assert_eq!(run.code, Some(3), "{}", run.describe());
        assert_eq!(run.csv(), without_region(&account.csv(), "eu-west-1"));
        let errors = run.errors();
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(
            errors.contains("[PERMISSION] Region: eu-west-1, Message: "),
            "{errors}"
        );
        assert_eq!(server.count(|call| call.operation == LIST), 0);
    }
}

/// Runs with `--resource-types` from a file with `text`.
fn run_with_file(server: &Server, text: &str) -> Outcome {
    let program = Program::new(server);
    std::fs::write(program.directory().join("current/types.txt"), text).unwrap();
    program.args(["--resource-types", "@types.txt"]).run()
}

#[test]
fn types_are_read_from_a_file() {
    let account = account();
    let server = account.serve();
    let text = "\u{feff}# Types with a cost.\r\nAWS::EC2::VPC,AWS::S3::Bucket # and more\r\n\r\n\t \
                AWS::EC2::VPC ,, AWS::EC2::Volume\n#AWS::EC2::Instance\r\nAWS::RDS::DBInstance";
    let run = run_with_file(&server, text);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());
    let types = [VPC, BUCKET, "AWS::EC2::Volume", "AWS::RDS::DBInstance"];
    let expected = types.map(|t| json!({"resourceType": t}).to_string());
    let listings = inputs(&server, LIST, "eu-west-1");
    let listed: BTreeSet<_> = listings.iter().map(ToString::to_string).collect();
    assert_eq!((listings.len(), listed), (4, BTreeSet::from(expected)));

    // With other types, and two files.
    let program = Program::new(&server);
    std::fs::write(program.directory().join("current/one.txt"), VPC).unwrap();
    std::fs::write(program.directory().join("current/two.txt"), BUCKET).unwrap();
    let types = "@one.txt,AWS::EC2::VPC,@two.txt";
    let run = program.args(["--resource-types", types]).run();
    assert_eq!(
        (run.code, run.csv()),
        (Some(0), account.csv()),
        "{}",
        run.describe()
    );
}

#[test]
fn invalid_type_file_is_wrong_usage() {
    let server = account().serve();
    for (text, why) in [
        (
            "AWS::EC2::VPC\nEC2\n",
            "types.txt, line 2: \"EC2\" is not a resource type",
        ),
        (
            "AWS::EC2::VPC\r\n\r\nall",
            "types.txt, line 3: \"all\" is not a resource type",
        ),
        ("AWS::EC2::VPC;AWS::S3::Bucket", "types.txt, line 1: "),
        ("# none\n\n , \n", "types.txt contains no resource types"),
        ("", "types.txt contains no resource types"),
    ] {
        let run = run_with_file(&server, text);
        assert_eq!(run.code, Some(2), "{text:?}: {}", run.describe());
        assert!(run.stderr.contains(why), "{text:?}: {}", run.describe());
        assert_eq!(run.stdout, "");
    }
    for (types, why) in [
        ("@nowhere.txt", "nowhere.txt: No such file"),
        ("@.", ".: Is a directory"),
        (
            "all,AWS::EC2::VPC",
            "`all` cannot be combined with type names",
        ),
        (
            "EC2",
            "invalid resource type \"EC2\"; expected a name like AWS::EC2::Instance, @FILE or `all`",
        ),
    ] {
        let run = run(&server, &["--resource-types", types]);
        assert_eq!(run.code, Some(2), "{types}: {}", run.describe());
        assert!(run.stderr.contains(why), "{types}: {}", run.describe());
    }
    let run = run(&server, &["--method", "guess"]);
    assert_eq!(run.code, Some(2), "{}", run.describe());
    assert!(
        run.stderr.contains("list, counts, verify"),
        "{}",
        run.describe()
    );
    assert_eq!(server.connections(), 0, "no request was sent");
}

#[test]
fn verify_reports_differences_with_reasons() {
    let account = account()
        .not_recording("eu-west-1", &[BUCKET])
        .region("eu-north-1", &[(VPC, 1)]);
    for (args, code) in [(&[][..], 0), (&["--strict"], 3)] {
        let server = account.serve();
        let program = Program::new(&server)
            .args(TYPES)
            .args(["--method", "verify"]);
        let run = program.args(args).run();
        assert_eq!(run.code, Some(code), "{}", run.describe());
        let errors = run.errors();
        assert_eq!(errors.lines().count(), 1, "the stale count: {errors}");
        assert!(errors.contains("[CONFIG_DISABLED] Region: eu-west-1, "));
        assert_eq!(
            run.csv(),
            account.csv(),
            "the totals are those of the listing"
        );
        let reason = "not recorded here: the listing has discovered resources, the counts only recorded \
                      ones";
        let table = format!(
            "\nVerified: 6 counts compared, 1 difference\n\
             \x20 region     type             listed  counted  difference  possible reason\n\
             \x20 eu-west-1  AWS::S3::Bucket       7        0          +7  {reason}\n\nSummary\n"
        );
        assert!(run.stdout.contains(&table), "{}", run.describe());
        let file = format!(
            "account,alias,region,resource_type,listed,counted,difference,reason\r\n\
             012345678901,acme-prod,eu-west-1,AWS::S3::Bucket,7,0,7,\"{reason}\"\r\n"
        );
        assert_eq!(run.table("verify"), Some(file));
        let both = json!({"resourceTypes": [VPC, BUCKET]});
        for region in ["eu-north-1", "us-east-1"] {
            let requested = inputs(&server, COUNTS, region);
            assert_eq!(requested, std::slice::from_ref(&both), "{region}");
        }
        // The different count is requested again.
        let again = json!({"resourceTypes": [BUCKET]});
        assert_eq!(inputs(&server, COUNTS, "eu-west-1"), [both, again]);
        assert_eq!(server.count(|call| call.operation == LIST), 9);
    }
}

fn counts_of(buckets: u64, vpcs: u64) -> Vec<Value> {
    let counts = [(BUCKET, buckets), (VPC, vpcs)].into_iter();
    counts
        .filter(|(_, n)| *n > 0)
        .map(|(t, n)| json!({"resourceType": t, "count": n}))
        .collect()
}

/// Serves counts of the buckets in eu-west-1, one for each request; the last one again and again.
fn serve_bucket_counts(account: &Account, counts: &'static [u64]) -> Server {
    let requests = AtomicUsize::new(0);
    account.serve_with(move |call| {
        if !call.is(COUNTS, "eu-west-1") {
            return None;
        }
        let n = requests.fetch_add(1, Ordering::SeqCst);
        let count = counts.get(n).or(counts.last())?;
        let vpcs = u64::from(call.input.to_string().contains(VPC));
        Some(Reply::json(&json!({
            "totalDiscoveredResources": count + vpcs,
            "resourceCounts": counts_of(*count, vpcs),
        })))
    })
}

#[test]
fn verify_requests_differences_again() {
    let account = account();
    for (counts, code) in [
        (&[6, 7][..], 0),
        (&[7777, 7], 0),
        (&[0, 7], 0),
        (&[7777], 3),
        (&[6, 5], 3),
        (&[0], 3),
    ] {
        let server = serve_bucket_counts(&account, counts);
        let program = Program::new(&server).args(TYPES);
        let run = program.args(["--method", "verify", "--strict"]).run();
        assert_eq!(
            (run.code, run.errors()),
            (Some(code), String::new()),
            "{}",
            run.describe()
        );
        assert_eq!(run.csv(), account.csv());
        let differences = if code == 0 {
            "0 differences"
        } else {
            "1 difference"
        };
        let first = format!("\nVerified: 4 counts compared, {differences}\n");
        assert!(
            run.stdout.contains(&first),
            "{counts:?}: {}",
            run.describe()
        );
        let file = run.table("verify").unwrap();
        assert_eq!(
            file.lines().count(),
            if code == 0 { 1 } else { 2 },
            "{file}"
        );
        if code == 3 {
            let last = counts.last().unwrap();
            let delta = 7 - i64::try_from(*last).unwrap();
            let row = format!(",eu-west-1,{BUCKET},7,{last},{delta},");
            assert!(file.contains(&row), "{file}");
            let reason = "no known reason: report it if it remains (possible reason: ";
            assert!(file.contains(reason), "{file}");
            assert!(run.stdout.contains(reason), "{}", run.describe());
        }
        assert_eq!(inputs(&server, COUNTS, "eu-west-1").len(), 2);
        assert_eq!(inputs(&server, COUNTS, "us-east-1").len(), 1);
        let listed = |t: &str| server.count(|call| call.lists(t, "eu-west-1"));
        assert_eq!((listed(BUCKET), listed(VPC)), (2, 1));
    }
}

#[test]
fn failed_second_request_keeps_first_numbers() {
    let account = account();
    for fails in [LIST, COUNTS] {
        let counted = AtomicUsize::new(0);
        let server = account.serve_with(move |call| {
            if call.region != "eu-west-1" {
                return None;
            }
            let is_again = call.operation == COUNTS && counted.fetch_add(1, Ordering::SeqCst) > 0;
            let is_failed = counted.load(Ordering::SeqCst) > 1 && call.operation == fails;
            if is_failed || (is_again && fails == LIST) {
                return Some(Reply::error(call, 400, "AccessDeniedException", "no"));
            }
            (call.operation == COUNTS).then(|| {
                let count = json!({"resourceType": VPC, "count": 1});
                Reply::json(&json!({"totalDiscoveredResources": 1, "resourceCounts": [count]}))
            })
        });
        let run = Program::new(&server)
            .args(TYPES)
            .args(["--method", "verify"])
            .run();
        run.assert_no_errors();
        assert_eq!(run.csv(), account.csv());
        let file = run.table("verify").unwrap();
        assert!(
            file.contains(&format!(",eu-west-1,{BUCKET},7,0,7,")),
            "{file}"
        );
    }
}

#[test]
fn verify_without_difference_writes_only_the_header() {
    let account = account();
    for types in ["all", "AWS::EC2::VPC,AWS::S3::Bucket"] {
        let server = account.serve();
        let args = ["--method", "verify", "--strict", "--resource-types", types];
        let run = run(&server, &args);
        assert_eq!(run.code, Some(0), "{types}: {}", run.describe());
        assert_eq!(run.csv(), account.csv());
        let message = "\nVerified: 4 counts compared, 0 differences\n\nSummary\n";
        assert!(run.stdout.contains(message), "{types}: {}", run.describe());
        let columns = "account,alias,region,resource_type,listed,counted,difference,reason\r\n";
        assert_eq!(run.table("verify").as_deref(), Some(columns));
    }
}

#[test]
fn verify_reports_counts_it_could_not_compare() {
    let account = account();
    let server = account.serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    });
    let args = ["--method", "verify", "--strict"];
    let run = Program::new(&server).args(TYPES).args(args).run();
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    let message = "\nVerified: 3 counts compared, 0 differences, 1 could not be compared\n";
    assert!(run.stdout.contains(message), "{}", run.describe());
}

#[test]
fn policy_allows_exactly_the_calls_of_run() {
    for args in [
        &[][..],
        &["--method", "counts"],
        &["--method", "verify"],
        &["--resource-types", "all"],
        &["--resource-types", "all", "--method", "counts"],
        &["--skip-checks", "--coverage"],
    ] {
        let policy = Program::without_server().arg("iam-policy").args(args).run();
        assert_eq!(
            (policy.code, policy.stderr.as_str()),
            (Some(0), ""),
            "{args:?}"
        );
        assert!(policy.stdout.ends_with("}\n"), "{}", policy.stdout);
        assert_eq!(policy.files().len(), 0);
        let policy: Value = serde_json::from_str(&policy.stdout).unwrap();
        assert_eq!(policy["Version"], "2012-10-17");
        let [statement] = &policy["Statement"].as_array().unwrap()[..] else {
            panic!("{policy}")
        };
        assert_eq!(
            (&statement["Effect"], &statement["Resource"]),
            (&json!("Allow"), &json!("*"))
        );
        let server = account().serve();
        run(&server, args);
        let called: BTreeSet<String> = server
            .calls()
            .iter()
            .map(|call| format!("{}:{}", call.service, call.operation))
            // This call needs no permission.
            .filter(|action| action != "sts:GetCallerIdentity")
            .collect();
        assert_eq!(statement["Action"], json!(called), "{args:?}");
    }
}

#[test]
fn policy_for_unknown_flag_is_wrong_usage() {
    for args in [
        &["iam-policy", "--methods", "counts"][..],
        &["iam-policy", "--method", "guess"],
        &["iam-policy", "surplus"],
        &["--method", "counts", "iam-policy"],
    ] {
        let run = Program::without_server().args(args).run();
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.describe());
        assert_eq!(run.stdout, "", "{args:?}");
        assert!(
            run.stderr.starts_with("error: "),
            "{args:?}: {}",
            run.describe()
        );
    }
}

#[test]
fn skip_checks_makes_same_calls_and_file() {
    let account = account();
    let calls = |server: &Server| {
        let calls = server.calls();
        let describe = |c: &Call| format!("{} {} {}", c.operation, c.region, c.input);
        let mut calls: Vec<_> = calls.iter().map(|call| describe(call)).collect();
        calls.sort();
        calls
    };
    for method in ["list", "counts", "verify"] {
        let args = ["--method", method];
        let (checked, unchecked) = (account.serve(), account.serve());
        let with = Program::new(&checked).args(TYPES).args(args).run();
        let program = Program::new(&unchecked).args(TYPES).args(args);
        let without = program.arg("--skip-checks").run();
        assert_eq!(without.code, Some(0), "{}", without.describe());
        assert_eq!(without.csv(), account.csv());
        assert_eq!(without.csv(), with.csv());
        assert_eq!(without.files(), with.files());
        assert_eq!(calls(&unchecked), calls(&checked), "{method}");
        let first: BTreeSet<_> = unchecked.calls()[..3]
            .iter()
            .map(|call| call.operation.clone())
            .collect();
        let identity = ["DescribeRegions", "GetCallerIdentity", "ListAccountAliases"];
        assert_eq!(first, BTreeSet::from(identity.map(str::to_owned)));
        let start = "Scanning AWS account: 012345678901 (acme-prod)\nFound 2 enabled regions\n";
        assert!(without.stdout.starts_with(start), "{}", without.describe());
    }
}

/// The first replies of AWS Config wait for a request of every task. If a check preceded them, the
/// wait would time out.
#[test]
fn skip_checks_starts_all_regions_at_once() {
    let account = account();
    let (server, in_time) = serve_at_once(&account, 6, |call| {
        let resource_type = call.field("resourceType").map(str::to_owned);
        (call.service == "config").then(|| (call.region.clone(), resource_type))
    });
    let run = Program::new(&server).args(TYPES).arg("--skip-checks").run();
    run.assert_no_errors();
    assert_eq!(run.csv(), account.csv());
    assert!(in_time.try_iter().all(|in_time| in_time));
    // Two types and a recorder call in each of two regions.
    assert_eq!(server.max_in_flight(), 6);
}

#[test]
fn skip_checks_makes_denied_type_partial() {
    let account = account();
    let server = account.serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "us-east-1").then(denied)
    });
    let checked = run(&server, &TYPES);
    assert_eq!(checked.code, Some(1), "{}", checked.describe());
    let unchecked = Program::new(&server).args(TYPES).arg("--skip-checks").run();
    assert_eq!(unchecked.code, Some(0), "{}", unchecked.describe());
    assert_eq!(
        unchecked.csv(),
        without_cell(&account.csv(), "us-east-1", VPC)
    );
    assert_eq!(
        unchecked.errors().lines().count(),
        1,
        "{}",
        unchecked.describe()
    );

    // The account and its regions are required.
    let server = account.serve_with(|call| {
        (call.service == "sts").then(|| Reply::error(call, 403, "InvalidClientTokenId", "no"))
    });
    let run = Program::new(&server).args(TYPES).arg("--skip-checks").run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(
        run.stdout.matches("Verifying").count(),
        0,
        "{}",
        run.describe()
    );
    assert_eq!(run.errors().lines().count(), 1, "{}", run.describe());
    assert!(
        run.errors().contains("[FATAL] Message: "),
        "{}",
        run.describe()
    );
    assert_eq!(server.count(|call| call.service == "config"), 0);
}
