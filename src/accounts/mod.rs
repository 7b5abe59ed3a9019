//! The accounts of a run of many accounts: where the list comes from, and how each account is accessed.

pub mod access;
mod access_error;
mod identity;
mod list;
mod list_error;
mod member;
mod organization;
mod pages;
mod profiles;
mod selection;
pub mod session_policy;
mod sso_session;
mod status;
mod unit_names;
mod units;

pub use identity::identity_call;
pub use list::AccountList;
pub use list_error::ListError;
pub use member::{ACTIVE, MemberAccount};
pub use profiles::{
    CheckedProfile, ProfileAccounts, ProfilesError, UnusableProfile, UsableProfile, select, shown,
};
pub use sso_session::{SsoAccess, only_permission_set};
pub use status::AccountStatus;
pub use unit_names::UnitNames;
