//! Parses the command line with clap.

mod types;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::aws::endpoint::EndpointUrl;
use crate::aws::limiter::Limits;
use crate::commands::iam_policy;
use crate::console::Color;
use crate::inventory::Method;
use crate::model::{AccountId, Region};
use crate::options::Options;

/// Count the resources discovered by AWS Config in an AWS account, by region and resource type
///
/// Runs eight checks, scans all enabled regions in parallel and writes
/// aws_config_resource_count_{account}[_{alias}].csv. Counts that could not be completed are left
/// out and explained in the error log.
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
    scan: ScanArgs,
    #[command(subcommand)]
    subcommand: Option<CliSubcommand>,
}

const AFTER_HELP: &str = "\
Environment:
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN   credentials
  AWS_PROFILE                                 profile
  AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN   role to assume with a web identity token
  AWS_REGION, AWS_DEFAULT_REGION              start region
  AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE   paths of the config and credentials files
  AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_CONFIG_SERVICE, ..._EC2, ..._IAM, ..._STS
                                              endpoint URLs
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS         true: ignore these and the profile's endpoints
  AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT   true: use FIPS or dual-stack endpoints
  AWS_CA_BUNDLE                               PEM file of trusted certificates
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY           proxies, and hosts to bypass
                                              (lower-case names take precedence)
  AWS_MAX_ATTEMPTS, AWS_RETRY_MODE            attempts per request; only standard is supported
  NO_COLOR, CLICOLOR_FORCE                    color

Exit codes:
  0    success; some counts may be missing
  1    a check failed, or the scan was aborted
  2    invalid usage
  3    counts are missing or differ (only with --strict)
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
const RECORDINGS: &str = "Recordings";

/// The options of a scan.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each field is a command-line flag"
)]
struct ScanArgs {
    /// Profile in ~/.aws/config and ~/.aws/credentials; takes precedence over credentials in the
    /// environment [default: AWS_PROFILE, default]
    #[arg(help_heading = SCAN, long, value_name = "NAME")]
    profile: Option<String>,

    /// Start region, for the initial STS, IAM and EC2 calls; does not limit the scan (see --regions)
    /// [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1]
    #[arg(help_heading = SCAN, long, value_name = "REGION")]
    region: Option<Region>,

    /// Scan only these regions [default: all enabled regions]
    #[arg(help_heading = SCAN, long, value_name = "REGION,...", value_delimiter = ',', num_args = 1)]
    regions: Vec<Region>,

    /// Skip these regions
    #[arg(help_heading = SCAN, long, value_name = "REGION,...", value_delimiter = ',', num_args = 1)]
    exclude_regions: Vec<Region>,

    /// Resource types to count: a list of names, the names in a file (@FILE), or every type that
    /// the account has (all) [default: ten common types]
    ///
    /// The ten common types are AWS::EC2::Instance, AWS::EC2::Volume, AWS::EC2::SecurityGroup,
    /// AWS::EC2::VPC, AWS::S3::Bucket, AWS::RDS::DBInstance, AWS::Lambda::Function,
    /// AWS::IAM::Role, AWS::IAM::User and AWS::DynamoDB::Table.
    #[arg(help_heading = SCAN, long, value_name = "TYPE,...|@FILE|all", value_delimiter = ',', num_args = 1, value_parser = types::parse_types_argument)]
    resource_types: Vec<types::Argument>,

    /// Counting method: list every resource (list), use the counts of AWS Config (counts), or do
    /// both and compare (verify)
    #[arg(help_heading = SCAN, long, value_name = "METHOD", default_value = "list")]
    method: Method,

    /// Start scanning without the prerequisite checks
    #[arg(help_heading = SCAN, long)]
    skip_checks: bool,

    /// Directory for the CSV and the error log; it must exist
    #[arg(help_heading = OUTPUT, long, value_name = "DIR", default_value = ".")]
    output_dir: PathBuf,

    /// Also write the status of every region and type to ..._coverage.csv
    #[arg(help_heading = OUTPUT, long)]
    coverage: bool,

