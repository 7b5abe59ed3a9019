//! The methods to count, and what they return.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{ResourceType, ResourceTypes};

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

/// The number of resources by type; types without resources are absent.
pub type Counts = BTreeMap<ResourceType, u64>;

/// The result of a complete listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The number of different resources.
    pub total: u64,
    /// The hashes of the resource IDs, only for global types; the same ID has the same hash in every
    /// region.
    pub ids: Vec<u64>,
    /// The reason why the total may be wrong, if the resources changed while they were listed; it is
    /// in the log.
    pub changed: Option<Arc<str>>,
}
