//! The scan result of one region.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::recorder::{Recorder, RecordingStatus};
use super::status::Gap;
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
    /// The types whose numbers differed and were requested again.
    pub rechecked: BTreeSet<ResourceType>,
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
            rechecked: BTreeSet::new(),
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

    /// Returns the types whose complete listing and counts have different numbers. A listing that changed
    /// while it was read is left out: it was already made twice.
    #[must_use]
    pub fn differing_types(&self) -> Vec<ResourceType> {
        let listings = self.listed.iter();
        let complete = listings.filter_map(|(t, listed)| Some((t, listed.as_ref().ok()?)));
        complete
            .filter(|(t, listed)| {
                let counted = self.counted(t);
                listed.changed.is_none() && counted.is_some_and(|n| n != listed.total)
            })
            .map(|(t, _)| t.clone())
            .collect()
    }

    /// Returns the total of the listing of a type, if it is complete.
    pub(super) fn listed(&self, resource_type: &ResourceType) -> Option<u64> {
        let listed = self.listed.get(resource_type)?;
        Some(listed.as_ref().ok()?.total)
    }

    /// Returns the count of a type, if the counts were requested; they omit types without resources.
    pub(super) fn counted(&self, resource_type: &ResourceType) -> Option<u64> {
        let counts = self.counts.as_ref()?;
        Some(counts.get(resource_type).copied().unwrap_or_default())
    }

    /// Returns the recording status of a type.
    #[must_use]
    pub fn recording_status(&self, resource_type: &ResourceType) -> RecordingStatus {
        match &self.recorder {
            Some(recorder) => recorder.recording_status(&self.region, resource_type),
            None => RecordingStatus::Unknown(self.unlisted.clone()),
        }
    }
}
