//! The options of a run of many accounts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{Args, Command, Error, ValueHint};

use super::account_list::{NamedAccount, parse_accounts};
use super::path::path_parser;
use crate::model::{AccountId, OrganizationalUnitSelector, RoleName};
use crate::options::{AccountOptions, AccountSource, AccountTask, Resume, Selection};

const ACCOUNTS: &str = "Accounts";

/// The default name of the role sessions.
const SESSION_NAME: &str = env!("CARGO_PKG_NAME");

/// The options that have no effect with profiles or with a session of IAM Identity Center, or name another source; the
/// demo has neither.
const ONLY_WITH_ROLES: [&str; 9] = [
    "profile",
    "organization",
    "ou",
    "exclude_ous",
    "organization_role",
    "external_id",
    "role_session_name",
    "no_session_policy",
    "demo",
];

/// The options of a run of many accounts.
#[derive(Debug, Args)]
pub(super) struct AccountArgs {
    /// Count all active accounts of the caller's organization
    #[arg(help_heading = ACCOUNTS, long)]
    organization: bool,

    /// Count only accounts in or below these organizational units; implies --organization
    #[arg(help_heading = ACCOUNTS, long, value_name = "ID|/PATH,...", value_delimiter = ',', num_args = 1)]
    ou: Vec<OrganizationalUnitSelector>,

    /// Count only these accounts; a file (@FILE) has one ID per line, or is the CSV of the
    /// subcommand accounts
    #[arg(help_heading = ACCOUNTS, long, value_name = "ID,...|@FILE", value_delimiter = ',', num_args = 1, value_parser = parse_accounts)]
    accounts: Vec<Vec<NamedAccount>>,

    /// Count the accounts of the profiles with these names, each account once; * and ? are wildcards
    #[arg(help_heading = ACCOUNTS, long, value_name = "GLOB,...", value_delimiter = ',', num_args = 1,
        value_parser = NonEmptyStringValueParser::new(), conflicts_with_all = ONLY_WITH_ROLES, conflicts_with = "role_name")]
    profiles: Vec<String>,

    /// Count the accounts that are assigned to you in IAM Identity Center, for this sso-session of ~/.aws/config
    #[arg(help_heading = ACCOUNTS, long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(),
        conflicts_with_all = ONLY_WITH_ROLES, conflicts_with = "profiles")]
    sso_session: Option<String>,

    /// Skip these accounts
    #[arg(help_heading = ACCOUNTS, long, value_name = "ID,...|@FILE", value_delimiter = ',', num_args = 1, value_parser = parse_accounts)]
    exclude_accounts: Vec<Vec<NamedAccount>>,

    /// Skip accounts in or below these organizational units
    #[arg(help_heading = ACCOUNTS, long, value_name = "ID|/PATH,...", value_delimiter = ',', num_args = 1)]
    exclude_ous: Vec<OrganizationalUnitSelector>,

    /// Role to assume for the calls of AWS Organizations, such as one of a delegated administrator
    #[arg(help_heading = ACCOUNTS, long, value_name = "ARN", value_parser = parse_role_arn)]
    organization_role: Option<String>,

    /// Role to assume in each account but the caller's own; with --sso-session, the permission set
    /// [default: OrganizationAccountAccessRole; the only permission set of the first account]
    #[arg(help_heading = ACCOUNTS, long, value_name = "[PATH/]NAME")]
    role_name: Option<RoleName>,

    /// External ID that the trust policies of the roles require
    #[arg(help_heading = ACCOUNTS, long, value_name = "ID", value_parser = parse_external_id)]
    external_id: Option<String>,

    /// Name of the role sessions, which CloudTrail shows [default: aws-config-resource-count]
    #[arg(help_heading = ACCOUNTS, long, value_name = "NAME", value_parser = parse_session_name)]
    role_session_name: Option<String>,

    /// Do not limit the role sessions to the actions that the run needs
    #[arg(help_heading = ACCOUNTS, long)]
    no_session_policy: bool,

    /// Write only the combined files, not those of each account
    #[arg(help_heading = ACCOUNTS, long)]
    no_account_files: bool,

    /// Continue an earlier run: take the complete accounts from its run file, count the others
    /// [default: aws_config_combined_run_{scope}.jsonl in the output directory]
    #[arg(help_heading = ACCOUNTS, long, value_name = "FILE", num_args = 0..=1, require_equals = true, conflicts_with = "record", value_parser = path_parser(), value_hint = ValueHint::FilePath)]
    #[allow(
        clippy::option_option,
        reason = "the option and its value may be absent"
    )]
    resume: Option<Option<PathBuf>>,
}

impl AccountArgs {
    /// Makes the organization the source of accounts if the options have no other one, or if it `is_listed` anyway.
    pub(super) fn default_to_organization(&mut self, is_listed: bool) {
        self.organization |= is_listed || self.accounts.is_empty();
    }

