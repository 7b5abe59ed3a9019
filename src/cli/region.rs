//! Parses the regions of `--region`, `--regions` and `--exclude-regions`.

use thiserror::Error;

use crate::aws::partition::Partition;
use crate::model::Region;
use crate::redact;
use crate::text::{did_you_mean, near_matches, sanitize};

/// The maximum length of an invalid name in a message, in characters.
const MAX_SHOWN: usize = 80;

/// The reason why a region is invalid: its name, and its near matches as a question.
#[derive(Debug, Error)]
#[error("\"{0}\" is not a region code such as eu-west-1{1}")]
pub(super) struct RegionError(String, String);

/// Parses a start region. It may be any name that can be part of a host, such as the region of an emulator.
///
/// # Errors
/// The name cannot be part of a host.
pub(super) fn parse_start_region(text: &str) -> Result<Region, RegionError> {
    text.trim().parse().map_err(|_| invalid(text))
}

/// Parses a region that can be scanned. It may be newer than this version of the program, but its name has the form
/// of a region of some partition.
///
/// # Errors
/// The name does not have this form.
pub(super) fn parse_scan_region(text: &str) -> Result<Region, RegionError> {
    let region = text.trim().parse().ok();
    let region = region.filter(|region| Partition::with_region(region).is_some());
    region.ok_or_else(|| invalid(text))
}

fn invalid(text: &str) -> RegionError {
    let near = did_you_mean(&near_matches(text, Partition::known_regions()));
    RegionError(sanitize(&redact::setting(text), MAX_SHOWN), near)
}
