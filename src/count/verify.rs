//! Counting in both ways, for a comparison: the totals are those of the listings.

use super::counts::Counting;
use super::list::Listing;
use super::{CountResources, Tally};
use crate::model::{Region, ResourceTypes};

/// Asks for the counts, then lists.
pub struct Verifying<'a>(pub(super) Listing<'a>);

impl CountResources for Verifying<'_> {
    fn count(&self, region: &Region, types: &ResourceTypes, tally: &mut dyn Tally) {
        let Self(listing) = self;
        match types {
            // The listing of all types begins with the counts anyway.
            ResourceTypes::All => listing.count(region, types, tally),
            ResourceTypes::Named(named) => {
                // Without the counts there is nothing to compare with, and the totals are the same.
                Counting::of(listing.client).survey(region, types, tally);
                listing.each(region, named, tally);
            }
        }
    }
}
