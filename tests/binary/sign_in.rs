//! Tests of the refresh of `aws login` sessions, against a token service that verifies every proof.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::support::{Call, Outcome, Program, Reply, Server};
use crate::{TYPES, account};

const SESSION: &str = "arn:aws:sts::012345678901:assumed-role/Admin/me";
/// A key as the AWS CLI writes it.
const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\n\
    MHcCAQEEIH9YdDboxJZzZpG+4ydgXbZRY051TciI0QWbsp8V9Zi4oAoGCCqGSM49\n\
    AwEHoUQDQgAENK9oBdr3FbH5RFA5rwuJ9CKNHa6LcP7b1iTXLbv4VLthmpXbw2MW\n\
    2dMBAByCqbzSLKftM4kaOPPaoCKBCDjB4w==\n\
    -----END EC PRIVATE KEY-----\n";
const CLIENT: &str = "arn:aws:signin:::devtools/same-device";

/// The state of the token service.
#[derive(Default)]
struct TokenService {
    /// The number of refreshes; the refresh token that is valid now ends in it.
    refreshes: usize,
    /// The IDs of the proofs so far.
    proofs: BTreeSet<String>,
    /// The reasons why requests were rejected.
    rejected: Vec<String>,
}

impl TokenService {
    /// Verifies the proof and the refresh token; issues credentials that live for `lifetime` seconds.
    fn refresh(&mut self, call: &Call, lifetime: i64) -> Reply {
        let verified = self.verify(call);
        if let Err(why) = verified {
            self.rejected.push(why);
            return refusal(400, "INVALID_REQUEST");
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        if body["refreshToken"] != format!("hush-refresh-{}", self.refreshes) {
            return refusal(403, "TOKEN_EXPIRED");
        }
        self.refreshes += 1;
        let n = self.refreshes;
        Reply::json(&json!({
            "accessToken": {
                "accessKeyId": format!("ASIAREFRESHED000000{n}"),
                "secretAccessKey": format!("hush-secret-{n}-0123456789"),
                "sessionToken": format!("hush-token-{n}-0123456789"),
            },
            "tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4",
            "expiresIn": lifetime,
            "refreshToken": format!("hush-refresh-{n}"),
        }))
    }

    fn verify(&mut self, call: &Call) -> Result<(), String> {
        let body: Value = serde_json::from_slice(&call.body).map_err(|e| e.to_string())?;
        if body["clientId"] != CLIENT || body["grantType"] != "refresh_token" {
            return Err(format!("body {body}"));
        }
        let proof = call.header("dpop").ok_or("no proof")?;
        let parts: Vec<&str> = proof.split('.').collect();
        let decode = |text: &str| {
            BASE64_URL_SAFE_NO_PAD
                .decode(text)
                .map_err(|e| e.to_string())
        };
        let read = |n: usize| -> Result<Value, String> {
            serde_json::from_slice(&decode(parts[n])?).map_err(|e| e.to_string())
        };
        let (header, payload) = (read(0)?, read(1)?);
        let (typ, alg) = (&header["typ"], &header["alg"]);
        if typ != "dpop+jwt" || alg != "ES256" || header["jwk"]["crv"] != "P-256" {
            return Err(format!("header {header}"));
        }
        let coordinate = |name: &str| decode(header["jwk"][name].as_str().unwrap_or_default());
        let public = [vec![4], coordinate("x")?, coordinate("y")?].concat();
        let signed = format!("{}.{}", parts[0], parts[1]);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(signed.as_bytes(), &decode(parts[2])?)
            .map_err(|_| "signature".to_owned())?;
        let host = call.header("host").unwrap_or_default();
        let age = OffsetDateTime::now_utc().unix_timestamp() - payload["iat"].as_i64().unwrap_or(0);
        let id = payload["jti"].as_str().unwrap_or_default().to_owned();
        let is_current = payload["htm"] == "POST"
            && payload["htu"] == format!("http://{host}/v1/token")
            && age.abs() < 60
            && id.len() >= 20
            && self.proofs.insert(id);
        is_current.then_some(()).ok_or(format!("payload {payload}"))
    }
}

fn refusal(status: u16, code: &str) -> Reply {
    let message = "refused hush-refresh-0 hush-token-0-0123456789";
    let body = json!({"error": code, "message": message}).to_string();
    Reply::response(status, "application/json", body.into_bytes())
}

/// Returns the name of the cache file: the SHA-256 of the session.
fn cache_name() -> String {
    let hash = digest(&SHA256, SESSION.as_bytes());
    let hex: Vec<String> = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    hex.concat() + ".json"
}

/// Starts an account with a token service; `first` replaces the first replies.
fn serve(lifetime: i64, first: Vec<Reply>) -> (Server, Arc<Mutex<TokenService>>) {
    let service = Arc::<Mutex<TokenService>>::default();
    let shared = service.clone();
    let first = Mutex::new(first);
    let server = account().serve_with(move |call| {
        if call.path != "/v1/token" {
            return None;
        }
        let mut service = shared.lock().unwrap();
        let mut first = first.lock().unwrap();
        if first.is_empty() {
            return Some(service.refresh(call, lifetime));
        }
        service.verify(call).unwrap();
        Some(first.remove(0))
    });
    (server, service)
}

/// Prepares a run with a session whose credentials expire in `seconds`, in a file that everybody can
/// read.
fn program(server: &Server, seconds: i64) -> (Program, PathBuf) {
    let program = Program::new(server)
        .args(TYPES)
        .args(["--profile", "me", "--debug"]);
    let aws = program.directory().join("home/.aws");
    let cache = aws.join("login/cache").join(cache_name());
    std::fs::create_dir_all(cache.parent().unwrap()).unwrap();
    let config = format!("[profile me]\nlogin_session = {SESSION}\nregion = us-east-1\n");
    std::fs::write(aws.join("config"), config).unwrap();
    let expires = OffsetDateTime::now_utc() + Duration::seconds(seconds);
    let content = json!({
        "accessToken": {
            "accessKeyId": "ASIACACHED0000000000",
            "secretAccessKey": "hush-secret-0-0123456789",
            "sessionToken": "hush-token-0-0123456789",
            "accountId": "012345678901",
            "expiresAt": expires.replace_nanosecond(0).unwrap().format(&Rfc3339).unwrap(),
        },
        "tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4",
        "clientId": CLIENT,
        "refreshToken": "hush-refresh-0",
        "idToken": "hush-id-token",
        "dpopKey": KEY,
        "futureMember": {"kept": [1, 2]},
    });
    std::fs::write(&cache, content.to_string()).unwrap();
    std::fs::set_permissions(&cache, PermissionsExt::from_mode(0o644)).unwrap();
    (program, cache)
}

fn read(cache: &PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(cache).unwrap()).unwrap()
}

