//! Errors of the list of accounts.

use crate::aws::error::{CallError, CredentialsError};
use crate::inventory::Inconsistency;
use crate::model::AccountId;

/// The reason why the list of accounts is not complete. A part of an organization is not the organization, so it ends
/// the run.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A failed call.
    #[error(transparent)]
    Call(Box<CallError>),
    /// Pages that do not end.
    #[error("{service}:{operation}: {source}")]
    Pages {
        /// The service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
        /// The reason.
        source: Inconsistency,
    },
    /// An account without a valid ID.
    #[error("{service}:{operation} returned an account without a valid ID")]
    InvalidAccount {
        /// The service.
        service: &'static str,
        /// The operation.
        operation: &'static str,
    },
    /// No organizational unit has this ID or path.
    #[error("no organizational unit {0} in this organization")]
    UnknownUnit(String),
    /// A failed request to the portal of IAM Identity Center.
    #[error(transparent)]
    Portal(#[from] CredentialsError),
    /// The account has no or several permission sets, and the options name none.
    #[error("the account {account} has {}", describe_roles(.roles))]
    PermissionSets {
        /// The account.
        account: AccountId,
        /// The permission sets.
        roles: String,
    },
    /// More accounts than a run can have.
    #[error("more than {0} accounts")]
    TooManyAccounts(usize),
}

impl From<CallError> for ListError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}

fn describe_roles(roles: &str) -> String {
    match roles {
        "" => "no permission set that is assigned to you".to_owned(),
        roles => format!("several permission sets: {roles}"),
    }
}
