//! The last two checks: permission to count resources, and a configuration recorder in any region.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use super::{FIRST_REGION, region_literal, with_advice};
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::aws::partition::Partition;
use crate::coverage::RecorderState;
use crate::inventory::Method;
use crate::inventory::counts::first_page;
use crate::model::{Region, ResourceType, ResourceTypes};
use crate::scan::pool::{Outlet, Pool};
use crate::scan::recorder::recorder_state;
use crate::text::pluralize;

/// The regions in which the last check looks for a recorder first.
const CONFIG_REGIONS: [&str; 3] = [FIRST_REGION, "us-west-2", "eu-west-1"];

/// Returns the region of the permission check: us-east-1 if it is enabled, else the start region.
pub(super) fn check_region(start: &Region, enabled: &[Region]) -> Region {
    let first = region_literal(FIRST_REGION);
    let same_partition = Partition::for_region(start) == Partition::for_region(&first);
    if same_partition && (enabled.is_empty() || enabled.contains(&first)) {
        first
    } else {
        start.clone()
    }
}

/// The result of the calls that the count needs, in one region.
pub(super) enum ProbeOutcome {
    /// The calls are allowed, and the region has a recorder.
    Allowed(Region),
    /// The calls are allowed, and the region has no recorder.
    NoRecorder(Region),
    /// The calls are allowed; the region may or may not have a recorder.
    Inconclusive(Region),
    /// A call failed, for this reason.
    Failed(Region, String),
}

impl ProbeOutcome {
    /// Returns the region of the calls.
    pub(super) fn region(&self) -> &Region {
        match self {
            Self::Allowed(region)
            | Self::NoRecorder(region)
            | Self::Inconclusive(region)
            | Self::Failed(region, _) => region,
        }
    }

    /// Returns the result of the check.
    pub(super) fn result(&self) -> Result<String, String> {
        match self {
            Self::Allowed(region) | Self::Inconclusive(region) => Ok(region.to_string()),
            Self::NoRecorder(region) => Ok(format!("{region}; no recorder")),
            Self::Failed(_, why) => Err(why.clone()),
        }
    }
}

/// The calls that the run's method needs, made once in a region; the scan reuses the responses.
pub(super) struct Probe {
    /// The client for the calls.
    pub(super) client: Arc<Client>,
    /// The counting method of the run.
    pub(super) method: Method,
    /// The types to count.
    pub(super) types: ResourceTypes,
}

impl Probe {
    /// Returns the name of the check.
    pub(super) fn name(method: Method, types: &ResourceTypes) -> &'static str {
        match (method.lists(), method.asks_counts(types)) {
            (true, false) => "IAM permission: config:ListDiscoveredResources",
            (false, _) => "IAM permission: config:GetDiscoveredResourceCounts",
            (true, true) => {
                "IAM permission: config:ListDiscoveredResources, config:GetDiscoveredResourceCounts"
            }
        }
    }

    /// Makes every call that the count needs, in `region`.
    pub(super) fn run(&self, region: &Region) -> ProbeOutcome {
        let mut counted = Vec::new();
        if self.method.asks_counts(&self.types) {
            match self.client.call_ahead(region, &first_page(&self.types)) {
                Ok(response) => {
                    let counts = response.output.counts.into_iter();
                    counted = counts.map(|(t, _)| t).collect();
                }
                Err(e) => return ProbeOutcome::Failed(region.clone(), with_advice(&e)),
            }
        }
        match (self.method.lists(), counted.is_empty()) {
            (true, _) => self.list(region, counted.first()),
            // An empty response cannot distinguish "no recorder" from "no resources".
            (false, true) => ProbeOutcome::Inconclusive(region.clone()),
            (false, false) => ProbeOutcome::Allowed(region.clone()),
        }
    }

    /// Requests the first page of a type that AWS Config supports, such as one that it has just
    /// counted. For an unsupported type the error may hide the missing permission.
    fn list(&self, region: &Region, counted: Option<&ResourceType>) -> ProbeOutcome {
        let common = ResourceType::common();
        let named = self.types.named().iter().find(|t| common.contains(t));
        let operation = ListDiscoveredResources {
            resource_type: named.or(counted).unwrap_or(&common[0]),
            next_token: None,
        };
        match self.client.call_ahead(region, &operation) {
            Ok(_) => ProbeOutcome::Allowed(region.clone()),
            Err(e) => match e.kind() {
                Some(ErrorKind::ResourceNotDiscovered) => ProbeOutcome::Allowed(region.clone()),
                Some(ErrorKind::NoRecorder) => ProbeOutcome::NoRecorder(region.clone()),
                _ => ProbeOutcome::Failed(region.clone(), with_advice(&e)),
            },
        }
    }

    /// Requests the recorder status of `region` ahead of the last check, which reuses the response.
    pub(super) fn prefetch_status(&self, region: &Region) {
        let status = DescribeConfigurationRecorderStatus {};
        let _ = self.client.call_ahead(region, &status);
    }
}

