//! Tests of refreshed credentials: of the same account, of another account, and refreshes that fail.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::json;

use crate::support::{Account, Call, Outcome, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account};

/// The account of the first credentials.
const OWN: &str = "012345678901";
/// Another account.
const FOREIGN: &str = "222222222222";

/// The first credentials, those after a refresh, and those of a source profile.
const FIRST_KEY: &str = "ASIAFIRSTKEY00000001";
const NEXT_KEY: &str = "ASIANEXTKEY000000002";
const BASE_KEY: &str = "AKIABASEKEY000000003";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN: &str = "a-session-token-that-is-long-enough";

/// A credential provider.
struct Source {
    name: &'static str,
    /// Files in the home directory; `{keys}` is replaced by the access key ID, and `{json}` by the output of a process.
    /// They are written again when the credentials change.
    files: &'static [(&'static str, &'static str)],
    /// Environment variables; `{url}` and `{home}` are replaced.
    variables: &'static [(&'static str, &'static str)],
    /// True if the response with the credentials names the account.
    names_account: bool,
}

const PROFILE: Source = Source {
    name: "keys of a profile",
    files: &[(
        ".aws/credentials",
        "[default]\naws_access_key_id = {keys}\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
    )],
    variables: &[],
    names_account: false,
};

const PROCESS: Source = Source {
    name: "process",
    files: &[
        (
            ".aws/config",
            "[default]\ncredential_process = cat \"$HOME/keys.json\"\n",
        ),
        ("keys.json", "{json}"),
    ],
    ..PROFILE
};

const ROLE: Source = Source {
    name: "role",
    files: &[
        (
            ".aws/config",
            "[default]\nrole_arn = arn:aws:iam::012345678901:role/audit\nsource_profile = base\n",
        ),
        (
            ".aws/credentials",
            "[base]\naws_access_key_id = AKIABASEKEY000000003\n\
             aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
        ),
    ],
    names_account: true,
    ..PROFILE
};

const ROLE_CHAIN: Source = Source {
    name: "chain of roles",
    files: &[
        (
            ".aws/config",
            "[default]\nrole_arn = arn:aws:iam::012345678901:role/audit\nsource_profile = middle\n\
             [profile middle]\nrole_arn = arn:aws:iam::333333333333:role/middle\nsource_profile = base\n",
        ),
        ROLE.files[1],
    ],
    ..ROLE
};

const WEB_IDENTITY: Source = Source {
    name: "web identity",
    files: &[("token", "a.web.identity-token")],
    variables: &[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "{home}/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::012345678901:role/audit"),
    ],
    names_account: true,
};

const CONTAINER: Source = Source {
    name: "container",
    files: &[],
    variables: &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{url}/container")],
    names_account: false,
};

const INSTANCE: Source = Source {
    name: "instance metadata",
    variables: &[
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{url}"),
    ],
    ..CONTAINER
};

const SSO: Source = Source {
    name: "IAM Identity Center",
    files: &[
        (
            ".aws/config",
            "[default]\nsso_session = corp\nsso_account_id = 012345678901\nsso_role_name = Audit\n\
             [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n",
        ),
        (
            ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json",
            r#"{"accessToken": "an-access-token", "expiresAt": "2099-01-01T00:00:00Z"}"#,
        ),
    ],
    ..CONTAINER
};

const SOURCES: [&Source; 8] = [
    &PROFILE,
    &PROCESS,
    &ROLE,
    &ROLE_CHAIN,
    &WEB_IDENTITY,
    &CONTAINER,
    &INSTANCE,
    &SSO,
];

impl Source {
    /// Writes the files with the access key ID `key`.
    fn write(&self, home: &Path, key: &str) {
        let output = json!({
            "Version": 1, "AccessKeyId": key, "SecretAccessKey": SECRET, "SessionToken": TOKEN,
        });
        for (name, content) in self.files {
            let content = content
                .replace("{keys}", key)
                .replace("{json}", &output.to_string());
            let path = home.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }

    /// Prepares a run with the credentials of this source.
    fn program(&self, server: &Server, home: &Path) -> Program {
        let mut program = Program::new(server)
            .args(TYPES)
            .args(["--coverage", "--max-attempts", "2"])
            .env("HOME", home)
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "");
        for (name, value) in self.variables {
            let value = value
                .replace("{url}", &server.url())
                .replace("{home}", home.to_str().unwrap());
            program = program.env(name, value);
        }
        program
    }
}

