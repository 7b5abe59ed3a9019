//! Missing and stale counts that are not in the log yet, because no call failed.

use std::collections::{BTreeMap, BTreeSet};

use super::account_coverage::{Coverage, RegionCoverage};
use super::cell::Cell;
use super::recorder::RecordingStatus;
use super::status::{Class, Status};
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType};

/// Counts that are missing or stale, with one log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlogged<'a> {
    /// The error type of the log line.
    pub error_type: ErrorType,
    /// The region; `None` for a type in all regions.
    pub region: Option<&'a Region>,
    /// The type, if the line is about only one.
    pub resource_type: Option<&'a ResourceType>,
    /// The counts.
    pub counts: UnloggedCounts<'a>,
}

/// The counts of an [`Unlogged`] line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnloggedCounts<'a> {
    /// Counts that are missing for the same reason: the types, at least one, and the cell of the first one.
    Missing(Types<'a>, &'a Cell),
    /// All stale counts of a region, by reason: the types, and the cell of the first one.
    Stale(Vec<(Types<'a>, &'a Cell)>),
    /// The counts of a type that may not exist: a cell of it.
    UnknownType(&'a Cell),
    /// The counts of a global type that no region records and counts.
    Global {
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

impl<'a> Types<'a> {
    /// Returns the type, if it is the only one.
    fn only(&self) -> Option<&'a ResourceType> {
        match self.types[..] {
            [only] => Some(only),
            _ => None,
        }
    }
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
        let unknown = unknown.map(|(resource_type, cell)| Unlogged {
            error_type: ErrorType::ApiError,
            region: None,
            resource_type: Some(resource_type),
            counts: UnloggedCounts::UnknownType(cell),
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
        let gap = |((_, error_type), (types, cell)): (_, (Types<'a>, _))| Unlogged {
            error_type,
            region: Some(&region.result.region),
            resource_type: types.only(),
            counts: UnloggedCounts::Missing(types, cell),
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
        (!groups.is_empty()).then(|| Unlogged {
            error_type: ErrorType::ConfigDisabled,
            region: Some(&region.result.region),
            resource_type: None,
            counts: UnloggedCounts::Stale(groups.into_values().collect()),
        })
    }

    /// Returns the global types that no region records and counts.
    fn unrecorded_global_types(&self) -> impl Iterator<Item = Unlogged<'_>> {
        let global = self.types.iter().enumerate().filter(|(_, t)| t.is_global());
        global.filter_map(|(n, resource_type)| {
            let cells = self.regions.iter().map(|r| (&r.result.region, &r.cells[n]));
            let cells = cells.filter(|(_, cell)| cell.is_unrecorded_global(resource_type));
            let cells: Vec<_> = cells.collect();
            (!cells.is_empty()).then(|| Unlogged {
                error_type: ErrorType::ConfigDisabled,
                region: None,
                resource_type: Some(resource_type),
                counts: UnloggedCounts::Global {
                    regions: cells.iter().map(|(region, _)| *region).collect(),
                    recorders: self.recorders_of(resource_type),
                    is_listed: cells.iter().any(|(_, cell)| cell.is_stale()),
                },
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
