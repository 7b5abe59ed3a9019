//! The eight checks before a run. All of them run; what they fetch is handed on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::aws::client::{Answer, Client, Parts, Trace};
use crate::aws::config_file::{SharedFiles, expand_home};
use crate::aws::credentials::{self, Context, CredentialsError, Keyring, Profile};
use crate::aws::endpoint::Endpoints;
use crate::aws::error::{CallError, ErrorKind};
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_caller_identity::GetCallerIdentity;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::aws::partition::Partition;
use crate::aws::retry::DEFAULT_MAX_ATTEMPTS;
use time::OffsetDateTime;

use crate::clock::{Clock, SystemClock, VirtualClock};
use crate::config::Config;
use crate::env::{Env, FolderEnv};
use crate::http::HttpSend;
use crate::http::agent::{Agent, Settings};
use crate::http::record::Recorder;
use crate::http::replay::Replay;
use crate::interrupt::Interrupt;
use crate::model::{AccountId, Region, ResourceType, plural};
use crate::scan::pool::Pool;

/// The threads of a pool before the regions are known: more than a partition has regions.
const THREADS: usize = 64;

/// The region that the checks ask first where nothing else is configured.
const FIRST_REGION: &str = "us-east-1";

/// The regions in which AWS Config is looked for first.
const CONFIG_REGIONS: [&str; 3] = [FIRST_REGION, "us-west-2", "eu-west-1"];

/// The outside world, as the checks and the run see it.
pub struct World {
    /// Variables and files.
    pub env: Arc<dyn Env>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// Where the backoff's chance comes from.
    pub chance: fn() -> f64,
    /// Makes the sender: one that reaches the network, or a recording.
    pub connect: Connect,
}

/// Makes a sender.
pub type Connect = Box<dyn Fn(&Settings, &Interrupt) -> std::io::Result<Arc<dyn HttpSend>>>;

