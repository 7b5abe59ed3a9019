//! Tests of a whole run: its requests, its output and its files.

use std::collections::BTreeMap;

use crate::support::{Account, Call, Program, Recorder, Reply};
use crate::{BUCKET, TYPES, VPC, account, serve_at_once, without_cell};

/// The access key ID of the example credentials. The signature itself is tested in `sign.rs`.
const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

#[test]
fn run_writes_csv_and_summary() {
    let account = account();
    let server = account.serve();
    let run = Program::new(&server).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());
    let name = "aws_config_resource_count_012345678901_acme-prod.csv";
    let path = run.directory().join("out").join(name);
    assert_eq!(run.files().len(), 1, "{}", run.describe());
    let (text, effort) = run.stdout.rsplit_once(" · ").expect("time and requests");
    let requests = format!(" s, {} requests\n", server.calls().len());
    assert!(effort.ends_with(&requests), "{effort}");
    assert_eq!(
        text,
        format!(
            "Verifying prerequisites...\n\
             ✓ HTTPS client can be built (trusting the built-in Mozilla roots)\n\
             ✓ Thread pool can be built\n\
             ✓ AWS credentials configured (environment variables, access key ****MPLE)\n\
             ✓ IAM permission: sts:GetCallerIdentity (012345678901)\n\
             ✓ IAM permission: iam:ListAccountAliases (acme-prod)\n\
             ✓ IAM permission: ec2:DescribeRegions (2 enabled regions)\n\
             ✓ IAM permission: config:ListDiscoveredResources (us-east-1)\n\
             ✓ AWS Config enabled in at least one region (us-east-1)\n\
             \n\
             Scanning AWS account: 012345678901 (acme-prod)\n\
             Found 2 enabled regions\n\
             Scanning 2 regions...\n\
             Results written to {}\n\
             \n\
             Summary\n\
             \x20 Regions scanned: 2 (all complete)\n\
             \x20 Resource types found: 2\n\
             \x20 Total resources: 260 (10 default types; for every type: --resource-types all)\n\
             \x20 Errors encountered: 0\n\
             \x20 Coverage: all 20 counts known (2 regions × 10 types)",
            path.display()
        )
    );
    assert_eq!(run.stderr, format!("Progress: [{}] 2/2\n", "█".repeat(50)));
}

#[test]
fn results_of_checks_are_reused() {
    let server = account().serve();
    Program::new(&server).args(TYPES).run();
    let mut counts = BTreeMap::new();
    for call in server.calls() {
        let resource_type = call.field("resourceType").unwrap_or_default().to_owned();
        let call = (call.operation.clone(), call.region.clone(), resource_type);
        *counts.entry(call).or_insert(0) += 1;
    }
    let expected = [
        ("DescribeConfigurationRecorderStatus", "eu-west-1", "", 1),
        ("DescribeConfigurationRecorderStatus", "us-east-1", "", 1),
        ("DescribeConfigurationRecorders", "eu-west-1", "", 1),
        ("DescribeConfigurationRecorders", "us-east-1", "", 1),
        ("DescribeRegions", "us-east-1", "", 1),
        ("GetCallerIdentity", "us-east-1", "", 1),
        ("ListAccountAliases", "us-east-1", "", 1),
        ("ListDiscoveredResources", "eu-west-1", VPC, 1),
        ("ListDiscoveredResources", "eu-west-1", BUCKET, 1),
        ("ListDiscoveredResources", "us-east-1", VPC, 1),
        // One call per page.
        ("ListDiscoveredResources", "us-east-1", BUCKET, 3),
    ];
    let expected = expected.map(|(operation, region, resource_type, count)| {
        let call = (
            operation.to_owned(),
            region.to_owned(),
            resource_type.to_owned(),
        );
        (call, count)
    });
    assert_eq!(counts, BTreeMap::from(expected));
    // The scan sends requests for both types and the recorder in each of two regions.
    assert!(server.max_in_flight() <= 6, "{}", server.max_in_flight());
    assert!(server.connections() <= 6, "{}", server.connections());
}

