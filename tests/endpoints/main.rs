//! Compares hosts and signing regions with botocore, for every region of every partition.
//!
//! `generate.py` writes the results of botocore to `botocore.tsv`. [`deviation`] lists the intended
//! differences with their reasons; the test checks these too.

use std::collections::{BTreeMap, BTreeSet};
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
    /// botocore rejects dual-stack endpoints in the regions of this partition, and composes a host for its
    /// pseudo region only because it does not look the pseudo region up.
    DualStackOfPseudoRegion,
}

/// Returns the intended result where it differs from botocore, with the reason.
fn deviation(
    region: &Region,
    variant: &str,
    botocore: &HostAndRegion,
) -> Option<(Reason, HostAndRegion)> {
    botocore.as_ref()?;
    match (variant, region.as_str()) {
        ("dualstack" | "both", "aws-iso-e-global" | "aws-iso-f-global") => {
            Some((Reason::DualStackOfPseudoRegion, None))
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
        let expected = match deviation(&region, variant, &botocore) {
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
    assert_eq!(rows, 55 * 7 * 4, "regions × services × variants");
    let expected = [(Reason::DualStackOfPseudoRegion, 22)];
    assert_eq!(deviations, expected.into());
}

#[test]
fn every_region_of_botocore_is_known() {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    let regions: BTreeSet<&str> = lines.filter_map(|line| line.split('\t').nth(1)).collect();
    let (pseudo, real): (Vec<&str>, Vec<&str>) = regions
        .into_iter()
        .partition(|region| region.ends_with("-global"));
    let mut known: Vec<&str> = Partition::known_regions().collect();
    known.sort_unstable();
    assert_eq!(real, known, "src/aws/partition.rs has these regions");
    for region in pseudo {
        let region = region.parse().unwrap();
        assert!(Partition::of_pseudo_region(&region).is_some(), "{region}");
    }
}
