//! The command line.

mod types;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::aws::endpoint::EndpointUrl;
use crate::aws::limit::Limits;
use crate::config::Config;
use crate::console::Color;
use crate::count::Method;
use crate::iam_policy;
use crate::model::{AccountId, Region};

/// Counts the resources that AWS Config knows, per region and resource type, in every enabled
/// region of an account.
///
/// Eight checks come first; then all regions are scanned side by side, and the counts are written
/// to aws_config_resource_count_{account}[_{alias}].csv. Every number in it is exact, or it is not
/// there and the error log says why.
#[derive(Debug, Parser)]
#[command(
    name = "aws-config-resource-count",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = AFTER_HELP
)]
struct Cli {
    #[command(flatten)]
    run: Run,
    #[command(subcommand)]
    tool: Option<Tool>,
}

const AFTER_HELP: &str = "\
Environment:
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN   credentials
  AWS_PROFILE                                 profile
  AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN   a role for an identity token
  AWS_REGION, AWS_DEFAULT_REGION              start region
  AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE   the shared files
  AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_CONFIG_SERVICE, ..._EC2, ..._IAM, ..._STS
                                              endpoints
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS         true: pass over these and the profile's
  AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT   true: these endpoints of AWS
  AWS_CA_BUNDLE                               certificates to trust
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY           proxies, and who is reached without one
                                              (in lower case too, which goes first)
  AWS_MAX_ATTEMPTS, AWS_RETRY_MODE            attempts per request; standard is the mode
  NO_COLOR, CLICOLOR_FORCE                    colour

Exit codes:
  0    done, also where some counts are missing
  1    a check failed, or the run could not go on
  2    wrong usage
  3    done with counts missing or different, where --strict is given
  130  interrupted (143: terminated)

Examples:
  aws-config-resource-count --profile audit --output-dir out
  aws-config-resource-count --regions eu-west-1,eu-central-1 --strict
  aws-config-resource-count --resource-types all --method counts --coverage
  aws-config-resource-count iam-policy --method counts
  aws-config-resource-count --replay fixtures/demo";

const SCAN: &str = "Scan";
const OUTPUT: &str = "Output";
const NETWORK: &str = "Network";
const RECORD: &str = "Recordings";

/// The options of a run.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch")]
struct Run {
    /// Profile of ~/.aws/config and ~/.aws/credentials; goes before keys in the environment
    #[arg(help_heading = SCAN, long, value_name = "NAME")]
    profile: Option<String>,

    /// Start region: where the account is asked for its identity and its regions
    /// [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1]
    #[arg(help_heading = SCAN, long, value_name = "REGION")]
    region: Option<Region>,

    /// Scan these regions alone
    #[arg(help_heading = SCAN, long, value_name = "REGION,...", value_delimiter = ',', num_args = 1)]
    regions: Vec<Region>,

    /// Scan all enabled regions but these
    #[arg(help_heading = SCAN, long, value_name = "REGION,...", value_delimiter = ',', num_args = 1)]
    exclude_regions: Vec<Region>,

    /// Count these types, such as AWS::EC2::Instance; those in a file, with @FILE; or all that the
    /// account has, with all [default: ten common types]
    #[arg(help_heading = SCAN, long, value_name = "TYPE,...|@FILE|all", value_delimiter = ',', num_args = 1, value_parser = types::argument)]
    resource_types: Vec<types::Argument>,

    /// How to count: list every resource; ask for the counts of what is recorded, one call a region;
    /// or do both and show what differs
    #[arg(help_heading = SCAN, long, value_name = "METHOD", default_value = "list")]
    method: Method,

    /// Scan at once: ask for the account, its alias and its regions, and check nothing else
    #[arg(help_heading = SCAN, long)]
    skip_checks: bool,

    /// Folder for the CSV and the error log
    #[arg(help_heading = OUTPUT, long, value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,

    /// Write what is known of every region and type to ..._coverage.csv too
    #[arg(help_heading = OUTPUT, long)]
    coverage: bool,