    /// Write a JSON report of the run to FILE
    #[arg(help_heading = OUTPUT, long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Send all requests to this URL, such as http://127.0.0.1:5000
    #[arg(help_heading = NETWORK, long, value_name = "URL")]
    endpoint_url: Option<EndpointUrl>,

    /// Trust the certificates in this PEM file instead of the built-in ones
    /// [default: AWS_CA_BUNDLE, the profile's ca_bundle, built-in Mozilla certificates]
    #[arg(help_heading = NETWORK, long, value_name = "FILE")]
    ca_bundle: Option<PathBuf>,

    /// Maximum attempts per request, including the first
    /// [default: AWS_MAX_ATTEMPTS, the profile's max_attempts, 10]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_attempts: Option<u32>,

    /// Maximum concurrent requests per region (1 to 100); halved while throttled
    /// [default: 10, fewer if more than 20 regions are scanned]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    region_concurrency: Option<u16>,

    /// Maximum requests per second per region (0.01 to 10000) [default: no limit]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = parse_rate)]
    max_rps: Option<f64>,

    /// Connect time-out, in seconds (1 to 120)
    #[arg(help_heading = NETWORK, long, value_name = "SECONDS", default_value_t = 5, value_parser = timeout_parser())]
    connect_timeout: u64,

    /// Read time-out per attempt, in seconds (1 to 120)
    #[arg(help_heading = NETWORK, long, value_name = "SECONDS", default_value_t = 30, value_parser = timeout_parser())]
    read_timeout: u64,

    /// When to use color; auto honors NO_COLOR and CLICOLOR_FORCE
    #[arg(help_heading = OUTPUT, long, value_name = "WHEN", default_value = "auto")]
    color: ColorWhen,

    /// Hide the progress bar
    #[arg(help_heading = OUTPUT, long)]
    no_progress: bool,

    /// Print only errors
    #[arg(help_heading = OUTPUT, long, short)]
    quiet: bool,

    /// Log every request to stderr: operation, region, attempt, status, time, request ID
    #[arg(help_heading = OUTPUT, long)]
    debug: bool,

    /// Exit with 3 if counts are missing, or if --method verify finds a difference or cannot compare
    #[arg(help_heading = OUTPUT, long)]
    strict: bool,

    /// Record AWS responses to a new or empty directory, with secrets removed
    #[arg(help_heading = RECORDINGS, long, value_name = "DIR")]
    record: Option<PathBuf>,

    /// Replace account IDs in the recording with this one
    #[arg(help_heading = RECORDINGS, long, value_name = "ACCOUNT", requires = "record")]
    record_account_id: Option<AccountId>,

    /// Replay a recording; needs no network or credentials
    #[arg(help_heading = RECORDINGS, long, value_name = "DIR")]
    replay: Option<PathBuf>,
}

/// The default maximum of concurrent requests per region: one per default resource type.
const REGION_CONCURRENCY: u16 = 10;

/// Parses a rate, in requests per second.
fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err("expected requests per second, from 0.01 to 10000".to_owned()),
    }
}

/// Parses a time-out in seconds. A call is limited to 120 seconds, so longer values have no effect.
fn timeout_parser() -> clap::builder::RangedU64ValueParser {
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

/// The subcommands.
#[derive(Debug, Subcommand)]
enum CliSubcommand {
    /// Print the minimum IAM policy for the given options
    IamPolicy(Box<ScanArgs>),
    /// Print shell completions
    #[command(hide = true)]
    Completions {
        /// Shell to print completions for
        shell: clap_complete::Shell,
    },
    /// Print the man page
    #[command(hide = true)]
    Man,
}

/// The options of the console output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputOptions {
    /// When to use color.
    pub color: Color,
    /// Draw the progress bar.
    pub progress: bool,
    /// Print only errors.
    pub quiet: bool,
}

/// A parsed command line.
#[derive(Debug)]
pub enum Command {
    /// Run a scan with these options.
    Run(Box<Options>, OutputOptions),
    /// Print this text to stdout.
    Print(Vec<u8>),
}

