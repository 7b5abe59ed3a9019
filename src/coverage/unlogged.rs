//! Gaps without a log line, because no call failed.

use std::collections::BTreeMap;

use super::account_coverage::Coverage;
use super::cell::Value;
use super::gap::Gap;
use super::region_coverage::RegionCoverage;
use super::status::Status;
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType};

/// The types of a region whose counts are missing for the same reason, which is not in the log yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnloggedGap<'a> {
    /// The region.
    pub region: &'a Region,
    /// The types, at least one.
    pub types: Vec<&'a ResourceType>,
    /// The reason.
    pub gap: &'a Gap,
}

impl Coverage {
    /// Returns the gaps without a log line, grouped by region and reason.
    #[must_use]
    pub fn unlogged(&self) -> Vec<UnloggedGap<'_>> {
        self.regions.iter().flat_map(unlogged_in).collect()
    }
}

fn unlogged_in(region: &RegionCoverage) -> impl Iterator<Item = UnloggedGap<'_>> {
    let mut groups: BTreeMap<(Status, ErrorType), UnloggedGap<'_>> = BTreeMap::new();
    for (resource_type, cell) in &region.cells {
        if let Value::Missing(gap) = &cell.value
            && !gap.logged
        {
            let group = groups.entry((gap.status, gap.error_type));
            let group = group.or_insert_with(|| UnloggedGap {
                region: &region.region,
                types: Vec::new(),
                gap,
            });
            group.types.push(resource_type);
        }
    }
    groups.into_values()
}