/// The scan reuses the results of the checks in all regions: the region with the first recorder,
/// and the regions without one.
#[test]
fn results_of_checks_in_other_regions_are_reused() {
    let account = Account::new()
        .region_with("ap-south-1", Recorder::None, &[])
        .region("eu-north-1", &[(VPC, 1)])
        .region_with("eu-west-1", Recorder::None, &[])
        .region_with("us-east-1", Recorder::None, &[]);
    let server = account.serve();
    let one_by_one = ["--region-concurrency", "1"];
    let run = Program::new(&server).args(TYPES).args(one_by_one).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());
    for region in ["ap-south-1", "eu-north-1", "eu-west-1", "us-east-1"] {
        let calls = |operation| server.count(|call| call.is(operation, region));
        assert_eq!(calls("DescribeConfigurationRecorderStatus"), 1, "{region}");
        assert_eq!(calls("DescribeConfigurationRecorders"), 1, "{region}");
        // An error of the first listing ends the region, in the check or in the scan.
        let listings = if region == "eu-north-1" { 2 } else { 1 };
        assert_eq!(calls("ListDiscoveredResources"), listings, "{region}");
    }
}

/// The replies to the checks wait for a request of every check. If a check waited for the result of
/// another, the wait would time out.
#[test]
fn checks_run_concurrently() {
    for region in ["us-east-1", "eu-west-1"] {
        let account = account();
        let (server, in_time) = serve_at_once(&account, 5, |call| {
            // Later calls do not wait: all operations have arrived by then.
            Some(call.operation.clone())
        });
        let run = Program::new(&server)
            .args(TYPES)
            .args(["--region", region])
            .run();
        run.assert_no_errors();
        assert_eq!(run.csv(), account.csv());
        assert!(in_time.try_iter().all(|in_time| in_time), "{region}");
    }
}

/// The checks call us-east-1 before the enabled regions are known. If it is not enabled, its
/// responses are ignored.
#[test]
fn responses_of_disabled_region_are_ignored() {
    let account = Account::new()
        .region("ap-south-1", &[(VPC, 3)])
        .region("eu-west-1", &[(VPC, 1), (BUCKET, 7)]);
    let server = account.serve_with(|call| {
        let denied = || Reply::error(call, 400, "AccessDeniedException", "no");
        (call.region == "us-east-1").then(denied)
    });
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--region", "eu-west-1"])
        .run();
    run.assert_no_errors();
    assert_eq!(run.csv(), account.csv());
    for check in [
        "✓ IAM permission: config:ListDiscoveredResources (eu-west-1)\n",
        "✓ AWS Config enabled in at least one region (eu-west-1)\n",
    ] {
        assert!(run.stdout.contains(check), "{}", run.describe());
    }
    assert_eq!(server.count(|call| call.region == "us-east-1"), 2);
    assert_eq!(server.count(|call| call.lists(VPC, "eu-west-1")), 1);
}

#[test]
fn pages_are_requested_with_previous_token() {
    let server = account().serve();
    let run = Program::new(&server).args(TYPES).run();
    assert!(run.csv().contains(",us-east-1,AWS::S3::Bucket,250\r\n"));
    let calls = server.calls();
    let listing = calls.iter().filter(|call| call.lists(BUCKET, "us-east-1"));
    let offsets: Vec<_> = listing
        .map(|call| call.field("nextToken").map(|token| token[..8].to_owned()))
        .collect();
    // A page token begins with the offset of its page, in hexadecimal.
    let expected = [
        None,
        Some("00000064".to_owned()),
        Some("000000c8".to_owned()),
    ];
    assert_eq!(offsets, expected);
}

#[test]
fn requests_are_signed_and_name_the_program() {
    let server = account().serve();
    Program::new(&server)
        .args(TYPES)
        .env("AWS_SESSION_TOKEN", "a-session-token")
        .run();
    let calls = server.calls();
    assert!(calls.len() > 10);
    for call in calls {
        let header = |name| call.header(name).unwrap_or_default();
        assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/"));
        let version = env!("CARGO_PKG_VERSION");
        let agent = format!("aws-config-resource-count/{version}");
        assert_eq!(header("user-agent"), agent);
        assert_eq!(header("host"), server.host());
        assert_eq!(header("x-amz-security-token"), "a-session-token");
        let date = header("x-amz-date");
        assert!(date.len() == 16 && date.ends_with('Z'), "{date}");
        let scope = format!(
            "{KEY}/{}/{}/{}/aws4_request",
            &date[..8],
            call.region,
            call.service
        );
        let target = if call.service == "config" {
            ";x-amz-target"
        } else {
            ""
        };
        let signed = format!("content-type;host;x-amz-date;x-amz-security-token{target}");
        let start =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={signed}, Signature=");
        let signature = header("authorization").strip_prefix(&start);
        let signature = signature.unwrap_or_else(|| panic!("{}", header("authorization")));
        assert_eq!(signature.len(), 64);
        assert!(signature.bytes().all(|b| b.is_ascii_hexdigit()));
    }
}

