//! The options of the subcommand `accounts`.

use clap::error::ErrorKind;
use clap::{Args, Command, Error};

use super::scan_args::{OutputOptions, ScanArgs};
use crate::options::{AccountTask, Options};

/// The options of the subcommand `accounts`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Check the access to each account
    ///
    /// Assumes the role in each active account, up to eight at a time, and shows the result.
    #[arg(long)]
    check_access: bool,

    #[command(flatten)]
    scan: ScanArgs,
}

/// Changes the help of options of a run to what they mean for the list.
pub(super) fn with_own_help(command: Command) -> Command {
    [
        ("format", "Format of the list [default: table]"),
        ("strict", "Exit with 3 if an account cannot be accessed"),
    ]
    .into_iter()
    .fold(command, |command, (name, help)| {
        command.mut_arg(name, |argument| argument.help(help).long_help(help))
    })
}

/// Shows in `-h` only the options that change the list.
pub(super) fn with_short_help(command: Command) -> Command {
    const COMMON: [&str; 8] = [
        "check_access",
        "profile",
        "organization",
        "ou",
        "accounts",
        "profiles",
        "format",
        "strict",
    ];
    command.mut_args(|argument| {
        let is_common = COMMON.contains(&argument.get_id().as_str());
        argument.hide_short_help(!is_common)
    })
}

impl ListArgs {
    /// Converts the arguments into the options of a list of accounts; `command` formats an error.
    pub(super) fn resolve(self, command: &mut Command) -> Result<(Options, OutputOptions), Error> {
        let (mut options, view) = self.scan.resolve(command)?;
        if options.record.is_some() {
            let text = "accounts writes no files, so --record is not supported";
            return Err(command.error(ErrorKind::ArgumentConflict, text));
        }
        let Some(accounts) = &mut options.accounts else {
            let text =
                "accounts needs --organization, --ou, --accounts, --profiles or --sso-session";
            return Err(command.error(ErrorKind::MissingRequiredArgument, text));
        };
        accounts.task = if self.check_access {
            AccountTask::CheckAccess
        } else {
            AccountTask::List
        };
        options.skip_checks = true;
        Ok((options, view))
    }
}
