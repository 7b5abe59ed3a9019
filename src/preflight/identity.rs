//! The calls of the checks of identity, alias and regions.

use super::check::{CheckError, RefusedRegion};
use crate::aws::client::{CallOutput, Client};
use crate::aws::error::{CallError, Cause};
use crate::aws::operation::Operation;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_caller_identity::GetCallerIdentity;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::aws::partition::Partition;
use crate::model::{AccountId, Region};
use crate::secret::Redactor;
use crate::untrusted::Untrusted;

/// The maximum number of regions; several times the number in all partitions.
const MAX_REGIONS: usize = 256;

/// The region names returned by DescribeRegions.
#[derive(Debug, Default)]
pub(super) struct Regions {
    /// The valid region codes, sorted.
    pub(super) enabled: Vec<Region>,
    /// The reasons why the other names were refused.
    pub(super) refused: Vec<RefusedRegion>,
}

impl Regions {
    /// Parses `names`; `redactor` removes credentials from the text about an invalid name.
    fn from_names(names: &[Untrusted], redactor: &Redactor) -> Result<Self, CheckError> {
        let mut regions = Self::default();
        for name in names {
            match name.parse() {
                Some(region) => regions.enabled.push(region),
                None => regions
                    .refused
                    .push(match name.redact(redactor).parse::<Region>() {
                        Err(why) => RefusedRegion::Invalid(why),
                        Ok(_) => RefusedRegion::Credentials,
                    }),
            }
        }
        regions.enabled.sort();
        regions.enabled.dedup();
        match regions.enabled.len() {
            0 => Err(CheckError::NoRegions),
            n if n > MAX_REGIONS => Err(CheckError::TooManyRegions(n)),
            _ => Ok(regions),
        }
    }
}

/// Calls GetCallerIdentity. Refreshed credentials must belong to the same account.
pub(super) fn account_id(client: &Client, start: &Region) -> Result<AccountId, CheckError> {
    let account = call(client, start, &GetCallerIdentity)?.output;
    client.credentials().record_account(&account)?;
    Ok(account)
}

/// Calls ListAccountAliases.
///
/// # Errors
/// The call failed, or the alias contains the caller's credentials.
pub fn alias(client: &Client, start: &Region) -> Result<Option<String>, CheckError> {
    let alias = client.call(start, &ListAccountAliases)?.output;
    let checked = alias.map(|alias| {
        let alias = alias.without_secret(&client.redactor());
        alias.ok_or(CheckError::AliasWithCredentials)
    });
    checked.transpose()
}

/// Calls DescribeRegions.
pub(super) fn regions(client: &Client, start: &Region) -> Result<Regions, CheckError> {
    let names = call(client, start, &DescribeRegions { all: false })?.output;
    Regions::from_names(&names, &client.redactor())
}

/// Calls `operation` in the start region. If that is a pseudo region such as `aws-global`, most services have no host
/// there; then the call is made in the partition's global region.
pub(super) fn call<O: Operation>(
    client: &Client,
    start: &Region,
    operation: &O,
) -> Result<CallOutput<O::Output>, CallError> {
    let response = client.call(start, operation);
    let is_unreachable = |e: &CallError| matches!(e.cause, Cause::Transport(_));
    match Partition::of_pseudo_region(start) {
        Some(partition) if response.as_ref().is_err_and(is_unreachable) => {
            client.call(&partition.global_region(), operation)
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_region_name_is_redacted() {
        let names = ["eu-west-1", "b\n", "x the-key-of-a-test y"].map(Untrusted::from);
        let redactor = Redactor::for_secret(&"the-key-of-a-test".into());
        let regions = Regions::from_names(&names, &redactor).unwrap();
        assert_eq!(regions.enabled, ["eu-west-1".parse().unwrap()]);
        let refused: Vec<_> = regions.refused.iter().map(ToString::to_string).collect();
        assert_eq!(
            refused,
            [
                "\"b \" is not a region code such as eu-west-1",
                "\"x **** y\" is not a region code such as eu-west-1",
            ]
        );
        assert!(
            Regions::from_names(&[], &redactor).is_err(),
            "an empty list is invalid"
        );
        let many: Vec<Untrusted> = (0..=MAX_REGIONS).map(|n| format!("r-{n}").into()).collect();
        assert!(
            Regions::from_names(&many, &redactor).is_err(),
            "more regions than AWS has"
        );
        assert!(Regions::from_names(&many[1..], &redactor).is_ok());
    }
}
