//! The minimum IAM policy for a run.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsconfig.html>

use crate::aws::operation::Operation;
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_discovered_resource_counts::GetDiscoveredResourceCounts;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::options::Options;

/// Returns the policy for a run with `options`, as JSON. `sts:GetCallerIdentity` needs no
/// permission. The actions do not support resource-level permissions, except those on recorders,
/// which are called without a recorder name.
#[must_use]
pub fn policy(options: &Options) -> String {
    let actions = actions(options).join("\",\n        \"");
    format!(
        r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{
      "Effect": "Allow",
      "Action": [
        "{actions}"
      ],
      "Resource": "*"
    }}
  ]
}}
"#
    )
}

/// Returns the actions that the run needs, sorted.
fn actions(options: &Options) -> Vec<String> {
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
