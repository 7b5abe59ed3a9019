//! What one run is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::aws::endpoint::EndpointUrl;
use crate::aws::limit::Limits;
use crate::aws::partition::Partition;
use crate::count::Method;
use crate::model::{AccountId, Region, ResourceTypes};

/// The command line, validated and typed. What it leaves open comes from the environment and the
/// shared files.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Config {
    /// The profile; else AWS_PROFILE, else `default`.
    pub profile: Option<String>,
    /// The start region; else AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1.
    pub region: Option<Region>,
    /// The only regions to scan; empty for all enabled ones.
    pub regions: Vec<Region>,
    /// Regions not to scan.
    pub exclude_regions: Vec<Region>,
    /// The types to count.
    pub resource_types: ResourceTypes,
    /// How they are counted.
    pub method: Method,
    /// Whether the scan begins without the checks.
    pub skip_checks: bool,
    /// Where the files go.
    pub output_dir: PathBuf,
    /// Whether the coverage is written too.
    pub coverage: bool,
    /// Where the report of the run goes.
    pub report: Option<PathBuf>,
    /// Where all services answer.
    pub endpoint_url: Option<EndpointUrl>,
    /// The certificates to trust; else AWS_CA_BUNDLE, the profile's, the built-in ones.
    pub ca_bundle: Option<PathBuf>,
    /// Attempts per request; else AWS_MAX_ATTEMPTS, the profile's `max_attempts`, 10.
    pub max_attempts: Option<u32>,
    /// What each region may be asked.
    pub limits: Limits,
    /// Whether the limit of requests in flight was asked for, and holds for any number of regions.
    pub fixed_concurrency: bool,
    /// Time to connect.
    pub connect_timeout: Duration,
    /// Time without an answer.
    pub read_timeout: Duration,
    /// Whether every request is told on stderr.
    pub debug: bool,
    /// Whether missing counts end in exit code 3.
    pub strict: bool,
    /// Where to record every exchange.
    pub record: Option<PathBuf>,
    /// The account number that a recording shows.
    pub record_account_id: Option<AccountId>,
    /// The recording that answers in the place of AWS.
    pub replay: Option<PathBuf>,
}

/// How many requests are in flight in all regions together where nothing else is asked for: each has
/// a connection, and macOS gives a process 256 files.
const MAX_IN_FLIGHT: usize = 220;

impl Config {
    /// Whether `region` is one to scan, if it is enabled.
    #[must_use]
    pub fn wants(&self, region: &Region) -> bool {
        let named = self.regions.is_empty() || self.regions.contains(region);
        named && !self.exclude_regions.contains(region)
    }

    /// How many types of a region are listed at once where so many regions are scanned; 1 at least.
    #[must_use]
    pub fn types_at_once(&self, regions: usize) -> usize {
        let types = match (&self.resource_types, self.method) {
            (_, Method::Counts) => 1,
            (ResourceTypes::All, _) => usize::MAX,
            (ResourceTypes::Named(types), _) => types.len(),
        };
        let fair = (MAX_IN_FLIGHT / regions.max(1)).saturating_sub(1);
        let limit = self.limits.concurrency;
        let limit = if self.fixed_concurrency {
            limit
        } else {
            limit.min(fair)
        };
        types.min(limit).max(1)
    }

    /// How many threads the scan is likely to want, of a caller who asks first in `start`: for each
    /// region those that count, and one that asks for the recorder.
    #[must_use]
    pub fn likely_threads(&self, start: &Region) -> usize {
        let wanted = self.regions.iter().filter(|r| self.wants(r)).count();
        let regions = match Partition::of(start).usual_regions {
            usual if self.regions.is_empty() => usual,
            usual => usual.min(wanted),
        };
        regions * (self.types_at_once(regions) + 1)
    }
}
