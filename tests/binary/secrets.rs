//! Secrets stay where they are.

use std::fmt::Write;

use crate::support::{Call, Outcome, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC, account};

/// The last four characters may be told.
const KEY: &str = "AKIAMARKEDKEYID0WXYZ";
const KEY_START: &str = "AKIAMARKEDKEYID0";
const SECRET: &str = "marked+secret/access+key/0123456789abcdef";
const TOKEN: &str = "marked//session+token==0123456789abcdefghijklmnopqrstuvwxyz";

/// All that a service could say of a request: its headers. It never gets the secret key.
fn echo(call: &Call) -> String {
    let mut text = format!("key {KEY} token {TOKEN}");
    for (name, value) in &call.headers {
        let _ = write!(text, " {name}: {value}");
    }
    text
}

/// Errors of every shape, and answers that are none, each with the echo in it.
fn answer(call: &Call) -> Option<Reply> {
    let echo = echo(call);
    if call.lists(BUCKET, "us-east-1") {
        Some(Reply::error(call, 400, "ValidationException", &echo))
    } else if call.lists(VPC, "eu-west-1") {
        Some(Reply::answer(
            500,
            "text/html",
            format!("<html>{echo}</html>").into_bytes(),
        ))
    } else if call.lists(BUCKET, "eu-west-1") {
        Some(Reply::json(
            &serde_json::json!({"resourceIdentifiers": [{"resourceType": echo}]}),
        ))
    } else if call.is("DescribeConfigurationRecorders", "us-east-1") {
        // Nothing but the coverage and the report tells of this one.
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
        // A name that JSON shows in its error.
        Some(Reply::answer(
            200,
            "text/plain",
            format!("{{\"{echo}").into_bytes(),
        ))
    } else {
        None
    }
}

fn assert_secret(run: &Outcome) {
    let mut places = vec![
        ("stdout".to_owned(), run.stdout.clone().into_bytes()),
        ("stderr".to_owned(), run.stderr.clone().into_bytes()),
    ];
    for file in run.files() {
        let bytes = std::fs::read(run.folder().join(&file)).unwrap();
        places.push((file.display().to_string(), bytes));
        places.push((
            "a file's name".to_owned(),
            file.display().to_string().into_bytes(),
        ));
    }
    for (place, bytes) in places {
        let text = String::from_utf8_lossy(&bytes);
        for secret in [
            KEY_START,
            &SECRET[..20],
            &SECRET[20..],
            &TOKEN[..20],
            &TOKEN[20..],
        ] {
            assert!(!text.contains(secret), "{secret} in {place}:\n{text}");
        }
    }
}

#[test]
fn no_secret_in_anything_that_is_written() {
    let account = account()
        .region("eu-north-1", &[])
        .region("ap-south-1", &[]);
    for method in ["list", "verify", "counts"] {
        let server = account.serve_but(answer);
        let run = with_keys(&server)
            .args(TYPES)
            .args(["--method", method])
            .run();
        assert_eq!(run.code, Some(0), "{}", run.told());
        assert!(run.files().len() > 5, "a recording: {}", run.told());
        let echoes = |text: &str| text.matches("key ****WXYZ token ****").count();
        let report = std::fs::read_to_string(run.folder().join("work/report.json")).unwrap();
        // In the log a line each: listings, and counts.
        let (lines, cells) = match method {
            "list" => (7, 8),
            "verify" => (9, 8),
            _ => (2, 6),
        };
        for (place, text, at_least) in [
            ("log", run.errors(), lines),
            ("coverage", run.coverage(), cells),
            ("report", report, lines + cells),
        ] {
            let echoes = echoes(&text);
            assert!(
                echoes >= at_least,
                "{method}: {echoes} echoes in the {place}:\n{text}"
            );
        }
        assert_secret(&run);
    }
}

#[test]
fn no_secret_in_a_failed_check() {
    let server = account().serve_but(|call| {
        let text = format!("{} secret {SECRET}", echo(call));
        Some(Reply::error(call, 403, "AccessDenied", &text))
    });
    let run = Program::new(&server)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .args(["--debug", "--max-attempts", "1", "--report", "report.json"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_eq!(run.errors().lines().count(), 5, "{}", run.told());
    let report = std::fs::read_to_string(run.folder().join("work/report.json")).unwrap();
    assert!(report.contains("key ****WXYZ token ****"), "{report}");
    assert_secret(&run);
}

#[test]
fn no_secret_of_a_profile_that_cannot_be_read() {
    let server = account().serve();
    let program = Program::new(&server);
    let aws = program.folder().join("home/.aws");
    std::fs::create_dir(&aws).unwrap();
    let broken = format!("[default\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n");
    std::fs::write(aws.join("credentials"), broken).unwrap();
    let run = program
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .arg("--debug")
        .run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    std::fs::remove_dir_all(run.folder().join("home/.aws")).unwrap();
    assert_secret(&run);
}

#[test]
fn no_secret_where_a_name_holds_it() {
    for (name, why) in [
        (KEY, "gave an alias that holds a key of the caller's"),
        (TOKEN, "gave an alias that holds a key of the caller's"),
    ] {
        let server = account().alias(name).serve();
        let run = with_keys(&server).run();
        assert_eq!(run.code, Some(1), "{}", run.told());
        assert!(run.errors().contains(why), "{}", run.told());
        assert_secret(&run);
    }
    let server = account().serve_but(|call| {
        call.is("GetDiscoveredResourceCounts", "eu-west-1")
            .then(|| {
                Reply::json(&serde_json::json!({
                    "totalDiscoveredResources": 1,
                    "resourceCounts": [{"resourceType": format!("AWS::{KEY}::A1"), "count": 1}],
                }))
            })
    });
    let run = with_keys(&server)
        .args(["--method", "counts", "--resource-types", "all"])
        .run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    let why = "Region: eu-west-1, Message: config:GetDiscoveredResourceCounts gave a type with a key \
               of the caller's in its name";
    assert!(run.errors().contains(why), "{}", run.told());
    assert!(run.csv().contains("us-east-1"), "{}", run.told());
    assert_secret(&run);
}

/// A run with the keys that are looked for, of which everything is told.
fn with_keys(server: &Server) -> Program {
    let program = Program::new(server);
    let recording = program.folder().join("out/recording");
    program
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        .env("AWS_SESSION_TOKEN", TOKEN)
        .args(["--debug", "--max-attempts", "1", "--coverage"])
        .args(["--report", "report.json", "--record"])
        .arg(recording)
}
