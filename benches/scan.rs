//! Measures the time and memory of the release binary against a server in this process, and
//! compares them with the targets.
//!
//! Run `cargo bench --bench scan`; a word after `--` selects the scenarios whose name contains it.
//! A missed target is reported but does not fail the benchmark, because it depends on the machine.
//! A wrong CSV ends it with exit code 1. If Python with aioboto3 is available (set `PYTHON` to use
//! another interpreter than python3), `asyncio_scan.py`, a simple script of the same specification,
//! is measured too, in each scenario that lists resources.

#[path = "measure/mod.rs"]
mod measure;
#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use measure::watch;
use support::{
    Account, Call, DEFAULT_REGIONS as REGIONS, DEFAULT_TYPES as TYPES, Program, Reply, Server,
};

/// The region of the checks.
const HOME: &str = "us-east-1";

const LATENCY: Duration = Duration::from_millis(30);

/// The number of sequential requests of the checks: the regions, then concurrently a first page and
/// the recorder in one of them. The program sends the latter before it knows the regions, which
/// saves one round trip.
const CHECKS: u32 = 2;

/// The rate limit of a region: requests per second, and burst size.
const RATE: f64 = 8.0;
const BURST: f64 = 10.0;

const RUNS: usize = 5;

/// The number of connections for which the server prepares threads, so that they are not measured.
const CONNECTIONS: usize = 256;

/// The targets.
const MAX_MEGABYTES: f64 = 30.0;
const MAX_START: Duration = Duration::from_millis(50);
const MAX_CPU_PER_PAGE: Duration = Duration::from_millis(1);

/// A benchmark scenario.
struct Scenario {
    name: &'static str,
    account: Account,
    args: Vec<String>,
    serve: fn(&Account) -> Server,
    /// The minimum time: the sequential requests, each of which needs the previous response. Only
    /// requests sent ahead can be faster, and only in the checks.
    floor: Duration,
    /// The target, as a multiple of the minimum time.
    aim: f64,
    /// True if the Python script is measured too.
    script: bool,
}

/// The measurements of one run.
struct Figures {
    wall: Duration,
    start: Duration,
    /// Peak memory in megabytes; only on Linux.
    memory: Option<f64>,
    cpu: Option<Duration>,
    requests: usize,
    connections: usize,
    in_flight: usize,
}

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let wanted = |s: &Scenario| wanted.as_ref().is_none_or(|w| s.name.contains(w));
    println!(
        "{:<36}  {:>7}  {:>7}  {:>7}  {:>6}  {:>8}  {:>11}  {:>9}  {:>8}  {:>7}  {:>8}",
        "scenario (median of five runs)",
        "minimum",
        "wall",
        "÷ min.",
        "target",
        "requests",
        "connections",
        "in flight",
        "memory",
        "CPU",
        "script ÷"
    );
    let python = python();
    let mut missed = Vec::new();
    for scenario in scenarios().iter().filter(|s| wanted(s)) {
        match run(scenario, python.as_deref()) {
            Ok(more) => missed.extend(more),
            Err(output) => {
                eprintln!("{}: the CSV is wrong\n{output}", scenario.name);
                return ExitCode::FAILURE;
            }
        }
    }
    for line in missed {
        println!("missed target: {line}");
    }
    ExitCode::SUCCESS
}