/// Returns the clap definition of the command line, for generated documentation.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Parses the command line; `args` begins with the program name.
///
/// # Errors
/// Returns clap's error for invalid usage (exit code 2) and for `--help` and `--version` (exit
/// code 0). The error prints its own text.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let cli = Cli::try_parse_from(args)?;
    let mut command = command();
    let mut text = Vec::new();
    match cli.subcommand {
        None => {
            let (options, view) = resolve(cli.scan)?;
            return Ok(Command::Run(Box::new(options), view));
        }
        Some(CliSubcommand::IamPolicy(options)) => {
            let (options, _) = resolve(*options)?;
            text = iam_policy::policy(&options).into_bytes();
        }
        Some(CliSubcommand::Completions { shell }) => {
            let name = command.get_name().to_owned();
            clap_complete::generate(shell, &mut command, name, &mut text);
        }
        Some(CliSubcommand::Man) => {
            clap_mangen::Man::new(command)
                .render(&mut text)
                .map_err(clap::Error::from)?;
        }
    }
    Ok(Command::Print(text))
}

/// Converts the parsed arguments into the options of a args.
fn resolve(args: ScanArgs) -> Result<(Options, OutputOptions), clap::Error> {
    let view = OutputOptions {
        color: match args.color {
            ColorWhen::Auto => Color::Auto,
            ColorWhen::Always => Color::Always,
            ColorWhen::Never => Color::Never,
        },
        progress: !args.no_progress && !args.quiet,
        quiet: args.quiet,
    };
    let options = Options {
        profile: args.profile,
        region: args.region,
        regions: dedup(args.regions),
        exclude_regions: args.exclude_regions,
        resource_types: types::resolve_types(args.resource_types)
            .map_err(|message| command().error(ErrorKind::ArgumentConflict, message))?,
        method: args.method,
        skip_checks: args.skip_checks,
        output_dir: args.output_dir,
        coverage: args.coverage,
        report: args.report,
        endpoint_url: args.endpoint_url,
        ca_bundle: args.ca_bundle,
        max_attempts: args.max_attempts,
        limits: Limits {
            // A recording is replayed one request at a time, so it is recorded in that order.
            concurrency: if args.replay.is_some() || args.record.is_some() {
                1
            } else {
                args.region_concurrency.unwrap_or(REGION_CONCURRENCY).into()
            },
            rate: args.max_rps,
        },
        fixed_concurrency: args.region_concurrency.is_some(),
        connect_timeout: Duration::from_secs(args.connect_timeout),
        read_timeout: Duration::from_secs(args.read_timeout),
        debug: args.debug,
        strict: args.strict,
        record: args.record,
        record_account_id: args.record_account_id,
        replay: args.replay,
    };
    Ok((options, view))
}

