//! How one region's types are counted: one file a method.

pub mod counts;
mod list;
mod verify;

use std::collections::BTreeMap;
use std::fmt;

use crate::aws::client::Client;
use crate::aws::error::CallError;
use crate::model::{Region, ResourceType, ResourceTypes, clean};

/// A way to count the resources of a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// Every page of `config:ListDiscoveredResources`.
    #[default]
    List,
    /// `config:GetDiscoveredResourceCounts`.
    Counts,
    /// Both, and what differs.
    Verify,
}

impl Method {
    /// Counts in this way through `client`.
    #[must_use]
    pub fn counter(self, client: &Client) -> Box<dyn CountResources + '_> {
        let listing = list::Listing { client };
        match self {
            Self::List => Box::new(listing),
            Self::Counts => Box::new(counts::Counting::of(client)),
            Self::Verify => Box::new(verify::Verifying(listing)),
        }
    }

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Counts => "counts",
            Self::Verify => "verify",
        }
    }

    /// Whether totals come from listings.
    #[must_use]
    pub fn lists(self) -> bool {
        self != Self::Counts
    }

    /// Whether `config:GetDiscoveredResourceCounts` is asked to count `types`.
    #[must_use]
    pub fn asks_counts(self, types: &ResourceTypes) -> bool {
        self != Self::List || *types == ResourceTypes::All
    }
}

/// Counts the resources of a region.
pub trait CountResources: Sync {
    /// Counts `types`, step by step; what each step brings or loses goes to `tally`.
    fn count(&self, region: &Region, types: &ResourceTypes, tally: &mut dyn Tally);
}

/// Does the steps of a count, and takes in what comes of them.
///
/// After a failure that ends its region no step is done any more.
pub trait Tally {
    /// One step that counts many types at once; `None` where it failed.
    fn counts(&mut self, work: &dyn Fn() -> Result<Counts, CountError>) -> Option<Counts>;

    /// A step for each of `types`.
    fn each(&mut self, types: &[ResourceType], work: &ListOne<'_>);
}

/// Lists one type.
pub type ListOne<'a> = dyn Fn(&ResourceType) -> Result<Listed, CountError> + Sync + 'a;

/// The types of which there are resources, each with their number.
pub type Counts = BTreeMap<ResourceType, u64>;

/// A listing from its first page to its last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// How many resources it names.
    pub total: u64,
    /// Their ids, where the type is a global one.
    pub ids: Vec<String>,
}

/// Why something was not counted.
#[derive(Debug, Clone, PartialEq)]
pub enum CountError {
    /// A call failed.
    Call(CallError),
    /// Every call succeeded, and the pages still do not make a whole.
    Pages {
        /// The operation that gave them.
        operation: &'static str,
        /// What is wrong with them.
        why: String,
        /// The request id of the last page.
        request_id: Option<String>,
    },
}

impl From<CallError> for CountError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for CountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(f),
            Self::Pages {
                operation,
                why,
                request_id,
            } => write!(
                f,
                "config:{operation} gave {why} (request id {})",
                clean(request_id.as_deref().unwrap_or("none"), 80)
            ),
        }
    }
}

impl std::error::Error for CountError {}

#[cfg(test)]
mod tests;
