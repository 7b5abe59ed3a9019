//! Errors of the list of accounts.

use crate::aws::error::CallError;
use crate::inventory::Inconsistency;

/// The reason why the list of accounts is not complete. A part of an organization is not the organization, so it ends
/// the run.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A failed call.
    #[error(transparent)]
    Call(Box<CallError>),
    /// Pages that do not end.
    #[error("organizations:{operation}: {source}")]
    Pages {
        /// The operation.
        operation: &'static str,
        /// The reason.
        source: Inconsistency,
    },
    /// An account without a valid ID.
    #[error("organizations:{operation} returned an account without a valid ID")]
    InvalidAccount {
        /// The operation.
        operation: &'static str,
    },
    /// No organizational unit has this ID or path.
    #[error("no organizational unit {0} in this organization")]
    UnknownUnit(String),
    /// More accounts than a run can have.
    #[error("more than {0} accounts")]
    TooManyAccounts(usize),
}

impl From<CallError> for ListError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}
