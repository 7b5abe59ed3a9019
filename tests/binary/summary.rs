//! Tests of the summary: missing counts by region and type, the commands to copy, and the reason for the exit code.

use crate::support::{Account, Call, Outcome, Program, Recorder, Reply};
use crate::{BUCKET, TYPES, VPC, account};

/// The regions of an account with five regions.
const REGIONS: [&str; 5] = [
    "ap-northeast-2",
    "eu-west-1",
    "eu-west-2",
    "sa-east-1",
    "us-east-1",
];

const USER: &str = "AWS::IAM::User";

fn five_regions() -> Account {
    let account = Account::new().alias("acme-prod");
    REGIONS.iter().fold(account, |account, region| {
        account.region(region, &[(VPC, 600), (USER, 2)])
    })
}

/// Denies the calls that count in two regions, and users everywhere.
fn deny(call: &Call) -> Option<Reply> {
    let counts = ["ListDiscoveredResources", "GetDiscoveredResourceCounts"];
    let is_denied_region = ["ap-northeast-2", "eu-west-2"].contains(&&*call.region);
    let is_denied = is_denied_region && counts.contains(&&*call.operation)
        || REGIONS.iter().any(|region| call.lists(USER, region));
    is_denied.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
}

/// Returns the lines below a line of stdout that is `first`, up to the next empty line.
fn block<'a>(run: &'a Outcome, first: &str) -> Vec<&'a str> {
    let mut lines = run.stdout.lines().skip_while(|line| *line != first);
    assert!(lines.next().is_some(), "{first}: {}", run.describe());
    lines.take_while(|line| !line.is_empty()).collect()
}

#[test]
fn denied_regions_and_types_are_separate_rows() {
    let server = five_regions().serve_with(deny);
    let types = format!("{VPC},{USER},{BUCKET}");
    let run = Program::new(&server)
        .args(["--resource-types", &types, "--strict"])
        .run();
    assert_eq!(run.code, Some(3), "{}", run.describe());
    let advice = "grant the IAM policy below; also check service control policies";
    assert_eq!(
        block(&run, "Incomplete: 9 counts are missing"),
        [
            &*format!("  ap-northeast-2, eu-west-2   all types        access denied   {advice}"),
            "  or leave them out: --exclude-regions ap-northeast-2,eu-west-2",
            &*format!("  3 other regions             {USER}   access denied   {advice}"),
            "  IAM policy: aws-config-resource-count iam-policy",
        ]
    );
    let total = "  Total resources: at least 1,800\n";
    assert!(run.stdout.contains(total), "{}", run.describe());
    let last = "\n\nExit code 3: 9 counts missing (--strict)\n";
    assert!(run.stdout.ends_with(last), "{}", run.describe());
    assert!(run.csv().contains(",600\r\n"), "no separators in files");
}

#[test]
fn commands_are_complete_for_the_options() {
    for (args, policy) in [
        (&["--method", "counts"][..], " --method counts"),
        (&["--method", "verify", "--skip-checks"], " --method verify"),
        (&["--resource-types", "all"], " --resource-types all"),
    ] {
        let server = five_regions().serve_with(deny);
        let run = Program::new(&server)
            .args(args)
            .args(["--exclude-regions", "sa-east-1"])
            .run();
        let command = format!("\n  IAM policy: aws-config-resource-count iam-policy{policy}\n");
        assert!(
            run.stdout.contains(&command),
            "{args:?}: {}",
            run.describe()
        );
        let option = "--exclude-regions sa-east-1,ap-northeast-2,eu-west-2\n";
        let option = format!("\n  or leave them out: {option}");
        assert!(run.stdout.contains(&option), "{args:?}: {}", run.describe());
        // The command prints the policy of the run.
        let words = command.trim().split(' ').skip(4);
        let printed = Program::without_server()
            .arg("iam-policy")
            .args(words)
            .run();
        let expected = Program::without_server().arg("iam-policy").args(args).run();
        assert_eq!((printed.code, expected.code), (Some(0), Some(0)));
        assert_eq!(printed.stdout, expected.stdout, "{args:?}");
    }
}

#[test]
fn last_line_says_why_nothing_was_counted() {
    let denied = |call: &Call| {
        let is_check = call.region == "us-east-1" && call.number < 8;
        let is_denied = call.operation == "ListDiscoveredResources" && !is_check;
        is_denied.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    };
    let account = account().region_with("sa-east-1", Recorder::None, &[]);
    let name = "out/aws_config_resource_count_012345678901_acme-prod.csv";
    for (is_first, end) in [
        (true, "No CSV was written."),
        (false, "The CSV of the last run was not replaced."),
    ] {
        let server = account.serve_with(denied);
        let program = Program::new(&server).args(TYPES);
        if !is_first {
            std::fs::write(program.directory().join(name), "old").unwrap();
        }
        let run = program.args(["--exclude-regions", "us-east-1"]).run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let last =
            format!("\n\nNothing was counted: access denied in eu-west-1, sa-east-1. {end}\n");
        assert!(run.stdout.ends_with(&last), "{}", run.describe());
        let total = "\n  Total resources: unknown\n";
        assert!(run.stdout.contains(total), "{}", run.describe());
    }
}

#[test]
fn last_line_has_every_reason_of_strict() {
    let account = account()
        .region_with("eu-north-1", Recorder::Stopped, &[(VPC, 1)])
        .region_with("eu-south-2", Recorder::None, &[]);
    for (option, reason) in [
        ("--strict", "2 counts missing, 2 stale (--strict)"),
        ("--strict=missing", "2 counts missing (--strict=missing)"),
    ] {
        let run = Program::new(&account.serve()).args(TYPES).arg(option).run();
        assert_eq!(run.code, Some(3), "{}", run.describe());
        let last = format!("\n\nExit code 3: {reason}\n");
        assert!(run.stdout.ends_with(&last), "{}", run.describe());
    }
    let run = Program::new(&account.serve()).args(TYPES).run();
    assert!(!run.stdout.contains("Exit code"), "{}", run.describe());
}
