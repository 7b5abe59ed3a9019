//! The IAM actions of a run.

use super::accounts::{AccountOptions, AccountSource};
use super::run::Options;
use crate::aws::operation::Operation;
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_discovered_resource_counts::GetDiscoveredResourceCounts;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::aws::ops::list_accounts::ListAccounts;
use crate::aws::ops::list_accounts_for_parent::ListAccountsForParent;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::aws::ops::list_organizational_units_for_parent::ListOrganizationalUnitsForParent;
use crate::aws::ops::list_roots::ListRoots;
use crate::model::OrganizationalUnitSelector;

/// Returns the actions that the run needs in an account, sorted.
#[must_use]
pub fn actions(options: &Options) -> Vec<String> {
    let (method, types) = (options.method, &options.resource_types);
    let mut actions = vec![
        action::<DescribeConfigurationRecorderStatus>(),
        action::<DescribeConfigurationRecorders>(),
        action::<DescribeRegions>(),
        action::<ListAccountAliases>(),
    ];
    if method.lists() {
        actions.push(action::<ListDiscoveredResources<'_>>());
    }
    if method.asks_counts(types) {
        actions.push(action::<GetDiscoveredResourceCounts<'_>>());
    }
    actions.sort();
    actions
}

/// Returns the IAM action of an operation; for these services it has the name of the operation.
fn action<O: Operation>() -> String {
    format!("{}:{}", O::SERVICE.name(), O::NAME)
}

/// Returns the actions that list the accounts of the organization and the names of their units, sorted: none if it is not
/// the source, and the others on units only for a selection by units.
#[must_use]
pub fn organization_actions(accounts: &AccountOptions) -> Vec<String> {
    if accounts.source != AccountSource::Organization {
        return Vec::new();
    }
    let selection = &accounts.selection;
    let units = || selection.units.iter().chain(&selection.excluded_units);
    let mut actions = vec![action::<ListAccounts<'_>>()];
    if units().next().is_some() {
        actions.push(action::<ListAccountsForParent<'_>>());
    }
    actions.push(action::<ListOrganizationalUnitsForParent<'_>>());
    if units().any(|unit| matches!(unit, OrganizationalUnitSelector::Path(_))) {
        actions.push(action::<ListRoots<'_>>());
    }
    actions
}
