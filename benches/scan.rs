//! How fast the program is, and how small: it runs the release binary against a server in this
//! process and prints what is measured beside what is aimed at.
//!
//! `cargo bench --bench scan`. A figure that is missed is said so and fails nothing, since it
//! depends on the machine; a wrong CSV ends it with exit code 1.

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use support::{Account, Program, Server};

const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

const TYPES: [&str; 10] = [
    "AWS::DynamoDB::Table",
    "AWS::EC2::Instance",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPC",
    "AWS::EC2::Volume",
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::Lambda::Function",
    "AWS::RDS::DBInstance",
    "AWS::S3::Bucket",
];

const LATENCY: Duration = Duration::from_millis(30);
const RUNS: usize = 5;

/// What is aimed at.
const MAX_RATIO: f64 = 1.3;
const MAX_MEGABYTES: f64 = 30.0;
const MAX_START: Duration = Duration::from_millis(50);

/// What is measured.
struct Scenario {
    name: &'static str,
    args: &'static [&'static str],
    /// How many requests must follow each other.
    chain: usize,
    /// How many requests there are.
    requests: usize,
}

/// One run's figures.
struct Figures {
    wall: Duration,
    start: Duration,
    /// In megabytes; only Linux tells.
    memory: Option<f64>,
    requests: usize,
    connections: usize,
    in_flight: usize,
}

fn main() -> ExitCode {
    let account = account();
    println!(
        "{} regions × {} types, {} ms a request, 100 to 400 resources each; release build, {RUNS} \
         runs",
        REGIONS.len(),
        TYPES.len(),
        LATENCY.as_millis()
    );
    for scenario in scenarios(&account) {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            // A server of its own for each run, so that its counts are this run's.
            match measure(&scenario, &account, &account.serve()) {
                Ok(figures) => runs.push(figures),
                Err(told) => {
                    eprintln!("the CSV is wrong\n{told}");
                    return ExitCode::FAILURE;
                }
            }
        }
        let chain = LATENCY * u32::try_from(scenario.chain).unwrap_or(u32::MAX);
        println!(
            "\n{}: {} requests one after the other, {:.2} s\n",
            scenario.name,
            scenario.chain,
            chain.as_secs_f64()
        );
        print_runs(&runs, chain);
        println!();
        print_targets(&scenario, &runs, chain);
    }
    ExitCode::SUCCESS
}

/// Account, alias and regions, side by side; each region's recorder, beside the counting.
fn scenarios(account: &Account) -> [Scenario; 2] {
    let listings = account.listings(&TYPES);
    let (checks, recorders) = (3, 2 * REGIONS.len());
    [
        Scenario {
            name: "--method list, the longest region",
            args: &[],
            chain: listings.iter().copied().max().unwrap_or_default(),
            requests: checks + recorders + listings.iter().sum::<usize>(),
        },
        Scenario {
            name: "--method counts --resource-types all, three checks and a recorder",
            args: &["--method", "counts", "--resource-types", "all"],
            // The counts come faster than the two answers about the recorder.
            chain: 3 + 2,
            requests: checks + recorders + REGIONS.len(),
        },
    ]
}

/// 100 to 400 resources of each type in each region, the same in every run.
fn account() -> Account {
    let mut state = 2026_u32;
    let mut count = || {
        // A linear congruential generator, of which the upper bits are good.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        100 + (state >> 16) as usize % 301
    };
    let start = Account::new().alias("acme-bench").latency(LATENCY);
    REGIONS.iter().fold(start, |account, region| {
        let counts = TYPES.map(|resource_type| (resource_type, count()));
        account.region(region, &counts)
    })
}

