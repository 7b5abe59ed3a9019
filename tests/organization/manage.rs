//! Tests of the subcommand `accounts` and of the policies of `iam-policy --for`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Organization, Outcome, Program, Reply, Server, assumed_role};
use crate::{file, organization};

fn accounts(server: &Server, args: &[&str]) -> Outcome {
    Program::subcommand("accounts", server).args(args).run()
}

fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(csv.as_bytes());
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn list_is_printed_in_three_formats() {
    let mut organization = organization(45);
    organization.member(2).state = "SUSPENDED".to_owned();
    organization.member(3).units = None;
    let server = organization.serve();
    let table = accounts(&server, &["--organization"]);
    assert_eq!(table.code, Some(0), "{}", table.describe());
    assert!(
        table
            .stdout
            .starts_with("account       state      name     ou_path\n"),
        "{}",
        table.stdout
    );
    let line = "\n100000000002  SUSPENDED  team-2   /r-ab12/ou-ab12-11111111\n";
    assert!(table.stdout.contains(line), "{}", table.stdout);
    assert!(
        table.stdout.ends_with("\n\n45 accounts, 44 active\n"),
        "{}",
        table.stdout
    );

    let csv = accounts(&server, &["--organization", "--format", "csv"]);
    let rows = rows(&csv.stdout);
    assert_eq!(rows.len(), 46);
    assert_eq!(rows[0], ["account", "name", "ou_path", "state", "role"]);
    assert_eq!(rows[3], ["100000000003", "team-3", "", "ACTIVE", ""]);

    let json = accounts(&server, &["--organization", "--format", "json"]);
    let list: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 45);
    let expected = json!({"account": "100000000003", "name": "team-3", "ou_path": null, "state": "ACTIVE", "role": null});
    assert_eq!(list[2], expected);

    for run in [table, csv, json] {
        assert_eq!((run.stderr.as_str(), run.files().len()), ("", 0));
    }
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 0);
}

#[test]
fn hostile_names_reach_no_output_as_they_are() {
    let names = [
        "=HYPERLINK(\"x\")",
        "-1",
        "a\u{1b}[2J\r\n\u{7}b\u{202e}",
        "\"q\", 'r'",
        "+x",
        "@y",
        "",
        &"n".repeat(128),
    ];
    let mut organization = organization(names.len());
    for (n, name) in names.iter().enumerate() {
        organization.member(n + 1).name = (*name).to_owned();
    }
    organization.member(8).state = "=\u{1b}X".to_owned();
    let server = organization.serve();
    for format in ["table", "csv", "json"] {
        let run = accounts(&server, &["--organization", "--format", format]);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let is_bad = |c: char| c != '\n' && c != '\r' && (c.is_control() || c == '\u{202e}');
        assert!(!run.stdout.contains(is_bad), "{format}: {:?}", run.stdout);
        if format == "table" {
            let longest = run.stdout.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(80), "{}", run.stdout);
        }
        if format == "csv" {
            let rows = rows(&run.stdout);
            assert_eq!(rows.len(), 1 + names.len());
            let found: Vec<&str> = rows[1..].iter().map(|row| row[1].as_str()).collect();
            assert_eq!(found[..2], ["'=HYPERLINK(\"x\")", "'-1"]);
            assert_eq!(found[3..7], ["\"q\", 'r'", "'+x", "'@y", ""]);
            assert!(rows[8][3].starts_with("'="), "{:?}", rows[8]);
        }
        if format == "json" {
            let list: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(list[0]["name"], names[0]);
            assert_eq!(list[3]["name"], names[3]);
            assert_eq!(list[6]["name"], Value::Null);
        }
    }
}

