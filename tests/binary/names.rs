//! Tests of the names that a user gives: regions and resource types that are misspelled, new or in another case.

use crate::support::{Call, Outcome, Program, Proxy, Recorder, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account};

/// Returns the number of requests to AWS Config.
fn config_calls(server: &Server) -> usize {
    server.count(|call| call.service == "config")
}

fn asks_all_regions(call: &Call) -> bool {
    call.operation == "DescribeRegions" && call.field("AllRegions") == Some("true")
}

fn assert_usage_error(run: &Outcome, parts: &[&str]) {
    assert_eq!(run.code, Some(2), "{}", run.describe());
    for part in parts {
        assert!(run.stderr.contains(part), "{part}: {}", run.describe());
    }
    assert!(run.files().is_empty(), "{}", run.describe());
}

#[test]
fn region_of_no_partition_exits_at_once() {
    for option in ["--regions", "--exclude-regions"] {
        for (name, near) in [
            ("us-east1", "did you mean us-east-1"),
            ("eu_west_1", "did you mean eu-west-1"),
            ("us-east-1a", "did you mean us-east-1"),
            ("moon-base-1", "is not a region code"),
            ("aws-global", "is not a region code"),
            ("Frankfurt", "is not a region code"),
            ("eu-west-1,euwest2", "did you mean eu-west-2"),
        ] {
            let server = account().serve();
            let run = Program::new(&server).args(TYPES).args([option, name]).run();
            assert_usage_error(&run, &[option, near]);
            assert_eq!(server.calls().len(), 0, "{name}");
        }
    }
}

#[test]
fn region_unknown_to_aws_exits_before_config_calls() {
    for (args, parts) in [
        (
            &["--exclude-regions", "us-esat-1"][..],
            &["--exclude-regions", "us-esat-1", "us-east-1"][..],
        ),
        (
            &["--regions", "eu-wset-1,us-east-1"],
            &["--regions", "eu-wset-1", "eu-west-1"],
        ),
        (&["--regions", "us-east-11"], &["--regions", "us-east-1"]),
        (
            &["--skip-checks", "--exclude-regions", "ap-suoth-1"],
            &["--exclude-regions", "ap-suoth-1", "ap-south-1"],
        ),
        (
            &["--regions", "us-east-9", "--exclude-regions", "eu-west-9"],
            &["us-east-9", "eu-west-9"],
        ),
    ] {
        let server = account().other_region("ap-south-1").serve();
        let run = Program::new(&server).args(TYPES).args(args).run();
        assert_usage_error(&run, parts);
        assert_eq!(config_calls(&server), 0, "{args:?}");
        assert_eq!(server.count(asks_all_regions), 1, "{args:?}");
    }
}

#[test]
fn region_opened_by_aws_is_accepted() {
    let account = account()
        .region("eu-atlantis-1", &[(VPC, 5)])
        .other_region("eu-mordor-1");
    let server = account.serve();
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--regions", "eu-atlantis-1"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(run.csv().contains(",eu-atlantis-1,AWS::EC2::VPC,5\r\n"));
    assert_eq!(run.csv().lines().count(), 2);
    let server = account.serve();
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--exclude-regions", "eu-atlantis-1,eu-mordor-1"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(!run.csv().contains("eu-atlantis-1"), "{}", run.describe());
    // It exists and is not enabled, as a known region that is not enabled.
    for region in ["eu-mordor-1", "ap-east-1"] {
        let server = account.serve();
        let run = Program::new(&server)
            .args(TYPES)
            .args(["--regions", region, "--regions", "us-east-1"])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let line = format!("[REGION_DISABLED] Region: {region}, Message: not an enabled region");
        assert!(run.errors().contains(&line), "{}", run.describe());
    }
}

#[test]
fn region_of_another_partition_is_named() {
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        let run = Program::new(&account().serve())
            .args(TYPES)
            .args(["--regions", region, "--regions", "us-east-1"])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let line = format!(
            "[REGION_DISABLED] Region: {region}, Message: a region of another partition, {partition}, "
        );
        assert!(run.errors().contains(&line), "{}", run.describe());
    }
}

#[test]
fn new_region_is_recorded_and_replayed() {
    let server = account().region("eu-atlantis-1", &[(VPC, 5)]).serve();
    let program = Program::new(&server).args(TYPES);
    let recording = program.directory().join("current/recording");
    let regions = ["--regions", "eu-atlantis-1"];
    let run = program.args(regions).arg("--record").arg(&recording).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let again = Program::without_server()
        .args(TYPES)
        .args(regions)
        .arg("--replay")
        .arg(&recording)
        .run();
    assert_eq!(again.code, Some(0), "{}", again.describe());
    assert_eq!(again.csv(), run.csv());
}

#[test]
fn many_unknown_types_have_few_warnings() {
    let server = account().serve();
    let types: Vec<String> = (0..23).map(|n| format!("AWS::Moon::Crater{n}")).collect();
    let run = Program::new(&server)
        .args(["--resource-types", &types.join(",")])
        .run();
    let warnings = run.stderr.matches("warning: ").count();
    assert_eq!(warnings, 21, "{}", run.describe());
    let last = "warning: 3 more types that this version does not know\n";
    assert!(run.stderr.contains(last), "{}", run.describe());
}

