//! The checks that call AWS, side by side.

use std::sync::Arc;

use super::recorder::{Asked, Probe, check_region, find_recorder, first_regions};
use super::{Checks, Findings, with_advice};
use crate::aws::client::{Answer, Client};
use crate::aws::error::CallError;
use crate::aws::ops::describe_regions::DescribeRegions;
use crate::aws::ops::get_caller_identity::GetCallerIdentity;
use crate::aws::ops::list_account_aliases::ListAccountAliases;
use crate::config::Config;
use crate::model::{AccountId, Region, plural};
use crate::scan::pool::{Outlet, Pool};

/// More regions than AWS has in all partitions, several times over.
const MAX_REGIONS: usize = 256;

/// The checks that ask for identity, alias and regions.
const IDENTITY: [&str; 3] = [
    "IAM permission: sts:GetCallerIdentity",
    "IAM permission: iam:ListAccountAliases",
    "IAM permission: ec2:DescribeRegions",
];

const ENABLED: &str = "AWS Config enabled in at least one region";

/// The checks that call AWS.
pub(super) fn names(config: &Config) -> [&'static str; 5] {
    let [identity, alias, regions] = IDENTITY;
    let counting = Probe::name(config.method, &config.resource_types);
    [identity, alias, regions, counting, ENABLED]
}

/// One of the calls that the checks make side by side.
enum Job {
    Identity,
    Alias,
    /// Adds the calls that its answer shows to be wanted elsewhere.
    Regions,
    Ahead(Call),
}

/// A call in one of the enabled regions.
#[derive(Clone, PartialEq, Eq)]
enum Call {
    Probe(Region),
    Status(Region),
}

/// The calls where these regions are enabled. As long as none is known they are made where they will
/// nearly always belong, so that they need not wait for the regions: nobody can disable us-east-1.
fn wanted(start: &Region, enabled: &[Region]) -> Vec<Call> {
    let first = first_regions(start, enabled).into_iter().next();
    let probe = Call::Probe(check_region(start, enabled));
    [probe].into_iter().chain(first.map(Call::Status)).collect()
}

/// What a call brought.
enum Reply {
    Identity(Result<AccountId, String>),
    Alias(Result<Option<String>, String>),
    Regions(Result<Regions, String>),
    Probe(Asked),
}

/// The names that DescribeRegions gave.
#[derive(Default)]
struct Regions {
    /// Those that are region codes, sorted.
    enabled: Vec<Region>,
    /// Why the others were refused.
    refused: Vec<String>,
}

impl Regions {
    /// Those of `names`; `redact` takes the keys out of what is told of a name that is none.
    fn of(names: &[String], redact: impl Fn(&str) -> String) -> Result<Self, String> {
        let mut regions = Self::default();
        for name in names {
            match name.parse() {
                Ok(region) => regions.enabled.push(region),
                // The whole name is redacted: of one that is cut half a key could not be found.
                Err(_) => regions.refused.push(match redact(name).parse::<Region>() {
                    Err(why) => why.to_string(),
                    Ok(_) => "a name that held a key is not a region code".to_owned(),
                }),
            }
        }
        regions.enabled.sort();
        regions.enabled.dedup();
        match regions.enabled.len() {
            0 => Err("ec2:DescribeRegions named no region".to_owned()),
            n if n > MAX_REGIONS => Err(format!(
                "ec2:DescribeRegions named {n} regions: this is no answer of AWS's; check the \
                 endpoint and what stands before it"
            )),
            _ => Ok(regions),
        }
    }
}

