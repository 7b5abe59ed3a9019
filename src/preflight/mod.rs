//! The eight checks before a run. All of them run; what they fetch is handed on.

mod recorder;
mod settings;

use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::aws::client::{Answer, Client, Trace};
use crate::aws::error::CallError;
use crate::aws::keyring::Keyring;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_caller_identity::GetCallerIdentity;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::config::Config;
use crate::http::HttpSend;
use crate::model::{AccountId, Region, plural};
use crate::scan::pool::Pool;
use crate::world::World;
use recorder::{Asked, Probe, check_region, find_recorder};
use settings::{ClientSettings, connect, keyring, net};

/// The threads of a pool before the regions are known: more than a partition has regions.
const THREADS: usize = 64;

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
    pub client: Option<Client>,
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

    let net = net(world, settings.as_ref().ok(), http.as_ref().ok(), trace);
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
        (Ok(settings), Ok(http), Ok(pool), Ok(keyring)) => {
            let client = net.client(keyring);
            let start = &settings.region.region;
            identify(&client, &pool, start, &mut checks, &mut findings);
            if !config.skip_checks {
                let probe = Probe {
                    client: &client,
                    method: config.method,
                    types: &config.resource_types,
                };
                try_counting(&probe, &pool, start, &mut checks, &findings.regions);
            }
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
                &calls(config)
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

/// The checks that ask for identity, alias and regions.
const IDENTITY: [&str; 3] = [
    "IAM permission: sts:GetCallerIdentity",
    "IAM permission: iam:ListAccountAliases",
    "IAM permission: ec2:DescribeRegions",
];

const ENABLED: &str = "AWS Config enabled in at least one region";

/// The checks that call AWS.
fn calls(config: &Config) -> [&'static str; 5] {
    let [identity, alias, regions] = IDENTITY;
    let counting = Probe::name(config.method, &config.resource_types);
    [identity, alias, regions, counting, ENABLED]
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

/// What one of the first three calls brought.
enum Reply {
    Identity(Result<Answer<AccountId>, CallError>),
    Alias(Result<Answer<Option<String>>, CallError>),
    Regions(Result<Answer<Vec<String>>, CallError>),
}

/// Who asks, and where: side by side.
fn identify(
    client: &Client,
    pool: &Pool,
    region: &Region,
    checks: &mut Checks,
    findings: &mut Findings,
) {
    let call = |n: usize, to_main: &Sender<Reply>| {
        let reply = match n {
            0 => Reply::Identity(client.call(region, &GetCallerIdentity)),
            1 => Reply::Alias(client.call(region, &ListAccountAliases)),
            _ => Reply::Regions(client.call(region, &DescribeRegions)),
        };
        let _ = to_main.send(reply);
    };
    let (mut identity, mut alias, mut regions) = (None, None, None);
    pool.side_by_side(vec![0, 1, 2], call, |reply| match reply {
        Reply::Identity(reply) => identity = Some(reply),
        Reply::Alias(reply) => alias = Some(reply),
        Reply::Regions(reply) => regions = Some(reply),
    });
    let identity = output(identity);
    checks.add(
        IDENTITY[0],
        identity
            .as_ref()
            .map(ToString::to_string)
            .map_err(String::clone),
    );
    findings.account_id = identity.ok();

    let alias = output(alias);
    let told = |alias: &Option<String>| alias.clone().unwrap_or_else(|| "no alias".to_owned());
    checks.add(IDENTITY[1], alias.as_ref().map(told).map_err(String::clone));
    findings.alias = alias.ok().flatten();

    let regions = output(regions).and_then(|names| findings.take_regions(&names));
    checks.add(IDENTITY[2], regions);
}

/// Whether resources may be counted, and whether there is a recorder anywhere.
fn try_counting(
    probe: &Probe<'_>,
    pool: &Pool,
    start: &Region,
    checks: &mut Checks,
    enabled: &[Region],
) {
    let asked = probe.ask(&check_region(start, enabled));
    let told = match &asked {
        Asked::Answered(region) | Asked::Silent(region) => Ok(region.to_string()),
        Asked::NoRecorder(region) => Ok(format!("{region}, which has no recorder")),
        Asked::Failed(_, why) => Err(why.clone()),
    };
    checks.add(Probe::name(probe.method, probe.types), told);
    checks.add(ENABLED, find_recorder(probe, pool, start, enabled, &asked));
}

impl Findings {
    /// Keeps the regions, sorted; says how many there are.
    fn take_regions(&mut self, names: &[String]) -> Result<String, String> {
        for name in names {
            match name.parse() {
                Ok(region) => self.regions.push(region),
                Err(why) => self.refused_regions.push(why.to_string()),
            }
        }
        self.regions.sort();
        self.regions.dedup();
        match self.regions.len() {
            0 => Err("ec2:DescribeRegions named no region".to_owned()),
            n => Ok(plural(n, "enabled region")),
        }
    }
}

fn output<T>(reply: Option<Result<Answer<T>, CallError>>) -> Result<T, String> {
    let reply = reply.ok_or("the check ended early: this is a fault of the program")?;
    reply
        .map(|answer| answer.output)
        .map_err(|e| with_advice(&e))
}

fn with_advice(error: &CallError) -> String {
    format!("in {}: {error}; {}", error.region, error.advice())
}

fn known(region: &str) -> Region {
    region.parse().expect("a region code of the source")
}
