//! Through a proxy. Its names end in `.test`, which nothing resolves: who reaches the server came
//! through the proxy.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Call, Certificate, Outcome, Program, Proxy, Reply, Server};
use crate::{TYPES, account};

/// A run over TLS that trusts `certificate`, which is for sts.aws.test.
fn over_tls(certificate: &Certificate) -> Program {
    let program = Program::to("https://sts.aws.test/").args(TYPES);
    let bundle = program.folder().join("home/ca.pem");
    std::fs::write(&bundle, &certificate.ca_pem).unwrap();
    program.arg("--debug").arg("--ca-bundle").arg(bundle)
}

fn assert_done(run: &Outcome) {
    assert_eq!(run.code, Some(0), "{}", run.told());
    assert_eq!(run.csv(), account().csv());
}

/// Nothing that was written holds user or password; both begin with `marked`.
fn assert_secret(run: &Outcome) {
    let encoded = ["marked", "bWFya2Vk"];
    for file in run.files() {
        let text = std::fs::read(run.folder().join(&file)).unwrap();
        let text = String::from_utf8_lossy(&text);
        for secret in encoded {
            assert!(!text.contains(secret), "{secret} in {}", file.display());
        }
    }
    for secret in encoded {
        assert!(!run.told().contains(secret), "{}", run.told());
    }
}

#[test]
fn tls_through_a_tunnel_with_a_bundle() {
    let certificate = Certificate::for_host("sts.aws.test");
    let server = account().serve_tls(&certificate);
    let proxy = Proxy::to(&server);
    let run = over_tls(&certificate).env("HTTPS_PROXY", proxy.url()).run();
    assert_done(&run);
    let told = format!("proxy {} (HTTPS_PROXY)", proxy.host());
    assert!(run.stdout.contains(&told), "{}", run.told());
    let heads = proxy.heads();
    for head in &heads {
        let line = "CONNECT sts.aws.test:443 HTTP/1.1\r\n";
        assert!(head.starts_with(line), "{head}");
        assert!(!head.contains("uthorization"), "{head}");
    }
    assert_eq!(heads.len(), server.connections(), "a connection a tunnel");
    assert!(heads.len() <= 6, "tunnels are kept: {}", heads.len());
}

#[test]
fn plain_http_through_a_tunnel() {
    let server = account().serve();
    let proxy = Proxy::to(&server);
    // Without a scheme, and with the variable in lower case.
    let run = Program::to("http://aws.test/")
        .args(TYPES)
        .env("http_proxy", proxy.host())
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .run();
    assert_done(&run);
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT aws.test:80 HTTP/1.1\r\n"));
    assert_eq!(heads.len(), server.connections());
    assert!(heads.len() <= 6, "tunnels are kept: {}", heads.len());
}

#[test]
fn user_and_password_reach_the_proxy_and_nothing_else() {
    let certificate = Certificate::for_host("sts.aws.test");
    let server = account().serve_tls(&certificate);
    // marked:marked@:%
    let proxy = Proxy::guarded(&server, "Basic bWFya2VkOm1hcmtlZEA6JQ==");
    let url = proxy.url().replace("//", "//marked:marked%40%3A%25@");
    let program = over_tls(&certificate).env("HTTPS_PROXY", url);
    let recording = program.folder().join("out/recording");
    let run = program.arg("--record").arg(recording).run();
    assert_done(&run);
    assert!(run.files().len() > 5, "a recording: {}", run.told());
    assert_secret(&run);
    let in_tunnel = |name: &str| server.count(|call| call.header(name).is_some());
    assert_eq!(in_tunnel("proxy-authorization"), 0);
}

#[test]
fn a_proxy_that_refuses_is_named_without_the_password() {
    for (status, url, why) in [
        (
            407,
            "//",
            "it wants a user and a password, or refuses them (HTTP 407)",
        ),
        (
            407,
            "//marked:marked@",
            "it wants a user and a password, or refuses them (HTTP 407)",
        ),
        (403, "//marked:marked@", "it refuses to connect (HTTP 403)"),
    ] {
        let proxy = Proxy::refusing(status);
        let url = proxy.url().replace("//", url);
        let run = Program::to("https://sts.aws.test/")
            .env("https_proxy", url)
            .arg("--debug")
            .run();
        assert_eq!(run.code, Some(1), "{}", run.told());
        assert_eq!(run.stdout.matches('✗').count(), 5, "{}", run.told());
        let host = proxy.host();
        let part = format!("sts.aws.test through the proxy {host} (https_proxy): {why}");
        for line in run.errors().lines().take(3) {
            let advice = "check the user and the password in the proxy's URL";
            assert!(
                line.contains(&part) && line.contains(advice),
                "{part}: {line}"
            );
        }
        assert!(!run.stderr.contains(" attempt 2: "), "{}", run.told());
        assert_secret(&run);
    }
}

