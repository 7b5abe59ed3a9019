//! Differences between the listing and the counts of a region, with possible reasons.

use super::account_coverage::{Coverage, RegionCoverage};
use super::recorder::RecordingStatus::{self, Missing, NotRecorded, Recorded, Stale, Unknown};
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
    /// A possible reason.
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

impl Coverage {
    /// Compares the listing with the counts of each cell.
    #[must_use]
    pub fn compare(&self) -> Comparison<'_> {
        let mut comparison = Comparison::default();
        for RegionCoverage { result, cells } in &self.regions {
            for (resource_type, cell) in self.types.iter().zip(cells) {
                let counted = result.counted(resource_type);
                let (Some(listed), Some(counted)) = (result.listed(resource_type), counted) else {
                    // With all types, only the types with a count are listed.
                    let needs_no_listing = counted == Some(0) && !cell.is_missing();
                    comparison.not_compared += usize::from(!needs_no_listing);
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
                        reason: reason(&recording, listed > counted),
                    });
                }
            }
        }
        comparison
    }
}

/// Returns a possible reason for a difference.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>,
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_GetDiscoveredResourceCounts.html>
fn reason(recording: &RecordingStatus, more_listed: bool) -> &'static str {
    match recording {
        _ if !more_listed => "the inventory may have changed between the two calls; verify again",
        NotRecorded => {
            "not recorded here: the listing has discovered resources, the counts only recorded ones"
        }
        Stale(state) if state.kind == StaleKind::Stopped => {
            "recorder stopped: counts are empty, the listing is stale"
        }
        Stale(_) => "the recorder does not record now: both numbers are stale",
        Missing => "no recorder: counts are empty, the listing is stale",
        Recorded(_) => "recorded: counts can lag some minutes behind the recorder or the resources",
        Unknown(_) => {
            "recorder status unknown: the type may not be recorded, or the counts may lag"
        }
    }
}
