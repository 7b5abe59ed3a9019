//! Runs the checks that call AWS, concurrently.
//!
//! - Each call is a task on the thread pool: identity, alias, regions, and ahead of the regions the
//!   calls of the last two checks, in the region where they usually belong.
//! - The task of the regions adds the calls again if the enabled regions show that they belong
//!   elsewhere.
//! - The main thread receives the replies in any order, and shows the checks in display order.
//! - The last check runs when all replies have been received; it reuses them.
//! - While the calls are waiting, the pool grows to the size that the scan will probably need.

use std::sync::Arc;

use super::recorder::{Probe, ProbeOutcome, check_region, find_recorder, first_regions};
use super::{Checks, Preflight, with_advice};
use crate::aws::client::{CallOutput, Client};
use crate::aws::error::CallError;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_caller_identity::GetCallerIdentity;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::model::{AccountId, Region};
use crate::options::Options;
use crate::scan::pool::{Outlet, Pool};
use crate::text::pluralize;

/// The maximum number of regions; several times the number in all partitions.
const MAX_REGIONS: usize = 256;

/// The names of the checks of identity, alias and regions.
const IDENTITY: [&str; 3] = [
    "IAM permission: sts:GetCallerIdentity",
    "IAM permission: iam:ListAccountAliases",
    "IAM permission: ec2:DescribeRegions",
];

const ENABLED: &str = "AWS Config enabled in at least one region";

/// Returns the names of the checks that call AWS.
pub(super) fn names(options: &Options) -> [&'static str; 5] {
    let [identity, alias, regions] = IDENTITY;
    let counting = Probe::name(options.method, &options.resource_types);
    [identity, alias, regions, counting, ENABLED]
}

/// A task of the checks.
enum CheckJob {
    Identity,
    Alias,
    /// Adds the calls that the enabled regions show to be needed in other regions.
    Regions,
    Ahead(Call),
}

/// A call in one of the enabled regions.
#[derive(Clone, PartialEq, Eq)]
enum Call {
    Probe(Region),
    Status(Region),
}

/// Returns the calls of the last two checks for these enabled regions. If `enabled` is empty, the
/// regions are not known yet: the calls then go to the usual region, without waiting. (us-east-1
/// cannot be disabled.)
fn region_calls(start: &Region, enabled: &[Region]) -> Vec<Call> {
    let first = first_regions(start, enabled).into_iter().next();
    let probe = Call::Probe(check_region(start, enabled));
    [probe].into_iter().chain(first.map(Call::Status)).collect()
}

/// The result of a task.
enum CheckReply {
    Identity(Result<AccountId, String>),
    Alias(Result<Option<String>, String>),
    Regions(Result<Regions, String>),
    Probe(ProbeOutcome),
}

/// The region names returned by DescribeRegions.
#[derive(Default)]
struct Regions {
    /// The valid region codes, sorted.
    enabled: Vec<Region>,
    /// The reasons why the other names were rejected.
    refused: Vec<String>,
}

impl Regions {
    /// Parses `names`; `redact` removes credentials from the text about an invalid name.
    fn from_names(names: &[String], redact: impl Fn(&str) -> String) -> Result<Self, String> {
        let mut regions = Self::default();
        for name in names {
            match name.parse() {
                Ok(region) => regions.enabled.push(region),
                // The name is redacted before it is truncated, because half a key could not be
                // found.
                Err(_) => regions.refused.push(match redact(name).parse::<Region>() {
                    Err(why) => why.to_string(),
                    Ok(_) => "a name that contains credentials is not a region code".to_owned(),
                }),
            }
        }
        regions.enabled.sort();
        regions.enabled.dedup();
        match regions.enabled.len() {
            0 => Err("ec2:DescribeRegions returned no regions".to_owned()),
            n if n > MAX_REGIONS => Err(format!(
                "ec2:DescribeRegions returned {n} regions, more than AWS has; check the endpoint \
                 and any proxy"
            )),
            _ => Ok(regions),
        }
    }
}

