//! The coverage of one region.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::cell::{Cell, Value};
use super::classify::classify;
use super::recorder::Recorder;
use super::region_result::RegionResult;
use crate::inventory::Method;
use crate::model::{Region, ResourceType, ResourceTypes};

/// The coverage of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionCoverage {
    /// The region.
    pub region: Region,
    /// The recorder; `None` if it was not requested.
    pub recorder: Option<Recorder>,
    /// The cell of each type.
    pub cells: BTreeMap<ResourceType, Cell>,
    /// The hashes of the resource IDs of each listed global type.
    pub global_ids: BTreeMap<ResourceType, Vec<u64>>,
    /// The duration of the region's scan.
    pub took: Duration,
}

impl RegionCoverage {
    /// Creates the coverage of a region, with a cell for each of `all`, the types of the run.
    /// `details` has the details of the cells so far.
    pub(super) fn new(
        result: RegionResult,
        all: &[ResourceType],
        types: &ResourceTypes,
        method: Method,
        details: &mut HashSet<Arc<str>>,
    ) -> Self {
        let mut cells: BTreeMap<ResourceType, Cell> = all
            .iter()
            .map(|t| (t.clone(), classify(&result, t, types, method)))
            .collect();
        for cell in cells.values_mut() {
            share_detail(&mut cell.value, details);
        }
        let global = result.listed.into_iter().filter(|(t, _)| t.is_global());
        Self {
            region: result.region,
            recorder: result.recorder,
            cells,
            global_ids: global.filter_map(|(t, l)| Some((t, l.ok()?.ids))).collect(),
            took: result.took,
        }
    }

    /// Returns the number of types whose count is missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        let cells = self.cells.values();
        cells.filter(|cell| cell.is_missing()).count()
    }
}

/// Lets cells with the same detail share its text: a text has about 100 bytes, and a large run has
/// 50,000 cells.
fn share_detail(value: &mut Value, details: &mut HashSet<Arc<str>>) {
    let detail = match value {
        Value::Noted { note, .. } => &mut note.detail,
        Value::Missing(gap) => &mut gap.detail,
        Value::Exact(_) | Value::CountedElsewhere { .. } => return,
    };
    match details.get(detail) {
        Some(same) => *detail = same.clone(),
        None => drop(details.insert(detail.clone())),
    }
}