/// Returns the response of a credential endpoint with the key `key` of `account`.
fn credentials(call: &Call, key: &str, account: &str) -> Option<Reply> {
    let keys = json!({
        "Code": "Success", "AccessKeyId": key, "SecretAccessKey": SECRET, "Token": TOKEN,
        "Expiration": "2099-01-01T00:00:00Z",
    });
    let text = |text: &str| Some(Reply::response(200, "text/plain", text.as_bytes()));
    let path = call.path.split('?').next().unwrap_or_default();
    match (call.operation.as_str(), path) {
        ("AssumeRole" | "AssumeRoleWithWebIdentity", _) => {
            let is_middle = call.field("RoleArn").is_some_and(|r| r.contains("middle"));
            Some(if is_middle {
                role(call, BASE_KEY, "333333333333")
            } else {
                role(call, key, account)
            })
        }
        (_, "/container" | "/latest/meta-data/iam/security-credentials/web") => {
            Some(Reply::json(&keys))
        }
        (_, "/latest/api/token") => text("a-token"),
        (_, "/latest/meta-data/iam/security-credentials/") => text("web"),
        (_, "/federation/credentials") => Some(Reply::json(&json!({"roleCredentials": {
            "accessKeyId": key, "secretAccessKey": SECRET, "sessionToken": TOKEN,
            "expiration": 4_070_908_800_000_i64,
        }}))),
        _ => None,
    }
}

fn role(call: &Call, key: &str, account: &str) -> Reply {
    let name = &call.operation;
    Reply::xml(format!(
        "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>\
         <AssumedRoleUser><Arn>arn:aws:sts::{account}:assumed-role/audit/session</Arn>\
         <AssumedRoleId>AROA:session</AssumedRoleId></AssumedRoleUser>\
         <Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>{TOKEN}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
         </Credentials></{name}Result></{name}Response>"
    ))
}

fn signed_with(call: &Call, key: &str) -> bool {
    let authorization = call.header("authorization");
    authorization.is_some_and(|text| text.contains(key))
}

fn expired(call: &Call) -> Reply {
    Reply::error(call, 400, "ExpiredTokenException", "The token is expired")
}

fn identity_of(id: &str) -> Account {
    Account {
        id: id.to_owned(),
        ..account()
    }
}

/// Runs the program; at the second page of a listing the first credentials expire, and from then on the source returns
/// those of `next_account`. `replies` has priority over all other replies to requests with the new credentials.
fn run_with_switch(
    source: &'static Source,
    next_account: &'static str,
    replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
    run: fn(Program) -> Outcome,
) -> (Outcome, Server) {
    let home = tempfile::tempdir().unwrap();
    source.write(home.path(), FIRST_KEY);
    let directory = home.path().to_owned();
    let next = identity_of(next_account).responder();
    let has_expired = Mutex::new(false);
    let server = account().serve_with(move |call| {
        let is_second_page = call.lists(BUCKET, "us-east-1") && call.field("nextToken").is_some();
        let has_expired = {
            let mut has_expired = has_expired.lock().unwrap();
            if is_second_page && !*has_expired {
                source.write(&directory, NEXT_KEY);
                *has_expired = true;
            }
            *has_expired
        };
        if signed_with(call, NEXT_KEY) {
            return Some(replies(call).unwrap_or_else(|| next.respond(call)));
        }
        if has_expired && signed_with(call, FIRST_KEY) {
            return Some(expired(call));
        }
        let (key, id) = if has_expired {
            (NEXT_KEY, next_account)
        } else {
            (FIRST_KEY, OWN)
        };
        credentials(call, key, id)
    });
    let run = run(source.program(&server, home.path()));
    (run, server)
}

/// Returns the lines of the error log with this type.
fn lines<'a>(log: &'a str, error_type: &str) -> Vec<&'a str> {
    let tag = format!("[{error_type}]");
    log.lines().filter(|line| line.contains(&tag)).collect()
}

/// Returns the number of requests signed with `key`, except those that ask for the identity.
fn used(server: &Server, key: &str) -> usize {
    server.count(|call| signed_with(call, key) && call.operation != "GetCallerIdentity")
}

