//! The last two checks: whether resources may be listed, and whether a region has a recorder.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::{FIRST_REGION, known, with_advice};
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::aws::partition::Partition;
use crate::count::Method;
use crate::count::counts::first_page;
use crate::coverage::Running;
use crate::model::{Region, ResourceType, ResourceTypes, plural};
use crate::scan::pool::{Outlet, Pool};
use crate::scan::recorder::running;

/// The regions in which AWS Config is looked for first.
const CONFIG_REGIONS: [&str; 3] = [FIRST_REGION, "us-west-2", "eu-west-1"];

/// Where the permission to list is tried: us-east-1 where it is enabled, else the start region.
pub(super) fn check_region(start: &Region, enabled: &[Region]) -> Region {
    let first = known(FIRST_REGION);
    let same_partition = Partition::of(start) == Partition::of(&first);
    if same_partition && (enabled.is_empty() || enabled.contains(&first)) {
        first
    } else {
        start.clone()
    }
}

/// What asking for resources says of a region.
pub(super) enum Asked {
    /// It has a recorder.
    Answered(Region),
    /// It has none; the permission is there.
    NoRecorder(Region),
    /// The permission is there, and the recorder may be or not.
    Silent(Region),
    /// Nobody knows.
    Failed(Region, String),
}

impl Asked {
    /// Where it was asked.
    pub(super) fn region(&self) -> &Region {
        match self {
            Self::Answered(region)
            | Self::NoRecorder(region)
            | Self::Silent(region)
            | Self::Failed(region, _) => region,
        }
    }

    /// The check's result.
    pub(super) fn told(&self) -> Result<String, String> {
        match self {
            Self::Answered(region) | Self::Silent(region) => Ok(region.to_string()),
            Self::NoRecorder(region) => Ok(format!("{region}, which has no recorder")),
            Self::Failed(_, why) => Err(why.clone()),
        }
    }
}

/// What the run's own way of counting needs, tried once; the scan uses the answers.
pub(super) struct Probe {
    /// Makes the calls.
    pub(super) client: Arc<Client>,
    /// How the run counts.
    pub(super) method: Method,
    /// What it counts.
    pub(super) types: ResourceTypes,
}

impl Probe {
    /// The name of the check.
    pub(super) fn name(method: Method, types: &ResourceTypes) -> &'static str {
        match (method.lists(), method.asks_counts(types)) {
            (true, false) => "IAM permission: config:ListDiscoveredResources",
            (false, _) => "IAM permission: config:GetDiscoveredResourceCounts",
            (true, true) => {
                "IAM permission: config:ListDiscoveredResources, config:GetDiscoveredResourceCounts"
            }
        }
    }

    /// Every call that the count is made of, in `region`.
    pub(super) fn ask(&self, region: &Region) -> Asked {
        let mut known = Vec::new();
        if self.method.asks_counts(&self.types) {
            match self.client.call_ahead(region, &first_page(&self.types)) {
                Ok(answer) => known = answer.output.counts.into_iter().map(|(t, _)| t).collect(),
                Err(e) => return Asked::Failed(region.clone(), with_advice(&e)),
            }
        }
        match (self.method.lists(), known.is_empty()) {
            (true, _) => self.list(region, known.first()),
            // Nothing is counted without a recorder, and nothing where nothing is.
            (false, true) => Asked::Silent(region.clone()),
            (false, false) => Asked::Answered(region.clone()),
        }
    }

    /// The first page of a type that AWS Config is sure to know, as one that it has just counted: of
    /// one that it does not know it may say so, whatever the permission.
    fn list(&self, region: &Region, counted: Option<&ResourceType>) -> Asked {
        let common = ResourceType::common();
        let named = self.types.named().iter().find(|t| common.contains(t));
        let operation = ListDiscoveredResources {
            resource_type: named.or(counted).unwrap_or(&common[0]),
            next_token: None,
        };
        match self.client.call_ahead(region, &operation) {
            Ok(_) => Asked::Answered(region.clone()),
            Err(e) => match e.kind() {
                Some(ErrorKind::ResourceNotDiscovered) => Asked::Answered(region.clone()),
                Some(ErrorKind::NoRecorder) => Asked::NoRecorder(region.clone()),
                _ => Asked::Failed(region.clone(), with_advice(&e)),
            },
        }
    }

    /// Asks ahead for the recorder that is looked for first, so that it is known with the rest.
    pub(super) fn ask_status_ahead(&self, region: &Region) {
        let status = DescribeConfigurationRecorderStatus {};
        let _ = self.client.call_ahead(region, &status);
    }
}

