//! The options of a scan: clap arguments → [`Options`].

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, Command, Error, ValueEnum, ValueHint};

use super::accept_missing::parse_gaps;
use super::account_args::AccountArgs;
use super::format::{FormatArg, format_parser};
use super::path::path_parser;
use super::region::{parse_scan_region, parse_start_region};
use super::resource_types::{combine_types, dedup, parse_types};
use crate::atomic_file::Destination;
use crate::aws::endpoint::EndpointUrl;
use crate::aws::limiter::Limits;
use crate::console::Color;
use crate::inventory::Method;
use crate::model::{AccountId, ExpectedGap, Region, ResourceType, ResourceTypes};
use crate::options::{Format, Options, Strict};
use crate::recording::Source;

const SCAN: &str = "Scan";
const OUTPUT: &str = "Output";
const NETWORK: &str = "Network";
const RECORDINGS: &str = "Recordings";

/// The options of a scan. `-h` shows those without a heading, one line each at 80 columns; `--help` and
/// `docs/options.md` show all, with their second paragraphs.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each field is a command-line flag"
)]
pub(super) struct ScanArgs {
    /// AWS profile [default: AWS_PROFILE]
    ///
    /// A profile in ~/.aws/config or ~/.aws/credentials. Takes precedence over credentials in the
    /// environment. Without AWS_PROFILE, the profile named default is used.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    profile: Option<String>,

    /// Scan only these regions [default: all]
    ///
    /// The default is all regions that are enabled for the account.
    #[arg(long, value_name = "REGION,...", value_delimiter = ',', num_args = 1, value_parser = parse_scan_region)]
    regions: Vec<Region>,

    /// Skip these regions
    #[arg(help_heading = SCAN, long, value_name = "REGION,...", value_delimiter = ',', num_args = 1, value_parser = parse_scan_region)]
    exclude_regions: Vec<Region>,

    /// Types to count: names, @FILE or all
    ///
    /// @FILE reads the names from a file; all counts every type that the account has. The default is
    /// ten common types: AWS::EC2::Instance, AWS::EC2::Volume, AWS::EC2::SecurityGroup, AWS::EC2::VPC,
    /// AWS::S3::Bucket, AWS::RDS::DBInstance, AWS::Lambda::Function, AWS::IAM::Role, AWS::IAM::User
    /// and AWS::DynamoDB::Table.
    #[arg(long, value_name = "TYPE,...", value_delimiter = ',', num_args = 1, value_parser = parse_types)]
    resource_types: Vec<ResourceTypes>,

