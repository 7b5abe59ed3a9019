//! The ways to count, the ways to name types, and the calls that each of them makes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Account, Call, Outcome, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account, answering_at_once, without_cell, without_region};

const COUNTS: &str = "GetDiscoveredResourceCounts";
const LIST: &str = "ListDiscoveredResources";

/// `n` types, each with as many resources as its place says, from 1.
fn many(n: usize) -> Vec<(String, usize)> {
    (1..=n)
        .map(|n| (format!("AWS::EC2::Type{n:03}"), n))
        .collect()
}

/// An account of two regions, with these types in one of them.
fn large(types: &[(String, usize)]) -> Account {
    let counts: Vec<_> = types.iter().map(|(t, n)| (t.as_str(), *n)).collect();
    Account::new()
        .region("us-east-1", &[(VPC, 2), (BUCKET, 150)])
        .region("eu-west-1", &counts)
}

fn run(server: &Server, args: &[&str]) -> Outcome {
    Program::new(server).args(args).run()
}

/// The inputs of `operation` in `region`, in the order of the calls, without page tokens.
fn inputs(server: &Server, operation: &str, region: &str) -> Vec<Value> {
    let calls = server.calls();
    let own = calls.iter().filter(|call| call.is(operation, region));
    own.map(|call| {
        let mut input = call.input.clone();
        input.as_object_mut().unwrap().remove("nextToken");
        input
    })
    .collect()
}

#[test]
fn counts_take_a_call_for_a_hundred_types() {
    for (types, calls) in [(1, 1), (100, 1), (101, 2), (205, 3)] {
        let account = large(&many(types));
        let server = account.serve();
        let args = ["--method", "counts", "--resource-types", "all", "--strict"];
        let counted = run(&server, &args);
        assert_eq!(counted.code, Some(0), "{}", counted.told());
        assert_eq!(counted.csv(), account.csv(), "{types}");
        assert_eq!(inputs(&server, COUNTS, "eu-west-1"), vec![json!({}); calls]);
        assert_eq!(inputs(&server, COUNTS, "us-east-1"), [json!({})]);
        assert_eq!(server.count(|call| call.operation == LIST), 0);
    }
}

#[test]
fn counts_and_a_listing_say_the_same_where_all_is_recorded() {
    let account = large(&many(30));
    let all = |method| {
        let server = account.serve();
        let run = run(&server, &["--resource-types", "all", "--method", method]);
        assert_eq!((run.code, run.errors()), (Some(0), String::new()));
        (run.csv(), server)
    };
    let (counted, _) = all("counts");
    assert_eq!(counted, account.csv());
    let (listed, server) = all("list");
    assert_eq!(listed, counted);
    // The counts say what there is to list.
    assert_eq!(inputs(&server, COUNTS, "eu-west-1"), [json!({})]);
    // Several at once, in no order.
    let listings = inputs(&server, LIST, "eu-west-1");
    let listed: BTreeSet<_> = listings.iter().map(ToString::to_string).collect();
    let types = many(30)
        .into_iter()
        .map(|(t, _)| json!({"resourceType": t}).to_string());
    assert_eq!((listings.len(), listed), (30, types.collect()));
    // In the region of the checks, too, nothing is asked twice.
    assert_eq!(inputs(&server, COUNTS, "us-east-1"), [json!({})]);
    for page in ["us-east-1", "eu-west-1"] {
        let calls = server.calls();
        let tokens = calls.iter().filter(|c| c.is(LIST, page));
        let asked: Vec<_> = tokens.map(|c| c.input.to_string()).collect();
        let once: BTreeSet<_> = asked.iter().collect();
        assert_eq!(asked.len(), once.len(), "{asked:?}");
    }
}

