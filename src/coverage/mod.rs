//! What is known of every region and type: the one source of the CSV, the summary and the report.

mod difference;
mod recorder;
mod settle;
mod status;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

pub use difference::{Comparison, Difference};
pub use recorder::{Recorder, Running, Standing};
pub use settle::{Settling, Untold};
pub use status::Status;

use crate::count::{Counts, Listed};
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceCount, ResourceType};

/// Why something is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What that leaves of a region and type.
    pub status: Status,
    /// How the log calls it.
    pub error_type: ErrorType,
    /// What happened and what to do about it.
    pub detail: Arc<str>,
}

impl Loss {
    /// The loss that an incident of that type is.
    #[must_use]
    pub fn of(error_type: ErrorType, detail: &str) -> Self {
        Self {
            status: Status::of(error_type),
            error_type,
            detail: detail.into(),
        }
    }
}

/// What the task of one region brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The region.
    pub region: Region,
    /// The counts of all that is recorded, where they were asked for and came.
    pub counts: Option<Counts>,
    /// What became of each listing that was begun.
    pub listed: BTreeMap<ResourceType, Result<Listed, Loss>>,
    /// How many of a global type's resources no region named before.
    pub first_seen: BTreeMap<ResourceType, u64>,
    /// What became of all other types.
    pub rest: Loss,
    /// How long it took.
    pub took: Duration,
}

/// The ids of the global resources that were named so far.
pub type Seen = HashMap<ResourceType, HashSet<String>>;

impl Outcome {
    /// A region of which nothing is known.
    #[must_use]
    pub fn lost(region: Region, why: Loss) -> Self {
        Self {
            region,
            counts: None,
            listed: BTreeMap::new(),
            first_seen: BTreeMap::new(),
            rest: why,
            took: Duration::ZERO,
        }
    }

    /// Moves the ids of global resources to `seen`, and keeps how many of them were new there.
    pub fn hand_over_ids(&mut self, seen: &mut Seen) {
        for (resource_type, listed) in &mut self.listed {
            let Ok(listed) = listed else { continue };
            if !resource_type.is_global() {
                continue;
            }
            let known = seen.entry(resource_type.clone()).or_default();
            let ids = std::mem::take(&mut listed.ids);
            let new = ids
                .into_iter()
                .filter(|id| known.insert(id.clone()))
                .count();
            self.first_seen.insert(resource_type.clone(), new as u64);
        }
    }
}

/// What is known of one region and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// In one word.
    pub status: Status,
    /// Whether nobody knows how many: no total, and no other region that counts the same resources.
    pub missing: bool,
    detail: Option<Arc<str>>,
    /// What the listing said.
    pub listed: Option<u64>,
    /// What the counts said.
    pub counted: Option<u64>,
    /// Whether what was said can be relied on.
    known: bool,
    /// How the log is to tell of the loss, where no call has told of it.
    untold: Option<ErrorType>,
}

impl Cell {
    /// How many there are, where that is known; what is stale or not recorded is told by the status.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        // What was listed page by page has the word.
        self.listed.or(self.counted).filter(|_| self.known)
    }

    /// Why there is no total, or what to keep in mind about it; empty where there is nothing to say.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }
}

/// What is known of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionCoverage {
    /// The region.
    pub region: Region,
    /// Its recorder; `None` where nobody asked.
    pub recorder: Option<Recorder>,
    /// By type.
    pub cells: Cells,
    /// Of global types that were listed: how many no region named before.
    pub first_seen: BTreeMap<ResourceType, u64>,
    /// How long its counting took.
    pub took: Duration,
}

/// The cells of one region, by type, sorted; a run has as many as regions × types, so that the names
/// of the types are there once for all regions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells {
    types: Arc<[ResourceType]>,
    values: Vec<Cell>,
    /// How many of them are missing.
    missing: usize,
}

impl Cells {
    /// The cell of a type.
    #[must_use]
    pub fn get(&self, resource_type: &ResourceType) -> Option<&Cell> {
        self.values
            .get(self.types.binary_search(resource_type).ok()?)
    }

    /// Every type with its cell.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceType, &Cell)> {
        self.types.iter().zip(&self.values)
    }

    /// Every cell, in the order of the types.
    #[must_use]
    pub fn values(&self) -> &[Cell] {
        &self.values
    }
}

impl RegionCoverage {
    /// How many types nobody knows the number of.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.cells.missing
    }
}

/// What is known of every region and type of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By region, sorted.
    pub regions: Vec<RegionCoverage>,
}

impl Coverage {
    /// Every type; each region has a cell for each of them.
    pub fn types(&self) -> impl Iterator<Item = &ResourceType> {
        self.regions
            .first()
            .into_iter()
            .flat_map(|r| r.cells.types.iter())
    }

    /// Every cell, by region and type.
    pub fn cells(&self) -> impl Iterator<Item = (&Region, &ResourceType, &Cell)> {
        self.regions
            .iter()
            .flat_map(|r| r.cells.iter().map(|(t, cell)| (&r.region, t, cell)))
    }

    /// The totals that are known, by region and type.
    pub fn counts(&self) -> impl Iterator<Item = ResourceCount<'_>> {
        self.cells().filter_map(|(region, resource_type, cell)| {
            Some(ResourceCount {
                region,
                resource_type,
                total: cell.total()?,
            })
        })
    }

    /// How many resources of a type all regions have, as far as that is known.
    #[must_use]
    pub fn total(&self, resource_type: &ResourceType) -> u64 {
        let cells = self
            .regions
            .iter()
            .filter_map(|r| r.cells.get(resource_type));
        cells.filter_map(Cell::total).sum()
    }

    /// How many cells nobody knows the number of.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.regions.iter().map(RegionCoverage::missing).sum()
    }

    /// The global resources, each counted once: type by type their number, and the region that it
    /// was taken from, where it is not by their ids.
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
            // Of none there are no ids, whichever way they were counted.
            let new = |(total, region): (u64, &RegionCoverage)| {
                let first_seen = region.first_seen.get(resource_type).copied();
                first_seen.or((total == 0).then_some(0))
            };
            let by_id: Option<u64> = counted().map(new).sum();
            // Of regions with the same number the first one.
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
