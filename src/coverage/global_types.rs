//! Global types: every region that records one lists the same resources.

use std::collections::HashSet;

use super::account_coverage::{Coverage, RegionCoverage};
use super::cell::Cell;
use super::recorder::RecordingStatus;
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

impl Coverage {
    /// Returns the number of resources of each global type that has a total, each resource counted
    /// once.
    #[must_use]
    pub fn global(&self) -> Vec<GlobalTotal<'_>> {
        let types = 0..self.types.len();
        types.filter_map(|n| self.global_total(n)).collect()
    }

    /// Counts the resources of the `n`th type once; `None` if it is not global or no region has a
    /// total.
    fn global_total(&self, n: usize) -> Option<GlobalTotal<'_>> {
        let resource_type = self.types.get(n).filter(|t| t.is_global())?;
        let regions = self.regions.iter();
        let totals = regions.filter_map(|r| Some((r.cells[n].total()?, &r.result)));
        let totals: Vec<_> = totals.collect();
        // The first region, if several have the same number.
        let (largest, region) = totals.iter().rev().max_by_key(|(total, _)| total)?;
        let ids = totals.iter().map(|(total, result)| {
            match result.listed.get(resource_type) {
                Some(Ok(listed)) => Some(&listed.ids[..]),
                // A total of zero has no IDs, with any method.
                _ => (*total == 0).then_some(&[][..]),
            }
        });
        let ids: Option<Vec<&[u64]>> = ids.collect();
        let different = ids.map(|ids| ids.into_iter().flatten().collect::<HashSet<_>>().len());
        Some(GlobalTotal {
            resource_type,
            total: different.map_or(*largest, |n| n as u64),
            region: different.is_none().then_some(&region.region),
        })
    }

    /// Marks the cells of each global type that is not recorded as counted elsewhere, if a region
    /// records and counts it.
    pub(super) fn mark_counted_elsewhere(&mut self) {
        for (n, _) in self.types.iter().enumerate().filter(|(_, t)| t.is_global()) {
            // A stale count, or a count with an unknown recorder, cannot replace another region's
            // count.
            let is_exact = |r: &&RegionCoverage| {
                matches!(r.cells[n], Cell::Complete(_, RecordingStatus::Recorded))
            };
            let Some(elsewhere) = self.regions.iter().find(is_exact) else {
                continue;
            };
            let elsewhere = elsewhere.result.region.clone();
            for cell in self.regions.iter_mut().map(|r| &mut r.cells[n]) {
                if *cell == Cell::Complete(None, RecordingStatus::NotRecorded) {
                    *cell = Cell::CountedElsewhere(elsewhere.clone());
                }
            }
        }
    }
}
