//! The policy of role sessions: the session may do only what the run needs, whatever the role may do.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session>

/// Returns the session policy that allows only `actions`, as compact JSON. AWS allows 2,048 characters; ten actions need
/// about 400.
#[must_use]
pub fn session_policy(actions: &[String]) -> String {
    let actions = actions.join("\",\"");
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":["{actions}"],"Resource":"*"}}]}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_is_compact_json() {
        let policy = session_policy(&["ec2:DescribeRegions".to_owned(), "a:B".to_owned()]);
        let parsed: serde_json::Value = serde_json::from_str(&policy).unwrap();
        assert_eq!(parsed["Statement"][0]["Action"][1], "a:B");
        assert!(!policy.contains(' '));
    }
}
