//! From what the tasks brought and what the recorders say to what is known.

use std::collections::{BTreeMap, BTreeSet};
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

impl Coverage {
    /// What is known after a run of `method` over `types`.
    ///
    /// Where all types were asked for, they are those that any region has, and the common ones: an
    /// account in which nothing could be asked has cells all the same, and none of them is a zero.
    #[must_use]
    pub fn settle(
        outcomes: Vec<Outcome>,
        mut recorders: BTreeMap<Region, Recorder>,
        types: &ResourceTypes,
        method: Method,
    ) -> Self {
        let mut all = BTreeSet::new();
        match types {
            ResourceTypes::Named(types) => all.extend(types.iter().cloned()),
            ResourceTypes::All => {
                all.extend(ResourceType::common());
                for outcome in &outcomes {
                    add(&mut all, outcome.listed.keys());
                    add(&mut all, outcome.counts.iter().flat_map(BTreeMap::keys));
                }
            }
        }
        let all: Arc<[ResourceType]> = all.into_iter().collect();
        let region = |outcome: Outcome| {
            let recorder = recorders.remove(&outcome.region);
            let mut counts = outcome.counts.as_ref().map(|c| in_step(c.iter()));
            let mut listed = in_step(outcome.listed.iter());
            let cell = |resource_type: &ResourceType| {
                let counted = counts.as_mut().map(|of| of(resource_type).copied());
                let counted = counted.map(Option::unwrap_or_default);
                let listed = listed(resource_type);
                let evidence = outcome.evidence(listed, counted, types, method);
                Cell {
                    listed: listed.and_then(|l| Some(l.as_ref().ok()?.total)),
                    counted,
                    ..settled(&outcome, recorder.as_ref(), resource_type, &evidence)
                }
            };
            RegionCoverage {
                cells: Cells {
                    cells: all.iter().map(cell).collect(),
                    types: all.clone(),
                },
                recorder,
                first_seen: outcome.first_seen,
                region: outcome.region,
                took: outcome.took,
            }
        };
        let mut regions: Vec<_> = outcomes.into_iter().map(region).collect();
        regions.sort_by(|a, b| a.region.cmp(&b.region));
        let mut coverage = Self { regions };
        coverage.find_elsewhere();
        coverage
    }

    /// A region that does not record global resources misses none where another one counts them.
    fn find_elsewhere(&mut self) {
        let mut counted: BTreeMap<ResourceType, Region> = BTreeMap::new();
        for region in &self.regions {
            // What is stale or of which the recorder is unknown does not stand in for another.
            let vouched = |resource_type: &ResourceType| {
                let recorder = region.recorder.as_ref();
                let standing = recorder.map(|r| r.standing(&region.region, resource_type));
                standing == Some(Standing::Recorded)
            };
            for (resource_type, cell) in region.cells.iter() {
                if resource_type.is_global() && cell.total.is_some() && vouched(resource_type) {
                    let first = counted.entry(resource_type.clone());
                    first.or_insert_with(|| region.region.clone());
                }
            }
        }
        for region in &mut self.regions {
            let types = region.cells.types.iter();
            for (resource_type, cell) in types.zip(&mut region.cells.cells) {
                let elsewhere = counted.get(resource_type);
                if let (Status::NotRecorded, true, Some(elsewhere)) =
                    (cell.status, cell.missing, elsewhere)
                {
                    cell.missing = false;
                    cell.detail =
                        format!("not recorded here; {elsewhere} counts the same resources").into();
                }
            }
        }
    }

    /// The losses that no call told of, a line for each region and reason.
    #[must_use]
    pub fn untold(&self) -> Vec<Untold> {
        let mut lines = Vec::new();
        for region in &self.regions {
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
                    message: match (error_type, &cells[0].1.detail) {
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

/// Takes the types in that are not there yet; `more` are sorted. Most regions have the same ones, and to
/// find that out side by side is quicker than to look for each.
fn add<'a>(all: &mut BTreeSet<ResourceType>, more: impl Iterator<Item = &'a ResourceType>) {
    let mut known = in_step(all.iter().map(|t| (t, ())));
    let new: Vec<_> = more.filter(|t| known(t).is_none()).cloned().collect();
    drop(known);
    all.extend(new);
}

/// What `pairs` have of one type after the other, which like them are sorted.
fn in_step<'a, V>(
    pairs: impl Iterator<Item = (&'a ResourceType, V)>,
) -> impl FnMut(&ResourceType) -> Option<V> {
    let mut rest = pairs.peekable();
    move |resource_type| {
        loop {
            let (next, value) = rest.next_if(|(next, _)| *next <= resource_type)?;
            if next == resource_type {
                return Some(value);
            }
        }
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
        (Standing::Recorded, _) => Cell::with_total(n, plain, ""),
        (Standing::Missing, 0) => lost(
            Status::RecorderMissing,
            "the region has no configuration recorder, and whether there are any is not known",
        ),
        (Standing::Missing, _) => Cell::with_total(
            n,
            Status::RecorderMissing,
            "the region has no configuration recorder: what is listed may be stale",
        ),
        (Standing::NotRecorded, 0) => lost(
            Status::NotRecorded,
            "not recorded here: none was discovered, and whether there are any is not known",
        ),
        (Standing::NotRecorded, _) => Cell::with_total(
            n,
            Status::NotRecorded,
            "not recorded here, and discovered all the same: it may be stale or a part",
        ),
        (Standing::Stopped, 0) if !listed => lost(
            Status::RecorderStopped,
            "the recorder is stopped, and config:GetDiscoveredResourceCounts counts nothing then",
        ),
        (Standing::Stopped, _) => Cell::with_total(
            n,
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
            Cell::with_total(n, plain, &format!("recorder unknown: {}", why.detail))
        }
    }
}

impl Cell {
    fn with_total(total: u64, status: Status, detail: &str) -> Self {
        Self {
            status,
            total: Some(total),
            missing: false,
            // Most have nothing to say, and share it.
            detail: if detail.is_empty() {
                Arc::default()
            } else {
                detail.into()
            },
            listed: None,
            counted: None,
            untold: None,
        }
    }

    fn without_total(status: Status, detail: Arc<str>, untold: Option<ErrorType>) -> Self {
        Self {
            total: None,
            missing: true,
            detail,
            untold,
            ..Self::with_total(0, status, "")
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
