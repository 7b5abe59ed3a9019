//! The last two checks: whether resources may be listed, and whether a region has a recorder.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

use super::{FIRST_REGION, known, with_advice};
use crate::aws::client::Client;
use crate::aws::error::ErrorKind;
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::aws::partition::Partition;
use crate::model::{Region, ResourceType, plural};
use crate::scan::pool::Pool;

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

/// What a listing says of a region.
pub(super) enum Listed {
    /// It has a recorder.
    Answered(Region),
    /// It has none; the permission is there.
    NoRecorder(Region),
    /// Nobody knows.
    Failed(Region, String),
}

/// Asks for one resource: enough to see whether it may be asked.
pub(super) fn list_one(client: &Client, region: &Region) -> Listed {
    let resource_type = &ResourceType::common()[0];
    let operation = ListDiscoveredResources {
        resource_type,
        limit: Some(1),
        next_token: None,
    };
    match client.call(region, &operation) {
        Ok(_) => Listed::Answered(region.clone()),
        Err(e) => match e.kind() {
            Some(ErrorKind::ResourceNotDiscovered) => Listed::Answered(region.clone()),
            Some(ErrorKind::NoRecorder) => Listed::NoRecorder(region.clone()),
            _ => Listed::Failed(region.clone(), with_advice(&e)),
        },
    }
}

/// Looks for a recorder: in the first three regions one after the other, then in all others side
/// by side.
pub(super) fn find_recorder(
    client: &Client,
    pool: &Pool,
    start: &Region,
    enabled: &[Region],
    listed: &Listed,
) -> Result<String, String> {
    let first: Vec<Region> = if Partition::of(start) == Partition::of(&known(FIRST_REGION)) {
        let asked = CONFIG_REGIONS.map(known).into_iter();
        asked
            .filter(|r| enabled.is_empty() || enabled.contains(r))
            .collect()
    } else {
        vec![start.clone()]
    };
    let mut failed = Vec::new();
    for region in &first {
        match recorder(client, region, listed) {
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
    let work = |region: Region, to_main: &Sender<_>| {
        let told = recorder(client, &region, listed);
        let _ = to_main.send((region, told));
    };
    // By region, so that the same answers are told alike in whatever order they come.
    let mut told = BTreeMap::new();
    pool.side_by_side(others, work, |(region, reply)| {
        told.insert(region, reply);
    });
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

/// Whether `region` has a recorder, in words; where the status may not be asked, a listing tells.
fn recorder(client: &Client, region: &Region, listed: &Listed) -> Result<Option<String>, String> {
    match client.call(region, &DescribeConfigurationRecorderStatus {}) {
        Ok(answer) if answer.output.is_empty() => Ok(None),
        Ok(answer) if answer.output.iter().any(|r| r.recording) => Ok(Some(region.to_string())),
        Ok(_) => Ok(Some(format!(
            "{region}, where the recorder is stopped: its inventory may be stale"
        ))),
        Err(e) if e.kind() == Some(ErrorKind::NoRecorder) => Ok(None),
        Err(e) if e.kind() == Some(ErrorKind::AccessDenied) => {
            let again;
            let listed = match listed {
                // Asked a moment ago.
                Listed::Answered(r) | Listed::NoRecorder(r) | Listed::Failed(r, _)
                    if r == region =>
                {
                    listed
                }
                _ => {
                    again = list_one(client, region);
                    &again
                }
            };
            match listed {
                Listed::Answered(_) => Ok(Some(region.to_string())),
                Listed::NoRecorder(_) => Ok(None),
                Listed::Failed(_, why) => Err(why.clone()),
            }
        }
        Err(e) => Err(with_advice(&e)),
    }
}