/// Where a recorder is looked for first, one region after the other.
pub(super) fn first_regions(start: &Region, enabled: &[Region]) -> Vec<Region> {
    if Partition::of(start) == Partition::of(&known(FIRST_REGION)) {
        let asked = CONFIG_REGIONS.map(known).into_iter();
        asked
            .filter(|r| enabled.is_empty() || enabled.contains(r))
            .collect()
    } else {
        vec![start.clone()]
    }
}

/// Looks for a recorder: in the first three regions one after the other, then in all others side
/// by side.
pub(super) fn find_recorder(
    probe: &Arc<Probe>,
    pool: &mut Pool,
    start: &Region,
    enabled: &[Region],
    asked_before: Asked,
) -> Result<String, String> {
    let first = first_regions(start, enabled);
    let mut failed = Vec::new();
    for region in &first {
        match recorder(probe, region, &asked_before) {
            Ok(Some(told)) => return Ok(told),
            Ok(None) => {}
            Err(why) => failed.push(why),
        }
    }
    let others: Vec<Region> = enabled
        .iter()
        .filter(|r| !first.contains(r))
        .cloned()
        .collect();
    let asked = first.len() + others.len();
    let (probe, threads) = (probe.clone(), others.len());
    let work = move |region: Region, outlet: &Outlet<_>, _: &dyn Fn(Infallible)| {
        let told = recorder(&probe, &region, &asked_before);
        outlet.send((region, told));
    };
    let no_more = |none: Infallible, _: &Outlet<_>| match none {};
    // By region, so that the same answers are told alike in whatever order they come.
    let replies = pool.side_by_side(others, work, no_more);
    pool.grow(threads);
    let told: BTreeMap<_, _> = replies.collect();
    for reply in told.into_values() {
        match reply {
            Ok(Some(told)) => return Ok(told),
            Ok(None) => {}
            Err(why) => failed.push(why),
        }
    }
    Err(match failed.first() {
        Some(why) if failed.len() == asked => {
            format!(
                "none of {} could be asked; the first: {why}",
                plural(asked, "region")
            )
        }
        Some(why) => format!(
            "no region was found to have a configuration recorder, and {} of {asked} could not be \
             asked; the first: {why}",
            failed.len()
        ),
        None => format!(
            "none of {} has a configuration recorder; turn AWS Config on in the regions that \
             are to be counted: \
             https://docs.aws.amazon.com/config/latest/developerguide/gs-console.html",
            plural(asked, "region")
        ),
    })
}

/// Whether `region` has a recorder, in words; where the status may not be asked, what the run asks
/// for anyway tells.
fn recorder(
    probe: &Probe,
    region: &Region,
    asked_before: &Asked,
) -> Result<Option<String>, String> {
    let status = DescribeConfigurationRecorderStatus {};
    let denied = match probe.client.call_ahead(region, &status) {
        Ok(answer) => {
            return Ok(match running(&answer.output) {
                Running::Missing => None,
                Running::Recording => Some(region.to_string()),
                Running::Stopped => Some(format!(
                    "{region}, where the recorder is stopped: its inventory may be stale"
                )),
            });
        }
        Err(e) if e.kind() == Some(ErrorKind::NoRecorder) => return Ok(None),
        Err(e) if e.kind() == Some(ErrorKind::AccessDenied) => e,
        Err(e) => return Err(with_advice(&e)),
    };
    let again;
    let asked = if asked_before.region() == region {
        // Asked a moment ago.
        asked_before
    } else {
        again = probe.ask(region);
        &again
    };
    match asked {
        Asked::Answered(_) => Ok(Some(region.to_string())),
        Asked::NoRecorder(_) => Ok(None),
        Asked::Silent(_) => Err(with_advice(&denied)),
        Asked::Failed(_, why) => Err(why.clone()),
    }
}