/// Runs the binary once; an error is all that was seen of a run with a wrong CSV.
fn measure(scenario: &Scenario, account: &Account, server: &Server) -> Result<Figures, String> {
    let program = Program::new(server).args(scenario.args);
    let before = Instant::now();
    let running = program.start();
    let watch = watch_memory(running.id());
    let run = running.finish();
    let wall = before.elapsed();
    if run.code != Some(0) || run.csv() != account.csv() {
        return Err(run.told());
    }
    let calls = server.calls();
    Ok(Figures {
        wall,
        start: calls[0].arrived - before,
        memory: watch.join().unwrap_or_default(),
        requests: calls.len(),
        connections: server.connections(),
        in_flight: server.most_in_flight(),
    })
}

/// Reads the process's greatest resident size until it ends. The kernel keeps that figure, so that
/// only what is added in the last milliseconds is missed.
fn watch_memory(process: u32) -> thread::JoinHandle<Option<f64>> {
    thread::spawn(move || {
        let mut greatest = None;
        while let Some(megabytes) = peak_memory(process) {
            greatest = Some(megabytes);
            thread::sleep(Duration::from_millis(5));
        }
        greatest
    })
}

/// `VmHWM` of the process, in megabytes; none where it has ended.
fn peak_memory(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

fn print_runs(runs: &[Figures], chain: Duration) {
    println!("run    wall  ÷ chain    memory  1st request  requests  connections  in flight");
    for (n, run) in runs.iter().enumerate() {
        println!(
            "{:>3}  {:>4.2} s  {:>7.3}  {:>8}  {:>8.1} ms  {:>8}  {:>11}  {:>9}",
            n + 1,
            run.wall.as_secs_f64(),
            ratio(run, chain),
            megabytes(run.memory),
            milliseconds(run.start),
            run.requests,
            run.connections,
            run.in_flight
        );
    }
}

/// The worst of the runs against what is aimed at.
fn print_targets(scenario: &Scenario, runs: &[Figures], chain: Duration) {
    let worst = |figures: &mut dyn Iterator<Item = f64>| figures.fold(f64::NAN, f64::max);
    let ratio = worst(&mut runs.iter().map(|run| ratio(run, chain)));
    let memory = worst(&mut runs.iter().filter_map(|run| run.memory));
    let start = worst(&mut runs.iter().map(|run| milliseconds(run.start)));
    let surplus = |run: &&Figures| run.connections.saturating_sub(run.in_flight);
    let most = runs.iter().max_by_key(surplus);
    let (connections, in_flight) = most.map_or((0, 0), |run| (run.connections, run.in_flight));
    let requests = runs.iter().map(|run| run.requests).max().unwrap_or(0);
    println!("worst of the runs       measured  aimed at");
    for (what, measured, aim, reached) in [
        (
            "wall ÷ longest chain",
            format!("{ratio:.3}"),
            format!("≤ {MAX_RATIO}"),
            ratio <= MAX_RATIO,
        ),
        (
            "peak memory",
            format!("{memory:.1} MB"),
            format!("< {MAX_MEGABYTES} MB"),
            memory < MAX_MEGABYTES,
        ),
        (
            "start to 1st request",
            format!("{start:.1} ms"),
            format!("< {} ms", MAX_START.as_millis()),
            start < milliseconds(MAX_START),
        ),
        (
            "requests",
            requests.to_string(),
            format!("= {}", scenario.requests),
            requests == scenario.requests,
        ),
        (
            "connections",
            connections.to_string(),
            format!("≤ {in_flight} in flight"),
            connections <= in_flight,
        ),
    ] {
        let mark = match reached {
            true => "reached",
            // No /proc here.
            false if measured.starts_with("NaN") => "not known",
            false => "MISSED",
        };
        println!("{what:<22}  {measured:>8}  {aim:<14}  {mark}");
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn ratio(run: &Figures, chain: Duration) -> f64 {
    run.wall.as_secs_f64() / chain.as_secs_f64()
}

fn megabytes(memory: Option<f64>) -> String {
    memory.map_or("unknown".to_owned(), |m| format!("{m:.1} MB"))
}