#[test]
fn up_to_twenty_types_are_named_to_the_counts() {
    for named in [2, 20, 21] {
        let types = many(30);
        let account = large(&types);
        let server = account.serve();
        let names: Vec<_> = types[..named].iter().map(|(t, _)| t.as_str()).collect();
        let args = ["--method", "counts", "--resource-types", &names.join(",")];
        let run = run(&server, &args);
        assert_eq!(
            (run.code, run.errors()),
            (Some(0), String::new()),
            "{}",
            run.told()
        );
        let expected = large(&types[..named]).csv();
        assert_eq!(run.csv(), without_region(&expected, "us-east-1"), "{named}");
        let input = match named {
            21 => json!({}),
            _ => json!({"resourceTypes": names}),
        };
        assert_eq!(inputs(&server, COUNTS, "eu-west-1"), [input]);
    }
}

#[test]
fn counts_that_do_not_add_up_are_no_counts() {
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
            "pages that add up to 8 where it tells of 9 resources",
        ),
        (
            page(7, 7),
            "pages that add up to 8 where it tells of 7 resources",
        ),
        (page(0, u64::MAX), "counts too great to be added up"),
    ] {
        let server =
            account.serve_but(move |call| call.is(COUNTS, "eu-west-1").then(|| Reply::json(&body)));
        for (args, code) in [(&[][..], 0), (&["--strict"], 3)] {
            let program = Program::new(&server).args(TYPES).args(args);
            let run = program.args(["--method", "counts", "--coverage"]).run();
            assert_eq!(run.code, Some(code), "{}", run.told());
            assert_eq!(run.csv(), without_region(&account.csv(), "eu-west-1"));
            let errors = run.errors();
            let told = format!(
                "[API_ERROR] Region: eu-west-1, Message: config:{COUNTS} gave {why} (request id "
            );
            assert!(errors.contains(&told), "{errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
            assert_eq!(run.coverage().matches(",eu-west-1,").count(), 2);
            for resource_type in [VPC, BUCKET] {
                let cell = format!(",eu-west-1,{resource_type},error,,config:{COUNTS} gave {why}");
                assert!(run.coverage().contains(&cell), "{}", run.coverage());
            }
        }
    }
}

#[test]
fn counts_that_may_not_be_asked_lose_their_region_in_one_line() {
    let account = account();
    let server = account.serve_but(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.is(COUNTS, "eu-west-1").then(denied)
    });
    for types in ["all", "AWS::EC2::VPC,AWS::S3::Bucket"] {
        let args = ["--method", "counts", "--strict", "--resource-types", types];
        let run = run(&server, &args);
        assert_eq!(run.code, Some(3), "{}", run.told());
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

/// A run whose types stand in a file with this text.
fn with_file(server: &Server, text: &str) -> Outcome {
    let program = Program::new(server);
    std::fs::write(program.folder().join("work/types.txt"), text).unwrap();
    program.args(["--resource-types", "@types.txt"]).run()
}

#[test]
fn types_from_a_file() {
    let account = account();
    let server = account.serve();
    let text = "\u{feff}# What we pay for.\r\nAWS::EC2::VPC,AWS::S3::Bucket # and more\r\n\r\n\t \
                AWS::EC2::VPC ,, AWS::EC2::Volume\n#AWS::EC2::Instance\r\nAWS::RDS::DBInstance";
    let run = with_file(&server, text);
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), account.csv());
    let types = [VPC, BUCKET, "AWS::EC2::Volume", "AWS::RDS::DBInstance"];
    let expected = types.map(|t| json!({"resourceType": t}).to_string());
    let listings = inputs(&server, LIST, "eu-west-1");
    let listed: BTreeSet<_> = listings.iter().map(ToString::to_string).collect();
    assert_eq!((listings.len(), listed), (4, BTreeSet::from(expected)));

    // Beside others, and twice.
    let program = Program::new(&server);
    std::fs::write(program.folder().join("work/one.txt"), VPC).unwrap();
    std::fs::write(program.folder().join("work/two.txt"), BUCKET).unwrap();
    let types = "@one.txt,AWS::EC2::VPC,@two.txt";
    let run = program.args(["--resource-types", types]).run();
    assert_eq!(
        (run.code, run.csv()),
        (Some(0), account.csv()),
        "{}",
        run.told()
    );
}

