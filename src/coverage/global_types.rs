//! Global types: every region that records one lists the same resources.

use std::collections::{BTreeSet, HashSet};

use super::account_coverage::{Coverage, RegionCoverage};
use super::cell::Cell;
use super::recorder::RecordingStatus::{Missing, NotRecorded, Recorded, Stale, Unknown};
use super::region_result::RegionResult;
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
    pub(super) fn global_total(&self, n: usize) -> Option<GlobalTotal<'_>> {
        let resource_type = self.types.get(n).filter(|t| t.is_global())?;
        let totals = self.best_totals(n);
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

    /// Returns the totals of the `n`th type in the regions that record and count it now. Without such
    /// a region: those with an unknown recorder; without these: the stale totals, which are marked
    /// elsewhere.
    fn best_totals(&self, n: usize) -> Vec<(u64, &RegionResult)> {
        let totals = |rank| {
            let regions = self.regions.iter();
            let regions = regions.filter(move |r| rank_of(&r.cells[n]) == rank);
            let totals = regions.filter_map(|r| Some((r.cells[n].total()?, &r.result)));
            totals.collect::<Vec<_>>()
        };
        let ranks = [0, 1, 2].map(totals);
        ranks
            .into_iter()
            .find(|t| !t.is_empty())
            .unwrap_or_default()
    }

    /// Returns the regions that record a global type, or may record it.
    #[must_use]
    pub fn recorders_of(&self, resource_type: &ResourceType) -> BTreeSet<&Region> {
        let regions = self.regions.iter().map(|r| &r.result);
        let recorders = regions.filter(|result| {
            let recorder = result.recorder.as_ref();
            match recorder.map(|r| r.recording_status(&result.region, resource_type)) {
                Some(Recorded(_) | Stale(_)) => true,
                Some(Unknown(why)) => why.status != Status::RegionDisabled,
                Some(Missing | NotRecorded) | None => false,
            }
        });
        recorders.map(|result| &result.region).collect()
    }

    /// Marks the cells of each global type that is not recorded as counted elsewhere, if a region
    /// records and counts it.
    pub(super) fn mark_counted_elsewhere(&mut self) {
        for (n, _) in self.types.iter().enumerate().filter(|(_, t)| t.is_global()) {
            // A stale count, or a count with an unknown recorder, cannot replace another region's
            // count.
            let is_exact = |r: &&RegionCoverage| rank_of(&r.cells[n]) == 0;
            let Some(elsewhere) = self.regions.iter().find(is_exact) else {
                continue;
            };
            let elsewhere = elsewhere.result.region.clone();
            for cell in self.regions.iter_mut().map(|r| &mut r.cells[n]) {
                if cell.is_not_recorded() {
                    *cell = Cell::CountedElsewhere(cell.total(), elsewhere.clone());
                }
            }
        }
    }
}

/// Ranks the totals of a global type: a region that records and counts it now, one whose recorder is
/// unknown, all others.
fn rank_of(cell: &Cell) -> u8 {
    match cell {
        Cell::Complete(Some(_), Recorded(_)) => 0,
        Cell::Complete(Some(_), Unknown(_)) => 1,
        _ => 2,
    }
}