#[test]
fn a_proxy_that_is_busy_is_asked_again() {
    let proxy = Proxy::refusing(503);
    let run = Program::to("https://sts.aws.test/")
        .env("HTTPS_PROXY", proxy.url())
        .args(["--debug", "--max-attempts", "2"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert!(run.stderr.contains(" attempt 2: "), "{}", run.told());
    assert!(run.errors().contains("(HTTP 503)"), "{}", run.told());
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let run = Program::to("https://sts.aws.test/")
        .env("HTTPS_PROXY", "http://marked:marked@proxy.test:3128")
        .args(["--debug", "--max-attempts", "1"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    let part = "sts.aws.test through the proxy proxy.test:3128 (HTTPS_PROXY): ";
    assert!(run.errors().contains(part), "{}", run.told());
    assert_secret(&run);
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_through_a_tunnel_too() {
    let right = Certificate::for_host("sts.aws.test");
    let other = Certificate::for_host("sts.aws.test");
    let server = account().serve_tls(&right);
    let proxy = Proxy::to(&server);
    let run = over_tls(&other).env("HTTPS_PROXY", proxy.url()).run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    let line = run.errors();
    for part in ["sts.aws.test", &proxy.host(), "--ca-bundle", "home/ca.pem"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!run.stderr.contains(" attempt 2: "), "{}", run.told());
    assert!(server.calls().is_empty());
}

#[test]
fn no_proxy_and_this_machine_are_reached_directly() {
    let proxy = Proxy::refusing(403);
    let server: Server = account().serve();
    // An endpoint on this machine.
    let run = Program::new(&server)
        .args(TYPES)
        .env("HTTP_PROXY", proxy.url())
        .env("HTTPS_PROXY", proxy.url())
        .env("ALL_PROXY", proxy.url())
        .run();
    assert_done(&run);
    // Nothing resolves the name, and nobody else is asked for it.
    let run = Program::to("http://sts.aws.test/")
        .args(["--max-attempts", "1"])
        .env("HTTP_PROXY", proxy.url())
        .env("NO_PROXY", "x, aws.test")
        .run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert!(
        !run.errors().contains("through the proxy"),
        "{}",
        run.told()
    );
    assert_eq!(proxy.heads().len(), 0);
}

#[test]
fn what_is_no_proxy_fails_the_first_check_and_nothing_goes_out() {
    let server = account().serve();
    for value in ["http://marked:marked@:80", "socks5://marked:marked@proxy"] {
        let run = Program::new(&server)
            .env("HTTPS_PROXY", value)
            .arg("--debug")
            .run();
        assert_eq!(run.code, Some(1), "{}", run.told());
        let first = "HTTPS client can be built: HTTPS_PROXY is not a proxy URL such as";
        assert!(run.errors().contains(first), "{}", run.told());
        assert_secret(&run);
    }
    // No Unicode.
    let run = Program::new(&server)
        .env("HTTPS_PROXY", OsStr::from_bytes(b"http://pr\xffxy:3128"))
        .run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert!(run.errors().contains("its host is none"), "{}", run.told());
    assert_eq!(server.connections(), 0);
}

#[test]
fn tls_is_spoken_with_a_proxy_of_https() {
    let certificate = Certificate::right();
    let proxy = Server::tls(&certificate, |_| {
        Reply::answer(407, "text/plain", Vec::new())
    });
    let run = over_tls(&certificate).env("HTTPS_PROXY", proxy.url()).run();
    assert_eq!(run.code, Some(1), "{}", run.told());
    assert!(run.errors().contains("(HTTP 407)"), "{}", run.told());
    let connects = |call: &Call| call.method == "CONNECT" && call.path == "sts.aws.test:443";
    assert!(proxy.count(connects) >= 3, "{}", run.told());
}

#[test]
fn a_replay_knows_no_proxy() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo");
    let server = account().serve();
    let run = Program::new(&server)
        .env("HTTPS_PROXY", "socks5://marked")
        .args(["--replay", demo])
        .run();
    assert!(!run.errors().contains("HTTPS_PROXY"), "{}", run.told());
    assert!(
        run.stdout.starts_with("Verifying prerequisites...\n✓"),
        "{}",
        run.told()
    );
}
