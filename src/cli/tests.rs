use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::inventory::Method;
use crate::model::{Region, ResourceType, ResourceTypes};
use crate::options::{AccountTask, Options, organization_actions};

fn options(args: &[&str]) -> Options {
    let args = ["aws-config-resource-count"].iter().chain(args);
    match parse(args.map(OsString::from)) {
        Ok(Command::Run(options, _)) => *options,
        other => panic!("{other:?}"),
    }
}

fn error(args: &[&str]) -> (i32, String) {
    let args = ["aws-config-resource-count"].iter().chain(args);
    let error = parse(args.map(OsString::from)).unwrap_err();
    (error.exit_code(), error.to_string())
}

#[test]
fn clap_definition_is_valid() {
    command().debug_assert();
}

#[test]
fn defaults_follow_specification() {
    let options = options(&[]);
    let common = ResourceTypes::Named(ResourceType::common());
    assert_eq!(options.resource_types, common);
    assert_eq!(options.method, Method::List);
    assert!(!options.skip_checks && !options.coverage && options.report.is_none());
    assert_eq!(options.output_dir, PathBuf::from("."));
    assert_eq!(options.connect_timeout, Duration::from_secs(5));
    assert_eq!(options.read_timeout, Duration::from_secs(30));
    assert_eq!(options.max_connections, 220);
    assert_eq!(options.account_time(), Duration::from_hours(1));
    assert!(
        options.regions.is_empty() && options.strict.is_none() && options.max_attempts.is_none()
    );
}

#[test]
fn concurrency_is_shared_by_many_regions() {
    for (args, regions, types) in [
        (&[][..], 17, 10),
        (&[], 34, 5),
        (&[], 1000, 1),
        (&["--method=counts"], 17, 1),
        (&["--resource-types=AWS::S3::Bucket"], 17, 1),
        (&["--region-concurrency=3"], 17, 3),
        (&["--max-connections=100"], 17, 4),
        (&["--max-connections=1"], 17, 1),
        (&["--region-concurrency=8"], 34, 8),
    ] {
        let options = options(args);
        assert_eq!(options.types_at_once(regions), types, "{args:?} {regions}");
    }
}

#[test]
fn lists_accept_commas_and_repetition() {
    let options = options(&[
        "--regions=eu-west-1,us-east-1",
        "--regions",
        "eu-west-1",
        "--resource-types",
        "AWS::EC2::VPC,AWS::EC2::VPC,AWS::S3::Bucket",
    ]);
    let regions: Vec<_> = options.regions.iter().map(Region::as_str).collect();
    assert_eq!(regions, ["eu-west-1", "us-east-1"]);
    assert_eq!(options.resource_types.named().unwrap().len(), 2);
}

#[test]
fn regions_are_normalized_and_checked() {
    let options = options(&[
        "--region=AWS-Global",
        "--regions=EU-West-1, us-esat-1",
        "--exclude-regions=US-EAST-1",
    ]);
    let codes = |regions: &[Region]| regions.iter().map(Region::to_string).collect::<Vec<_>>();
    assert_eq!(options.region.unwrap().as_str(), "aws-global");
    // The form is that of a region; whether it exists is looked up later.
    assert_eq!(codes(&options.regions), ["eu-west-1", "us-esat-1"]);
    assert_eq!(codes(&options.exclude_regions), ["us-east-1"]);
    for (option, name, near) in [
        (
            "--region",
            "us_east_1",
            "; did you mean us-east-1, us-east-2?",
        ),
        ("--regions", "aws-global", ""),
        (
            "--regions",
            "us-east1",
            "; did you mean us-east-1, us-east-2?",
        ),
        ("--exclude-regions", "moon-base-1", ""),
        ("--exclude-regions", "", ""),
    ] {
        let (code, text) = error(&[option, name]);
        let expected = format!("\"{name}\" is not a region code such as eu-west-1{near}\n");
        assert!(code == 2 && text.contains(&expected), "{text}");
    }
}

#[test]
fn types_of_one_name_are_counted_once() {
    for (list, expected) in [
        ("aws::ec2::vpc,AWS::EC2::VPC", "AWS::EC2::VPC"),
        ("My::Own::Kind,my::own::kind", "My::Own::Kind"),
        ("AWS::Moon::Crater,aws::moon::crater", "AWS::Moon::Crater"),
    ] {
        let argument = format!("--resource-types={list}");
        assert_eq!(names(&options(&[&argument]).resource_types), expected);
    }
    let all = options(&["--resource-types=ALL"]).resource_types;
    assert_eq!(all, ResourceTypes::All);
    let (_, text) = error(&["--resource-types=ec2:instance"]);
    assert!(text.contains("; did you mean AWS::EC2::Instance"), "{text}");
}

