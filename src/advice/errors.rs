//! Advice about failed calls, credentials and missing counts.

use std::collections::BTreeSet;

use super::rejected;
use crate::aws::error::{Bound, CallError, Cause, CredentialsError, ErrorKind, SigningError};
use crate::aws::operation::Service;
use crate::aws::partition::Partition;
use crate::coverage::{Cell, Status, Types, Unlogged, UnloggedCounts};
use crate::error_log::ErrorType;
use crate::http::TransportErrorKind;
use crate::inventory::CountError;
use crate::model::{Region, ResourceType};
use crate::text::{did_you_mean, list, near_matches, pluralize};

/// The advice for a response that is not from AWS.
const NOT_AWS: &str = "a proxy or captive portal may be answering instead of AWS, or the endpoint \
                       URL is wrong";

/// The advice for credentials that only one region rejects.
const ONE_REGION: &str = "sts:GetCallerIdentity accepts the credentials, so only this region rejects them: try again \
                          later, or exclude it with --exclude-regions";

/// The advice for a clock that only one region rejects.
const ONE_CLOCK: &str = "sts:GetCallerIdentity accepts this machine's clock, so the clock of this region's endpoint is \
                         wrong: try again later, or exclude the region with --exclude-regions";

/// The advice for credentials that AWS accepted before and now rejects.
const REVOKED: &str = "sts:GetCallerIdentity rejects them too, so the access key was deactivated or deleted during the \
                       run: use other credentials";

/// The advice for a certificate of a CA that is not trusted.
pub const FOR_UNTRUSTED_CA: &str = "use --ca-bundle or AWS_CA_BUNDLE to trust another CA";

/// The maximum number of types that a log line names.
pub const NAMED: usize = 20;

/// The reason why types are not counted when the time of the scan is used up, and the advice.
pub const OUT_OF_TIME: &str =
    "the scan reached its time limit; give it more with --max-time, or scan fewer types or regions";

/// The reason why an account is not tried when the time of a run of many accounts is used up, and the advice.
pub const NOT_TRIED_IN_TIME: &str = "not tried, because the run reached its time limit; continue it with --resume, and \
                                     give it more time with --max-time";

/// Returns advice for a failed call.
#[must_use]
pub fn for_call(error: &CallError) -> String {
    match &error.cause {
        _ if error.bound == Some(Bound::Scan) => OUT_OF_TIME.to_owned(),
        Cause::Service {
            kind: ErrorKind::Other,
            code,
            ..
        } if code.is_empty() => NOT_AWS.to_owned(),
        Cause::Service { kind, .. } => for_service_error(error, *kind),
        Cause::ClockSkew { .. } => "set this machine's clock".to_owned(),
        Cause::Unreadable { .. } => NOT_AWS.to_owned(),
        Cause::Transport(transport) => {
            let advice = match (&error.endpoint, transport.kind) {
                (Some(endpoint), TransportErrorKind::Dns) => {
                    format!(
                        "check the network and the host name in {}",
                        rejected::setting(endpoint)
                    )
                }
                (_, kind) => for_transport_error(kind).to_owned(),
            };
            // A proxy that cannot find the host refuses to connect.
            let is_unreached = matches!(
                transport.kind,
                TransportErrorKind::Dns
                    | TransportErrorKind::Proxy
                    | TransportErrorKind::Connection
            );
            let region = is_unreached.then(|| for_unknown_region(&error.region));
            format!("{advice}{}", region.unwrap_or_default())
        }
        Cause::Signing(SigningError::Endpoint(_)) => {
            "AWS offers FIPS and dual-stack endpoints only in some partitions".to_owned()
        }
        Cause::Signing(_) => "check the endpoint URL and the credentials".to_owned(),
        Cause::Credentials(why) => match (&**why, why.call()) {
            (CredentialsError::OtherAccount { .. }, _) => {
                "do not change the account of the credentials during a run; run again".to_owned()
            }
            (_, Some(call)) => for_call(call),
            (_, None) => for_service_error(error, ErrorKind::Expired),
        },
    }
}