#[test]
fn check_shows_access_to_each_account() {
    let mut organization = organization(30);
    organization.member(3).has_role = false;
    organization.member(4).state = "SUSPENDED".to_owned();
    let server = organization.serve_with(|_, call| {
        let is_fifth = call.field("RoleArn")?.contains(&Organization::id(5));
        is_fifth.then(|| assumed_role(&Organization::id(6)))
    });
    let args = [
        "--organization",
        "--check-access",
        "--format",
        "csv",
        "--external-id",
        "ext-1",
    ];
    let run = accounts(&server, &[&args[..], &["--no-progress"]].concat());
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (Some(0), ""),
        "{}",
        run.describe()
    );
    let rows = rows(&run.stdout);
    assert_eq!(rows[0][5..], ["access", "status", "detail"]);
    let statuses: Vec<&str> = rows[1..].iter().map(|row| row[6].as_str()).collect();
    let expected = ["ok", "ok", "access_denied", "not_active", "wrong_account"];
    assert_eq!(statuses[..5], expected);
    assert!(
        statuses[5..].iter().all(|status| *status == "ok"),
        "{statuses:?}"
    );
    let access: Vec<&str> = rows[1..5].iter().map(|row| row[5].as_str()).collect();
    let role = "role OrganizationAccountAccessRole";
    assert_eq!(access, ["caller", role, role, ""]);
    assert!(rows[3][7].contains("five causes"), "{}", rows[3][7]);
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 28);
    assert_eq!(
        server.count(|call| call.field("ExternalId") == Some("ext-1")),
        28
    );
    assert!(server.max_in_flight() <= 8, "{}", server.max_in_flight());
    let others = [
        "AssumeRole",
        "GetCallerIdentity",
        "ListAccounts",
        "ListOrganizationalUnitsForParent",
    ];
    assert_eq!(
        server.count(|call| !others.contains(&call.operation.as_str())),
        0
    );

    let table = accounts(&server, &["--organization", "--check-access", "--strict"]);
    assert_eq!(table.code, Some(3), "{}", table.describe());
    assert!(
        table
            .stdout
            .contains("100000000003  ACTIVE     access_denied  team-3"),
        "{}",
        table.stdout
    );
    assert!(
        table
            .stdout
            .contains("\naccess_denied, 1 account: 100000000003\n"),
        "{}",
        table.stdout
    );
    let longest = table.stdout.lines().map(|line| line.chars().count()).max();
    assert!(longest <= Some(80), "{}", table.stdout);
    assert_eq!(table.files().len(), 0);
}

#[test]
fn strict_allows_inactive_accounts_only() {
    let mut organization = organization(3);
    organization.member(2).state = "SUSPENDED".to_owned();
    let server = organization.serve();
    let args = ["--organization", "--check-access", "--strict"];
    let run = accounts(&server, &args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let unknown = ["--accounts", "100000000001,999999999999"];
    let run = accounts(&server, &[&args[..], &unknown].concat());
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert!(
        run.stdout
            .contains("\n999999999999          not_in_organization\n"),
        "{}",
        run.stdout
    );
    let run = accounts(&server, &["--organization", unknown[0], unknown[1]]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert!(
        run.stderr
            .starts_with("warning: 1 account not found: 999999999999; "),
        "{}",
        run.stderr
    );
}

#[test]
fn csv_is_a_list_of_accounts() {
    let mut organization = organization(4);
    organization.member(2).name = "=x, \"y\"\n#".to_owned();
    let server = organization.serve();
    let directory = tempfile::tempdir().unwrap();
    let first = directory.path().join("first.csv");
    std::fs::write(
        &first,
        "account,role\n100000000002,@audit/Read\n100000000003,\n",
    )
    .unwrap();
    let list = |path: &std::path::Path| format!("@{}", path.display());
    let args = [
        "--organization",
        "--accounts",
        &list(&first),
        "--format",
        "csv",
        "--check-access",
    ];
    let run = accounts(&server, &args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(
        rows(&run.stdout)[1][4..7],
        ["'@audit/Read", "role @audit/Read", "ok"]
    );
    let second = directory.path().join("second.csv");
    std::fs::write(&second, &run.stdout).unwrap();
    let again = crate::run(&server, &["--accounts", &list(&second)]);
    assert_eq!(again.code, Some(0), "{}", again.describe());
    let counts = file(&again, "aws_config_combined_count_accounts.csv");
    assert_eq!(counts, Some(organization.csv(&[2, 3])));
    let role = "arn:aws:iam::100000000002:role/@audit/Read";
    assert_eq!(server.count(|call| call.field("RoleArn") == Some(role)), 2);
}

#[test]
fn named_accounts_have_no_known_state() {
    let server = organization(2).serve();
    let run = accounts(&server, &["--accounts", "100000000002", "--format", "csv"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(rows(&run.stdout)[1], ["100000000002", "", "", "", ""]);
    assert_eq!(server.count(|call| call.service == "organizations"), 0);
}

#[test]
fn failed_list_prints_only_the_reason() {
    let server = organization(25).serve_with(|_, call| {
        let is_second_page = call.field("NextToken").is_some();
        is_second_page.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    });
    for format in ["table", "csv", "json"] {
        let args = ["--organization", "--check-access", "--format", format];
        let run = accounts(&server, &args);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(1), ""),
            "{}",
            run.describe()
        );
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        assert!(
            run.stderr.contains("AccessDeniedException"),
            "{}",
            run.stderr
        );
        assert_eq!(run.files().len(), 0);
    }
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 0);
}

#[test]
fn expired_caller_ends_the_checks() {
    let server = organization(40).serve_with(|_, call| {
        (call.operation == "AssumeRole")
            .then(|| Reply::error(call, 403, "ExpiredToken", "The security token is expired"))
    });
    let run = accounts(
        &server,
        &["--organization", "--check-access", "--format", "csv"],
    );
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let rows = rows(&run.stdout);
    assert!(rows[40][6] == "not_tried", "{:?}", rows[40]);
    assert!(server.count(|call| call.operation == "AssumeRole") < 39);
}

#[test]
fn list_needs_a_source() {
    for args in [
        &["accounts"][..],
        &["accounts", "--check-access"],
        &["accounts", "--role-name", "x"],
    ] {
        let run = Program::without_server().args(args).run();
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(2), ""),
            "{}",
            run.describe()
        );
        for option in ["--organization", "--accounts"] {
            assert!(run.stderr.contains(option), "{}", run.stderr);
        }
    }
}

