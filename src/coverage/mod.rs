//! The coverage: the count and status of every region and type. Source of the CSV, the summary and
//! the report.

mod difference;
mod recorder;
mod settle;
mod status;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

pub use difference::{Comparison, Difference};
pub use recorder::{Recorder, RecorderState, RecordingStatus};
pub use settle::{Settling, UnloggedGap};
pub use status::Status;

use crate::error_log::ErrorType;
use crate::inventory::{Counts, Listed};
use crate::model::{Region, ResourceCount, ResourceType};

/// The reason why a count is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The resulting status of the region and type.
    pub status: Status,
    /// The error type in the log.
    pub error_type: ErrorType,
    /// The error and what to do about it.
    pub detail: Arc<str>,
}

impl Gap {
    /// Creates the gap caused by an error of this type.
    #[must_use]
    pub fn new(error_type: ErrorType, detail: &str) -> Self {
        Self {
            status: Status::from_error_type(error_type),
            error_type,
            detail: detail.into(),
        }
    }
}

/// The scan result of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionResult {
    /// The region.
    pub region: Region,
    /// The counts of recorded resources, if they were requested and the call succeeded.
    pub counts: Option<Counts>,
    /// The result of each listing that was started.
    pub listed: BTreeMap<ResourceType, Result<Listed, Gap>>,
    /// By global type: the number of resources that no earlier region listed.
    pub new_global_resources: BTreeMap<ResourceType, u64>,
    /// The gap of all types that were not listed.
    pub unlisted: Gap,
    /// The duration of the region's scan.
    pub took: Duration,
}

/// The hashes of the IDs of the global resources that were listed so far, by type.
pub type SeenIds = HashMap<ResourceType, HashSet<u64>>;

impl RegionResult {
    /// Creates the result of a region without any count.
    #[must_use]
    pub fn missing(region: Region, gap: Gap) -> Self {
        Self {
            region,
            counts: None,
            listed: BTreeMap::new(),
            new_global_resources: BTreeMap::new(),
            unlisted: gap,
            took: Duration::ZERO,
        }
    }

    /// Moves the IDs of global resources to `seen`, and stores the number of new ones.
    pub fn deduplicate_global_ids(&mut self, seen: &mut SeenIds) {
        for (resource_type, listed) in &mut self.listed {
            let Ok(listed) = listed else { continue };
            if !resource_type.is_global() {
                continue;
            }
            let known = seen.entry(resource_type.clone()).or_default();
            let ids = std::mem::take(&mut listed.ids);
            let new = ids.into_iter().filter(|id| known.insert(*id)).count();
            self.new_global_resources
                .insert(resource_type.clone(), new as u64);
        }
    }
}

/// The count of one region and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The status.
    pub status: Status,
    /// True if the count is missing: there is no total, and no other region counts the same
    /// resources.
    pub missing: bool,
    detail: Option<Arc<str>>,
    /// The total of the listing, if it is complete.
    pub listed: Option<u64>,
    /// The count from AWS Config's own counts, if they were requested.
    pub counted: Option<u64>,
    /// True if the total may be reported.
    known: bool,
    /// The error type to log for the gap, if no failed call was logged for it.
    unlogged: Option<ErrorType>,
}

impl Cell {
    /// Returns the total, if it is known. The status shows if it may be stale or not recorded.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        // The listing takes precedence over the counts.
        self.listed.or(self.counted).filter(|_| self.known)
    }

    /// Returns the reason why there is no total, or a note about it; empty if there is neither.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }
}

/// The coverage of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionCoverage {
    /// The region.
    pub region: Region,
    /// The recorder; `None` if it was not requested.
    pub recorder: Option<Recorder>,
    /// The cells, by type.
    pub cells: Cells,
    /// By listed global type: the number of resources that no earlier region listed.
    pub new_global_resources: BTreeMap<ResourceType, u64>,
    /// The duration of the region's scan.
    pub took: Duration,
}

/// The cells of one region, sorted by type. All regions share the type names, because a run has
/// regions × types cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    types: Arc<[ResourceType]>,
    values: Vec<Cell>,
    /// The number of missing cells.
    missing: usize,
}

impl Cells {
    /// Returns the cell of a type.
    #[must_use]
    pub fn get(&self, resource_type: &ResourceType) -> Option<&Cell> {
        self.values
            .get(self.types.binary_search(resource_type).ok()?)
    }

    /// Returns every type with its cell.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceType, &Cell)> {
        self.types.iter().zip(&self.values)
    }

    /// Returns every cell, in the order of the types.
    #[must_use]
    pub fn values(&self) -> &[Cell] {
        &self.values
    }
}

impl RegionCoverage {
    /// Returns the number of types whose count is missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.cells.missing
    }
}

/// The coverage of all regions and types of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The regions, sorted.
    pub regions: Vec<RegionCoverage>,
}

impl Coverage {
    /// Returns every type; each region has a cell for each type.
    pub fn types(&self) -> impl Iterator<Item = &ResourceType> {
        self.regions
            .first()
            .into_iter()
            .flat_map(|r| r.cells.types.iter())
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

    /// Returns the sum of the known totals of a type over all regions.
    #[must_use]
    pub fn total(&self, resource_type: &ResourceType) -> u64 {
        let cells = self
            .regions
            .iter()
            .filter_map(|r| r.cells.get(resource_type));
        cells.filter_map(Cell::total).sum()
    }

    /// Returns the number of missing counts.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.regions.iter().map(RegionCoverage::missing).sum()
    }

    /// Returns the number of global resources by type, each resource counted once. The region is
    /// given if the number is that of the region with the largest count, because the resource IDs
    /// are not known.
    #[must_use]
    pub fn global(&self) -> BTreeMap<&ResourceType, (u64, Option<&Region>)> {
        let mut once = BTreeMap::new();
        for resource_type in self.types().filter(|t| t.is_global()) {
            let counted = || {
                self.regions.iter().filter_map(|region| {
                    let cell = region.cells.get(resource_type)?;
                    Some((cell.total()?, region))
                })
            };
            // A count of zero has no IDs, with any method.
            let new = |(total, region): (u64, &RegionCoverage)| {
                let new_global_resources = region.new_global_resources.get(resource_type).copied();
                new_global_resources.or((total == 0).then_some(0))
            };
            let by_id: Option<u64> = counted().map(new).sum();
            // The first region, if several have the same number.
            let largest = counted().max_by_key(|(total, region)| (*total, Reverse(&region.region)));
            if let Some((total, region)) = largest {
                let once_each = by_id.map_or((total, Some(&region.region)), |n| (n, None));
                once.insert(resource_type, once_each);
            }
        }
        once
    }
}

#[cfg(test)]
mod tests;
