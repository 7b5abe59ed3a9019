//! Advice: what the user can do about an error or a missing count.

use crate::coverage::UnloggedGap;
use crate::error_log::ErrorType;
use crate::model::ResourceType;
use crate::text::pluralize;

/// The maximum number of types that a log line names.
const NAMED: usize = 20;

/// Returns the log message of a gap: the missing counts, the reason, and what to do about it.
#[must_use]
pub fn for_gap(unlogged: &UnloggedGap<'_>) -> String {
    let UnloggedGap { types, gap, .. } = unlogged;
    let subject = match types[..] {
        [_] => "not counted".to_owned(),
        _ => format!(
            "{} not counted ({})",
            pluralize(types.len(), "type"),
            names(types)
        ),
    };
    let detail = &gap.detail;
    match gap.error_type {
        ErrorType::ConfigDisabled => format!("{subject}: {detail}; {}", gap.status.advice()),
        // The error of the recorder call already has advice.
        _ => format!("{subject}: {detail}"),
    }
}

/// `A, B and 3 more`.
fn names(types: &[&ResourceType]) -> String {
    let named: Vec<&str> = types.iter().take(NAMED).map(|t| t.as_str()).collect();
    let named = named.join(", ");
    match types.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
