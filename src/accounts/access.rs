//! Access to an account: the credentials of a role in it, those of a profile, or those of
//! a permission set.
//!
//! A role session gets a session policy with only the actions of the run, so that even an administrator role cannot
//! change anything.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::sync::Arc;

pub use super::access_error::AccessError;
use super::identity::identity_call;
use super::member::MemberAccount;
use super::profiles::ProfileAccess;
use super::sso_session::SsoAccess;
use crate::aws::client::{Client, Transport};
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::credentials::role_keys;
use crate::aws::error::{CallError, CredentialsError, ErrorKind};
use crate::aws::ops::assume_role::AssumeRole;
use crate::aws::partition::Partition;
use crate::aws::retry::CALL_LIMIT;
use crate::model::{AccountId, Region, RoleName};

/// Assumes roles with the caller's credentials.
pub struct RoleCaller {
    /// The client of the caller.
    pub client: Arc<Client>,
    /// The region of the STS calls.
    pub region: Region,
    /// The external ID that the trust policies require.
    pub external_id: Option<String>,
    /// The name of the role sessions.
    pub session_name: String,
    /// The session policy; `None` for none.
    pub session_policy: Option<String>,
}

/// The way in which the accounts of a run are accessed.
pub enum Access {
    /// With a role of each account.
    Role(RoleAccess),
    /// With a profile of each account.
    Profiles(ProfileAccess),
    /// With a permission set of IAM Identity Center.
    Sso(SsoAccess),
}

/// The access with a role of each account.
pub struct RoleAccess {
    /// Assumes the roles.
    pub caller: Arc<RoleCaller>,
    /// The account of the caller, which needs no role.
    pub caller_account: AccountId,
    /// The settings of the clients of the other accounts.
    pub transport: Transport,
    /// The role.
    pub role: RoleName,
}

impl Access {
    /// Describes the access to `member`: `caller`, `role NAME`, `profile NAME` or `sso NAME/ROLE`.
    #[must_use]
    pub fn describe(&self, member: &MemberAccount) -> String {
        match self {
            Self::Role(access) => access.describe(member),
            Self::Profiles(access) => access.describe(&member.id),
            Self::Sso(access) => access.describe(member),
        }
    }

    /// Returns the region of the first calls in `member`.
    #[must_use]
    pub fn region(&self, member: &MemberAccount) -> &Region {
        match self {
            Self::Role(access) => &access.caller.region,
            Self::Profiles(access) => access.region(&member.id),
            Self::Sso(access) => &access.start_region,
        }
    }

    /// Returns a client for `member`.
    ///
    /// # Errors
    /// The account cannot be accessed, or the credentials are not of this account.
    pub fn open(&self, member: &MemberAccount) -> Result<Arc<Client>, AccessError> {
        match self {
            Self::Role(access) => access.open(member),
            Self::Profiles(access) => access.client(&member.id).ok_or(AccessError::NoProfile),
            Self::Sso(access) => access.open(member),
        }
    }

    /// Returns the account of the caller, who assumes the roles; `None` without roles.
    #[must_use]
    pub fn caller_account(&self) -> Option<&AccountId> {
        match self {
            Self::Role(access) => Some(&access.caller_account),
            Self::Profiles(_) | Self::Sso(_) => None,
        }
    }

    /// Drops the credentials of an account that is done.
    pub fn release(&self, account: &AccountId) {
        match self {
            Self::Role(_) | Self::Sso(_) => {}
            Self::Profiles(access) => access.release(account),
        }
    }

    /// Returns true if the accounts have credentials of their own: those of one account say nothing about the others.
    #[must_use]
    pub fn is_separate(&self) -> bool {
        matches!(self, Self::Profiles(_))
    }
}

impl RoleAccess {
    /// Returns the role of `member`; `None` for the caller's own account.
    fn role_of<'a>(&'a self, member: &'a MemberAccount) -> Option<&'a RoleName> {
        let is_own = member.id == self.caller_account && member.role.is_none();
        (!is_own).then(|| member.role.as_ref().unwrap_or(&self.role))
    }

    /// Describes the access to `member`: `caller` or `role NAME`.
    fn describe(&self, member: &MemberAccount) -> String {
        let role = self.role_of(member);
        role.map_or("caller".to_owned(), |role| format!("role {role}"))
    }

