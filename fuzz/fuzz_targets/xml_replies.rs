//! Parses responses of STS, IAM and EC2. The first byte selects where a response is truncated.
#![no_main]

use std::fmt::Debug;

use aws_config_resource_count::aws::operation::Operation;
use aws_config_resource_count::aws::ops::assume_role::{AssumeRole, TemporaryKeys};
use aws_config_resource_count::aws::ops::assume_role_with_web_identity::AssumeRoleWithWebIdentity;
use aws_config_resource_count::aws::ops::describe_regions::DescribeRegions;
use aws_config_resource_count::aws::ops::get_caller_identity::GetCallerIdentity;
use aws_config_resource_count::aws::ops::list_account_aliases::ListAccountAliases;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((cut, body)) = data.split_first() else {
        return;
    };
    if let Some(account) = read(&GetCallerIdentity, *cut, body) {
        let id = account.as_str();
        assert!(
            id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()),
            "{id:?}"
        );
        assert_contains(1, body, "Account");
    }
    if let Some(alias) = read(&ListAccountAliases, *cut, body) {
        let alias = alias.unwrap_or_else(|| "none".into());
        let alias = alias.raw();
        assert!(!alias.is_empty() && alias.trim() == alias, "{alias:?}");
        assert_contains(1, body, "AccountAliases");
    }
    if let Some(regions) = read(&DescribeRegions { all: false }, *cut, body) {
        assert_contains(1, body, "regionInfo");
        assert_contains(regions.len(), body, "regionName");
        for name in regions {
            assert_eq!(name.raw().trim(), name.raw());
        }
    }
    let role = AssumeRole {
        role_arn: "r",
        session_name: "s",
        external_id: None,
        duration_seconds: None,
        mfa: None,
        policy: None,
    };
    let identity = AssumeRoleWithWebIdentity {
        role_arn: "r",
        session_name: "s",
        token: &"t".into(),
    };
    let keys = [read(&role, *cut, body), read(&identity, *cut, body)];
    assert!(
        keys.iter().flatten().count() <= 1,
        "a response must belong to one operation"
    );
    for keys in keys.into_iter().flatten().map(|role| role.keys) {
        assert_contains(1, body, "SecretAccessKey");
        let shown = format!("{keys:?}");
        let TemporaryKeys { expiration, .. } = &keys;
        assert_eq!(
            shown,
            format!(
                "TemporaryKeys {{ access_key_id: ****, secret_access_key: ****, session_token: ****, \
                 expiration: {expiration:?} }}"
            )
        );
    }
});

/// Parses the response in `body`. A truncated copy must give the same output or a truncation error.
fn read<O: Operation<Output: Debug>>(operation: &O, cut: u8, body: &[u8]) -> Option<O::Output> {
    let output = match operation.parse(body) {
        Ok(output) => output,
        Err(error) => {
            assert!(
                !error.is_truncated() || !body.trim_ascii().is_empty(),
                "an empty body is not truncated"
            );
            assert!(!error.reason().raw().is_empty());
            return None;
        }
    };
    let end = body.len() * usize::from(cut) / 256;
    let part = &body[..end];
    // AWS sends no comments, DTDs, CDATA or processing instructions except the first line.
    let plain = !body.windows(2).any(|w| w == b"<!") && !body.windows(2).any(|w| w == b"?>");
    match operation.parse(part) {
        Ok(part_output) => assert_eq!(
            format!("{part_output:?}"),
            format!("{output:?}"),
            "{} parsed a truncated response differently",
            O::NAME
        ),
        Err(error) if plain && str::from_utf8(part).is_ok() => {
            let has_started = part.trim_ascii().starts_with(b"<");
            assert_eq!(error.is_truncated(), has_started, "{}: {error}", O::NAME);
        }
        Err(_) => {}
    }
    Some(output)
}

/// Asserts that `body` contains `name` at least `n` times.
fn assert_contains(n: usize, body: &[u8], name: &str) {
    let found = body.windows(name.len()).filter(|w| *w == name.as_bytes());
    assert!(found.count() >= n, "{name} parsed {n} times");
}
