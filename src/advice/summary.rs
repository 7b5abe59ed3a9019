//! The reasons and the advice of the summary. They are shorter than those of the error log, where each line is complete
//! on its own.

use std::collections::BTreeSet;

use crate::coverage::Status;
use crate::inventory::Method;
use crate::model::{Region, ResourceType, ResourceTypes};
use crate::options::Options;
use crate::text::did_you_mean;

/// Returns the reason why counts with `status` are missing.
#[must_use]
pub fn reason(status: Status) -> &'static str {
    match status {
        Status::Counted | Status::Zero | Status::CountedElsewhere => "counted",
        Status::RecorderStopped => "recorder stopped",
        Status::RecorderFailed => "recorder failed",
        Status::RecorderPending => "recorder pending",
        Status::Unverified => "recorder status unknown",
        Status::ChangedWhileListed => "changed while listed",
        Status::AccessDenied => "access denied",
        Status::RecorderMissing => "no configuration recorder",
        Status::NotRecorded => "not recorded",
        Status::RegionDisabled => "region not enabled",
        Status::UnknownType => "unknown type",
        Status::Throttled => "throttled",
        Status::ConnectionFailed => "connection failed",
        Status::Error => "error",
        Status::NotTried => "not tried",
    }
}

/// Returns what to do about missing counts with `status` in a run with `options`. The policy is that of
/// [`iam_policy_command`], which the summary shows once. `was_stopped` is true if a fatal error ended the scan.
#[must_use]
pub fn action(status: Status, options: &Options, was_stopped: bool) -> &'static str {
    let lists = options.method.lists();
    match status {
        Status::Counted | Status::Zero | Status::CountedElsewhere => "nothing",
        Status::RecorderStopped if lists => "start the recorder",
        Status::RecorderStopped => "start the recorder, or use --method list",
        Status::RecorderFailed => "check the recorder's role and delivery channel",
        Status::RecorderPending => "wait until the recorder has recorded, and run again",
        Status::ChangedWhileListed => "run again when fewer resources change",
        Status::AccessDenied => "grant the IAM policy below; also check service control policies",
        Status::RecorderMissing => "turn on AWS Config there",
        Status::NotRecorded => "add to the recorder there",
        Status::RegionDisabled => "enable for the account",
        Status::UnknownType => "check the spelling",
        Status::Throttled if lists => "try again later, or use --method counts",
        Status::Throttled => "try again later",
        Status::ConnectionFailed => "check the network, firewall and endpoint",
        Status::Error | Status::Unverified => "see the error log",
        Status::NotTried if was_stopped => "see FATAL in the error log, and run again",
        Status::NotTried => "give the scan more time with --max-time",
    }
}

/// Returns what to do about a type that may be misspelled.
#[must_use]
pub fn action_for_unknown_type(resource_type: &ResourceType) -> String {
    let question = did_you_mean(&ResourceType::near(resource_type.as_str()));
    format!("check the spelling{question}")
}

/// Returns the command that prints the IAM policy for a run with `options`: with all options that change the policy.
#[must_use]
pub fn iam_policy_command(options: &Options) -> String {
    let mut words = vec!["aws-config-resource-count", "iam-policy"];
    if options.method != Method::default() {
        words.extend(["--method", options.method.as_str()]);
    }
    if options.resource_types == ResourceTypes::All {
        words.extend(["--resource-types", "all"]);
    }
    words.join(" ")
}

/// Returns the option that excludes `regions` from a run with `options`, in addition to those that it excludes.
#[must_use]
pub fn exclude_regions(options: &Options, regions: &BTreeSet<&Region>) -> String {
    let excluded = options
        .exclude_regions
        .iter()
        .chain(regions.iter().copied());
    let names: Vec<&str> = excluded.map(Region::as_str).collect();
    format!("--exclude-regions {}", names.join(","))
}
