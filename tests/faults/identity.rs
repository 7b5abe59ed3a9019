//! Credentials that expire during the scan, and invalid certificates.

use std::path::Path;
use std::sync::Mutex;

use crate::assertions;
use crate::fault_point::{CHECKED_REGION, FaultPoint, LIST, LIST_SECOND_PAGE, SCANNED_REGION};
use crate::support::{Certificate, Outcome, Program, Reply, Server};

/// Writes the credentials of the default profile.
fn write_keys(home: &Path, key: &str) {
    let keys = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    std::fs::write(home.join(".aws/credentials"), keys).unwrap();
}

const OLD: &str = "AKIAIOSFODNN7EXAMPLE";
const NEW: &str = "AKIAI44QH8DHBEXAMPLE";

/// Runs the program; at the first request at `point`, the profile gets the key `new_key`, and from then on
/// the `expired` keys are rejected.
fn run_with_expiry(
    point: &FaultPoint,
    new_key: &'static str,
    expired: &'static [&'static str],
) -> (Outcome, Server) {
    let home = tempfile::tempdir().unwrap();
    write_keys(home.path(), OLD);
    let (matches, has_expired) = (point.matches, Mutex::new(false));
    let directory = home.path().to_owned();
    let server = point.account().serve_with(move |call| {
        let has_expired = {
            let mut has_expired = has_expired.lock().unwrap();
            if matches(call) && !*has_expired {
                write_keys(&directory, new_key);
                *has_expired = true;
            }
            *has_expired
        };
        let key = call.header("authorization").unwrap_or_default();
        let is_refused = has_expired && expired.iter().any(|old| key.contains(old));
        is_refused.then(|| Reply::error(call, 400, "ExpiredTokenException", "The token is expired"))
    });
    let run = Program::new(&server)
        .args(point.args)
        .args(["--max-attempts", "2", "--coverage"])
        .env("HOME", home.path())
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .run();
    (run, server)
}

#[test]
fn expired_credentials_are_refreshed_without_loss() {
    for point in [&LIST, &LIST_SECOND_PAGE] {
        let (run, server) = run_with_expiry(point, NEW, &[OLD]);
        assert_eq!(run.code, Some(0), "{}: {}", point.name, run.describe());
        assert_eq!(run.csv(), point.account().csv(), "{}", point.name);
        assert_eq!(run.errors(), "", "{}", point.name);
        assert!(!run.coverage().contains("not_tried"), "{}", run.coverage());
        let signed =
            |key| server.count(|c| c.header("authorization").is_some_and(|a| a.contains(key)));
        assert!(
            signed(OLD) > 5 && signed(NEW) > 1,
            "{} {}",
            signed(OLD),
            signed(NEW)
        );
    }
}

#[test]
fn expired_credentials_without_refresh_stop_scan() {
    // The profile keeps the same key, or gets a new key that is expired too.
    for (new_key, expired) in [(OLD, &[OLD][..]), (NEW, &[OLD, NEW])] {
        let (run, server) = run_with_expiry(&LIST_SECOND_PAGE, new_key, expired);
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let log = assertions::parse_log(&run).unwrap();
        let fatal = log.iter().filter(|(line, _)| line.error_type == "FATAL");
        assert_eq!(fatal.count(), 1, "{}", run.describe());
        let is_stopped = |(line, _): &&(_, String)| {
            let line: &crate::expected::LogLine = line;
            line.error_type == "SCAN_FAILED" && line.region.as_deref() == Some(SCANNED_REGION)
        };
        assert_eq!(
            log.iter().filter(is_stopped).count(),
            1,
            "{}",
            run.describe()
        );
        let (csv, complete) = (run.csv(), LIST_SECOND_PAGE.account().csv());
        assert!(
            csv.split_inclusive("\r\n")
                .all(|row| complete.contains(row)),
            "{csv}"
        );
        assert!(!csv.contains(",250\r\n"), "{csv}");
        // At most one refusal of each key.
        let requests = server.count(|call| (LIST_SECOND_PAGE.matches)(call));
        assert!(requests <= 2, "{requests}");
    }
}

/// Only the requests to AWS Config use TLS, so that the scan, not a check, gets the certificate error.
#[test]
fn invalid_certificate_ends_each_region_immediately() {
    let account = LIST.account();
    let plain = account.serve();
    let other = Certificate::valid();
    for (name, certificate, trusted, message_part) in [
        (
            "for a different host",
            Certificate::for_wrong_host(),
            None,
            "not valid for",
        ),
        (
            "expired",
            Certificate::valid_between(-20, -10),
            None,
            "expired",
        ),
        (
            "not yet valid",
            Certificate::valid_between(1, 20),
            None,
            "a certificate is not valid before",
        ),
        (
            "of an untrusted issuer",
            Certificate::valid(),
            Some(&other),
            "does not belong to the key of its CA",
        ),
    ] {
        let server = account.serve_tls(&certificate);
        let program = Program::without_server();
        let (bundle, out) = (
            program.directory().join("home/ca.pem"),
            program.directory().join("out"),
        );
        std::fs::write(&bundle, &trusted.unwrap_or(&certificate).ca_pem).unwrap();
        let run = program
            .args(LIST.args)
            .args(["--skip-checks", "--coverage", "--debug", "--output-dir"])
            .arg(out)
            .env("AWS_CA_BUNDLE", &bundle)
            .env("AWS_ENDPOINT_URL", plain.url())
            .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", server.url())
            .run();
        assert_eq!(run.code, Some(1), "{name}: {}", run.describe());
        assert_eq!(run.table("resource_count"), None, "nothing was counted");
        assert!(
            !run.stderr.contains(" attempt 2 of "),
            "{name}: {}",
            run.describe()
        );
        assert!(
            server.calls().is_empty(),
            "{name}: requests without a valid certificate"
        );
        let log = assertions::parse_log(&run).unwrap();
        for region in [CHECKED_REGION, SCANNED_REGION] {
            let lines: Vec<_> = log
                .iter()
                .filter(|(l, _)| l.region.as_deref() == Some(region))
                .collect();
            let types: Vec<_> = lines
                .iter()
                .map(|(line, _)| line.error_type.as_str())
                .collect();
            assert_eq!(types.last(), Some(&"SCAN_FAILED"), "{name}: {types:?}");
            assert_eq!(types.first(), Some(&"CONNECTION"), "{name}: {types:?}");
            assert!(lines[0].1.contains(message_part), "{name}: {}", lines[0].1);
            // A bundle makes no certificate valid for another host or time.
            let advice = if name == "of an untrusted issuer" {
                "check the certificate bundle"
            } else {
                "check the endpoint and any proxy"
            };
            assert!(lines[0].1.contains(advice), "{name}: {}", lines[0].1);
        }
        let coverage = run.coverage();
        let is_missing = |line: &&str| {
            line.contains(",connection_failed,missing,,") || line.contains(",not_tried,missing,,")
        };
        assert_eq!(
            coverage.lines().filter(is_missing).count(),
            4,
            "{name}: {coverage}"
        );
    }
}
