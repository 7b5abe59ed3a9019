//! The replies of AWS for an account.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use super::account::{Account, PAGE_SIZE, Recorder, RegionFixture};
use super::call::Call;
use super::identifiers::{offset, page, token};
use super::reply::{Reply, escape};

/// The maximum number of types in a request for counts.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_GetDiscoveredResourceCounts.html>
const MAX_COUNTED_TYPES: usize = 20;

/// The pages of all listings, by region, type and offset, and the pages of the counts, with an
/// empty type. They are rendered once, so that a benchmark does not measure the server.
type Pages = HashMap<(String, String, usize), Arc<[u8]>>;

/// A responder that acts as AWS for an account.
pub struct Responder {
    account: Account,
    pages: Pages,
}

impl Responder {
    /// Creates the responder for `account` and renders its pages.
    pub fn new(account: &Account) -> Self {
        let mut pages = HashMap::new();
        for (region, fixture) in &account.regions {
            for (resource_type, total) in &fixture.resources {
                for first in (0..*total).step_by(PAGE_SIZE) {
                    let body = render(region, resource_type, first, PAGE_SIZE, *total);
                    pages.insert((region.clone(), resource_type.clone(), first), body);
                }
            }
            for first in (0..fixture.counted().count()).step_by(PAGE_SIZE) {
                let body = render_counts(region, fixture, &[], first, PAGE_SIZE);
                pages.insert((region.clone(), String::new(), first), body);
            }
        }
        let account = account.clone();
        Self { account, pages }
    }

    /// Returns the reply of AWS to `call`.
    pub fn respond(&self, call: &Call) -> Reply {
        match (call.service.as_str(), call.operation.as_str()) {
            ("sts", "GetCallerIdentity") => self.identity(call),
            ("iam", "ListAccountAliases") => self.aliases(call),
            ("ec2", "DescribeRegions") => self.describe_regions(call),
            ("config", operation) => match self.account.regions.get(&call.region) {
                None => Reply::error(
                    call,
                    400,
                    "UnrecognizedClientException",
                    "The security token included in the request is invalid.",
                ),
                Some(fixture) => match operation {
                    "DescribeConfigurationRecorderStatus" => recorder_status(fixture.recorder),
                    "DescribeConfigurationRecorders" => recorders(call, &self.account.id, fixture),
                    "GetDiscoveredResourceCounts" => count(call, fixture, &self.pages),
                    "ListDiscoveredResources" => list(call, fixture, &self.pages),
                    _ => Reply::error(call, 400, "UnknownOperationException", ""),
                },
            },
            _ => Reply::error(call, 400, "InvalidAction", "Could not find operation"),
        }
    }

    fn identity(&self, call: &Call) -> Reply {
        let (id, request) = (&self.account.id, call.request_id());
        Reply::xml(format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
             <GetCallerIdentityResult>\n<Arn>arn:aws:iam::{id}:user/auditor</Arn>\n\
             <UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>\n<Account>{id}</Account>\n\
             </GetCallerIdentityResult>\n<ResponseMetadata>\n<RequestId>{request}</RequestId>\n\
             </ResponseMetadata>\n</GetCallerIdentityResponse>\n"
        ))
    }

    fn aliases(&self, call: &Call) -> Reply {
        let alias = self
            .account
            .alias
            .as_deref()
            .map_or(String::new(), |alias| {
                format!("<member>{}</member>", escape(alias))
            });
        Reply::xml(format!(
            "<ListAccountAliasesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <ListAccountAliasesResult><IsTruncated>false</IsTruncated><AccountAliases>{alias}\
             </AccountAliases></ListAccountAliasesResult><ResponseMetadata><RequestId>{}</RequestId>\
             </ResponseMetadata></ListAccountAliasesResponse>",
            call.request_id()
        ))
    }

    /// Lists the regions in reverse order: the order of the real response is not defined.
    fn describe_regions(&self, call: &Call) -> Reply {
        let mut items = String::new();
        let all = call.field("AllRegions") == Some("true");
        let other = self.account.other_regions.iter().filter(|_| all);
        let other = other.map(|name| (name, "not-opted-in"));
        let enabled = self.account.regions.keys().rev();
        for (name, status) in other.chain(enabled.map(|name| (name, "opt-in-not-required"))) {
            let _ = write!(
                items,
                "<item><regionName>{name}</regionName><regionEndpoint>ec2.{name}.amazonaws.com\
                 </regionEndpoint><optInStatus>{status}</optInStatus></item>"
            );
        }
        Reply::xml(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DescribeRegionsResponse \
             xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>{}</requestId>\
             <regionInfo>{items}</regionInfo></DescribeRegionsResponse>",
            call.request_id()
        ))
    }
}

fn recorder_status(recorder: Recorder) -> Reply {
    let status = json!({
        "name": "default",
        "recording": recorder == Recorder::On,
        "lastStatus": "SUCCESS",
        "lastStartTime": 1_790_000_000.25,
        "lastStopTime": 1_786_000_000.5,
        "lastStatusChangeTime": 1_790_000_001.25,
    });
    match recorder {
        Recorder::None => Reply::json(&json!({"ConfigurationRecordersStatus": []})),
        _ => Reply::json(&json!({"ConfigurationRecordersStatus": [status]})),
    }
}

