//! The options of the subcommand `iam-policy`.

use clap::error::ErrorKind;
use clap::{Args, Command, Error, ValueEnum};

use super::format::FormatArg;
use super::scan_args::ScanArgs;
use crate::commands::iam_policy::{self, Principal};

/// The options of the subcommand `iam-policy`.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// Principal: caller, member or organization
    ///
    /// For a run of many accounts: caller is the user or role that starts it, member the role in each
    /// account, organization the role that lists the accounts (--organization-role). A role has a
    /// trust policy and a permissions policy. The default is the policy for a run of one account.
    #[arg(
        long = "for",
        value_name = "PRINCIPAL",
        conflicts_with_all = ["profiles", "sso_session"],
        hide_possible_values = true
    )]
    principal: Option<PrincipalArg>,

    #[command(flatten)]
    scan: ScanArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PrincipalArg {
    Caller,
    Member,
    Organization,
}

impl PolicyArgs {
    /// Returns the policy; `command` formats an error.
    pub(super) fn policy(mut self, command: &mut Command) -> Result<String, Error> {
        let is_template = self.scan.format == Some(FormatArg::CloudFormation);
        let Some(principal) = self.principal else {
            if is_template {
                let text = "--format cloudformation needs --for";
                return Err(command.error(ErrorKind::MissingRequiredArgument, text));
            }
            return Ok(iam_policy::policy(&self.scan.resolve(command)?.0));
        };
        let is_lister = matches!(principal, PrincipalArg::Organization);
        self.scan.accounts.default_to_organization(is_lister);
        let (options, _) = self.scan.resolve(command)?;
        let principal = match principal {
            PrincipalArg::Caller => Principal::Caller,
            PrincipalArg::Member => Principal::Member,
            PrincipalArg::Organization => Principal::Organization,
        };
        // `default_to_organization` has set a source.
        let accounts = options.accounts.as_ref();
        Ok(accounts.map_or_else(String::new, |accounts| {
            if is_template {
                iam_policy::template(principal, &options, accounts)
            } else {
                iam_policy::policy_for(principal, &options, accounts)
            }
        }))
    }
}