#[test]
fn refresh_to_another_account_is_fatal() {
    for source in SOURCES {
        let (run, server) = run_with_switch(source, FOREIGN, |_| None, Program::run);
        let name = source.name;
        assert_eq!(run.code, Some(1), "{name}: {}", run.describe());
        assert_eq!(used(&server, NEXT_KEY), 0, "{name}: {}", run.describe());
        let log = run.errors();
        let fatal = lines(&log, "FATAL");
        assert_eq!(fatal.len(), 1, "{name}: {}", run.describe());
        for part in [OWN, FOREIGN, "another account"] {
            assert!(fatal[0].contains(part), "{name}: {}", fatal[0]);
        }
        assert!(
            !run.csv().contains(BUCKET) || !run.csv().contains("250"),
            "{name}"
        );
        assert!(!run.csv().contains(FOREIGN), "{name}: {}", run.csv());
        assert!(run.coverage().contains("not_tried"), "{name}");
        let asked = server.count(|c| signed_with(c, NEXT_KEY));
        assert_eq!(asked, usize::from(!source.names_account), "{name}");
    }
}

#[test]
fn refresh_of_the_same_account_loses_nothing() {
    for source in SOURCES {
        let (run, server) = run_with_switch(source, OWN, |_| None, Program::run);
        let name = source.name;
        assert_eq!(run.code, Some(0), "{name}: {}", run.describe());
        assert_eq!(run.csv(), account().csv(), "{name}");
        assert_eq!(run.errors(), "", "{name}: nothing failed");
        assert!(used(&server, NEXT_KEY) > 0, "{name}");
        let asked =
            server.count(|c| c.operation == "GetCallerIdentity" && signed_with(c, NEXT_KEY));
        assert_eq!(asked, usize::from(!source.names_account), "{name}");
    }
}

#[test]
fn unverified_credentials_are_not_used() {
    for (status, code, source, how) in [
        (403, "AccessDenied", &PROCESS, Program::run as fn(_) -> _),
        // These are retried. A command takes real time.
        (
            503,
            "ServiceUnavailable",
            &CONTAINER,
            Program::run_without_waits,
        ),
        (400, "Throttling", &CONTAINER, Program::run_without_waits),
    ] {
        let reply = move |call: &Call| {
            let asks = call.operation == "GetCallerIdentity";
            asks.then(|| Reply::error(call, status, code, "no"))
        };
        let (run, server) = run_with_switch(source, FOREIGN, reply, how);
        assert_eq!(run.code, Some(1), "{code}: {}", run.describe());
        assert_eq!(used(&server, NEXT_KEY), 0, "{code}");
        assert_eq!(
            lines(&run.errors(), "FATAL").len(),
            1,
            "{code}: {}",
            run.describe()
        );
        assert!(
            run.errors().contains("GetCallerIdentity"),
            "{code}: {}",
            run.errors()
        );
    }
}

/// Writes a profile with a process that appends a line to `starts` and then runs `script` with the number of the start in
/// `$n`.
fn write_process(home: &Path, script: &str) {
    let process = format!(
        "#!/bin/sh\necho start >> \"$HOME/starts\"\nn=$(wc -l < \"$HOME/starts\")\n\
         keys() {{ printf '{{\"Version\": 1, \"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"{SECRET}\", \
         \"SessionToken\": \"{TOKEN}\"%s}}' \"$1\" \"$2\"; }}\n{script}\n"
    );
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    std::fs::write(home.join("process"), process).unwrap();
    let config = "[default]\ncredential_process = sh \"$HOME/process\"\n";
    std::fs::write(home.join(".aws/config"), config).unwrap();
}

fn starts(home: &Path) -> usize {
    std::fs::read_to_string(home.join("starts"))
        .unwrap()
        .lines()
        .count()
}

/// Returns the part of the output with an expiry in `minutes`.
fn expires_in(minutes: i64) -> String {
    let at = time::OffsetDateTime::now_utc() + time::Duration::minutes(minutes);
    let at = at
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap();
    format!(", \"Expiration\": \"{at}\"")
}

#[test]
fn early_refresh_to_another_account_is_an_error() {
    // The first credentials expire soon, so the first request refreshes them.
    let home = tempfile::tempdir().unwrap();
    let soon = expires_in(4);
    write_process(
        home.path(),
        &format!(
            "if [ $n = 1 ]; then keys {FIRST_KEY} '{soon}'; else keys {NEXT_KEY} '{soon}'; fi"
        ),
    );
    let (own, foreign) = (
        identity_of(OWN).responder(),
        identity_of(FOREIGN).responder(),
    );
    let server = account().serve_with(move |call| {
        let responder = if signed_with(call, NEXT_KEY) {
            &foreign
        } else {
            &own
        };
        Some(responder.respond(call))
    });
    let run = PROFILE.program(&server, home.path()).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(used(&server, NEXT_KEY), 0, "{}", run.describe());
    assert!(run.errors().contains(FOREIGN), "{}", run.describe());
    assert_eq!(starts(home.path()), 2);
}

