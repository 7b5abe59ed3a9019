//! The names of regions and types in the summary: as few as say exactly which they are.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::text::{list, thousands};

/// The number of names that are always shown; more only if they fit.
const NAMED: usize = 8;

/// The width for names without a terminal, in characters.
const ROOM: usize = 100;

/// The maximum number of names after `but`.
const MAX_EXCEPTIONS: usize = 3;

/// The minimum number of names that `all but` replaces.
const MIN_ALL_BUT: usize = 5;

/// Formats all names, if they are few or fit one line of `columns`; otherwise the first ones: `a, b and 12 more`.
pub fn names<T: Display>(items: &BTreeSet<&T>, columns: Option<usize>) -> String {
    let room = columns.map_or(ROOM, |columns| columns.saturating_sub(4));
    let all = list(items, usize::MAX);
    // "and 1 more" takes the place of a name.
    if items.len() <= NAMED + 1 || all.chars().count() <= room {
        return all;
    }
    let first = list(items.iter().take(NAMED), NAMED);
    format!("{first} and {} more", thousands(items.len() - NAMED))
}

/// Returns the few items of `all` that `items` does not have, if it has most of them.
pub fn exceptions<'a, T: Ord>(
    items: &BTreeSet<&'a T>,
    all: &BTreeSet<&'a T>,
) -> Option<BTreeSet<&'a T>> {
    let others: BTreeSet<&T> = all.difference(items).copied().collect();
    let is_short = others.len() <= MAX_EXCEPTIONS && items.len() >= MIN_ALL_BUT;
    (is_short && items.is_subset(all)).then_some(others)
}
