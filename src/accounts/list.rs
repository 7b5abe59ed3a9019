//! The list of the accounts of a run, from its source, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::list_error::ListError;
use super::member::MemberAccount;
use super::organization::OrganizationList;
use super::profiles::ProfileAccounts;
use super::selection;
use super::sso_session::SsoList;
use super::unit_names::UnitNames;
use crate::aws::client::Client;
use crate::aws::credentials::SsoPortal;
use crate::model::{AccountId, Region};
use crate::options::{AccountOptions, AccountSource, Selection};
use crate::text::encode_file_name;

/// The maximum length of a scope, in bytes: it is part of file names.
const MAX_SCOPE: usize = 150;

/// The list of the accounts of a run.
pub struct AccountList {
    source: ListSource,
    selection: Selection,
}

enum ListSource {
    /// The caller's organization.
    Organization(Box<OrganizationList>, Arc<Client>, Region),
    /// The accounts that the options name; `None` once they were returned.
    Named(Option<Vec<MemberAccount>>),
    /// The accounts that are assigned to a user of IAM Identity Center.
    Sso(SsoList),
    /// The accounts of profiles, which the caller has.
    Profiles(BTreeSet<AccountId>),
}

impl AccountList {
    /// Starts the list. `client` signs the calls of AWS Organizations in `region`.
    ///
    /// # Errors
    /// An organizational unit does not exist, or a call failed.
    pub fn start(
        client: Arc<Client>,
        region: Region,
        options: &AccountOptions,
    ) -> Result<Self, ListError> {
        let selection = options.selection.clone();
        let source = match &options.source {
            AccountSource::Organization => {
                let list = OrganizationList::start(&client, &region, &selection)?;
                ListSource::Organization(Box::new(list), client, region)
            }
            AccountSource::Named | AccountSource::Profiles(_) | AccountSource::Sso { .. } => {
                ListSource::Named(Some(selection::named(&selection)))
            }
        };
        Ok(Self { source, selection })
    }

    /// Creates the list of the accounts that are assigned to a user of IAM Identity Center.
    #[must_use]
    pub fn of_sso(options: &AccountOptions, portal: Arc<SsoPortal>) -> Self {
        Self {
            source: ListSource::Sso(SsoList::new(portal)),
            selection: options.selection.clone(),
        }
    }

    /// Creates the list of the accounts of profiles; the caller has its only page.
    #[must_use]
    pub fn of_profiles(options: &AccountOptions, accounts: &ProfileAccounts) -> Self {
        let unusable = accounts
            .unusable
            .iter()
            .flat_map(|profile| &profile.account);
        let members = accounts.members.iter().map(|member| &member.id);
        Self {
            source: ListSource::Profiles(members.chain(unusable).cloned().collect()),
            selection: options.selection.clone(),
        }
    }

    /// Fetches the next accounts, which may be none; `None` after the last ones.
    ///
    /// # Errors
    /// The list cannot be fetched completely.
    pub fn next_page(&mut self) -> Result<Option<Vec<MemberAccount>>, ListError> {
        match &mut self.source {
            ListSource::Organization(list, client, region) => {
                list.next_page(client, region, &self.selection)
            }
            ListSource::Named(members) => Ok(members.take()),
            ListSource::Sso(list) => list.next_page(&self.selection),
            ListSource::Profiles(_) => Ok(None),
        }
    }

    /// Looks up the names of the organizational units of the listed accounts. A failure is not reported: the names are a
    /// convenience.
    pub fn find_unit_names(&mut self) {
        if let ListSource::Organization(list, client, region) = &mut self.source {
            list.find_unit_names(client, region);
        }
    }

    /// Returns the names of the organizational units, as far as they were looked up.
    #[must_use]
    pub fn unit_names(&self) -> UnitNames {
        match &self.source {
            ListSource::Organization(list, ..) => list.unit_names().clone(),
            ListSource::Named(_) | ListSource::Sso(_) | ListSource::Profiles(_) => {
                UnitNames::default()
            }
        }
    }

    /// Returns true if a further page may have accounts.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        match &self.source {
            ListSource::Organization(list, ..) => list.may_have_more(),
            ListSource::Named(members) => members.is_some(),
            ListSource::Sso(list) => list.may_have_more(),
            ListSource::Profiles(_) => false,
        }
    }

    /// Returns the scope of the accounts, for file names: the organization, its units, `accounts`,
    /// `profiles` or `sso-NAME`.
    #[must_use]
    pub fn scope(&self) -> String {
        let list = match &self.source {
            ListSource::Organization(list, ..) => list,
            ListSource::Named(_) => return "accounts".to_owned(),
            ListSource::Sso(list) => return format!("sso-{}", encode_file_name(list.session())),
            ListSource::Profiles(_) => return "profiles".to_owned(),
        };
        let units = list.unit_ids().join("_");
        if units.is_empty() || units.len() > MAX_SCOPE {
            list.id().unwrap_or("organization").to_owned()
        } else {
            units
        }
    }

    /// Returns the accounts that the options name and that are not in the complete list.
    #[must_use]
    pub fn not_found(&self) -> Vec<AccountId> {
        let is_found = |id: &AccountId| match &self.source {
            ListSource::Organization(list, ..) => list.has(id),
            ListSource::Named(_) => true,
            ListSource::Sso(list) => list.has(id),
            ListSource::Profiles(found) => found.contains(id),
        };
        let named = self.selection.only.iter().flat_map(|only| only.keys());
        let is_missing = |id: &&AccountId| self.selection.names(id) && !is_found(id);
        named.filter(is_missing).cloned().collect()
    }
}
