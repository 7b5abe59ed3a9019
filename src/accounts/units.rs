//! The organizational units of an organization, as far as they were fetched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::list_error::ListError;
use super::pages::PageCursor;
use super::unit_names::UnitNames;
use crate::aws::client::Client;
use crate::aws::error::{CallError, Cause};
use crate::aws::operation::Operation;
use crate::aws::ops::list_accounts::PAGE_SIZE;
use crate::aws::ops::list_accounts_for_parent::ListAccountsForParent;
use crate::aws::ops::list_organizational_units_for_parent::{
    ListOrganizationalUnitsForParent, OrganizationalUnit,
};
use crate::aws::ops::list_roots::ListRoots;
use crate::aws::retry::CALL_LIMIT;
use crate::model::{AccountId, OrganizationalUnitSelector, Region};

/// The time limit of a call for names, which a run can do without.
const NAMES_LIMIT: Duration = Duration::from_secs(10);

/// The maximum number of units whose children are fetched for names.
const MAX_PARENTS: usize = 60;

/// The tree of the units. The children of each unit are fetched once.
pub struct UnitTree {
    client: Arc<Client>,
    region: Region,
    children: BTreeMap<String, Vec<OrganizationalUnit>>,
}

impl UnitTree {
    /// Creates the tree without a unit; `client` fetches them in `region`.
    #[must_use]
    pub fn new(client: Arc<Client>, region: Region) -> Self {
        Self {
            client,
            region,
            children: BTreeMap::new(),
        }
    }

    /// Returns the IDs of the units that `selectors` name.
    ///
    /// # Errors
    /// A unit does not exist, or a call failed.
    pub fn look_up(
        &mut self,
        selectors: &[OrganizationalUnitSelector],
    ) -> Result<Vec<String>, ListError> {
        let look_up = |selector: &OrganizationalUnitSelector| match selector {
            OrganizationalUnitSelector::Id(id) => {
                // Only to check that the unit exists.
                self.below(id).map_err(|e| unknown_parent(e, id))?;
                Ok(id.clone())
            }
            OrganizationalUnitSelector::Path(path) => self.find_path(path),
        };
        selectors.iter().map(look_up).collect()
    }

    /// Returns the ID of the unit at `path`, one level after another.
    fn find_path(&mut self, path: &str) -> Result<String, ListError> {
        let (client, region) = (&self.client, &self.region);
        let roots = PageCursor::all(ListRoots::NAME, |next_token| {
            Ok(client.call(region, &ListRoots { next_token })?.output)
        })?;
        let unknown = || ListError::UnknownUnit(path.to_owned());
        let mut id = roots.into_iter().next().ok_or_else(unknown)?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let units = self.below(&id)?;
            let is_same = |unit: &&OrganizationalUnit| unit.name.raw() == name;
            // The command line has no spaces at the end of a path.
            let is_near = |unit: &&OrganizationalUnit| unit.name.raw().trim_end() == name;
            let named = units.iter().find(is_same);
            let named = named.or_else(|| units.iter().find(is_near));
            id = named.ok_or_else(unknown)?.id.clone();
        }
        Ok(id)
    }

    /// Returns the units directly in the unit or root `parent_id`.
    fn below(&mut self, parent_id: &str) -> Result<&[OrganizationalUnit], ListError> {
        if !self.children.contains_key(parent_id) {
            let units = self.fetch(parent_id, CALL_LIMIT)?;
            self.children.insert(parent_id.to_owned(), units);
        }
        Ok(&self.children[parent_id])
    }

    /// Returns the accounts in or below the units `ids`.
    ///
    /// # Errors
    /// A call failed: then the tree is not complete.
    pub fn accounts_below(&mut self, ids: &[String]) -> Result<BTreeSet<AccountId>, ListError> {
        let mut accounts = BTreeSet::new();
        let mut waiting: VecDeque<String> = ids.iter().cloned().collect();
        let mut seen = BTreeSet::new();
        while let Some(parent_id) = waiting.pop_front() {
            if !seen.insert(parent_id.clone()) {
                continue;
            }
            let units = self.below(&parent_id)?;
            waiting.extend(units.iter().map(|unit| unit.id.clone()));
            let found = PageCursor::all(ListAccountsForParent::NAME, |next_token| {
                let request = ListAccountsForParent {
                    parent_id: &parent_id,
                    max_results: PAGE_SIZE,
                    next_token,
                };
                Ok(self.client.call(&self.region, &request)?.output)
            })?;
            for account in found {
                let id = account.id.parse().map_err(|_| ListError::InvalidAccount {
                    service: "organizations",
                    operation: ListAccountsForParent::NAME,
                })?;
                accounts.insert(id);
            }
        }
        Ok(accounts)
    }

    /// Returns the names of the units directly in the roots and units `parents`. A call that fails is not reported: the names are
    /// then unknown.
    pub fn names(&mut self, parents: &BTreeSet<String>) -> UnitNames {
        let missing = parents.iter().filter(|id| !self.children.contains_key(*id));
        let missing: Vec<String> = missing.cloned().collect();
        if missing.len() > MAX_PARENTS {
            return UnitNames::default();
        }
        for parent_id in missing {
            let Ok(units) = self.fetch(&parent_id, NAMES_LIMIT) else {
                return UnitNames::default();
            };
            self.children.insert(parent_id, units);
        }
        let units = parents.iter().flat_map(|id| &self.children[id]);
        UnitNames::new(units, &self.client.redactor())
    }

    /// Fetches the units directly in the unit or root `parent_id`; each call ends after `limit`.
    fn fetch(
        &self,
        parent_id: &str,
        limit: Duration,
    ) -> Result<Vec<OrganizationalUnit>, ListError> {
        PageCursor::all(ListOrganizationalUnitsForParent::NAME, |next_token| {
            let request = ListOrganizationalUnitsForParent {
                parent_id,
                max_results: PAGE_SIZE,
                next_token,
            };
            Ok(self
                .client
                .call_within(&self.region, &request, limit)?
                .output)
        })
    }
}

fn unknown_parent(error: ListError, id: &str) -> ListError {
    let is_unknown = |call: &CallError| matches!(&call.cause, Cause::Service { code, .. } if code == "ParentNotFoundException");
    match error {
        ListError::Call(call) if is_unknown(&call) => ListError::UnknownUnit(id.to_owned()),
        other => other,
    }
}
