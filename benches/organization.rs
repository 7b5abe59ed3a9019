//! Measures runs of many accounts: the release binary against a server in this process that acts as AWS for an
//! organization, compared with the targets and with the program run once per account, eight at a time.
//!
//! Run `cargo bench --bench organization`; a word after `--` selects the scenarios whose name contains it. A missed target
//! is reported but does not fail the benchmark, because it depends on the machine. A wrong CSV ends it with exit code 1.
//!
//! The minimum time is the greatest of three: the chain of requests of which each needs the response before, all requests
//! times the latency over all connections, and the CPU time of the server and 0.2 ms per request over the processors.

#[path = "measure/mod.rs"]
mod measure;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use measure::{cpu_time, watch};
use support::{
    Account, DEFAULT_REGIONS as REGIONS, DEFAULT_TYPES as TYPES, ORGANIZATION, Organization,
    Program, Server,
};

/// The requests of the longest chain: the list, and in an account its role, regions, a page of its first type and one of
/// another type.
const CHAIN: u32 = 5;

/// The default maximum of connections.
const CONNECTIONS: u32 = 220;

/// The CPU time of the program for a request.
const CPU_PER_REQUEST: Duration = Duration::from_micros(200);

const RUNS: usize = 5;

const AIM: f64 = 1.15;
const MAX_MEGABYTES: f64 = 64.0 * 1.048_576;

/// A benchmark scenario.
struct Scenario {
    name: &'static str,
    organization: Organization,
    latency: Duration,
}

/// The measurements of one run.
struct Figures {
    wall: Duration,
    floor: Duration,
    first_file: Option<Duration>,
    memory: f64,
    cpu: Duration,
    requests: usize,
    connections: usize,
}

fn main() -> ExitCode {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    println!(
        "{:<36}  {:>7}  {:>7}  {:>7}  {:>8}  {:>11}  {:>8}  {:>7}  {:>10}  {:>11}",
        "scenario (median of five runs)",
        "minimum",
        "wall",
        "÷ min.",
        "requests",
        "connections",
        "memory",
        "CPU",
        "first file",
        "one by one"
    );
    for scenario in scenarios() {
        if wanted.as_ref().is_some_and(|w| !scenario.name.contains(w)) {
            continue;
        }
        if let Err(output) = run(&scenario) {
            eprintln!("{}: the CSV is wrong\n{output}", scenario.name);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn scenarios() -> Vec<Scenario> {
    let organization = |accounts: usize, regions: &'static [&'static str]| {
        Organization::new(accounts, move |number| {
            let start = Account::new().alias(&format!("bench-{number}"));
            let count = |n: usize| (number * 7 + n * 3) % 40 + 1;
            regions
                .iter()
                .enumerate()
                .fold(start, |account, (n, region)| {
                    let counts: Vec<_> = TYPES
                        .iter()
                        .enumerate()
                        .map(|(t, name)| (*name, count(n + t)))
                        .collect();
                    account.region(region, &counts)
                })
        })
    };
    vec![
        Scenario {
            name: "40 accounts × 17 regions at 30 ms",
            organization: organization(40, &REGIONS),
            latency: Duration::from_millis(30),
        },
        Scenario {
            name: "200 accounts × 3 regions at 5 ms",
            organization: organization(200, &["us-east-1", "us-west-2", "eu-west-1"]),
            latency: Duration::from_millis(5),
        },
    ]
}

/// Runs a scenario, and prints its line and the missed targets.
fn run(scenario: &Scenario) -> Result<(), String> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        runs.push(run_once(scenario)?);
    }
    let one_by_one = one_by_one(scenario)?;
    runs.sort_by_key(|run| run.wall);
    let middle = &runs[RUNS / 2];
    let ratio = middle.wall.as_secs_f64() / middle.floor.as_secs_f64();
    let first = middle.first_file.unwrap_or(middle.wall);
    println!(
        "{:<36}  {:>5.2} s  {:>5.2} s  {ratio:>7.3}  {:>8}  {:>11}  {:>5.1} MB  {:>5.2} s  {:>8.2} s  {:>9.2} s",
        scenario.name,
        middle.floor.as_secs_f64(),
        middle.wall.as_secs_f64(),
        middle.requests,
        middle.connections,
        middle.memory,
        middle.cpu.as_secs_f64(),
        first.as_secs_f64(),
        one_by_one.as_secs_f64(),
    );
    let requests = u32::try_from(middle.requests).unwrap_or(1);
    for (reached, why) in [
        (
            ratio <= AIM,
            format!("{ratio:.3} × the minimum time, target {AIM}"),
        ),
        (
            middle.memory < MAX_MEGABYTES,
            format!("{:.1} MB", middle.memory),
        ),
        (
            middle.cpu / requests <= CPU_PER_REQUEST,
            format!("{:?} CPU per request", middle.cpu / requests),
        ),
        (
            middle.connections <= CONNECTIONS as usize,
            format!("{} connections", middle.connections),
        ),
        (
            first * 5 <= middle.wall,
            format!("first file after {first:?}"),
        ),
    ] {
        if !reached {
            println!("missed target: {}: {why}", scenario.name);
        }
    }
    Ok(())
}

