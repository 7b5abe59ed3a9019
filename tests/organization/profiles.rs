//! Tests of `--profiles`: each account once, and a profile without credentials costs only itself.

use crate::report::assert_valid;
use crate::support::{Account, Organization, Outcome, Program, Reply, Server, assumed_role};
use crate::{BUCKET, VPC, file, organization, statuses};

const COUNTS: &str = "aws_config_combined_count_profiles.csv";

/// Returns a profile with access keys of the account with this number.
pub fn profile(name: &str, number: usize) -> String {
    let id = Organization::id(number);
    format!(
        "[profile {name}]\naws_access_key_id = ASIA{id}\naws_secret_access_key = the-secret-of-{name}\n"
    )
}

pub fn program(server: &Server, config: &str, credentials: &str) -> Program {
    let program = with_files(Program::new(server), config, credentials);
    program.args(["--resource-types", &format!("{VPC},{BUCKET}")])
}

/// Writes the shared files.
pub fn with_files(program: Program, config: &str, credentials: &str) -> Program {
    let directory = program.directory().join("home/.aws");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("config"), config).unwrap();
    std::fs::write(directory.join("credentials"), credentials).unwrap();
    program
}

fn run(server: &Server, config: &str, args: &[&str]) -> Outcome {
    program(server, config, "").args(args).run()
}

/// Returns the values of a column of the accounts file.
fn column(run: &Outcome, name: &str) -> Vec<String> {
    let table = file(run, "aws_config_combined_accounts_profiles.csv");
    let table = table.unwrap_or_else(|| panic!("{}", run.describe()));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let at = reader.headers().unwrap().iter().position(|n| n == name);
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| row[at.unwrap()].to_owned()).collect()
}

#[test]
fn account_of_several_profiles_is_counted_once() {
    let organization = organization(3);
    let server = organization.serve();
    let config = profile("team-z", 2) + &profile("other", 3) + &profile("team-a", 1);
    let credentials = "[team-b]\naws_access_key_id = ASIA100000000002\naws_secret_access_key = x\n\
                       [team-c]\naws_access_key_id = ASIA100000000001\naws_secret_access_key = x\n";
    let program = program(&server, &config, credentials);
    let run = program.args(["--profiles", "team-*", "--strict"]).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2])));
    assert_eq!(column(&run, "access"), ["profile team-a", "profile team-z"]);
    assert_eq!(
        column(&run, "detail"),
        [
            "other profile of this account: team-c",
            "other profile of this account: team-b"
        ]
    );
    assert!(
        run.stdout.contains("4 profiles, all with credentials"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("100000000002 (profile team-z)"),
        "{}",
        run.stdout
    );
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 0);
    assert_eq!(server.count(|call| call.operation == "ListAccounts"), 0);
}

#[test]
fn unusable_profiles_cost_only_themselves() {
    let organization = organization(4);
    let server = organization.serve_with(|account, call| {
        let is_denied = account == Organization::id(3) && call.operation == "GetCallerIdentity";
        is_denied.then(|| Reply::error(call, 403, "InvalidClientTokenId", "The token is invalid"))
    });
    let config = "[profile team-0]\nregion = us-east-1\n\
                  [profile team-4]\nrole_arn = arn:aws:iam::100000000004:role/Audit\nsource_profile = absent\n"
        .to_owned()
        + &profile("team-2", 2)
        + &profile("team-3", 3);
    let run = run(&server, &config, &["--profiles", "team-?", "--strict"]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[2])));
    let found: Vec<_> = statuses(&run, "profiles")
        .into_iter()
        .zip(column(&run, "access"))
        .map(|((id, status), access)| format!("{id} {status} {access}"))
        .collect();
    assert_eq!(
        found,
        [
            " failed profile team-0",
            " failed profile team-3",
            "100000000002 complete profile team-2",
            "100000000004 failed profile team-4",
        ]
    );
    assert!(
        run.stdout
            .contains("2 of 4 profiles have credentials; the others: team-0, team-4"),
        "{}",
        run.stdout
    );
    let errors = file(&run, "aws_config_combined_errors_profiles.txt").unwrap();
    for line in [
        "[PREREQUISITE] Account: unknown, Message: profile team-0: no credentials",
        "[PREREQUISITE] Account: unknown, Message: profile team-3: ",
        "[PREREQUISITE] Account: 100000000004, Message: profile team-4: source_profile",
    ] {
        assert!(errors.contains(line), "{errors}");
    }
    for paragraph in [
        "\n1 account not counted: profile team-0\n  profile team-0: no credentials",
        "\n1 account not counted, because a call failed: profile team-3\n  profile team-3: ",
        "\n1 account not counted: 100000000004\n  profile team-4: source_profile",
    ] {
        assert!(run.stdout.contains(paragraph), "{}", run.stdout);
    }
}

#[test]
fn report_and_table_name_unusable_profiles() {
    let server = organization(1).serve();
    let config = profile("a", 1) + "[profile b]\n";
    let program = program(&server, &config, "");
    let report = program.directory().join("report.json");
    let args = ["--profiles", "*", "--format", "table", "--report"];
    let run = program.args(args).arg(&report).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(
        run.stdout.contains("\nunknown       profile b  failed"),
        "{}",
        run.stdout
    );
    let report = std::fs::read(run.directory().join("report.json")).unwrap();
    let report = serde_json::from_slice(&report).unwrap();
    assert_valid(&report);
    assert_eq!(report["accounts"][0]["id"], "");
    assert_eq!(report["accounts"][0]["access"], "profile b");
    assert_eq!(report["flags"]["accounts"]["profiles"][0], "*");
    assert_eq!(report["session_policy"], false);
}

