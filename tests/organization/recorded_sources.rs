//! Tests of recordings of a session of IAM Identity Center and of profiles, and of their replays.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::profiles::program;
use crate::recording::{
    CALLER, assert_same_lines, everything, mapping_of, outputs, pairs, record_program, replay,
};
use crate::sso::{self, TOKEN, portal, refreshable};
use crate::support::{Call, Organization, Outcome, Program, Reply, Server, assumed_role};
use crate::{BUCKET, organization, statuses};

const SESSION: [&str; 3] = ["--sso-session", "corp", "--coverage"];

const PROFILES: [&str; 3] = ["--profiles", "*", "--coverage"];

/// The texts that no recording has.
const SECRETS: [&str; 13] = [
    TOKEN,
    "the-second-token",
    "the-client-secret",
    "the-refresh-token",
    "the-next-refresh-token",
    "a-client",
    "sso-secret-of",
    "sso-session-token-of",
    "role-secret-of",
    "role-token-of",
    "the-secret-of",
    "process-",
    "ASIA",
];

/// Returns the account ID with this number.
fn id(number: usize) -> String {
    format!("{:012}", 777_000_000_000_usize + number)
}

/// Returns an organization whose account IDs and names no other text has.
fn private_organization(n: usize) -> Organization {
    let mut organization = organization(n);
    for number in 1..=n {
        let member = organization.member(number);
        member.account.alias = None;
        member.account.id = id(number);
        member.name = format!("secret-team-{number}");
    }
    organization
}

fn assert_no_secret(recording: &Path, others: &[&str]) {
    let all = everything(recording);
    for private in SECRETS.iter().chain(others) {
        assert!(!all.contains(private), "{private}: {all}");
    }
}

/// Returns the identity of a user of IAM Identity Center, whose session has an e-mail address as its name.
fn identity(account: &str) -> Reply {
    Reply::xml(format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/alice@corp.example</Arn>\
         <UserId>AROACKCEVSQ6C2EXAMPLE:alice@corp.example</UserId><Account>{account}</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    ))
}

/// Returns the reply with a refreshed token.
fn refreshed() -> Reply {
    Reply::json(&json!({
        "accessToken": "the-second-token", "expiresIn": 3600, "refreshToken": "the-next-refresh-token",
    }))
}

/// Serves a portal that rejects the first token for all credentials, and whose user lacks the permission set in account 3.
fn serve_session(organization: &Organization) -> Server {
    let replies = organization.clone();
    organization.serve_with(move |account, call| {
        if call.path == "/token" {
            return Some(refreshed());
        }
        if call.operation == "GetCallerIdentity" {
            return Some(identity(account));
        }
        if account == id(4) && call.lists(BUCKET, "eu-west-1") {
            let message = format!(
                "User: arn:aws:sts::{account}:assumed-role/AWSReservedSSO_Audit_0123456789abcdef/alice@corp.example \
                 is not authorized to perform: config:ListDiscoveredResources"
            );
            return Some(Reply::error(call, 400, "AccessDeniedException", &message));
        }
        let token = call.header("x-amz-sso_bearer_token")?;
        session_fault(call, token).or_else(|| portal(&replies, call))
    })
}

fn session_fault(call: &Call, token: &str) -> Option<Reply> {
    let refused = |status, message: &str| {
        let body = json!({"message": message, "token": token}).to_string();
        Some(Reply::response(
            status,
            "application/json",
            body.into_bytes(),
        ))
    };
    if !call.path.starts_with("/federation") {
        None
    } else if token == TOKEN {
        refused(401, "Session token not found or invalid")
    } else if call.path.contains(&id(3)) {
        refused(403, "No access")
    } else {
        None
    }
}

fn record_session(server: &Server, args: &[&str]) -> (Outcome, std::path::PathBuf) {
    let program = sso::program(server, &refreshable());
    let (live, recording) = record_program(program, &[&SESSION, args].concat());
    assert_eq!(live.code, Some(0), "{}", live.describe());
    let found = statuses(&live, "sso-corp");
    let found: Vec<_> = found.iter().map(|(_, status)| status.as_str()).collect();
    assert_eq!(
        found,
        [
            "complete",
            "complete",
            "access_denied",
            "partial",
            "complete"
        ]
    );
    (live, recording)
}

#[test]
fn recorded_session_replays_byte_for_byte() {
    let server = serve_session(&private_organization(5));
    let (live, recording) = record_session(&server, &[]);
    assert_no_secret(&recording, &["corp.awsapps.com"]);
    for _ in 0..3 {
        let again = replay(&recording, &SESSION);
        assert_eq!(again.code, Some(0), "{}", again.describe());
        assert_eq!(outputs(&again, &[]), outputs(&live, &[]));
    }
}

