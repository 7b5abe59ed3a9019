//! Builds the coverage from the results of the regions and their recorders.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use super::{
    Cell, Cells, Coverage, Gap, Recorder, RecordingStatus, RegionCoverage, RegionResult, Status,
};
use crate::error_log::ErrorType;
use crate::inventory::{Listed, Method};
use crate::model::{Region, ResourceType, ResourceTypes};
use crate::text::pluralize;

/// The maximum number of types that a log line names.
const NAMED: usize = 20;

/// A gap without a log line, because no call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnloggedGap {
    /// The error type in the log.
    pub error_type: ErrorType,
    /// The region.
    pub region: Region,
    /// The type, if the line is about one type.
    pub resource_type: Option<ResourceType>,
    /// The missing counts, the reason, and what to do about it.
    pub message: String,
}

/// The result of a type in a region.
enum Finding<'a> {
    Listed(u64),
    Counted(u64),
    Missing(&'a Gap),
}

/// Builds the coverage while the scan runs.
///
/// The cells of a region are built when its result and its recorder have been added, for the types
/// known by then. Little work remains at the end of the scan.
pub struct Settling<'a> {
    types: &'a ResourceTypes,
    method: Method,
    /// The types of the cells, sorted.
    all: Arc<[ResourceType]>,
    recorders: BTreeMap<Region, Recorder>,
    /// The results of the regions; their counts are moved to the cells.
    outcomes: BTreeMap<Region, (RegionResult, Cells)>,
}

impl<'a> Settling<'a> {
    /// Creates an empty coverage of `types` for `method`.
    ///
    /// [`ResourceTypes::All`] means the types found in any region and the common types. The common
    /// types have cells even if every call failed; these cells are missing, not zero.
    #[must_use]
    pub fn new(types: &'a ResourceTypes, method: Method) -> Self {
        let mut all = match types {
            ResourceTypes::Named(types) => types.clone(),
            ResourceTypes::All => ResourceType::common(),
        };
        all.sort_unstable();
        all.dedup();
        Self {
            types,
            method,
            all: all.into(),
            recorders: BTreeMap::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Adds the recorder of a region.
    pub fn recorder(&mut self, region: &Region, recorder: Recorder) {
        self.recorders.insert(region.clone(), recorder);
        self.settle(region);
    }

    /// Adds the result of a region.
    pub fn outcome(&mut self, outcome: RegionResult) {
        if *self.types == ResourceTypes::All {
            self.learn(outcome.listed.keys());
            self.learn(outcome.counts.iter().flat_map(BTreeMap::keys));
        }
        let region = outcome.region.clone();
        self.outcomes
            .insert(region.clone(), (outcome, Cells::default()));
        if self.has_recorder(&region) {
            self.settle(&region);
        }
    }

    /// Returns true if the recorder of the region has been added.
    #[must_use]
    pub fn has_recorder(&self, region: &Region) -> bool {
        self.recorders.contains_key(region)
    }

    /// Returns true if the result of the region has been added.
    #[must_use]
    pub fn has_outcome(&self, region: &Region) -> bool {
        self.outcomes.contains_key(region)
    }

    /// Returns the coverage, after all results have been added.
    #[must_use]
    pub fn finish(mut self) -> Coverage {
        let regions: Vec<_> = self.outcomes.keys().cloned().collect();
        for region in &regions {
            self.settle(region);
        }
        let mut recorders = self.recorders;
        let region = |(outcome, cells): (RegionResult, Cells)| RegionCoverage {
            recorder: recorders.remove(&outcome.region),
            cells,
            new_global_resources: outcome.new_global_resources,
            region: outcome.region,
            took: outcome.took,
        };
        let mut coverage = Coverage {
            regions: self.outcomes.into_values().map(region).collect(),
        };
        coverage.resolve_global_types();
        coverage
    }

    /// Adds new types; `more` must be sorted. Most regions have the same types, so comparing two
    /// sorted lists is faster than a lookup of each type.
    fn learn<'b>(&mut self, more: impl Iterator<Item = &'b ResourceType>) {
        let mut known = in_step(self.all.iter().map(|t| (t, ())));
        let new: Vec<_> = more.filter(|t| known(t).is_none()).cloned().collect();
        drop(known);
        if !new.is_empty() {
            let mut all = [&*self.all, &new].concat();
            all.sort_unstable();
            self.all = all.into();
        }
    }

    /// Builds the cells of a region for all types known so far, if its result has been added.
    fn settle(&mut self, region: &Region) {
        let Some((outcome, cells)) = self.outcomes.get_mut(region) else {
            return;
        };
        if Arc::ptr_eq(&cells.types, &self.all) {
            return;
        }
        let before = mem::take(cells);
        let mut before = in_step(before.types.iter().zip(before.values));
        let listed = mem::take(&mut outcome.listed);
        let mut listed = in_step(listed.iter());
        let counts = outcome.counts.as_mut().map(mem::take);
        let mut counts = counts.as_ref().map(|c| in_step(c.iter()));
        let recorder = self.recorders.get(region);
        let cell = |resource_type: &ResourceType| {
            if let Some(cell) = before(resource_type) {
                return cell;
            }
            let counted = counts.as_mut().map(|of| of(resource_type).copied());
            let counted = counted.map(Option::unwrap_or_default);
            let listed = listed(resource_type);
            let finding = outcome.finding(listed, counted, self.types, self.method);
            Cell {
                listed: listed.and_then(|l| Some(l.as_ref().ok()?.total)),
                counted,
                ..cell_for(outcome, recorder, resource_type, &finding)
            }
        };
        let values: Vec<_> = self.all.iter().map(cell).collect();
        *cells = Cells {
            missing: values.iter().filter(|cell| cell.missing).count(),
            values,
            types: self.all.clone(),
        };
    }
}

impl Coverage {
    /// Builds the coverage of `outcomes` and `recorders` in one step.
    #[cfg(test)]
    #[must_use]
    pub fn settle(
        outcomes: Vec<RegionResult>,
        recorders: BTreeMap<Region, Recorder>,
        types: &ResourceTypes,
        method: Method,
    ) -> Self {
        let mut settling = Settling::new(types, method);
        for (region, recorder) in recorders {
            settling.recorder(&region, recorder);
        }
        for outcome in outcomes {
            settling.outcome(outcome);
        }
        settling.finish()
    }

