//! The regions of `--regions`, `--exclude-regions` and `--accept-missing` that this version of the program does not know: AWS opens
//! regions, and users misspell them.

use std::collections::BTreeSet;

use super::identity;
use crate::aws::client::Client;
use crate::aws::error::CallError;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::partition::Partition;
use crate::model::{ExpectedGap, Region};
use crate::options::Options;
use crate::text::{did_you_mean, near_matches};
use crate::untrusted::Untrusted;

/// A region of an option that AWS does not have.
#[derive(Debug, thiserror::Error)]
#[error("{option}: AWS has no region {region}{near}")]
pub struct UnknownRegion {
    option: &'static str,
    region: Region,
    near: String,
}

/// Looks the regions up that are not known: those that are enabled for the account and those that are not. Returns the
/// regions that AWS does not have.
pub(super) fn look_up(
    options: &Options,
    client: &Client,
    start: &Region,
) -> Result<Vec<UnknownRegion>, CallError> {
    if !need_look_up(options) {
        return Ok(Vec::new());
    }
    let names = identity::call(client, start, &DescribeRegions { all: true })?.output;
    let regions: Vec<Region> = names.iter().filter_map(Untrusted::parse).collect();
    Ok(unknown(options, &regions))
}

/// Returns true if a region of the options is not known.
pub(super) fn need_look_up(options: &Options) -> bool {
    given(options).any(|(_, region)| !Partition::knows(region))
}

/// Returns the regions that are neither known nor in `regions`.
pub(super) fn unknown(options: &Options, regions: &[Region]) -> Vec<UnknownRegion> {
    let is_unknown =
        |(_, region): &(_, &Region)| !Partition::knows(region) && !regions.contains(region);
    let mut candidates: Vec<&str> = Partition::known_regions().collect();
    for region in regions {
        candidates.push(region.as_str());
    }
    let describe = |(option, region): (_, &Region)| UnknownRegion {
        option,
        region: region.clone(),
        near: did_you_mean(&near_matches(region.as_str(), candidates.iter().copied())),
    };
    given(options).filter(is_unknown).map(describe).collect()
}

/// Returns the regions of the options, with the option.
fn given(options: &Options) -> impl Iterator<Item = (&'static str, &Region)> {
    let included = options.regions.iter().map(|r| ("--regions", r));
    let excluded = options.exclude_regions.iter();
    let accepted: BTreeSet<&Region> = options
        .accept_missing
        .iter()
        .filter_map(ExpectedGap::region)
        .collect();
    included
        .chain(excluded.map(|r| ("--exclude-regions", r)))
        .chain(accepted.into_iter().map(|r| ("--accept-missing", r)))
}
