//! Tests of proxies.
//!
//! Host names end in `.test`, which does not resolve, so every request that reaches the server has
//! passed the proxy.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::support::{Call, Certificate, Outcome, Program, Proxy, Reply, Server};
use crate::{TYPES, account};

/// Prepares a run over TLS that trusts `certificate` for sts.aws.test.
fn over_tls(certificate: &Certificate) -> Program {
    let program = Program::for_url("https://sts.aws.test/").args(TYPES);
    let bundle = program.directory().join("home/ca.pem");
    std::fs::write(&bundle, &certificate.ca_pem).unwrap();
    program.arg("--debug").arg("--ca-bundle").arg(bundle)
}

fn assert_success(run: &Outcome) {
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account().csv());
}

/// Asserts that no output has the user or the password; both begin with `marked`.
fn assert_no_secret(run: &Outcome) {
    let secrets = ["marked", "bWFya2Vk"];
    for file in run.files() {
        let text = std::fs::read(run.directory().join(&file)).unwrap();
        let text = String::from_utf8_lossy(&text);
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {}", file.display());
        }
    }
    for secret in secrets {
        assert!(!run.describe().contains(secret), "{}", run.describe());
    }
}

#[test]
fn tls_tunnel_with_ca_bundle_succeeds() {
    let certificate = Certificate::for_host("sts.aws.test");
    let server = account().serve_tls(&certificate);
    let proxy = Proxy::for_server(&server);
    let run = over_tls(&certificate).env("HTTPS_PROXY", proxy.url()).run();
    assert_success(&run);
    let message = format!("proxy {} (HTTPS_PROXY)", proxy.host());
    assert!(run.stdout.contains(&message), "{}", run.describe());
    let heads = proxy.heads();
    for head in &heads {
        let line = "CONNECT sts.aws.test:443 HTTP/1.1\r\n";
        assert!(head.starts_with(line), "{head}");
        assert!(!head.contains("uthorization"), "{head}");
    }
    assert_eq!(
        heads.len(),
        server.connections(),
        "one connection per tunnel"
    );
    assert!(heads.len() <= 6, "tunnels are kept: {}", heads.len());
}

#[test]
fn plain_http_tunnel_succeeds() {
    let server = account().serve();
    let proxy = Proxy::for_server(&server);
    // The value has no scheme; the lower-case variable takes precedence.
    let run = Program::for_url("http://aws.test/")
        .args(TYPES)
        .env("http_proxy", proxy.host())
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .run();
    assert_success(&run);
    let heads = proxy.heads();
    assert!(heads[0].starts_with("CONNECT aws.test:80 HTTP/1.1\r\n"));
    assert_eq!(heads.len(), server.connections());
    assert!(heads.len() <= 6, "tunnels are kept: {}", heads.len());
}

#[test]
fn empty_variable_in_lower_case_disables_the_other() {
    let server = account().serve();
    let proxy = Proxy::for_server(&server);
    let with = |variables: &[(&str, &str)]| {
        let mut program = Program::for_url("http://aws.test/").args(["--max-attempts", "1"]);
        for (name, value) in variables {
            program = program.env(name, value.replace("{proxy}", &proxy.url()));
        }
        program.args(TYPES).run()
    };
    let direct = with(&[("http_proxy", ""), ("HTTP_PROXY", "{proxy}")]);
    assert_eq!(direct.code, Some(1), "{}", direct.describe());
    assert!(proxy.heads().is_empty(), "{}", direct.describe());
    assert_success(&with(&[("http_proxy", "{proxy}"), ("HTTP_PROXY", "")]));
    let no_bypass = [
        ("no_proxy", ""),
        ("NO_PROXY", "*"),
        ("HTTP_PROXY", "{proxy}"),
    ];
    assert_success(&with(&no_bypass));
}

#[test]
fn proxy_password_is_sent_only_to_proxy() {
    let certificate = Certificate::for_host("sts.aws.test");
    let server = account().serve_tls(&certificate);
    // The user is `marked`, the password `marked@:%`.
    let proxy = Proxy::with_authorization(&server, "Basic bWFya2VkOm1hcmtlZEA6JQ==");
    let url = proxy.url().replace("//", "//marked:marked%40%3A%25@");
    let program = over_tls(&certificate).env("HTTPS_PROXY", url);
    let recording = program.directory().join("out/recording");
    let run = program.arg("--record").arg(recording).run();
    assert_success(&run);
    assert!(run.files().len() > 5, "a recording: {}", run.describe());
    assert_no_secret(&run);
    let in_tunnel = |name: &str| server.count(|call| call.header(name).is_some());
    assert_eq!(in_tunnel("proxy-authorization"), 0);
}

