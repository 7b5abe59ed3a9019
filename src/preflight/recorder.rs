//! The last check: AWS Config is enabled in at least one region, so it has a recorder.

use super::check::{CheckError, Checks};
use super::permission::{Permission, PermissionCheck, home_region};
use crate::aws::error::{CallError, ErrorKind};
use crate::aws::partition::Partition;
use crate::coverage::{RecorderState, recorder_state};
use crate::model::Region;
use crate::session::{DEFAULT_REGION, default_region};
use crate::workers::{Task, Workers};

/// The name of the check.
pub(super) const ENABLED: &str = "AWS Config enabled in at least one region";

/// The regions in which the check looks for a recorder first.
const CONFIG_REGIONS: [&str; 3] = [DEFAULT_REGION, "us-west-2", "eu-west-1"];

/// Returns the regions in which a recorder is looked for first, one after another. If `enabled` is empty, the regions
/// are not known yet.
pub(super) fn first_regions(start: &Region, enabled: &[Region]) -> Vec<Region> {
    if Partition::for_region(start) == Partition::for_region(&default_region()) {
        let regions = CONFIG_REGIONS.map(|code| code.parse().expect("a valid region code"));
        let is_enabled = |r: &Region| enabled.is_empty() || enabled.contains(r);
        regions.into_iter().filter(is_enabled).collect()
    } else {
        vec![home_region(start)]
    }
}

/// A region and its result of the permission check; `None` after a panic.
pub(super) type CheckedRegion = (Region, Option<Result<Permission, CallError>>);

/// Looks for a recorder: in the first regions one after another until one fails, then in all others concurrently: each
/// failure may take two minutes. Returns the detail of the check.
pub(super) fn find(
    check: &PermissionCheck,
    workers: &mut Workers,
    start: &Region,
    enabled: &[Region],
    checked: &CheckedRegion,
    checks: &mut Checks,
) -> Result<String, CheckError> {
    let first = first_regions(start, enabled);
    let mut errors = Vec::new();
    let mut tried = 0;
    while let Some(region) = first.get(tried).filter(|_| errors.is_empty()) {
        tried += 1;
        let found = checks.run(ENABLED, workers, || describe(check, region, checked));
        if let Some(detail) = or_error(found, &mut errors) {
            return Ok(detail);
        }
    }
    let others = enabled.iter().filter(|r| !first.contains(r));
    let others: Vec<&Region> = first[tried..].iter().chain(others).collect();
    workers.grow(others.len());
    let results: Vec<_> = workers.scope(|scope| {
        let spawn = |&region| scope.spawn(move || describe(check, region, checked));
        let tasks: Vec<Task<_>> = others.iter().map(spawn).collect();
        let results = tasks.into_iter();
        results.map(|task| checks.try_join(ENABLED, task)).collect()
    });
    let mut results = results.into_iter();
    let found = results.find_map(|found| or_error(found, &mut errors));
    found.ok_or_else(|| not_found(errors, tried + others.len()))
}

/// Returns the detail that was found; adds an error to `errors`.
fn or_error(
    found: Result<Option<String>, CheckError>,
    errors: &mut Vec<CheckError>,
) -> Option<String> {
    found.unwrap_or_else(|why| {
        errors.push(why);
        None
    })
}

fn not_found(errors: Vec<CheckError>, regions: usize) -> CheckError {
    let failed = errors.len();
    match errors.into_iter().next() {
        None => CheckError::NoRecorder(regions),
        Some(first) if failed == regions => CheckError::RecorderUnknown {
            regions,
            first: Box::new(first),
        },
        Some(first) => CheckError::NoRecorderFound {
            regions,
            failed,
            first: Box::new(first),
        },
    }
}

/// Returns the detail of the check if `region` has a recorder. If access to the recorder status is
/// denied, the calls that the run needs anyway are used instead.
fn describe(
    check: &PermissionCheck,
    region: &Region,
    (checked_region, permission): &CheckedRegion,
) -> Result<Option<String>, CheckError> {
    let denied = match check.recorder_status(region) {
        Ok(response) => {
            return Ok(match recorder_state(&response.output) {
                None => None,
                Some(RecorderState::Recording) => Some(region.to_string()),
                Some(RecorderState::Stale(state)) => {
                    Some(format!("{region}; {state}, data may be stale"))
                }
            });
        }
        Err(e) if e.kind() == Some(ErrorKind::NoRecorder) => return Ok(None),
        Err(e) if e.kind() == Some(ErrorKind::AccessDenied) => e,
        Err(e) => return Err(e.into()),
    };
    let permission = match permission {
        Some(checked) if checked_region == region => checked.clone(),
        None if checked_region == region => return Err(CheckError::Internal),
        _ => check.run(region),
    };
    match permission? {
        Permission::Allowed => Ok(Some(region.to_string())),
        Permission::NoRecorder => Ok(None),
        Permission::Inconclusive => Err(denied.into()),
    }
}
