//! Tests of `--sso-session`: the accounts and credentials of the portal of IAM Identity Center.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Call, Organization, Outcome, Program, Proxy, Reply, Server};
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
pub fn credentials(account: &str) -> Reply {
    Reply::json(&json!({"roleCredentials": {
        "accessKeyId": format!("ASIA{account}"),
        "secretAccessKey": format!("sso-secret-of-{account}"),
        "sessionToken": format!("sso-session-token-of-{account}"),
        "expiration": 4_070_908_800_000_u64,
    }}))
}

/// Returns a program with a cached token of the session `corp`; `cache` are further members of its file.
pub fn program(server: &Server, cache: &Value) -> Program {
    with_token(Program::new(server), "eu-west-1", cache)
}

/// Writes the token of the session, whose portal is in `region`.
pub fn with_token(program: Program, region: &str, cache: &Value) -> Program {
    let directory = program.directory().join("home/.aws");
    std::fs::create_dir_all(directory.join("sso/cache")).unwrap();
    let session = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\n";
    let config = format!("{session}sso_region = {region}\n");
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
    let paragraph = "\n1 account without access (sso corp/Read): 100000000003 (team-3)\n  Ask for the permission set";
    assert!(run.stdout.contains(paragraph), "{}", run.stdout);
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

/// Under load the portal also rejects valid tokens. This one cannot be refreshed.
#[test]
fn every_request_may_be_rejected_once() {
    let organization = organization(5);
    let (replies, rejected) = (organization.clone(), Mutex::<BTreeSet<String>>::default());
    let server = organization.serve_with(move |_, call| {
        let is_first = call.method == "GET" && rejected.lock().unwrap().insert(call.path.clone());
        if is_first {
            return Some(Reply::response(401, "application/json", b"{}".to_vec()));
        }
        portal(&replies, call)
    });
    let run = run(&server, &["--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&[1, 2, 3, 4, 5])));
    // Three pages, the permission sets, and the credentials of five accounts.
    assert_eq!(server.count(|call| call.method == "GET"), 2 * (3 + 1 + 5));
}

#[test]
fn four_requests_to_the_portal_are_in_flight() {
    const TIME: Duration = Duration::from_millis(500);
    let organization = organization(12);
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| {
        let reply = portal(&replies, call)?;
        let is_credentials = call.path.starts_with("/federation");
        Some(if is_credentials {
            reply.after(TIME)
        } else {
            reply
        })
    });
    let run = run(&server, &["--strict", "--role-name", "Audit"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let calls = server.calls();
    let requests = calls.iter().filter(|c| c.path.starts_with("/federation"));
    let arrived: Vec<_> = requests.map(|call| call.arrived).collect();
    assert_eq!(arrived.len(), 12);
    let gap = |n: usize| {
        arrived
            .windows(n)
            .map(|w| w[n - 1].duration_since(w[0]))
            .min()
    };
    // The first of any five was answered before the last was sent.
    assert!(gap(5) >= Some(TIME), "{arrived:?}");
    assert!(gap(2) < Some(TIME), "several are in flight: {arrived:?}");
}

#[test]
fn names_may_have_any_character() {
    let names = [
        "=1+1",
        "a\r\n\u{1b}[2J,\u{202e}b",
        "\"q\", 'r'; <x>",
        "名前 🦀",
        "",
    ];
    let mut organization = organization(names.len() + 1);
    for (n, name) in names.iter().enumerate() {
        (*name).clone_into(&mut organization.member(n + 1).name);
    }
    let replies = organization.clone();
    let server = organization.serve_with(move |_, call| {
        let reply = portal(&replies, call)?;
        let mut body: Value = serde_json::from_slice(reply.body()).unwrap();
        // The name of the last account is missing.
        for account in body["accountList"].as_array_mut().into_iter().flatten() {
            if account["accountName"] == "team-6" {
                account.as_object_mut().unwrap().remove("accountName");
            }
        }
        Some(Reply::json(&body))
    });
    let run = run(&server, &["--strict"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let all: Vec<usize> = (1..=6).collect();
    assert_eq!(file(&run, COUNTS), Some(organization.csv(&all)));
    let table = file(&run, "aws_config_combined_accounts_sso-corp.csv").unwrap();
    let is_bad = |c: char| !matches!(c, '\r' | '\n') && (c.is_control() || c == '\u{202e}');
    for text in [&table, &run.stdout, &run.stderr] {
        assert!(!text.contains(is_bad), "{text:?}");
    }
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let found: Vec<String> = reader
        .records()
        .map(|row| row.unwrap()[2].to_owned())
        .collect();
    assert_eq!(
        [&found[0], &found[2], &found[3]],
        ["'=1+1", names[2], names[3]]
    );
    assert!(
        found[1].starts_with('a') && found[1].ends_with('b'),
        "{found:?}"
    );
    assert_eq!([&found[4], &found[5]], ["", ""]);
}

/// A proxy refuses every host, so no request leaves this machine; its log has the hosts.
#[test]
fn portal_is_in_partition_of_session() {
    let expected = [
        ("us-west-2", "portal.sso.us-west-2.amazonaws.com"),
        ("cn-north-1", "portal.sso.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "portal.sso.us-gov-west-1.amazonaws.com"),
    ];
    // At the same time, because each request is sent again after a second.
    std::thread::scope(|scope| {
        for (region, host) in expected {
            scope.spawn(move || {
                let proxy = Proxy::with_status(503);
                let program = with_token(Program::without_server(), region, &json!({}))
                    .args(["--sso-session", "corp", "--region", region])
                    .env("HTTPS_PROXY", proxy.url());
                let run = program.run();
                assert_eq!(run.code, Some(1), "{}", run.describe());
                let (heads, connect) = (proxy.heads(), format!("CONNECT {host}:443 "));
                let is_expected = |head: &String| head.starts_with(&connect);
                assert!(heads.first().is_some_and(is_expected), "{heads:?}");
                assert!(heads.iter().all(is_expected), "{heads:?}");
            });
        }
    });
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
