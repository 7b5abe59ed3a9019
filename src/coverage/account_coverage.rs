//! The coverage of all regions and types of a run.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::cell::Cell;
use super::region_result::RegionResult;
use super::status::Class;
use crate::model::{ExpectedGap, Region, ResourceType};

/// The coverage of all regions and types of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The types, sorted.
    pub types: Vec<ResourceType>,
    /// The regions, sorted.
    pub regions: Vec<RegionCoverage>,
    /// The gaps that `--accept-missing` expects.
    pub expected: BTreeSet<ExpectedGap>,
}

/// The coverage of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionCoverage {
    /// The result of the scan.
    pub result: RegionResult,
    /// The cell of each of [`Coverage::types`], in the same order.
    pub cells: Vec<Cell>,
    /// The number of cells of each [`Class`]. Most regions have only known counts; those are not searched for others.
    classes: [usize; Class::ALL.len()],
}

impl RegionCoverage {
    /// Creates the coverage of a region whose classes are not counted yet.
    pub(super) fn new(result: RegionResult, cells: Vec<Cell>) -> Self {
        Self {
            result,
            cells,
            classes: [0; Class::ALL.len()],
        }
    }

    /// Counts the cells of each class.
    pub(super) fn count_classes(&mut self) {
        self.classes = [0; Class::ALL.len()];
        for cell in &self.cells {
            self.classes[cell.class() as usize] += 1;
        }
    }

    /// Returns the number of cells of `class`.
    #[must_use]
    pub fn number_of(&self, class: Class) -> usize {
        self.classes[class as usize]
    }
}

/// The completeness of a region's counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// No count is missing or stale.
    Complete,
    /// No count is missing, but some are stale.
    Stale,
    /// Some counts are missing.
    Partial,
    /// All counts are missing.
    Missing,
}

impl fmt::Display for Completeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl Coverage {
    /// Returns every cell, by region and type.
    pub fn cells(&self) -> impl Iterator<Item = (&Region, &ResourceType, &Cell)> {
        self.regions.iter().flat_map(|r| self.cells_in(r))
    }

    /// Returns the cells of a region, by type.
    fn cells_in<'a>(
        &'a self,
        region: &'a RegionCoverage,
    ) -> impl Iterator<Item = (&'a Region, &'a ResourceType, &'a Cell)> {
        let cells = self.types.iter().zip(&region.cells);
        cells.map(|(t, cell)| (&region.result.region, t, cell))
    }

    /// Returns the totals, by region and type.
    pub fn counts(&self) -> impl Iterator<Item = (&Region, &ResourceType, u64)> {
        self.cells()
            .filter_map(|(r, t, cell)| Some((r, t, cell.total()?)))
    }

    /// Returns the number of counts of `class`.
    #[must_use]
    pub fn number_of(&self, class: Class) -> usize {
        self.regions.iter().map(|r| r.number_of(class)).sum()
    }

    /// Returns the number of counts: regions × types.
    #[must_use]
    pub fn size(&self) -> usize {
        self.regions.len() * self.types.len()
    }

    /// Returns the regions that have cells of `class`.
    pub fn regions_with(&self, class: Class) -> impl Iterator<Item = &RegionCoverage> {
        self.regions.iter().filter(move |r| r.number_of(class) > 0)
    }

    /// Returns the cells of `class`, by region and type.
    pub fn cells_of(&self, class: Class) -> impl Iterator<Item = (&Region, &ResourceType, &Cell)> {
        let cells = self.regions_with(class).flat_map(|r| self.cells_in(r));
        cells.filter(move |(.., cell)| cell.class() == class)
    }

    /// Returns true if every count is missing. Without a count nothing is missing.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        let missing = self.number_of(Class::Missing);
        missing > 0 && missing == self.size()
    }

    /// Returns the completeness of a region. A global type that no region records and counts is a gap
    /// of the account, not of a region.
    #[must_use]
    pub fn completeness(&self, region: &RegionCoverage) -> Completeness {
        if region.number_of(Class::Missing) == 0 && region.number_of(Class::Stale) == 0 {
            return Completeness::Complete;
        }
        let cells = self.types.iter().zip(&region.cells);
        let cells = cells.filter(|(t, cell)| !cell.is_unrecorded_global(t));
        let classes: Vec<Class> = cells.map(|(_, cell)| cell.class()).collect();
        if classes.iter().all(|c| *c == Class::Missing) && !classes.is_empty() {
            Completeness::Missing
        } else if classes.contains(&Class::Missing) {
            Completeness::Partial
        } else if classes.contains(&Class::Stale) {
            Completeness::Stale
        } else {
            Completeness::Complete
        }
    }
}
