//! Tests of credentials as people paste them and as tools print them: every signature is verified.

use std::fmt::Write;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

use crate::support::{Call, Outcome, Program, Server};
use crate::{TYPES, account};

const KEY_ID: &str = "AKIAI44QH8DHBEXAMPLE";
const SECRET: &str = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";
const TOKEN: &str = "AQoDYXdzEJr1K9XAMPLETOKEN";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Returns the signature of a request with [`SECRET`].
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn signature(call: &Call, signed: &str, scope: &str) -> String {
    let headers = signed.split(';').map(|name| {
        let value = call.header(name).unwrap_or_default();
        format!("{name}:{value}\n")
    });
    let headers: String = headers.collect();
    let body = hex(digest(&SHA256, &call.body).as_ref());
    let request = format!(
        "{}\n{}\n\n{headers}\n{signed}\n{body}",
        call.method, call.path
    );
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        call.header("x-amz-date").unwrap_or_default(),
        hex(digest(&SHA256, request.as_bytes()).as_ref())
    );
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in scope.split('/') {
        let next = sign(&Key::new(HMAC_SHA256, &key), part.as_bytes());
        key = next.as_ref().to_vec();
    }
    hex(sign(&Key::new(HMAC_SHA256, &key), text.as_bytes()).as_ref())
}

/// Asserts that the account was counted, and that every request is signed with the credentials.
fn assert_signed(run: &Outcome, server: &Server, token: Option<&str>) {
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account().csv());
    for call in server.calls() {
        let header = call.header("authorization").unwrap();
        let parts = header.split_once(", SignedHeaders=").unwrap();
        let (signed, found) = parts.1.split_once(", Signature=").unwrap();
        let scope = parts.0.split_once("Credential=").unwrap().1;
        let scope = scope.strip_prefix(&format!("{KEY_ID}/"));
        let scope = scope.unwrap_or_else(|| panic!("{header}"));
        assert_eq!(call.header("x-amz-security-token"), token);
        assert_eq!(found, signature(&call, signed, scope), "{}", call.operation);
    }
}

/// Writes the files `config` and `credentials` of a run.
fn write_files(directory: &Path, files: &[(&str, &str)]) {
    let aws = directory.join("home/.aws");
    std::fs::create_dir(&aws).unwrap();
    for (name, text) in files {
        std::fs::write(aws.join(name), text).unwrap();
    }
}

#[test]
fn blanks_around_keys_in_environment_are_ignored() {
    for (before, after) in [
        ("", "\n"),
        ("", "\r"),
        ("", "\r\n"),
        (" ", " "),
        ("\t", "\t \r\n"),
        ("\r\n", ""),
    ] {
        let server = account().serve();
        let around = |text: &str| format!("{before}{text}{after}");
        let run = Program::new(&server)
            .args(TYPES)
            .env("AWS_ACCESS_KEY_ID", around(KEY_ID))
            .env("AWS_SECRET_ACCESS_KEY", around(SECRET))
            .env("AWS_SESSION_TOKEN", around(TOKEN))
            .run();
        assert_signed(&run, &server, Some(TOKEN));
    }
}

#[test]
fn blanks_around_keys_in_files_are_ignored() {
    let quoted_json = format!(
        r#"{{"Version": 1, "AccessKeyId": "{KEY_ID}\r\n", "SecretAccessKey": " {SECRET}\n", "SessionToken": "{TOKEN}\t"}}"#
    );
    let process = format!("[profile p]\ncredential_process = printf %s '{quoted_json}'\n");
    for (name, text, token) in [
        (
            "credentials",
            format!("[p]\r\naws_access_key_id = {KEY_ID}\r\naws_secret_access_key = {SECRET}\r\n"),
            None,
        ),
        (
            "credentials",
            format!(
                "[p]\naws_access_key_id={KEY_ID}  \t\naws_secret_access_key=\t {SECRET} \r\n\
                 aws_session_token   =   {TOKEN} \r\n"
            ),
            Some(TOKEN),
        ),
        ("config", process, Some(TOKEN)),
    ] {
        let server = account().serve();
        let program = Program::new(&server).args(TYPES).args(["--profile", "p"]);
        write_files(program.directory(), &[(name, &text)]);
        assert_signed(&program.run(), &server, token);
    }
}

/// Credentials that live for two hours are used for the whole run: the process is started once.
#[test]
fn expiration_in_any_form_starts_process_once() {
    let end = OffsetDateTime::now_utc() + Duration::hours(2);
    let form = |text: &[time::format_description::BorrowedFormatItem], hours| {
        let offset = UtcOffset::from_hms(hours, 0, 0).unwrap();
        end.to_offset(offset).format(text).unwrap()
    };
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let blank = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let (ahead, behind) = (form(seconds, 1), form(seconds, -8));
    let (utc, separated) = (form(seconds, 0), form(blank, 0));
    for expiration in [
        end.format(&Rfc3339).unwrap(),
        format!("{utc}Z"),
        format!("{utc}UTC"),
        format!("{utc}+00:00"),
        format!("{ahead}+01:00"),
        format!("{behind}-08:00"),
        format!("{separated}Z"),
        format!("{separated}+00:00"),
        format!("{utc}.1234567Z"),
        format!("{ahead}.1234567+01:00"),
    ] {
        let server = account().serve();
        let program = Program::new(&server).args(TYPES).args(["--profile", "p"]);
        let starts = program.directory().join("current/starts");
        let json = format!(
            r#"{{"Version": 1, "AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SECRET}", "SessionToken": "{TOKEN}", "Expiration": "{expiration}"}}"#
        );
        let path = program.directory().join("home/tool");
        std::fs::write(
            &path,
            format!("echo start >>{}\necho '{json}'\n", starts.display()),
        )
        .unwrap();
        let config = format!("[profile p]\ncredential_process = sh {}\n", path.display());
        write_files(program.directory(), &[("config", &config)]);
        let run = program.run();
        assert_signed(&run, &server, Some(TOKEN));
        assert_eq!(
            std::fs::read_to_string(starts).unwrap(),
            "start\n",
            "{expiration}"
        );
    }
}