#[test]
fn a_file_that_is_no_list_of_types_is_wrong_usage() {
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
        ("# none\n\n , \n", "types.txt names no type"),
        ("", "types.txt names no type"),
    ] {
        let run = with_file(&server, text);
        assert_eq!(run.code, Some(2), "{text:?}: {}", run.told());
        assert!(run.stderr.contains(why), "{text:?}: {}", run.told());
        assert_eq!(run.stdout, "");
    }
    for (types, why) in [
        ("@nowhere.txt", "nowhere.txt: No such file"),
        ("@.", ".: Is a directory"),
        ("all,AWS::EC2::VPC", "all stands alone"),
        (
            "EC2",
            "\"EC2\" is not a resource type such as AWS::EC2::Instance, nor @FILE, nor all",
        ),
    ] {
        let run = run(&server, &["--resource-types", types]);
        assert_eq!(run.code, Some(2), "{types}: {}", run.told());
        assert!(run.stderr.contains(why), "{types}: {}", run.told());
    }
    let run = run(&server, &["--method", "guess"]);
    assert_eq!(run.code, Some(2), "{}", run.told());
    assert!(
        run.stderr.contains("list, counts, verify"),
        "{}",
        run.told()
    );
    assert_eq!(server.connections(), 0, "nothing was asked");
}

#[test]
fn verify_tells_what_differs_and_why() {
    let account = account()
        .leaving_out("eu-west-1", &[BUCKET])
        .region("eu-north-1", &[(VPC, 1)]);
    for (args, code) in [(&[][..], 0), (&["--strict"], 3)] {
        let server = account.serve();
        let program = Program::new(&server)
            .args(TYPES)
            .args(["--method", "verify"]);
        let run = program.args(args).run();
        assert_eq!(
            (run.code, run.errors()),
            (Some(code), String::new()),
            "{}",
            run.told()
        );
        assert_eq!(
            run.csv(),
            account.csv(),
            "the totals are those of the listing"
        );
        let reason = "not recorded here: the listing has what was discovered, the counts what is \
                      recorded";
        let table = format!(
            "\nVerified: 6 cells compared, 1 difference\n\
             \x20 region     type             listed  counted  difference  known reason\n\
             \x20 eu-west-1  AWS::S3::Bucket       7        0          +7  {reason}\n\nSummary\n"
        );
        assert!(run.stdout.contains(&table), "{}", run.told());
        let file = format!(
            "account,alias,region,resource_type,listed,counted,difference,reason\r\n\
             012345678901,acme-prod,eu-west-1,AWS::S3::Bucket,7,0,7,\"{reason}\"\r\n"
        );
        assert_eq!(run.output("_verify.csv"), Some(file));
        let named = [json!({"resourceTypes": [VPC, BUCKET]})];
        for region in ["eu-north-1", "eu-west-1", "us-east-1"] {
            assert_eq!(inputs(&server, COUNTS, region), named, "{region}");
        }
        assert_eq!(server.count(|call| call.operation == LIST), 8);
    }
}

#[test]
fn verify_without_a_difference_leaves_a_file_with_columns_alone() {
    let account = account();
    for types in ["all", "AWS::EC2::VPC,AWS::S3::Bucket"] {
        let server = account.serve();
        let args = ["--method", "verify", "--strict", "--resource-types", types];
        let run = run(&server, &args);
        assert_eq!(run.code, Some(0), "{types}: {}", run.told());
        assert_eq!(run.csv(), account.csv());
        let told = "\nVerified: 4 cells compared, 0 differences\n\nSummary\n";
        assert!(run.stdout.contains(told), "{types}: {}", run.told());
        let columns = "account,alias,region,resource_type,listed,counted,difference,reason\r\n";
        assert_eq!(run.output("_verify.csv").as_deref(), Some(columns));
    }
}

#[test]
fn verify_says_what_it_could_not_compare() {
    let account = account();
    let server = account.serve_but(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "eu-west-1").then(denied)
    });
    let args = ["--method", "verify", "--strict"];
    let run = Program::new(&server).args(TYPES).args(args).run();
    assert_eq!(run.code, Some(3), "{}", run.told());
    assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
    let told = "\nVerified: 3 cells compared, 0 differences, 1 could not be compared\n";
    assert!(run.stdout.contains(told), "{}", run.told());
}