    /// Counting method
    ///
    /// list lists every resource; counts uses the counts of AWS Config, with fewer requests; verify
    /// does both and compares.
    #[arg(
        long,
        value_name = "list|counts|verify",
        default_value = "list",
        hide_possible_values = true
    )]
    method: Method,

    /// Output directory
    ///
    /// For the CSV and the error log. It is created if it does not exist.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = path_parser(), value_hint = ValueHint::DirPath)]
    output_dir: PathBuf,

    /// Also write the status of every count
    ///
    /// The file is aws_config_coverage_{account}[_{alias}].csv, with a row for each region and type.
    #[arg(long)]
    coverage: bool,

    /// Print the result, not the summary
    ///
    /// The result is printed to stdout instead of checks and summary. table is a table of regions and
    /// types, csv the content of the CSV file, json the report. Errors and the progress bar go to
    /// stderr.
    #[arg(long, value_name = "table|csv|json", value_parser = format_parser(), hide_possible_values = true)]
    pub(super) format: Option<FormatArg>,

    /// Exit with 3 if counts are missing
    ///
    /// Also if counts are stale or unverified (not with --strict=missing), or if --method verify finds
    /// a difference or cannot compare.
    #[arg(long, value_name = "missing", num_args = 0..=1, require_equals = true, default_missing_value = "all", value_parser = parse_strict)]
    strict: Option<Strict>,

    /// Try the program on a made-up account
    ///
    /// Replays a recording that is built in; needs no network or credentials.
    #[arg(long, conflicts_with_all = ["replay", "record", "profile", "region", "endpoint_url"])]
    demo: bool,

    /// Print only errors
    #[arg(long, short)]
    quiet: bool,

    /// Start region, for the initial STS, IAM and EC2 calls; does not limit the scan (see --regions)
    /// [default: AWS_REGION, AWS_DEFAULT_REGION, the profile's region, us-east-1]
    #[arg(help_heading = SCAN, long, value_name = "REGION", value_parser = parse_start_region)]
    region: Option<Region>,

    #[command(flatten)]
    pub(super) accounts: AccountArgs,

    /// Start scanning without the prerequisite checks
    #[arg(help_heading = SCAN, long)]
    skip_checks: bool,

    /// Maximum time of the scan, in seconds (1 to 86400); what is counted by then is written
    /// [default: 3600]
    ///
    /// With many accounts it is the maximum time of the whole run; the default is that of each account.
    #[arg(help_heading = SCAN, long, value_name = "SECONDS", value_parser = seconds_parser(86_400), value_hint = ValueHint::Other)]
    max_time: Option<Duration>,

    /// Gaps that --strict does not count: regions, types, or both (sa-east-1, AWS::IAM::User,
    /// eu-west-1/AWS::S3::Bucket), or the gaps in a file (@FILE). Only missing counts are accepted, not
    /// stale or unverified ones; they stay missing, and are listed as accepted
    #[arg(help_heading = OUTPUT, long, value_name = "REGION|TYPE|REGION/TYPE,...", value_delimiter = ',', num_args = 1, value_parser = parse_gaps)]
    accept_missing: Vec<Vec<ExpectedGap>>,

    /// Write a JSON report to FILE; - is the same as --format json
    #[arg(help_heading = OUTPUT, long, value_name = "FILE", value_parser = path_parser(), value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,

    /// When to use color; auto honors NO_COLOR, CLICOLOR_FORCE and TERM
    #[arg(help_heading = OUTPUT, long, value_name = "auto|always|never", default_value = "auto", value_parser = color_parser(), hide_possible_values = true)]
    color: Color,

    /// Hide the progress bar
    ///
    /// Also hides what the run waits for: the text after the bar, or a line every 30 seconds.
    #[arg(help_heading = OUTPUT, long)]
    no_progress: bool,

    /// Log every attempt to stderr: time, operation, region, type, page, status, error code,
    /// duration, wait, request ID
    #[arg(help_heading = OUTPUT, long)]
    debug: bool,

    /// Send all requests to this URL, such as http://127.0.0.1:5000
    #[arg(help_heading = NETWORK, long, value_name = "URL", value_hint = ValueHint::Other)]
    endpoint_url: Option<EndpointUrl>,

    /// Trust the certificates in this PEM file instead of the built-in ones
    /// [default: AWS_CA_BUNDLE, the profile's ca_bundle, built-in Mozilla certificates]
    #[arg(help_heading = NETWORK, long, value_name = "FILE", value_parser = path_parser(), value_hint = ValueHint::FilePath)]
    ca_bundle: Option<PathBuf>,

    /// Maximum attempts per request, including the first
    /// [default: AWS_MAX_ATTEMPTS, the profile's max_attempts, 10]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = |text: &str| whole_number::<u32>(text, 1, u32::MAX), value_hint = ValueHint::Other)]
    max_attempts: Option<u32>,

    /// Maximum concurrent requests per region (1 to 100); halved while throttled
    /// [default: 10, fewer if more than 20 regions are scanned]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = |text: &str| whole_number::<u16>(text, 1, 100), value_hint = ValueHint::Other)]
    region_concurrency: Option<u16>,

    /// Maximum open connections, idle ones included, and so of concurrent requests (1 to 1000)
    #[arg(help_heading = NETWORK, long, value_name = "N", default_value = "220", value_parser = |text: &str| whole_number::<u16>(text, 1, 1000), value_hint = ValueHint::Other)]
    max_connections: u16,

    /// Maximum requests per second per region (0.01 to 10000) [default: no limit]
    #[arg(help_heading = NETWORK, long, value_name = "N", value_parser = parse_rate, value_hint = ValueHint::Other)]
    max_rps: Option<f64>,

    /// Connect time-out, in seconds (1 to 120)
    #[arg(help_heading = NETWORK, long, value_name = "SECONDS", default_value = "5", value_parser = seconds_parser(120), value_hint = ValueHint::Other)]
    connect_timeout: Duration,

    /// Read time-out per attempt, in seconds (1 to 120)
    #[arg(help_heading = NETWORK, long, value_name = "SECONDS", default_value = "30", value_parser = seconds_parser(120), value_hint = ValueHint::Other)]
    read_timeout: Duration,

    /// Record AWS responses to a new or empty directory, with secrets removed
    #[arg(help_heading = RECORDINGS, long, value_name = "DIR", value_parser = path_parser(), value_hint = ValueHint::DirPath)]
    record: Option<PathBuf>,

    /// Replace account IDs in the recording, the caller's with this one
    ///
    /// In a recording of many accounts, names and e-mail addresses are replaced too; DIR.mapping.json
    /// has the originals.
    #[arg(help_heading = RECORDINGS, long, value_name = "ACCOUNT", requires = "record", value_hint = ValueHint::Other)]
    record_account_id: Option<AccountId>,

    /// Replay a recording; needs no network or credentials
    #[arg(help_heading = RECORDINGS, long, value_name = "DIR", value_parser = path_parser(), value_hint = ValueHint::DirPath)]
    replay: Option<PathBuf>,
}

/// The default maximum of concurrent requests per region: one per default resource type.
const REGION_CONCURRENCY: u16 = 10;

/// Parses a rate, in requests per second.
fn parse_rate(text: &str) -> Result<f64, &'static str> {
    let rate = text.parse().ok();
    let rate = rate.filter(|rate| (0.01..=10_000.0).contains(rate));
    rate.ok_or("expected requests per second, from 0.01 to 10000")
}

