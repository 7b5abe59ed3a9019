//! The accounts of the caller's organization.
//!
//! One request at a time: AWS Organizations rejects concurrent requests of one account.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::list_error::ListError;
use super::member::MemberAccount;
use super::selection::Units;
use super::unit_names::UnitNames;
use super::units::UnitTree;
use crate::aws::client::Client;
use crate::aws::operation::Operation;
use crate::aws::ops::list_accounts::{ListAccounts, OrganizationAccount, PAGE_SIZE};
use crate::aws::page::Page;
use crate::model::{AccountId, Region};
use crate::options::Selection;

/// The caller's organization, as far as it was fetched.
pub struct Organization {
    client: Arc<Client>,
    region: Region,
    units: Units,
    tree: UnitTree,
    /// The roots and units that have units above the listed accounts.
    parents: BTreeSet<String>,
    names: UnitNames,
    /// The listed accounts in or below the units of the selection.
    in_units: BTreeSet<AccountId>,
    id: Option<String>,
}

impl Organization {
    /// Looks up the organizational units of `selection`. `client` signs the calls in `region`.
    ///
    /// # Errors
    /// A unit does not exist, or a call failed.
    pub fn new(
        client: Arc<Client>,
        region: Region,
        selection: &Selection,
    ) -> Result<Self, ListError> {
        let mut tree = UnitTree::new(client.clone(), region.clone());
        Ok(Self {
            client,
            region,
            units: Units::new(
                tree.look_up(&selection.units)?,
                tree.look_up(&selection.excluded_units)?,
            ),
            tree,
            parents: BTreeSet::new(),
            names: UnitNames::default(),
            in_units: BTreeSet::new(),
            id: None,
        })
    }

    /// Returns the ID of the organization, once an account with it was listed.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns the IDs of the units whose accounts are selected; empty for all accounts.
    #[must_use]
    pub fn unit_ids(&self) -> &[String] {
        self.units.included()
    }

    /// Returns true if `account` was listed in or below the units of the selection, excluded or not.
    #[must_use]
    pub fn has(&self, account: &AccountId) -> bool {
        self.in_units.contains(account)
    }

    /// Looks up the names of the units above the listed accounts. Without them, paths have IDs.
    pub fn find_unit_names(&mut self) {
        self.names = self.tree.names(&self.parents);
    }

    /// Returns the names of the units, as far as they were looked up.
    #[must_use]
    pub fn unit_names(&self) -> &UnitNames {
        &self.names
    }

    /// Fetches a page of the accounts.
    ///
    /// # Errors
    /// The call failed, or an account has no valid ID.
    pub fn fetch(&mut self, next_token: Option<&str>) -> Result<Page<MemberAccount>, ListError> {
        let request = ListAccounts {
            max_results: PAGE_SIZE,
            next_token,
        };
        let page = self.client.call(&self.region, &request)?.output;
        let redactor = self.client.redactor();
        let mut members = Vec::new();
        for account in page.items {
            self.id = self.id.take().or_else(|| organization_id(&account));
            let member = MemberAccount::from_organization(&account, &redactor);
            members.push(member.ok_or(ListError::InvalidAccount {
                service: "organizations",
                operation: ListAccounts::NAME,
            })?);
        }
        Ok(Page {
            items: members,
            next_token: page.next_token,
        })
    }

    /// Removes the accounts that are not selected.
    ///
    /// # Errors
    /// A call failed.
    pub fn select(
        &mut self,
        members: &mut Vec<MemberAccount>,
        selection: &Selection,
    ) -> Result<(), ListError> {
        if members.iter().any(|member| member.units.is_empty()) {
            self.units.find_accounts(&mut self.tree)?;
        }
        members.retain(|member| self.units.includes(member));
        let found = members.iter().map(|member| member.id.clone());
        self.in_units.extend(found);
        members.retain(|member| selection.names(&member.id) && !self.units.excludes(member));
        let paths = members.iter().flat_map(|member| member.units.windows(2));
        self.parents.extend(paths.map(|pair| pair[0].clone()));
        Ok(())
    }
}

/// Returns the ID of the organization in the ARN of an account.
fn organization_id(account: &OrganizationAccount) -> Option<String> {
    let resource = account.arn.split(':').nth(5)?;
    let id = resource.strip_prefix("account/")?.split('/').next()?;
    let is_valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_id = id.len() <= 34 && id.strip_prefix("o-")?.bytes().all(is_valid);
    is_id.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_is_read_from_arn() {
        for (arn, id) in [
            (
                "arn:aws:organizations::111111111111:account/o-abcdefghij/222222222222",
                Some("o-abcdefghij"),
            ),
            (
                "arn:aws-us-gov:organizations::111111111111:account/o-abcdefghij/222222222222",
                Some("o-abcdefghij"),
            ),
            ("arn:aws:organizations::1:account/../x", None),
            ("", None),
        ] {
            let account = OrganizationAccount {
                arn: arn.to_owned(),
                ..OrganizationAccount::default()
            };
            assert_eq!(organization_id(&account).as_deref(), id, "{arn}");
        }
    }
}