    /// Returns a client for `member`: that of the caller for its own account, else one with the credentials of the role.
    ///
    /// # Errors
    /// The role cannot be assumed, or its session is not of this account.
    fn open(&self, member: &MemberAccount) -> Result<Arc<Client>, AccessError> {
        let Some(role) = self.role_of(member) else {
            return Ok(self.caller.client.clone());
        };
        let partition = Partition::for_region(&self.caller.region).id;
        let arn = format!("arn:{partition}:iam::{}:role/{role}", member.id);
        let client = RoleCaller::client(&self.caller, arn, self.transport.clone())?;
        match client.credentials().current().account {
            Some(account) if account == member.id => Ok(client),
            Some(account) => Err(AccessError::WrongAccount(account)),
            None => Err(AccessError::UnknownAccount),
        }
    }
}

impl RoleCaller {
    /// Returns a client with the credentials of the role `arn`, which are refreshed before they expire.
    ///
    /// # Errors
    /// The role cannot be assumed.
    pub fn client(
        caller: &Arc<Self>,
        arn: String,
        transport: Transport,
    ) -> Result<Arc<Client>, CredentialsError> {
        let identify = identity_call(transport.clone(), caller.region.clone(), CALL_LIMIT);
        let caller = caller.clone();
        let load = Box::new(move |_| caller.assume(&arn));
        let credentials = CachedCredentials::load(load, identify)?;
        if let Some(account) = credentials.current().account {
            credentials.record_account(&account)?;
        }
        Ok(Arc::new(Client::new(transport, credentials)))
    }

    /// Assumes a role. If the account has disabled STS in the region, the role is assumed in the partition's global region.
    fn assume(&self, arn: &str) -> Result<ResolvedCredentials, CredentialsError> {
        let call = AssumeRole {
            role_arn: arn,
            session_name: &self.session_name,
            external_id: self.external_id.as_deref(),
            duration_seconds: None,
            mfa: None,
            policy: self.session_policy.as_deref(),
        };
        let mut result = self.client.call(&self.region, &call);
        let is_disabled = |e: &CallError| e.kind() == Some(ErrorKind::OptInRequired);
        let global = Partition::for_region(&self.region).global_region();
        if result.as_ref().is_err_and(is_disabled) && global != self.region {
            result = self.client.call(&global, &call);
        }
        role_keys(result, format!("the role {arn}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::fake;
    use crate::http::fake::{Scripted, answer};

    const DISABLED: &str = "<ErrorResponse><Error><Code>RegionDisabledException</Code><Message>STS is not activated</Message></Error></ErrorResponse>";

    /// Assumes a role in `region`; returns the regions of the requests, and true if the role was assumed.
    fn assume(region: &str, answers: [(u16, &'static str); 2]) -> (Vec<String>, bool) {
        let http = Scripted::list(answers.map(|(status, body)| answer(status, body)));
        let caller = RoleCaller {
            client: Arc::new(fake::client(http.clone(), fake::clock())),
            region: region.parse().unwrap(),
            external_id: None,
            session_name: "a-session".to_owned(),
            session_policy: None,
        };
        let is_assumed = caller
            .assume("arn:aws:iam::111111111111:role/Audit")
            .is_ok();
        let scope = |request: crate::http::Request| {
            let authorization = request
                .headers
                .into_iter()
                .find(|(name, _)| *name == "authorization");
            let authorization = authorization.unwrap().1;
            authorization.split('/').nth(2).unwrap().to_owned()
        };
        (http.requests().into_iter().map(scope).collect(), is_assumed)
    }

    #[test]
    fn disabled_region_is_replaced_by_global_region() {
        const ASSUMED: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId>\
            <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
            </Credentials><AssumedRoleUser><Arn>arn:aws:sts::111111111111:assumed-role/Audit/a-session</Arn>\
            <AssumedRoleId>AROAX:a-session</AssumedRoleId></AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>";
        for (region, global) in [
            ("eu-south-1", "us-east-1"),
            ("cn-north-1", "cn-northwest-1"),
            ("us-gov-east-1", "us-gov-west-1"),
        ] {
            let (regions, is_assumed) = assume(region, [(403, DISABLED), (200, ASSUMED)]);
            assert_eq!(regions, [region, global]);
            assert!(is_assumed);
            let (regions, is_assumed) = assume(region, [(403, DISABLED), (403, DISABLED)]);
            assert_eq!((regions.len(), is_assumed), (2, false));
            let (regions, is_assumed) = assume(global, [(403, DISABLED), (200, ASSUMED)]);
            assert_eq!((regions.len(), is_assumed), (1, false));
        }
    }
}
