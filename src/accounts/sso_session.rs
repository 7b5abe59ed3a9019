//! The accounts that are assigned to a user of IAM Identity Center.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::access_error::AccessError;
use super::identity::identity_call;
use super::list_error::ListError;
use super::member::MemberAccount;
use super::pages::PageCursor;
use crate::aws::client::{Client, Transport};
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::credentials::{PortalAccount, SsoPortal};
use crate::aws::error::CredentialsError;
use crate::aws::page::Page;
use crate::aws::retry::CALL_LIMIT;
use crate::model::{AccountId, Region, RoleName};
use crate::text::list;
use crate::untrusted::Untrusted;

/// Fetches a page of the accounts.
///
/// # Errors
/// The request failed, or an account has no valid ID.
pub fn fetch(
    portal: &SsoPortal,
    next_token: Option<&str>,
) -> Result<Page<MemberAccount>, ListError> {
    let page = portal.accounts(next_token)?;
    let member = |account: PortalAccount| {
        let id = account
            .account_id
            .parse()
            .ok_or(ListError::InvalidAccount {
                service: "sso",
                operation: "ListAccounts",
            })?;
        let member = MemberAccount::new(id);
        Ok(match &account.account_name {
            Some(name) => member.with_name(name, &portal.redactor()),
            None => member,
        })
    };
    let members: Result<_, ListError> = page.items.into_iter().map(member).collect();
    Ok(Page {
        items: members?,
        next_token: page.next_token,
    })
}

/// Returns the only permission set of an account.
///
/// # Errors
/// A request failed, or the account has no or several permission sets.
pub fn only_permission_set(portal: &SsoPortal, account: &AccountId) -> Result<RoleName, ListError> {
    let mut pages = PageCursor::new("sso", "ListAccountRoles");
    let mut roles = BTreeSet::new();
    while let Some(page) = pages.next(|token| portal.roles(account, token))? {
        roles.extend(page.iter().filter_map(Untrusted::parse::<RoleName>));
    }
    let roles: Vec<_> = roles.into_iter().collect();
    match <[RoleName; 1]>::try_from(roles) {
        Ok([role]) => Ok(role),
        Err(roles) => Err(ListError::PermissionSets {
            account: account.clone(),
            roles: list(roles, usize::MAX),
        }),
    }
}

/// The access with a permission set.
pub struct SsoAccess {
    /// The portal.
    pub portal: Arc<SsoPortal>,
    /// The permission set.
    pub role: RoleName,
    /// The settings of the clients.
    pub transport: Transport,
    /// The region of the first calls.
    pub start_region: Region,
}

impl SsoAccess {
    /// Returns the permission set of `member`.
    fn role_of<'a>(&'a self, member: &'a MemberAccount) -> &'a RoleName {
        member.role.as_ref().unwrap_or(&self.role)
    }

    /// Describes the access to `member`: `sso NAME/ROLE`.
    #[must_use]
    pub fn describe(&self, member: &MemberAccount) -> String {
        let name = super::profiles::shown(self.portal.name());
        format!("sso {name}/{}", self.role_of(member))
    }

    /// Returns a client for `member`, whose credentials are refreshed before they expire.
    ///
    /// # Errors
    /// The permission set is not assigned to the user, or the credentials are not of this account.
    pub fn open(&self, member: &MemberAccount) -> Result<Arc<Client>, AccessError> {
        let (portal, account) = (self.portal.clone(), member.id.clone());
        let role = self.role_of(member).to_string();
        let load = move || -> Result<ResolvedCredentials, CredentialsError> {
            portal.role_credentials(&account, &role)
        };
        let identify = identity_call(
            self.transport.clone(),
            self.start_region.clone(),
            CALL_LIMIT,
        );
        let credentials = CachedCredentials::load(Box::new(move |_| load()), identify)?;
        let verified = credentials.record_account(&member.id);
        verified
            .and_then(|()| credentials.verify())
            .map_err(|error| match error {
                CredentialsError::OtherAccount { found, .. } => AccessError::OtherAccount(found),
                other => AccessError::Credentials(other),
            })?;
        Ok(Arc::new(Client::new(self.transport.clone(), credentials)))
    }
}