    /// Marks unrecorded global types as counted elsewhere, if another region records and counts
    /// them.
    fn resolve_global_types(&mut self) {
        let global: Vec<_> = self.types().filter(|t| t.is_global()).cloned().collect();
        for resource_type in &global {
            // A stale count, or a count with an unknown recorder, cannot replace another region's
            // count.
            let counts = |region: &&RegionCoverage| {
                let cell = region.cells.get(resource_type);
                let recorder = region.recorder.as_ref();
                let status = recorder.map(|r| r.recording_status(&region.region, resource_type));
                cell.is_some_and(|c| c.total().is_some())
                    && status == Some(RecordingStatus::Recorded)
            };
            let Some(elsewhere) = self.regions.iter().find(counts) else {
                continue;
            };
            let detail = format!(
                "not recorded here; counted in {} (global)",
                elsewhere.region
            );
            let detail: Arc<str> = detail.into();
            for region in &mut self.regions {
                region.cells.mark_counted_elsewhere(resource_type, &detail);
            }
        }
    }

    /// Returns the gaps without a log line, grouped by region and reason.
    #[must_use]
    pub fn unlogged(&self) -> Vec<UnloggedGap> {
        let mut lines = Vec::new();
        for region in self.regions.iter().filter(|r| r.missing() > 0) {
            let mut groups: BTreeMap<(Status, ErrorType), Vec<(&ResourceType, &Cell)>> =
                BTreeMap::new();
            for (resource_type, cell) in region.cells.iter().filter(|(_, cell)| cell.missing) {
                if let Some(error_type) = cell.unlogged {
                    let group = groups.entry((cell.status, error_type)).or_default();
                    group.push((resource_type, cell));
                }
            }
            lines.extend(groups.into_iter().map(|((status, error_type), cells)| {
                let types: Vec<&ResourceType> = cells.iter().map(|(t, _)| *t).collect();
                let subject = match types[..] {
                    [_] => "not counted".to_owned(),
                    _ => format!(
                        "{} not counted ({})",
                        pluralize(types.len(), "type"),
                        names(&types)
                    ),
                };
                UnloggedGap {
                    error_type,
                    region: region.region.clone(),
                    resource_type: (types.len() == 1).then(|| types[0].clone()),
                    message: match (error_type, cells[0].1.detail()) {
                        (ErrorType::ConfigDisabled, detail) => {
                            format!("{subject}: {detail}; {}", status.advice())
                        }
                        // The error of the recorder call already has advice.
                        (_, detail) => format!("{subject}: {detail}"),
                    },
                }
            }));
        }
        lines
    }
}

impl Cells {
    /// Removes the gap of a type that is not recorded, with `detail` as the reason.
    fn mark_counted_elsewhere(&mut self, resource_type: &ResourceType, detail: &Arc<str>) {
        let Ok(n) = self.types.binary_search(resource_type) else {
            return;
        };
        let cell = &mut self.values[n];
        if cell.status == Status::NotRecorded && mem::take(&mut cell.missing) {
            cell.detail = Some(detail.clone());
            self.missing -= 1;
        }
    }
}

impl RegionResult {
    /// Returns the result of a type. `listed` is `None` if the type was not listed; `counted` is
    /// `None` if there are no counts.
    fn finding<'a>(
        &'a self,
        listed: Option<&'a Result<Listed, Gap>>,
        counted: Option<u64>,
        types: &ResourceTypes,
        method: Method,
    ) -> Finding<'a> {
        match (listed, counted) {
            (Some(Ok(listed)), _) => Finding::Listed(listed.total),
            (Some(Err(gap)), _) => Finding::Missing(gap),
            (None, Some(n)) if !method.lists() => Finding::Counted(n),
            // With all types, only the types with a count are listed; the others have a count of 0.
            (None, Some(0)) if *types == ResourceTypes::All => Finding::Counted(0),
            (None, _) => Finding::Missing(&self.unlisted),
        }
    }
}

