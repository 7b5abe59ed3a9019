//! The accounts that are assigned to a user of IAM Identity Center.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::access_error::AccessError;
use super::identity::identity_call;
use super::list_error::ListError;
use super::member::MemberAccount;
use super::organization::MAX_ACCOUNTS;
use super::pages::PageCursor;
use crate::aws::client::{Client, Transport};
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::credentials::{PortalAccount, SsoPortal};
use crate::aws::error::CredentialsError;
use crate::aws::retry::CALL_LIMIT;
use crate::model::{AccountId, Region, RoleName};
use crate::options::Selection;
use crate::text::list;
use crate::untrusted::Untrusted;

/// The list of the accounts, as far as it was fetched.
pub struct SsoList {
    portal: Arc<SsoPortal>,
    pages: PageCursor,
    seen: BTreeSet<AccountId>,
}

impl SsoList {
    /// Starts the list.
    #[must_use]
    pub fn new(portal: Arc<SsoPortal>) -> Self {
        Self {
            portal,
            pages: PageCursor::of_portal("ListAccounts"),
            seen: BTreeSet::new(),
        }
    }

    /// Returns the name of the session.
    #[must_use]
    pub fn session(&self) -> &str {
        self.portal.name()
    }

    /// Returns true if there may be a further page.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        !self.pages.is_complete()
    }

    /// Returns true if `account` was listed, selected or not.
    #[must_use]
    pub fn has(&self, account: &AccountId) -> bool {
        self.seen.contains(account)
    }

    /// Fetches the next page. Returns its selected accounts, which may be none; `None` after the last page.
    ///
    /// # Errors
    /// A request failed: then the list is not complete.
    pub fn next_page(
        &mut self,
        selection: &Selection,
    ) -> Result<Option<Vec<MemberAccount>>, ListError> {
        let portal = &self.portal;
        let page = self.pages.next(|token| portal.accounts(token))?;
        let Some(page) = page else {
            return Ok(None);
        };
        let mut members = Vec::new();
        for account in page {
            let member = self.member(&account, selection);
            let member = member.ok_or(ListError::InvalidAccount {
                service: "sso",
                operation: "ListAccounts",
            })?;
            if self.seen.insert(member.id.clone()) && selection.names(&member.id) {
                members.push(member);
            }
        }
        if self.seen.len() > MAX_ACCOUNTS {
            return Err(ListError::TooManyAccounts(MAX_ACCOUNTS));
        }
        Ok(Some(members))
    }

    fn member(&self, account: &PortalAccount, selection: &Selection) -> Option<MemberAccount> {
        let mut member = MemberAccount::new(account.account_id.parse()?);
        member.role = selection.role(&member.id).cloned();
        if let Some(name) = &account.account_name {
            member = member.with_name(name, &self.portal.redactor());
        }
        Some(member)
    }
}

/// Returns the only permission set of an account.
///
/// # Errors
/// A request failed, or the account has no or several permission sets.
pub fn only_permission_set(portal: &SsoPortal, account: &AccountId) -> Result<RoleName, ListError> {
    let mut pages = PageCursor::of_portal("ListAccountRoles");
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
