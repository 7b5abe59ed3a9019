//! Tests that settings which may contain a password are not shown, whether they are rejected or used.

use std::fs;
use std::path::Path;

use crate::secrets::assert_absent;
use crate::support::{Call, Program, Reply};
use crate::{TYPES, account};

/// Parts of the passwords of these tests.
const PASSWORDS: [&str; 4] = ["Sup3r", "S3cret", "AKIAMARKEDKEYID0", "je7MtGbClwBF"];

/// URLs with a password, a query or a fragment, and text without a scheme.
const URLS: [&str; 9] = [
    "https://svc:Sup3rS3cret@host",
    "https://svc:Sup3r@S3cret@host/path",
    "https://svc:12#Sup3rS3cret@host",
    "https://svc:12/Sup3rS3cret@host",
    "https://svc:12\\Sup3rS3cret@host",
    "https://host/path?token=Sup3rS3cret",
    "https://host/#Sup3rS3cret",
    "https://host:Sup3rS3cret/",
    "svc:Sup3rS3cret@host",
];

fn write(program: &Program, content: &str) {
    let aws = program.directory().join("home/.aws");
    fs::create_dir(&aws).unwrap();
    fs::write(aws.join("config"), content).unwrap();
}

#[test]
fn rejected_endpoint_url_is_not_shown() {
    let outputs = ["--debug", "--report", "report.json"];
    for url in URLS {
        let run = Program::without_server()
            .args(["--endpoint-url", url])
            .args(outputs)
            .run();
        assert_eq!(run.code, Some(2), "{}", run.describe());
        assert_absent(&run, &PASSWORDS);
        for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
            let run = Program::without_server().env(name, url).args(outputs).run();
            assert_eq!(run.code, Some(1), "{}", run.describe());
            assert!(run.describe().contains(name), "{}", run.describe());
            assert_absent(&run, &PASSWORDS);
        }
        for config in [
            format!("[default]\nendpoint_url = {url}\n"),
            format!("[default]\nservices = s\n[services s]\niam =\n  endpoint_url = {url}\n"),
        ] {
            let program = Program::without_server().args(outputs);
            write(&program, &config);
            let run = program.run();
            assert_eq!(run.code, Some(1), "{}", run.describe());
            assert!(run.describe().contains("endpoint"), "{}", run.describe());
            assert_absent(&run, &PASSWORDS);
        }
    }
}

#[test]
fn rejected_values_are_not_shown() {
    let key = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbMARKEDKEYX";
    let id = "AKIAMARKEDKEYID0WXYZ";
    for name in [
        "AWS_REGION",
        "AWS_PROFILE",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT",
        "AWS_CA_BUNDLE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_METADATA_SERVICE_TIMEOUT",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
        "HTTPS_PROXY",
    ] {
        for value in URLS.into_iter().chain([key, id]) {
            if name == "AWS_REGION" && value == id {
                continue; // A region name may have any letters.
            }
            let mut program = Program::for_url("http://127.0.0.1:1")
                .env(name, value)
                .env("AWS_ROLE_ARN", "arn:aws:iam::012345678901:role/x")
                .args(["--debug", "--max-attempts", "1"]);
            if name.contains("METADATA") || name.contains("CONTAINER") || name.contains("IDENTITY")
            {
                program = program
                    .env("AWS_ACCESS_KEY_ID", "")
                    .env("AWS_SECRET_ACCESS_KEY", "")
                    .env("AWS_EC2_METADATA_DISABLED", "false")
                    .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1");
            }
            if name.ends_with("TOKEN_FILE") {
                program = program.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1");
            }
            let run = program.run();
            assert_eq!(run.code, Some(1), "{name} {value}: {}", run.describe());
            assert_absent(&run, &PASSWORDS);
        }
    }
}

