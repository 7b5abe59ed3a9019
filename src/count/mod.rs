//! How one region's types are counted: one file a method.

pub mod list;

use std::fmt;

use crate::aws::error::CallError;
use crate::aws::operation::Operation;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::model::{Region, ResourceCount, ResourceType};

/// A way to count the resources of a region.
pub trait CountResources: Sync {
    /// The types in the batches that are counted, and may fail, together.
    fn batches<'t>(&self, types: &'t [ResourceType]) -> Vec<&'t [ResourceType]>;

    /// The exact totals of one batch; a type without resources has the total 0.
    ///
    /// # Errors
    /// The totals are not known: none of the batch may be used.
    fn count(
        &self,
        region: &Region,
        types: &[ResourceType],
    ) -> Result<Vec<ResourceCount>, CountError>;
}

/// Why a batch was not counted.
#[derive(Debug, Clone, PartialEq)]
pub enum CountError {
    /// A call failed.
    Call(CallError),
    /// Every call succeeded, and the pages still do not make a listing.
    Listing {
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
            Self::Listing { why, request_id } => write!(
                f,
                "config:{} gave {why} (request id {})",
                ListDiscoveredResources::NAME,
                crate::model::clean(request_id.as_deref().unwrap_or("none"), 80)
            ),
        }
    }
}

impl std::error::Error for CountError {}