#[test]
fn known_regions_need_no_further_request() {
    let server = account().serve();
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--regions", "us-east-1", "--exclude-regions", "cn-north-1"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(server.count(asks_all_regions), 0);
    assert_eq!(server.count(|c| c.operation == "DescribeRegions"), 1);
}

#[test]
fn failed_region_lookup_fails_its_check() {
    let server = account().serve_with(|call| {
        let denied = || Reply::error(call, 403, "UnauthorizedOperation", "not allowed");
        asks_all_regions(call).then(denied)
    });
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--regions", "us-esat-1"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let check = "✗ IAM permission: ec2:DescribeRegions";
    assert!(run.stdout.contains(check), "{}", run.describe());
}

#[test]
fn regions_compare_without_regard_to_case() {
    let server = account().serve();
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--regions", "US-EAST-1, Eu-West-1,us-east-1"])
        .args(["--exclude-regions", "EU-WEST-1"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(run.csv().contains(",us-east-1,AWS::EC2::VPC,2\r\n"));
    assert!(!run.csv().contains("eu-west-1"), "{}", run.describe());
    for (name, value) in [
        ("AWS_REGION", "EU-WEST-1"),
        ("AWS_DEFAULT_REGION", " Eu-west-1 "),
    ] {
        let server = account().serve();
        let run = Program::new(&server).args(TYPES).env(name, value).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let in_start_region = |call: &Call| call.is("GetCallerIdentity", "eu-west-1");
        assert_eq!(server.count(in_start_region), 1);
    }
    let server = account().serve();
    let program = Program::new(&server).args(TYPES);
    let aws = program.directory().join("home/.aws");
    std::fs::create_dir(&aws).unwrap();
    std::fs::write(aws.join("config"), "[default]\nregion = EU-West-1\n").unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let in_start_region = |call: &Call| call.is("GetCallerIdentity", "eu-west-1");
    assert_eq!(server.count(in_start_region), 1);
}

/// Nothing listens at AWS's own hosts here: `.amazonaws.com` is resolved by the proxy, which refuses.
#[test]
fn unreachable_start_region_names_near_matches() {
    for (region, near) in [
        ("us-esat-1", "did you mean us-east-1"),
        ("us-east1", "did you mean us-east-1"),
        ("eu-centrall-1", "did you mean eu-central-1"),
    ] {
        let proxy = Proxy::with_status(503);
        let run = Program::without_server()
            .args(TYPES)
            .args(["--region", region, "--output-dir", "."])
            .env("HTTPS_PROXY", proxy.url())
            .args(["--max-attempts", "1"])
            .run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert!(run.stdout.contains(near), "{}", run.describe());
    }
}

#[test]
fn types_compare_without_regard_to_case() {
    let server = account().serve();
    let program = Program::new(&server);
    let file = program.directory().join("current/types.txt");
    std::fs::write(&file, "aws::s3::BUCKET\nAWS::EC2::vpc # again\n").unwrap();
    let run = program
        .args(["--resource-types", "aws::ec2::Vpc,AWS::EC2::VPC,@types.txt"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account().csv());
    assert_eq!(server.count(|call| call.lists(VPC, "eu-west-1")), 1);
    assert_eq!(server.count(|call| call.lists(BUCKET, "eu-west-1")), 1);
    assert!(!run.stderr.contains("warning"), "{}", run.describe());
}

#[test]
fn unknown_aws_type_is_warned_about() {
    for (name, near) in [
        ("AWS::EC2::Instnace", Some("AWS::EC2::Instance")),
        ("aws::s3::buckets", Some("AWS::S3::Bucket")),
        ("AWS::RDS::Instance", Some("AWS::RDS::DBInstance")),
        ("AWS::DynamoDb::Tabel", Some("AWS::DynamoDB::Table")),
        ("AWS::Moon::Crater", None),
    ] {
        let server = account().serve();
        let run = Program::new(&server)
            .args(["--resource-types", name, "--resource-types", VPC])
            .run();
        let (warning, _) = run.stderr.split_once("Progress").unwrap_or_default();
        assert!(warning.starts_with("warning: "), "{}", run.describe());
        match near {
            Some(near) => assert!(
                warning.contains(&format!("did you mean {near}?")),
                "{}",
                run.describe()
            ),
            None => assert!(!warning.contains("did you mean"), "{}", run.describe()),
        }
    }
}

/// Returns the rows of the coverage file of a type: region, status, class and total.
fn coverage_rows(run: &Outcome, resource_type: &str) -> Vec<String> {
    let coverage = run.coverage();
    let rows = coverage.lines().map(|row| row.split(',').collect());
    let rows = rows.filter(|row: &Vec<&str>| row[3] == resource_type);
    rows.map(|row| [row[2], row[4], row[5], row[6]].join(" "))
        .collect()
}

#[test]
fn unknown_type_is_never_zero() {
    let account = account().region_with("sa-east-1", Recorder::Stopped, &[(VPC, 3)]);
    for method in ["list", "counts", "verify"] {
        for (name, strict) in [
            ("AWS::EC2::Instnace", "--strict"),
            ("aws::s3::buckets", "--strict=missing"),
            ("AWS::Moon::Crater", "--strict"),
        ] {
            let server = account.serve();
            let run = Program::new(&server)
                .args(["--resource-types", name, "--resource-types", VPC])
                .args(["--method", method, "--coverage", strict])
                .run();
            assert_eq!(run.code, Some(3), "{}", run.describe());
            let name = name.replace("aws::s3::", "AWS::s3::");
            let expected = ["eu-west-1", "sa-east-1", "us-east-1"]
                .map(|region| format!("{region} unknown_type missing "));
            assert_eq!(coverage_rows(&run, &name), expected, "{}", run.describe());
            let line = format!("[API_ERROR] Resource: {name}, Message: not counted: ");
            assert_eq!(run.errors().matches(&name).count(), 1, "{}", run.describe());
            assert!(run.errors().contains(&line), "{}", run.describe());
            let row = format!("\n  all 3 regions   {name}   unknown type ");
            assert!(run.stdout.contains(&row), "{}", run.describe());
            assert!(
                run.stdout.contains("   check the spelling"),
                "{}",
                run.describe()
            );
        }
    }
}

#[test]
fn unknown_types_only_are_a_failure() {
    let server = account().serve();
    let run = Program::new(&server)
        .args(["--resource-types", "AWS::EC2::Instnace,AWS::S3::Bukcet"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(run.output("acme-prod.csv"), None, "{}", run.describe());
}

/// A type that is newer than this version of the program.
#[test]
fn unknown_type_with_resources_is_counted() {
    let name = "AWS::Moon::Crater";
    let account = account().region("sa-east-1", &[(name, 4)]);
    let rejects = |call: &Call| call.lists(name, "eu-west-1");
    for (is_rejected, elsewhere) in [(false, "zero known 0"), (true, "error missing ")] {
        let server = account.serve_with(move |call| {
            let reject = || Reply::error(call, 400, "ValidationException", "not an enum value");
            (is_rejected && rejects(call)).then(reject)
        });
        let run = Program::new(&server)
            .args(["--resource-types", name, "--coverage"])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let expected = [
            format!("eu-west-1 {elsewhere}"),
            "sa-east-1 counted known 4".to_owned(),
            "us-east-1 zero known 0".to_owned(),
        ];
        assert_eq!(coverage_rows(&run, name), expected, "{}", run.describe());
    }
}

/// Every region rejects the same input, so one line is enough.
#[test]
fn rejected_types_are_logged_once() {
    let account = account()
        .region("us-west-2", &[(VPC, 3)])
        .region("sa-east-1", &[(VPC, 4)]);
    for types in [
        &["AWS::EC2::Instnace"][..],
        &["AWS::SNS::Topic", "MyOrg::Thing::Kind"],
        &["AWS::Moon::Crater", "AWS::SQS::Queue", "AWS::EC2::Subnte"],
    ] {
        let server = account.serve_with(|call| {
            let resource_type = call.field("resourceType")?;
            let reject = || Reply::error(call, 400, "ValidationException", "not an enum value");
            (resource_type != VPC).then(reject)
        });
        let list = [types, &[VPC]].concat().join(",");
        let run = Program::new(&server)
            .args(["--resource-types", &list, "--coverage"])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert_eq!(run.csv().lines().count(), 5, "{}", run.describe());
        for resource_type in types {
            let line = format!("Resource: {resource_type}, ");
            assert_eq!(run.errors().matches(&line).count(), 1, "{}", run.describe());
            let is_unknown = !["AWS::SNS::Topic", "AWS::SQS::Queue", "MyOrg::Thing::Kind"]
                .contains(resource_type);
            let status = if is_unknown { "unknown_type" } else { "error" };
            let rows = coverage_rows(&run, resource_type);
            let status = format!(" {status} missing ");
            assert!(rows.iter().all(|row| row.ends_with(&status)), "{rows:?}");
        }
        assert_eq!(run.errors().lines().count(), types.len());
    }
}

#[test]
fn third_party_types_are_not_warned_about() {
    let server = account()
        .region("us-west-2", &[("MyOrg::Thing::Kind", 2)])
        .serve();
    let types = "MyOrg::Thing::Kind,Custom::Own::Resource,AWSQS::EKS::Cluster";
    let run = Program::new(&server)
        .args(["--resource-types", types])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(!run.stderr.contains("warning"), "{}", run.describe());
    assert!(run.csv().contains(",us-west-2,MyOrg::Thing::Kind,2\r\n"));
}

/// A recording has no response for the look-up; its enabled regions decide.
#[test]
fn unknown_region_of_replay_exits_2() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo");
    for args in [
        ["--regions", "us-esat-1"],
        ["--exclude-regions", "eu-west-9"],
    ] {
        let run = Program::without_server()
            .args(["--replay", demo])
            .args(args)
            .run();
        assert_usage_error(&run, &[args[0], args[1], "did you mean"]);
    }
}
