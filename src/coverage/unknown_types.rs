//! Types of AWS that this version of the program does not know. An empty listing of one is not a zero: the name may be
//! misspelled, and AWS Config may return an empty listing for a type that does not exist.

use std::sync::Arc;

use super::account_coverage::Coverage;
use super::cell::Cell;
use super::status::{Class, Gap, Status};
use crate::model::ResourceType;
use crate::text::did_you_mean;

impl Coverage {
    /// Marks the counts of each unknown type of which no region has resources. A type that has resources exists; then
    /// a region that rejects it has an error.
    pub(super) fn mark_unknown_types(&mut self) {
        let types = self.types.iter().enumerate();
        for (n, resource_type) in types.filter(|(_, t)| t.is_unknown()) {
            let mut cells = self.regions.iter().map(|r| &r.cells[n]);
            let exists = cells.any(|cell| cell.total() > Some(0));
            // The search for similar names takes long; most types that this version does not know exist.
            let detail = (!exists).then(|| Arc::<str>::from(detail(resource_type)));
            for cell in self.regions.iter_mut().map(|r| &mut r.cells[n]) {
                match (&mut *cell, &detail) {
                    (Cell::Failed(gap), None) if gap.status == Status::UnknownType => {
                        *gap = Gap::new(gap.error_type, &gap.detail);
                    }
                    (Cell::Complete(..), Some(detail)) => {
                        *cell = Cell::UnknownType(detail.clone());
                    }
                    _ => {}
                }
            }
        }
    }

    /// Returns the unknown types without a log line, each with the reason. A type that a region rejects has one.
    pub(super) fn unlogged_unknown_types(&self) -> impl Iterator<Item = (&ResourceType, &Cell)> {
        let types = self.types.iter().enumerate();
        types.filter_map(|(n, resource_type)| {
            let cells = || self.regions_with(Class::Missing).map(|r| &r.cells[n]);
            let is_logged = |cell: &Cell| {
                matches!(cell, Cell::Failed(gap) if gap.status == Status::UnknownType)
            };
            let unknown = cells().find(|cell| matches!(cell, Cell::UnknownType(_)))?;
            (!cells().any(is_logged)).then_some((resource_type, unknown))
        })
    }
}

/// Returns the reason why the counts are missing.
fn detail(resource_type: &ResourceType) -> String {
    let advice = match &ResourceType::near(resource_type.as_str())[..] {
        [] => "; check its name".to_owned(),
        near => did_you_mean(near),
    };
    format!(
        "not a resource type that this version knows, and no region returned resources of it{advice}"
    )
}
