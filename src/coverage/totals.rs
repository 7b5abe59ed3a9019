//! The figures of a run, and its counts by status.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::account_coverage::{Completeness as C, Coverage};
use super::cell::Cell;
use super::global_types::GlobalTotal;
use super::status::{Class, Status};
use crate::model::{Region, ResourceType};

/// The figures of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals<'a> {
    /// The number of counts: regions × types.
    pub cells: usize,
    /// The number of known counts.
    pub known: usize,
    /// The number of stale counts.
    pub stale: usize,
    /// The number of unverified counts.
    pub unverified: usize,
    /// The number of missing counts.
    pub missing: usize,
    /// The number of regions with missing counts.
    pub incomplete_regions: usize,
    /// The number of regions with stale counts, but without missing ones.
    pub stale_regions: usize,
    /// The number of global types that are missing because no region records and counts them.
    pub missing_global_types: usize,
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
    /// True if the regions have no other counts, apart from global types that they do not record.
    pub is_whole: bool,
    /// The times since which their recorders have not recorded.
    pub since: BTreeSet<Option<OffsetDateTime>>,
}

impl Coverage {
    /// Returns the figures of the run.
    #[must_use]
    pub fn totals(&self) -> Totals<'_> {
        let global = self.global();
        let once: u64 = global.iter().map(|g| g.total).sum();
        let regional = self.counts().filter(|(_, t, _)| !t.is_global());
        let global_gaps = self.cells().filter_map(|(_, t, cell)| {
            (cell.is_missing() && cell.is_unrecorded_global(t)).then_some(t)
        });
        let regions = |is_wanted: fn(C) -> bool| {
            let regions = self.regions.iter();
            regions.filter(|r| is_wanted(self.completeness(r))).count()
        };
        let is_found = |n: &usize| self.regions.iter().any(|r| r.cells[*n].total() > Some(0));
        Totals {
            cells: self.cells().count(),
            known: self.number_of(Class::Known),
            stale: self.number_of(Class::Stale),
            unverified: self.number_of(Class::Unverified),
            missing: self.number_of(Class::Missing),
            incomplete_regions: regions(|c| matches!(c, C::Partial | C::Missing)),
            stale_regions: regions(|c| c == C::Stale),
            missing_global_types: global_gaps.collect::<BTreeSet<_>>().len(),
            types_found: (0..self.types.len()).filter(is_found).count(),
            recorded: self.counts().map(|(.., total)| total).sum(),
            once: once + regional.map(|(.., total)| total).sum::<u64>(),
            global,
        }
    }

    /// Returns the cells that `is_wanted` selects, by status, without the global types that no region
    /// records and counts.
    pub fn groups(&self, is_wanted: fn(&Cell) -> bool) -> BTreeMap<Status, Group<'_>> {
        let mut groups: BTreeMap<Status, Group<'_>> = BTreeMap::new();
        let cells = self.cells().filter(|(.., cell)| is_wanted(cell));
        for (region, resource_type, cell) in
            cells.filter(|(_, t, cell)| !cell.is_unrecorded_global(t))
        {
            let group = groups.entry(cell.status()).or_default();
            group.cells += 1;
            group.regions.insert(region);
            group.types.insert(resource_type);
            group.since.insert(cell.since());
        }
        for group in groups.values_mut() {
            let own = self.cells().filter(|(region, t, cell)| {
                let is_elsewhere = cell.status() == Status::CountedElsewhere;
                group.regions.contains(region) && !is_elsewhere && !cell.is_unrecorded_global(t)
            });
            group.is_whole = group.cells == own.count();
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
}