/// Runs a scenario, prints its line, and returns the missed targets.
fn run(scenario: &Scenario, python: Option<&str>) -> Result<Vec<String>, String> {
    let (mut runs, mut scripts) = (Vec::new(), Vec::new());
    for n in 0..RUNS {
        // Each run has a new server, so that its counts belong to this run.
        let server = (scenario.serve)(&scenario.account).ready_for(CONNECTIONS);
        runs.push(run_once(scenario, &server)?);
        // The script runs between the runs of the program, under the same conditions. It is slow,
        // so it runs only once.
        if let (0, true, Some(python)) = (n, scenario.script, python) {
            scripts.push(script(python, scenario)?);
        }
    }
    runs.sort_by_key(|run| run.wall);
    let worst_start = runs.iter().map(|run| run.start).max().unwrap_or_default();
    let surplus = runs.iter().any(|run| run.connections > run.in_flight);
    let memory = runs.iter().filter_map(|run| run.memory).fold(0.0, f64::max);
    let middle = &runs[RUNS / 2];
    let ratio = middle.wall.as_secs_f64() / scenario.floor.as_secs_f64();
    let script = scripts.first().map_or("-".to_owned(), |script| {
        format!("{:.1}", script.as_secs_f64() / middle.wall.as_secs_f64())
    });
    println!(
        "{:<36}  {:>5.2} s  {:>5.2} s  {ratio:>7.3}  {:>6.2}  {:>8}  {:>11}  {:>9}  {:>8}  {:>7}  {script:>8}",
        scenario.name,
        scenario.floor.as_secs_f64(),
        middle.wall.as_secs_f64(),
        scenario.aim,
        middle.requests,
        middle.connections,
        middle.in_flight,
        middle
            .memory
            .map_or("-".to_owned(), |m| format!("{m:.1} MB")),
        middle
            .cpu
            .map_or("-".to_owned(), |c| format!("{:.2} s", c.as_secs_f64())),
    );
    let per_page = middle
        .cpu
        .map(|cpu| cpu / u32::try_from(middle.requests).unwrap_or(1));
    let aims = [
        (
            ratio <= scenario.aim,
            format!("{ratio:.3} × the minimum time, target {}", scenario.aim),
        ),
        (
            memory < MAX_MEGABYTES,
            format!("{memory:.1} MB, target below {MAX_MEGABYTES}"),
        ),
        (
            worst_start < MAX_START,
            format!("first request after {worst_start:?}"),
        ),
        (
            !surplus,
            "more connections than concurrent requests".to_owned(),
        ),
        (
            per_page.is_none_or(|cpu| cpu < MAX_CPU_PER_PAGE),
            format!("{per_page:?} CPU per request"),
        ),
    ];
    let missed = aims.into_iter().filter(|(reached, _)| !reached);
    Ok(missed
        .map(|(_, why)| format!("{}: {why}", scenario.name))
        .collect())
}

fn scenarios() -> Vec<Scenario> {
    let account = account();
    let pages = longest_listing(&account, &TYPES);
    let distant: HashMap<_, _> = distances().collect();
    // Each new connection needs one more round trip, for the checks and in each region.
    let home = distant[HOME] * (CHECKS + 1);
    let far = REGIONS.iter().map(|region| {
        let place = longest_in(&account, region, &TYPES);
        distant[region] * (1 + place)
    });
    let requests = account
        .listings(&TYPES)
        .into_iter()
        .max()
        .unwrap_or_default()
        + 2;
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    let limited = Duration::from_secs_f64((requests as f64 - BURST) / RATE);
    let big = big();
    let many = many();
    vec![
        Scenario {
            name: "17 regions at 30 ms",
            floor: LATENCY * (CHECKS + pages),
            args: Vec::new(),
            serve: Account::serve,
            account: account.clone(),
            aim: 1.15,
            script: true,
        },
        Scenario {
            name: "17 regions, 15 to 280 ms away",
            floor: home + far.max().unwrap_or_default(),
            args: Vec::new(),
            serve: from_a_distance,
            account: account.clone(),
            aim: 1.15,
            script: true,
        },
        Scenario {
            name: "30 regions, 20,000 of a type",
            floor: LATENCY * (CHECKS + longest_listing(&big, &TYPES[..1])),
            args: vec![format!("--resource-types={}", TYPES[0])],
            serve: Account::serve,
            account: big,
            aim: 1.15,
            script: false,
        },
        Scenario {
            name: "8 requests a second, 10 at once",
            floor: limited,
            args: Vec::new(),
            serve: limited_in_each_region,
            account,
            aim: 1.25,
            script: true,
        },
        Scenario {
            name: "100 regions × 500 types, counted",
            floor: LATENCY * (CHECKS + 5),
            args: vec![
                "--resource-types=all".to_owned(),
                "--method=counts".to_owned(),
            ],
            serve: Account::serve,
            account: many,
            aim: 1.15,
            script: false,
        },
    ]
}

/// Returns an account with 100 to 400 resources of each type in each region, the same in every run.
fn account() -> Account {
    let mut state = 2026_u32;
    let mut count = || {
        // A linear congruential generator; its upper bits are the most random.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        100 + (state >> 16) as usize % 301
    };
    let start = Account::new().alias("acme-bench").latency(LATENCY);
    REGIONS.iter().fold(start, |account, region| {
        let counts = TYPES.map(|resource_type| (resource_type, count()));
        account.region(region, &counts)
    })
}

fn big() -> Account {
    let start = Account::new()
        .latency(LATENCY)
        .region(HOME, &[(TYPES[0], 20_000)]);
    (1..30).fold(start, |account, n| {
        account.region(&format!("xx-north-{n}"), &[(TYPES[0], 20_000)])
    })
}

