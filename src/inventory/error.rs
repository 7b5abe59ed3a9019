//! The errors of counting.

use crate::aws::error::CallError;
use crate::model::ResourceType;
use crate::text::sanitize;

/// The reason why resources were not counted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CountError {
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Every call succeeded, but the pages are inconsistent.
    #[error("config:{operation} returned {inconsistency} (request id {})", shown(request_id.as_deref()))]
    Pages {
        /// The operation that returned the pages.
        operation: &'static str,
        /// The inconsistency of the pages.
        inconsistency: Inconsistency,
        /// The request ID of the last page.
        request_id: Option<String>,
    },
}

/// The inconsistency of the pages of a response, as an object of "returned".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistency {
    /// A page token was returned before.
    #[error("the same page token twice: the {0} would never end")]
    RepeatedToken(&'static str),
    /// Too many pages in a row have nothing new.
    #[error("{0} pages in a row without anything new, and a token for another")]
    EmptyPages(u32),
    /// More pages than AWS Config returns.
    #[error("more than {0} pages")]
    TooManyPages(usize),
    /// More resources of a type than the program counts.
    #[error("more than {0} resources")]
    TooManyResources(usize),
    /// More types than AWS Config has.
    #[error("more than {0} types")]
    TooManyTypes(usize),
    /// A type is counted on two pages.
    #[error("the type {0} twice")]
    RepeatedType(ResourceType),
    /// The sum of the counts is larger than that of any account.
    #[error("counts that are too large to add")]
    TooLarge,
    /// The counts do not add up to the total of the response.
    #[error("pages with {sum} resources but totalDiscoveredResources is {total}")]
    WrongTotal {
        /// The sum of the counts.
        sum: u64,
        /// `totalDiscoveredResources`.
        total: u64,
    },
    /// Type names are shown and written to files.
    #[error("a type name that contains the caller's credentials")]
    Credentials,
}

impl Inconsistency {
    /// Creates the error of pages of `operation`.
    pub(super) fn of(self, operation: &'static str, request_id: Option<String>) -> CountError {
        CountError::Pages {
            operation,
            inconsistency: self,
            request_id,
        }
    }
}

fn shown(request_id: Option<&str>) -> String {
    sanitize(request_id.unwrap_or("none"), 80)
}