/// Returns what `iam-policy` prints.
fn policy(args: &[&str]) -> Value {
    let run = Program::without_server().arg("iam-policy").args(args).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args:?}");
    assert!(run.stdout.ends_with("}\n"), "{}", run.stdout);
    assert_eq!(run.files().len(), 0);
    serde_json::from_str(&run.stdout).unwrap()
}

/// Returns the actions of a policy on all resources, and the resources of sts:AssumeRole.
fn allowed(policy: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let texts = |value: &Value| -> BTreeSet<String> {
        let items = value.as_array().unwrap().iter();
        items
            .map(|item| item.as_str().unwrap().to_owned())
            .collect()
    };
    let (mut actions, mut roles) = (BTreeSet::new(), BTreeSet::new());
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        if statement["Action"] == json!(["sts:AssumeRole"]) {
            roles.extend(texts(&statement["Resource"]));
        } else {
            assert_eq!(statement["Resource"], "*");
            actions.extend(texts(&statement["Action"]));
        }
    }
    (actions, roles)
}

/// Returns the actions of the calls that were signed by a role session, or by the caller.
fn called(server: &Server, by_role: bool) -> BTreeSet<String> {
    let is_of_role = |text: &str| text.contains("Credential=ASIA");
    let calls = server.calls();
    let calls = calls
        .iter()
        .filter(|call| call.header("authorization").is_some_and(is_of_role) == by_role);
    let actions = calls.map(|call| format!("{}:{}", call.service, call.operation));
    // This call needs no permission.
    actions
        .filter(|action| action != "sts:GetCallerIdentity")
        .collect()
}

/// Returns a server of an organization whose list has only one path, so that a selection by units needs the tree.
fn server_with_tree() -> Server {
    let mut organization = organization(3);
    for number in 1..=2 {
        organization.member(number).units = None;
    }
    organization.serve_with(|_, call| {
        Some(match call.operation.as_str() {
            "ListRoots" => Reply::json(&json!({"Roots": [{"Id": "r-ab12"}]})),
            "ListOrganizationalUnitsForParent" => match call.field("ParentId") {
                Some("r-ab12") => Reply::json(&json!({
                    "OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Name": "Prod"}]
                })),
                _ => Reply::json(&json!({"OrganizationalUnits": []})),
            },
            "ListAccountsForParent" => Reply::json(&json!({
                "Accounts": [{"Id": Organization::id(1)}, {"Id": Organization::id(2)}]
            })),
            _ => return None,
        })
    })
}

#[test]
fn policies_allow_exactly_the_calls_of_run() {
    let lister = "arn:aws:iam::100000000003:role/Lister";
    for args in [
        &["--organization"][..],
        &[
            "--organization",
            "--method",
            "verify",
            "--role-name",
            "audit/Read",
        ],
        &["--ou", "ou-ab12-11111111"],
        &["--ou", "/Prod", "--method", "counts"],
        &["--accounts", "100000000001,100000000002"],
        &["--ou", "/Prod", "--organization-role", lister],
    ] {
        let server = server_with_tree();
        let run = crate::run(&server, args);
        let of = |principal| policy(&[&["--for", principal][..], args].concat());
        let (actions, roles) = allowed(&of("caller"));
        let mut by_caller = called(&server, false);
        assert!(by_caller.remove("sts:AssumeRole"), "{}", run.describe());
        assert_eq!(actions, by_caller, "{args:?} {}", run.describe());
        let name = args.iter().position(|arg| *arg == "--role-name");
        let name = name.map_or("OrganizationAccountAccessRole", |n| args[n + 1]);
        let mut expected = BTreeSet::from([format!("arn:aws:iam::*:role/{name}")]);
        if args.contains(&lister) {
            expected.insert(lister.to_owned());
        }
        assert_eq!(roles, expected, "{args:?}");
        let (mut by_role, _) = allowed(&of("member")["PermissionsPolicy"]);
        if args.contains(&lister) {
            let (lists, _) = allowed(&of("organization")["PermissionsPolicy"]);
            by_role.extend(lists);
        }
        assert_eq!(by_role, called(&server, true), "{args:?}");
    }
}