    /// Write a report of the run to this file, as JSON
    #[arg(help_heading = OUTPUT, long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Send all requests to this URL, such as http://127.0.0.1:5000
    #[arg(help_heading = NETWORK, long, value_name = "URL")]
    endpoint_url: Option<EndpointUrl>,

    /// Trust the certificates of this PEM file instead of the built-in ones
    /// [default: AWS_CA_BUNDLE, the profile's ca_bundle]
    #[arg(help_heading = NETWORK, long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,

    /// Attempts per request, the first one included
    /// [default: AWS_MAX_ATTEMPTS, the profile's max_attempts, 10]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: Option<u32>,

    /// Requests in flight in one region, at the most; throttling halves them for a while
    /// [default: 10, fewer where there are many regions]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    region_concurrency: Option<u16>,

    /// Requests a second in one region, at the most [default: as many as AWS takes]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = rate)]
    max_rps: Option<f64>,

    /// Seconds to connect
    #[arg(help_heading = NETWORK, long, value_name = "SECONDS", default_value_t = 5, value_parser = seconds())]
    connect_timeout: u64,

    /// Seconds without an answer after which an attempt is given up
    #[arg(help_heading = NETWORK, long, value_name = "SECONDS", default_value_t = 30, value_parser = seconds())]
    read_timeout: u64,

    /// When to colour the check marks
    #[arg(help_heading = OUTPUT, long, value_name = "WHEN", default_value = "auto")]
    color: ColorWhen,

    /// Draw no progress bar
    #[arg(help_heading = OUTPUT, long)]
    no_progress: bool,

    /// Print errors alone
    #[arg(help_heading = OUTPUT, long, short)]
    quiet: bool,

    /// Tell every request on stderr: operation, region, attempt, status, time, request id
    #[arg(help_heading = OUTPUT, long)]
    debug: bool,

    /// End with exit code 3 where counts are missing, or where --method verify finds a difference
    #[arg(help_heading = OUTPUT, long)]
    strict: bool,

    /// Record every exchange with AWS in this new folder, without secrets, for --replay
    #[arg(help_heading = RECORD, long, value_name = "DIR")]
    record: Option<PathBuf>,

    /// Write this account number into the recording in the place of every real one
    #[arg(help_heading = RECORD, long, value_name = "ACCOUNT", requires = "record")]
    record_account_id: Option<AccountId>,

    /// Answer from a recording: no network, no credentials, no waiting
    #[arg(help_heading = RECORD, long, value_name = "DIR")]
    replay: Option<PathBuf>,
}

/// Requests in flight in one region where nothing else is said: as many as there are common types.
const REGION_CONCURRENCY: u16 = 10;

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err("not a number of requests a second, 0.01 to 10000".to_owned()),
    }
}

/// One call ends after 120 seconds in any case, so that longer time-outs would mean nothing.
fn seconds() -> clap::builder::RangedU64ValueParser {
    clap::builder::RangedU64ValueParser::new().range(1..=120)
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ColorWhen {
    Auto,
    Always,
    Never,
}

impl ValueEnum for Method {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::List, Self::Counts, Self::Verify]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

/// What else the program does.
#[derive(Debug, Subcommand)]
enum Tool {
    /// Print the smallest IAM policy for a run with the options that follow
    IamPolicy(Box<Run>),
    /// Print shell completions
    #[command(hide = true)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page
    #[command(hide = true)]
    Man,
}

/// What the user sees of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// When to colour.
    pub color: Color,
    /// Whether to draw the bar.
    pub progress: bool,
    /// Whether to leave the report out.
    pub quiet: bool,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// A run.
    Run(Box<Config>, View),
    /// A text on stdout.
    Print(Vec<u8>),
}