#[test]
fn refusing_proxy_is_named_without_password() {
    for (status, url, why) in [
        (
            407,
            "//",
            "proxy authentication required or rejected (HTTP 407)",
        ),
        (
            407,
            "//marked:marked@",
            "proxy authentication required or rejected (HTTP 407)",
        ),
        (
            403,
            "//marked:marked@",
            "the proxy refused to connect (HTTP 403)",
        ),
    ] {
        let proxy = Proxy::with_status(status);
        let url = proxy.url().replace("//", url);
        let run = Program::for_url("https://sts.aws.test/")
            .env("https_proxy", url)
            .arg("--debug")
            .run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert_eq!(run.stdout.matches('✗').count(), 5, "{}", run.describe());
        let host = proxy.host();
        let part = format!("sts.aws.test through the proxy {host} (https_proxy): {why}");
        for line in run.errors().lines().take(3) {
            let advice = "check the user name and password in the proxy URL";
            assert!(
                line.contains(&part) && line.contains(advice),
                "{part}: {line}"
            );
        }
        assert!(!run.stderr.contains(" attempt 2 of "), "{}", run.describe());
        assert_no_secret(&run);
    }
}

#[test]
fn offered_schemes_of_proxy_are_named() {
    for (headers, offers) in [
        (
            "Proxy-Authenticate: Basic realm=\"x\"\r\n",
            "it offers Basic)",
        ),
        (
            "Proxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n",
            "it offers Negotiate, NTLM, and only Basic is supported)",
        ),
        (
            "Proxy-Authenticate: Digest realm=\"a, b\", nonce=\"n\", Basic realm=\"x\"\r\n",
            "it offers Digest, Basic)",
        ),
    ] {
        let proxy = Proxy::with_challenge(headers);
        let run = Program::for_url("https://sts.aws.test/")
            .env("HTTPS_PROXY", proxy.url().replace("//", "//marked:marked@"))
            .arg("--debug")
            .run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let part = format!("(HTTP 407; {offers}");
        assert!(run.errors().contains(&part), "{part}: {}", run.describe());
        assert!(!run.stderr.contains(" attempt 2 of "), "{}", run.describe());
        assert_no_secret(&run);
    }
}

#[test]
fn odd_connect_responses_open_a_tunnel() {
    let bytes = |text: &str| text.bytes().map(|b| vec![b]).collect::<Vec<_>>();
    let whole = |text: &str| vec![text.as_bytes().to_vec()];
    let established = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
    for (name, packets) in [
        (
            "two packets",
            vec![established[..20].into(), established[20..].into()],
        ),
        (
            "end apart",
            vec![established[..established.len() - 1].into(), b"\n".to_vec()],
        ),
        ("byte by byte", bytes(established)),
        ("HTTP/1.0", whole("HTTP/1.0 200 OK\r\n\r\n")),
        ("bare LF", whole("HTTP/1.1 200 OK\nVia: x\n\n")),
        (
            "chunked",
            whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ),
        (
            "length",
            whole("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"),
        ),
        ("no reason", whole("HTTP/1.1 200\r\n\r\n")),
    ] {
        let certificate = Certificate::for_host("sts.aws.test");
        let server = account().serve_tls(&certificate);
        let proxy = Proxy::with_response(&server, packets);
        let run = over_tls(&certificate).env("HTTPS_PROXY", proxy.url()).run();
        assert_eq!(run.code, Some(0), "{name}: {}", run.describe());
        assert_success(&run);
    }
}

#[test]
fn proxy_url_with_a_rest_is_refused() {
    let server = account().serve();
    for value in [
        "http://marked:12#marked@host:3128",
        "http://marked:12?marked@host:3128",
        "http://marked:12/marked@host:3128",
        "http://marked:12\\marked@host:3128",
        "marked:12#marked@host:3128",
        "http://host:3128/marked",
        "http://host:3128//",
        "http://host:3128/#marked",
    ] {
        for name in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"] {
            let run = Program::new(&server).env(name, value).arg("--debug").run();
            assert_eq!(run.code, Some(1), "{}", run.describe());
            let first = format!("HTTPS client can be built: {name} is not a proxy URL such as");
            assert!(run.errors().contains(&first), "{value}: {}", run.describe());
            assert!(
                run.errors().contains("only / may follow"),
                "{value}: {}",
                run.describe()
            );
            assert_no_secret(&run);
            assert!(
                !run.describe().contains(":12"),
                "{value}: {}",
                run.describe()
            );
        }
    }
    assert_eq!(server.connections(), 0);
    // A slash at the end is usual.
    let proxy = Proxy::for_server(&server);
    let run = Program::for_url("http://aws.test/")
        .args(TYPES)
        .env("HTTP_PROXY", format!("{}/", proxy.url()))
        .run();
    assert_success(&run);
}