/// Returns a lookup in the sorted `pairs`, to be called with types in sorted order (a merge join).
fn in_step<'a, V>(
    pairs: impl Iterator<Item = (&'a ResourceType, V)>,
) -> impl FnMut(&ResourceType) -> Option<V> {
    let mut rest = pairs.peekable();
    move |resource_type| {
        // Most types are equal, and a test for equality is faster than an ordered comparison.
        while rest
            .next_if(|(next, _)| next != &resource_type && *next < resource_type)
            .is_some()
        {}
        Some(rest.next_if(|(next, _)| next == &resource_type)?.1)
    }
}

/// Returns the cell of a type, without the numbers of listing and counts.
fn cell_for(
    outcome: &RegionResult,
    recorder: Option<&Recorder>,
    resource_type: &ResourceType,
    finding: &Finding<'_>,
) -> Cell {
    match *finding {
        Finding::Missing(gap) => Cell::without_total(gap.status, gap.detail.clone(), None),
        Finding::Listed(n) | Finding::Counted(n) => {
            let listed = matches!(finding, Finding::Listed(_));
            let status = match recorder {
                Some(recorder) => recorder.recording_status(&outcome.region, resource_type),
                None => RecordingStatus::Unknown(&outcome.unlisted),
            };
            classify_count(n, listed, &status)
        }
    }
}

/// Returns the cell for `n` resources in a listing (`listed`) or in the counts, depending on the
/// recording status.
fn classify_count(n: u64, listed: bool, recording: &RecordingStatus<'_>) -> Cell {
    let exact = if n > 0 { Status::Counted } else { Status::Zero };
    let missing = |status, detail: &str| {
        let unlogged = Some(ErrorType::ConfigDisabled);
        Cell::without_total(status, detail.into(), unlogged)
    };
    match (recording, n) {
        (RecordingStatus::Recorded, _) => Cell::with_total(exact, ""),
        (RecordingStatus::Missing, 0) => missing(
            Status::RecorderMissing,
            "no configuration recorder in the region, so the real number is unknown",
        ),
        (RecordingStatus::Missing, _) => Cell::with_total(
            Status::RecorderMissing,
            "no configuration recorder in the region; the count may be stale",
        ),
        (RecordingStatus::NotRecorded, 0) => missing(
            Status::NotRecorded,
            "not recorded and none discovered, so the real number is unknown",
        ),
        (RecordingStatus::NotRecorded, _) => Cell::with_total(
            Status::NotRecorded,
            "not recorded here; the discovered count may be stale or incomplete",
        ),
        (RecordingStatus::Stopped, 0) if !listed => missing(
            Status::RecorderStopped,
            "recorder stopped, so config:GetDiscoveredResourceCounts counts nothing",
        ),
        (RecordingStatus::Stopped, _) => Cell::with_total(
            Status::RecorderStopped,
            "recorder stopped: the count dates from then",
        ),
        (RecordingStatus::Unknown(why), 0) if !listed => Cell::without_total(
            why.status,
            format!(
                "recorder status unknown; no resources may mean the type is not recorded: {}",
                why.detail
            )
            .into(),
            Some(why.error_type),
        ),
        (RecordingStatus::Unknown(why), _) => {
            Cell::with_total(exact, &format!("recorder status unknown: {}", why.detail))
        }
    }
}

impl Cell {
    fn with_total(status: Status, detail: &str) -> Self {
        Self {
            status,
            known: true,
            missing: false,
            detail: (!detail.is_empty()).then(|| detail.into()),
            listed: None,
            counted: None,
            unlogged: None,
        }
    }

    fn without_total(status: Status, detail: Arc<str>, unlogged: Option<ErrorType>) -> Self {
        Self {
            known: false,
            missing: true,
            detail: Some(detail),
            unlogged,
            ..Self::with_total(status, "")
        }
    }
}

/// `A, B and 3 more`.
fn names(types: &[&ResourceType]) -> String {
    let named: Vec<&str> = types.iter().take(NAMED).map(|t| t.as_str()).collect();
    let more = types.len() - named.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", named.join(", "))
}
