//! Where the listing and the counts of a region differ, and the known reasons.

use super::{Coverage, RegionCoverage, Standing};
use crate::model::{Region, ResourceType};

/// One type of one region of which the two ways of counting say different numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The region.
    pub region: &'a Region,
    /// The type.
    pub resource_type: &'a ResourceType,
    /// What the listing says.
    pub listed: u64,
    /// What the counts say.
    pub counted: u64,
    /// Why that may be.
    pub reason: &'static str,
}

impl Difference<'_> {
    /// The listing's number less that of the counts.
    #[must_use]
    pub fn by(&self) -> i128 {
        i128::from(self.listed) - i128::from(self.counted)
    }
}

/// What a comparison of both ways of counting came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// How many cells have both numbers.
    pub compared: usize,
    /// How many do not.
    pub not_compared: usize,
    /// The cells whose numbers differ, sorted.
    pub differences: Vec<Difference<'a>>,
}

impl Coverage {
    /// Compares the listing with the counts, cell by cell.
    #[must_use]
    pub fn compare(&self) -> Comparison<'_> {
        let mut comparison = Comparison {
            compared: 0,
            not_compared: 0,
            differences: Vec::new(),
        };
        for region in &self.regions {
            for (resource_type, cell) in region.cells.iter() {
                let (Some(listed), Some(counted)) = (cell.listed, cell.counted) else {
                    // Of all types only those are listed that the counts name.
                    let listed_not_at_all = cell.counted == Some(0) && !cell.missing;
                    comparison.not_compared += usize::from(!listed_not_at_all);
                    continue;
                };
                comparison.compared += 1;
                if listed != counted {
                    comparison.differences.push(Difference {
                        region: &region.region,
                        resource_type,
                        listed,
                        counted,
                        reason: reason(region, resource_type, listed > counted),
                    });
                }
            }
        }
        comparison
    }
}

/// <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>,
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_GetDiscoveredResourceCounts.html>
fn reason(
    region: &RegionCoverage,
    resource_type: &ResourceType,
    more_listed: bool,
) -> &'static str {
    let recorder = region.recorder.as_ref();
    let standing = recorder.map(|r| r.standing(&region.region, resource_type));
    match (standing, more_listed) {
        (_, false) => "the inventory changed between the two calls: verify again",
        (Some(Standing::NotRecorded), true) => {
            "not recorded here: the listing has what was discovered, the counts what is recorded"
        }
        (Some(Standing::Stopped), true) => {
            "the recorder is stopped: the counts are empty then, the listing is stale"
        }
        (Some(Standing::Missing), true) => {
            "no recorder: the counts are empty then, the listing is stale"
        }
        (Some(Standing::Recorded), true) => {
            "recorded: the counts follow some minutes after the recorder or the resources"
        }
        (Some(Standing::Unknown(_)) | None, true) => {
            "recorder unknown: the type may be not recorded, or the counts may be late"
        }
    }
}
