//! Tests that secrets are in no output.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use crate::support::{Call, Outcome, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account};

/// The access key ID; only its last four characters may be shown.
const KEY: &str = "AKIAMARKEDKEYID0WXYZ";
const KEY_START: &str = "AKIAMARKEDKEYID0";
const SECRET: &str = "marked+secret/access+key/0123456789abcdef";
const TOKEN: &str = "marked//session+token==0123456789abcdefghijklmnopqrstuvwxyz";

/// Returns a text with everything that a service knows of a request. It never has the secret key.
fn echo(call: &Call) -> String {
    let mut text = format!("key {KEY} token {TOKEN}");
    for (name, value) in &call.headers {
        let _ = write!(text, " {name}: {value}");
    }
    text
}

/// Replies with errors of every format, and with invalid responses, each with the echo in it.
fn echoing_reply(call: &Call) -> Option<Reply> {
    let echo = echo(call);
    if call.lists(BUCKET, "us-east-1") {
        Some(Reply::error(call, 400, "ValidationException", &echo))
    } else if call.lists(VPC, "eu-west-1") {
        Some(Reply::response(
            500,
            "text/html",
            format!("<html>{echo}</html>").into_bytes(),
        ))
    } else if call.lists(BUCKET, "eu-west-1") {
        Some(Reply::json(
            &serde_json::json!({"resourceIdentifiers": [{"resourceType": echo}]}),
        ))
    } else if call.is("DescribeConfigurationRecorders", "us-east-1") {
        // This error is only in the coverage and the report.
        Some(Reply::error(call, 400, "ValidationException", &echo))
    } else if call.is("GetDiscoveredResourceCounts", "eu-west-1") {
        let total = serde_json::json!({"totalDiscoveredResources": echo, "resourceCounts": []});
        Some(Reply::json(&total))
    } else if call.is("GetDiscoveredResourceCounts", "ap-south-1") {
        Some(Reply::json(&serde_json::json!({
            "totalDiscoveredResources": 1,
            "resourceCounts": [{"resourceType": echo, "count": 1}],
        })))
    } else if call.is("ListDiscoveredResources", "eu-north-1") {
        let reply = Reply::error(call, 400, &echo, "no");
        Some(
            reply
                .header("x-amzn-errortype", echo.clone())
                .header("x-amzn-requestid", echo),
        )
    } else if call.is("ListDiscoveredResources", "ap-south-1") {
        // The JSON parser quotes this name in its error.
        Some(Reply::response(
            200,
            "text/plain",
            format!("{{\"{echo}").into_bytes(),
        ))
    } else {
        None
    }
}

fn assert_no_secret(run: &Outcome) {
    let secrets = [
        KEY_START,
        &SECRET[..20],
        &SECRET[20..],
        &TOKEN[..20],
        &TOKEN[20..],
    ];
    assert_absent(run, &secrets);
}

/// Asserts that no output, file or file name contains one of `secrets`; the home directory is an input.
pub fn assert_absent(run: &Outcome, secrets: &[&str]) {
    let mut outputs = vec![
        ("stdout".to_owned(), run.stdout.clone().into_bytes()),
        ("stderr".to_owned(), run.stderr.clone().into_bytes()),
    ];
    for file in run.files().iter().filter(|file| !file.starts_with("home")) {
        let bytes = std::fs::read(run.directory().join(file)).unwrap();
        outputs.push((file.display().to_string(), bytes));
        outputs.push((
            "a file name".to_owned(),
            file.display().to_string().into_bytes(),
        ));
    }
    for (output, bytes) in outputs {
        let text = String::from_utf8_lossy(&bytes);
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {output}:\n{text}");
        }
    }
}

#[test]
fn echoed_secrets_are_in_no_output() {
    let account = account()
        .region("eu-north-1", &[])
        .region("ap-south-1", &[]);
    for method in ["list", "verify", "counts"] {
        let server = account.serve_with(echoing_reply);
        let run = with_credentials(&server)
            .args(TYPES)
            .args(["--method", method])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert!(run.files().len() > 5, "a recording: {}", run.describe());
        let echoes = |text: &str| text.matches("key ****WXYZ token ****").count();
        let report = std::fs::read_to_string(run.directory().join("current/report.json")).unwrap();
        // The log has one line for each listing and for each call for counts.
        let (lines, cells) = match method {
            "list" => (7, 8),
            "verify" => (9, 8),
            _ => (2, 6),
        };
        for (output, text, minimum) in [
            ("log", run.errors(), lines),
            ("coverage", run.coverage(), cells),
            ("report", report, lines + cells),
        ] {
            let echoes = echoes(&text);
            assert!(
                echoes >= minimum,
                "{method}: {echoes} echoes in the {output}:\n{text}"
            );
        }
        assert_no_secret(&run);
    }
}

/// Encodes `text` with `unit` for each character that is not a letter or a digit.
fn encoded(text: &str, unit: impl Fn(char) -> String) -> String {
    let encode = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_string()
        } else {
            unit(c)
        }
    };
    text.chars().map(encode).collect()
}

/// Inserts `end` after every 18 characters.
fn wrapped(text: &str, end: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let lines: Vec<String> = chars.chunks(18).map(|line| line.iter().collect()).collect();
    lines.join(end)
}

