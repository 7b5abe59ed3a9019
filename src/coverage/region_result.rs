//! The scan result of one region.

use std::collections::BTreeMap;
use std::time::Duration;

use super::gap::Gap;
use super::recorder::{Recorder, RecordingStatus};
use crate::inventory::{Counts, Listed};
use crate::model::{Region, ResourceType};

/// The scan result of one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionResult {
    /// The region.
    pub region: Region,
    /// The counts of recorded resources, if they were requested and the call succeeded.
    pub counts: Option<Counts>,
    /// The result of each listing that was started.
    pub listed: BTreeMap<ResourceType, Result<Listed, Gap>>,
    /// The gap of all types that were not listed.
    pub unlisted: Gap,
    /// The recorder; `None` if it was not requested.
    pub recorder: Option<Recorder>,
    /// The duration of the region's scan.
    pub took: Duration,
}

impl RegionResult {
    /// Creates the result of a region without any count.
    #[must_use]
    pub fn missing(region: Region, gap: Gap) -> Self {
        Self {
            region,
            counts: None,
            listed: BTreeMap::new(),
            unlisted: gap,
            recorder: None,
            took: Duration::ZERO,
        }
    }

    /// Returns the types that were listed or counted.
    pub fn types(&self) -> impl Iterator<Item = &ResourceType> {
        let counted = self.counts.iter().flat_map(Counts::keys);
        self.listed.keys().chain(counted)
    }

    /// Returns the recording status of a type.
    #[must_use]
    pub fn recording_status(&self, resource_type: &ResourceType) -> RecordingStatus<'_> {
        match &self.recorder {
            Some(recorder) => recorder.recording_status(&self.region, resource_type),
            None => RecordingStatus::Unknown(&self.unlisted),
        }
    }
}
