//! The command line: its help, its subcommands, and its conversion into a [`Command`].

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::accounts::{self, ListArgs};
use super::format::for_policy;
use super::help::{INSTALL_COMPLETIONS, INSTALL_MAN, after_long_help};
use super::iam_policy::PolicyArgs;
use super::resume_command::resume_command;
use super::scan_args::{OutputOptions, ScanArgs, color_named};
use super::{completions, man};
use crate::console::Color;
use crate::options::Options;
use crate::redact;

/// The version with the commit, `unknown` outside a checkout, and the target. `build.rs` sets both.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("BUILD_COMMIT"),
    ", ",
    env!("BUILD_TARGET"),
    ")"
);

/// Count the AWS resources discovered by AWS Config, by region and resource type
///
/// Runs eight checks, scans all enabled regions in parallel and writes
/// aws_config_resource_count_{account}[_{alias}].csv. Counts that could not be completed are left
/// out and explained in the error log.
#[derive(Debug, Parser)]
#[command(
    name = "aws-config-resource-count",
    version,
    long_version = LONG_VERSION,
    override_usage = "aws-config-resource-count [OPTIONS] [COMMAND]",
    args_conflicts_with_subcommands = true,
    after_long_help = after_long_help()
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
    /// List the accounts that a run with the given options would scan
    ///
    /// The list has the account ID, name, organizational units and state of each account. As CSV, it
    /// can be the FILE of --accounts. Nothing is written to files, and options about counts and
    /// files have no effect.
    Accounts(Box<ListArgs>),
    /// Print the minimum IAM policy for the given options
    IamPolicy(Box<PolicyArgs>),
    /// Print shell completions
    ///
    /// Regions, resource types and the values of other options are completed too.
    #[command(after_long_help = INSTALL_COMPLETIONS)]
    Completions {
        /// Shell to print completions for
        shell: clap_complete::Shell,
    },
    /// Print the man page
    #[command(after_long_help = INSTALL_MAN)]
    Man,
}

/// A parsed command line.
#[derive(Debug)]
pub enum Command {
    /// Run a scan, or list accounts, with these options.
    Run(Box<Options>, OutputOptions),
    /// Print this text to stdout.
    Print(Vec<u8>),
}

/// Returns the clap definition of the command line. `-h` hides the options under a heading.
#[must_use]
pub fn command() -> clap::Command {
    let hide = |command: clap::Command| {
        command.mut_args(|argument| {
            let is_common = argument.get_help_heading().is_none();
            argument.hide_short_help(!is_common)
        })
    };
    hide(definition()).mut_subcommands(|command| {
        let is_list = command.get_name() == "accounts";
        let command = hide(command);
        if is_list {
            accounts::with_short_help(command)
        } else {
            command
        }
    })
}

/// Returns the clap definition, in which each subcommand has its own `--format`.
fn definition() -> clap::Command {
    Cli::command().mut_subcommands(|command| match command.get_name() {
        "accounts" => accounts::with_own_help(command),
        "iam-policy" => command.mut_arg("format", for_policy),
        _ => command,
    })
}

/// Returns the color option of a command line that may be invalid: help and errors of clap follow it too.
pub fn color(args: impl IntoIterator<Item = OsString>) -> Color {
    let mut args = args.into_iter().filter_map(|arg| arg.into_string().ok());
    let mut color = Color::Auto;
    while let Some(arg) = args.next() {
        let value = match arg.strip_prefix("--color") {
            Some("") => args.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => continue,
        };
        color = value.map_or(color, |name| color_named(&name));
    }
    color
}

/// Parses the command line; `args` begins with the program name.
///
/// # Errors
/// Returns clap's error for invalid usage (exit code 2) and for `--help` and `--version` (exit
/// code 0).
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, clap::Error> {
    let mut command = command();
    let args: Vec<OsString> = args.into_iter().collect();
    let matches = command.try_get_matches_from_mut(&args);
    let matches = matches.map_err(without_secrets)?;
    let cli = Cli::from_arg_matches(&matches)?;
    // An error shows the usage of the subcommand.
    let used = matches
        .subcommand_name()
        .and_then(|name| command.find_subcommand(name));
    let mut command = used.cloned().unwrap_or(command);
    let text = match cli.subcommand {
        None => {
            let (mut options, view) = cli.scan.resolve(&mut command)?;
            if let Some(accounts) = &mut options.accounts {
                accounts.resume_command = resume_command(&args);
            }
            return Ok(Command::Run(Box::new(options), view));
        }
        Some(CliSubcommand::Accounts(args)) => {
            let (options, view) = args.resolve(&mut command)?;
            return Ok(Command::Run(Box::new(options), view));
        }
        Some(CliSubcommand::IamPolicy(args)) => args.policy(&mut command)?.into_bytes(),
        Some(CliSubcommand::Completions { shell }) => {
            completions::script(shell, self::command()).into_bytes()
        }
        Some(CliSubcommand::Man) => man::page(definition())?,
    };
    Ok(Command::Print(text))
}

/// Redacts the values in the error of an invalid usage: a rejected URL may contain a password.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let argument = error.get(ContextKind::InvalidArg).map(ToString::to_string);
    let is_url = argument.is_some_and(|name| name.starts_with("--endpoint-url"));
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ] {
        let value = error.get(kind).cloned();
        if let Some(ContextValue::String(text)) = value {
            // A URL without a scheme looks like other text.
            let text = match kind {
                ContextKind::InvalidValue if is_url => redact::url(&text),
                _ => redact::setting(&text),
            };
            error.insert(kind, ContextValue::String(text));
        }
    }
    error
}