fn serve(scenario: &Scenario) -> Server {
    let latency = scenario.latency;
    scenario
        .organization
        .serve_with_latency(latency)
        .ready_for(CONNECTIONS as usize)
}

/// Runs the binary once; if the CSV is wrong, the error is the complete output of the run.
fn run_once(scenario: &Scenario) -> Result<Figures, String> {
    let server = serve(scenario);
    let own = std::process::id();
    let cpu_before = cpu_time(own).unwrap_or_default();
    let before = Instant::now();
    let running = Program::new(&server).args(["--organization"]).start();
    let watch = watch(running.id());
    let directory = running.directory().to_owned();
    let first = thread::spawn(move || first_file(&directory, before));
    let run = running.finish();
    let wall = before.elapsed();
    let server_cpu = cpu_time(own).unwrap_or_default().saturating_sub(cpu_before);
    let (memory, cpu) = watch.join().unwrap_or_default();
    let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
    let path = run.files().into_iter().find(|path| path.ends_with(&name));
    let csv = path.map(|path| std::fs::read_to_string(run.directory().join(path)).unwrap());
    let numbers: Vec<usize> = (1..=scenario.organization.members.len()).collect();
    if run.code != Some(0) || csv != Some(scenario.organization.csv(&numbers)) {
        return Err(run.describe());
    }
    let requests = server.calls().len();
    let cores = thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(1));
    let n = u32::try_from(requests).unwrap_or(u32::MAX);
    let floor = [
        scenario.latency * CHAIN,
        scenario.latency * n / CONNECTIONS,
        (server_cpu + CPU_PER_REQUEST * n) / cores,
    ];
    Ok(Figures {
        wall,
        floor: floor.into_iter().max().unwrap_or_default(),
        first_file: first.join().ok().flatten(),
        memory: memory.unwrap_or_default(),
        cpu: cpu.unwrap_or_default(),
        requests,
        connections: server.connections(),
    })
}

/// Waits for the first CSV of an account, at most a minute. Returns the time since `start`.
fn first_file(directory: &std::path::Path, start: Instant) -> Option<Duration> {
    while start.elapsed() < Duration::from_mins(1) {
        let mut directories = vec![directory.to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).ok()?.filter_map(Result::ok) {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with("aws_config_resource_count_") && name.contains(".csv") {
                    return Some(start.elapsed());
                }
                if entry.path().is_dir() {
                    directories.push(entry.path());
                }
            }
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Runs the program once per account, eight at a time, as users can do without `--organization`.
fn one_by_one(scenario: &Scenario) -> Result<Duration, String> {
    let server = serve(scenario);
    let next = AtomicUsize::new(1);
    let before = Instant::now();
    let failed = thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number > scenario.organization.members.len() {
                            return None;
                        }
                        let key = format!("ASIA{}", Organization::id(number));
                        let run = Program::new(&server).env("AWS_ACCESS_KEY_ID", key).run();
                        if run.code != Some(0) {
                            return Some(run.describe());
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .find_map(|worker| worker.join().ok().flatten())
    });
    failed.map_or_else(|| Ok(before.elapsed()), Err)
}
