//! From what the tasks brought and what the recorders say to what is known.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use super::{Cell, Cells, Coverage, Loss, Outcome, Recorder, RegionCoverage, Standing, Status};
use crate::count::{Listed, Method};
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType, ResourceTypes, plural};

/// How many types a line of the log names.
const NAMED: usize = 20;

/// A loss that no call told of: the log has no line for it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// How the log calls it.
    pub error_type: ErrorType,
    /// Where.
    pub region: Region,
    /// The type, where it is one.
    pub resource_type: Option<ResourceType>,
    /// What is not known, why, and what to do about it.
    pub message: String,
}

/// What a task found out about a type.
enum Evidence<'a> {
    Listed(u64),
    Counted(u64),
    Lost(&'a Loss),
}

/// What the tasks of a run have brought so far.
///
/// A region is settled as soon as its counts and its recorder are there, for the types that are known by
/// then: what remains to be done at the end of a run is little.
pub struct Settling<'a> {
    types: &'a ResourceTypes,
    method: Method,
    /// The types of all cells, sorted.
    all: Arc<[ResourceType]>,
    recorders: BTreeMap<Region, Recorder>,
    /// What was counted, which goes from the outcome to the cells.
    outcomes: BTreeMap<Region, (Outcome, Cells)>,
}

impl<'a> Settling<'a> {
    /// Nothing yet of a run of `method` over `types`.
    ///
    /// Where all types are asked for, they are those that any region has, and the common ones: an
    /// account in which nothing could be asked has cells all the same, and none of them is a zero.
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

    /// Takes in what the recorder of a region says.
    pub fn recorder(&mut self, region: &Region, recorder: Recorder) {
        self.recorders.insert(region.clone(), recorder);
        self.settle(region);
    }

