//! The eight checks before a scan. All of them run, even after a failure; the scan reuses their
//! results.

mod calls;
mod recorder;
mod settings;

use std::sync::Arc;

use crate::aws::client::{Client, Trace};
use crate::aws::credential_cache::CachedCredentials;
use crate::aws::error::CallError;
use crate::http::HttpClient;
use crate::model::{AccountId, Region};
use crate::options::Options;
use crate::runtime::Runtime;
use crate::scan::pool::Pool;
use settings::{ClientSettings, connect, credentials, provider_config};

/// The initial number of threads of the pool: one for each call of the checks.
const THREADS: usize = 5;

/// The default start region, and the region in which the checks look for AWS Config first.
const FIRST_REGION: &str = "us-east-1";

/// A check and its result: a short detail, or the reason of the failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The name shown to the user.
    pub name: &'static str,
    /// The detail (may be empty), or the reason of the failure.
    pub result: Result<String, String>,
}

/// The results of all checks.
#[derive(Default)]
pub struct Preflight {
    /// The checks, in display order.
    pub checks: Vec<Check>,
    /// The HTTPS client, if check 1 passed; needed to finish a recording even if a later check
    /// failed.
    pub http: Option<Arc<dyn HttpClient>>,
    /// The AWS client, if checks 1 to 3 passed.
    pub client: Option<Arc<Client>>,
    /// The thread pool for the scan, if checks 1 to 3 passed.
    pub pool: Option<Pool>,
    /// The account ID.
    pub account_id: Option<AccountId>,
    /// The account alias, if the account has one.
    pub alias: Option<String>,
    /// The enabled regions, sorted.
    pub regions: Vec<Region>,
    /// The reasons why names returned by DescribeRegions were rejected as region codes.
    pub refused_regions: Vec<String>,
}

impl Preflight {
    /// Returns the name and the reason of each failed check.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.checks.iter().filter_map(|check| {
            let reason = check.result.as_ref().err()?;
            Some((check.name, reason.as_str()))
        })
    }
}

/// Runs the checks, and passes each finished check to `show`, in display order.
///
/// With `skip_checks` only the checks run whose results the scan needs: the client, the identity,
/// the alias and the regions.
pub fn run(
    options: &Options,
    runtime: &Runtime,
    trace: Option<Trace>,
    show: &mut dyn FnMut(&Check),
) -> Preflight {
    let mut checks = Checks {
        done: Vec::new(),
        show,
    };
    let settings = ClientSettings::from_options(options, runtime);
    if let (Ok(settings), Some(trace)) = (&settings, &trace)
        && let Some(note) = &settings.retry_note
    {
        trace(&format_args!("debug: {note}"));
    }
    let http = settings
        .as_ref()
        .map_err(String::clone)
        .and_then(|s| connect(options, runtime, s));
    let connected = http.as_ref().map_err(String::clone);
    let trust_source = settings
        .as_ref()
        .map_or(String::new(), |s| match &options.replay {
            Some(directory) => format!("replaying {}", directory.display()),
            None => s.describe_trust(),
        });
    checks.add("HTTPS client can be built", connected.map(|_| trust_source));

    // A replay uses one thread, so that its requests have a fixed order.
    let threads = if options.replay.is_some() { 1 } else { THREADS };
    let pool = Pool::new(threads);
    checks.add(
        "Thread pool can be built",
        pool.as_ref().map(|_| String::new()).map_err(String::clone),
    );

    let net = provider_config(
        options,
        runtime,
        settings.as_ref().ok(),
        http.as_ref().ok(),
        trace,
    );
    let credentials = credentials(options, runtime, net.clone());
    let describe = |cached: &CachedCredentials| {
        let current = cached.current();
        format!(
            "{}, access key {}",
            current.provider,
            current.masked_key_id()
        )
    };
    checks.add(
        "AWS credentials configured",
        credentials.as_ref().map(describe).map_err(|e| e.0.clone()),
    );

    let mut preflight = Preflight::default();
    match (settings, http, pool, credentials) {
        (Ok(settings), Ok(http), Ok(mut pool), Ok(credentials)) => {
            let client = Arc::new(net.client(credentials));
            let start = &settings.region.region;
            calls::run(
                options,
                &client,
                start,
                &mut pool,
                &mut checks,
                &mut preflight,
            );
            preflight.http = Some(http);
            preflight.client = Some(client);
            preflight.pool = Some(pool);
        }
        (_, http, ..) => {
            let number = 1 + checks
                .done
                .iter()
                .position(|c| c.result.is_err())
                .unwrap_or(0);
            // Without checks, only the failure itself is shown.
            let skipped = if options.skip_checks {
                &[][..]
            } else {
                &calls::names(options)
            };
            for name in skipped {
                checks.add(name, Err(format!("skipped: check {number} failed")));
            }
            preflight.http = http.ok();
        }
    }
    preflight.checks = checks.done;
    preflight
}

struct Checks<'a> {
    done: Vec<Check>,
    show: &'a mut dyn FnMut(&Check),
}

impl Checks<'_> {
    fn add(&mut self, name: &'static str, result: Result<String, String>) {
        let check = Check { name, result };
        (self.show)(&check);
        self.done.push(check);
    }
}

fn with_advice(error: &CallError) -> String {
    format!("in {}: {error}; {}", error.region, error.advice())
}

fn region_literal(region: &str) -> Region {
    region.parse().expect("a valid region code in the source")
}