#[test]
fn names_of_recorded_session_are_replaced() {
    let server = serve_session(&private_organization(5));
    let role = ["--role-name", "Audit", "--record-account-id", CALLER];
    let (live, recording) = record_session(&server, &role);
    let private = ["777000000", "secret-team", "alice", "Audit"];
    assert_no_secret(&recording, &private);
    let mapping = mapping_of(&recording);
    assert_eq!(mapping["accounts"][id(1)], CALLER);
    assert_eq!(mapping["names"]["secret-team-1"], "account-1");
    assert_eq!(
        mapping["emails"]["alice@corp.example"],
        "account-1@example.com"
    );
    assert_eq!(mapping["roles"]["Audit"], "role-1");
    let again = replay(
        &recording,
        &[&SESSION[..], &["--role-name", "role-1"]].concat(),
    );
    assert_eq!(again.code, Some(0), "{}", again.describe());
    assert_same_lines(&outputs(&again, &[]), &outputs(&live, &pairs(&mapping)));
    let other_role = replay(
        &recording,
        &[&SESSION[..], &["--role-name", "Audit"]].concat(),
    );
    assert_eq!(other_role.code, Some(0), "{}", other_role.describe());
}

#[test]
fn token_refreshed_by_many_threads_replays() {
    let organization = private_organization(12);
    let (replies, given) = (organization.clone(), AtomicUsize::new(0));
    let server = organization.serve_with(move |_, call| {
        if call.path == "/token" {
            return Some(refreshed());
        }
        let is_old = call.header("x-amz-sso_bearer_token") == Some(TOKEN);
        let is_credentials = call.path.starts_with("/federation");
        if is_old && is_credentials && given.fetch_add(1, Ordering::SeqCst) >= 3 {
            return Some(Reply::response(401, "application/json", b"{}".to_vec()));
        }
        portal(&replies, call)
    });
    let program = sso::program(&server, &refreshable());
    let (live, recording) = record_program(program, &SESSION);
    assert_eq!(live.code, Some(0), "{}", live.describe());
    assert_eq!(server.count(|call| call.path == "/token"), 1);
    for _ in 0..5 {
        let again = replay(&recording, &SESSION);
        assert_eq!(again.code, Some(0), "{}", again.describe());
        assert_eq!(outputs(&again, &[]), outputs(&live, &[]));
    }
}

#[test]
fn expired_session_is_recorded_as_expired() {
    let server = serve_session(&private_organization(1));
    let expired = json!({"expiresAt": "2020-01-01T00:00:00Z"});
    let (live, recording) = record_program(sso::program(&server, &expired), &SESSION);
    assert_eq!(live.code, Some(1), "{}", live.describe());
    assert_no_secret(&recording, &["corp.awsapps.com"]);
    std::fs::write(
        recording.join("interactions/none.json"),
        json!({"interactions": []}).to_string(),
    )
    .unwrap();
    let again = replay(&recording, &SESSION);
    let expected =
        "the SSO token of session corp has expired; run `aws sso login --sso-session corp`";
    for run in [&live, &again] {
        assert!(run.stderr.contains(expected), "{}", run.describe());
    }
}

/// The profiles: two keys of account 1, one of them twice; roles in accounts 2, 3 (denied) and 9 (credentials of account 2);
/// permission sets in accounts 4 and 7; a process with keys of account 5; invalid keys; no credentials.
fn profiles(directory: &Path) -> String {
    let keys = |name: &str, key: &str| {
        format!(
            "[profile {name}]\naws_access_key_id = ASIA{key}\naws_secret_access_key = the-secret-of-{name}\n"
        )
    };
    let role = |name: &str, number: usize| {
        format!(
            "[profile {name}]\nrole_arn = arn:aws:iam::{}:role/Audit\nsource_profile = first\nregion = eu-west-1\n",
            id(number)
        )
    };
    let session = |name: &str, number: usize| {
        format!(
            "[profile {name}]\nsso_session = corp\nsso_account_id = {}\nsso_role_name = Audit\n",
            id(number)
        )
    };
    let process = directory.join("home/keys.json");
    [
        keys("first", &id(1)),
        keys("\"team/2 x\"", &format!("{}OTHER", id(1))),
        keys("same", &id(1)),
        role("role", 2),
        role("denied", 3),
        role("wrong", 9),
        session("sso", 4),
        session("sso-2", 7),
        "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n".to_owned(),
        format!("[profile process]\ncredential_process = cat {}\n", process.display()),
        keys("invalid", &id(6)),
        "[profile none]\nregion = eu-west-1\n".to_owned(),
    ]
    .concat()
}

