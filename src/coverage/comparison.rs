//! Differences between the listing and the counts of a region, with possible reasons.

use serde::{Deserialize, Serialize};

use super::account_coverage::{Coverage, RegionCoverage};
use super::recorder::RecordingStatus::{self, Missing, NotRecorded, Stale, Unknown};
use super::recorder_state::StaleKind;
use crate::model::{Region, ResourceType};

/// A region and type whose listing and counts have different numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The region.
    pub region: &'a Region,
    /// The type.
    pub resource_type: &'a ResourceType,
    /// The number of listed resources.
    pub listed: u64,
    /// The number from AWS Config's counts.
    pub counted: u64,
    /// The reason, or a possible one, as its text says.
    pub reason: &'static str,
}

impl Difference<'_> {
    /// Returns the listed number minus the counted number.
    #[must_use]
    pub fn delta(&self) -> i128 {
        i128::from(self.listed) - i128::from(self.counted)
    }
}

/// The result of comparing listings with counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// The number of cells with both numbers.
    pub compared: usize,
    /// The number of cells without one of the numbers.
    pub not_compared: usize,
    /// The cells whose numbers differ, sorted.
    pub differences: Vec<Difference<'a>>,
}

/// The numbers of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparisonTotals {
    /// The number of cells with both numbers.
    pub compared: usize,
    /// The number of cells without one of the numbers.
    pub not_compared: usize,
    /// The number of cells whose numbers differ.
    pub differences: usize,
}

impl Comparison<'_> {
    /// Returns the numbers.
    #[must_use]
    pub fn totals(&self) -> ComparisonTotals {
        ComparisonTotals {
            compared: self.compared,
            not_compared: self.not_compared,
            differences: self.differences.len(),
        }
    }
}

impl Coverage {
    /// Compares the listing with the counts of each cell.
    #[must_use]
    pub fn compare(&self) -> Comparison<'_> {
        let mut comparison = Comparison::default();
        for RegionCoverage { result, cells, .. } in &self.regions {
            for (resource_type, cell) in self.types.iter().zip(cells) {
                let counted = result.counted(resource_type);
                let (Some(listed), Some(counted)) = (result.listed(resource_type), counted) else {
                    // With all types, only the types with a count are listed.
                    let needs_no_listing = counted == Some(0) && !cell.is_missing();
                    let is_accepted = self.is_accepted(&result.region, resource_type, cell);
                    comparison.not_compared += usize::from(!needs_no_listing && !is_accepted);
                    continue;
                };
                comparison.compared += 1;
                if listed != counted {
                    let recording = result.recording_status(resource_type);
                    comparison.differences.push(Difference {
                        region: &result.region,
                        resource_type,
                        listed,
                        counted,
                        reason: reason(
                            &recording,
                            listed,
                            counted,
                            result.rechecked.contains(resource_type),
                        ),
                    });
                }
            }
        }
        comparison
    }
}

/// Returns the reason for a difference, if the recorder proves it; otherwise a possible one. A difference that remained
/// when it was requested again has no known reason.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>,
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_GetDiscoveredResourceCounts.html>
fn reason(recording: &RecordingStatus, listed: u64, counted: u64, remained: bool) -> &'static str {
    match recording {
        // Counts of a type that is not recorded now are always empty.
        NotRecorded if counted == 0 => {
            "not recorded here: the listing has discovered resources, the counts only recorded ones"
        }
        Stale(state) if state.kind == StaleKind::Stopped && counted == 0 => {
            "recorder stopped: counts are empty, the listing is stale"
        }
        Stale(_) => "possible reason: the recorder does not record now, so both numbers are stale",
        Missing if counted == 0 => "no recorder: counts are empty, the listing is stale",
        Unknown(_) => {
            "possible reason: the type is not recorded, or the counts lag (recorder status unknown)"
        }
        _ if listed < counted && remained => {
            "no known reason: report it if it remains (possible reason: the counts lag behind deleted resources)"
        }
        _ if listed < counted => {
            "possible reason: the counts lag behind deleted resources, or resources changed between the calls"
        }
        _ if remained => {
            "no known reason: report it if it remains (possible reason: the counts lag some minutes behind the \
             recorder or the resources)"
        }
        _ => "possible reason: the counts lag some minutes behind the recorder or the resources",
    }
}
