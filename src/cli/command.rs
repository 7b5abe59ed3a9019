//! The command line: its help, its subcommands, and its conversion into a [`Command`].

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};

use super::scan_args::{OutputOptions, ScanArgs};
use crate::commands::iam_policy;
use crate::options::Options;
use crate::redact;

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
    let cli = Cli::try_parse_from(args).map_err(without_secrets)?;
    let mut command = command();
    let mut text = Vec::new();
    match cli.subcommand {
        None => {
            let (options, view) = cli.scan.resolve(&mut command)?;
            return Ok(Command::Run(Box::new(options), view));
        }
        Some(CliSubcommand::IamPolicy(args)) => {
            text = iam_policy::policy(&args.resolve(&mut command)?.0).into_bytes();
        }
        Some(CliSubcommand::Completions { shell }) => {
            let name = command.get_name().to_owned();
            clap_complete::generate(shell, &mut command, name, &mut text);
        }
        Some(CliSubcommand::Man) => clap_mangen::Man::new(command).render(&mut text)?,
    }
    Ok(Command::Print(text))
}

/// Redacts the values in the error of an invalid usage: a rejected URL may contain a password.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ] {
        let value = error.get(kind).cloned();
        if let Some(ContextValue::String(text)) = value {
            let text = ContextValue::String(redact::setting(&text));
            error.insert(kind, text);
        }
    }
    error
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
  NO_COLOR, CLICOLOR_FORCE, TERM              color and the progress bar

Exit codes:
  0    success; some counts may be missing
  1    a check failed, nothing was counted, or the scan was aborted
  2    invalid usage, or an output that cannot be written
  3    counts are stale, unverified or missing, or differ (only with --strict)
  130  interrupted (143: terminated, 129: SIGHUP, 131: SIGQUIT)

Examples:
  aws-config-resource-count --profile audit --output-dir out
  aws-config-resource-count --regions eu-west-1,eu-central-1 --strict
  aws-config-resource-count --resource-types all --method counts --coverage
  aws-config-resource-count iam-policy --method counts
  aws-config-resource-count --demo";