    /// Takes in what was counted in a region.
    pub fn outcome(&mut self, outcome: Outcome) {
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

    /// Whether the recorder of a region was taken in.
    #[must_use]
    pub fn has_recorder(&self, region: &Region) -> bool {
        self.recorders.contains_key(region)
    }

    /// Whether what was counted in a region was taken in.
    #[must_use]
    pub fn has_outcome(&self, region: &Region) -> bool {
        self.outcomes.contains_key(region)
    }

    /// What is known once nothing will come any more.
    #[must_use]
    pub fn finish(mut self) -> Coverage {
        let regions: Vec<_> = self.outcomes.keys().cloned().collect();
        for region in &regions {
            self.settle(region);
        }
        let mut recorders = self.recorders;
        let region = |(outcome, cells): (Outcome, Cells)| RegionCoverage {
            recorder: recorders.remove(&outcome.region),
            cells,
            first_seen: outcome.first_seen,
            region: outcome.region,
            took: outcome.took,
        };
        let mut coverage = Coverage {
            regions: self.outcomes.into_values().map(region).collect(),
        };
        coverage.find_elsewhere();
        coverage
    }

    /// Takes the types in that are not there yet; `more` are sorted. Most regions have the same ones, and
    /// to find that out side by side is quicker than to look for each.
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

    /// Gives a region that was counted a cell for every type that is known by now.
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
            let evidence = outcome.evidence(listed, counted, self.types, self.method);
            Cell {
                listed: listed.and_then(|l| Some(l.as_ref().ok()?.total)),
                counted,
                ..settled(outcome, recorder, resource_type, &evidence)
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
    /// What is known of `outcomes` and `recorders`, all at once.
    #[cfg(test)]
    #[must_use]
    pub fn settle(
        outcomes: Vec<Outcome>,
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

    /// A region that does not record global resources misses none where another one counts them.
    fn find_elsewhere(&mut self) {
        let global: Vec<_> = self.types().filter(|t| t.is_global()).cloned().collect();
        for resource_type in &global {
            // What is stale or of which the recorder is unknown does not stand in for another.
            let counts = |region: &&RegionCoverage| {
                let cell = region.cells.get(resource_type);
                let recorder = region.recorder.as_ref();
                let standing = recorder.map(|r| r.standing(&region.region, resource_type));
                cell.is_some_and(|c| c.total().is_some()) && standing == Some(Standing::Recorded)
            };
            let Some(elsewhere) = self.regions.iter().find(counts) else {
                continue;
            };
            let detail = format!(
                "not recorded here; {} counts the same resources",
                elsewhere.region
            );
            let detail: Arc<str> = detail.into();
            for region in &mut self.regions {
                region.cells.miss_no_more(resource_type, &detail);
            }
        }
    }

    /// The losses that no call told of, a line for each region and reason.
    #[must_use]
    pub fn untold(&self) -> Vec<Untold> {
        let mut lines = Vec::new();
        for region in self.regions.iter().filter(|r| r.missing() > 0) {
            let mut groups: BTreeMap<(Status, ErrorType), Vec<(&ResourceType, &Cell)>> =
                BTreeMap::new();
            for (resource_type, cell) in region.cells.iter().filter(|(_, cell)| cell.missing) {
                if let Some(error_type) = cell.untold {
                    let group = groups.entry((cell.status, error_type)).or_default();
                    group.push((resource_type, cell));
                }
            }
            lines.extend(groups.into_iter().map(|((status, error_type), cells)| {
                let types: Vec<&ResourceType> = cells.iter().map(|(t, _)| *t).collect();
                let what = match types[..] {
                    [_] => "not counted".to_owned(),
                    _ => format!(
                        "{} not counted ({})",
                        plural(types.len(), "type"),
                        names(&types)
                    ),
                };
                Untold {
                    error_type,
                    region: region.region.clone(),
                    resource_type: (types.len() == 1).then(|| types[0].clone()),
                    message: match (error_type, cells[0].1.detail()) {
                        (ErrorType::ConfigDisabled, detail) => {
                            format!("{what}: {detail}; {}", status.advice())
                        }
                        // What hid the recorder says itself what to do.
                        (_, detail) => format!("{what}: {detail}"),
                    },
                }
            }));
        }
        lines
    }
}

impl Cells {
    /// A type that is not recorded is not missing either, for the reason that `detail` tells.
    fn miss_no_more(&mut self, resource_type: &ResourceType, detail: &Arc<str>) {
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

impl Outcome {
    /// What is known of a type of which the listing, where it was begun, came to `listed`, and the
    /// counts, where they were asked for, say `counted`.
    fn evidence<'a>(
        &'a self,
        listed: Option<&'a Result<Listed, Loss>>,
        counted: Option<u64>,
        types: &ResourceTypes,
        method: Method,
    ) -> Evidence<'a> {
        match (listed, counted) {
            (Some(Ok(listed)), _) => Evidence::Listed(listed.total),
            (Some(Err(loss)), _) => Evidence::Lost(loss),
            (None, Some(n)) if !method.lists() => Evidence::Counted(n),
            // Of all types those are listed that the counts name; they have the word on the others.
            (None, Some(0)) if *types == ResourceTypes::All => Evidence::Counted(0),
            (None, _) => Evidence::Lost(&self.rest),
        }
    }
}

/// What `pairs` have of one type after the other, which like them are sorted.
fn in_step<'a, V>(
    pairs: impl Iterator<Item = (&'a ResourceType, V)>,
) -> impl FnMut(&ResourceType) -> Option<V> {
    let mut rest = pairs.peekable();
    move |resource_type| {
        // Most are one and the same, which is quicker to see than which of two comes first.
        while rest
            .next_if(|(next, _)| next != &resource_type && *next < resource_type)
            .is_some()
        {}
        Some(rest.next_if(|(next, _)| next == &resource_type)?.1)
    }
}

fn settled(
    outcome: &Outcome,
    recorder: Option<&Recorder>,
    resource_type: &ResourceType,
    evidence: &Evidence<'_>,
) -> Cell {
    match *evidence {
        Evidence::Lost(loss) => Cell::without_total(loss.status, loss.detail.clone(), None),
        Evidence::Listed(n) | Evidence::Counted(n) => {
            let listed = matches!(evidence, Evidence::Listed(_));
            let standing = match recorder {
                Some(recorder) => recorder.standing(&outcome.region, resource_type),
                None => Standing::Unknown(&outcome.rest),
            };
            known(n, listed, &standing)
        }
    }
}

/// What `n` resources in a listing, or in the counts, mean under a recorder of that standing.
fn known(n: u64, listed: bool, standing: &Standing<'_>) -> Cell {
    let plain = if n > 0 { Status::Counted } else { Status::Zero };
    let lost = |status, detail: &str| {
        let untold = Some(ErrorType::ConfigDisabled);
        Cell::without_total(status, detail.into(), untold)
    };
    match (standing, n) {
        (Standing::Recorded, _) => Cell::with_total(plain, ""),
        (Standing::Missing, 0) => lost(
            Status::RecorderMissing,
            "the region has no configuration recorder, and whether there are any is not known",
        ),
        (Standing::Missing, _) => Cell::with_total(
            Status::RecorderMissing,
            "the region has no configuration recorder: what is listed may be stale",
        ),
        (Standing::NotRecorded, 0) => lost(
            Status::NotRecorded,
            "not recorded here: none was discovered, and whether there are any is not known",
        ),
        (Standing::NotRecorded, _) => Cell::with_total(
            Status::NotRecorded,
            "not recorded here, and discovered all the same: it may be stale or a part",
        ),
        (Standing::Stopped, 0) if !listed => lost(
            Status::RecorderStopped,
            "the recorder is stopped, and config:GetDiscoveredResourceCounts counts nothing then",
        ),
        (Standing::Stopped, _) => Cell::with_total(
            Status::RecorderStopped,
            "the recorder is stopped: the inventory is as it was then",
        ),
        (Standing::Unknown(why), 0) if !listed => Cell::without_total(
            why.status,
            format!(
                "recorder unknown, so that none may mean not recorded: {}",
                why.detail
            )
            .into(),
            Some(why.error_type),
        ),
        (Standing::Unknown(why), _) => {
            Cell::with_total(plain, &format!("recorder unknown: {}", why.detail))
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
            untold: None,
        }
    }

    fn without_total(status: Status, detail: Arc<str>, untold: Option<ErrorType>) -> Self {
        Self {
            known: false,
            missing: true,
            detail: Some(detail),
            untold,
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
