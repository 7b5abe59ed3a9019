//! Counts the resources of one region: a file per AWS operation, a [`Method`] per combination of
//! them.

pub mod counts;
mod list;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::aws::client::Client;
use crate::aws::error::CallError;
use crate::model::{KnownTypes, Region, ResourceType, ResourceTypes};
use crate::text::sanitize;

/// A method to count the resources of a region.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// Every page of `config:ListDiscoveredResources`.
    #[default]
    List,
    /// `config:GetDiscoveredResourceCounts`.
    Counts,
    /// Both, with a comparison.
    Verify,
}

impl Method {
    /// Returns the name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Counts => "counts",
            Self::Verify => "verify",
        }
    }

    /// Returns the types of a region to list. `counts` is `None` if they were not requested or
    /// failed.
    #[must_use]
    pub fn to_list(self, types: &ResourceTypes, counts: Option<&Counts>) -> Vec<ResourceType> {
        match types {
            _ if !self.lists() => Vec::new(),
            ResourceTypes::Named(types) => types.clone(),
            // The counts have the types that exist in the region.
            ResourceTypes::All => counts.into_iter().flat_map(Counts::keys).cloned().collect(),
        }
    }

    /// Returns true if the method lists resources.
    #[must_use]
    pub fn lists(self) -> bool {
        self != Self::Counts
    }

    /// Returns true if the method calls `config:GetDiscoveredResourceCounts` for `types`.
    #[must_use]
    pub fn asks_counts(self, types: &ResourceTypes) -> bool {
        self != Self::List || *types == ResourceTypes::All
    }
}

/// Counts the resources of a region with the two operations that AWS Config offers.
pub trait CountResources: Send + Sync {
    /// Returns the counts of recorded resources of `types`, from one call and its pages.
    ///
    /// # Errors
    /// A page failed; no count may be used.
    fn counts(&self, region: &Region, types: &ResourceTypes) -> Result<Counts, CountError>;

    /// Lists every resource of `resource_type`.
    ///
    /// # Errors
    /// The listing is incomplete; no part of it may be used.
    fn list(&self, region: &Region, resource_type: &ResourceType) -> Result<Listed, CountError>;
}

/// Counts resources with an AWS client.
pub struct Counter {
    client: Arc<Client>,
    known: KnownTypes,
}

impl Counter {
    /// Creates a counter that uses `client`.
    #[must_use]
    pub fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            known: KnownTypes::default(),
        }
    }
}

impl CountResources for Counter {
    fn counts(&self, region: &Region, types: &ResourceTypes) -> Result<Counts, CountError> {
        counts::counts(&self.client, &self.known, region, types)
    }

    fn list(&self, region: &Region, resource_type: &ResourceType) -> Result<Listed, CountError> {
        list::list(&self.client, region, resource_type)
    }
}

/// The number of resources by type; types without resources are absent.
pub type Counts = BTreeMap<ResourceType, u64>;

/// The result of a complete listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The number of resources.
    pub total: u64,
    /// The hashes of the resource IDs, only for global types; the same ID has the same hash in every
    /// region.
    pub ids: Vec<u64>,
}

/// The reason why resources were not counted.
#[derive(Debug, Clone, PartialEq)]
pub enum CountError {
    /// A call failed.
    Call(CallError),
    /// Every call succeeded, but the pages are inconsistent.
    Pages {
        /// The operation that returned the pages.
        operation: &'static str,
        /// The inconsistency, as an object of "returned".
        why: String,
        /// The request ID of the last page.
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
                "config:{operation} returned {why} (request id {})",
                sanitize(request_id.as_deref().unwrap_or("none"), 80)
            ),
        }
    }
}

impl std::error::Error for CountError {}

#[cfg(test)]
mod tests;
