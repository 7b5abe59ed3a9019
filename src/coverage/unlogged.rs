//! Missing and stale counts that are not in the log yet, because no call failed.

use std::collections::{BTreeMap, BTreeSet};

use super::account_coverage::{Coverage, RegionCoverage};
use super::cell::Cell;
use super::recorder::RecordingStatus;
use super::status::{Class, Status};
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType};

/// Types whose counts are missing or stale, with one log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlogged<'a> {
    /// The counts of a region that are missing for the same reason.
    Missing {
        /// The region.
        region: &'a Region,
        /// The types, at least one.
        types: Types<'a>,
        /// The error type of the log line.
        error_type: ErrorType,
        /// The cell of the first type, with the reason.
        cell: &'a Cell,
    },
    /// All stale counts of a region, by reason.
    Stale {
        /// The region.
        region: &'a Region,
        /// The types, and the cell of the first one, with the reason.
        groups: Vec<(Types<'a>, &'a Cell)>,
    },
    /// A type that may not exist, in all regions.
    UnknownType {
        /// The type.
        resource_type: &'a ResourceType,
        /// A cell of the type, with the reason.
        cell: &'a Cell,
    },
    /// A global type that no region records and counts.
    Global {
        /// The type.
        resource_type: &'a ResourceType,
        /// The regions that do not record it.
        regions: BTreeSet<&'a Region>,
        /// The regions that may record it, although they do not count it.
        recorders: BTreeSet<&'a Region>,
        /// True if a region that does not record it lists resources of the type: these counts are stale.
        is_listed: bool,
    },
}

/// Some or all types of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Types<'a> {
    /// The types, sorted.
    pub types: Vec<&'a ResourceType>,
    /// The number of types of the run.
    pub all: usize,
}

impl Coverage {
    /// Returns the missing and the stale counts without a log line: by region, then by global type,
    /// then by unknown type.
    #[must_use]
    pub fn unlogged(&self) -> Vec<Unlogged<'_>> {
        let has_gap = |r: &&RegionCoverage| {
            [Class::Missing, Class::Stale]
                .iter()
                .any(|c| r.number_of(*c) > 0)
        };
        let regions = self.regions.iter().filter(has_gap);
        let by_region =
            regions.flat_map(|r| self.missing_of(r).into_iter().chain(self.stale_of(r)));
        let unknown = self.unlogged_unknown_types();
        let unknown = unknown.map(|(resource_type, cell)| Unlogged::UnknownType {
            resource_type,
            cell,
        });
        let by_type = self.unrecorded_global_types().chain(unknown);
        by_region.chain(by_type).collect()
    }

    /// Returns the gaps of a region, by status.
    fn missing_of<'a>(&'a self, region: &'a RegionCoverage) -> Vec<Unlogged<'a>> {
        let mut groups: BTreeMap<(Status, ErrorType), (Types<'a>, &Cell)> = BTreeMap::new();
        for (resource_type, cell) in self.regional_cells(region) {
            let error_type = match cell {
                Cell::Complete(None, RecordingStatus::Unknown(why)) => why.error_type,
                Cell::Complete(None, _) => ErrorType::ConfigDisabled,
                _ => continue,
            };
            let group = groups.entry((cell.status(), error_type));
            let (types, _) = group.or_insert_with(|| (self.no_types(), cell));
            types.types.push(resource_type);
        }
        let gap = |((_, error_type), (types, cell))| Unlogged::Missing {
            region: &region.result.region,
            types,
            error_type,
            cell,
        };
        groups.into_iter().map(gap).collect()
    }

    /// Returns the stale counts of a region. A listing that changed is in the log already.
    fn stale_of<'a>(&'a self, region: &'a RegionCoverage) -> Option<Unlogged<'a>> {
        let mut groups: BTreeMap<Status, (Types<'a>, &Cell)> = BTreeMap::new();
        let cells = self.regional_cells(region);
        for (resource_type, cell) in cells.filter(|(_, cell)| cell.is_stale()) {
            if matches!(cell, Cell::Complete(..)) {
                let group = groups.entry(cell.status());
                let (types, _) = group.or_insert_with(|| (self.no_types(), cell));
                types.types.push(resource_type);
            }
        }
        (!groups.is_empty()).then(|| Unlogged::Stale {
            region: &region.result.region,
            groups: groups.into_values().collect(),
        })
    }

    /// Returns the global types that no region records and counts.
    fn unrecorded_global_types(&self) -> impl Iterator<Item = Unlogged<'_>> {
        let global = self.types.iter().enumerate().filter(|(_, t)| t.is_global());
        global.filter_map(|(n, resource_type)| {
            let cells = self.regions.iter().map(|r| (&r.result.region, &r.cells[n]));
            let cells: Vec<_> = cells
                .filter(|(_, c)| c.is_unrecorded_global(resource_type))
                .collect();
            (!cells.is_empty()).then(|| Unlogged::Global {
                resource_type,
                regions: cells.iter().map(|(region, _)| *region).collect(),
                recorders: self.recorders_of(resource_type),
                is_listed: cells.iter().any(|(_, cell)| cell.is_stale()),
            })
        })
    }

    /// Returns the cells of a region without the global types that no region records.
    fn regional_cells<'a>(
        &'a self,
        region: &'a RegionCoverage,
    ) -> impl Iterator<Item = (&'a ResourceType, &'a Cell)> {
        let cells = self.types.iter().zip(&region.cells);
        cells.filter(|(t, cell)| !cell.is_unrecorded_global(t))
    }

    fn no_types(&self) -> Types<'_> {
        Types {
            types: Vec::new(),
            all: self.types.len(),
        }
    }
}