/// Describes the recorder: it records all types, or all but the excluded ones.
fn recorders(call: &Call, account: &str, fixture: &RegionFixture) -> Reply {
    if fixture.recorder == Recorder::None {
        return Reply::json(&json!({"ConfigurationRecorders": []}));
    }
    let all = fixture.not_recorded.is_empty();
    let strategy = if all {
        "ALL_SUPPORTED_RESOURCE_TYPES"
    } else {
        "EXCLUSION_BY_RESOURCE_TYPES"
    };
    let region = &call.region;
    let recorder = json!({
        "arn": format!("arn:aws:config:{region}:{account}:configuration-recorder/default/0a1b2c3d"),
        "name": "default",
        "roleARN": format!("arn:aws:iam::{account}:role/config"),
        "recordingGroup": {
            "allSupported": all,
            "includeGlobalResourceTypes": all,
            "resourceTypes": [],
            "exclusionByResourceTypes": {"resourceTypes": fixture.not_recorded},
            "recordingStrategy": {"useOnly": strategy},
        },
        "recordingMode": {"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []},
        "recordingScope": "PAID",
    });
    Reply::json(&json!({"ConfigurationRecorders": [recorder]}))
}

fn count(call: &Call, fixture: &RegionFixture, pages: &Pages) -> Reply {
    let refuse = |code: &str, message: &str| Reply::error(call, 400, code, message);
    let types = call.input.get("resourceTypes").and_then(Value::as_array);
    let types: Vec<&str> = types
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if types.len() > MAX_COUNTED_TYPES {
        return refuse("ValidationException", "resourceTypes has too many members.");
    }
    let Some(limit) = limit(call) else {
        return refuse("InvalidLimitException", "The limit is too great.");
    };
    let next_token = call.field("nextToken");
    let listing = types.join(" ");
    let first = next_token.map_or(Some(0), |t| offset(&call.region, &listing, limit, t));
    let Some(first) = first else {
        return refuse("InvalidNextTokenException", "The nextToken is not valid.");
    };
    let key = (call.region.clone(), listing, first);
    let rendered = pages.get(&key).filter(|_| limit == PAGE_SIZE).cloned();
    Reply::json_bytes(
        rendered.unwrap_or_else(|| render_counts(&call.region, fixture, &types, first, limit)),
    )
}

/// Renders a page of counts, the largest first; the total is that of all pages.
fn render_counts(
    region: &str,
    fixture: &RegionFixture,
    types: &[&str],
    first: usize,
    limit: usize,
) -> Arc<[u8]> {
    let is_requested = |(t, _): &(&str, usize)| types.is_empty() || types.contains(t);
    let mut counts: Vec<_> = fixture.counted().filter(is_requested).collect();
    counts.sort_by_key(|(_, n)| Reverse(*n));
    let total: usize = counts.iter().map(|(_, n)| n).sum();
    let page = counts.iter().skip(first).take(limit);
    let page: Vec<_> = page
        .map(|(t, n)| json!({"resourceType": t, "count": n}))
        .collect();
    let mut body = json!({"totalDiscoveredResources": total, "resourceCounts": page});
    let end = first + limit;
    if end < counts.len() {
        body["nextToken"] = token(region, &types.join(" "), limit, end).into();
    }
    body.to_string().into_bytes().into()
}

/// Returns the requested page size, if it is valid.
fn limit(call: &Call) -> Option<usize> {
    match call.input.get("limit").and_then(Value::as_u64) {
        None | Some(0) => Some(PAGE_SIZE),
        Some(limit) => usize::try_from(limit).ok().filter(|n| *n <= PAGE_SIZE),
    }
}

fn list(call: &Call, fixture: &RegionFixture, pages: &Pages) -> Reply {
    let refuse = |code: &str, message: &str| Reply::error(call, 400, code, message);
    if fixture.recorder == Recorder::None {
        return refuse(
            "NoAvailableConfigurationRecorderException",
            "There are no customer managed configuration recorders available.",
        );
    }
    let Some(resource_type) = call.field("resourceType") else {
        return refuse("ValidationException", "resourceType must not be null");
    };
    let Some(limit) = limit(call) else {
        return refuse("InvalidLimitException", "The limit is too great.");
    };
    let next_token = call.field("nextToken");
    let first = next_token.map_or(Some(0), |t| offset(&call.region, resource_type, limit, t));
    let Some(first) = first else {
        return refuse("InvalidNextTokenException", "The nextToken is not valid.");
    };
    let total = fixture.resources.get(resource_type).copied();
    let total = total.unwrap_or_default();
    let key = (call.region.clone(), resource_type.to_owned(), first);
    let rendered = pages.get(&key).filter(|_| limit == PAGE_SIZE).cloned();
    Reply::json_bytes(
        rendered.unwrap_or_else(|| render(&call.region, resource_type, first, limit, total)),
    )
}

fn render(
    region: &str,
    resource_type: &str,
    first: usize,
    limit: usize,
    total: usize,
) -> Arc<[u8]> {
    let end = (first + limit).min(total);
    let next = (end < total).then(|| token(region, resource_type, limit, end));
    page(region, resource_type, first, end, next.as_deref()).into()
}
