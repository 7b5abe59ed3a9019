//! Requests the numbers of a region again where the listing and the counts differ, with `--method verify`: a resource that
//! was recorded between the two calls is not a difference.

use crate::aws::client::Client;
use crate::coverage::RegionResult;
use crate::inventory::list::Listing;
use crate::inventory::{Counts, Listed, counts};
use crate::model::{Region, ResourceType, ResourceTypes};

/// The second numbers of types: listed and counted.
pub(super) type Rechecked = Vec<(ResourceType, Listed, u64)>;

/// Requests the listing and the count of each of `types`. Leaves out the types for which a call fails or the listing
/// changes: the first numbers remain.
pub(super) fn fetch(client: &Client, region: &Region, types: Vec<ResourceType>) -> Rechecked {
    let list = |resource_type: ResourceType| {
        let listed = Listing::fetch_all(client, region, &resource_type).ok()?;
        Some((resource_type, listed))
    };
    let listed: Vec<_> = types.iter().cloned().filter_map(list).collect();
    let counted = counts::fetch(client, region, &ResourceTypes::Named(types), None);
    let Ok(counted) = counted else {
        return Vec::new();
    };
    let unchanged = listed.into_iter().filter(|(_, l)| l.changed.is_none());
    unchanged
        .map(|(t, listed)| {
            let count = counted.get(&t).copied().unwrap_or_default();
            (t, listed, count)
        })
        .collect()
}

/// Replaces the numbers of the result with the second ones.
pub(super) fn apply(rechecked: Rechecked, result: &mut RegionResult) {
    for (resource_type, listed, count) in rechecked {
        let counts = result.counts.get_or_insert_with(Counts::new);
        counts.remove(&resource_type);
        if count > 0 {
            counts.insert(resource_type.clone(), count);
        }
        result.rechecked.insert(resource_type.clone());
        result.listed.insert(resource_type, Ok(listed));
    }
}
