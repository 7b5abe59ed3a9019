//! Tests of TLS certificates.

use std::path::PathBuf;

use crate::support::{Certificate, Outcome, Program, Server};
use crate::{TYPES, account};

/// Prepares a run, and writes a bundle with the authority of `certificate`.
fn trusting(certificate: &Certificate, server: &Server) -> (Program, PathBuf) {
    let program = Program::new(server);
    let bundle = program.directory().join("home/ca.pem");
    std::fs::write(&bundle, &certificate.ca_pem).unwrap();
    (program, bundle)
}

/// Asserts that checks 4 to 8 failed, each after one attempt.
fn assert_refused(run: &Outcome, server: &Server) {
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let marks: Vec<_> = run.stdout.chars().filter(|c| "✓✗".contains(*c)).collect();
    assert_eq!(
        marks,
        ['✓', '✓', '✓', '✗', '✗', '✗', '✗', '✗'],
        "{}",
        run.describe()
    );
    assert!(server.calls().is_empty(), "no request without trust");
    assert!(run.stderr.contains(" attempt 1 of "), "{}", run.describe());
    assert!(!run.stderr.contains(" attempt 2 of "), "{}", run.describe());
    let attempts = run.stderr.matches(" attempt 1 of ").count();
    assert_eq!(server.connections(), attempts, "{}", run.describe());
}

