use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::gaps::MissingCounts;
use super::*;
use crate::aws::ops::describe_configuration_recorders::ConfigurationRecorder;
use crate::aws::usage::Usage;
use crate::cli::{self, Command};
use crate::coverage::{
    Coverage, Gap, Recorder, RecorderState, RegionResult, StaleKind, StaleState,
};
use crate::error_log::ErrorType;
use crate::inventory::Listed;
use crate::options::Options;

const TYPES: &str = "AWS::DynamoDB::Table,AWS::EC2::Instance,AWS::EC2::VPC,AWS::EC2::Volume,AWS::S3::Bucket,\
                     AWS::Lambda::Function";
const POLICY: &str = "grant the IAM policy below; also check service control policies";

fn options(args: &[&str]) -> Options {
    let args = ["x"].iter().chain(args).map(std::ffi::OsString::from);
    let Ok(Command::Run(options, _)) = cli::parse(args) else {
        panic!("not the options of a run")
    };
    *options
}

/// A run with options, and a result for each region.
struct Run {
    options: Options,
    regions: Vec<RegionResult>,
    columns: Option<usize>,
}

impl Run {
    fn new(args: &[&str]) -> Self {
        Self {
            options: options(args),
            regions: Vec::new(),
            columns: None,
        }
    }

    /// Adds regions whose listings have `total` resources of each type, except those that `error` selects.
    fn regions(
        mut self,
        codes: &[&str],
        total: u64,
        recorder: &Recorder,
        error: impl Fn(&str) -> Option<ErrorType>,
    ) -> Self {
        let types = self.options.resource_types.named().unwrap().to_vec();
        for code in codes {
            let gap = Gap::new(ErrorType::ScanFailed, "not tried");
            let mut result = RegionResult::missing(code.parse().unwrap(), gap);
            for resource_type in &types {
                let listed = Listed {
                    total,
                    ids: (0..total).collect(),
                    changed: None,
                };
                let listed = match error(resource_type.as_str()) {
                    Some(error_type) => Err(Gap::new(error_type, "failed")),
                    None => Ok(listed),
                };
                result.listed.insert(resource_type.clone(), listed);
            }
            result.recorder = Some(recorder.clone());
            self.regions.push(result);
        }
        self
    }

    /// Adds complete regions.
    fn complete(self, codes: &[&str]) -> Self {
        self.regions(codes, 1, &recording(), |_| None)
    }

    /// Adds regions without counts.
    fn failed(self, codes: &[&str], error_type: ErrorType) -> Self {
        self.regions(codes, 0, &recording(), |_| Some(error_type))
    }

    fn summary(&self) -> Vec<String> {
        let options = &self.options;
        let coverage = Coverage::new(
            self.regions.clone(),
            &options.resource_types,
            options.method,
        )
        .with_expected(&options.accept_missing);
        summary(&SummaryInput {
            coverage: &coverage,
            options,
            refused: 0,
            errors: 0,
            error_file: "e.txt",
            elapsed: Duration::from_millis(2_840),
            usage: Usage {
                requests: 1_198,
                retries: 2,
                throttles: 2,
                bytes: 0,
            },
            earlier: &[],
            has_earlier_csv: true,
            was_stopped: false,
            exit: None,
            columns: self.columns,
        })
    }

    /// Returns the lines of the block that starts with `start`, without indentation.
    fn block(&self, start: &str) -> Vec<String> {
        let lines = self.summary().into_iter();
        let block = lines.skip_while(|line| !line.starts_with(start));
        let block = block.take_while(|line| !line.is_empty());
        block.map(|line| line.trim_start().to_owned()).collect()
    }
}

fn settings() -> ConfigurationRecorder {
    serde_json::from_str(r#"{"recordingGroup": {"includeGlobalResourceTypes": true}}"#).unwrap()
}

fn recording() -> Recorder {
    Recorder::new(Ok(RecorderState::Recording), Ok(settings()))
}

/// Returns a recorder that was stopped on a day of August 2026.
fn stopped(day: u8) -> Recorder {
    let date = time::Date::from_calendar_date(2026, time::Month::August, day).unwrap();
    Recorder::new(
        Ok(RecorderState::Stale(StaleState {
            kind: StaleKind::Stopped,
            since: Some(date.midnight().assume_utc()),
            code: None,
        })),
        Ok(settings()),
    )
}

/// Returns the codes of `count` regions with names of 30 characters.
fn long_names(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("xx-very-long-region-name-ab-{n:02}"))
        .collect()
}

