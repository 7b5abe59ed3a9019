//! Parses `--accept-missing`: regions, types, counts, and files of them.

use thiserror::Error;

use super::name_file::{NameFileError, read_names};
use super::region::parse_scan_region;
use crate::aws::partition::Partition;
use crate::model::{ExpectedGap, Region, ResourceType};
use crate::redact;
use crate::text::{did_you_mean, near_matches, sanitize};

/// The maximum length of an invalid item in a message, in characters.
const MAX_SHOWN: usize = 200;

/// The reason why an item of `--accept-missing` is invalid.
#[derive(Debug, Error)]
pub(super) enum GapError {
    #[error(
        "\"{0}\" is not a region code such as eu-west-1, a resource type such as AWS::EC2::VPC, both joined by a slash, \
         or @FILE{1}"
    )]
    Name(String, String),
    #[error(transparent)]
    File(#[from] NameFileError),
}

/// Parses one comma-separated item; `@FILE` reads the file immediately. A file without items expects no gap.
///
/// # Errors
/// `text` is invalid, or the file cannot be read or has an invalid item.
pub(super) fn parse_gaps(text: &str) -> Result<Vec<ExpectedGap>, GapError> {
    let text = text.trim();
    match text.strip_prefix('@') {
        Some(path) => Ok(read_names(path, parse_gap)?),
        None => Ok(vec![parse_gap(text)?]),
    }
}

fn parse_gap(text: &str) -> Result<ExpectedGap, GapError> {
    let region = |name: &str| -> Option<Region> { parse_scan_region(name).ok() };
    let resource_type = |name: &str| -> Option<ResourceType> { name.trim().parse().ok() };
    let gap = match text.split_once('/') {
        Some((code, name)) => region(code)
            .zip(resource_type(name))
            .map(|(region, resource_type)| ExpectedGap::Count(region, resource_type)),
        None => resource_type(text)
            .map(ExpectedGap::Type)
            .or_else(|| region(text).map(ExpectedGap::Region)),
    };
    gap.ok_or_else(|| {
        let shown = sanitize(&redact::setting(text), MAX_SHOWN);
        GapError::Name(shown, did_you_mean(&near(text)))
    })
}

/// Returns the names that the invalid part of `text` may be a misspelling of.
fn near(text: &str) -> Vec<&'static str> {
    let near = |name: &str| {
        let regions = near_matches(name, Partition::known_regions());
        if regions.is_empty() {
            ResourceType::near(name)
        } else {
            regions
        }
    };
    match text.split_once('/') {
        Some((region, name)) if parse_scan_region(region).is_ok() => ResourceType::near(name),
        Some((region, _)) => near(region),
        None => near(text),
    }
}
