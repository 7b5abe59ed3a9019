//! Advice: what the user can do about an error or a missing count.

use crate::coverage::{Status, UnloggedGap};
use crate::error_log::ErrorType;
use crate::text::{list, pluralize};

/// The maximum number of types that a log line names.
const NAMED: usize = 20;

/// Returns advice for missing counts with `status`.
#[must_use]
pub fn for_status(status: Status) -> &'static str {
    match status {
        Status::Counted | Status::Zero => "nothing",
        Status::Denied => {
            "grant the policy printed by `aws-config-resource-count iam-policy`; also check \
             service control policies"
        }
        Status::RecorderMissing => {
            "turn on AWS Config there, or exclude the region with --exclude-regions"
        }
        Status::RecorderStopped => "start the recorder there",
        Status::NotRecorded => {
            "add these types to the recorder there (for IAM: in one older region only)"
        }
        Status::RegionDisabled => "enable the region for the account, or use --exclude-regions",
        Status::Throttled => "try again later or use --method counts",
        Status::ConnectionFailed => "check the network, firewall and endpoint",
        Status::Error => "see the error log",
        Status::NotTried => "fix the errors logged for the region and run again",
    }
}

/// Returns advice for regions whose recorder is unknown, because a call failed with `status`.
#[must_use]
pub fn for_unknown_recorder(status: Status) -> &'static str {
    match status {
        Status::Denied => for_status(status),
        _ => "see the output of --coverage",
    }
}

/// Returns the log message of a gap: the missing counts, the reason, and what to do about it.
#[must_use]
pub fn for_gap(unlogged: &UnloggedGap<'_>) -> String {
    let UnloggedGap { types, gap, .. } = unlogged;
    let subject = if types.len() == 1 {
        "not counted".to_owned()
    } else {
        let (count, names) = (pluralize(types.len(), "type"), list(types, NAMED));
        format!("{count} not counted ({names})")
    };
    let detail = &gap.detail;
    match gap.error_type {
        ErrorType::ConfigDisabled => format!("{subject}: {detail}; {}", for_status(gap.status)),
        // The error of the recorder call already has advice.
        _ => format!("{subject}: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_status_has_advice() {
        let advice: BTreeSet<&str> = Status::ALL.map(for_status).into();
        assert_eq!(advice.len(), 10, "counted and zero share theirs");
    }
}