#[test]
fn complete_run_has_only_figures() {
    let run = Run::new(&[]).regions(&["eu-west-1", "us-east-1"], 1_000, &recording(), |_| None);
    assert_eq!(
        run.summary(),
        [
            "Summary",
            "  Regions scanned: 2 (all complete)",
            "  Resource types found: 10",
            "  Total resources: 18,000 (the CSV's rows add up to 20,000: IAM is in 2 regions, counted once here; \
             10 default types; for every type: --resource-types all)",
            "  Errors encountered: 0",
            "  Coverage: all 20 counts known (2 regions × 10 types) · 2.8 s, 1,198 requests, 2 throttled and retried",
        ]
    );
}

#[test]
fn one_count_is_singular() {
    let one = |args: &[&str]| Run::new(&[&["--resource-types", "AWS::EC2::VPC"], args].concat());
    let known = one(&[]).complete(&["us-east-1"]).summary();
    assert_eq!(known[1], "  Regions scanned: 1 (complete)");
    assert_eq!(known[3], "  Total resources: 1");
    let coverage = "  Coverage: 1 count known (1 region × 1 type) · ";
    assert!(known[5].starts_with(coverage), "{}", known[5]);
    let missing = one(&[]).failed(&["us-east-1"], ErrorType::Throttle);
    assert_eq!(
        missing.block("Incomplete"),
        [
            "Incomplete: 1 count is missing",
            "us-east-1   AWS::EC2::VPC   throttled   try again later, or use --method counts",
        ]
    );
    let lines = missing.summary();
    assert_eq!(lines[1], "  Regions scanned: 1 (incomplete)");
    assert_eq!(lines[3], "  Total resources: unknown");
    let coverage = "  Coverage: 0 of 1 count known, 1 missing (1 region × 1 type) · ";
    assert!(lines[5].starts_with(coverage), "{}", lines[5]);
    let stale = one(&[]).regions(&["us-east-1"], 1, &stopped(14), |_| None);
    assert_eq!(
        stale.block("Stale"),
        [
            "Stale: 1 count of us-east-1 dates from 2026-08-14, when its recorder was stopped; start it again"
        ]
    );
}

#[test]
fn whole_regions_come_first() {
    let run = Run::new(&["--resource-types", TYPES, "--exclude-regions", "us-west-2"])
        .complete(&["eu-west-1", "us-east-1"])
        .failed(&["sa-east-1", "ap-east-1"], ErrorType::Permission)
        .failed(&["eu-south-1"], ErrorType::RegionDisabled)
        .regions(&["eu-west-3"], 0, &recording(), |t| {
            (t == "AWS::S3::Bucket").then_some(ErrorType::Permission)
        })
        .regions(&["ap-east-2"], 0, &recording(), |t| {
            Some(if t == "AWS::S3::Bucket" {
                ErrorType::Connection
            } else {
                ErrorType::Throttle
            })
        });
    assert_eq!(
        run.block("Incomplete"),
        [
            "Incomplete: 25 counts are missing".to_owned(),
            format!("ap-east-1, sa-east-1   all types         access denied                  {POLICY}"),
            "ap-east-2              all types         throttled, connection failed   try again later, or use --method \
             counts; check the network, firewall and endpoint"
                .to_owned(),
            "eu-south-1             all types         region not enabled             enable for the account".to_owned(),
            "or leave them out: --exclude-regions us-west-2,ap-east-1,ap-east-2,eu-south-1,sa-east-1".to_owned(),
            format!("eu-west-3              AWS::S3::Bucket   access denied                  {POLICY}"),
            "IAM policy: aws-config-resource-count iam-policy".to_owned(),
        ]
    );
}

#[test]
fn type_of_nearly_all_regions_has_one_row() {
    let vpc = |t: &str| (t == "AWS::EC2::VPC").then_some(ErrorType::Permission);
    let codes = [
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "us-east-1",
        "us-west-1",
    ];
    let run = || Run::new(&["--resource-types", TYPES]).regions(&codes, 1, &recording(), vpc);
    let place = |run: Run| {
        let block = run.block("Incomplete");
        let row = block.iter().find(|line| line.contains("AWS::EC2::VPC"));
        row.unwrap().split("   ").next().unwrap().to_owned()
    };
    assert_eq!(place(run()), "all 5 regions");
    assert_eq!(
        place(run().failed(&["sa-east-1"], ErrorType::Connection)),
        "5 other regions"
    );
    assert_eq!(
        place(run().complete(&["us-west-2"])),
        "all regions but us-west-2"
    );
    let both = run().complete(&["us-west-2"]).failed(
        &["sa-east-1", "sa-east-2", "sa-east-3", "sa-east-4"],
        ErrorType::Connection,
    );
    assert_eq!(place(both), "all other regions but us-west-2");
    let few = run().complete(&["a-1", "a-2", "a-3", "a-4"]);
    assert_eq!(place(few), codes.join(", "));
}

