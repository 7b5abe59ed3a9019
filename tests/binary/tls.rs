//! Certificates.

use std::path::PathBuf;

use crate::support::{Certificate, Outcome, Program, Server};
use crate::{TYPES, account};

/// A run that trusts the authority of `certificate`.
fn trusting(certificate: &Certificate, server: &Server) -> (Program, PathBuf) {
    let program = Program::new(server);
    let bundle = program.folder().join("home/ca.pem");
    std::fs::write(&bundle, &certificate.ca_pem).unwrap();
    (program, bundle)
}

/// Checks 4 to 8 failed, each after one attempt.
fn assert_refused(run: &Outcome, server: &Server) {
    assert_eq!(run.code, Some(1), "{}", run.told());
    let marks: Vec<_> = run.stdout.chars().filter(|c| "✓✗".contains(*c)).collect();
    assert_eq!(
        marks,
        ['✓', '✓', '✓', '✗', '✗', '✗', '✗', '✗'],
        "{}",
        run.told()
    );
    assert!(server.calls().is_empty(), "no request without trust");
    assert!(run.stderr.contains(" attempt 1: "), "{}", run.told());
    assert!(!run.stderr.contains(" attempt 2: "), "{}", run.told());
    let attempts = run.stderr.matches(" attempt 1: ").count();
    assert_eq!(server.connections(), attempts, "{}", run.told());
}

#[test]
fn a_bundle_is_trusted_by_option_variable_and_profile() {
    let certificate = Certificate::right();
    let account = account();
    let server = account.serve_tls(&certificate);
    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(TYPES).arg("--ca-bundle").arg(bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), account.csv());

    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(TYPES).env("AWS_CA_BUNDLE", bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), account.csv());

    // The profile's goes behind the variable, which goes behind the option.
    let with_profile = || {
        let (program, bundle) = trusting(&certificate, &server);
        let aws = program.folder().join("home/.aws");
        std::fs::create_dir(&aws).unwrap();
        std::fs::write(aws.join("config"), "[default]\nca_bundle = ~/ca.pem\n").unwrap();
        (program.args(TYPES), bundle)
    };
    let (program, _) = with_profile();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    let told = "trusting the profile's ca_bundle ";
    assert!(run.stdout.contains(told), "{}", run.told());
    let (program, _) = with_profile();
    let run = program.env("AWS_CA_BUNDLE", "/none").run();
    assert!(
        run.errors().contains("AWS_CA_BUNDLE /none: "),
        "{}",
        run.told()
    );
    let (program, bundle) = with_profile();
    let program = program.env("AWS_CA_BUNDLE", "/none");
    let run = program.arg("--ca-bundle").arg(bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    // Four runs got through, each with six requests in flight at the most.
    assert!(
        server.connections() <= 24,
        "TLS connections are kept: {}",
        server.connections()
    );
}

#[test]
fn without_the_bundle_the_checks_fail_and_name_the_way_out() {
    let certificate = Certificate::right();
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
fn a_certificate_for_another_host_is_refused_at_once() {
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
fn a_server_that_speaks_no_tls_is_told_from_one_that_is_not_trusted() {
    let server = account().serve();
    let https = server.url().replace("http:", "https:");
    let run = Program::to(&https).args(["--max-attempts", "1"]).run();
    println!("{}", run.told());
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert_eq!(run.stdout.matches('✗').count(), 5, "{}", run.told());
    assert!(run.errors().contains(&server.host()), "{}", run.told());
    assert!(server.calls().is_empty());
}

#[test]
fn later_connections_resume_the_sessions_of_earlier_ones() {
    let certificate = Certificate::right();
    let account = account();
    let answers = account.answers();
    // Each request needs a connection of its own.
    let server = Server::tls(&certificate, move |call| answers.answer(call).then_close());
    let (program, bundle) = trusting(&certificate, &server);
    let run = program.args(TYPES).arg("--ca-bundle").arg(bundle).run();
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), account.csv());
    let (all, resumed) = (server.connections(), server.sessions_resumed());
    assert!(all >= server.calls().len(), "{all}");
    // Those that begin at once have nothing to resume; three of the checks do.
    assert!(resumed * 2 >= all, "{resumed} of {all} connections");
}