/// Removes repeated items and keeps the order of the rest.
fn dedup<T: PartialEq>(items: Vec<T>) -> Vec<T> {
    let mut unique = Vec::with_capacity(items.len());
    for item in items {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResourceType, ResourceTypes};

    fn options(args: &[&str]) -> Options {
        let args = ["aws-config-resource-count"].iter().chain(args);
        match parse(args.map(OsString::from)) {
            Ok(Command::Run(options, _)) => *options,
            other => panic!("{other:?}"),
        }
    }

    fn error(args: &[&str]) -> (i32, String) {
        let args = ["aws-config-resource-count"].iter().chain(args);
        let error = parse(args.map(OsString::from)).unwrap_err();
        (error.exit_code(), error.to_string())
    }

    #[test]
    fn clap_definition_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults_follow_specification() {
        let options = options(&[]);
        let common = ResourceTypes::Named(ResourceType::common());
        assert_eq!(options.resource_types, common);
        assert_eq!(options.method, Method::List);
        assert!(!options.skip_checks && !options.coverage && options.report.is_none());
        assert_eq!(options.output_dir, PathBuf::from("."));
        assert_eq!(options.connect_timeout, Duration::from_secs(5));
        assert_eq!(options.read_timeout, Duration::from_secs(30));
        assert!(options.regions.is_empty() && !options.strict && options.max_attempts.is_none());
    }

    #[test]
    fn concurrency_is_shared_by_many_regions() {
        for (args, regions, types) in [
            (&[][..], 17, 10),
            (&[], 34, 5),
            (&[], 1000, 1),
            (&["--method=counts"], 17, 1),
            (&["--resource-types=AWS::S3::Bucket"], 17, 1),
            (&["--region-concurrency=3"], 17, 3),
            (&["--region-concurrency=8"], 34, 8),
        ] {
            let options = options(args);
            assert_eq!(options.types_at_once(regions), types, "{args:?} {regions}");
        }
    }

    #[test]
    fn lists_accept_commas_and_repetition() {
        let options = options(&[
            "--regions=eu-west-1,us-east-1",
            "--regions",
            "eu-west-1",
            "--resource-types",
            "AWS::EC2::VPC,AWS::EC2::VPC,AWS::S3::Bucket",
        ]);
        let regions: Vec<_> = options.regions.iter().map(Region::as_str).collect();
        assert_eq!(regions, ["eu-west-1", "us-east-1"]);
        assert_eq!(options.resource_types.named().unwrap().len(), 2);
    }

    fn names(types: &ResourceTypes) -> String {
        let names: Vec<&str> = types
            .named()
            .unwrap_or_default()
            .iter()
            .map(ResourceType::as_str)
            .collect();
        names.join(" ")
    }

    #[test]
    fn resource_types_accept_all_and_file() {
        assert_eq!(
            options(&["--resource-types=all"]).resource_types,
            ResourceTypes::All
        );
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("types.txt");
        let list = "\u{feff}# ours\r\nAWS::EC2::VPC, AWS::S3::Bucket\r\n\r\n\tAWS::EC2::VPC # again\n\
                    AWS::IAM::Role AWS::IAM::User";
        std::fs::write(&path, list).unwrap();
        let argument = format!("--resource-types=@{},AWS::SNS::Topic", path.display());
        assert_eq!(
            names(&options(&[&argument]).resource_types),
            "AWS::EC2::VPC AWS::S3::Bucket AWS::IAM::Role AWS::IAM::User AWS::SNS::Topic"
        );
        for (text, hint) in [
            ("# nothing\n\n", "contains no resource types"),
            (
                "AWS::EC2::VPC\nEC2\n",
                "line 2: \"EC2\" is not a resource type",
            ),
            (&"#".repeat(1 << 21), "is too large"),
        ] {
            std::fs::write(&path, text).unwrap();
            let (code, message) = error(&[&argument]);
            assert!(code == 2 && message.contains(hint), "{hint}: {message}");
        }
    }

    #[test]
    fn policy_is_minimal_for_options() {
        let (list, counts) = ("ListDiscoveredResources", "GetDiscoveredResourceCounts");
        for (args, lists, gets_counts) in [
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
            assert_eq!(policy.contains(counts), gets_counts, "{policy}");
            assert_eq!(
                policy.matches(':').count(),
                4 + 1 + 4 + usize::from(lists) + usize::from(gets_counts)
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

    #[test]
    fn invalid_usage_exits_2_with_hint() {
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
                "invalid resource type \"EC2\"; expected a name like AWS::EC2::Instance, @FILE or `all`",
            ),
            (
                &["--resource-types=all,AWS::EC2::VPC"],
                "--resource-types: `all` cannot be combined with type names",
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
                "is not an account ID of 12 digits",
            ),
            (&["surplus"], "For more information, try '--help'"),
        ] {
            let (code, text) = error(args);
            assert_eq!(code, 2, "{args:?}");
            assert!(text.contains(hint), "{args:?}: {text}");
        }
    }

    #[test]
    fn help_lists_options_types_exit_codes() {
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
        for resource_type in ResourceType::common() {
            assert!(help.contains(resource_type.as_str()), "{resource_type}");
        }
        assert!(
            !help.contains("completions"),
            "completions is hidden: {help}"
        );
    }

    #[test]
    fn completions_and_man_page_render() {
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