/// Asserts that all requests to AWS are signed with `key`, and that no secret is shown.
fn assert_signed_with(server: &Server, run: &Outcome, key: &str) {
    let signed = |call: &Call| !call.service.is_empty();
    let with_key = |call: &Call| {
        call.header("authorization")
            .is_some_and(|a| a.contains(key))
    };
    assert!(server.count(signed) > 0, "{}", run.describe());
    assert_eq!(
        server.count(signed),
        server.count(with_key),
        "{}",
        run.describe()
    );
    assert_no_secret(run);
}

fn assert_no_secret(run: &Outcome) {
    for text in [&run.stdout, &run.stderr, &run.errors()] {
        assert!(!text.contains("hush"), "{text}");
    }
}

#[test]
fn expired_session_is_refreshed_and_saved() {
    let (server, service) = serve(900, Vec::new());
    let (program, cache) = program(&server, -3600);
    let before = read(&cache);
    let open = std::fs::File::open(&cache).unwrap();
    let path = cache.clone();
    let run = program.run();
    assert_eq!(service.lock().unwrap().rejected, [""; 0]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account().csv());
    assert_signed_with(&server, &run, "ASIAREFRESHED0000001");

    let after = read(&path);
    let token = &after["accessToken"];
    assert_eq!(token["accessKeyId"], "ASIAREFRESHED0000001");
    assert_eq!(token["accountId"], "012345678901");
    assert_eq!(after["refreshToken"], "hush-refresh-1");
    let expires = OffsetDateTime::parse(token["expiresAt"].as_str().unwrap(), &Rfc3339).unwrap();
    let left = expires - OffsetDateTime::now_utc();
    assert!(
        left > Duration::minutes(10) && left <= Duration::minutes(15),
        "{left}"
    );
    for member in [
        "tokenType",
        "clientId",
        "idToken",
        "dpopKey",
        "futureMember",
    ] {
        assert_eq!(after[member], before[member], "{member}");
    }
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let old: Value = serde_json::from_reader(open).unwrap();
    assert_eq!(old, before, "the old file is replaced, not overwritten");
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "no temporary file remains");
}

