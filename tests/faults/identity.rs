//! Who asks, and whom: credentials that expire in the middle, and certificates that do not fit.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::seen;
use crate::site::{CHECKED, LIST, MIDDLE_OF_A_LIST, SCANNED, Site};
use crate::support::{Certificate, Outcome, Program, Reply, Server};

/// Writes the keys of the default profile.
fn write_keys(home: &Path, key: &str) {
    let keys = format!("[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    std::fs::write(home.join(".aws/credentials"), keys).unwrap();
}

const OLD: &str = "AKIAIOSFODNN7EXAMPLE";
const NEW: &str = "AKIAI44QH8DHBEXAMPLE";

/// A run whose keys expire when `site` is asked; `renewed` says which ones lie in the profile then.
/// Those of `dead` are expired from then on.
fn expire(site: &Site, renewed: &'static str, dead: &'static [&'static str]) -> (Outcome, Server) {
    let home = tempfile::tempdir().unwrap();
    write_keys(home.path(), OLD);
    let (picks, over, folder) = (site.picks, AtomicBool::new(false), home.path().to_owned());
    let server = site.account().serve_but(move |call| {
        if picks(call) && !over.swap(true, Ordering::SeqCst) {
            write_keys(&folder, renewed);
        }
        let key = call.header("authorization").unwrap_or_default();
        let refused = over.load(Ordering::SeqCst) && dead.iter().any(|dead| key.contains(dead));
        refused.then(|| Reply::error(call, 400, "ExpiredTokenException", "The token is expired"))
    });
    let run = Program::new(&server)
        .args(site.args)
        .args(["--max-attempts", "2", "--coverage"])
        .env("HOME", home.path())
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        .run();
    (run, server)
}

#[test]
fn credentials_that_expire_in_the_middle_are_renewed_and_nothing_is_lost() {
    for site in [&LIST, &MIDDLE_OF_A_LIST] {
        let (run, server) = expire(site, NEW, &[OLD]);
        assert_eq!(run.code, Some(0), "{}: {}", site.name, run.told());
        assert_eq!(run.csv(), site.account().csv(), "{}", site.name);
        let log = seen::log(&run).unwrap();
        assert_eq!(log.len(), 1, "{}: {}", site.name, run.told());
        assert_eq!(log[0].0.error_type, "FATAL");
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
fn credentials_that_stay_expired_stop_the_scan_and_what_is_counted_is_written() {
    // The profile has the same ones still; or others, which are no better.
    for (renewed, dead) in [(OLD, &[OLD][..]), (NEW, &[OLD, NEW])] {
        let (run, server) = expire(&MIDDLE_OF_A_LIST, renewed, dead);
        assert_eq!(run.code, Some(1), "{}", run.told());
        let log = seen::log(&run).unwrap();
        let fatal = log.iter().filter(|(line, _)| line.error_type == "FATAL");
        assert_eq!(fatal.count(), 1, "{}", run.told());
        let stopped = |(line, _): &&(_, String)| {
            let line: &crate::expected::Line = line;
            line.error_type == "SCAN_FAILED" && line.region.as_deref() == Some(SCANNED)
        };
        assert_eq!(log.iter().filter(stopped).count(), 1, "{}", run.told());
        let (csv, whole) = (run.csv(), MIDDLE_OF_A_LIST.account().csv());
        assert!(
            csv.split_inclusive("\r\n").all(|row| whole.contains(row)),
            "{csv}"
        );
        assert!(!csv.contains(",250\r\n"), "{csv}");
        // One refusal, and one more of the new keys, in each task of a region at the most.
        let refused = server.count(|call| (MIDDLE_OF_A_LIST.picks)(call));
        assert!(refused <= 2, "{refused}");
    }
}

/// Only AWS Config answers over TLS: what is wrong with it is met in the scan.
#[test]
fn a_certificate_that_does_not_fit_gives_up_each_region_at_once() {
    let account = LIST.account();
    let plain = account.serve();
    let stranger = Certificate::right();
    for (name, certificate, trusted, told) in [
        (
            "of another host",
            Certificate::for_wrong_host(),
            None,
            "not valid for",
        ),
        ("expired", Certificate::of_days(-20, -10), None, "expired"),
        (
            "of tomorrow",
            Certificate::of_days(1, 20),
            None,
            "not valid yet",
        ),
        (
            "of a stranger",
            Certificate::right(),
            Some(&stranger),
            "invalid peer certificate",
        ),
    ] {
        let server = account.serve_tls(&certificate);
        let program = Program::alone();
        let (bundle, out) = (
            program.folder().join("home/ca.pem"),
            program.folder().join("out"),
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
        assert_eq!(run.code, Some(0), "{name}: {}", run.told());
        assert_eq!(run.csv().lines().count(), 1, "{name}: {}", run.told());
        assert!(
            !run.stderr.contains(" attempt 2: "),
            "{name}: {}",
            run.told()
        );
        assert!(
            server.calls().is_empty(),
            "{name}: no request without trust"
        );
        let log = seen::log(&run).unwrap();
        for region in [CHECKED, SCANNED] {
            let own: Vec<_> = log
                .iter()
                .filter(|(l, _)| l.region.as_deref() == Some(region))
                .collect();
            let types: Vec<_> = own
                .iter()
                .map(|(line, _)| line.error_type.as_str())
                .collect();
            assert_eq!(types.last(), Some(&"SCAN_FAILED"), "{name}: {types:?}");
            assert_eq!(types.first(), Some(&"CONNECTION"), "{name}: {types:?}");
            assert!(own[0].1.contains(told), "{name}: {}", own[0].1);
            assert!(
                own[0].1.contains("check the certificate bundle"),
                "{name}: {}",
                own[0].1
            );
        }
        let coverage = run.coverage();
        let lost =
            |line: &&str| line.contains(",connection_failed,,") || line.contains(",not_tried,,");
        assert_eq!(
            coverage.lines().filter(lost).count(),
            4,
            "{name}: {coverage}"
        );
    }
}