#[test]
fn ca_bundle_is_read_from_every_setting() {
    let certificate = Certificate::valid();
    let account = account();
    let server = account.serve_tls(&certificate);
    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(TYPES).arg("--ca-bundle").arg(bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());

    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(TYPES).env("AWS_CA_BUNDLE", bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());

    // The option takes precedence over the variable, and the variable over the profile.
    let with_profile = || {
        let (program, bundle) = trusting(&certificate, &server);
        let aws = program.directory().join("home/.aws");
        std::fs::create_dir(&aws).unwrap();
        std::fs::write(aws.join("config"), "[default]\nca_bundle = ~/ca.pem\n").unwrap();
        (program.args(TYPES), bundle)
    };
    let (program, _) = with_profile();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let message = "trusting the profile's ca_bundle ";
    assert!(run.stdout.contains(message), "{}", run.describe());
    let (program, _) = with_profile();
    let run = program.env("AWS_CA_BUNDLE", "/none").run();
    assert!(
        run.errors().contains("AWS_CA_BUNDLE /none: "),
        "{}",
        run.describe()
    );
    let (program, bundle) = with_profile();
    let program = program.env("AWS_CA_BUNDLE", "/none");
    let run = program.arg("--ca-bundle").arg(bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    // Four runs succeeded, each with at most six concurrent requests.
    assert!(
        server.connections() <= 24,
        "TLS connections are kept: {}",
        server.connections()
    );
}

#[test]
fn untrusted_certificate_fails_with_advice() {
    let certificate = Certificate::valid();
    let server = account().serve_tls(&certificate);
    let run = Program::new(&server).arg("--debug").run();
    assert_refused(&run, &server);
    for line in run.errors().lines().take(3) {
        for part in [&server.host(), "--ca-bundle", "built-in Mozilla roots"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

#[test]
fn certificate_for_other_host_is_not_retried() {
    let certificate = Certificate::for_wrong_host();
    let server = account().serve_tls(&certificate);
    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(["--debug", "--ca-bundle"]).arg(&bundle).run();
    assert_refused(&run, &server);
    let line = run.errors();
    for part in [server.host().as_str(), "not valid for", ", only for "] {
        assert!(line.contains(part), "{part}: {line}");
    }
    // Another bundle would not help, and the name of the certificate is not in the notation of Rust.
    for part in [bundle.to_str().unwrap(), "bundle", "DnsName", "("] {
        let message = line.lines().next().unwrap();
        let message = message.split_once("not valid for").unwrap().1;
        assert!(!message.contains(part), "{part}: {message}");
    }
}

#[test]
fn server_without_tls_fails_the_checks() {
    let server = account().serve();
    let https = server.url().replace("http:", "https:");
    let run = Program::for_url(&https).args(["--max-attempts", "1"]).run();
    println!("{}", run.describe());
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert_eq!(run.stdout.matches('✗').count(), 5, "{}", run.describe());
    let errors = run.errors();
    for part in [&server.host(), "the server's response is not TLS"] {
        assert!(errors.contains(part), "{part}: {}", run.describe());
    }
    assert!(!errors.contains("bundle"), "{}", run.describe());
    assert!(server.calls().is_empty());
}

#[test]
fn later_connections_resume_tls_sessions() {
    let certificate = Certificate::valid();
    let account = account();
    let responder = account.responder();
    // Each request needs a new connection.
    let server = Server::with_tls(&certificate, move |call| {
        responder.respond(call).then_close()
    });
    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(TYPES).arg("--ca-bundle").arg(bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account.csv());
    let (total, resumed) = (server.connections(), server.sessions_resumed());
    assert!(total >= server.calls().len(), "{total}");
    // The first concurrent connections have no session to resume.
    assert!(resumed * 2 >= total, "{resumed} of {total} connections");
}

#[test]
fn certificates_that_openssl_verifies_are_accepted() {
    for name in [
        "p521",
        "p521_sha256",
        "p521_sha384",
        "p384_sha256",
        "p384_sha512",
        "p256_sha384",
        "p256_sha512",
        "ed25519",
        "rsa_4096_sha512",
        "rsa_8192_sha384",
        "rsa_pss_sha256",
        "rsa_pss_sha512",
        "rsa_pss_key",
        "rsa_pss_sha256_key",
        "self_signed",
        "self_signed_ca",
    ] {
        let certificate = Certificate::from_directory(name);
        let account = account();
        let server = account.serve_tls(&certificate);
        let (program, bundle) = trusting(&certificate, &server);
        let run = program.args(TYPES).arg("--ca-bundle").arg(bundle).run();
        assert_eq!(run.code, Some(0), "{name}: {}", run.describe());
        assert_eq!(run.csv(), account.csv(), "{name}");
    }
}

#[test]
fn unsupported_certificate_is_not_blamed_on_the_bundle() {
    let certificate = Certificate::from_directory("brainpool_intermediate");
    let server = account().serve_tls(&certificate);
    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(["--debug", "--ca-bundle"]).arg(&bundle).run();
    assert_refused(&run, &server);
    for line in run.errors().lines().take(3) {
        let part = "has a key or signature that this program does not support";
        assert!(line.contains(part), "{line}");
        for blamed in ["bundle", bundle.to_str().unwrap(), "[6, ", "trust"] {
            assert!(!line.contains(blamed), "{blamed}: {line}");
        }
    }
}

#[test]
fn unusable_bundle_fails_the_first_check() {
    let certificate = Certificate::valid();
    let server = account().serve_tls(&certificate);
    let authority = |name| Certificate::from_directory(name).ca_pem;
    let pkcs7 = "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n";
    for (content, part) in [
        (authority("ed448"), "its type of key is not supported"),
        (authority("rsa_1024"), "its RSA key has 1024 bits"),
        (
            authority("p521").replace("END", "ENDE"),
            "its END line is missing",
        ),
        (pkcs7.to_owned(), "only PKCS7"),
        (String::new(), "contains no certificate"),
    ] {
        let (program, bundle) = trusting(&certificate, &server);
        std::fs::write(&bundle, content).unwrap();
        let run = program.args(TYPES).env("AWS_CA_BUNDLE", &bundle).run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let failed = "✗ HTTPS client can be built";
        for part in [failed, part] {
            assert!(run.stdout.contains(part), "{part}: {}", run.describe());
        }
        assert_eq!(server.connections(), 0, "{}", run.describe());
    }
}

#[test]
fn every_certificate_of_a_bundle_counts() {
    let certificate = Certificate::from_directory("p384_sha256");
    let other = Certificate::from_directory("p521").ca_pem;
    let own = &certificate.ca_pem;
    let x509 = own.replace("CERTIFICATE", "X509 CERTIFICATE");
    let broken = "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n";
    let not_base64 = "certificate 2: not valid Base64";
    for (content, ignored) in [
        (format!("\u{feff}{own}"), None),
        (format!("{other}{x509}").replace('\n', "\r\n"), None),
        (format!("{own}{broken}"), Some(not_base64)),
    ] {
        let account = account();
        let server = account.serve_tls(&certificate);
        let (program, bundle) = trusting(&certificate, &server);
        std::fs::write(&bundle, content).unwrap();
        let run = program.args(TYPES).arg("--ca-bundle").arg(&bundle).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert_eq!(run.csv(), account.csv());
        let is_named = run.stdout.contains(", ignoring certificate");
        assert_eq!(is_named, ignored.is_some(), "{}", run.describe());
        let part = ignored.unwrap_or_default();
        assert!(run.stdout.contains(part), "{}", run.describe());
    }
}
