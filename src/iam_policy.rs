//! The smallest IAM policy that a run needs.
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
use crate::config::Config;

/// A policy document.
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
    // None of the actions can be held to a resource, but for those of recorders, which are asked for
    // without a name.
    resource: &'static str,
}

/// The policy for a run of `config`, as JSON; `sts:GetCallerIdentity` needs none.
///
/// # Panics
/// Never: a policy is a plain struct.
#[must_use]
pub fn policy(config: &Config) -> String {
    let statement = Statement {
        effect: "Allow",
        action: actions(config),
        resource: "*",
    };
    let policy = Policy {
        version: "2012-10-17",
        statement: [statement],
    };
    serde_json::to_string_pretty(&policy).expect("a policy is a plain struct") + "\n"
}

/// Every action that the run calls, sorted.
fn actions(config: &Config) -> Vec<String> {
    let Config {
        method,
        resource_types,
        ..
    } = config;
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

/// The IAM action that an operation needs; for the services called here it bears the same name.
fn action<O: Operation>() -> String {
    format!("{}:{}", O::SERVICE.name(), O::NAME)
}
