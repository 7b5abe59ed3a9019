//! Tests of the advice on rejected signatures and permissions: it follows from the endpoint and from the identity.

use crate::support::{Call, Outcome, Program, Proxy, Reply, Server};
use crate::{TYPES, account};

/// A VPC endpoint of another region, which only the proxy of the tests finds.
const VPC_ENDPOINT: &str = "http://vpce-0a1b.config.us-west-2.vpce.amazonaws.com";
const SCOPE: &str = "Credential should be scoped to a valid region, not 'us-east-1'.";

/// Runs with AWS's own host names replaced by `server`, and AWS Config at the VPC endpoint.
fn run_with_vpc_endpoint(server: &Server, args: &[&str]) -> Outcome {
    let proxy = Proxy::for_server(server);
    let program = Program::without_server();
    let out = program.directory().join("out");
    let program = program.args(TYPES).args(args).arg("--output-dir").arg(out);
    program
        .env("AWS_ENDPOINT_URL", server.url())
        .env("AWS_ENDPOINT_URL_CONFIG_SERVICE", VPC_ENDPOINT)
        .env("HTTP_PROXY", proxy.url())
        .run()
}

/// Rejects the calls of AWS Config.
fn serve_rejecting(code: &'static str, message: &'static str) -> Server {
    account().serve_with(move |call: &Call| {
        let is_config = call.service == "config";
        is_config.then(|| Reply::error(call, 400, code, message))
    })
}

#[test]
fn vpc_endpoint_of_another_region_is_named() {
    let server = serve_rejecting("InvalidSignatureException", SCOPE);
    let run = run_with_vpc_endpoint(&server, &[]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let lines: Vec<_> = run
        .stdout
        .lines()
        .filter(|l| l.contains("ListDiscovered"))
        .collect();
    let line = lines.last().unwrap();
    for part in [
        "the credentials are valid, because GetCallerIdentity accepted them",
        "AWS_ENDPOINT_URL_CONFIG_SERVICE sends the requests for us-east-1",
        "vpce-0a1b.config.us-west-2.vpce.amazonaws.com, an endpoint of us-west-2",
        "--region us-west-2 --regions us-west-2",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(
        !run.stdout.contains("secret access key"),
        "{}",
        run.describe()
    );
}

#[test]
fn scan_names_the_endpoint_of_another_region() {
    for (code, message) in [
        ("InvalidSignatureException", SCOPE),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    ] {
        let server = serve_rejecting(code, message);
        let run = run_with_vpc_endpoint(&server, &["--skip-checks", "--regions", "us-east-1"]);
        let log = run.errors() + &run.stderr;
        assert!(log.contains(code), "{}", run.describe());
        assert!(
            log.contains("an endpoint of us-west-2"),
            "{}",
            run.describe()
        );
        for wrong in ["secret access key", "enable it for the account"] {
            assert!(!log.contains(wrong), "{wrong}: {}", run.describe());
        }
    }
}

#[test]
fn custom_endpoint_is_named_before_the_identity() {
    let server = account().serve_with(|call: &Call| {
        let text = "The request signature we calculated does not match the signature you provided.";
        Some(Reply::error(call, 403, "SignatureDoesNotMatch", text))
    });
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let advice = format!(
        "check the secret access key, and that {} is an endpoint of sts in us-east-1",
        server.host()
    );
    assert!(run.stdout.contains(&advice), "{}", run.describe());
}

#[test]
fn policy_that_denies_is_named() {
    let server = serve_rejecting(
        "AccessDeniedException",
        "User: arn:aws:iam::012345678901:user/auditor is not authorized to perform: \
         config:ListDiscoveredResources because no VPC endpoint policy allows the \
         config:ListDiscoveredResources action",
    );
    let run = run_with_vpc_endpoint(&server, &[]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let advice = "allow config:ListDiscoveredResources in the policy of the VPC endpoint";
    assert!(run.stdout.contains(advice), "{}", run.describe());
}

#[test]
fn advice_of_checks_follows_the_error() {
    for (code, message, advice) in [
        (
            "RegionDisabledException",
            "STS is not activated in this region for account:012345678901.",
            "; activate STS in this region",
        ),
        (
            "SignatureDoesNotMatch",
            "Signature expired: 20261126T204500Z is now earlier than 20261126T210000Z",
            "; check this machine's clock",
        ),
        (
            "SignatureDoesNotMatch",
            "Signature not yet current: 20261126T214500Z is still later than 20261126T210000Z",
            "; check this machine's clock",
        ),
    ] {
        let server = account().serve_with(move |call: &Call| {
            let is_sts = call.service == "sts";
            is_sts.then(|| Reply::error(call, 403, code, message))
        });
        let run = Program::new(&server).run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert!(run.errors().contains(advice), "{}", run.describe());
    }
}
