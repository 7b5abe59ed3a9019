//! The totals of each type in all regions.

use serde::Serialize;

use super::account_coverage::Coverage;
use super::cell::Cell;
use crate::model::ResourceType;

/// The totals of one type in all regions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeTotal<'a> {
    /// The type.
    pub resource_type: &'a ResourceType,
    /// The sum of all totals: a global resource is counted in each region that lists it.
    pub recorded: u64,
    /// The number of resources, with each global resource counted once.
    pub iam_once: u64,
    /// The number of regions whose count is missing.
    pub missing: usize,
}

impl Coverage {
    /// Returns the totals of each type, in the order of [`Coverage::types`].
    pub fn type_totals(&self) -> impl Iterator<Item = TypeTotal<'_>> {
        let types = self.types.iter().enumerate();
        types.map(|(n, resource_type)| {
            let cells = || self.regions.iter().map(|r| &r.cells[n]);
            let recorded = cells().filter_map(Cell::total).sum();
            let once = self.global_total(n).map(|global| global.total);
            TypeTotal {
                resource_type,
                recorded,
                iam_once: once.unwrap_or(recorded),
                missing: cells().filter(|cell| cell.is_missing()).count(),
            }
        })
    }
}
