//! The missing counts that `--accept-missing` expects. They stay missing; only `--strict` does not count them.

use std::collections::HashMap;

use serde::Serialize;

use super::account_coverage::Coverage;
use super::cell::Cell;
use super::status::Class;
use crate::model::{ExpectedGap, Region, ResourceType};

/// An expected gap, and what became of it in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcceptedGap<'a> {
    /// The expected gap.
    pub gap: &'a ExpectedGap,
    /// The number of its counts that are missing.
    pub missing: usize,
    /// Its state.
    pub status: AcceptedStatus,
}

/// The state of an expected gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedStatus {
    /// Some or all of its counts are missing.
    Missing,
    /// None of its counts is missing: the gap need not be expected.
    NotMissing,
    /// The run has no such count.
    NotCounted,
}

/// The counts of an expected gap.
#[derive(Default)]
struct GapCounts {
    missing: usize,
    /// The missing ones, without those of a global type that another gap expects.
    own: usize,
}

impl Coverage {
    /// Expects `gaps`.
    #[must_use]
    pub fn with_expected(mut self, gaps: &[ExpectedGap]) -> Self {
        self.expected = gaps.iter().cloned().collect();
        self
    }

    /// Returns true if the count is missing, and that is expected.
    #[must_use]
    pub fn is_accepted(&self, region: &Region, resource_type: &ResourceType, cell: &Cell) -> bool {
        let is_expected = || {
            let gaps = gaps_of(region, resource_type);
            gaps.iter().any(|gap| self.expected.contains(gap))
        };
        cell.is_missing() && !self.expected.is_empty() && is_expected()
    }

    /// Returns the number of missing counts that are expected.
    #[must_use]
    pub fn accepted(&self) -> usize {
        let missing = self.cells_of(Class::Missing);
        missing
            .filter(|(r, t, cell)| self.is_accepted(r, t, cell))
            .count()
    }

    /// Returns the number of counts of `class`, without the missing ones that are expected.
    #[must_use]
    pub fn number_not_accepted(&self, class: Class) -> usize {
        match class {
            Class::Missing => self.number_of(class) - self.accepted(),
            _ => self.number_of(class),
        }
    }

    /// Returns the expected gaps, sorted.
    #[must_use]
    pub fn accepted_gaps(&self) -> Vec<AcceptedGap<'_>> {
        if self.expected.is_empty() {
            return Vec::new();
        }
        let mut counts: HashMap<ExpectedGap, GapCounts> = HashMap::new();
        for (region, resource_type, cell) in self.cells() {
            let gaps = gaps_of(region, resource_type);
            // A global type that no region records is a gap of the account: the type's own entry expects it.
            let is_of_type = cell.is_unrecorded_global(resource_type)
                && gaps[1..].iter().any(|gap| self.expected.contains(gap));
            for (n, gap) in gaps.into_iter().enumerate() {
                let counts = counts.entry(gap).or_default();
                counts.missing += usize::from(cell.is_missing());
                counts.own += usize::from(cell.is_missing() && (n > 0 || !is_of_type));
            }
        }
        let gap = |gap| {
            let counts = counts.get(gap);
            AcceptedGap {
                gap,
                missing: counts.map_or(0, |counts| counts.missing),
                status: match counts {
                    None => AcceptedStatus::NotCounted,
                    Some(GapCounts { own: 0, .. }) => AcceptedStatus::NotMissing,
                    Some(_) => AcceptedStatus::Missing,
                },
            }
        };
        self.expected.iter().map(gap).collect()
    }
}

/// Returns the gaps that have the count of a region and type.
fn gaps_of(region: &Region, resource_type: &ResourceType) -> [ExpectedGap; 3] {
    [
        ExpectedGap::Region(region.clone()),
        ExpectedGap::Type(resource_type.clone()),
        ExpectedGap::Count(region.clone(), resource_type.clone()),
    ]
}
