//! The minimum IAM policy for a run.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsconfig.html>

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
fn actions(options: &Options) -> Vec<&'static str> {
    let (method, types) = (options.method, &options.resource_types);
    let mut actions = vec![
        "config:DescribeConfigurationRecorderStatus",
        "config:DescribeConfigurationRecorders",
        "ec2:DescribeRegions",
        "iam:ListAccountAliases",
    ];
    if method.lists() {
        actions.push("config:ListDiscoveredResources");
    }
    if method.asks_counts(types) {
        actions.push("config:GetDiscoveredResourceCounts");
    }
    actions.sort_unstable();
    actions
}
