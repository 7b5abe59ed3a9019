//! Tests of AWS's own hosts, without a custom endpoint: pseudo regions and variants of endpoints.
//!
//! A proxy refuses every host, so no request leaves this machine; its log has the hosts.

use std::collections::BTreeSet;

use crate::TYPES;
use crate::support::{Outcome, Program, Proxy};

/// Runs the program with `variables` and the config file `profile`. Returns the run and the hosts it tried to
/// reach.
fn run(variables: &[(&str, &str)], profile: &str) -> (Outcome, BTreeSet<String>) {
    let proxy = Proxy::with_status(503);
    let mut program = Program::without_server()
        .args(TYPES)
        .args(["--max-attempts", "1"])
        .env("HTTPS_PROXY", proxy.url());
    let aws = program.directory().join("home/.aws");
    std::fs::create_dir(&aws).unwrap();
    std::fs::write(aws.join("config"), profile).unwrap();
    for (name, value) in variables {
        program = program.env(name, value);
    }
    let run = program.run();
    let host = |head: &String| {
        let host = head.strip_prefix("CONNECT ")?.split_once(":443 ")?.0;
        Some(host.to_owned())
    };
    (run, proxy.heads().iter().filter_map(host).collect())
}

const REGION: &str = "AWS_REGION";
const FIPS: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
const DUAL_STACK: (&str, &str) = ("AWS_USE_DUALSTACK_ENDPOINT", "true");

#[test]
fn pseudo_regions_resolve_as_in_botocore() {
    for (variables, hosts) in [
        (
            &[(REGION, "aws-global")][..],
            [
                "sts.amazonaws.com",
                "iam.amazonaws.com",
                "ec2.aws-global.amazonaws.com",
            ],
        ),
        (
            &[(REGION, "aws-global"), FIPS],
            [
                "sts-fips.aws-global.amazonaws.com",
                "iam-fips.amazonaws.com",
                "ec2-fips.aws-global.amazonaws.com",
            ],
        ),
        (
            &[(REGION, "aws-cn-global")],
            [
                "sts.aws-cn-global.amazonaws.com.cn",
                "iam.cn-north-1.amazonaws.com.cn",
                "ec2.aws-cn-global.amazonaws.com.cn",
            ],
        ),
        (
            &[(REGION, "aws-us-gov-global"), DUAL_STACK],
            [
                "sts.aws-us-gov-global.api.aws",
                "iam.us-gov.api.aws",
                "ec2.aws-us-gov-global.api.aws",
            ],
        ),
        (
            &[(REGION, "fips-us-west-2")],
            [
                "sts-fips.us-west-2.amazonaws.com",
                "iam-fips.amazonaws.com",
                "ec2-fips.us-west-2.amazonaws.com",
            ],
        ),
    ] {
        let (run, reached) = run(variables, "");
        assert_eq!(run.code, Some(1), "{}", run.describe());
        for host in hosts {
            assert!(reached.contains(host), "{host} {reached:?}");
        }
    }
}

/// No host of a pseudo region but those of IAM and STS exists. The program then uses the partition's global region.
#[test]
fn pseudo_region_falls_back_to_global_region() {
    for (region, hosts) in [
        (
            "aws-global",
            [
                "ec2.us-east-1.amazonaws.com",
                "config.us-east-1.amazonaws.com",
            ],
        ),
        (
            "AWS-CN-Global",
            [
                "ec2.cn-northwest-1.amazonaws.com.cn",
                "config.cn-northwest-1.amazonaws.com.cn",
            ],
        ),
    ] {
        let profile = format!("[default]\nregion = {region}\n");
        let (run, reached) = run(&[], &profile);
        assert_eq!(run.code, Some(1), "{}", run.describe());
        for host in hosts {
            assert!(reached.contains(host), "{host} {reached:?}");
        }
    }
}

/// botocore composes these hosts although AWS does not document them.
#[test]
fn composed_variants_are_called() {
    for (variables, host) in [
        (
            &[(REGION, "cn-north-1"), FIPS][..],
            "iam-fips.amazonaws.com.cn",
        ),
        (
            &[(REGION, "eusc-de-east-1"), FIPS, DUAL_STACK],
            "iam-fips.api.amazonwebservices.eu",
        ),
        (
            &[(REGION, "us-iso-east-1"), FIPS, DUAL_STACK],
            "iam-fips.api.aws.ic.gov",
        ),
        (
            &[(REGION, "eu-isoe-west-1"), FIPS],
            "iam-fips.cloud.adc-e.uk",
        ),
    ] {
        let (run, reached) = run(variables, "");
        assert_eq!(run.code, Some(1), "{}", run.describe());
        assert!(reached.contains(host), "{host} {reached:?}");
    }
}

#[test]
fn missing_variant_fails_its_call_only() {
    for (variables, message) in [
        (
            &[(REGION, "us-isof-south-1"), DUAL_STACK][..],
            "ec2 has no dual-stack endpoint in the partition aws-iso-f",
        ),
        (
            &[(REGION, "eu-isoe-west-1"), FIPS, DUAL_STACK],
            "sts has no FIPS and dual-stack endpoint in the partition aws-iso-e",
        ),
    ] {
        let (run, _) = run(variables, "");
        assert_eq!(run.code, Some(1), "{}", run.describe());
        for part in [
            "✓ HTTPS client can be built",
            "✓ AWS credentials configured",
            "✗ IAM permission: sts:GetCallerIdentity",
            message,
        ] {
            assert!(run.stdout.contains(part), "{part}: {}", run.describe());
        }
    }
}