/// Reads the command line.
///
/// # Errors
/// Wrong usage, or a request for help or the version: clap's error prints itself and knows its
/// exit code (2, or 0).
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let cli = Cli::try_parse_from(args)?;
    let mut command = Cli::command();
    let mut text = Vec::new();
    match cli.tool {
        None => {
            let (config, view) = run(cli.run)?;
            return Ok(Command::Run(Box::new(config), view));
        }
        Some(Tool::IamPolicy(options)) => {
            let (config, _) = run(*options)?;
            text = iam_policy::policy(&config).into_bytes();
        }
        Some(Tool::Completions { shell }) => {
            let name = command.get_name().to_owned();
            clap_complete::generate(shell, &mut command, name, &mut text);
        }
        Some(Tool::Man) => {
            clap_mangen::Man::new(command)
                .render(&mut text)
                .map_err(clap::Error::from)?;
        }
    }
    Ok(Command::Print(text))
}

fn run(run: Run) -> Result<(Config, View), clap::Error> {
    let view = View {
        color: match run.color {
            ColorWhen::Auto => Color::Auto,
            ColorWhen::Always => Color::Always,
            ColorWhen::Never => Color::Never,
        },
        progress: !run.no_progress && !run.quiet,
        quiet: run.quiet,
    };
    let config = Config {
        profile: run.profile,
        region: run.region,
        regions: without_repeats(run.regions),
        exclude_regions: run.exclude_regions,
        resource_types: types::chosen(run.resource_types)
            .map_err(|why| Cli::command().error(ErrorKind::ArgumentConflict, why))?,
        method: run.method,
        skip_checks: run.skip_checks,
        output_dir: run.output_dir,
        coverage: run.coverage,
        report: run.report,
        endpoint_url: run.endpoint_url,
        ca_bundle: run.ca_bundle,
        max_attempts: run.max_attempts,
        limits: Limits {
            // A replay asks one type after the other, and a recording has to be made as it is asked.
            concurrency: if run.replay.is_some() || run.record.is_some() {
                1
            } else {
                run.region_concurrency.unwrap_or(REGION_CONCURRENCY).into()
            },
            rate: run.max_rps,
        },
        fixed_concurrency: run.region_concurrency.is_some(),
        connect_timeout: Duration::from_secs(run.connect_timeout),
        read_timeout: Duration::from_secs(run.read_timeout),
        debug: run.debug,
        strict: run.strict,
        record: run.record,
        record_account_id: run.record_account_id,
        replay: run.replay,
    };
    Ok((config, view))
}

