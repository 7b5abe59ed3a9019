//! The figures of a run, and its counts by status.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::account_coverage::Coverage;
use super::cell::Cell;
use super::global_types::GlobalTotal;
use super::status::Status;
use crate::model::{Region, ResourceType};

/// The figures of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals<'a> {
    /// The number of counts: regions × types.
    pub cells: usize,
    /// The number of counts with a total.
    pub counted: usize,
    /// The number of missing counts.
    pub missing: usize,
    /// The number of regions with missing counts.
    pub incomplete_regions: usize,
    /// The number of types with at least one resource.
    pub types_found: usize,
    /// The sum of all totals: a global resource is counted in each region that lists it.
    pub recorded: u64,
    /// The sum of all totals, with each global resource counted once.
    pub once: u64,
    /// The totals of the global types.
    pub global: Vec<GlobalTotal<'a>>,
}

/// Cells with the same status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group<'a> {
    /// The number of cells.
    pub cells: usize,
    /// Their regions.
    pub regions: BTreeSet<&'a Region>,
    /// Their types.
    pub types: BTreeSet<&'a ResourceType>,
}

impl Coverage {
    /// Returns the figures of the run.
    #[must_use]
    pub fn totals(&self) -> Totals<'_> {
        let found = self.counts().filter(|c| c.total > 0);
        let recorded: u64 = self.counts().map(|c| c.total).sum();
        let global = self.global();
        let global_counts = self.counts().filter(|c| c.resource_type.is_global());
        let in_all_regions: u64 = global_counts.map(|c| c.total).sum();
        let once: u64 = global.iter().map(|g| g.total).sum();
        Totals {
            cells: self.cells().count(),
            counted: self.counts().count(),
            missing: self.missing(),
            incomplete_regions: self.regions.iter().filter(|r| r.missing() > 0).count(),
            types_found: found.map(|c| c.resource_type).collect::<HashSet<_>>().len(),
            recorded,
            once: recorded - in_all_regions + once,
            global,
        }
    }

    /// Returns the cells that `is_wanted` selects, by status.
    pub fn groups(&self, is_wanted: fn(&Cell) -> bool) -> BTreeMap<Status, Group<'_>> {
        let mut groups: BTreeMap<Status, Group<'_>> = BTreeMap::new();
        for (region, resource_type, cell) in self.cells().filter(|(.., cell)| is_wanted(cell)) {
            let group = groups.entry(cell.status()).or_default();
            group.cells += 1;
            group.regions.insert(region);
            group.types.insert(resource_type);
        }
        groups
    }

    /// Returns the regions with totals whose recorder is unknown, by the status of the failed call.
    #[must_use]
    pub fn unknown_recorders(&self) -> BTreeMap<Status, BTreeSet<&Region>> {
        let mut regions: BTreeMap<Status, BTreeSet<&Region>> = BTreeMap::new();
        for region in &self.regions {
            let why = region.recorder.as_ref().and_then(|r| r.unknown_why());
            let mut cells = region.cells.values();
            if let Some(why) = why
                && cells.any(|cell| cell.total().is_some())
            {
                let same = regions.entry(why.status).or_default();
                same.insert(&region.region);
            }
        }
        regions
    }
}
