//! The coverage of all regions and types of a run.

use std::collections::HashSet;

use super::cell::Cell;
use super::global_types::{GlobalTotal, mark_counted_elsewhere};
use super::region_coverage::RegionCoverage;
use super::region_result::RegionResult;
use crate::inventory::Method;
use crate::model::{Region, ResourceCount, ResourceType, ResourceTypes};

/// The coverage of all regions and types of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The regions, sorted.
    pub regions: Vec<RegionCoverage>,
}

impl Coverage {
    /// Builds the coverage of `types` from the results of all regions.
    ///
    /// [`ResourceTypes::All`] means the types found in any region and the common types. The common
    /// types have cells even if every call failed; these cells are missing, not zero.
    #[must_use]
    pub fn new(mut results: Vec<RegionResult>, types: &ResourceTypes, method: Method) -> Self {
        results.sort_by(|a, b| a.region.cmp(&b.region));
        let all = all_types(&results, types);
        let mut details = HashSet::new();
        let mut regions: Vec<_> = results
            .into_iter()
            .map(|result| RegionCoverage::new(result, &all, types, method, &mut details))
            .collect();
        for resource_type in all.iter().filter(|t| t.is_global()) {
            mark_counted_elsewhere(&mut regions, resource_type);
        }
        Self { regions }
    }

    /// Returns every type; each region has a cell for each type.
    pub fn types(&self) -> impl Iterator<Item = &ResourceType> {
        self.regions.iter().take(1).flat_map(|r| r.cells.keys())
    }

    /// Returns every cell, by region and type.
    pub fn cells(&self) -> impl Iterator<Item = (&Region, &ResourceType, &Cell)> {
        self.regions
            .iter()
            .flat_map(|r| r.cells.iter().map(|(t, cell)| (&r.region, t, cell)))
    }

    /// Returns the known totals, by region and type.
    pub fn counts(&self) -> impl Iterator<Item = ResourceCount<'_>> {
        self.cells().filter_map(|(region, resource_type, cell)| {
            Some(ResourceCount {
                region,
                resource_type,
                total: cell.total()?,
            })
        })
    }

    /// Returns the number of missing counts.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.regions.iter().map(RegionCoverage::missing).sum()
    }

    /// Returns the number of resources of each global type that has a total, each resource counted
    /// once.
    #[must_use]
    pub fn global(&self) -> Vec<GlobalTotal<'_>> {
        let global = self.types().filter(|t| t.is_global());
        global
            .filter_map(|t| GlobalTotal::new(&self.regions, t))
            .collect()
    }
}

/// Returns the types of all cells, sorted.
fn all_types(results: &[RegionResult], types: &ResourceTypes) -> Vec<ResourceType> {
    let mut all: Vec<ResourceType> = match types {
        ResourceTypes::Named(types) => types.clone(),
        ResourceTypes::All => {
            let found: HashSet<_> = results.iter().flat_map(RegionResult::types).collect();
            let common = ResourceType::common().into_iter();
            found.into_iter().cloned().chain(common).collect()
        }
    };
    all.sort_unstable();
    all.dedup();
    all
}
