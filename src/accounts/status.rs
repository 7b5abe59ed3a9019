//! The status of an account at the end of a run.

use serde::{Deserialize, Serialize};

/// The status of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// No count is missing.
    Complete,
    /// Some counts are missing.
    Partial,
    /// AWS denied the access.
    AccessDenied,
    /// The credentials are of another account.
    WrongAccount,
    /// The account is not active.
    NotActive,
    /// The options name the account, and it is not in the organization.
    NotInOrganization,
    /// A call failed, or all counts are missing.
    Failed,
    /// The run stopped before.
    NotTried,
}

impl AccountStatus {
    /// Returns the name in the files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::AccessDenied => "access_denied",
            Self::WrongAccount => "wrong_account",
            Self::NotActive => "not_active",
            Self::NotInOrganization => "not_in_organization",
            Self::Failed => "failed",
            Self::NotTried => "not_tried",
        }
    }

    /// Returns true if the account is not completely counted although it could be.
    #[must_use]
    pub fn is_missing(self) -> bool {
        !matches!(self, Self::Complete | Self::NotActive)
    }
}