fn for_service_error(error: &CallError, kind: ErrorKind) -> String {
    let advice = match kind {
        ErrorKind::Throttling => "try again later, or scan fewer types",
        ErrorKind::Transient => "try again later",
        ErrorKind::AccessDenied => return rejected::for_access_denied(error),
        ErrorKind::UnrecognizedClient => return rejected::for_unrecognized_client(error),
        ErrorKind::BadSignature => return rejected::for_signature(error),
        ErrorKind::NoRecorder => {
            "turn on AWS Config in this region, or exclude it with --exclude-regions"
        }
        ErrorKind::OptInRequired if error.service == Service::Sts => {
            "activate STS in this region (account settings of the IAM console), or choose another \
             start region with --region"
        }
        ErrorKind::OptInRequired => {
            "the account is not subscribed to this service in this region: complete the sign-up, \
             or exclude the region with --exclude-regions"
        }
        ErrorKind::Expired => "get new credentials, for example with `aws sso login`",
        ErrorKind::ResourceNotDiscovered | ErrorKind::InvalidPageToken | ErrorKind::Other => {
            "see the AWS API reference for this error code"
        }
    };
    advice.to_owned()
}

/// Returns the warning about a start region that may be misspelled. Others may be new, or those of an emulator.
#[must_use]
pub fn for_start_region(region: &Region) -> Option<String> {
    let near = near_matches(region.as_str(), Partition::known_regions());
    let is_misspelled = !Partition::knows(region) && !near.is_empty();
    is_misspelled.then(|| {
        let question = did_you_mean(&near);
        format!("--region: {region} is not a region that this version knows{question}")
    })
}

/// Returns the near matches of a region that this version of the program does not know; empty for a known region.
fn for_unknown_region(region: &Region) -> String {
    if Partition::knows(region) {
        return String::new();
    }
    let near = near_matches(region.as_str(), Partition::known_regions());
    let question = did_you_mean(&near);
    format!("; {region} is not a region that this version knows{question}")
}

/// Returns the warning about a resource type that may be misspelled.
#[must_use]
pub fn for_unknown_type(resource_type: &ResourceType) -> String {
    let question = did_you_mean(&ResourceType::near(resource_type.as_str()));
    format!(
        "{resource_type} is not a resource type of AWS Config that this version knows{question}"
    )
}

fn for_transport_error(kind: TransportErrorKind) -> &'static str {
    use TransportErrorKind as Kind;
    match kind {
        Kind::Dns => "check the network and the region name",
        Kind::Timeout | Kind::Connect | Kind::Connection => {
            "check the network, firewall and endpoint"
        }
        Kind::Exhausted => {
            "raise the limits on open files and threads (ulimit -n, ulimit -u), scan fewer \
             regions, or lower --region-concurrency"
        }
        Kind::Tls => "check the certificate bundle",
        Kind::Handshake => "check the endpoint and any proxy",
        Kind::Proxy => {
            "check the user name and password in the proxy URL (percent-encoded), the rules of \
             the proxy, and NO_PROXY"
        }
        Kind::TooLarge => "the response is not from AWS: check the endpoint and any proxy",
        Kind::NotRecorded => "replay with the options of the recording, or make a new recording",
        Kind::Interrupted => "run again",
    }
}

/// Returns the message of an error of the credentials, with advice if a call failed. The other
/// errors say themselves what to do.
#[must_use]
pub fn for_credentials(error: &CredentialsError) -> String {
    match error.call() {
        Some(call) => format!("{error}; {}", for_call(call)),
        None => error.to_string(),
    }
}

/// Returns advice for counts that no failed call has logged: their status follows from the recorder.
fn for_status(status: Status) -> &'static str {
    match status {
        Status::RecorderMissing => {
            "turn on AWS Config there, or exclude the region with --exclude-regions"
        }
        Status::RecorderStopped => "start the recorder there",
        Status::RecorderFailed => {
            "check the recorder's role and delivery channel there (see its error code)"
        }
        Status::RecorderPending => "wait until the recorder there has recorded, and run again",
        _ => "add these types to the recorder there",
    }
}

/// Returns what to do about `types` global types that no region records and counts; `recorders` are the regions that
/// may record them. AWS bills each region that records them.
#[must_use]
pub fn action_for_global_types(types: usize, recorders: &BTreeSet<&Region>) -> String {
    let it = if types == 1 { "it" } else { "them" };
    if recorders.is_empty() {
        format!("if you need {it}, add {it} to the recorder of one older region only")
    } else {
        format!("check {}, which may record {it}", list(recorders, NAMED))
    }
}