/// Returns the regions in which a recorder is looked for first, one after another.
pub(super) fn first_regions(start: &Region, enabled: &[Region]) -> Vec<Region> {
    if Partition::for_region(start) == Partition::for_region(&region_literal(FIRST_REGION)) {
        let regions = CONFIG_REGIONS.map(region_literal).into_iter();
        regions
            .filter(|r| enabled.is_empty() || enabled.contains(r))
            .collect()
    } else {
        vec![start.clone()]
    }
}

/// Looks for a recorder: in the first regions one after another, then in all others concurrently.
pub(super) fn find_recorder(
    probe: &Arc<Probe>,
    pool: &mut Pool,
    start: &Region,
    enabled: &[Region],
    earlier: ProbeOutcome,
) -> Result<String, String> {
    let first = first_regions(start, enabled);
    let mut failed = Vec::new();
    for region in &first {
        match describe_recorder(probe, region, &earlier) {
            Ok(Some(detail)) => return Ok(detail),
            Ok(None) => {}
            Err(why) => failed.push(why),
        }
    }
    let others: Vec<Region> = enabled
        .iter()
        .filter(|r| !first.contains(r))
        .cloned()
        .collect();
    let checked = first.len() + others.len();
    let (probe, threads) = (probe.clone(), others.len());
    let work = move |region: Region, outlet: &Outlet<_>, _: &dyn Fn(Infallible)| {
        let result = describe_recorder(&probe, &region, &earlier);
        outlet.send((region, result));
    };
    let no_more = |none: Infallible, _: &Outlet<_>| match none {};
    // Sorted by region, so that the message does not depend on the order of the responses.
    let replies = pool.side_by_side(others, work, no_more);
    pool.grow(threads);
    let results: BTreeMap<_, _> = replies.collect();
    for result in results.into_values() {
        match result {
            Ok(Some(detail)) => return Ok(detail),
            Ok(None) => {}
            Err(why) => failed.push(why),
        }
    }
    Err(match failed.first() {
        Some(why) if failed.len() == checked => {
            format!(
                "could not check any of {}; first error: {why}",
                pluralize(checked, "region")
            )
        }
        Some(why) => format!(
            "no configuration recorder found, and {} of {} could not be checked; first error: \
             {why}",
            failed.len(),
            pluralize(checked, "region")
        ),
        None => format!(
            "none of {} has a configuration recorder; turn on AWS Config in the regions to count: \
             https://docs.aws.amazon.com/config/latest/developerguide/gs-console.html",
            pluralize(checked, "region")
        ),
    })
}

/// Returns the detail of the check if `region` has a recorder. If access to the recorder status is
/// denied, the calls that the run needs anyway are used instead.
fn describe_recorder(
    probe: &Probe,
    region: &Region,
    earlier: &ProbeOutcome,
) -> Result<Option<String>, String> {
    let status = DescribeConfigurationRecorderStatus {};
    let denied = match probe.client.call_ahead(region, &status) {
        Ok(response) => {
            return Ok(match recorder_state(&response.output) {
                RecorderState::Missing => None,
                RecorderState::Recording => Some(region.to_string()),
                RecorderState::Stopped => {
                    Some(format!("{region}; recorder stopped, data may be stale"))
                }
            });
        }
        Err(e) if e.kind() == Some(ErrorKind::NoRecorder) => return Ok(None),
        Err(e) if e.kind() == Some(ErrorKind::AccessDenied) => e,
        Err(e) => return Err(with_advice(&e)),
    };
    let new;
    let outcome = if earlier.region() == region {
        earlier
    } else {
        new = probe.run(region);
        &new
    };
    match outcome {
        ProbeOutcome::Allowed(_) => Ok(Some(region.to_string())),
        ProbeOutcome::NoRecorder(_) => Ok(None),
        ProbeOutcome::Inconclusive(_) => Err(with_advice(&denied)),
        ProbeOutcome::Failed(_, why) => Err(why.clone()),
    }
}
