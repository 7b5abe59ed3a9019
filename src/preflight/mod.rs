//! The eight checks before a run. All of them run; what they fetch is handed on.

mod calls;
mod recorder;
mod settings;

use std::sync::Arc;

use crate::aws::client::{Client, Trace};
use crate::aws::error::CallError;
use crate::aws::keyring::Keyring;
use crate::config::Config;
use crate::http::HttpSend;
use crate::model::{AccountId, Region};
use crate::scan::pool::Pool;
use crate::world::World;
use settings::{ClientSettings, connect, keyring, net};

/// The threads of a pool at first: one for each call of the checks.
const THREADS: usize = 5;

/// The region that the checks ask first where nothing else is configured.
const FIRST_REGION: &str = "us-east-1";

/// One check and what came of it: a word of detail, or the reason why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: &'static str,
    /// What came of it.
    pub result: Result<String, String>,
}

/// Everything that the checks brought.
#[derive(Default)]
pub struct Findings {
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// Makes the calls; also where a later check failed, so that a recording can be ended.
    pub http: Option<Arc<dyn HttpSend>>,
    /// Calls AWS.
    pub client: Option<Arc<Client>>,
    /// The threads of the scan.
    pub pool: Option<Pool>,
    /// The account number.
    pub account_id: Option<AccountId>,
    /// The account alias.
    pub alias: Option<String>,
    /// The enabled regions, sorted.
    pub regions: Vec<Region>,
    /// Names that DescribeRegions gave and that are no region codes: why each was refused.
    pub refused_regions: Vec<String>,
}

impl Findings {
    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.checks.iter().filter_map(|check| {
            let reason = check.result.as_ref().err()?;
            Some((check.name, reason.as_str()))
        })
    }
}

/// Runs the checks; each is told to `show` once it is done, in their order.
///
/// With `skip_checks` only those run whose answers the run needs: what the client is made of, and
/// who asks where.
pub fn run(
    config: &Config,
    world: &World,
    trace: Option<Trace>,
    show: &mut dyn FnMut(&Check),
) -> Findings {
    let mut checks = Checks {
        done: Vec::new(),
        show,
    };
    let settings = ClientSettings::gather(config, world);
    if let (Ok(settings), Some(trace)) = (&settings, &trace)
        && let Some(note) = &settings.retry_note
    {
        trace(&format_args!("debug: {note}"));
    }
    let http = settings
        .as_ref()
        .map_err(String::clone)
        .and_then(|s| connect(config, world, s));
    let connected = http.as_ref().map_err(String::clone);
    let trust = settings
        .as_ref()
        .map_or(String::new(), |s| match &config.replay {
            Some(folder) => format!("replaying {}", folder.display()),
            None => s.trust(),
        });
    checks.add("HTTPS client can be built", connected.map(|_| trust));

    // A replay is the same every time, also in its order, because one task follows the other.
    let threads = if config.replay.is_some() { 1 } else { THREADS };
    let pool = Pool::new(threads);
    checks.add(
        "Thread pool can be built",
        pool.as_ref().map(|_| String::new()).map_err(String::clone),
    );

    let net = net(
        config,
        world,
        settings.as_ref().ok(),
        http.as_ref().ok(),
        trace,
    );
    let keyring = keyring(config, world, net.clone());
    let told = |ring: &Keyring| {
        let keys = ring.held();
        format!("{}, access key {}", keys.provider, keys.key_end())
    };
    checks.add(
        "AWS credentials configured",
        keyring.as_ref().map(told).map_err(|e| e.0.clone()),
    );

    let mut findings = Findings::default();
    match (settings, http, pool, keyring) {
        (Ok(settings), Ok(http), Ok(mut pool), Ok(keyring)) => {
            let client = Arc::new(net.client(keyring));
            let start = &settings.region.region;
            calls::ask(
                config,
                &client,
                start,
                &mut pool,
                &mut checks,
                &mut findings,
            );
            findings.http = Some(http);
            findings.client = Some(client);
            findings.pool = Some(pool);
        }
        (_, http, ..) => {
            let number = 1 + checks
                .done
                .iter()
                .position(|c| c.result.is_err())
                .unwrap_or(0);
            // Without the checks, what failed is all there is to tell.
            let left = if config.skip_checks {
                &[][..]
            } else {
                &calls::names(config)
            };
            for name in left {
                checks.add(
                    name,
                    Err(format!("not tried, because check {number} failed")),
                );
            }
            findings.http = http.ok();
        }
    }
    findings.checks = checks.done;
    findings
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

fn known(region: &str) -> Region {
    region.parse().expect("a region code of the source")
}