fn serve_profiles(organization: &Organization) -> Server {
    let (replies, refreshes) = (organization.clone(), AtomicUsize::new(0));
    organization.serve_with(move |account, call| {
        // A refresh token is valid once.
        if call.path == "/token" && refreshes.fetch_add(1, Ordering::SeqCst) == 0 {
            return Some(refreshed());
        }
        let token = call.header("x-amz-sso_bearer_token");
        if call.path == "/token" || token.is_some_and(|token| token != "the-second-token") {
            return Some(Reply::response(400, "application/json", b"{}".to_vec()));
        }
        let role = call.field("RoleArn").unwrap_or_default();
        if role.contains(&id(9)) {
            return Some(assumed_role(&id(2)));
        }
        if account == id(6) {
            return Some(Reply::error(call, 403, "InvalidClientTokenId", "no"));
        }
        portal(&replies, call)
    })
}

/// Records a run of all profiles.
fn record_profiles(args: &[&str]) -> (Outcome, std::path::PathBuf) {
    let mut organization = private_organization(7);
    organization.member(3).has_role = false;
    let server = serve_profiles(&organization);
    let mut cache = refreshable();
    cache["expiresAt"] = "2020-01-01T00:00:00Z".into();
    let program = sso::with_token(Program::new(&server), "eu-west-1", &cache);
    let home = program.directory().join("home");
    std::fs::write(home.join(".aws/config"), profiles(program.directory())).unwrap();
    let keys = json!({
        "Version": 1, "AccessKeyId": format!("ASIA{}", id(5)), "SecretAccessKey": "process-secret",
        "SessionToken": "process-token",
    });
    std::fs::write(home.join("keys.json"), keys.to_string()).unwrap();
    let (live, recording) = record_program(program, &[&PROFILES, args].concat());
    assert_eq!(live.code, Some(0), "{}", live.describe());
    (live, recording)
}

/// Returns what differs in a replay: the home directory.
fn home_of(run: &Outcome) -> (String, String) {
    let home = run.directory().join("home");
    (home.display().to_string(), "home".to_owned())
}

#[test]
fn recorded_profiles_replay_byte_for_byte() {
    let (live, recording) = record_profiles(&[]);
    assert_no_secret(&recording, &["corp.awsapps.com"]);
    let found = statuses(&live, "profiles");
    let count = |wanted: &str| found.iter().filter(|(_, status)| status == wanted).count();
    assert_eq!(
        ["complete", "access_denied", "wrong_account", "failed"].map(count),
        [5, 1, 1, 2],
        "{found:?}"
    );
    for _ in 0..3 {
        let again = replay(&recording, &PROFILES);
        assert_eq!(again.code, Some(0), "{}", again.describe());
        assert_eq!(outputs(&again, &[]), outputs(&live, &[home_of(&live)]));
    }
}

#[test]
fn names_of_recorded_profiles_are_replaced() {
    let (live, recording) = record_profiles(&["--record-account-id", CALLER]);
    assert_no_secret(&recording, &["777000000", "Audit"]);
    let mapping = mapping_of(&recording);
    let mut pairs = pairs(&mapping);
    pairs.push(home_of(&live));
    let again = replay(&recording, &PROFILES);
    assert_eq!(again.code, Some(0), "{}", again.describe());
    assert_same_lines(&outputs(&again, &[]), &outputs(&live, &pairs));
}

#[test]
fn caller_with_role_is_recorded_as_caller() {
    let organization = private_organization(2);
    let server = organization.serve();
    let config = format!(
        "[profile base]\naws_access_key_id = ASIA{0}BASE\naws_secret_access_key = the-secret-of-base\n\
         [profile caller]\nrole_arn = arn:aws:iam::{0}:role/Audit\nsource_profile = base\n",
        id(1)
    );
    let args = ["--organization", "--profile", "caller"];
    let (live, recording) = record_program(program(&server, &config, ""), &args);
    assert_eq!(live.code, Some(0), "{}", live.describe());
    assert_no_secret(&recording, &[]);
    let again = replay(&recording, &args);
    assert_eq!(again.code, Some(0), "{}", again.describe());
    assert_eq!(outputs(&again, &[]), outputs(&live, &[]));
}
