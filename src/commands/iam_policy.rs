//! The minimum IAM policy for a run.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsconfig.html>

use serde::Serialize;

use crate::aws::operation::Operation;
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_discovered_resource_counts::GetDiscoveredResourceCounts;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::options::Options;

/// An IAM policy document.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: &'static str,
    action: Vec<String>,
    // The actions do not support resource-level permissions, except those on recorders, which are
    // called without a recorder name.
    resource: &'static str,
}

/// Returns the policy for a run with `options`, as JSON. `sts:GetCallerIdentity` needs no
/// permission.
///
/// # Panics
/// Never: the policy has only strings.
#[must_use]
pub fn policy(options: &Options) -> String {
    let statement = Statement {
        effect: "Allow",
        action: actions(options),
        resource: "*",
    };
    let policy = Policy {
        version: "2012-10-17",
        statement: [statement],
    };
    serde_json::to_string_pretty(&policy).expect("a policy of strings") + "\n"
}

/// Returns the actions that the run needs, sorted.
fn actions(options: &Options) -> Vec<String> {
    let Options {
        method,
        resource_types,
        ..
    } = options;
    let mut actions = vec![
        action::<DescribeConfigurationRecorderStatus>(),
        action::<DescribeConfigurationRecorders>(),
        action::<DescribeRegions>(),
        action::<ListAccountAliases>(),
    ];
    if method.lists() {
        actions.push(action::<ListDiscoveredResources<'_>>());
    }
    if method.asks_counts(resource_types) {
        actions.push(action::<GetDiscoveredResourceCounts<'_>>());
    }
    actions.sort();
    actions
}

/// Returns the IAM action of an operation; for these services it has the name of the operation.
fn action<O: Operation>() -> String {
    format!("{}:{}", O::SERVICE.name(), O::NAME)
}
