//! The meaning of the listings and counts of a run, by the status of the recorders.

use std::collections::{BTreeSet, HashSet};

use super::account_coverage::{Coverage, RegionCoverage};
use super::cell::Cell;
use super::recorder::RecordingStatus;
use super::region_result::RegionResult;
use crate::inventory::Method;
use crate::model::{ResourceType, ResourceTypes};

impl Coverage {
    /// Builds the coverage of the `wanted` types from the results of all regions.
    ///
    /// [`ResourceTypes::All`] means the types found in any region and the common types. The common
    /// types have cells even if every call failed; these cells are missing, not zero.
    #[must_use]
    pub fn new(mut results: Vec<RegionResult>, wanted: &ResourceTypes, method: Method) -> Self {
        results.sort_unstable_by(|a, b| a.region.cmp(&b.region));
        let types = all_types(&results, wanted);
        let mut regions = Vec::with_capacity(results.len());
        for result in results {
            let cell = |t| classify(&result, t, wanted, method);
            let cells = types.iter().map(cell).collect();
            regions.push(RegionCoverage::new(result, cells));
        }
        let mut coverage = Self {
            types,
            regions,
            expected: BTreeSet::new(),
        };
        coverage.mark_counted_elsewhere();
        coverage.mark_unknown_types();
        for region in &mut coverage.regions {
            region.count_classes();
        }
        coverage
    }
}

/// Returns the types of all cells, sorted.
fn all_types(results: &[RegionResult], types: &ResourceTypes) -> Vec<ResourceType> {
    let mut all: Vec<ResourceType> = match types {
        ResourceTypes::Named(types) => types.clone(),
        ResourceTypes::All => {
            let found: HashSet<_> = results.iter().flat_map(RegionResult::types).collect();
            let common = ResourceType::common().into_iter();
            found.into_iter().cloned().chain(common).collect()
        }
    };
    all.sort_unstable();
    all.dedup();
    all
}

/// Returns the cell of a type.
fn classify(
    result: &RegionResult,
    resource_type: &ResourceType,
    types: &ResourceTypes,
    method: Method,
) -> Cell {
    let counted = result.counted(resource_type);
    // With all types, only the types with a count are listed; the others have a count of 0.
    let is_counted = |n| !method.lists() || (n == 0 && *types == ResourceTypes::All);
    let recording = result.recording_status(resource_type);
    let (total, is_listed) = match (result.listed.get(resource_type), counted) {
        (Some(Ok(listed)), _) => match (&listed.changed, &recording) {
            (Some(why), RecordingStatus::Recorded(_) | RecordingStatus::Unknown(_)) => {
                return Cell::Changed(listed.total, why.clone());
            }
            _ => (listed.total, true),
        },
        (Some(Err(gap)), _) => return Cell::Failed(gap.clone()),
        (None, Some(n)) if is_counted(n) => (n, false),
        (None, _) => return Cell::Failed(result.unlisted.clone()),
    };
    // A zero is a total only if resources would be in the listing or the counts.
    let is_total = match recording {
        _ if total > 0 => true,
        RecordingStatus::Recorded(_) => true,
        // A listing has the resources that were recorded before, the counts may have none.
        RecordingStatus::Stale(_) | RecordingStatus::Unknown(_) => is_listed,
        RecordingStatus::Missing | RecordingStatus::NotRecorded => false,
    };
    Cell::Complete(is_total.then_some(total), recording)
}