/// A text that is not a whole number of a range.
#[derive(Debug, thiserror::Error)]
#[error("expected a whole number{}", range(*.0, *.1))]
struct NotInRange(u64, u64);

fn range(min: u64, max: u64) -> String {
    match max {
        max if max == u64::from(u32::MAX) => format!(", {min} or more"),
        max => format!(" from {min} to {max}"),
    }
}

/// Parses a whole number of a range.
fn whole_number<T: FromStr + PartialOrd + Into<u64>>(
    text: &str,
    min: T,
    max: T,
) -> Result<T, NotInRange> {
    let number = text.trim().parse().ok();
    let number = number.filter(|n| (&min..=&max).contains(&n));
    number.ok_or_else(|| NotInRange(min.into(), max.into()))
}

/// Parses a time-out in seconds. A call is limited to 120 seconds, so longer values have no effect.
fn seconds_parser(max: u64) -> impl Fn(&str) -> Result<Duration, NotInRange> + Clone {
    move |text| whole_number(text, 1, max).map(Duration::from_secs)
}

fn color_parser() -> impl TypedValueParser<Value = Color> {
    let names = PossibleValuesParser::new(["auto", "always", "never"]);
    names.map(|name| color_named(&name))
}

/// Returns the color option with this name; `auto` for an invalid name.
pub(super) fn color_named(name: &str) -> Color {
    match name {
        "always" => Color::Always,
        "never" => Color::Never,
        _ => Color::Auto,
    }
}

/// Parses the value of `--strict`; `all` is the value of the option without one.
fn parse_strict(text: &str) -> Result<Strict, &'static str> {
    match text {
        "missing" => Ok(Strict::Missing),
        "all" => Ok(Strict::All),
        _ => Err("expected --strict or --strict=missing"),
    }
}

impl ValueEnum for Method {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::List, Self::Counts, Self::Verify]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
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

/// Returns true if the demo has the responses for this method and these types.
fn is_in_demo(method: Method, types: &ResourceTypes) -> bool {
    let common = ResourceType::common();
    let named = types.named();
    method == Method::List && named.is_some_and(|types| types.iter().all(|t| common.contains(t)))
}

impl ScanArgs {
    /// Converts the arguments into the options of a run; `command` formats an error.
    pub(super) fn resolve(self, command: &mut Command) -> Result<(Options, OutputOptions), Error> {
        let types = combine_types(&self.resource_types);
        let conflict = |command: &mut Command, e| command.error(ErrorKind::ArgumentConflict, e);
        let (format, report) =
            format_and_report(self.format.and_then(FormatArg::result), self.report)
                .map_err(|e| conflict(command, e))?;
        let view = OutputOptions {
            color: self.color,
            progress: !self.no_progress && !self.quiet,
            quiet: self.quiet,
        };
        let types = types.map_err(|e| conflict(command, e))?;
        if self.demo && !is_in_demo(self.method, &types) {
            let recorded = "--demo has only the ten default types, with --method list";
            return Err(conflict(command, recorded));
        }
        let demo = self.demo.then_some(Source::Demo);
        let replay = self.replay.map(Source::Directory).or(demo);
        let concurrency = match self.region_concurrency {
            // A recording is replayed one request at a time, so it is recorded in that order.
            _ if replay.is_some() || self.record.is_some() => 1,
            concurrency => concurrency.unwrap_or(REGION_CONCURRENCY).into(),
        };
        let rate = self.max_rps;
        let accounts = self.accounts.resolve(command)?;
        let options = Options {
            profile: self.profile,
            region: self.region,
            accounts,
            regions: dedup(self.regions),
            exclude_regions: self.exclude_regions,
            resource_types: types,
            method: self.method,
            skip_checks: self.skip_checks,
            output_dir: self.output_dir,
            coverage: self.coverage,
            report,
            format,
            endpoint_url: self.endpoint_url,
            ca_bundle: self.ca_bundle,
            max_attempts: self.max_attempts,
            limits: Limits { concurrency, rate },
            max_connections: self.max_connections.into(),
            fixed_concurrency: self.region_concurrency.is_some(),
            max_time: self.max_time,
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            debug: self.debug,
            accept_missing: dedup(self.accept_missing.concat()),
            strict: self.strict,
            record: self.record,
            record_account_id: self.record_account_id,
            replay,
        };
        Ok((options, view))
    }
}

/// Returns the format and the file of the report: a report to stdout is [`Format::Json`].
///
/// # Errors
/// Stdout has another format.
fn format_and_report(
    format: Option<Format>,
    report: Option<PathBuf>,
) -> Result<(Option<Format>, Option<PathBuf>), &'static str> {
    let to_stdout = report.as_deref().is_some_and(Destination::is_stdout);
    match format {
        _ if !to_stdout => Ok((format, report)),
        None | Some(Format::Json) => Ok((Some(Format::Json), None)),
        Some(_) => Err("--report: stdout has the result of --format; choose a file"),
    }
}