#[test]
fn many_regions_are_shortened_only_in_rows() {
    let codes = long_names(40);
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let mut run = Run::new(&["--resource-types", TYPES])
        .complete(&["us-east-1"])
        .failed(&codes[..20], ErrorType::Permission)
        .failed(&codes[20..], ErrorType::ConfigDisabled);
    let block = run.block("Incomplete");
    for (line, codes) in [(&block[1], &codes[..20]), (&block[2], &codes[20..])] {
        let names = format!("{} and 12 more   all types   ", codes[..8].join(", "));
        assert!(line.starts_with(&names), "{line}");
    }
    let option = format!("or leave them out: --exclude-regions {}", codes.join(","));
    assert_eq!(block[3], option, "complete");
    for columns in [40, 60, 80, 100, 160, 300] {
        run.columns = Some(columns);
        for line in run.summary() {
            let is_command = line.trim_start().starts_with("--exclude-regions")
                || line
                    .trim_start()
                    .starts_with("aws-config-resource-count iam-policy");
            let fits = line.chars().count() <= columns;
            assert!(fits || is_command, "{columns}: {line}");
        }
    }
}

#[test]
fn many_rows_are_limited() {
    let codes = long_names(30);
    let types: Vec<String> = (0..30).map(|n| format!("AWS::EC2::Type{n:02}")).collect();
    let mut run = Run::new(&["--resource-types", &types.join(",")]);
    for (n, code) in codes.iter().enumerate() {
        let own = |t: &str| {
            let at = types.iter().position(|name| name == t).unwrap();
            (at == n || at == (n * 7) % 30).then_some(ErrorType::ApiError)
        };
        run = run.regions(&[code], 1, &recording(), own);
    }
    let block = run.block("Incomplete");
    assert_eq!(
        block[9..],
        [
            "and 39 more                      26 types in 22 regions               error",
            "all of them: see e.txt",
        ],
        "{block:#?}"
    );
}

#[test]
fn stale_counts_say_since_when() {
    let run = Run::new(&["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"])
        .regions(&["eu-west-1", "eu-west-2"], 1, &stopped(14), |_| None)
        .regions(&["us-west-1"], 0, &stopped(2), |_| None)
        .regions(&["us-west-2"], 1, &stopped(3), |t| {
            (t == "AWS::EC2::VPC").then_some(ErrorType::Permission)
        });
    assert_eq!(
        run.block("Stale"),
        [
            "Stale: 2 counts of us-west-1 date from 2026-08-02, when its recorder was stopped; start it again",
            "Stale: 1 count of us-west-2 (AWS::S3::Bucket) dates from 2026-08-03, when its recorder was stopped; start \
             it again",
            "Stale: 4 counts of eu-west-1, eu-west-2 date from 2026-08-14, when their recorders were stopped; start \
             them again",
        ]
    );
    let mut run = Run::new(&["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"]);
    for (day, code) in (1..).zip(long_names(20)) {
        run = run.regions(&[&code], 1, &stopped(day), |_| None);
    }
    assert_eq!(
        run.block("Stale"),
        [
            "Stale: 40 counts of all 20 regions date from 2026-08-01 to 2026-08-20, when their recorders were stopped; \
          start them again"
        ]
    );
}

#[test]
fn run_without_counts_says_why() {
    let last = |run: Run| run.summary().pop().unwrap();
    let codes = ["eu-west-1", "sa-east-1", "us-east-1"];
    let run = || Run::new(&["--resource-types", TYPES]);
    let denied = run().failed(&codes, ErrorType::Permission);
    assert_eq!(
        denied.block("Incomplete")[1..],
        [
            format!("all 3 regions   all types   access denied   {POLICY}"),
            "IAM policy: aws-config-resource-count iam-policy".to_owned(),
        ],
        "no region is left to scan"
    );
    assert_eq!(
        last(denied),
        "Nothing was counted: access denied in all 3 regions. The CSV of the last run was not replaced."
    );
    let both = run()
        .failed(&codes, ErrorType::Permission)
        .failed(&["us-west-2"], ErrorType::ConfigDisabled);
    assert_eq!(
        last(both),
        "Nothing was counted: access denied in 3 regions; no configuration recorder in us-west-2. The CSV of the last \
         run was not replaced."
    );
}

#[test]
fn policy_command_has_the_relevant_options() {
    for (args, command) in [
        (&[][..], ""),
        (&["--method", "counts"], " --method counts"),
        (
            &["--method", "verify", "--resource-types", "all"],
            " --method verify --resource-types all",
        ),
        (
            &[
                "--resource-types",
                "AWS::EC2::VPC",
                "--skip-checks",
                "--profile",
                "x y",
            ],
            "",
        ),
    ] {
        let printed = crate::advice::iam_policy_command(&options(args));
        let expected = format!("aws-config-resource-count iam-policy{command}");
        assert_eq!(printed, expected);
        let words = printed.split(' ').map(std::ffi::OsString::from);
        let Ok(Command::Print(policy)) = cli::parse(words) else {
            panic!("{printed} prints no policy")
        };
        let expected = crate::commands::iam_policy::policy(&options(args));
        assert_eq!(String::from_utf8(policy).unwrap(), expected, "{args:?}");
    }
}