/// The items in their order, each once: a type that is named twice is counted once.
fn without_repeats<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut once = Vec::with_capacity(items.len());
    for item in items {
        if !once.contains(&item) {
            once.push(item);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResourceType, ResourceTypes};

    fn config(args: &[&str]) -> Config {
        let args = ["aws-config-resource-count"].iter().chain(args);
        match parse(args.map(OsString::from)) {
            Ok(Command::Run(config, _)) => *config,
            other => panic!("{other:?}"),
        }
    }

    fn error(args: &[&str]) -> (i32, String) {
        let args = ["aws-config-resource-count"].iter().chain(args);
        let error = parse(args.map(OsString::from)).unwrap_err();
        (error.exit_code(), error.to_string())
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_options_the_specification_holds() {
        let config = config(&[]);
        let common = ResourceTypes::Named(ResourceType::common());
        assert_eq!(config.resource_types, common);
        assert_eq!(config.method, Method::List);
        assert!(!config.skip_checks && !config.coverage && config.report.is_none());
        assert_eq!(config.output_dir, PathBuf::from("."));
        assert_eq!(config.connect_timeout, Duration::from_secs(5));
        assert_eq!(config.read_timeout, Duration::from_secs(30));
        assert!(config.regions.is_empty() && !config.strict && config.max_attempts.is_none());
    }

    #[test]
    fn threads_are_made_for_the_regions_that_are_likely_to_be_scanned() {
        for (args, start, threads) in [
            // Ten types and the recorder, in each of seventeen regions.
            (&[][..], "us-east-1", 17 * 11),
            (&["--method=counts"], "eu-west-1", 17 * 2),
            (&["--resource-types=AWS::S3::Bucket"], "eu-west-1", 17 * 2),
            (&["--region-concurrency=3"], "eu-west-1", 17 * 4),
            (&["--regions=eu-west-1"], "us-east-1", 11),
            (
                &[
                    "--regions=eu-west-1,us-east-1",
                    "--exclude-regions=us-east-1",
                ],
                "us-east-1",
                11,
            ),
            (&[], "us-gov-west-1", 2 * 11),
            (&[], "eusc-de-east-1", 11),
        ] {
            let likely = config(args).likely_threads(&start.parse().unwrap());
            assert_eq!(likely, threads, "{args:?} {start}");
        }
    }

    #[test]
    fn lists_by_commas_and_by_repetition() {
        let config = config(&[
            "--regions=eu-west-1,us-east-1",
            "--regions",
            "eu-west-1",
            "--resource-types",
            "AWS::EC2::VPC,AWS::EC2::VPC,AWS::S3::Bucket",
        ]);
        let regions: Vec<_> = config.regions.iter().map(Region::as_str).collect();
        assert_eq!(regions, ["eu-west-1", "us-east-1"]);
        assert_eq!(config.resource_types.named().len(), 2);
    }

    fn names(types: &ResourceTypes) -> String {
        let names: Vec<&str> = types.named().iter().map(ResourceType::as_str).collect();
        names.join(" ")
    }

    #[test]
    fn all_types_or_those_of_a_file() {
        assert_eq!(
            config(&["--resource-types=all"]).resource_types,
            ResourceTypes::All
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("types.txt");
        let list = "\u{feff}# ours\r\nAWS::EC2::VPC, AWS::S3::Bucket\r\n\r\n\tAWS::EC2::VPC # again\n\
                    AWS::IAM::Role AWS::IAM::User";
        std::fs::write(&path, list).unwrap();
        let argument = format!("--resource-types=@{},AWS::SNS::Topic", path.display());
        assert_eq!(
            names(&config(&[&argument]).resource_types),
            "AWS::EC2::VPC AWS::S3::Bucket AWS::IAM::Role AWS::IAM::User AWS::SNS::Topic"
        );
        for (text, hint) in [
            ("# nothing\n\n", "names no type"),
            (
                "AWS::EC2::VPC\nEC2\n",
                "line 2: \"EC2\" is not a resource type",
            ),
            (&"#".repeat(1 << 21), "is larger than a list of types"),
        ] {
            std::fs::write(&path, text).unwrap();
            let (code, told) = error(&[&argument]);
            assert!(code == 2 && told.contains(hint), "{hint}: {told}");
        }
    }

    #[test]
    fn the_policy_is_the_smallest_for_its_flags() {
        let (list, counts) = ("ListDiscoveredResources", "GetDiscoveredResourceCounts");
        for (args, lists, asks_counts) in [
            (&[][..], true, false),
            (&["--method=counts"], false, true),
            (&["--method=verify"], true, true),
            (&["--resource-types=all"], true, true),
            (&["--resource-types=all", "--method=counts"], false, true),
            (&["--skip-checks", "--regions=eu-west-1"], true, false),
        ] {
            let args = ["x", "iam-policy"].iter().chain(args).map(OsString::from);
            let Ok(Command::Print(policy)) = parse(args.clone()) else {
                panic!("{args:?}")
            };
            let policy = String::from_utf8(policy).unwrap();
            assert_eq!(policy.contains(list), lists, "{policy}");
            assert_eq!(policy.contains(counts), asks_counts, "{policy}");
            assert_eq!(
                policy.matches(':').count(),
                4 + 1 + 4 + usize::from(lists) + usize::from(asks_counts)
            );
            for action in [
                "config:DescribeConfigurationRecorderStatus",
                "config:DescribeConfigurationRecorders",
                "ec2:DescribeRegions",
                "iam:ListAccountAliases",
            ] {
                assert!(policy.contains(action), "{policy}");
            }
        }
    }

    /// Every policy in the README, with the command before it.
    #[test]
    fn the_readmes_policies_are_what_is_printed() {
        let readme = include_str!("../README.md");
        let mut held = 0;
        let blocks: Vec<&str> = readme.split("```").collect();
        for pair in blocks.windows(3) {
            let (Some(command), Some(policy)) =
                (pair[0].strip_prefix("sh\n"), pair[2].strip_prefix("json\n"))
            else {
                continue;
            };
            let command = command.trim().split('#').next().unwrap_or_default();
            let args = command.split_whitespace().map(OsString::from);
            let Ok(Command::Print(printed)) = parse(args) else {
                continue;
            };
            assert_eq!(String::from_utf8(printed).unwrap(), policy, "{command}");
            held += 1;
        }
        assert_eq!(
            held,
            readme.matches("2012-10-17").count(),
            "every policy is held"
        );
        assert!(held >= 2);
    }

    #[test]
    fn wrong_usage_is_exit_2_with_a_hint() {
        for (args, hint) in [
            (
                &["--regoin", "x"][..],
                "a similar argument exists: '--region'",
            ),
            (
                &["--regions", "eu_west_1"],
                "is not a region code such as eu-west-1",
            ),
            (
                &["--resource-types", "EC2"],
                "is not a resource type such as AWS::EC2::Instance, nor @FILE, nor all",
            ),
            (
                &["--resource-types=all,AWS::EC2::VPC"],
                "all stands alone, and not beside types",
            ),
            (&["--resource-types=@/none/x"], "/none/x: No such file"),
            (
                &["--method", "guess"],
                "[possible values: list, counts, verify]",
            ),
            (&["--endpoint-url", "localhost"], "is not an endpoint URL"),
            (&["--max-attempts", "0"], "0 is not in 1.."),
            (&["--read-timeout", "121"], "121 is not in 1..=120"),
            (
                &["--color", "pink"],
                "[possible values: auto, always, never]",
            ),
            (&["--record-account-id", "123456789012"], "--record <DIR>"),
            (
                &["--record", "x", "--record-account-id", "12"],
                "not an account number",
            ),
            (&["surplus"], "For more information, try '--help'"),
        ] {
            let (code, text) = error(args);
            assert_eq!(code, 2, "{args:?}");
            assert!(text.contains(hint), "{args:?}: {text}");
        }
    }

    #[test]
    fn help_names_every_option_and_the_exit_codes() {
        let (code, help) = error(&["--help"]);
        assert_eq!(code, 0);
        for part in [
            "--profile",
            "--region ",
            "--regions",
            "--exclude-regions",
            "--resource-types",
            "--method",
            "--skip-checks",
            "--coverage",
            "--report",
            "iam-policy",
            "--output-dir",
            "--endpoint-url",
            "--ca-bundle",
            "--max-attempts",
            "--connect-timeout",
            "--read-timeout",
            "--color",
            "--no-progress",
            "--quiet",
            "--debug",
            "--strict",
            "--record",
            "--replay",
            "--version",
            "Exit codes",
            "130",
        ] {
            assert!(help.contains(part), "{part}");
        }
        assert!(!help.contains("completions"), "hidden");
    }

    #[test]
    fn the_readme_names_every_option_and_variable() {
        let readme = include_str!("../README.md");
        for argument in Cli::command().get_arguments() {
            let long = format!("--{}", argument.get_long().unwrap());
            assert!(readme.contains(&long), "{long}");
        }
        let words = AFTER_HELP.split([' ', ',', '\n']);
        for variable in words.filter(|w| w.starts_with("AWS_") || w.ends_with("_PROXY")) {
            assert!(
                readme.contains(variable.trim_end_matches(':')),
                "{variable}"
            );
        }
        for line in AFTER_HELP.lines().filter(|l| l.starts_with("  aws-config")) {
            let options = line.split_whitespace().filter(|w| w.starts_with("--"));
            assert!(options.count() > 0, "{line}");
        }
    }

    #[test]
    fn completions_and_the_man_page() {
        for (args, part) in [
            (
                &["completions", "bash"][..],
                "-o default aws-config-resource-count",
            ),
            (&["completions", "zsh"], "#compdef"),
            (&["man"], ".TH aws-config-resource-count"),
        ] {
            let args = ["x"].iter().chain(args).map(OsString::from);
            match parse(args) {
                Ok(Command::Print(text)) => {
                    assert!(String::from_utf8(text).unwrap().contains(part), "{part}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