#[test]
fn encoded_echoes_are_in_no_output() {
    type Encoding = fn(&str) -> String;
    let encodings: [(&str, Encoding); 9] = [
        ("percent", |t| {
            encoded(t, |c| format!("%{:02X}", u32::from(c)))
        }),
        ("percent, small", |t| {
            encoded(t, |c| format!("%{:02x}", u32::from(c)))
        }),
        ("percent, twice", |t| {
            encoded(t, |c| format!("%25{:02X}", u32::from(c)))
        }),
        ("HTML", |t| encoded(t, |c| format!("&#{};", u32::from(c)))),
        ("HTML, hexadecimal", |t| {
            encoded(t, |c| format!("&#x{:x};", u32::from(c)))
        }),
        ("JSON", |t| {
            encoded(t, |c| format!("\\u{:04x}", u32::from(c)))
        }),
        ("lines", |t| wrapped(t, "\r\n\t")),
        ("lines in JSON", |t| wrapped(t, "\\n")),
        ("lines in HTML", |t| wrapped(t, "<br />\n")),
    ];
    for (name, encode) in encodings {
        let signatures = Arc::new(Mutex::new(Vec::new()));
        let seen = signatures.clone();
        let server = account().serve_with(move |call| {
            let header = call.header("authorization").unwrap_or_default();
            let signature = header.rsplit_once("Signature=")?.1.to_owned();
            let echo = format!(
                "a {} b {} c {} d {}",
                encode(KEY),
                encode(TOKEN),
                encode(&signature),
                encode(header)
            );
            seen.lock().unwrap().push(signature);
            call.lists(BUCKET, "us-east-1")
                .then(|| Reply::response(403, "text/html", echo.clone().into_bytes()))
                .or_else(|| {
                    call.lists(VPC, "eu-west-1")
                        .then(|| Reply::error(call, 400, "X", &echo))
                })
        });
        let run = with_credentials(&server).args(TYPES).run();
        assert_eq!(run.code, Some(0), "{name}: {}", run.describe());
        let (key, token) = (encode(KEY), encode(TOKEN));
        let mut secrets = vec![KEY_START.to_owned(), token.clone(), key];
        secrets.extend([
            token.chars().take(16).collect(),
            token.chars().rev().take(16).collect::<String>(),
        ]);
        secrets[4] = secrets[4].chars().rev().collect();
        let signatures = signatures.lock().unwrap();
        secrets.extend(signatures.iter().map(|s| s[..18].to_owned()));
        secrets.extend(signatures.iter().map(|s| s[40..].to_owned()));
        assert!(signatures.len() > 5, "{name}");
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        assert_absent(&run, &secrets);
        assert_no_secret(&run);
    }
}

#[test]
fn short_credentials_are_no_secrets() {
    for (id, secret, alias) in [
        ("test", "test", "acme-test"),
        ("012345678901", "012345678901", "acme-012345678901"),
        ("mock_access_key", "mock_secret_key", "mock_access_key"),
        ("a", "e", "acme-prod"),
    ] {
        let account = account().alias(alias);
        let server = account.serve();
        let run = Program::new(&server)
            .args(TYPES)
            .env("AWS_ACCESS_KEY_ID", id)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env("AWS_SESSION_TOKEN", id)
            .run();
        assert_eq!(run.code, Some(0), "{id}: {}", run.describe());
        assert_eq!(run.csv(), account.csv(), "{id}");
    }
}

#[test]
fn failed_checks_show_no_secret() {
    let server = account().serve_with(|call| {
        let text = format!("{} secret {SECRET}", echo(call));
        Some(Reply::error(call, 403, "AccessDenied", &text))
    });
    let run = Program::new(&server)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .args(["--debug", "--max-attempts", "1", "--report", "report.json"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(run.errors().lines().count(), 5, "{}", run.describe());
    let report = std::fs::read_to_string(run.directory().join("current/report.json")).unwrap();
    assert!(report.contains("key ****WXYZ token ****"), "{report}");
    assert_no_secret(&run);
}

#[test]
fn invalid_profile_file_shows_no_secret() {
    let server = account().serve();
    let program = Program::new(&server);
    let aws = program.directory().join("home/.aws");
    std::fs::create_dir(&aws).unwrap();
    let invalid =
        format!("[default\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n");
    std::fs::write(aws.join("credentials"), invalid).unwrap();
    let run = program
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .arg("--debug")
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    std::fs::remove_dir_all(run.directory().join("home/.aws")).unwrap();
    assert_no_secret(&run);
}

#[test]
fn names_with_a_secret_are_refused() {
    for (name, why) in [
        (
            KEY,
            "returned an alias that contains the caller's credentials",
        ),
        (
            TOKEN,
            "returned an alias that contains the caller's credentials",
        ),
    ] {
        let server = account().alias(name).serve();
        let run = with_credentials(&server).run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert!(run.errors().contains(why), "{}", run.describe());
        assert_no_secret(&run);
    }
    let server = account().serve_with(|call| {
        call.is("GetDiscoveredResourceCounts", "eu-west-1")
            .then(|| {
                Reply::json(&serde_json::json!({
                    "totalDiscoveredResources": 1,
                    "resourceCounts": [{"resourceType": format!("AWS::{KEY}::A1"), "count": 1}],
                }))
            })
    });
    let run = with_credentials(&server)
        .args(["--method", "counts", "--resource-types", "all"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let why = "Region: eu-west-1, Message: config:GetDiscoveredResourceCounts returned a type name that \
               contains the caller's credentials";
    assert!(run.errors().contains(why), "{}", run.describe());
    assert!(run.csv().contains("us-east-1"), "{}", run.describe());
    assert_no_secret(&run);
}

/// Prepares a run with these credentials and with every kind of output.
fn with_credentials(server: &Server) -> Program {
    let program = Program::new(server);
    let recording = program.directory().join("out/recording");
    program
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .args(["--debug", "--max-attempts", "1", "--coverage"])
        .args(["--report", "report.json", "--record"])
        .arg(recording)
}