impl World {
    /// The world of a run: `env`, the machine's clock and the network, or those of the recording
    /// that is replayed, whose clock waits for nobody.
    ///
    /// # Errors
    /// The recording's environment cannot be read.
    pub fn new(
        config: &Config,
        env: Box<dyn Env>,
        interrupt: Interrupt,
        connect: fn(&Settings, &Interrupt) -> std::io::Result<Agent>,
    ) -> std::io::Result<Self> {
        let (env, clock, connect): (Arc<dyn Env>, Arc<dyn Clock>, Connect) = match &config.replay {
            Some(folder) => {
                let now = OffsetDateTime::now_utc();
                let env = FolderEnv::open(folder)?;
                let folder = folder.clone();
                (
                    Arc::new(env),
                    Arc::new(VirtualClock::new(now)),
                    Box::new(move |_, _| Ok(Arc::new(Replay::open(&folder, now)?))),
                )
            }
            None => (
                env.into(),
                Arc::new(SystemClock::new(interrupt.clone())),
                Box::new(move |settings, interrupt| Ok(Arc::new(connect(settings, interrupt)?))),
            ),
        };
        Ok(Self {
            env,
            clock,
            interrupt,
            chance: fastrand::f64,
            connect,
        })
    }
}

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
    let keyring = keyring(config, world);
    let http = settings
        .as_ref()
        .map_err(String::clone)
        .and_then(|s| connect(config, world, s, keyring.as_ref().ok()));
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

    let told = |ring: &Keyring| {
        let (keys, _) = ring.current();
        format!("{}, access key {}", keys.provider, keys.key_end())
    };
    checks.add(
        "AWS credentials configured",
        keyring.as_ref().map(told).map_err(|e| e.0.clone()),
    );

    let mut findings = Findings::default();
    match (settings, http, pool, keyring) {
        (Ok(settings), Ok(http), Ok(pool), Ok(keyring)) => {
            let client = Client::new(Parts {
                http: http.clone(),
                clock: world.clock.clone(),
                interrupt: world.interrupt.clone(),
                keyring,
                endpoints: settings.endpoints,
                max_attempts: settings.max_attempts,
                chance: world.chance,
                trace,
            });
            ask(&client, &pool, &settings.region, &mut checks, &mut findings);
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
            for name in CALLS {
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

/// The checks that call AWS.
const CALLS: [&str; 5] = [
    "IAM permission: sts:GetCallerIdentity",
    "IAM permission: iam:ListAccountAliases",
    "IAM permission: ec2:DescribeRegions",
    "IAM permission: config:ListDiscoveredResources",
    "AWS Config enabled in at least one region",
];

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

/// What the client needs to know, from the command line, the environment and the profile.
struct ClientSettings {
    region: StartRegion,
    endpoints: Endpoints,
    max_attempts: u32,
    ca_bundle: Option<(String, Vec<u8>)>,
}

/// Where the first calls go.
struct StartRegion {
    region: Region,
    /// Whether someone named it.
    configured: bool,
}

impl ClientSettings {
    fn gather(config: &Config, world: &World) -> Result<Self, String> {
        let env = &*world.env;
        // What is wrong with the files is told by the check of the credentials.
        let files = SharedFiles::load(env).unwrap_or_default();
        let profile = choose_profile(config, &files, env);
        let setting = |key| files.get(&profile.name, key);
        Ok(Self {
            region: StartRegion::choose(config, env, setting("region"))?,
            endpoints: Endpoints::new(config.endpoint_url.as_ref(), env)?,
            max_attempts: max_attempts(config, env, setting("max_attempts"))?,
            ca_bundle: match config.replay {
                Some(_) => None,
                None => ca_bundle(config, env)?,
            },
        })
    }

    fn trust(&self) -> String {
        match &self.ca_bundle {
            None => "trusting the built-in Mozilla roots".to_owned(),
            Some((name, _)) => format!("trusting {name}"),
        }
    }
}

impl StartRegion {
    fn choose(config: &Config, env: &dyn Env, profile: Option<&str>) -> Result<Self, String> {
        let named = |name: &str| Some((name.to_owned(), env.var(name)?));
        let configured = match &config.region {
            Some(region) => Some(region.clone()),
            None => named("AWS_REGION")
                .or_else(|| named("AWS_DEFAULT_REGION"))
                .or_else(|| Some(("the profile's region".to_owned(), profile?.to_owned())))
                .map(|(source, text)| text.trim().parse().map_err(|e| format!("{source}: {e}")))
                .transpose()?,
        };
        Ok(Self {
            configured: configured.is_some(),
            region: configured.unwrap_or_else(|| known(FIRST_REGION)),
        })
    }
}

fn max_attempts(config: &Config, env: &dyn Env, profile: Option<&str>) -> Result<u32, String> {
    let variable = env
        .var("AWS_MAX_ATTEMPTS")
        .map(|text| ("AWS_MAX_ATTEMPTS", text));
    let named = variable.or_else(|| Some(("the profile's max_attempts", profile?.to_owned())));
    match (config.max_attempts, named) {
        (Some(attempts), _) => Ok(attempts),
        (None, None) => Ok(DEFAULT_MAX_ATTEMPTS),
        (None, Some((source, text))) => match text.trim().parse() {
            Ok(attempts @ 1..) => Ok(attempts),
            _ => Err(format!(
                "{source}: \"{text}\" is not a number of attempts, 1 or more"
            )),
        },
    }
}

fn ca_bundle(config: &Config, env: &dyn Env) -> Result<Option<(String, Vec<u8>)>, String> {
    let variable = || {
        Some((
            "AWS_CA_BUNDLE",
            expand_home(env, &env.var("AWS_CA_BUNDLE")?),
        ))
    };
    let flag = config.ca_bundle.clone().map(|path| ("--ca-bundle", path));
    let Some((source, path)) = flag.or_else(variable) else {
        return Ok(None);
    };
    let name = format!("{source} {}", path.display());
    let pem = env.read(&path).map_err(|e| format!("{name}: {e}"))?;
    Ok(Some((name, pem)))
}

fn connect(
    config: &Config,
    world: &World,
    settings: &ClientSettings,
    keyring: Option<&Keyring>,
) -> Result<Arc<dyn HttpSend>, String> {
    let version = env!("CARGO_PKG_VERSION");
    let sender = (world.connect)(
        &Settings {
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
            ca_bundle: settings.ca_bundle.clone(),
            user_agent: format!("{}/{version}", env!("CARGO_PKG_NAME")),
        },
        &world.interrupt,
    );
    let sender = sender.map_err(|e| e.to_string())?;
    let Some(folder) = &config.record else {
        return Ok(sender);
    };
    let account = config.record_account_id.as_ref().map(ToString::to_string);
    let variables = recorded_variables(settings, keyring);
    let clock = world.clock.clone();
    let recorder = Recorder::new(sender, clock, folder, variables, account);
    Ok(Arc::new(recorder.map_err(|e| format!("--record: {e}"))?))
}

/// The environment that steers the same requests, with the documentation's example keys.
fn recorded_variables(
    settings: &ClientSettings,
    keyring: Option<&Keyring>,
) -> BTreeMap<String, String> {
    let mut variables = settings.endpoints.variables();
    let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
    set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    set(
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    );
    let token = |ring: &Keyring| ring.current().0.credentials.session_token().is_some();
    if keyring.is_some_and(token) {
        // That there is one shows in what a refusal advises.
        set("AWS_SESSION_TOKEN", "AQoDYXdzEJr1K9bEXAMPLETOKEN");
    }
    if settings.region.configured {
        set("AWS_REGION", settings.region.region.as_str());
    }
    variables
}

fn keyring(config: &Config, world: &World) -> Result<Keyring, CredentialsError> {
    let env = world.env.clone();
    let config = config.clone();
    Keyring::load(Box::new(move || {
        let files = SharedFiles::load(&*env).map_err(CredentialsError)?;
        let profile = choose_profile(&config, &files, &*env);
        credentials::resolve(&Context {
            env: &*env,
            files: &files,
            profile: &profile,
        })
    }))
}

/// A recording has its own keys: there `--profile` counts only where it holds that profile.
fn choose_profile(config: &Config, files: &SharedFiles, env: &dyn Env) -> Profile {
    let here = |name: &&str| config.replay.is_none() || files.has_profile(name);
    Profile::choose(config.profile.as_deref().filter(here), env)
}

/// What one of the first three calls brought.
enum Reply {
    Identity(Result<Answer<AccountId>, CallError>),
    Alias(Result<Answer<Option<String>>, CallError>),
    Regions(Result<Answer<Vec<String>>, CallError>),
}

/// The checks that call AWS: the first three side by side, the last two when the regions are known.
fn ask(
    client: &Client,
    pool: &Pool,
    start: &StartRegion,
    checks: &mut Checks,
    findings: &mut Findings,
) {
    let region = &start.region;
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
        CALLS[0],
        identity
            .as_ref()
            .map(ToString::to_string)
            .map_err(String::clone),
    );
    findings.account_id = identity.ok();

    let alias = output(alias);
    let told = |alias: &Option<String>| alias.clone().unwrap_or_else(|| "no alias".to_owned());
    checks.add(CALLS[1], alias.as_ref().map(told).map_err(String::clone));
    findings.alias = alias.ok().flatten();

    let regions = output(regions).and_then(|names| findings.take_regions(&names));
    checks.add(CALLS[2], regions);

    let listed = list_one(client, &check_region(region, &findings.regions));
    let told = |l: &Listed| match l {
        Listed::Answered(region) => Ok(region.to_string()),
        Listed::NoRecorder(region) => Ok(format!("{region}, which has no recorder")),
        Listed::Failed(_, why) => Err(why.clone()),
    };
    checks.add(CALLS[3], told(&listed));
    let enabled = find_recorder(client, pool, region, &findings.regions, &listed);
    checks.add(CALLS[4], enabled);
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

/// Where the permission to list is tried: us-east-1 where it is enabled, else the start region.
fn check_region(start: &Region, enabled: &[Region]) -> Region {
    let first = known(FIRST_REGION);
    let same_partition = Partition::of(start) == Partition::of(&first);
    if same_partition && (enabled.is_empty() || enabled.contains(&first)) {
        first
    } else {
        start.clone()
    }
}

/// What a listing says of a region.
enum Listed {
    /// It has a recorder.
    Answered(Region),
    /// It has none; the permission is there.
    NoRecorder(Region),
    /// Nobody knows.
    Failed(Region, String),
}

/// Asks for one resource: enough to see whether it may be asked.
fn list_one(client: &Client, region: &Region) -> Listed {
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
fn find_recorder(
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

fn known(region: &str) -> Region {
    region.parse().expect("a region code of the source")
}
