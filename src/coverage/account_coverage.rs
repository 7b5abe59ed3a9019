//! The coverage of all regions and types of a run.

use super::cell::Cell;
use super::region_result::RegionResult;
use crate::model::{Region, ResourceType};

/// The coverage of all regions and types of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The types, sorted.
    pub types: Vec<ResourceType>,
    /// The regions, sorted.
    pub regions: Vec<RegionCoverage>,
}

/// The coverage of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionCoverage {
    /// The result of the scan.
    pub result: RegionResult,
    /// The cell of each of [`Coverage::types`], in the same order.
    pub cells: Vec<Cell>,
}

impl Coverage {
    /// Returns every cell, by region and type.
    pub fn cells(&self) -> impl Iterator<Item = (&Region, &ResourceType, &Cell)> {
        self.regions.iter().flat_map(|r| {
            let cells = self.types.iter().zip(&r.cells);
            cells.map(|(t, cell)| (&r.result.region, t, cell))
        })
    }

    /// Returns the known totals, by region and type.
    pub fn counts(&self) -> impl Iterator<Item = (&Region, &ResourceType, u64)> {
        self.cells()
            .filter_map(|(r, t, cell)| Some((r, t, cell.total()?)))
    }

    /// Returns the number of missing counts.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.regions.iter().map(RegionCoverage::missing).sum()
    }
}

impl RegionCoverage {
    /// Returns the number of types whose count is missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.cells.iter().filter(|cell| cell.is_missing()).count()
    }
}