#[test]
fn rejected_profile_settings_are_not_shown() {
    for setting in [
        "credential_source = {}\nrole_arn = x",
        "role_arn = {}\ncredential_source = Nowhere",
        "sso_region = {}\nsso_start_url = {}\nsso_account_id = 1\nsso_role_name = x",
        "sso_region = eu-west-1\nsso_start_url = {}\nsso_account_id = 1\nsso_role_name = x",
        "services = {}",
        "max_attempts = {}",
        "ca_bundle = {}",
        "use_fips_endpoint = {}",
        "role_arn = arn:aws:iam::012345678901:role/x\nsource_profile = {}",
        "role_arn = arn:aws:iam::012345678901:role/x\nmfa_serial = {}\nsource_profile = s\n[profile s]\n\
         aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = abcd",
    ] {
        for value in URLS {
            let program = Program::for_url("http://127.0.0.1:1")
                .env("AWS_ACCESS_KEY_ID", "")
                .env("AWS_SECRET_ACCESS_KEY", "")
                .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "")
                .args(["--debug", "--max-attempts", "1"]);
            write(
                &program,
                &format!("[default]\n{}\n", setting.replace("{}", value)),
            );
            let run = program.run();
            assert_eq!(run.code, Some(1), "{setting} {value}: {}", run.describe());
            assert_absent(&run, &PASSWORDS);
        }
    }
}

#[test]
fn endpoint_url_without_scheme_is_not_shown() {
    for url in [
        "Sup3rS3cret@host",
        "svc:Sup3rS3cret",
        "//svc:Sup3rS3cret@host",
        "HTTPS:svc:Sup3rS3cret@[::1]:443",
        "svc@Sup3rS3cret@host:443",
        "https://[svc:Sup3rS3cret@::1]/",
    ] {
        let run = Program::without_server()
            .args(["--endpoint-url", url, "--debug"])
            .run();
        assert_eq!(run.code, Some(2), "{}", run.describe());
        assert!(run.stderr.contains("--endpoint-url"), "{}", run.describe());
        assert_absent(&run, &PASSWORDS);
    }
}

#[test]
fn url_is_no_path_on_the_command_line() {
    for option in [
        "--output-dir",
        "--report",
        "--record",
        "--replay",
        "--ca-bundle",
        "--organization --resume",
        "--resource-types @",
        "--accounts @",
        "--exclude-accounts @",
        "--accept-missing @",
    ] {
        for url in [
            "https://svc:Sup3rS3cret@host/path",
            "HTTP://host/?token=Sup3rS3cret",
            "s3://Sup3rS3cret@bucket/path",
        ] {
            let option = match option.strip_suffix('@') {
                Some(option) => format!("{option}@{url}"),
                None => format!("{option}={url}"),
            };
            let run = Program::without_server().args(option.split(' ')).run();
            assert_eq!(run.code, Some(2), "{option}: {}", run.describe());
            let is_named = run.stderr.starts_with("error: invalid value");
            assert!(is_named, "{}", run.describe());
            assert!(run.files().is_empty(), "{}", run.describe());
            assert_absent(&run, &PASSWORDS);
        }
    }
}

#[test]
fn names_of_profiles_show_no_password_in_report() {
    for option in ["--profile", "--profiles", "--sso-session"] {
        for url in [
            "https://svc:Sup3rS3cret@host",
            "svc:Sup3rS3cret@host:443",
            "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbMARKEDKEYX",
        ] {
            let run = Program::for_url("http://127.0.0.1:1")
                .args([option, url, "--report", "report.json"])
                .run();
            assert_eq!(run.code, Some(1), "{option}: {}", run.describe());
            let report = run.directory().join("current/report.json");
            assert!(report.exists(), "{option}: {}", run.describe());
            assert_absent(&run, &PASSWORDS);
        }
    }
}

#[test]
fn urls_of_responses_show_no_password() {
    let url = "https://svc:Sup3rS3cret@login.example/path";
    for body in [
        format!("<a href=\"{url}\">moved</a>"),
        serde_json::json!({"Location": url, "message": format!("go to {url}")}).to_string(),
        format!("<Error><Code>X</Code><Message>go to {url}</Message></Error>"),
        format!("moved to {url}"),
        "<Error><Endpoint>svc:Sup3rS3cret@login.example</Endpoint></Error>".to_owned(),
        "denied for svc:Sup3rS3cret@proxy.example:3128 (no rule)".to_owned(),
    ] {
        let moved = move |call: &Call| {
            (call.operation == "ListDiscoveredResources").then(|| {
                let reply = Reply::response(301, "text/html", body.clone().into_bytes());
                reply.header("location", url.to_owned())
            })
        };
        let server = account().serve_with(moved);
        let program = Program::new(&server).args(TYPES);
        let recording = program.directory().join("out/recording");
        let run = program
            .args(["--debug", "--max-attempts", "1", "--report", "report.json"])
            .args(["--skip-checks", "--coverage", "--record"])
            .arg(recording)
            .run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert!(run.files().len() > 5, "a recording: {}", run.describe());
        assert_absent(&run, &PASSWORDS);
    }
}