#[test]
fn busy_proxy_is_retried() {
    let proxy = Proxy::with_status(503);
    let run = Program::for_url("https://sts.aws.test/")
        .env("HTTPS_PROXY", proxy.url())
        .args(["--debug", "--max-attempts", "2"])
        .run_without_waits();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(run.stderr.contains(" attempt 2 of "), "{}", run.describe());
    assert!(run.errors().contains("(HTTP 503)"), "{}", run.describe());
}

#[test]
fn unreachable_proxy_is_named() {
    let run = Program::for_url("https://sts.aws.test/")
        .env("HTTPS_PROXY", "http://marked:marked@proxy.test:3128")
        .args(["--debug", "--max-attempts", "1"])
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let part = "sts.aws.test through the proxy proxy.test:3128 (HTTPS_PROXY): ";
    assert!(run.errors().contains(part), "{}", run.describe());
    assert_no_secret(&run);
}

#[test]
fn untrusted_certificate_is_reported_through_tunnel() {
    let untrusted = Certificate::for_host("sts.aws.test");
    let bundle = Certificate::for_host("sts.aws.test");
    let server = account().serve_tls(&untrusted);
    let proxy = Proxy::for_server(&server);
    let run = over_tls(&bundle).env("HTTPS_PROXY", proxy.url()).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let line = run.errors();
    for part in ["sts.aws.test", &proxy.host(), "--ca-bundle", "home/ca.pem"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!run.stderr.contains(" attempt 2 of "), "{}", run.describe());
    assert!(server.calls().is_empty());
}

#[test]
fn no_proxy_and_loopback_are_direct() {
    let proxy = Proxy::with_status(403);
    let server: Server = account().serve();
    // The endpoint is on a loopback address.
    let run = Program::new(&server)
        .args(TYPES)
        .env("HTTP_PROXY", proxy.url())
        .env("HTTPS_PROXY", proxy.url())
        .env("ALL_PROXY", proxy.url())
        .run();
    assert_success(&run);
    // The name does not resolve, and the proxy is not asked for it.
    let run = Program::for_url("http://sts.aws.test/")
        .args(["--max-attempts", "1"])
        .env("HTTP_PROXY", proxy.url())
        .env("NO_PROXY", "x, aws.test")
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(
        !run.errors().contains("through the proxy"),
        "{}",
        run.describe()
    );
    assert_eq!(proxy.heads().len(), 0);
}

#[test]
fn invalid_proxy_fails_check_without_requests() {
    let server = account().serve();
    for value in ["http://marked:marked@:80", "socks5://marked:marked@proxy"] {
        let run = Program::new(&server)
            .env("HTTPS_PROXY", value)
            .arg("--debug")
            .run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let first = "HTTPS client can be built: HTTPS_PROXY is not a proxy URL such as";
        assert!(run.errors().contains(first), "{}", run.describe());
        assert_no_secret(&run);
    }
    // Not valid UTF-8.
    let run = Program::new(&server)
        .env("HTTPS_PROXY", OsStr::from_bytes(b"http://pr\xffxy:3128"))
        .run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(run.errors().contains("invalid host"), "{}", run.describe());
    assert_eq!(server.connections(), 0);
}

#[test]
fn https_proxy_is_connected_over_tls() {
    let certificate = Certificate::valid();
    let proxy = Server::with_tls(&certificate, |_| {
        Reply::response(407, "text/plain", Vec::new())
    });
    let run = over_tls(&certificate).env("HTTPS_PROXY", proxy.url()).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(run.errors().contains("(HTTP 407)"), "{}", run.describe());
    let connects = |call: &Call| call.method == "CONNECT" && call.path == "sts.aws.test:443";
    assert!(proxy.count(connects) >= 3, "{}", run.describe());
}

#[test]
fn replay_ignores_the_proxy() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/demo");
    let server = account().serve();
    let run = Program::new(&server)
        .env("HTTPS_PROXY", "socks5://marked")
        .args(["--replay", demo])
        .run();
    assert!(!run.errors().contains("HTTPS_PROXY"), "{}", run.describe());
    assert!(
        run.stdout.starts_with("Verifying prerequisites...\n✓"),
        "{}",
        run.describe()
    );
}
