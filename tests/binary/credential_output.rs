//! Tests that what a source of credentials prints or returns is in no output.

use std::fs;
use std::path::PathBuf;

use crate::secrets::assert_absent;
use crate::support::{Call, Outcome, Program, Reply, Server};
use crate::{TYPES, account};

/// Parts of the secrets of these tests: of keys and tokens in random form, and of others that only their field marks.
const SECRETS: [&str; 9] = [
    "ASIAMARKEDGIVENK",
    "je7MtGbClwBF/2Zp",
    "yCo8nvbMARKEDKEY",
    "IQoJb3JpZ2luX2Vj",
    "9hdWx0cm9sbGluZw",
    "marked-by-its-fi",
    "eld-0123456789",
    "eyJhbGciOiJSUzI1",
    "eyJzdWIiOiJtYXJr",
];
const ID: &str = "ASIAMARKEDGIVENK0WXYZ";
const KEY: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbMARKEDKEYX";
const TOKEN: &str = "IQoJb3JpZ2luX2VjEJr//+wEaCXVzLWVhc3Q9hdWx0cm9sbGluZw==";
const PLAIN: &str = "marked-by-its-field-0123456789";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtYXJrZWQifQ.c2lnbmF0dXJl";

/// Prepares a run without static credentials, with every kind of output.
fn program(server: &Server, files: &[(&str, &str)]) -> Program {
    let mut program = Program::new(server);
    let home = program.directory().join("home");
    for (name, content) in files {
        let path = home.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content.replace("{url}", &server.url())).unwrap();
    }
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        program = program.env(name, "");
    }
    let recording = program.directory().join("out/recording");
    program
        .args(TYPES)
        .args(["--debug", "--max-attempts", "1", "--report", "report.json"])
        .arg("--record")
        .arg(recording)
}

fn assert_failure(run: &Outcome, part: &str) {
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(run.errors().contains(part), "{part}: {}", run.describe());
    assert_absent(run, &SECRETS);
}

/// Returns texts with credentials, as tools print them and services return them.
fn texts() -> Vec<String> {
    let json = serde_json::json!({
        "Version": 1, "AccessKeyId": ID, "SecretAccessKey": PLAIN, "SessionToken": TOKEN,
    });
    let nested = serde_json::json!({"error": json.to_string()});
    vec![
        json.to_string(),
        serde_json::to_string_pretty(&json).unwrap(),
        nested.to_string(),
        nested.to_string().replace('"', "&quot;"),
        format!("export AWS_SECRET_ACCESS_KEY={PLAIN}\nexport AWS_SESSION_TOKEN='{TOKEN}'"),
        format!("aws_secret_access_key = {PLAIN}\naws_session_token: {TOKEN}"),
        format!("{{'SecretAccessKey': '{PLAIN}', 'Token': u'{TOKEN}'}}"),
        format!("Secret Access Key: {PLAIN} and id {ID}"),
        format!("cannot use {KEY} with {TOKEN}"),
        format!("GET https://user:{PLAIN}@host/x?token={PLAIN}#{PLAIN} failed"),
        format!("GET https://host/x?q={KEY} failed, Authorization: Bearer {JWT}"),
        format!("<html><ns:SecretAccessKey>{PLAIN}</ns:SecretAccessKey>{TOKEN}</html>"),
        format!("SecretAccessKey: >-\n  {PLAIN}\nSessionToken:\n  - {TOKEN}"),
        format!("set -gx AWS_SECRET_ACCESS_KEY {PLAIN}; setenv AWS_SESSION_TOKEN {TOKEN}"),
        format!("Access key ID,Secret access key\n{ID},{PLAIN}"),
        format!("| SecretAccessKey | {PLAIN} |\n| SessionToken | {TOKEN} |"),
        format!("\u{1b}[31mSecretAccessKey\u{1b}[0m: \u{1b}[1m{PLAIN}\u{1b}[0m"),
        format!("the secret access key is {PLAIN}, the token → {TOKEN}"),
        format!("tool --secret-access-key {PLAIN} --session-token {TOKEN}"),
        format!("[default]\nsecret_access_key = \"\"\"{PLAIN}\"\"\""),
        format!("<key>SecretAccessKey</key><string>{PLAIN}</string>"),
        serde_json::json!([{"Name": "SecretAccessKey", "Value": PLAIN}]).to_string(),
        serde_json::json!({"SecretAccessKey": {"value": PLAIN}, "SessionToken": {"S": TOKEN}})
            .to_string(),
        format!("X-Vault-Token: {PLAIN}\nCookie: id={PLAIN}\npassphrase={PLAIN}"),
    ]
}

