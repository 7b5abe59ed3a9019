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
    assert!(run.stderr.contains(" attempt 1: "), "{}", run.describe());
    assert!(!run.stderr.contains(" attempt 2: "), "{}", run.describe());
    let attempts = run.stderr.matches(" attempt 1: ").count();
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
    for part in [
        server.host().as_str(),
        bundle.to_str().unwrap(),
        "not valid for",
    ] {
        assert!(line.contains(part), "{part}: {line}");
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
    assert!(run.errors().contains(&server.host()), "{}", run.describe());
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
