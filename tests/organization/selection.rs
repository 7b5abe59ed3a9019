//! Tests of the selection of accounts.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::json;

use crate::support::{ORGANIZATION, Organization, Reply};
use crate::{file, organization, run, statuses};

#[test]
fn units_select_accounts_by_their_paths() {
    let mut organization = organization(4);
    let unit = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
    organization.member(2).units = unit(&["r-ab12", "ou-ab12-22222222"]);
    organization.member(3).units = unit(&["r-ab12", "ou-ab12-22222222", "ou-ab12-33333333"]);
    let server = organization.serve_with(|_, call| {
        (call.operation == "ListOrganizationalUnitsForParent")
            .then(|| Reply::json(&json!({"OrganizationalUnits": []})))
    });
    for (args, scope, expected) in [
        (
            vec!["--ou", "ou-ab12-22222222"],
            "ou-ab12-22222222",
            vec![2, 3],
        ),
        (
            vec!["--ou", "r-ab12", "--exclude-ous", "ou-ab12-33333333"],
            "r-ab12",
            vec![1, 2, 4],
        ),
        (
            vec!["--organization", "--exclude-accounts", "100000000002"],
            ORGANIZATION,
            vec![1, 3, 4],
        ),
        (
            vec!["--organization", "--accounts", "100000000004,100000000001"],
            ORGANIZATION,
            vec![1, 4],
        ),
    ] {
        let run = run(&server, &args);
        assert_eq!(run.code, Some(0), "{args:?} {}", run.describe());
        let name = format!("aws_config_combined_count_{scope}.csv");
        assert_eq!(
            file(&run, &name),
            Some(organization.csv(&expected)),
            "{args:?}"
        );
    }
}

