//! The reason why an account of a run of many cannot be accessed.

use super::status::AccountStatus;
use crate::aws::error::{CallError, CredentialsError, ErrorKind};
use crate::model::AccountId;

/// The reason why an account cannot be accessed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// STS denied the role, or the call failed.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// STS returned a session of another account.
    #[error("sts:AssumeRole returned a session of the account {0}")]
    WrongAccount(AccountId),
    /// STS returned a session without the account.
    #[error("sts:AssumeRole returned a session without a valid ARN, so its account is not known")]
    UnknownAccount,
    /// The portal returned credentials of another account.
    #[error("IAM Identity Center returned credentials of the account {0}")]
    OtherAccount(AccountId),
    /// The account has no profile, or it is already done.
    #[error("no profile of this account")]
    NoProfile,
}

impl AccessError {
    /// Returns the failed call of STS.
    #[must_use]
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Self::Credentials(error) => error.call(),
            _ => None,
        }
    }

    /// Returns the status of the account.
    #[must_use]
    pub fn status(&self) -> AccountStatus {
        match self {
            Self::WrongAccount(_) | Self::OtherAccount(_) | Self::UnknownAccount => {
                AccountStatus::WrongAccount
            }
            _ if self.is_denied() => AccountStatus::AccessDenied,
            Self::Credentials(_) | Self::NoProfile => AccountStatus::Failed,
        }
    }

    /// Returns true if AWS denied the access.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        let is_assigned = !matches!(self, Self::Credentials(CredentialsError::NotAssigned(_)));
        let kind = self.call().and_then(CallError::kind);
        !is_assigned || kind == Some(ErrorKind::AccessDenied)
    }

    /// Returns true if the user must sign in again.
    #[must_use]
    pub fn is_signed_out(&self) -> bool {
        matches!(self, Self::Credentials(CredentialsError::SignIn { .. }))
    }
}