/// Runs the checks of identity, alias, regions, count permission and recorder, concurrently.
/// Results are stored in `preflight`.
pub(super) fn run(
    options: &Options,
    client: &Arc<Client>,
    start: &Region,
    pool: &mut Pool,
    checks: &mut Checks,
    preflight: &mut Preflight,
) {
    let probe = Arc::new(Probe {
        client: client.clone(),
        method: options.method,
        types: options.resource_types.clone(),
    });
    let mut names = IDENTITY.to_vec();
    let mut jobs = vec![CheckJob::Identity, CheckJob::Alias, CheckJob::Regions];
    let mut ahead = Vec::new();
    if !options.skip_checks {
        names.push(Probe::name(probe.method, &probe.types));
        ahead = region_calls(start, &[]);
        jobs.extend(ahead.iter().cloned().map(CheckJob::Ahead));
    }
    let (client, start_region, task_probe) = (client.clone(), start.clone(), probe.clone());
    let call = move |call: Call, outlet: &Outlet<CheckReply>| match call {
        Call::Probe(region) => outlet.send(CheckReply::Probe(task_probe.run(&region))),
        Call::Status(region) => task_probe.prefetch_status(&region),
    };
    let then = call.clone();
    let work = move |job: CheckJob, outlet: &Outlet<CheckReply>, add: &dyn Fn(Call)| match job {
        CheckJob::Identity => {
            outlet.send(CheckReply::Identity(output(
                client.call(&start_region, &GetCallerIdentity),
            )));
        }
        CheckJob::Alias => {
            let alias = output(client.call(&start_region, &ListAccountAliases));
            outlet.send(CheckReply::Alias(alias.and_then(|alias| {
                if alias.iter().any(|a| client.holds_key(a)) {
                    return Err(ALIAS_WITH_KEY.to_owned());
                }
                Ok(alias)
            })));
        }
        CheckJob::Regions => {
            let names = output(client.call(&start_region, &DescribeRegions));
            let regions =
                names.and_then(|names| Regions::from_names(&names, |text| client.redact(text)));
            if !ahead.is_empty() {
                let enabled = regions.as_ref().map_or(&[][..], |r| &r.enabled);
                let calls = region_calls(&start_region, enabled).into_iter();
                calls.filter(|c| !ahead.contains(c)).for_each(add);
            }
            outlet.send(CheckReply::Regions(regions));
        }
        CheckJob::Ahead(ahead) => call(ahead, outlet),
    };
    let mut shown = InOrder {
        results: names.iter().map(|_| None).collect(),
        names,
        next: 0,
    };
    // The region of check 7, once the regions are known, and the probe outcomes so far.
    let (mut probe_region, mut outcomes) = (None, Vec::new());
    let replies = pool.side_by_side(jobs, work, then);
    pool.grow(options.likely_threads(start));
    for reply in replies {
        match reply {
            CheckReply::Identity(reply) => {
                let detail = reply.as_ref().map(ToString::to_string);
                shown.take(0, detail.map_err(String::clone), checks);
                preflight.account_id = reply.ok();
            }
            CheckReply::Alias(reply) => {
                let detail = reply
                    .as_ref()
                    .map(|alias| alias.clone().unwrap_or("no alias".to_owned()));
                shown.take(1, detail.map_err(String::clone), checks);
                preflight.alias = reply.ok().flatten();
            }
            CheckReply::Regions(reply) => {
                let detail = reply
                    .as_ref()
                    .map(|r| pluralize(r.enabled.len(), "enabled region"));
                shown.take(2, detail.map_err(String::clone), checks);
                let regions = reply.unwrap_or_default();
                preflight.regions = regions.enabled;
                preflight.refused_regions = regions.refused;
                probe_region = Some(check_region(start, &preflight.regions));
            }
            CheckReply::Probe(outcome) => outcomes.push(outcome),
        }
        let mut outcomes = outcomes.iter();
        if let Some(outcome) = outcomes.find(|o| Some(o.region()) == probe_region.as_ref()) {
            shown.take(3, outcome.result(), checks);
        }
    }
    shown.end(checks);
    if !options.skip_checks {
        let region = check_region(start, &preflight.regions);
        let outcome = outcomes.into_iter().find(|o| *o.region() == region);
        let outcome =
            outcome.unwrap_or_else(|| ProbeOutcome::Failed(region, CHECK_ENDED_EARLY.to_owned()));
        let enabled = find_recorder(&probe, pool, start, &preflight.regions, outcome);
        checks.add(ENABLED, enabled);
    }
}

/// The failure of the alias check for an alias that would put credentials into every file.
const ALIAS_WITH_KEY: &str = "iam:ListAccountAliases returned an alias that contains the caller's \
    credentials, which AWS does not do; check the endpoint and any proxy";

/// The failure of a check whose task ended without a reply.
const CHECK_ENDED_EARLY: &str = "internal error: the check ended early";

/// Checks that finish in any order and are shown in display order.
struct InOrder {
    names: Vec<&'static str>,
    results: Vec<Option<Result<String, String>>>,
    next: usize,
}

impl InOrder {
    /// Stores the result of the check `n`, and shows all checks that are next in order.
    fn take(&mut self, n: usize, result: Result<String, String>, checks: &mut Checks) {
        self.results[n] = Some(result);
        while let Some(result) = self.results.get_mut(self.next).and_then(Option::take) {
            checks.add(self.names[self.next], result);
            self.next += 1;
        }
    }

    /// Shows the remaining checks as failed.
    fn end(mut self, checks: &mut Checks) {
        while self.next < self.names.len() {
            self.take(self.next, Err(CHECK_ENDED_EARLY.to_owned()), checks);
        }
    }
}

fn output<T>(reply: Result<CallOutput<T>, CallError>) -> Result<T, String> {
    reply
        .map(|response| response.output)
        .map_err(|e| with_advice(&e))
}

#[cfg(test)]
mod tests {
    use super::super::region_literal;
    use super::*;

    #[test]
    fn invalid_region_name_is_redacted() {
        let names = ["eu-west-1", "b\n", "x KEY y"].map(str::to_owned);
        let regions = Regions::from_names(&names, |text| text.replace("KEY", "****")).unwrap();
        assert_eq!(regions.enabled, [region_literal("eu-west-1")]);
        assert_eq!(
            regions.refused,
            [
                "\"b \" is not a region code such as eu-west-1",
                "\"x **** y\" is not a region code such as eu-west-1",
            ]
        );
        assert!(
            Regions::from_names(&[], str::to_owned).is_err(),
            "an empty list is invalid"
        );
        let many: Vec<String> = (0..=MAX_REGIONS).map(|n| format!("r-{n}")).collect();
        assert!(
            Regions::from_names(&many, str::to_owned).is_err(),
            "more regions than AWS has"
        );
        assert!(Regions::from_names(&many[1..], str::to_owned).is_ok());
    }
}
