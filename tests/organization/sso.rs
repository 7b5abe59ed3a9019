//! Tests of `--sso-session`: the accounts and credentials of the portal of IAM Identity Center.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{Call, Organization, Outcome, Program, Reply, Server};
use crate::{BUCKET, VPC, file, organization, statuses};

const COUNTS: &str = "aws_config_combined_count_sso-corp.csv";

/// The token of the session.
pub const TOKEN: &str = "the-first-token";

/// Returns the reply of the portal: all accounts, on pages of two, and the permission set `Audit` in each.
pub fn portal(organization: &Organization, call: &Call) -> Option<Reply> {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let get = |name: &str| {
        let pair = query.iter().find(|(key, _)| key == name);
        pair.map(|(_, value)| value.to_string())
    };
    match path {
        "/assignment/accounts" => {
            assert_eq!(get("max_result").as_deref(), Some("100"));
            let first: usize = get("next_token").map_or(0, |token| token.parse().unwrap());
            let page = organization.members.iter().skip(first).take(2);
            let accounts: Vec<Value> = page
                .map(|member| json!({"accountId": member.account.id, "accountName": member.name}))
                .collect();
            let mut body = json!({ "accountList": accounts });
            if first + 2 < organization.members.len() {
                body["nextToken"] = (first + 2).to_string().into();
            }
            Some(Reply::json(&body))
        }
        "/assignment/roles" => Some(Reply::json(&json!({
            "roleList": [{"roleName": "Audit", "accountId": get("account_id")}]
        }))),
        "/federation/credentials" => Some(credentials(&get("account_id").unwrap())),
        _ => None,
    }
}

/// Returns the reply of the portal with the credentials of an account.
fn credentials(account: &str) -> Reply {
    Reply::json(&json!({"roleCredentials": {
        "accessKeyId": format!("ASIA{account}"),
        "secretAccessKey": format!("sso-secret-of-{account}"),
        "sessionToken": format!("sso-session-token-of-{account}"),
        "expiration": 4_070_908_800_000_u64,
    }}))
}

/// Returns a program with a cached token of the session `corp`; `cache` are further members of its file.
pub fn program(server: &Server, cache: &Value) -> Program {
    let program = Program::new(server);
    let directory = program.directory().join("home/.aws");
    std::fs::create_dir_all(directory.join("sso/cache")).unwrap();
    let config = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n";
    std::fs::write(directory.join("config"), config).unwrap();
    let mut file = json!({"accessToken": TOKEN, "expiresAt": "2099-01-01T00:00:00Z"});
    let members = cache.as_object().unwrap().clone();
    file.as_object_mut().unwrap().extend(members);
    let name = "sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    std::fs::write(directory.join(name), file.to_string()).unwrap();
    program.args(["--resource-types", &format!("{VPC},{BUCKET}")])
}

pub fn run(server: &Server, args: &[&str]) -> Outcome {
    let args = [&["--sso-session", "corp"], args].concat();
    program(server, &json!({})).args(args).run()
}

/// The members of a cache file with a refresh token.
pub fn refreshable() -> Value {
    json!({
        "clientId": "a-client", "clientSecret": "the-client-secret", "refreshToken": "the-refresh-token",
        "registrationExpiresAt": "2099-01-01T00:00:00Z",
    })
}

fn errors(run: &Outcome) -> String {
    file(run, "aws_config_combined_errors_sso-corp.txt")
        .unwrap_or_else(|| panic!("{}", run.describe()))
}

#[test]
fn assigned_accounts_are_counted_with_only_permission_set() {
    let organization = organization(5);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| portal(&replies, call));
    let run = run(&server, &["--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2, 3, 4, 5])));
    let accounts = file(&run, "aws_config_combined_accounts_sso-corp.csv").unwrap();
    assert_eq!(accounts.matches("sso corp/Audit").count(), 5, "{accounts}");
    assert!(accounts.contains("team-3"), "{accounts}");
    assert!(
        run.stdout
            .contains("SSO session corp, token valid until 2099-01-01T00:00:00.000Z"),
        "{}",
        run.stdout
    );
    for call in server.calls() {
        let is_portal = call.method == "GET";
        let token = call.header("x-amz-sso_bearer_token");
        assert_eq!(token, is_portal.then_some(TOKEN));
        assert_eq!(call.header("authorization").is_none(), is_portal);
    }
    let roles = server.count(|call| call.path.starts_with("/assignment/roles"));
    assert_eq!(roles, 1);
}

#[test]
fn several_permission_sets_are_listed() {
    let organization = organization(2);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| {
        if call.path.starts_with("/assignment/roles") {
            let roles = json!([{"roleName": "Read"}, {"roleName": "Audit"}]);
            return Some(Reply::json(&json!({ "roleList": roles })));
        }
        portal(&replies, call)
    });
    let run = run(&server, &[]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let expected = "the account 100000000001 has several permission sets: Audit, Read; name one with --role-name";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    let requests = server.count(|call| call.path.starts_with("/federation"));
    assert_eq!(requests, 0);
}

#[test]
fn unassigned_account_costs_only_itself() {
    let organization = organization(4);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| {
        let is_third = call.path.contains("account_id=100000000003");
        if call.path.starts_with("/federation/credentials") && is_third {
            let body = r#"{"message":"No access","__type":"com.amazonaws.switchboard.portal#ForbiddenException"}"#;
            return Some(Reply::response(403, "application/json", body.as_bytes().to_vec()));
        }
        portal(&replies, call)
    });
    let run = run(&server, &["--role-name", "Read", "--strict"]);
    assert_eq!(run.code, Some(3), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2, 4])));
    assert_eq!(statuses(&run, "sso-corp")[2].1, "access_denied");
    let line = "[PERMISSION] Account: 100000000003, Message: IAM Identity Center (session corp, account 100000000003, \
                role Read)";
    assert!(errors(&run).contains(line), "{}", errors(&run));
    let roles = server.count(|call| call.path.starts_with("/assignment/roles"));
    assert_eq!(roles, 0, "the permission set is named");
}