#[test]
fn stderr_of_credential_process_is_redacted() {
    let server = account().serve();
    for text in texts() {
        let script = "[default]\ncredential_process = cat stderr >&2; false\n";
        let program = program(&server, &[(".aws/config", script)]);
        fs::write(
            program.directory().join("current/stderr"),
            format!("no session: {text}"),
        )
        .unwrap();
        let run = program.run();
        fs::remove_file(run.directory().join("current/stderr")).unwrap();
        assert_failure(
            &run,
            "credential_process of profile default failed: no session",
        );
    }
}

#[test]
fn stdout_value_on_stderr_is_redacted() {
    let server = account().serve();
    let script = "[default]\ncredential_process = cat stdout; cat stderr >&2; false\n";
    let program = program(&server, &[(".aws/config", script)]);
    let work = program.directory().join("current");
    fs::write(
        work.join("stdout"),
        format!("{{\"SecretAccessKey\": \"{PLAIN}\""),
    )
    .unwrap();
    fs::write(work.join("stderr"), format!("no use for {PLAIN}")).unwrap();
    let run = program.run();
    fs::remove_file(run.directory().join("current/stderr")).unwrap();
    fs::remove_file(run.directory().join("current/stdout")).unwrap();
    assert_failure(
        &run,
        "credential_process of profile default failed: no use for REDACTED",
    );
}

#[test]
fn error_of_identity_center_is_redacted() {
    let config = "[default]\nsso_session = corp\nsso_account_id = 012345678901\nsso_role_name = ReadOnly\n\
                  [sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-west-1\n";
    let cache =
        format!("{{\"accessToken\": \"{PLAIN}\", \"expiresAt\": \"2099-01-01T00:00:00Z\"}}");
    let cache_name = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    for text in texts().into_iter().chain([PLAIN.replace('-', "%2D")]) {
        let server = Server::new(move |call: &Call| {
            assert!(call.path.starts_with("/federation/credentials?"));
            Reply::response(400, "application/json", format!("no: {text}").into_bytes())
        });
        let files = [(".aws/config", config), (cache_name, cache.as_str())];
        let run = program(&server, &files).run();
        assert_failure(&run, "role ReadOnly): HTTP 400: no");
    }
}

#[test]
fn code_of_instance_metadata_is_redacted() {
    for text in texts() {
        let server = Server::new(move |call: &Call| match call.path.as_str() {
            "/latest/api/token" => Reply::response(200, "text/plain", PLAIN.as_bytes()),
            path if path.ends_with('/') => Reply::response(200, "text/plain", *b"role"),
            _ => Reply::json(&serde_json::json!({"Code": text, "Token": PLAIN})),
        });
        let run = program(&server, &[])
            .env("AWS_EC2_METADATA_DISABLED", "false")
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url())
            .run();
        assert_failure(&run, "the instance metadata service (role role) returned ");
    }
}

#[test]
fn response_of_container_is_not_shown() {
    // A response that is not JSON would be requested again, after a wait.
    let is_json = |text: &String| serde_json::from_str::<serde_json::Value>(text).is_ok();
    for text in texts().into_iter().filter(is_json) {
        let server = Server::new(move |_| Reply::json_bytes(text.clone().into_bytes()));
        let uri = format!("{}?t={PLAIN}", server.url());
        let run = program(&server, &[])
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", PLAIN)
            .run();
        // The JSON with keys is accepted, and the checks of the account fail.
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert!(
            run.describe().contains(&server.host()),
            "{}",
            run.describe()
        );
        assert_absent(&run, &SECRETS);
    }
}

/// The profile of a role that a server returns.
const ROLE: &str = "[default]\nrole_arn = arn:aws:iam::012345678901:role/audit\nsource_profile = base\n\
                    [profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\
                    aws_secret_access_key = 0123456789abcdef0123456789abcdef01234567\n";