#[test]
fn old_csv_is_replaced_and_old_log_deleted() {
    let account = account();
    let server = account.serve();
    let program = Program::new(&server).args(TYPES);
    for suffix in [".csv", "_errors.txt"] {
        let name = format!("out/aws_config_resource_count_012345678901_acme-prod{suffix}");
        std::fs::write(program.directory().join(name), "old").unwrap();
    }
    let run = program.run();
    assert_eq!(run.csv(), account.csv());
    assert_eq!(run.files().len(), 1, "{}", run.describe());
}

#[test]
fn denied_type_makes_the_data_partial() {
    let account = account();
    for (args, code) in [(&[][..], 0), (&["--strict"], 3)] {
        let server = account.serve_with(|call| {
            let denied = || Reply::error(call, 400, "AccessDeniedException", "not authorized");
            call.lists(VPC, "eu-west-1").then(denied)
        });
        let run = Program::new(&server).args(TYPES).args(args).run();
        assert_eq!(run.code, Some(code), "{}", run.describe());
        assert_eq!(run.csv(), without_cell(&account.csv(), "eu-west-1", VPC));
        let line = "[PERMISSION] Region: eu-west-1, Resource: AWS::EC2::VPC, Message: ";
        assert!(run.errors().contains(line), "{}", run.describe());
        assert!(run.stderr.contains(line), "{}", run.describe());
    }
}

#[test]
fn region_without_recorder_is_one_line() {
    let account = account().region_with("ap-south-1", Recorder::None, &[(VPC, 3)]);
    let server = account.serve();
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(run.code, Some(0));
    assert_eq!(run.csv(), account.csv());
    let errors = run.errors();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        errors.contains("[CONFIG_DISABLED] Region: ap-south-1, "),
        "{errors}"
    );
}

#[test]
fn throttled_request_is_retried() {
    let account = account();
    let first = std::sync::atomic::AtomicBool::new(true);
    let server = account.serve_with(move |call| {
        let once =
            call.lists(VPC, "eu-west-1") && first.swap(false, std::sync::atomic::Ordering::SeqCst);
        once.then(|| Reply::throttled(call))
    });
    let run = Program::new(&server).args(TYPES).run_without_waits();
    run.assert_no_errors();
    assert_eq!(run.csv(), account.csv());
    assert_eq!(server.count(|call| call.lists(VPC, "eu-west-1")), 2);
}

#[test]
fn all_checks_run_and_failures_are_listed() {
    let refused = |call: &Call| {
        let error = |code| Some(Reply::error(call, 403, code, "The token is invalid"));
        match call.service.as_str() {
            "ec2" => error("AuthFailure"),
            "config" => error("UnrecognizedClientException"),
            _ => error("InvalidClientTokenId"),
        }
    };
    let server = account().serve_with(refused);
    let run = Program::new(&server).run();
    assert_eq!(run.code, Some(1));
    assert_eq!(run.stdout.matches('✓').count(), 3, "{}", run.describe());
    assert_eq!(run.stdout.matches('✗').count(), 5, "{}", run.describe());
    let (_, list) = run.stdout.split_once("PREREQUISITE FAILURES:\n").unwrap();
    assert_eq!(list.matches("  - ").count(), 5, "{list}");
    let files = run.files();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].ends_with("aws_config_resource_count_errors.txt"));
    assert_eq!(run.errors().matches("[PREREQUISITE] Message: ").count(), 5);
}

#[test]
fn file_name_without_alias_has_account_id() {
    let account = Account::new().region("us-east-1", &[(VPC, 1)]);
    let server = account.serve();
    let run = Program::new(&server).args(["--quiet"]).run();
    assert_eq!(run.csv(), account.csv());
    assert!(run.files()[0].ends_with("aws_config_resource_count_012345678901.csv"));
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}
