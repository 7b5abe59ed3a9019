//! The minimum IAM policy for a run.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsconfig.html>

use crate::options::{Options, actions};

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
