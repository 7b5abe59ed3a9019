//! Counting by listing: every page of `config:ListDiscoveredResources`.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::slice;

use super::{CountError, CountResources};
use crate::aws::client::Client;
use crate::aws::ops::list_discovered_resources::ListDiscoveredResources;
use crate::model::{Region, ResourceCount, ResourceType};

/// How many empty pages in a row may carry a token: some do, but a listing has to go on.
const MAX_EMPTY_PAGES: u32 = 100;

/// How many pages a listing may have: ten million resources of one type in one region.
const MAX_PAGES: u32 = 100_000;

/// Counts type by type, page by page; only the number is kept.
pub struct Listing<'a> {
    /// Makes the calls.
    pub client: &'a Client,
}

impl CountResources for Listing<'_> {
    fn batches<'t>(&self, types: &'t [ResourceType]) -> Vec<&'t [ResourceType]> {
        types.iter().map(slice::from_ref).collect()
    }

    fn count(
        &self,
        region: &Region,
        types: &[ResourceType],
    ) -> Result<Vec<ResourceCount>, CountError> {
        let count = |resource_type: &ResourceType| {
            Ok(ResourceCount {
                region: region.clone(),
                resource_type: resource_type.clone(),
                total: self.total(region, resource_type)?,
            })
        };
        types.iter().map(count).collect()
    }
}

impl Listing<'_> {
    fn total(&self, region: &Region, resource_type: &ResourceType) -> Result<u64, CountError> {
        let hasher = RandomState::new();
        // Eight bytes a page, whatever the length of a token.
        let mut seen = HashSet::new();
        let mut token: Option<String> = None;
        let mut total = 0;
        let mut empty = 0;
        for _ in 0..MAX_PAGES {
            let page = ListDiscoveredResources {
                resource_type,
                limit: None,
                next_token: token.as_deref(),
            };
            let answer = self.client.call(region, &page)?;
            let broken = |why: &str| {
                Err(CountError::Listing {
                    why: why.to_owned(),
                    request_id: answer.request_id.clone(),
                })
            };
            total += answer.output.resources;
            let Some(next) = answer.output.next_token else {
                return Ok(total);
            };
            if !seen.insert(hasher.hash_one(&next)) {
                return broken("the same page token twice: the listing would never end");
            }
            empty = if answer.output.resources == 0 {
                empty + 1
            } else {
                0
            };
            if empty == MAX_EMPTY_PAGES {
                return broken("a hundred empty pages in a row, and a token for another");
            }
            token = Some(next);
        }
        Err(CountError::Listing {
            why: format!("more than {MAX_PAGES} pages"),
            request_id: None,
        })
    }
}
