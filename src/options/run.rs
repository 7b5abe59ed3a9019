//! The options of one run.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::accounts::AccountOptions;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::limiter::Limits;
use crate::inventory::Method;
use crate::model::{AccountId, ExpectedGap, Region, ResourceTypes};
use crate::recording::Source;

/// The default maximum time of the scan of one account.
const DEFAULT_MAX_TIME: Duration = Duration::from_hours(1);

/// The counts that cause exit code 3 with `--strict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strict {
    /// Stale, unverified and missing counts.
    All,
    /// Only missing counts.
    Missing,
}

/// The result that a run prints to stdout, in place of checks and summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A table of regions and types.
    Table,
    /// The content of the CSV file.
    Csv,
    /// The JSON report.
    Json,
}

/// The validated, typed command line. Options that are `None` are read from the environment and the
/// shared config files.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Options {
    /// The profile. Default: AWS_PROFILE, then `default`.
    pub profile: Option<String>,
    /// The start region. Default: AWS_REGION, AWS_DEFAULT_REGION, the profile's region,
    /// `us-east-1`.
    pub region: Option<Region>,
    /// The accounts to count; `None` for only the caller's account.
    pub accounts: Option<AccountOptions>,
    /// The only regions to scan; if empty, all enabled regions.
    pub regions: Vec<Region>,
    /// Regions not to scan.
    pub exclude_regions: Vec<Region>,
    /// The resource types to count.
    pub resource_types: ResourceTypes,
    /// The method that counts them.
    pub method: Method,
    /// If true, the scan starts without the checks.
    pub skip_checks: bool,
    /// The directory of the output files.
    pub output_dir: PathBuf,
    /// If true, the coverage file is written too.
    pub coverage: bool,
    /// The file for the report of the run; never stdout, which is [`Format::Json`].
    pub report: Option<PathBuf>,
    /// The result that is printed to stdout.
    pub format: Option<Format>,
    /// The endpoint of all services.
    pub endpoint_url: Option<EndpointUrl>,
    /// The file of trusted CA certificates. Default: AWS_CA_BUNDLE, the profile's `ca_bundle`, the
    /// built-in roots.
    pub ca_bundle: Option<PathBuf>,
    /// Attempts per request. Default: AWS_MAX_ATTEMPTS, the profile's `max_attempts`, 10.
    pub max_attempts: Option<u32>,
    /// The request limits of each region.
    pub limits: Limits,
    /// The maximum number of open connections, idle ones included, and so of requests in flight; at least 1.
    pub max_connections: usize,
    /// True if the user set the concurrency, which then applies to any number of regions.
    pub fixed_concurrency: bool,
    /// The maximum time of the scan, or of a whole run of many accounts. Default: one hour for each account.
    pub max_time: Option<Duration>,
    /// The connect time-out.
    pub connect_timeout: Duration,
    /// The read time-out: time without a response.
    pub read_timeout: Duration,
    /// If true, every request is logged to stderr.
    pub debug: bool,
    /// The gaps that `strict` does not count.
    pub accept_missing: Vec<ExpectedGap>,
    /// The counts that cause exit code 3.
    pub strict: Option<Strict>,
    /// The directory to record every request and response to.
    pub record: Option<PathBuf>,
    /// The account ID that replaces all others in a recording.
    pub record_account_id: Option<AccountId>,
    /// The recording to replay instead of calling AWS.
    pub replay: Option<Source>,
}

impl Options {
    /// Returns true if `region` is to be scanned, provided that it is enabled.
    #[must_use]
    pub fn wants(&self, region: &Region) -> bool {
        let included = self.regions.is_empty() || self.regions.contains(region);
        included && !self.exclude_regions.contains(region)
    }

    /// Returns the maximum time of the scan of one account.
    #[must_use]
    pub fn account_time(&self) -> Duration {
        self.max_time.unwrap_or(DEFAULT_MAX_TIME)
    }

    /// Returns the time at which a run of many accounts ends, on the clock of the run; `None` for no such time.
    #[must_use]
    pub fn run_ends(&self) -> Option<Duration> {
        self.max_time.filter(|_| self.accounts.is_some())
    }

    /// Returns the number of types that are listed concurrently in each of `regions` regions; at
    /// least 1.
    #[must_use]
    pub fn types_at_once(&self, regions: usize) -> usize {
        let types = match (&self.resource_types, self.method) {
            (_, Method::Counts) => 1,
            (ResourceTypes::All, _) => usize::MAX,
            (ResourceTypes::Named(types), _) => types.len(),
        };
        let mut limit = self.limits.concurrency;
        if !self.fixed_concurrency {
            let fair_share = (self.max_connections / regions.max(1)).saturating_sub(1);
            limit = limit.min(fair_share);
        }
        types.min(limit).max(1)
    }
}
