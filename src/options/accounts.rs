//! The options of a run of many accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::model::{AccountId, OrganizationalUnitSelector, RoleName};

/// The source of the accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountSource {
    /// All accounts of the caller's organization.
    Organization,
    /// The accounts that the options name; AWS Organizations is not called.
    Named,
    /// The accounts of the profiles whose names match one of these patterns.
    Profiles(Vec<String>),
    /// The accounts that are assigned to a user of IAM Identity Center.
    Sso {
        /// The name of the `[sso-session]`.
        session: String,
        /// The permission set; `None` for the only one of the first account.
        role: Option<RoleName>,
    },
}

impl AccountSource {
    /// Returns the patterns of the profiles, if they are the source.
    #[must_use]
    pub fn profiles(&self) -> Option<&[String]> {
        match self {
            Self::Profiles(patterns) => Some(patterns),
            _ => None,
        }
    }

    /// Returns the name of the session of IAM Identity Center, if it is the source.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::Sso { session, .. } => Some(session),
            _ => None,
        }
    }
}

/// The task of a run of many accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountTask {
    /// Count the resources.
    Count,
    /// List the accounts.
    List,
    /// List the accounts, and check the access to each.
    CheckAccess,
}

/// The selection of accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The only accounts, with their own roles; `None` for all.
    pub only: Option<BTreeMap<AccountId, Option<RoleName>>>,
    /// Accounts that are skipped.
    pub excluded: BTreeSet<AccountId>,
    /// Only accounts in or below one of these units; if empty, all.
    pub units: Vec<OrganizationalUnitSelector>,
    /// Accounts in or below these units are skipped.
    pub excluded_units: Vec<OrganizationalUnitSelector>,
}

impl Selection {
    /// Returns the role of an account that the selection names with one.
    #[must_use]
    pub fn role(&self, account: &AccountId) -> Option<&RoleName> {
        self.only.as_ref()?.get(account)?.as_ref()
    }

    /// Returns true if the lists of accounts select `account`, whatever its unit is.
    #[must_use]
    pub fn names(&self, account: &AccountId) -> bool {
        let only = self.only.as_ref();
        only.is_none_or(|only| only.contains_key(account)) && !self.excluded.contains(account)
    }
}

/// The options of a run of many accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountOptions {
    /// The task.
    pub task: AccountTask,
    /// The source of the accounts.
    pub source: AccountSource,
    /// The selection from the source.
    pub selection: Selection,
    /// The ARN of the role for the calls of AWS Organizations.
    pub organization_role: Option<String>,
    /// The role to assume in each account but the caller's own.
    pub role: RoleName,
    /// The external ID that the trust policies of the roles require.
    pub external_id: Option<String>,
    /// The name of the role sessions.
    pub session_name: String,
    /// If true, a session policy limits the role sessions to the actions of the run.
    pub session_policy: bool,
    /// If true, the files of each account are written too.
    pub account_files: bool,
    /// The earlier run that this one continues.
    pub resume: Option<Resume>,
    /// The command that continues this run, for a shell.
    pub resume_command: String,
}

/// The run file of the run to continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// The one of this scope in the output directory; if it is missing, all accounts are scanned.
    Default,
    /// This one.
    File(PathBuf),
}
