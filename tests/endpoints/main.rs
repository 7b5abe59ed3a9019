//! Our hosts and signing regions beside botocore's own, over every region of every partition.
//!
//! `botocore.tsv` is what botocore does, written by `generate.py`. Where ours differ, the reason stands in
//! [`deviation`], and each of them is held too.

use std::collections::BTreeMap;
use std::path::Path;

use aws_config_resource_count::aws::config_file::SharedFiles;
use aws_config_resource_count::aws::endpoint::Endpoints;
use aws_config_resource_count::aws::operation::Service;
use aws_config_resource_count::aws::partition::Partition;
use aws_config_resource_count::env::FolderEnv;
use aws_config_resource_count::model::Region;

const TABLE: &str = include_str!("botocore.tsv");

/// A host and the region of the signature; `None` for an error.
type Answer = Option<(String, String)>;

fn ours(service: &str, region: &Region, variant: &str) -> Answer {
    let on = |name: &str, of: &str| [of, "both"].contains(&variant).then(|| name.to_owned());
    let switches = [
        on("AWS_USE_FIPS_ENDPOINT", "fips"),
        on("AWS_USE_DUALSTACK_ENDPOINT", "dualstack"),
    ];
    let variables: BTreeMap<_, _> = switches
        .into_iter()
        .flatten()
        .map(|name| (name, "true".to_owned()))
        .collect();
    let env = FolderEnv::new(Path::new("none"), variables);
    let endpoints = Endpoints::new(None, &env, &SharedFiles::default(), "default").unwrap();
    let service = Service::ALL.into_iter().find(|s| s.name() == service);
    let endpoint = endpoints.resolve(service.unwrap(), region).ok()?;
    let host = endpoint.uri.strip_prefix("https://")?.strip_suffix('/')?;
    Some((host.to_owned(), endpoint.signing_region.to_string()))
}

/// Why ours is not botocore's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// botocore puts `iam-fips.{suffix}` together from parts; nobody says that such a host exists.
    /// Better a clear refusal than a name that is not found.
    PutTogether,
    /// botocore names the host after the client's region and signs for the global one. Organizations
    /// is one service per partition: it is asked where its signature is for, as without FIPS.
    HostOfAnotherRegion,
    /// botocore signs for `us-east-1`, a region of another partition.
    SignedForAnotherPartition,
}

/// What ours is where it is not botocore's, with the reason.
fn deviation(
    service: &str,
    region: &Region,
    variant: &str,
    botocore: &Answer,
) -> Option<(Reason, Answer)> {
    let (host, signed) = botocore.as_ref()?;
    let partition = Partition::of(region);
    match (service, variant, partition.id) {
        ("iam", "fips", "aws-cn" | "aws-eusc" | "aws-iso-e" | "aws-iso-f")
        | ("iam", "both", "aws-cn" | "aws-eusc" | "aws-iso" | "aws-iso-b") => {
            Some((Reason::PutTogether, None))
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
fn hosts_and_signing_regions_are_those_of_botocore() {
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
                assert_ne!(ours, botocore, "no deviation: {line}");
                *deviations.entry(reason).or_default() += 1;
                ours
            }
        };
        assert_eq!(ours(service, &region, variant), expected, "{line}");
        rows += 1;
    }
    assert_eq!(rows, 46 * 5 * 4, "regions × services × variants");
    let expected = [
        (Reason::PutTogether, 13),
        (Reason::HostOfAnotherRegion, 4),
        (Reason::SignedForAnotherPartition, 8),
    ];
    assert_eq!(deviations, expected.into());
}