/// Who asks, and where; and whether resources may be counted there, and whether there is a recorder
/// anywhere. No call waits for one whose answer it does not need; the pool grows meanwhile to what the
/// scan is likely to want.
pub(super) fn ask(
    config: &Config,
    client: &Arc<Client>,
    start: &Region,
    pool: &mut Pool,
    checks: &mut Checks,
    findings: &mut Findings,
) {
    let probe = Arc::new(Probe {
        client: client.clone(),
        method: config.method,
        types: config.resource_types.clone(),
    });
    let mut names = IDENTITY.to_vec();
    let mut jobs = vec![Job::Identity, Job::Alias, Job::Regions];
    let mut ahead = Vec::new();
    if !config.skip_checks {
        names.push(Probe::name(probe.method, &probe.types));
        ahead = wanted(start, &[]);
        jobs.extend(ahead.iter().cloned().map(Job::Ahead));
    }
    let (client, of, asking) = (client.clone(), start.clone(), probe.clone());
    let call = move |call: Call, outlet: &Outlet<Reply>| match call {
        Call::Probe(region) => outlet.send(Reply::Probe(asking.ask(&region))),
        Call::Status(region) => asking.ask_status_ahead(&region),
    };
    let then = call.clone();
    let work = move |job: Job, outlet: &Outlet<Reply>, add: &dyn Fn(Call)| match job {
        Job::Identity => {
            outlet.send(Reply::Identity(output(
                client.call(&of, &GetCallerIdentity),
            )));
        }
        Job::Alias => {
            let alias = output(client.call(&of, &ListAccountAliases));
            let no_key = |alias: &Option<String>| !alias.iter().any(|a| client.holds_key(a));
            outlet.send(Reply::Alias(alias.and_then(|alias| {
                no_key(&alias)
                    .then_some(alias)
                    .ok_or(ALIAS_WITH_KEY.to_owned())
            })));
        }
        Job::Regions => {
            let names = output(client.call(&of, &DescribeRegions));
            let regions = names.and_then(|names| Regions::of(&names, |text| client.redact(text)));
            if !ahead.is_empty() {
                let enabled = regions.as_ref().map_or(&[][..], |r| &r.enabled);
                let elsewhere = wanted(&of, enabled).into_iter();
                elsewhere.filter(|c| !ahead.contains(c)).for_each(add);
            }
            outlet.send(Reply::Regions(regions));
        }
        Job::Ahead(ahead) => call(ahead, outlet),
    };
    let mut shown = InOrder {
        results: names.iter().map(|_| None).collect(),
        names,
        next: 0,
    };
    // Where the answer counts, and those that have come.
    let (mut place, mut asked) = (None, Vec::new());
    let replies = pool.side_by_side(jobs, work, then);
    pool.grow(config.likely_threads(start));
    for reply in replies {
        match reply {
            Reply::Identity(reply) => {
                let told = reply.as_ref().map(ToString::to_string);
                shown.take(0, told.map_err(String::clone), checks);
                findings.account_id = reply.ok();
            }
            Reply::Alias(reply) => {
                let told = |alias: &Option<String>| alias.clone().unwrap_or("no alias".to_owned());
                shown.take(1, reply.as_ref().map(told).map_err(String::clone), checks);
                findings.alias = reply.ok().flatten();
            }
            Reply::Regions(reply) => {
                let told = |r: &Regions| plural(r.enabled.len(), "enabled region");
                shown.take(2, reply.as_ref().map(told).map_err(String::clone), checks);
                let regions = reply.unwrap_or_default();
                findings.regions = regions.enabled;
                findings.refused_regions = regions.refused;
                place = Some(check_region(start, &findings.regions));
            }
            Reply::Probe(reply) => asked.push(reply),
        }
        if let Some(reply) = asked.iter().find(|a| Some(a.region()) == place.as_ref()) {
            shown.take(3, reply.told(), checks);
        }
    }
    shown.end(checks);
    if !config.skip_checks {
        let place = check_region(start, &findings.regions);
        let asked = asked.into_iter().find(|asked| *asked.region() == place);
        let asked = asked.unwrap_or_else(|| Asked::Failed(place, FAULT.to_owned()));
        let enabled = find_recorder(&probe, pool, start, &findings.regions, asked);
        checks.add(ENABLED, enabled);
    }
}

/// What the check of the alias says of one that would put a key into every file.
const ALIAS_WITH_KEY: &str = "iam:ListAccountAliases gave an alias that holds a key of the caller's: \
    this is no answer of AWS's; check the endpoint and what stands before it";

/// What a check says whose call never came back.
const FAULT: &str = "the check ended early: this is a fault of the program";

/// Checks that end in any order, and are shown in theirs.
struct InOrder {
    names: Vec<&'static str>,
    results: Vec<Option<Result<String, String>>>,
    next: usize,
}

impl InOrder {
    /// Takes in what came of the check `n`, and shows all whose turn it is.
    fn take(&mut self, n: usize, result: Result<String, String>, checks: &mut Checks) {
        self.results[n] = Some(result);
        while let Some(result) = self.results.get_mut(self.next).and_then(Option::take) {
            checks.add(self.names[self.next], result);
            self.next += 1;
        }
    }

    /// Shows the rest.
    fn end(mut self, checks: &mut Checks) {
        while self.next < self.names.len() {
            self.take(self.next, Err(FAULT.to_owned()), checks);
        }
    }
}

fn output<T>(reply: Result<Answer<T>, CallError>) -> Result<T, String> {
    reply
        .map(|answer| answer.output)
        .map_err(|e| with_advice(&e))
}

#[cfg(test)]
mod tests {
    use super::super::known;
    use super::*;

    #[test]
    fn a_name_that_is_no_region_is_told_without_a_key() {
        let names = ["eu-west-1", "b\n", "x KEY y"].map(str::to_owned);
        let regions = Regions::of(&names, |text| text.replace("KEY", "****")).unwrap();
        assert_eq!(regions.enabled, [known("eu-west-1")]);
        assert_eq!(
            regions.refused,
            [
                "\"b \" is not a region code such as eu-west-1",
                "\"x **** y\" is not a region code such as eu-west-1",
            ]
        );
        assert!(
            Regions::of(&[], str::to_owned).is_err(),
            "no region is no answer"
        );
        let many: Vec<String> = (0..=MAX_REGIONS).map(|n| format!("r-{n}")).collect();
        assert!(
            Regions::of(&many, str::to_owned).is_err(),
            "no answer of AWS's"
        );
        assert!(Regions::of(&many[1..], str::to_owned).is_ok());
    }
}