#[test]
fn trust_policy_requires_external_id() {
    let member = policy(&[
        "--for",
        "member",
        "--region",
        "cn-north-1",
        "--external-id",
        "ext-1",
    ]);
    let expected = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws-cn:iam::CALLER_ACCOUNT_ID:root"},
            "Action": ["sts:AssumeRole"],
            "Condition": {"StringEquals": {"sts:ExternalId": "ext-1"}}
        }]
    });
    assert_eq!(member["TrustPolicy"], expected);
    // The external ID is not sent to the role of the organization.
    for args in [
        &["--for", "organization", "--external-id", "ext-1"][..],
        &["--for", "member"],
    ] {
        let statement = &policy(args)["TrustPolicy"]["Statement"][0];
        assert_eq!(statement.get("Condition"), None, "{args:?}");
    }
}

#[test]
fn templates_have_roles_with_parameters() {
    let template = |args: &[&str]| policy(&[&["--format", "cloudformation"], args].concat());
    let args = [
        "--for",
        "member",
        "--role-name",
        "audit/Read",
        "--external-id",
        "ext-1",
    ];
    let member = template(&args);
    let role = &member["Resources"]["Role"];
    assert_eq!(role["Type"], "AWS::IAM::Role");
    assert_eq!(
        (&role["Properties"]["Path"], &role["Properties"]["RoleName"]),
        (&json!("/audit/"), &json!("Read"))
    );
    assert_eq!(member["Parameters"]["ExternalId"]["Default"], "ext-1");
    assert!(member["Parameters"]["TrustedAccountId"].is_object());
    let document = &role["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(document, &policy(&args)["PermissionsPolicy"]);
    let organization = template(&["--for", "organization", "--ou", "/Prod"]);
    assert_eq!(organization["Parameters"].as_object().unwrap().len(), 1);
    assert_eq!(
        organization["Resources"]["Role"]["Properties"].get("RoleName"),
        None
    );
    let caller = template(&["--for", "caller"]);
    let document = &caller["Resources"]["Policy"]["Properties"]["PolicyDocument"];
    let role =
        json!([{"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/OrganizationAccountAccessRole"}]);
    assert_eq!(document["Statement"][1]["Resource"], role);
}

#[test]
fn invalid_policy_options_are_wrong_usage() {
    for (args, hint) in [
        (&["--format", "cloudformation"][..], "needs --for"),
        (
            &["--format", "csv", "--for", "member"],
            "json, cloudformation",
        ),
        (&["--for", "everyone"], "caller, member, organization"),
        (
            &["--for", "caller", "--sso-session", "corp"],
            "cannot be used with",
        ),
    ] {
        let run = Program::without_server().arg("iam-policy").args(args).run();
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(2), ""),
            "{}",
            run.describe()
        );
        assert!(run.stderr.contains(hint), "{}", run.stderr);
    }
}

#[test]
fn profiles_are_listed_with_their_access() {
    let server = organization(2).serve();
    let program = Program::subcommand("accounts", &server);
    let aws = program.directory().join("home/.aws");
    std::fs::create_dir_all(&aws).unwrap();
    let role = |number| format!("arn:aws:iam::{}:role/Audit", Organization::id(number));
    let config = format!(
        "[profile a-1]\nrole_arn = {}\nsource_profile = base\n[profile a-2]\nrole_arn = {}\nsource_profile = none\n\
         [profile b-3]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n",
        role(2),
        role(1)
    );
    std::fs::write(aws.join("config"), config).unwrap();
    let keys = "[base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = not-a-secret-of-a-person\n";
    std::fs::write(aws.join("credentials"), keys).unwrap();
    let args = [
        "--profiles",
        "a-*,b-*",
        "--format",
        "csv",
        "--no-progress",
        "--strict",
    ];
    let run = program.args(args).run();
    assert_eq!(run.code, Some(3), "{}", run.describe());
    let rows = rows(&run.stdout);
    assert_eq!(rows.len(), 3, "{}", run.describe());
    assert_eq!(
        rows[1][..7],
        ["100000000002", "", "", "", "", "profile a-1", "ok"]
    );
    assert_eq!(
        (rows[2][0].as_str(), rows[2][5].as_str()),
        ("100000000001", "profile a-2")
    );
    assert_ne!(rows[2][6], "ok");
    assert!(
        run.stderr
            .starts_with("warning: profile b-3 cannot be used: "),
        "{}",
        run.stderr
    );
    let policy = Program::without_server()
        .args(["iam-policy", "--for", "caller", "--profiles", "x"])
        .run();
    assert_eq!(policy.code, Some(2), "{}", policy.describe());
}