#[test]
fn error_of_assume_role_is_redacted() {
    for text in texts() {
        for is_xml in [true, false] {
            let text = text.clone();
            let server = account().serve_with(move |call| {
                (call.operation == "AssumeRole").then(|| {
                    if is_xml {
                        Reply::error(call, 403, "AccessDenied", &format!("no: {text}"))
                    } else {
                        Reply::response(403, "text/plain", format!("no: {text}").into_bytes())
                    }
                })
            });
            let run = program(&server, &[(".aws/config", ROLE)]).run();
            assert_failure(
                &run,
                "role/audit of profile default: sts:AssumeRole failed with ",
            );
            assert!(run.errors().contains(": no"), "{}", run.describe());
        }
    }
}

#[test]
fn code_of_assume_role_is_redacted() {
    for text in [KEY, TOKEN, JWT, PLAIN].map(|secret| format!("SecretAccessKey {secret}")) {
        let body = format!("<ErrorResponse><Error><Code>{text}</Code></Error></ErrorResponse>");
        let server = account().serve_with(move |call| {
            (call.operation == "AssumeRole")
                .then(|| Reply::response(403, "text/xml", body.clone().into_bytes()))
        });
        let run = program(&server, &[(".aws/config", ROLE)]).run();
        assert_failure(&run, "sts:AssumeRole failed with SecretAccessKey REDACTED");
    }
}

#[test]
fn response_of_assume_role_is_in_no_output() {
    let fields = |prefix: &str, key: &str| {
        format!(
            "<{prefix}Credentials><{prefix}AccessKeyId>{ID}</{prefix}AccessKeyId>\
             <{prefix}SecretAccessKey>{key}</{prefix}SecretAccessKey>\
             <{prefix}SessionToken>{TOKEN}</{prefix}SessionToken>\
             <{prefix}Expiration>2099-01-01T00:00:00Z</{prefix}Expiration></{prefix}Credentials>"
        )
    };
    let (start, end) = PLAIN.split_at(12);
    let whole = |prefix: &str, fields: String| {
        format!(
            "<{prefix}AssumeRoleResponse xmlns:ns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{prefix}AssumeRoleResult>{fields}</{prefix}AssumeRoleResult></{prefix}AssumeRoleResponse>"
        )
    };
    let escaped = fields("", PLAIN).replace('<', "&lt;").replace('>', "&gt;");
    for body in [
        whole("", fields("", PLAIN)),
        whole("ns:", fields("ns:", PLAIN)),
        whole("", fields("ns:", PLAIN)),
        whole("", fields("", &format!("{start}<!-- a > b -->{end}"))),
        whole("", fields("", &format!("<![CDATA[{PLAIN}]]>"))),
        whole("", fields("", &format!("{start}<![CDATA[{end}]]>"))),
        whole("", fields("", &PLAIN.replace('-', "&#45;"))),
        whole("", format!("<Note>{escaped}</Note>")),
        whole(
            "",
            format!("<Note>{{\"SecretAccessKey\": \"{PLAIN}\"}}</Note>"),
        ),
        whole("", fields("", PLAIN)).replace("</AssumeRoleResult>", ""),
        whole("", fields("", PLAIN))[..330].to_owned(),
        fields("", PLAIN),
        format!("<AssumeRoleResponse SecretAccessKey=\"{PLAIN}\"/>"),
        serde_json::json!({"Credentials": {"SecretAccessKey": PLAIN, "SessionToken": [TOKEN]}})
            .to_string(),
        serde_json::json!({"body": fields("", PLAIN)}).to_string(),
        format!("{ID} {KEY} {TOKEN}"),
    ] {
        let reply = body.clone();
        let server = account().serve_with(move |call| {
            (call.operation == "AssumeRole").then(|| Reply::xml(reply.clone()))
        });
        let run = program(&server, &[(".aws/config", ROLE)]).run();
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.describe());
        let is_recorded = |file: &PathBuf| file.starts_with("out/recording");
        assert!(run.files().iter().any(is_recorded), "{}", run.describe());
        assert_absent(&run, &SECRETS);
    }
}