#[test]
fn rejected_container_uri_is_not_shown() {
    for uri in [
        "https://host:Sup3rS3cret/",
        "http://svc:Sup3rS3cret@host/",
        "http://svc:12#Sup3rS3cret@host",
        "http://svc:12/Sup3rS3cret@host",
        "svc:Sup3rS3cret@host",
        "https://svc:12\\Sup3rS3cret@host",
    ] {
        let run = Program::for_url("http://127.0.0.1:1")
            .env("AWS_ACCESS_KEY_ID", "")
            .env("AWS_SECRET_ACCESS_KEY", "")
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
            .args(["--debug", "--max-attempts", "1"])
            .run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let part = "AWS_CONTAINER_CREDENTIALS_FULL_URI: ";
        assert!(run.errors().contains(part), "{uri}: {}", run.describe());
        assert_absent(&run, &PASSWORDS);
    }
}

#[test]
fn container_uri_shows_only_its_origin() {
    let keys = serde_json::json!({"AccessKeyId": "ASIA0000000000000000", "SecretAccessKey": "abcd",
        "Token": "efgh", "Expiration": "2099-01-01T00:00:00Z"});
    for status in [200, 403] {
        let reply = keys.clone();
        let server = account().serve_with(move |call| {
            (call.method == "GET").then(|| {
                Reply::response(status, "application/json", reply.to_string().into_bytes())
            })
        });
        let host = server.host();
        let uris = [
            format!("http://{host}/Sup3rS3cret?t=Sup3rS3cret"),
            format!("http://svc:Sup3rS3cret@{host}/x"),
            format!("http://{host}?Sup3rS3cret"),
        ];
        // A refusal is requested again, after a wait.
        let uris = uris.iter().take(if status == 200 { 3 } else { 1 });
        for uri in uris {
            let program = Program::new(&server).args(TYPES);
            let recording = program.directory().join("out/recording");
            let run = program
                .env("AWS_ACCESS_KEY_ID", "")
                .env("AWS_SECRET_ACCESS_KEY", "")
                .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
                .args(["--debug", "--max-attempts", "1", "--report", "report.json"])
                .arg("--record")
                .arg(recording)
                .run();
            assert_eq!(
                run.code,
                Some(i32::from(status != 200)),
                "{}",
                run.describe()
            );
            assert!(run.describe().contains(&host), "{}", run.describe());
            assert_absent(&run, &PASSWORDS);
        }
    }
}

#[test]
fn path_of_endpoint_is_sent_and_not_shown() {
    let server = account().serve_with(|call| {
        let is_complete = call.path.starts_with("/Sup3rS3cret");
        (!is_complete).then(|| Reply::response(404, "text/plain", *b"wrong path"))
    });
    let program = Program::without_server().args(TYPES);
    let recording = program.directory().join("recording");
    let url = format!("{}Sup3rS3cret/x", server.url());
    let url = url.replace(
        &format!("{}Sup", server.host()),
        &format!("{}/Sup", server.host()),
    );
    let live = program
        .args(["--endpoint-url", &url, "--debug", "--report", "report.json"])
        .args(["--output-dir", "../out", "--record"])
        .arg(&recording)
        .run();
    assert_eq!(live.code, Some(0), "{}", live.describe());
    assert_absent(&live, &PASSWORDS);
    let files = live.files();
    assert!(files.iter().any(|f| f.starts_with(Path::new("recording"))));
    let replay = Program::without_server()
        .args(TYPES)
        .args(["--output-dir", "../out", "--replay"])
        .arg(&recording)
        .run();
    assert_eq!(replay.code, Some(0), "{}", replay.describe());
    assert_eq!(replay.csv(), live.csv());
}