#[test]
fn tree_replaces_missing_paths() {
    let mut organization = organization(3);
    for number in 1..=3 {
        organization.member(number).units = None;
    }
    let server = organization.serve_with(|_, call| {
        let parent = call.field("ParentId").unwrap_or_default();
        Some(match (call.operation.as_str(), parent) {
            ("ListRoots", _) => Reply::json(&json!({"Roots": [{"Id": "r-ab12"}]})),
            ("ListOrganizationalUnitsForParent", "r-ab12") => Reply::json(&json!({
                "OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Name": "Prod"}]
            })),
            ("ListOrganizationalUnitsForParent", "ou-ab12-11111111") => Reply::json(&json!({
                // A command line has no space at its end.
                "OrganizationalUnits": [{"Id": "ou-ab12-22222222", "Name": "EU West "}]
            })),
            ("ListOrganizationalUnitsForParent", _) => {
                Reply::json(&json!({"OrganizationalUnits": []}))
            }
            ("ListAccountsForParent", "ou-ab12-11111111") => {
                Reply::json(&json!({"Accounts": [{"Id": Organization::id(2)}]}))
            }
            ("ListAccountsForParent", "ou-ab12-22222222") => {
                Reply::json(&json!({"Accounts": [{"Id": Organization::id(3)}]}))
            }
            ("ListAccountsForParent", _) => Reply::json(&json!({"Accounts": []})),
            _ => return None,
        })
    });
    for (unit, expected) in [("/Prod", vec![2, 3]), ("/Prod/EU West", vec![3])] {
        let run = run(&server, &["--ou", unit]);
        assert_eq!(run.code, Some(0), "{unit} {}", run.describe());
        let id = if expected.len() == 2 {
            "ou-ab12-11111111"
        } else {
            "ou-ab12-22222222"
        };
        let name = format!("aws_config_combined_count_{id}.csv");
        assert_eq!(
            file(&run, &name),
            Some(organization.csv(&expected)),
            "{unit}"
        );
    }
    let run = run(&server, &["--ou", "/Prod/US"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(
        run.stderr.contains("no organizational unit /Prod/US"),
        "{}",
        run.stderr
    );
}

#[test]
fn named_accounts_need_no_organization() {
    let organization = organization(3);
    let server = organization.serve();
    let run = run(&server, &["--accounts", "100000000003,100000000001"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(server.count(|call| call.service == "organizations"), 0);
    let counts = file(&run, "aws_config_combined_count_accounts.csv");
    assert_eq!(counts, Some(organization.csv(&[1, 3])));
}

#[test]
fn account_outside_of_organization_is_named() {
    let organization = organization(2);
    let server = organization.serve();
    let run = run(
        &server,
        &[
            "--organization",
            "--accounts",
            "100000000002,999999999999",
            "--strict",
        ],
    );
    assert_eq!(run.code, Some(3), "{}", run.describe());
    let found = statuses(&run, ORGANIZATION);
    assert_eq!(
        found[1],
        ("999999999999".to_owned(), "not_in_organization".to_owned())
    );
}

#[test]
fn incomplete_list_fails_the_run() {
    let organization = organization(25);
    let server = organization.serve_with(|_, call| {
        let is_second_page = call.field("NextToken").is_some() && call.service == "organizations";
        is_second_page.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    });
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(
        run.stderr.contains("The list of accounts is not complete"),
        "{}",
        run.stderr
    );
    let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
    assert_eq!(
        file(&run, &name),
        None,
        "a part of an organization is not the organization"
    );
    let first = "aws_config_resource_count_100000000001_alias-1.csv";
    assert_eq!(
        file(&run, first),
        Some(organization.csv(&[1])),
        "what was counted stays"
    );
}

#[test]
fn caller_outside_of_organizations_gets_advice() {
    let server = organization(1).serve_with(|_, call| {
        (call.service == "organizations").then(|| {
            Reply::error(
                call,
                400,
                "AWSOrganizationsNotInUseException",
                "no organization",
            )
        })
    });
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(
        run.stdout.contains("name the accounts with --accounts"),
        "{}",
        run.stdout
    );
}

#[test]
fn region_that_is_not_enabled_is_missing() {
    let organization = organization(2);
    let server = organization.serve();
    let args = [
        "--organization",
        "--regions",
        "us-east-1,eu-south-1",
        "--strict",
    ];
    let run = run(&server, &args);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    let advice =
        "\n  Enable the regions in these accounts, or exclude them with --exclude-regions\n";
    assert!(run.stdout.contains(advice), "{}", run.stdout);
    let partial = |(_, status): &(String, String)| status == "partial";
    let found = statuses(&run, ORGANIZATION);
    assert!(found.iter().all(partial), "{found:?}");
    let errors = file(
        &run,
        &format!("aws_config_combined_errors_{ORGANIZATION}.txt"),
    )
    .unwrap();
    for number in [1, 2] {
        let line = format!(
            "[REGION_DISABLED] Account: {}, Region: eu-south-1, Message: not an enabled region of this account",
            Organization::id(number)
        );
        assert!(errors.contains(&line), "{errors}");
    }
}

/// The first response of each list is an empty page with a token; one list is then throttled.
#[test]
fn empty_and_throttled_pages_are_not_the_end() {
    let mut organization = organization(3);
    for number in 1..=3 {
        organization.member(number).units = None;
    }
    let (pages, throttles) = (Mutex::default(), Mutex::default());
    let server = organization.serve_with(move |_, call| {
        let parent = call.field("ParentId").unwrap_or_default();
        let is_first = |seen: &Mutex<BTreeSet<String>>| {
            let list = format!("{} {parent}", call.operation);
            seen.lock().unwrap().insert(list)
        };
        let (list, items) = match (call.operation.as_str(), parent) {
            ("ListAccounts", _) => ("Accounts", None),
            ("ListRoots", _) => ("Roots", Some(json!([{"Id": "r-ab12"}]))),
            ("ListOrganizationalUnitsForParent", "r-ab12") => {
                let unit = json!({"Id": "ou-ab12-11111111", "Name": "Prod"});
                ("OrganizationalUnits", Some(json!([unit])))
            }
            ("ListOrganizationalUnitsForParent", _) => ("OrganizationalUnits", Some(json!([]))),
            ("ListAccountsForParent", _) => {
                let accounts = [2, 3].map(|n| json!({"Id": Organization::id(n)}));
                ("Accounts", Some(json!(accounts)))
            }
            _ => return None,
        };
        if is_first(&pages) {
            return Some(Reply::json(&json!({list: [], "NextToken": "0"})));
        }
        // The last list, because all later calls of the service wait.
        if call.operation == "ListAccountsForParent" && is_first(&throttles) {
            let text = "AWS Organizations can't complete your request because another request is already in \
                        progress. Try again later.";
            return Some(Reply::error(call, 400, "TooManyRequestsException", text));
        }
        Some(Reply::json(&json!({list: items?})))
    });
    let run = run(&server, &["--ou", "/Prod", "--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let name = "aws_config_combined_count_ou-ab12-11111111.csv";
    assert_eq!(file(&run, name), Some(organization.csv(&[2, 3])));
    for (operation, requests) in [
        ("ListAccounts", 2),
        ("ListRoots", 2),
        ("ListAccountsForParent", 3),
    ] {
        assert_eq!(
            server.count(|call| call.operation == operation),
            requests,
            "{operation}"
        );
    }
}

/// The retired member Status counts only without State.
#[test]
fn state_of_account_precedes_status() {
    let organization = organization(7);
    let members = organization.clone();
    let server = organization.serve_with(move |_, call| {
        let states = [
            json!({}),
            json!({"Status": "ACTIVE"}),
            json!({"Status": "SUSPENDED"}),
            json!({"Status": "SUSPENDED", "State": "ACTIVE"}),
            json!({"Status": "ACTIVE", "State": "PENDING_ACTIVATION"}),
            json!({"Status": "ACTIVE", "State": "CLOSED"}),
            json!({"Status": "ACTIVE", "State": ""}),
        ];
        let accounts = states.into_iter().zip(&members.members);
        let accounts = accounts.map(|(mut account, member)| {
            account["Id"] = json!(member.account.id);
            account["Arn"] = json!(format!("arn:aws:organizations::1:account/{ORGANIZATION}/2"));
            account
        });
        (call.operation == "ListAccounts")
            .then(|| Reply::json(&json!({"Accounts": accounts.collect::<Vec<_>>()})))
    });
    let run = run(&server, &["--organization", "--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let found = statuses(&run, ORGANIZATION);
    let found: Vec<&str> = found.iter().map(|(_, status)| status.as_str()).collect();
    let (yes, no) = ("complete", "not_active");
    assert_eq!(found, [yes, yes, no, yes, no, no, yes]);
}

/// The unit is named twice, by its ID and by its path, which changes no file name.
#[test]
fn named_account_outside_of_unit_is_named() {
    let mut organization = organization(4);
    let unit = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect());
    organization.member(2).units = unit(&["r-ab12", "ou-ab12-22222222"]);
    organization.member(3).units = unit(&["r-ab12", "ou-ab12-22222222", "ou-ab12-33333333"]);
    let server = organization.serve_with(|_, call| match call.operation.as_str() {
        "ListRoots" => Some(Reply::json(&json!({"Roots": [{"Id": "r-ab12"}]}))),
        "ListOrganizationalUnitsForParent" => Some(Reply::json(&json!({
            "OrganizationalUnits": [{"Id": "ou-ab12-22222222", "Name": "Prod"}]
        }))),
        _ => None,
    });
    let args = [
        "--ou",
        "/Prod,ou-ab12-22222222",
        "--exclude-ous",
        "ou-ab12-33333333",
        "--accounts",
        "100000000002,100000000003,100000000004",
        "--strict",
    ];
    let run = run(&server, &args);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    let expected = [
        ("100000000002", "complete"),
        ("100000000004", "not_in_organization"),
    ];
    let expected = expected.map(|(id, status)| (id.to_owned(), status.to_owned()));
    assert_eq!(statuses(&run, "ou-ab12-22222222"), expected);
    let name = "aws_config_combined_accounts_ou-ab12-22222222.csv";
    let table = file(&run, name).unwrap();
    let row = "\n100000000004,,,,,,not_in_organization,";
    assert!(table.contains(row), "its state is not known: {table}");
}

#[test]
fn file_may_have_several_ids_in_a_line() {
    let organization = organization(5);
    let server = organization.serve();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("accounts");
    let list = format!("@{}", path.display());
    let lines = "100000000001,100000000003 # two\r\n\r\n  # none\r\n100000000004\r\n";
    std::fs::write(&path, lines).unwrap();
    let counted = run(&server, &["--accounts", &list]);
    assert_eq!(counted.code, Some(0), "{}", counted.describe());
    let counts = file(&counted, "aws_config_combined_count_accounts.csv");
    assert_eq!(counts, Some(organization.csv(&[1, 3, 4])));
    std::fs::write(&path, "100000000001,10000000003\n").unwrap();
    let refused = run(&server, &["--accounts", &list]);
    assert_eq!(refused.code, Some(2), "{}", refused.describe());
    assert!(
        refused
            .stderr
            .contains("line 1: \"10000000003\" is not an account ID")
    );
}

#[test]
fn account_may_be_named_twice_with_one_role() {
    let organization = organization(3);
    let server = organization.serve();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("accounts");
    let list = format!("@{},100000000002", path.display());
    let rows = "account,role\n100000000003,\n100000000002,Audit\n100000000002,Audit\n";
    std::fs::write(&path, rows).unwrap();
    let counted = run(&server, &["--accounts", &list]);
    assert_eq!(counted.code, Some(0), "{}", counted.describe());
    let counts = file(&counted, "aws_config_combined_count_accounts.csv");
    assert_eq!(counts, Some(organization.csv(&[2, 3])));
    let role = "arn:aws:iam::100000000002:role/Audit";
    assert_eq!(server.count(|call| call.field("RoleArn") == Some(role)), 1);
    std::fs::write(&path, format!("{rows}100000000002,Other\n")).unwrap();
    let refused = run(&server, &["--accounts", &list]);
    assert_eq!(refused.code, Some(2), "{}", refused.describe());
    let message = "the account 100000000002 has two roles: Audit and Other";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
}

/// The list of 10,000 accounts, with the results of a check, is longer than a megabyte.
#[test]
fn long_list_of_accounts_is_read() {
    let organization = organization(2);
    let server = organization.serve();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("accounts.csv");
    let row = |n: usize| format!("{:012},{}\n", 100_000_000_000 + n, "detail ".repeat(40));
    let rows: String = (1..=10_000).map(row).collect();
    std::fs::write(&path, format!("account,detail\n{rows}")).unwrap();
    let list = format!("@{}", path.display());
    let run = run(&server, &["--organization", "--accounts", &list]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let counts = file(
        &run,
        &format!("aws_config_combined_count_{ORGANIZATION}.csv"),
    );
    assert_eq!(counts, Some(organization.csv(&[1, 2])));
    assert_eq!(statuses(&run, ORGANIZATION).len(), 10_000);
}