#[test]
fn what_a_run_calls_is_what_the_policy_allows() {
    for args in [
        &[][..],
        &["--method", "counts"],
        &["--method", "verify"],
        &["--resource-types", "all"],
        &["--resource-types", "all", "--method", "counts"],
        &["--skip-checks", "--coverage"],
    ] {
        let policy = Program::alone().arg("iam-policy").args(args).run();
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
            // It needs no permission.
            .filter(|action| action != "sts:GetCallerIdentity")
            .collect();
        assert_eq!(statement["Action"], json!(called), "{args:?}");
    }
}

#[test]
fn a_policy_for_an_unknown_flag_is_wrong_usage() {
    for args in [
        &["iam-policy", "--methods", "counts"][..],
        &["iam-policy", "--method", "guess"],
        &["iam-policy", "surplus"],
        &["--method", "counts", "iam-policy"],
    ] {
        let run = Program::alone().args(args).run();
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.told());
        assert_eq!(run.stdout, "", "{args:?}");
        assert!(
            run.stderr.starts_with("error: "),
            "{args:?}: {}",
            run.told()
        );
    }
}

#[test]
fn without_checks_the_same_calls_bring_the_same_file() {
    let account = account();
    let calls = |server: &Server| {
        let calls = server.calls();
        let told = |c: &Call| format!("{} {} {}", c.operation, c.region, c.input);
        let mut calls: Vec<_> = calls.iter().map(|call| told(call)).collect();
        calls.sort();
        calls
    };
    for method in ["list", "counts", "verify"] {
        let args = ["--method", method];
        let (checked, unchecked) = (account.serve(), account.serve());
        let with = Program::new(&checked).args(TYPES).args(args).run();
        let program = Program::new(&unchecked).args(TYPES).args(args);
        let without = program.arg("--skip-checks").run();
        assert_eq!(without.code, Some(0), "{}", without.told());
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
        assert!(without.stdout.starts_with(start), "{}", without.told());
    }
}

/// The first answers of AWS Config wait for a call of every task: had a check gone ahead of them,
/// the patience here would run out.
#[test]
fn without_checks_the_scan_begins_in_all_regions_at_once() {
    let account = account();
    let (server, in_time) = answering_at_once(&account, 6, |call| {
        let of = call.field("resourceType").map(str::to_owned);
        (call.service == "config").then(|| (call.region.clone(), of))
    });
    let run = Program::new(&server).args(TYPES).arg("--skip-checks").run();
    assert_eq!((run.code, run.errors()), (Some(0), String::new()));
    assert_eq!(run.csv(), account.csv());
    assert!(in_time.try_iter().all(|in_time| in_time));
    // Two types and a recorder in each of two regions.
    assert_eq!(server.most_in_flight(), 6);
}

#[test]
fn without_checks_what_they_would_have_refused_is_partial_data() {
    let account = account();
    let server = account.serve_but(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        call.lists(VPC, "us-east-1").then(denied)
    });
    let checked = run(&server, &TYPES);
    assert_eq!(checked.code, Some(1), "{}", checked.told());
    let unchecked = Program::new(&server).args(TYPES).arg("--skip-checks").run();
    assert_eq!(unchecked.code, Some(0), "{}", unchecked.told());
    assert_eq!(
        unchecked.csv(),
        without_cell(&account.csv(), "us-east-1", VPC)
    );
    assert_eq!(
        unchecked.errors().lines().count(),
        1,
        "{}",
        unchecked.told()
    );

    // Who asks, and where, has to be known.
    let server = account.serve_but(|call| {
        (call.service == "sts").then(|| Reply::error(call, 403, "InvalidClientTokenId", "no"))
    });
    let run = Program::new(&server).args(TYPES).arg("--skip-checks").run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_eq!(run.stdout.matches("Verifying").count(), 0, "{}", run.told());
    assert_eq!(run.errors().lines().count(), 1, "{}", run.told());
    assert!(run.errors().contains("[FATAL] Message: "), "{}", run.told());
    assert_eq!(server.count(|call| call.service == "config"), 0);
}
