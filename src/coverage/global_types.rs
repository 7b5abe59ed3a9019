//! Global types: every region that records one lists the same resources.

use std::collections::HashSet;

use super::cell::Value;
use super::region_coverage::RegionCoverage;
use super::status::Status;
use crate::model::{Region, ResourceType};

/// The number of resources of a global type, each resource counted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalTotal<'a> {
    /// The type.
    pub resource_type: &'a ResourceType,
    /// The number of resources.
    pub total: u64,
    /// The region whose total it is, the largest one, if the resource IDs are not known.
    pub region: Option<&'a Region>,
}

impl<'a> GlobalTotal<'a> {
    /// Counts the resources of a global type once; `None` if no region has a total.
    pub(super) fn new(
        regions: &'a [RegionCoverage],
        resource_type: &'a ResourceType,
    ) -> Option<Self> {
        let total = |r: &'a RegionCoverage| Some((r.cells.get(resource_type)?.total()?, r));
        let totals: Vec<(u64, &RegionCoverage)> = regions.iter().filter_map(total).collect();
        // The first region, if several have the same number.
        let largest = totals.iter().rev().max_by_key(|(total, _)| total)?;
        let ids = |(total, region): &(u64, &'a RegionCoverage)| {
            let ids = region.global_ids.get(resource_type).map(Vec::as_slice);
            // A total of zero has no IDs, with any method.
            ids.or((*total == 0).then_some(&[]))
        };
        let ids: Option<Vec<&[u64]>> = totals.iter().map(ids).collect();
        let different = ids.map(|ids| ids.into_iter().flatten().collect::<HashSet<_>>().len());
        Some(Self {
            resource_type,
            total: different.map_or(largest.0, |n| n as u64),
            region: different.is_none().then_some(&largest.1.region),
        })
    }
}

/// Marks the cells of a global type that is not recorded as counted elsewhere, if a region records
/// and counts it.
pub(super) fn mark_counted_elsewhere(regions: &mut [RegionCoverage], resource_type: &ResourceType) {
    // A stale count, or a count with an unknown recorder, cannot replace another region's count.
    let is_exact = |region: &&RegionCoverage| {
        let cell = region.cells.get(resource_type);
        cell.is_some_and(|c| matches!(c.value, Value::Exact(_)))
    };
    let Some(elsewhere) = regions.iter().find(is_exact) else {
        return;
    };
    let elsewhere = elsewhere.region.clone();
    let cells = regions.iter_mut().map(|r| r.cells.get_mut(resource_type));
    for cell in cells.flatten() {
        if cell.is_missing() && cell.status() == Status::NotRecorded {
            cell.value = Value::CountedElsewhere {
                region: elsewhere.clone(),
            };
        }
    }
}