#[test]
fn unusable_profile_of_counted_account_is_named() {
    let organization = organization(2);
    let server = organization.serve();
    let config =
        "[profile a]\nrole_arn = arn:aws:iam::100000000002:role/Audit\nsource_profile = absent\n"
            .to_owned()
            + &profile("b", 2);
    let run = run(&server, &config, &["--profiles", "a,b", "--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[2])));
    let detail = column(&run, "detail");
    let expected =
        "other profile of this account: a (cannot be used: profile a: source_profile \"absent\"";
    assert!(detail[0].starts_with(expected), "{detail:?}");
}

#[test]
fn unusable_profiles_of_one_account_are_one_account() {
    let organization = organization(2);
    let server = organization.serve();
    let role = "role_arn = arn:aws:iam::100000000002:role/Audit\nsource_profile = absent\n";
    let config = profile("a", 1) + &format!("[profile b]\n{role}[profile c]\n{role}");
    let run = run(&server, &config, &["--profiles", "*", "--strict"]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(column(&run, "account"), ["100000000001", "100000000002"]);
    assert_eq!(column(&run, "access"), ["profile a", "profile b"]);
    let detail = &column(&run, "detail")[1];
    assert!(
        detail.contains("profile b: ") && detail.contains("; profile c: "),
        "{detail}"
    );
    assert!(
        run.stdout.contains("Exit code 3: 1 account not counted"),
        "{}",
        run.stdout
    );
}

#[test]
fn credentials_of_another_account_are_not_used() {
    let organization = organization(2);
    let server = organization.serve_with(|_, call| {
        call.field("RoleArn")?;
        Some(assumed_role(&Organization::id(2)))
    });
    let role = "[profile b]\nrole_arn = arn:aws:iam::100000000009:role/Audit\nsource_profile = a\n";
    let config = profile("a", 1) + role;
    let run = run(&server, &config, &["--profiles", "*", "--strict"]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1])));
    assert_eq!(
        statuses(&run, "profiles")[1],
        ("100000000009".to_owned(), "wrong_account".to_owned())
    );
    let errors = file(&run, "aws_config_combined_errors_profiles.txt").unwrap();
    assert!(
        errors.contains("[FATAL] Account: 100000000009, Message: profile b: "),
        "{errors}"
    );
}

#[test]
fn lists_of_accounts_narrow_profiles() {
    let organization = organization(3);
    let server = organization.serve();
    let config = profile("a", 1) + &profile("b", 2) + &profile("c", 3);
    let only = "100000000001,100000000002,100000000007";
    let args = [
        "--profiles",
        "*",
        "--accounts",
        only,
        "--exclude-accounts",
        "100000000001",
    ];
    let run = run(&server, &config, &args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[2])));
    assert_eq!(
        statuses(&run, "profiles")[1],
        ("100000000007".to_owned(), "not_in_organization".to_owned())
    );
    assert!(
        column(&run, "detail")[1].starts_with("no profile of --profiles"),
        "{:?}",
        column(&run, "detail")
    );
}

#[test]
fn pattern_without_profile_ends_the_run() {
    let server = organization(1).serve();
    let run = run(
        &server,
        &profile("team-a", 1),
        &["--profiles", "team-a,taem-a*"],
    );
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let expected = "no profile matches \"taem-a*\" in ";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    assert!(
        run.stderr.contains("did you mean team-a?"),
        "{}",
        run.stderr
    );
    assert_eq!(server.calls().len(), 0);
}

#[test]
fn no_usable_profile_ends_the_run() {
    let server = organization(1).serve();
    let run = run(&server, "[profile a]\n[profile b]\n", &["--profiles", "*"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let expected = "none of 2 profiles can be used; the first: profile a: no credentials";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn region_of_profile_is_used() {
    let organization = Organization::new(2, |number| {
        let region = if number == 1 {
            "us-east-1"
        } else {
            "cn-north-1"
        };
        Account::new().region(region, &[(VPC, number), (BUCKET, 1)])
    });
    let server = organization.serve();
    let config = profile("a", 1) + &profile("b", 2) + "region = cn-north-1\n";
    let run = run(&server, &config, &["--profiles", "*"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2])));
    let mut regions: Vec<_> = server
        .calls()
        .iter()
        .filter(|call| call.operation == "DescribeRegions")
        .map(|call| call.region.clone())
        .collect();
    // The accounts are opened at the same time.
    regions.sort();
    assert_eq!(regions, ["cn-north-1", "us-east-1"]);
}

#[test]
fn other_sources_and_roles_are_rejected() {
    let server = organization(1).serve();
    for other in [
        &["--profile", "a"][..],
        &["--organization"],
        &["--ou", "r-ab12"],
        &["--role-name", "Audit"],
        &["--external-id", "ext-1"],
        &["--no-session-policy"],
    ] {
        let args = [&["--profiles", "*"], other].concat();
        let run = run(&server, &profile("a", 1), &args);
        assert_eq!(run.code, Some(2), "{other:?} {}", run.describe());
        assert!(run.stderr.contains(other[0]), "{}", run.stderr);
    }
    assert_eq!(server.calls().len(), 0);
}