#[test]
fn accepted_gaps_are_not_incomplete() {
    let run = |gaps: &str| {
        let args = ["--resource-types", TYPES, "--accept-missing", gaps];
        let run = Run::new(&args).complete(&["eu-west-1", "us-east-1"]);
        run.failed(&["eu-south-1", "sa-east-1"], ErrorType::Permission)
    };
    let summary = run("sa-east-1,us-east-1,us-west-2,eu-south-1/AWS::EC2::VPC").summary();
    let coverage =
        "  Coverage: 12 of 24 counts known, 12 missing, 7 of them accepted (4 regions × 6 types)";
    assert!(
        summary.iter().any(|line| line.starts_with(coverage)),
        "{summary:#?}"
    );
    let position = summary
        .iter()
        .position(|line| line.starts_with("Incomplete"))
        .unwrap();
    assert_eq!(summary[position], "Incomplete: 5 counts are missing");
    assert!(summary[position + 1].starts_with("  eu-south-1   all types   access denied"));
    assert!(
        !summary[position..]
            .iter()
            .any(|line| line.contains("--exclude-regions eu-south-1,"))
    );
    assert_eq!(
        summary[summary.len() - 3..],
        [
            "Accepted: 7 missing counts of sa-east-1, eu-south-1/AWS::EC2::VPC (--accept-missing)",
            "No longer missing: us-east-1; remove it from --accept-missing",
            "Not in this run: us-west-2 (--accept-missing)",
        ]
    );
    assert_eq!(run("sa-east-1,eu-south-1").block("Incomplete"), [""; 0]);
    let all = Run::new(&["--resource-types", TYPES, "--accept-missing", "sa-east-1"]);
    let all = all.failed(&["sa-east-1"], ErrorType::Permission);
    assert_eq!(
        all.block("Nothing"),
        [
            "Nothing was counted: access denied in sa-east-1. The CSV of the last run was not replaced."
        ]
    );
}

/// Returns the numbers in parentheses after the first number of a line.
fn parts(line: &str) -> (usize, usize) {
    let (all, parts) = line.split_once(" (").unwrap();
    let number = |text: &str| {
        text.split(' ')
            .next()?
            .replace(',', "")
            .parse::<usize>()
            .ok()
    };
    let all = number(all.rsplit(' ').next().unwrap()).unwrap();
    let parts = parts.trim_end_matches(')').split(", ");
    // Without a number, all regions are in one part.
    (all, parts.map(|part| number(part).unwrap_or(all)).sum())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn rows_add_up_and_lines_fit(
        errors in vec(vec(select(vec![
            None,
            None,
            Some(ErrorType::Permission),
            Some(ErrorType::Throttle),
            Some(ErrorType::ConfigDisabled),
            Some(ErrorType::ScanFailed),
        ]), 6), 1..20),
        day in 0..4u8,
        columns in 40..200usize,
    ) {
        let types = "AWS::EC2::Instnace,AWS::EC2::VPC,AWS::IAM::Role,AWS::IAM::User,AWS::S3::Bucket,AWS::SNS::Topic";
        let names: Vec<&str> = types.split(',').collect();
        let mut run = Run::new(&["--resource-types", types]);
        run.columns = Some(columns);
        for (n, errors) in errors.iter().enumerate() {
            let code = format!("region-with-long-name-{n:02}");
            let recorder = match u8::try_from(n).unwrap() % 4 {
                _ if day == 0 => recording(),
                0 => Recorder::missing(),
                1 => stopped(day),
                2 => Recorder::unknown(&Gap::new(ErrorType::Permission, "denied")),
                _ => recording(),
            };
            run = run.regions(&[&code], n as u64 % 3, &recorder, |t| {
                errors[names.iter().position(|name| *name == t).unwrap()]
            });
        }
        let types = &run.options.resource_types;
        let coverage = Coverage::new(run.regions.clone(), types, run.options.method);
        let missing = MissingCounts::all(&coverage);
        let rows = [&missing.whole_regions, &missing.whole_types, &missing.others];
        let cells: usize = rows.into_iter().flatten().map(|row| row.cells).sum();
        prop_assert_eq!(cells, coverage.totals().missing);
        let lines = run.summary();
        // A narrow terminal breaks the line of the regions.
        run.columns = None;
        let whole = run.summary().swap_remove(1);
        prop_assert_eq!(parts(&whole), (errors.len(), errors.len()), "{}", whole);
        for line in &lines {
            let fits = line.chars().count() <= columns || line.contains("--exclude-regions ");
            prop_assert!(fits && line.trim_end() == line, "{columns}: {line:?}");
        }
    }
}