#[test]
fn every_attempt_has_its_own_proof() {
    let unavailable = || Reply::response(503, "application/json", *b"{}");
    let (server, service) = serve(900, vec![unavailable(), Reply::close()]);
    let (program, _) = program(&server, -1);
    let run = program.run_without_waits();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let service = service.lock().unwrap();
    assert_eq!(service.rejected, [""; 0]);
    assert_eq!(service.proofs.len(), 3, "three attempts, three proofs");
}

#[test]
fn next_run_uses_the_saved_refresh_token() {
    // Shorter than the refresh window: each run refreshes.
    let (server, service) = serve(200, Vec::new());
    let (program, cache) = program(&server, 100);
    let content = read(&cache);
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let (second, second_cache) = self::program(&server, 100);
    let saved = std::fs::read(
        run.directory()
            .join("home/.aws/login/cache")
            .join(cache_name()),
    );
    std::fs::write(&second_cache, saved.unwrap()).unwrap();
    let run = second.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_ne!(
        read(
            &run.directory()
                .join("home/.aws/login/cache")
                .join(cache_name())
        ),
        content
    );
    let service = service.lock().unwrap();
    assert_eq!(service.rejected, [""; 0]);
    assert!(service.refreshes >= 2, "{} refreshes", service.refreshes);
}

#[test]
fn profiles_of_one_session_refresh_it_once() {
    let service = Arc::<Mutex<TokenService>>::default();
    let shared = service.clone();
    let server = account().serve_with(move |call| {
        let is_token = call.path == "/v1/token";
        let reply = || shared.lock().unwrap().refresh(call, 900);
        is_token.then(|| reply().after(std::time::Duration::from_millis(300)))
    });
    let (_single, cache) = program(&server, -1);
    let run = Program::new(&server)
        .args(TYPES)
        .args(["--profiles", "me*", "--strict"]);
    let aws = run.directory().join("home/.aws");
    let copy = aws.join("login/cache").join(cache_name());
    std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
    std::fs::copy(cache, copy).unwrap();
    let profile = |n| format!("[profile me-{n}]\nlogin_session = {SESSION}\nregion = us-east-1\n");
    let config: String = (0..6).map(profile).collect();
    std::fs::write(aws.join("config"), config).unwrap();
    let run = run.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let expected = "6 profiles, all with credentials";
    assert!(run.stdout.contains(expected), "{}", run.describe());
    assert_eq!(server.count(|call| call.path == "/v1/token"), 1);
}

#[test]
fn ended_session_names_the_sign_in_command() {
    for (seconds, code, part) in [
        (-1, "TOKEN_EXPIRED", "run `aws login --profile me`"),
        (
            -1,
            "USER_CREDENTIALS_CHANGED",
            "run `aws login --profile me`",
        ),
        (-1, "INSUFFICIENT_PERMISSIONS", "signin:CreateOAuth2Token"),
    ] {
        let (server, _) = serve(900, vec![refusal(403, code)]);
        let (program, cache) = program(&server, seconds);
        let before = read(&cache);
        let run = program.run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        for text in [code, part] {
            assert!(run.stdout.contains(text), "{}", run.describe());
        }
        assert_no_secret(&run);
        let cache = run
            .directory()
            .join("home/.aws/login/cache")
            .join(cache_name());
        assert_eq!(read(&cache), before);
    }
}

#[test]
fn valid_credentials_survive_a_refused_refresh() {
    let (server, _) = serve(
        900,
        vec![refusal(403, "TOKEN_EXPIRED"), refusal(403, "TOKEN_EXPIRED")],
    );
    let (program, _) = program(&server, 200);
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_signed_with(&server, &run, "ASIACACHED0000000000");
}

#[test]
fn fresh_credentials_are_not_refreshed() {
    let (server, service) = serve(900, Vec::new());
    let (program, cache) = program(&server, 600);
    let before = std::fs::read(&cache).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_signed_with(&server, &run, "ASIACACHED0000000000");
    assert!(service.lock().unwrap().proofs.is_empty());
    let cache = run
        .directory()
        .join("home/.aws/login/cache")
        .join(cache_name());
    assert_eq!(std::fs::read(cache).unwrap(), before);
}