/// Returns an account with 17 regions.
fn large_account() -> Account {
    let name = |n: usize| format!("eu-west-{}", n + 1);
    let regions = (0..16).map(name);
    regions.fold(account(), |account, name| {
        account.region(&name, &[(VPC, 1), (BUCKET, 150)])
    })
}

/// Runs a scan of 17 regions in which all credentials expire when a second page is requested.
fn run_with_broken_process(script: &str) -> (Outcome, usize) {
    let home = tempfile::tempdir().unwrap();
    write_process(home.path(), script);
    let has_expired = AtomicBool::new(false);
    let server = large_account().serve_with(move |call| {
        let second =
            call.operation == "ListDiscoveredResources" && call.field("nextToken").is_some();
        has_expired.fetch_or(second, Ordering::SeqCst);
        has_expired.load(Ordering::SeqCst).then(|| expired(call))
    });
    let run = PROFILE.program(&server, home.path()).run();
    (run, starts(home.path()))
}

#[test]
fn broken_process_is_started_once_for_all_regions() {
    for script in [
        format!("if [ $n = 1 ]; then keys {FIRST_KEY} ''; else echo broken >&2; exit 1; fi"),
        format!("if [ $n = 1 ]; then keys {FIRST_KEY} ''; else echo '{{}}'; fi"),
        // The same credentials again, and new credentials that have expired too.
        format!("keys {FIRST_KEY} ''"),
        format!("keys {FIRST_KEY}$n ''"),
    ] {
        let (run, starts) = run_with_broken_process(&script);
        assert_eq!(run.code, Some(1), "{script}: {}", run.describe());
        assert_eq!(starts, 2, "{script}: {}", run.describe());
        assert_eq!(
            lines(&run.errors(), "FATAL").len(),
            1,
            "{script}: {}",
            run.describe()
        );
    }
}

#[test]
fn failed_role_refresh_is_tried_only_once() {
    for (status, code) in [
        (503, "ServiceUnavailable"),
        (403, "AccessDenied"),
        (500, "InternalFailure"),
    ] {
        let home = tempfile::tempdir().unwrap();
        ROLE.write(home.path(), "");
        let has_expired = AtomicBool::new(false);
        let server = large_account().serve_with(move |call| {
            let second =
                call.operation == "ListDiscoveredResources" && call.field("nextToken").is_some();
            has_expired.fetch_or(second, Ordering::SeqCst);
            match (has_expired.load(Ordering::SeqCst), call.operation.as_str()) {
                (true, "AssumeRole") => Some(Reply::error(call, status, code, "no")),
                (true, _) => Some(expired(call)),
                (false, _) => credentials(call, FIRST_KEY, OWN),
            }
        });
        let run = ROLE.program(&server, home.path()).run_without_waits();
        assert_eq!(run.code, Some(1), "{code}: {}", run.describe());
        let attempts = if status == 403 { 1 } else { 2 };
        let calls = server.count(|call| call.operation == "AssumeRole");
        assert_eq!(calls, 1 + attempts, "{code}: {}", run.describe());
        assert_eq!(
            lines(&run.errors(), "FATAL").len(),
            1,
            "{code}: {}",
            run.describe()
        );
    }
}

#[test]
fn interrupted_refresh_is_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    // Every start after the first one interrupts the run and fails.
    write_process(
        home.path(),
        &format!(
            "if [ $n = 1 ]; then keys {FIRST_KEY} ''; exit; fi\nkill -INT $(cat \"$HOME/pid\")\nexit 1"
        ),
    );
    let pid = home.path().join("pid");
    let (has_expired, has_pid) = (
        AtomicBool::new(false),
        Arc::new((Mutex::new(false), Condvar::new())),
    );
    let waiting = has_pid.clone();
    let server = large_account().serve_with(move |call| {
        let second =
            call.operation == "ListDiscoveredResources" && call.field("nextToken").is_some();
        has_expired.fetch_or(second, Ordering::SeqCst);
        if !has_expired.load(Ordering::SeqCst) {
            return None;
        }
        let (written, changed) = &*waiting;
        drop(changed.wait_while(written.lock().unwrap(), |written| !*written));
        Some(expired(call))
    });
    let running = PROFILE.program(&server, home.path()).start();
    std::fs::write(&pid, running.id().to_string()).unwrap();
    *has_pid.0.lock().unwrap() = true;
    has_pid.1.notify_all();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.describe());
    assert_eq!(starts(home.path()), 2, "{}", run.describe());
}
