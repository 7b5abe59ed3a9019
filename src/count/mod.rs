//! How one region's types are counted: one file a call, one [`Method`] a combination of them.

pub mod counts;
mod list;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::aws::client::Client;
use crate::aws::error::CallError;
use crate::model::{KnownTypes, Region, ResourceType, ResourceTypes, clean};

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
    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Counts => "counts",
            Self::Verify => "verify",
        }
    }

    /// The types of a region that are listed, once its counts are known or will not be.
    #[must_use]
    pub fn to_list(self, types: &ResourceTypes, counts: Option<&Counts>) -> Vec<ResourceType> {
        match types {
            _ if !self.lists() => Vec::new(),
            ResourceTypes::Named(types) => types.clone(),
            // The counts say which types there are.
            ResourceTypes::All => counts.into_iter().flat_map(Counts::keys).cloned().collect(),
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

/// Counts the resources of a region, in the two ways that AWS Config offers.
pub trait CountResources: Send + Sync {
    /// How many resources of `types` are recorded, by one call and its pages.
    ///
    /// # Errors
    /// Nothing is known of any type.
    fn counts(&self, region: &Region, types: &ResourceTypes) -> Result<Counts, CountError>;

    /// Every resource of `resource_type`.
    ///
    /// # Errors
    /// The listing is not whole: nothing of it may be used.
    fn list(&self, region: &Region, resource_type: &ResourceType) -> Result<Listed, CountError>;
}

/// Counts through a client.
pub struct Counter {
    client: Arc<Client>,
    known: KnownTypes,
}

impl Counter {
    /// Counts through `client`.
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