    /// Converts the arguments; `None` without a source of accounts. `command` formats an error.
    pub(super) fn resolve(self, command: &mut Command) -> Result<Option<AccountOptions>, Error> {
        let units = self.ou.len() + self.exclude_ous.len();
        let source = if !self.profiles.is_empty() {
            AccountSource::Profiles(self.profiles)
        } else if let Some(session) = self.sso_session {
            let role = self.role_name.clone();
            AccountSource::Sso { session, role }
        } else if self.organization || units > 0 {
            AccountSource::Organization
        } else if self.accounts.is_empty() {
            return match self.needless_option() {
                None => Ok(None),
                Some(option) => Err(command.error(
                    ErrorKind::MissingRequiredArgument,
                    format!("{option} needs --organization, --ou, --accounts, --profiles or --sso-session"),
                )),
            };
        } else {
            AccountSource::Named
        };
        let has_roles = matches!(source, AccountSource::Organization | AccountSource::Named);
        let only = by_account(&self.accounts);
        let only = only.map_err(|e| command.error(ErrorKind::ValueValidation, e))?;
        Ok(Some(AccountOptions {
            task: AccountTask::Count,
            source,
            selection: Selection {
                only: (!self.accounts.is_empty()).then_some(only),
                excluded: named(&self.exclude_accounts).map(|(id, _)| id).collect(),
                units: self.ou,
                excluded_units: self.exclude_ous,
            },
            organization_role: self.organization_role,
            role: self
                .role_name
                .unwrap_or_else(RoleName::organization_default),
            external_id: self.external_id,
            session_name: self.role_session_name.unwrap_or(SESSION_NAME.to_owned()),
            session_policy: !self.no_session_policy && has_roles,
            account_files: !self.no_account_files,
            resume: self
                .resume
                .map(|file| file.map_or(Resume::Default, Resume::File)),
            resume_command: String::new(),
        }))
    }

    /// Returns an option that has no effect without a source of accounts.
    fn needless_option(&self) -> Option<&'static str> {
        [
            (!self.exclude_accounts.is_empty(), "--exclude-accounts"),
            (self.organization_role.is_some(), "--organization-role"),
            (self.role_name.is_some(), "--role-name"),
            (self.external_id.is_some(), "--external-id"),
            (self.role_session_name.is_some(), "--role-session-name"),
            (self.no_session_policy, "--no-session-policy"),
            (self.no_account_files, "--no-account-files"),
            (self.resume.is_some(), "--resume"),
        ]
        .into_iter()
        .find_map(|(is_given, option)| is_given.then_some(option))
    }
}

fn named(lists: &[Vec<NamedAccount>]) -> impl Iterator<Item = (AccountId, Option<RoleName>)> {
    lists.iter().flatten().cloned()
}

/// An account with two roles: account, roles.
#[derive(Debug, thiserror::Error)]
#[error("--accounts: the account {0} has two roles: {1} and {2}")]
struct TwoRoles(AccountId, RoleName, RoleName);

/// Returns the role of each account. An account may be named several times, with a role or without.
fn by_account(
    lists: &[Vec<NamedAccount>],
) -> Result<BTreeMap<AccountId, Option<RoleName>>, TwoRoles> {
    let mut accounts: BTreeMap<AccountId, Option<RoleName>> = BTreeMap::new();
    for (id, role) in named(lists) {
        match (accounts.get(&id), role) {
            (Some(Some(known)), Some(role)) if *known != role => {
                return Err(TwoRoles(id, known.clone(), role));
            }
            (Some(Some(_)), _) => {}
            (_, role) => drop(accounts.insert(id, role)),
        }
    }
    Ok(accounts)
}

/// Parses the ARN of a role.
fn parse_role_arn(text: &str) -> Result<String, &'static str> {
    let parts: Vec<&str> = text.trim().splitn(6, ':').collect();
    let is_role = matches!(parts[..], ["arn", _, "iam", "", account, role]
        if account.parse::<AccountId>().is_ok()
            && role.strip_prefix("role/").is_some_and(|name| name.parse::<RoleName>().is_ok()));
    is_role
        .then(|| text.trim().to_owned())
        .ok_or("expected the ARN of a role, such as arn:aws:iam::123456789012:role/Audit")
}

/// Parses an external ID.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn parse_external_id(text: &str) -> Result<String, &'static str> {
    parse_text(text, 2..=1224, b"_+=,.@:/-")
        .ok_or("expected 2 to 1224 letters, digits and _+=,.@:/- without spaces")
}

/// Parses the name of a role session.
fn parse_session_name(text: &str) -> Result<String, &'static str> {
    parse_text(text, 2..=64, b"_+=,.@-").ok_or("expected 2 to 64 letters, digits and _+=,.@-")
}

fn parse_text(
    text: &str,
    lengths: std::ops::RangeInclusive<usize>,
    others: &[u8],
) -> Option<String> {
    let is_valid = |b: u8| b.is_ascii_alphanumeric() || others.contains(&b);
    let is_text = lengths.contains(&text.len()) && text.bytes().all(is_valid);
    is_text.then(|| text.to_owned())
}