#[test]
fn credentials_of_another_account_are_not_used() {
    let organization = organization(3);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| {
        let is_second = call.path.contains("account_id=100000000002");
        if call.path.starts_with("/federation/credentials") && is_second {
            return Some(credentials("100000000003"));
        }
        portal(&replies, call)
    });
    let run = run(&server, &[]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 3])));
    assert_eq!(statuses(&run, "sso-corp")[1].1, "wrong_account");
    assert!(
        errors(&run).contains("[FATAL] Account: 100000000002, "),
        "{}",
        errors(&run)
    );
}

#[test]
fn rejected_token_is_refreshed_once() {
    let organization = organization(4);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| {
        if call.path == "/token" {
            let token = json!({"accessToken": "the-second-token", "expiresIn": 3600});
            return Some(Reply::json(&token));
        }
        let token = call.header("x-amz-sso_bearer_token")?;
        let is_credentials = call.path.starts_with("/federation");
        if is_credentials && token == TOKEN {
            return Some(Reply::response(401, "application/json", b"{}".to_vec()));
        }
        portal(&replies, call)
    });
    let program = program(&server, &refreshable());
    let run = program.args(["--sso-session", "corp", "--strict"]).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2, 3, 4])));
    assert_eq!(server.count(|call| call.path == "/token"), 1);
}

#[test]
fn ended_session_stops_new_accounts_once() {
    let organization = organization(6);
    let (replies, opened) = (organization.clone(), AtomicUsize::new(0));
    let server = organization.serve_with(move |_, call| {
        let is_credentials = call.path.starts_with("/federation");
        if is_credentials && opened.fetch_add(1, Ordering::SeqCst) >= 2 {
            return Some(Reply::response(401, "application/json", b"{}".to_vec()));
        }
        portal(&replies, call)
    });
    let run = run(&server, &[]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let statuses = statuses(&run, "sso-corp");
    let not_tried = statuses.iter().filter(|(_, status)| status == "not_tried");
    assert_eq!(not_tried.count(), 4, "{statuses:?}");
    let errors = errors(&run);
    assert_eq!(errors.matches("[FATAL]").count(), 1, "{errors}");
    assert!(
        errors.contains("run `aws sso login --sso-session corp`"),
        "{errors}"
    );
}

#[test]
fn throttled_request_is_repeated() {
    let organization = organization(2);
    let (replies, count) = (organization.clone(), AtomicUsize::new(0));
    let server = organization.serve_with(move |_, call| {
        let is_list = call.path.starts_with("/assignment/accounts");
        if is_list && count.fetch_add(1, Ordering::SeqCst) == 0 {
            return Some(Reply::response(429, "text/plain", Vec::new()));
        }
        portal(&replies, call)
    });
    let run = run(&server, &[]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2])));
}

#[test]
fn expired_token_ends_the_run() {
    let server = organization(1).serve();
    let expired = json!({"expiresAt": "2020-01-01T00:00:00Z"});
    let run = program(&server, &expired)
        .args(["--sso-session", "corp"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let expected =
        "the SSO token of session corp has expired; run `aws sso login --sso-session corp`";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
    assert_eq!(server.calls().len(), 0);
}

#[test]
fn unknown_session_ends_the_run() {
    let server = organization(1).serve();
    let program = program(&server, &json!({}));
    let run = program.args(["--sso-session", "corpo"]).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    for expected in ["[sso-session corpo] not found in ", "did you mean corp?"] {
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}

#[test]
fn lists_of_accounts_narrow_the_session() {
    let organization = organization(4);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| portal(&replies, call));
    let args = [
        "--accounts",
        "100000000003,100000000004,100000000009",
        "--exclude-accounts",
        "100000000004",
    ];
    let run = run(&server, &args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[3])));
    assert_eq!(
        statuses(&run, "sso-corp")[1],
        ("100000000009".to_owned(), "not_in_organization".to_owned())
    );
}

#[test]
fn other_sources_are_rejected() {
    let server = organization(1).serve();
    for other in [
        &["--profile", "a"][..],
        &["--profiles", "*"],
        &["--organization"],
        &["--ou", "r-ab12"],
        &["--external-id", "ext-1"],
    ] {
        let run = run(&server, other);
        assert_eq!(run.code, Some(2), "{other:?} {}", run.describe());
        assert!(run.stderr.contains(other[0]), "{}", run.stderr);
    }
    assert_eq!(server.calls().len(), 0);
}
