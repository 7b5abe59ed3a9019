//! The figures of a run, and its counts by status.

use std::collections::{BTreeMap, BTreeSet};

use super::account_coverage::Coverage;
use super::cell::Cell;
use super::global_types::GlobalTotal;
use super::recorder::RecordingStatus;
use super::status::Status;
use crate::error_log::ErrorType;
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

/// The types of a region whose counts are missing for the same reason, which is not in the log yet,
/// because no call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnloggedGap<'a> {
    /// The region.
    pub region: &'a Region,
    /// The types, at least one.
    pub types: Vec<&'a ResourceType>,
    /// The error type of the log line.
    pub error_type: ErrorType,
    /// The cell of the first type, with the reason.
    pub cell: &'a Cell,
}

impl Coverage {
    /// Returns the figures of the run.
    #[must_use]
    pub fn totals(&self) -> Totals<'_> {
        let global = self.global();
        let once: u64 = global.iter().map(|g| g.total).sum();
        let regional = self.counts().filter(|(_, t, _)| !t.is_global());
        let is_found = |n: &usize| self.regions.iter().any(|r| r.cells[*n].total() > Some(0));
        Totals {
            cells: self.cells().count(),
            counted: self.counts().count(),
            missing: self.missing(),
            incomplete_regions: self.regions.iter().filter(|r| r.missing() > 0).count(),
            types_found: (0..self.types.len()).filter(is_found).count(),
            recorded: self.counts().map(|(.., total)| total).sum(),
            once: once + regional.map(|(.., total)| total).sum::<u64>(),
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
            let recorder = region.result.recorder.as_ref();
            if let Some(why) = recorder.and_then(|r| r.unknown_why())
                && region.cells.iter().any(|cell| cell.total().is_some())
            {
                let same = regions.entry(why.status).or_default();
                same.insert(&region.result.region);
            }
        }
        regions
    }

    /// Returns the gaps without a log line, grouped by region and reason.
    #[must_use]
    pub fn unlogged(&self) -> Vec<UnloggedGap<'_>> {
        let mut groups = BTreeMap::new();
        for (region, resource_type, cell) in self.cells() {
            let error_type = match cell {
                Cell::Complete(None, RecordingStatus::Unknown(why)) => why.error_type,
                Cell::Complete(None, _) => ErrorType::ConfigDisabled,
                _ => continue,
            };
            let group = groups.entry((region, cell.status(), error_type));
            let group = group.or_insert_with(|| UnloggedGap {
                region,
                types: Vec::new(),
                error_type,
                cell,
            });
            group.types.push(resource_type);
        }
        groups.into_values().collect()
    }
}
