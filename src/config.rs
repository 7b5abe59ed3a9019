//! What one run is asked to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::aws::endpoint::EndpointUrl;
use crate::aws::limit::Limits;
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
