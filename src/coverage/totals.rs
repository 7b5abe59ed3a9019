//! The figures of a run, and its counts by status.

use std::collections::{BTreeMap, BTreeSet};

use super::account_coverage::{Completeness as C, Coverage};
use super::global_types::GlobalTotal;
use super::status::{Class, Status};
use crate::model::Region;

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
    /// The number of types with at least one resource.
    pub types_found: usize,
    /// The sum of all totals: a global resource is counted in each region that lists it.
    pub recorded: u64,
    /// The sum of all totals, with each global resource counted once.
    pub once: u64,
    /// The totals of the global types.
    pub global: Vec<GlobalTotal<'a>>,
}

impl Coverage {
    /// Returns the figures of the run.
    #[must_use]
    pub fn totals(&self) -> Totals<'_> {
        let global = self.global();
        let once: u64 = global.iter().map(|g| g.total).sum();
        let (mut recorded, mut regional) = (0, 0);
        for (_, resource_type, total) in self.counts() {
            recorded += total;
            regional += if resource_type.is_global() { 0 } else { total };
        }
        let regions = |is_wanted: fn(C) -> bool| {
            let regions = self.regions.iter();
            regions.filter(|r| is_wanted(self.completeness(r))).count()
        };
        let is_found = |n: &usize| self.regions.iter().any(|r| r.cells[*n].total() > Some(0));
        Totals {
            cells: self.size(),
            known: self.number_of(Class::Known),
            stale: self.number_of(Class::Stale),
            unverified: self.number_of(Class::Unverified),
            missing: self.number_of(Class::Missing),
            incomplete_regions: regions(|c| matches!(c, C::Partial | C::Missing)),
            stale_regions: regions(|c| c == C::Stale),
            types_found: (0..self.types.len()).filter(is_found).count(),
            recorded,
            once: once + regional,
            global,
        }
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