fn names(types: &ResourceTypes) -> String {
    let names: Vec<&str> = types
        .named()
        .unwrap_or_default()
        .iter()
        .map(ResourceType::as_str)
        .collect();
    names.join(" ")
}

#[test]
fn resource_types_accept_all_and_file() {
    assert_eq!(
        options(&["--resource-types=all"]).resource_types,
        ResourceTypes::All
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("types.txt");
    let list = "\u{feff}# ours\r\nAWS::EC2::VPC, AWS::S3::Bucket\r\n\r\n\tAWS::EC2::VPC # again\n\
                AWS::IAM::Role AWS::IAM::User";
    std::fs::write(&path, list).unwrap();
    let argument = format!("--resource-types=@{},AWS::SNS::Topic", path.display());
    assert_eq!(
        names(&options(&[&argument]).resource_types),
        "AWS::EC2::VPC AWS::S3::Bucket AWS::IAM::Role AWS::IAM::User AWS::SNS::Topic"
    );
    for (text, hint) in [
        ("# nothing\n\n", "contains no resource types"),
        (
            "AWS::EC2::VPC\nEC2\n",
            "line 2: \"EC2\" is not a resource type",
        ),
        (&"#".repeat((16 << 20) + 1), "is too large"),
    ] {
        std::fs::write(&path, text).unwrap();
        let (code, message) = error(&[&argument]);
        assert!(code == 2 && message.contains(hint), "{hint}: {message}");
    }
}

#[test]
fn policy_is_minimal_for_options() {
    let (list, counts) = ("ListDiscoveredResources", "GetDiscoveredResourceCounts");
    for (args, lists, gets_counts) in [
        (&[][..], true, false),
        (&["--method=counts"], false, true),
        (&["--method=verify"], true, true),
        (&["--resource-types=all"], true, true),
        (&["--resource-types=all", "--method=counts"], false, true),
        (&["--skip-checks", "--regions=eu-west-1"], true, false),
    ] {
        let args = ["x", "iam-policy"].iter().chain(args).map(OsString::from);
        let Ok(Command::Print(policy)) = parse(args.clone()) else {
            panic!("{args:?}")
        };
        let policy = String::from_utf8(policy).unwrap();
        assert_eq!(policy.contains(list), lists, "{policy}");
        assert_eq!(policy.contains(counts), gets_counts, "{policy}");
        assert_eq!(
            policy.matches(':').count(),
            4 + 1 + 4 + usize::from(lists) + usize::from(gets_counts)
        );
        for action in [
            "config:DescribeConfigurationRecorderStatus",
            "config:DescribeConfigurationRecorders",
            "ec2:DescribeRegions",
            "iam:ListAccountAliases",
        ] {
            assert!(policy.contains(action), "{policy}");
        }
    }
}

#[test]
fn expected_gaps_are_read_from_items_and_files() {
    let gaps = |arguments: &[&str]| {
        let gaps = options(arguments).accept_missing;
        let names: Vec<_> = gaps.iter().map(ToString::to_string).collect();
        names.join(" ")
    };
    assert_eq!(gaps(&[]), "");
    assert_eq!(
        gaps(&[
            "--accept-missing",
            "SA-EAST-1, aws::iam::user,eu-west-1/aws::ec2::vpc,sa-east-1"
        ]),
        "sa-east-1 AWS::IAM::User eu-west-1/AWS::EC2::VPC"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gaps.txt");
    let list = "\u{feff}# no AWS Config there\r\nsa-east-1\teu-south-1 # until May\n\nAWS::IAM::User,us-east-1/AWS::S3::Bucket\n";
    std::fs::write(&path, list).unwrap();
    let argument = format!("--accept-missing=@{},us-west-1", path.display());
    assert_eq!(
        gaps(&[&argument]),
        "sa-east-1 eu-south-1 AWS::IAM::User us-east-1/AWS::S3::Bucket us-west-1"
    );
    std::fs::write(&path, "# none\n").unwrap();
    assert_eq!(gaps(&[&argument]), "us-west-1");
    std::fs::write(&path, "sa-east-1\nus_east_1\n").unwrap();
    let (code, text) = error(&[&argument]);
    assert_eq!(code, 2);
    let message = "gaps.txt, line 2: \"us_east_1\" is not a region code";
    assert!(
        text.contains(message) && text.contains("did you mean us-east-1"),
        "{text}"
    );
}

#[test]
fn invalid_usage_exits_2_with_hint() {
    for (args, hint) in [
        (
            &["--regoin", "x"][..],
            "a similar argument exists: '--region'",
        ),
        (
            &["--regions", "eu_west_1"],
            "is not a region code such as eu-west-1",
        ),
        (
            &["--resource-types", "EC2"],
            "invalid resource type \"EC2\"; expected a name like AWS::EC2::Instance, @FILE or `all`",
        ),
        (
            &["--resource-types=all,AWS::EC2::VPC"],
            "--resource-types: `all` cannot be combined with type names",
        ),
        (&["--resource-types=@/none/x"], "/none/x: No such file"),
        (
            &["--accept-missing", "EC2"],
            "\"EC2\" is not a region code such as eu-west-1, a resource type such as AWS::EC2::VPC",
        ),
        (&["--accept-missing=us_east_1"], "; did you mean us-east-1"),
        (
            &["--accept-missing=EC2::VPC"],
            "; did you mean AWS::EC2::VPC?",
        ),
        (
            &["--accept-missing=us_east_1/AWS::EC2::VPC"],
            "; did you mean us-east-1",
        ),
        (
            &["--accept-missing=us-east-1/EC2::VPC"],
            "; did you mean AWS::EC2::VPC?",
        ),
        (
            &["--accept-missing=us-east-1,"],
            "\"\" is not a region code",
        ),
        (&["--accept-missing=@/none/x"], "/none/x: No such file"),
        (
            &["--method", "guess"],
            "[possible values: list, counts, verify]",
        ),
        (
            &["--endpoint-url", "localhost"],
            "not an endpoint URL such as",
        ),
        (
            &["--max-attempts", "0"],
            "expected a whole number, 1 or more",
        ),
        (
            &["--read-timeout", "121"],
            "expected a whole number from 1 to 120",
        ),
        (
            &["--color", "pink"],
            "[possible values: auto, always, never]",
        ),
        (&["surplus"], "For more information, try '--help'"),
        (&["--record-account-id", "123456789012"], "--record <DIR>"),
        (
            &["--record", "x", "--record-account-id", "12"],
            "is not an account ID of 12 digits",
        ),
    ] {
        assert_usage_error(args, hint);
    }
    for number in ["0", "1001", "-1", "2.5", "many", "", "99999999999999999999"] {
        let argument = format!("--max-connections={number}");
        assert_usage_error(&[&argument], "expected a whole number from 1 to 1000");
    }
}

#[test]
fn demo_conflicts_exit_2_with_hint() {
    for (args, hint) in [
        (
            &["--demo", "--replay", "x"][..],
            "'--demo' cannot be used with '--replay <DIR>'",
        ),
        (
            &["--demo", "--record", "x"],
            "'--demo' cannot be used with '--record <DIR>'",
        ),
        (
            &["--demo", "--profile", "x"],
            "'--demo' cannot be used with '--profile <NAME>'",
        ),
        (
            &["--demo", "--endpoint-url", "http://localhost"],
            "'--demo' cannot be used with '--endpoint-url <URL>'",
        ),
        (
            &["--demo", "--region", "eu-west-1"],
            "'--demo' cannot be used with '--region <REGION>'",
        ),
        (
            &["--demo", "--method=counts"],
            "--demo has only the ten default types, with --method list",
        ),
        (
            &["--demo", "--resource-types=all"],
            "--demo has only the ten default types, with --method list",
        ),
        (
            &["--demo", "--resource-types=AWS::EC2::VPC,AWS::SNS::Topic"],
            "--demo has only the ten default types, with --method list",
        ),
    ] {
        assert_usage_error(args, hint);
    }
}

fn assert_usage_error(args: &[&str], hint: &str) {
    let (code, text) = error(args);
    assert_eq!(code, 2, "{args:?}");
    assert!(text.contains(hint), "{args:?}: {text}");
}

#[test]
fn invalid_usage_shows_no_secret() {
    for args in [
        &["--endpoint-url", "https://svc:Sup3rS3cret@host"][..],
        &["--endpoint-url=https://svc:12#Sup3rS3cret@host"],
        &["--endpoint-url", "https://host/?token=Sup3rS3cret"],
        &["--region", "https://svc:Sup3rS3cret@host"],
        &["--regions", "eu-west-1,svc:Sup3rS3cret@host"],
        &["--resource-types", "svc:Sup3rS3cret@host"],
        &["--accept-missing", "svc:Sup3rS3cret@host"],
        &["--proxy=http://svc:Sup3rS3cret@host"],
        &["--proxy", "http://svc:Sup3rS3cret@host"],
        &["http://svc:Sup3rS3cret@host"],
        &["--max-attempts", "http://svc:Sup3rS3cret@host"],
        &["--read-timeout", "http://svc:Sup3rS3cret@host"],
        &["--max-rps", "http://svc:Sup3rS3cret@host"],
        &["--method", "http://svc:Sup3rS3cret@host"],
        &["--color", "http://svc:Sup3rS3cret@host"],
        &["--strict=http://svc:Sup3rS3cret@host"],
        &[
            "--record=x",
            "--record-account-id",
            "http://svc:Sup3rS3cret@host",
        ],
        &["iam-policy", "http://svc:Sup3rS3cret@host"],
        &["completions", "http://svc:Sup3rS3cret@host"],
    ] {
        let (code, text) = error(args);
        assert_eq!(code, 2, "{args:?}");
        assert!(
            !text.contains("Sup3r") && !text.contains("S3cret"),
            "{args:?}: {text}"
        );
    }
}

#[test]
fn help_lists_options_types_exit_codes() {
    let (code, help) = error(&["--help"]);
    assert_eq!(code, 0);
    for part in [
        "--profile",
        "--region ",
        "--regions",
        "--exclude-regions",
        "--resource-types",
        "--method",
        "--skip-checks",
        "--coverage",
        "--report",
        "iam-policy",
        "--output-dir",
        "--endpoint-url",
        "--ca-bundle",
        "--max-attempts",
        "--connect-timeout",
        "--read-timeout",
        "--color",
        "--no-progress",
        "--quiet",
        "--debug",
        "--strict",
        "--accept-missing",
        "--format",
        "--record",
        "--replay",
        "--demo",
        "--version",
        "Exit codes",
        "130",
    ] {
        assert!(help.contains(part), "{part}");
    }
    for resource_type in ResourceType::common() {
        assert!(help.contains(resource_type.as_str()), "{resource_type}");
    }
    for part in [
        "completions",
        "man ",
        "help ",
        "Environment:",
        "Files:",
        "Examples:",
    ] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn completions_and_man_page_render() {
    for (args, part) in [
        (
            &["completions", "bash"][..],
            "-o default aws-config-resource-count",
        ),
        (&["completions", "zsh"], "#compdef"),
        (&["man"], ".TH AWS-CONFIG-RESOURCE-COUNT"),
    ] {
        let args = ["x"].iter().chain(args).map(OsString::from);
        match parse(args) {
            Ok(Command::Print(text)) => {
                assert!(String::from_utf8(text).unwrap().contains(part), "{part}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn accounts_subcommand_sets_the_task() {
    for (args, task) in [
        (&["--organization"][..], AccountTask::List),
        (
            &["--accounts=111111111111", "--check-access"],
            AccountTask::CheckAccess,
        ),
    ] {
        let args = ["x", "accounts"].iter().chain(args).map(OsString::from);
        let Ok(Command::Run(options, _)) = parse(args.clone()) else {
            panic!("{args:?}")
        };
        assert_eq!(options.accounts.unwrap().task, task);
        assert_eq!(options.format, None);
    }
    let run = options(&["--organization"]);
    assert_eq!(run.accounts.unwrap().task, AccountTask::Count);
}

#[test]
fn accounts_subcommand_rejects_runs_without_a_list() {
    for (args, hint) in [
        (&[][..], "accounts needs --organization, --ou, --accounts"),
        (
            &["--organization", "--record=x"],
            "accounts writes no files",
        ),
        (&["--organization", "--format=cloudformation"], "csv, json"),
    ] {
        let args = ["accounts"].iter().chain(args).copied();
        let (code, text) = error(&args.collect::<Vec<_>>());
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(hint), "{text}");
        if !hint.starts_with("csv") {
            assert!(text.contains(" accounts [OPTIONS]\n"), "{text}");
        }
    }
}

#[test]
fn organization_actions_follow_from_selection() {
    let actions = |args: &[&str]| {
        let accounts = options(args).accounts.unwrap();
        organization_actions(&accounts).len()
    };
    for (args, expected) in [
        (&["--organization"][..], 2),
        (&["--ou=ou-ab12-11111111"], 3),
        (&["--exclude-ous=/A"], 4),
        (&["--ou=ou-ab12-11111111,/A"], 4),
        (&["--accounts=111111111111"], 0),
    ] {
        assert_eq!(actions(args), expected, "{args:?}");
    }
}
