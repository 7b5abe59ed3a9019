//! Gaps without a log line, because no call failed.

use std::collections::BTreeMap;

use super::account_coverage::Coverage;
use super::cell::Value;
use super::gap::Gap;
use crate::model::{Region, ResourceType};

/// The types of a region whose counts are missing for the same reason, which is not in the log yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnloggedGap<'a> {
    /// The region.
    pub region: &'a Region,
    /// The types, at least one.
    pub types: Vec<&'a ResourceType>,
    /// The reason.
    pub gap: &'a Gap,
}

impl Coverage {
    /// Returns the gaps without a log line, grouped by region and reason.
    #[must_use]
    pub fn unlogged(&self) -> Vec<UnloggedGap<'_>> {
        let mut groups = BTreeMap::new();
        for (region, resource_type, cell) in self.cells() {
            let Value::Missing(gap) = &cell.value else {
                continue;
            };
            if !gap.logged {
                let group = groups.entry((region, gap.status, gap.error_type));
                let types = Vec::new();
                let group = group.or_insert(UnloggedGap { region, types, gap });
                group.types.push(resource_type);
            }
        }
        groups.into_values().collect()
    }
}