/// Returns the log message of counts that no failed call has logged: what is missing or stale, the
/// reason, and what to do about it.
#[must_use]
pub fn for_unlogged(unlogged: &Unlogged<'_>) -> String {
    match &unlogged.counts {
        UnloggedCounts::Missing(types, cell) => {
            let subject = match types.types.len() {
                1 => "not counted".to_owned(),
                _ => format!("{} not counted", named(types)),
            };
            let detail = cell.detail();
            match unlogged.error_type {
                ErrorType::ConfigDisabled => {
                    format!("{subject}: {detail}; {}", for_status(cell.status()))
                }
                // The error of the recorder call already has advice.
                _ => format!("{subject}: {detail}"),
            }
        }
        UnloggedCounts::Stale(groups) => {
            let groups = groups.iter().map(|(types, cell)| for_stale(types, cell));
            format!("stale counts of {}", groups.collect::<Vec<_>>().join("; "))
        }
        UnloggedCounts::UnknownType(cell) => format!("not counted: {}", cell.detail()),
        UnloggedCounts::Global {
            regions,
            recorders,
            is_listed,
        } => {
            let subject = if *is_listed {
                "stale counts"
            } else {
                "not counted"
            };
            let (regions, advice) = (list(regions, NAMED), action_for_global_types(1, recorders));
            format!(
                "{subject} in {regions}: no region records and counts this global type; {advice}"
            )
        }
    }
}

/// Formats stale counts: `all 10 types: recorder stopped since …: …; start the recorder there`.
fn for_stale(types: &Types<'_>, cell: &Cell) -> String {
    let (types, advice) = (named(types), for_status(cell.status()));
    format!("{types}: {}; {advice}", cell.detail())
}

/// Formats types: `all 10 types`, `2 types (AWS::EC2::VPC, AWS::S3::Bucket)`.
fn named(types: &Types<'_>) -> String {
    let (count, names) = (types.types.len(), list(&types.types, NAMED));
    if count == types.all && count > 1 {
        format!("all {count} types")
    } else {
        format!("{} ({names})", pluralize(count, "type"))
    }
}

/// Returns the log message of an error in a region's scan, with what to do about it.
#[must_use]
pub fn for_count(error_type: ErrorType, error: &CountError, has_session_token: bool) -> String {
    let advice = match error {
        CountError::Pages { operation, .. } if *operation == "ListDiscoveredResources" => {
            "no row for this type".to_owned()
        }
        CountError::Pages { .. } => "these counts are not used".to_owned(),
        // The access key works in other regions, so the general advice would mislead.
        CountError::Call(call)
            if error_type == ErrorType::RegionDisabled
                && call.endpoint.is_none()
                && call.kind() == Some(ErrorKind::UnrecognizedClient) =>
        {
            let token = if has_session_token {
                "; if it is enabled, the session token is from the global STS endpoint: get one \
                 from a regional endpoint"
            } else {
                ""
            };
            format!(
                "the region does not accept the account's credentials: enable it for the account, \
                 or exclude it with --exclude-regions{token}"
            )
        }
        CountError::Call(call)
            if call.is_rejected_input()
                && call
                    .resource_type
                    .as_ref()
                    .is_some_and(ResourceType::is_unknown) =>
        {
            "check the name of the resource type".to_owned()
        }
        CountError::Call(call) => match (error_type, &call.cause) {
            (ErrorType::ApiError, Cause::ClockSkew { .. }) => ONE_CLOCK.to_owned(),
            (ErrorType::ApiError, _) if call.kind() == Some(ErrorKind::Expired) => {
                ONE_REGION.to_owned()
            }
            (ErrorType::Fatal, _) if call.kind() == Some(ErrorKind::UnrecognizedClient) => {
                REVOKED.to_owned()
            }
            _ => match &call.refresh_error {
                Some(why) if error_type == ErrorType::Fatal => {
                    let (advice, why) = (for_call(call), for_credentials(why));
                    format!("{advice} (they could not be refreshed: {why})")
                }
                _ => for_call(call),
            },
        },
    };
    format!("{error}; {advice}")
}
