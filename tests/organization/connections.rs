//! Tests of `--max-connections`: the number of open sockets in runs of one account and of many, with their checks and with
//! refreshed credentials.
//!
//! STS has a host name of its own, so that idle connections of one host are closed for the other one.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::support::{
    Account, Call, ORGANIZATION, Organization, Program, Reply, Server, assumed_role,
};
use crate::{BUCKET, VPC, file, organization, sso};

/// The time of each response; long enough that requests overlap.
const LATENCY: Duration = Duration::from_millis(10);

/// Runs `run` with each maximum, and asserts that it has many sockets open, and never more than the maximum.
fn assert_bound(serve: impl Fn() -> Server, run: impl Fn(&Server, &str)) {
    for max in [1, 3, 20] {
        let server = serve();
        run(&server, &format!("--max-connections={max}"));
        let open = server.max_open();
        assert!((max.min(3)..=max).contains(&open), "{open} of {max}");
    }
}

/// Returns a program without `--endpoint-url`: all services are at the server, and STS has another host name.
fn with_two_hosts(server: &Server) -> Program {
    let types = format!("{VPC},{BUCKET}");
    Program::without_server()
        .env("AWS_ENDPOINT_URL", server.url())
        .env(
            "AWS_ENDPOINT_URL_STS",
            server.url().replace("127.0.0.1", "localhost"),
        )
        .args([
            "--strict",
            "--output-dir",
            "../out",
            "--resource-types",
            &types,
        ])
}

/// Rejects the first credentials of each account after its first listing in eu-west-1. The key of the next ones ends with
/// `NEXT`.
fn expire(used: &Mutex<BTreeSet<String>>, account: &str, call: &Call) -> Option<Reply> {
    let is_new = call.header("authorization")?.contains("NEXT/");
    let mut used = used.lock().unwrap();
    let is_first = call.lists(VPC, "eu-west-1") && used.insert(account.to_owned());
    let is_expired = used.contains(account) && !is_first && !is_new;
    is_expired.then(|| Reply::error(call, 400, "ExpiredTokenException", "The token is expired"))
}

#[test]
fn run_of_one_account_keeps_bound() {
    let start = Account::new().region("us-east-1", &[(VPC, 150), (BUCKET, 3)]);
    let account = (1..=24).fold(start, |account, n| {
        account.region(&format!("eu-west-{n}"), &[(VPC, 2), (BUCKET, n)])
    });
    let serve = || {
        let (used, was_fetched) = (Mutex::default(), AtomicBool::new(false));
        let replies = move |call: &Call| {
            if call.path != "/container" {
                return expire(&used, "", call);
            }
            let is_next = was_fetched.swap(true, Ordering::SeqCst);
            Some(Reply::json(&json!({
                "AccessKeyId": if is_next { "ASIAKEYNEXT" } else { "ASIAKEYFIRST" },
                "SecretAccessKey": "a-secret-access-key", "Token": "a-session-token",
                "Expiration": "2099-01-01T00:00:00Z",
            })))
        };
        Server::with_latency(LATENCY, account.handler(replies))
    };
    assert_bound(serve, |server, max| {
        let run = with_two_hosts(server)
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env(
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                format!("{}/container", server.url()),
            )
            .arg(max)
            .run();
        run.assert_no_errors();
        assert_eq!(run.csv(), account.csv());
        assert_eq!(server.count(|call| call.path == "/container"), 2);
    });
}

#[test]
fn run_of_organization_keeps_bound() {
    let organization = organization(21);
    let serve = || {
        let (used, assumed) = (Mutex::default(), Mutex::new(BTreeSet::new()));
        let replies = move |account: &str, call: &Call| {
            if call.operation != "AssumeRole" {
                let is_caller = account == Organization::id(1);
                return (!is_caller).then(|| expire(&used, account, call)).flatten();
            }
            let id = call.field("RoleArn")?.split(':').nth(4)?.to_owned();
            let is_first = assumed.lock().unwrap().insert(id.clone());
            let key = format!("ASIA{id}");
            let body = String::from_utf8(assumed_role(&id).body().to_vec()).unwrap();
            let next = body.replace(&key, &format!("{key}NEXT"));
            Some(Reply::xml(if is_first { body } else { next }))
        };
        Server::with_latency(LATENCY, organization.handler(replies))
    };
    assert_bound(serve, |server, max| {
        let run = with_two_hosts(server).args(["--organization", max]).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let counts = file(
            &run,
            &format!("aws_config_combined_count_{ORGANIZATION}.csv"),
        );
        assert_eq!(
            counts,
            Some(organization.csv(&(1..=21).collect::<Vec<_>>()))
        );
        assert_eq!(server.count(|call| call.operation == "AssumeRole"), 40);
    });
}

/// The memory limit allows the stacks of about eight threads. (macOS has no `ulimit -v`.)
#[cfg(target_os = "linux")]
#[test]
fn few_descriptors_or_threads_count_an_organization() {
    let organization = organization(25);
    let types = format!("{VPC},{BUCKET}");
    for (limit, stack, max) in [
        ("-v 4000000", "400000000", "220"),
        ("-n 256", "2000000", "220"),
        ("-n 64", "2000000", "20"),
    ] {
        let server = organization.serve();
        let script = format!(r#"ulimit {limit} && exec "$@""#);
        let run = Program::in_shell(&script, &server)
            .env("RUST_MIN_STACK", stack)
            .args(["--organization", "--strict", "--resource-types", &types])
            .args(["--max-connections", max])
            .run();
        assert_eq!(run.code, Some(0), "{limit}: {}", run.describe());
        let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
        let numbers: Vec<_> = (1..=25).collect();
        assert_eq!(file(&run, &name), Some(organization.csv(&numbers)));
    }
}

#[test]
fn run_of_sso_session_keeps_bound() {
    let organization = organization(12);
    let serve = || {
        let replies = organization.clone();
        let replies = move |_: &str, call: &Call| {
            if call.path == "/token" {
                let token = json!({"accessToken": "the-second-token", "expiresIn": 3600});
                return Some(Reply::json(&token));
            }
            let is_first = call.header("x-amz-sso_bearer_token")? == sso::TOKEN;
            if is_first && call.path.starts_with("/federation") {
                return Some(Reply::response(401, "application/json", b"{}".to_vec()));
            }
            sso::portal(&replies, call)
        };
        Server::with_latency(LATENCY, organization.handler(replies))
    };
    assert_bound(serve, |server, max| {
        let program = sso::program(server, &sso::refreshable());
        let run = program
            .args(["--sso-session", "corp", "--strict", max])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let counts = file(&run, "aws_config_combined_count_sso-corp.csv");
        assert_eq!(
            counts,
            Some(organization.csv(&(1..=12).collect::<Vec<_>>()))
        );
        assert_eq!(server.count(|call| call.path == "/token"), 1);
    });
}
