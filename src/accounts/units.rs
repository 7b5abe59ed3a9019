//! The organizational units of an organization.

use std::collections::{BTreeSet, VecDeque};

use super::list_error::ListError;
use super::pages::PageCursor;
use crate::aws::client::Client;
use crate::aws::error::{CallError, Cause};
use crate::aws::operation::Operation;
use crate::aws::ops::list_accounts::PAGE_SIZE;
use crate::aws::ops::list_accounts_for_parent::ListAccountsForParent;
use crate::aws::ops::list_organizational_units_for_parent::{
    ListOrganizationalUnitsForParent, OrganizationalUnit,
};
use crate::aws::ops::list_roots::ListRoots;
use crate::model::{AccountId, OrganizationalUnitSelector, Region};

/// Returns the IDs of the units that `selectors` name.
///
/// # Errors
/// A unit does not exist, or a call failed.
pub fn look_up(
    client: &Client,
    region: &Region,
    selectors: &[OrganizationalUnitSelector],
) -> Result<Vec<String>, ListError> {
    let look_up = |selector: &OrganizationalUnitSelector| match selector {
        OrganizationalUnitSelector::Id(id) => {
            // Only to check that the unit exists.
            units_below(client, region, id).map_err(|e| unknown_parent(e, id))?;
            Ok(id.clone())
        }
        OrganizationalUnitSelector::Path(path) => find_path(client, region, path),
    };
    selectors.iter().map(look_up).collect()
}

/// Returns the ID of the unit at `path`, one level after another.
fn find_path(client: &Client, region: &Region, path: &str) -> Result<String, ListError> {
    let roots = PageCursor::all(ListRoots::NAME, |next_token| {
        let page = client.call(region, &ListRoots { next_token })?.output;
        Ok((page.ids, page.next_token))
    })?;
    let unknown = || ListError::UnknownUnit(path.to_owned());
    let mut id = roots.into_iter().next().ok_or_else(unknown)?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let units = units_below(client, region, &id)?;
        let named = units.into_iter().find(|unit| unit.name.raw() == name);
        id = named.ok_or_else(unknown)?.id;
    }
    Ok(id)
}

/// Returns the units directly in the unit or root `parent_id`.
fn units_below(
    client: &Client,
    region: &Region,
    parent_id: &str,
) -> Result<Vec<OrganizationalUnit>, ListError> {
    PageCursor::all(ListOrganizationalUnitsForParent::NAME, |next_token| {
        let request = ListOrganizationalUnitsForParent {
            parent_id,
            max_results: PAGE_SIZE,
            next_token,
        };
        let page = client.call(region, &request)?.output;
        Ok((page.units, page.next_token))
    })
}

/// Returns the accounts in or below the units `ids`, from the tree of the units.
///
/// # Errors
/// A call failed: then the tree is not complete.
pub fn accounts_below(
    client: &Client,
    region: &Region,
    ids: &[String],
) -> Result<BTreeSet<AccountId>, ListError> {
    let mut accounts = BTreeSet::new();
    let mut waiting: VecDeque<String> = ids.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    while let Some(parent_id) = waiting.pop_front() {
        if !seen.insert(parent_id.clone()) {
            continue;
        }
        let units = units_below(client, region, &parent_id)?;
        waiting.extend(units.into_iter().map(|unit| unit.id));
        let found = PageCursor::all(ListAccountsForParent::NAME, |next_token| {
            let request = ListAccountsForParent {
                parent_id: &parent_id,
                max_results: PAGE_SIZE,
                next_token,
            };
            let page = client.call(region, &request)?.output;
            Ok((page.accounts, page.next_token))
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

fn unknown_parent(error: ListError, id: &str) -> ListError {
    let is_unknown = |call: &CallError| matches!(&call.cause, Cause::Service { code, .. } if code == "ParentNotFoundException");
    match error {
        ListError::Call(call) if is_unknown(&call) => ListError::UnknownUnit(id.to_owned()),
        other => other,
    }
}
