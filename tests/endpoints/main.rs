//! Compares hosts and signing regions with botocore, for every region of every partition.
//!
//! `generate.py` writes the results of botocore to `botocore.tsv`. [`deviation`] lists the intended
//! differences with their reasons; the test checks these too.

use std::collections::BTreeMap;
use std::path::Path;

use aws_config_resource_count::aws::config_file::SharedFiles;
use aws_config_resource_count::aws::endpoint::Endpoints;
use aws_config_resource_count::aws::operation::Service;
use aws_config_resource_count::aws::partition::Partition;
use aws_config_resource_count::model::Region;
use aws_config_resource_count::recording::RecordedEnv;

const TABLE: &str = include_str!("botocore.tsv");

/// A host and the region of the signature; `None` for an error.
type HostAndRegion = Option<(String, String)>;

fn ours(service: &str, region: &Region, variant: &str) -> HostAndRegion {
    let switch =
        |name: &str, kind: &str| [kind, "both"].contains(&variant).then(|| name.to_owned());
    let switches = [
        switch("AWS_USE_FIPS_ENDPOINT", "fips"),
        switch("AWS_USE_DUALSTACK_ENDPOINT", "dualstack"),
    ];
    let variables: BTreeMap<_, _> = switches
        .into_iter()
        .flatten()
        .map(|name| (name, "true".to_owned()))
        .collect();
    let env = RecordedEnv::new(Path::new("none"), variables);
    let endpoints = Endpoints::new(None, &env, &SharedFiles::default(), "default").unwrap();
    let service = Service::ALL.into_iter().find(|s| s.name() == service);
    let endpoint = endpoints.resolve(service.unwrap(), region).ok()?;
    let host = endpoint.uri.strip_prefix("https://")?.strip_suffix('/')?;
    Some((host.to_owned(), endpoint.signing_region.to_string()))
}

/// The reason for a difference from botocore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// botocore composes `iam-fips.{suffix}`, a host that AWS does not document. A clear error is
    /// better than a host name that cannot be resolved.
    UndocumentedHost,
    /// botocore uses a host of the client's region and signs for the global region. Organizations
    /// is one service per partition: the program uses the host of the signing region, as without
    /// FIPS.
    HostOfAnotherRegion,
    /// botocore signs for `us-east-1`, which is in another partition.
    SignedForAnotherPartition,
}

/// Returns the intended result where it differs from botocore, with the reason.
fn deviation(
    service: &str,
    region: &Region,
    variant: &str,
    botocore: &HostAndRegion,
) -> Option<(Reason, HostAndRegion)> {
    let (host, signed) = botocore.as_ref()?;
    let partition = Partition::for_region(region);
    match (service, variant, partition.id) {
        ("iam", "fips", "aws-cn" | "aws-eusc" | "aws-iso-e" | "aws-iso-f")
        | ("iam", "both", "aws-cn" | "aws-eusc" | "aws-iso" | "aws-iso-b") => {
            Some((Reason::UndocumentedHost, None))
        }
        ("organizations", "fips", _)
            if host.contains(region.as_str()) && region.as_str() != signed =>
        {
            let host = host.replace(region.as_str(), signed);
            Some((Reason::HostOfAnotherRegion, Some((host, signed.clone()))))
        }
        ("organizations", "dualstack" | "both", "aws-iso" | "aws-iso-b") => {
            let global = partition.global_region().to_string();
            let reason = Reason::SignedForAnotherPartition;
            Some((reason, Some((host.clone(), global))))
        }
        _ => None,
    }
}

#[test]
fn hosts_and_signing_regions_equal_botocore() {
    let mut deviations: BTreeMap<Reason, usize> = BTreeMap::new();
    let mut rows = 0;
    let lines = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    for line in lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let [service, region, variant, host, signed] = fields[..] else {
            panic!("{line}")
        };
        let botocore = (host != "error").then(|| (host.to_owned(), signed.to_owned()));
        let region = region.parse().unwrap();
        let expected = match deviation(service, &region, variant, &botocore) {
            None => botocore,
            Some((reason, ours)) => {
                assert_ne!(ours, botocore, "not a deviation: {line}");
                *deviations.entry(reason).or_default() += 1;
                ours
            }
        };
        assert_eq!(ours(service, &region, variant), expected, "{line}");
        rows += 1;
    }
    assert_eq!(rows, 46 * 5 * 4, "regions × services × variants");
    let expected = [
        (Reason::UndocumentedHost, 13),
        (Reason::HostOfAnotherRegion, 4),
        (Reason::SignedForAnotherPartition, 8),
    ];
    assert_eq!(deviations, expected.into());
}