fn many() -> Account {
    let types: Vec<String> = (0..500).map(|n| format!("AWS::EC2::Type{n:03}")).collect();
    let counts: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(n, t)| (t.as_str(), n + 1))
        .collect();
    let start = Account::new().latency(LATENCY).region(HOME, &counts);
    (1..100).fold(start, |account, n| {
        account.region(&format!("xx-north-{n}"), &counts)
    })
}

/// Returns the number of pages of the longest listing.
fn longest_listing(account: &Account, types: &[&str]) -> u32 {
    let regions = account.regions.keys().map(String::as_str);
    regions
        .map(|r| longest_in(account, r, types))
        .max()
        .unwrap_or_default()
}

fn longest_in(account: &Account, region: &str, types: &[&str]) -> u32 {
    let place = &account.regions[region];
    let pages = |t: &&str| {
        place
            .resources
            .get(*t)
            .map_or(1, |n| n.div_ceil(100).max(1))
    };
    let longest = types.iter().map(pages).max().unwrap_or_default();
    u32::try_from(longest).unwrap_or(u32::MAX)
}

/// Returns the latency of each region, from 15 to 280 ms.
fn distances() -> impl Iterator<Item = (&'static str, Duration)> {
    let last = u32::try_from(REGIONS.len()).unwrap_or(u32::MAX) - 1;
    (0_u32..).zip(REGIONS).map(move |(n, region)| {
        // The region of the checks is the nearest, as for most users.
        let place = if region == HOME { 0 } else { n.max(1) };
        (
            region,
            Duration::from_millis((15 + 265 * place / last).into()),
        )
    })
}

/// Starts a server with a latency per region; the first request of a connection takes twice as
/// long.
fn from_a_distance(account: &Account) -> Server {
    let answers = account.responder();
    let distances: HashMap<_, _> = distances().collect();
    let known = Mutex::new(HashSet::new());
    Server::new(move |call| {
        let distance = distances
            .get(call.region.as_str())
            .copied()
            .unwrap_or(distances[HOME]);
        let trips = 1 + u32::from(known.lock().unwrap().insert(call.connection));
        answers.respond(call).after(distance * trips)
    })
}

/// Starts a server with a token bucket per region; requests without a token are throttled.
fn limited_in_each_region(account: &Account) -> Server {
    let buckets: Mutex<HashMap<String, (f64, Instant)>> = Mutex::default();
    account.serve_with(move |call: &Call| {
        if call.service != "config" {
            return None;
        }
        let mut buckets = buckets.lock().unwrap();
        let now = Instant::now();
        let (tokens, at) = buckets.entry(call.region.clone()).or_insert((BURST, now));
        *tokens = (*tokens + at.elapsed().as_secs_f64() * RATE).min(BURST);
        *at = now;
        if *tokens < 1.0 {
            return Some(Reply::throttled(call));
        }
        *tokens -= 1.0;
        None
    })
}

/// Runs the binary once; if the CSV is wrong, the error is the complete output of the run.
fn run_once(scenario: &Scenario, server: &Server) -> Result<Figures, String> {
    let program = Program::new(server).args(&scenario.args);
    let before = Instant::now();
    let running = program.start();
    let watch = watch(running.id());
    let run = running.finish();
    let wall = before.elapsed();
    if run.code != Some(0) || run.csv() != scenario.account.csv() {
        return Err(run.describe());
    }
    let calls = server.calls();
    let (memory, cpu) = watch.join().unwrap_or_default();
    Ok(Figures {
        wall,
        start: calls[0].arrived - before,
        memory,
        cpu,
        requests: calls.len(),
        connections: server.connections(),
        in_flight: server.max_in_flight(),
    })
}

/// Returns a Python interpreter with aioboto3, if available.
fn python() -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import aioboto3"])
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success()).then_some(python)
}

/// Runs the script once and returns its time.
fn script(python: &str, scenario: &Scenario) -> Result<Duration, String> {
    let server = (scenario.serve)(&scenario.account).ready_for(CONNECTIONS);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/asyncio_scan.py");
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let before = Instant::now();
    let ran = Command::new(python)
        .arg(path)
        .current_dir(folder.path())
        .env("AWS_ENDPOINT_URL", server.url())
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env(
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        )
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .output()
        .map_err(|e| e.to_string())?;
    let took = before.elapsed();
    let name = format!(
        "aws_config_resource_count_{}_{}.csv",
        scenario.account.id,
        scenario.account.alias.as_deref().unwrap_or_default()
    );
    let csv = std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    if csv == scenario.account.csv() {
        Ok(took)
    } else {
        Err(format!(
            "the script: {}",
            String::from_utf8_lossy(&ran.stderr)
        ))
    }
}
