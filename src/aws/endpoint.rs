//! Where a service answers, and for which region its requests are signed.

mod configured;

use std::collections::BTreeMap;

use super::config_file::SharedFiles;
use super::operation::Service;
use super::partition::Partition;
use crate::env::Env;
use crate::model::{Invalid, Region};
use configured::Configured;

/// Where one service answers for one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The absolute URI that requests go to.
    pub uri: String,
    /// The region of the signature.
    pub signing_region: Region,
    /// Whether the user named the endpoint: then the host does not tell the region.
    pub custom: bool,
}

/// The endpoints of all services, with what the user said about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    custom: BTreeMap<Service, Custom>,
    fips: Switch,
    dual_stack: Switch,
}

/// An endpoint that the user named.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Custom {
    uri: String,
    named_by: String,
}

/// What switched a variant of the endpoints on; `None` where it is off.
type Switch = Option<String>;

const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";

impl Endpoints {
    /// The endpoints for an explicit URL (`--endpoint-url`), else for what the environment and
    /// `profile` say, else AWS's own, perhaps their FIPS and dual-stack variants.
    ///
    /// - `AWS_ENDPOINT_URL_{SERVICE}`, `AWS_ENDPOINT_URL`, the block of the service in the profile's
    ///   `services` section, the profile's `endpoint_url`: the first of them that is there.
    ///   `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` passes over all four.
    ///   <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    /// - `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, or the profile's keys of these names.
    ///   <https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html>
    ///
    /// # Errors
    /// A URL is not one of `http` or `https` with a host, a switch is neither true nor false, or
    /// the profile names a `services` section that does not exist. The text names the setting.
    pub fn new(
        explicit: Option<&EndpointUrl>,
        env: &dyn Env,
        files: &SharedFiles,
        profile: &str,
    ) -> Result<Self, String> {
        let configured = Configured {
            env,
            files,
            profile,
        };
        let mut custom = BTreeMap::new();
        for service in Service::ALL {
            let found = match explicit {
                Some(url) => Some(Custom {
                    uri: url.0.clone(),
                    named_by: "--endpoint-url".to_owned(),
                }),
                None => configured.endpoint(service)?,
            };
            custom.extend(found.map(|c| (service, c)));
        }
        Ok(Self {
            custom,
            fips: configured.switch(FIPS, "use_fips_endpoint")?,
            dual_stack: configured.switch(DUAL_STACK, "use_dualstack_endpoint")?,
        })
    }

    /// Where `service` answers for `region`.
    ///
    /// # Errors
    /// A custom endpoint is to be a FIPS or dual-stack one too, or the partition has no such
    /// variant of the service. The text says what to switch off.
    pub fn resolve(&self, service: Service, region: &Region) -> Result<Endpoint, String> {
        if let Some(custom) = self.custom.get(&service) {
            self.refuse_variants_of(service, custom)?;
            return Ok(Endpoint {
                uri: custom.uri.clone(),
                signing_region: region.clone(),
                custom: true,
            });
        }
        let (fips, dual_stack) = (self.fips.is_some(), self.dual_stack.is_some());
        let (host, signing_region) = own_host(service, region, fips, dual_stack)
            .ok_or_else(|| self.no_host(service, Partition::of(region).id))?;
        Ok(Endpoint {
            uri: format!("https://{host}/"),
            signing_region,
            custom: false,
        })
    }

    /// The variants that are on: what switched each, its variable and what it is called.
    fn variants(&self) -> impl Iterator<Item = (&str, &'static str, &'static str)> {
        let all = [
            (&self.fips, FIPS, "FIPS"),
            (&self.dual_stack, DUAL_STACK, "dual-stack"),
        ];
        let on = |(by, variable, kind): (_, _, _)| Some((Option::as_deref(by)?, variable, kind));
        all.into_iter().filter_map(on)
    }

    /// Nobody can tell the variant of a host that the user named: refused, as in botocore.
    fn refuse_variants_of(&self, service: Service, custom: &Custom) -> Result<(), String> {
        let Some((switched_by, variable, kind)) = self.variants().next() else {
            return Ok(());
        };
        let Custom { named_by, .. } = custom;
        let instead = match named_by.as_str() {
            "--endpoint-url" => "leave --endpoint-url out",
            _ => "set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true",
        };
        Err(format!(
            "{switched_by} asks for {kind} endpoints, and {named_by} names an endpoint of its own \
             for {}: they cannot be combined; set {variable}=false, or {instead}",
            service.name()
        ))
    }

    fn no_host(&self, service: Service, partition: &str) -> String {
        let on: Vec<_> = self.variants().collect();
        let join = |parts: Vec<String>| parts.join(" and ");
        let kinds = join(on.iter().map(|(.., kind)| (*kind).to_owned()).collect());
        let sources = join(on.iter().map(|(by, ..)| (*by).to_owned()).collect());
        let off: Vec<_> = on
            .iter()
            .map(|(_, name, _)| format!("{name}=false"))
            .collect();
        format!(
            "{} has no {kinds} endpoint in the partition {partition}, and {sources} asks for one; \
             set {}",
            service.name(),
            off.join(" or ")
        )
    }

    /// The environment variables that lead to the same endpoints.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let name = |s: &Service| format!("AWS_ENDPOINT_URL_{}", s.endpoint_token());
        let urls = self.custom.iter().map(|(s, c)| (name(s), c.uri.clone()));
        let switches = self
            .variants()
            .map(|(_, variable, _)| (variable.to_owned(), "true".to_owned()));
        urls.chain(switches).collect()
    }
}

/// The host of AWS's own endpoint and the region of the signature; `None` where AWS has none.
///
/// As in the rules of the SDKs:
/// <https://github.com/boto/botocore/tree/develop/botocore/data> (`endpoint-rule-set-1.json`).
/// Where ours differ is listed in `tests/endpoints`.
fn own_host(
    service: Service,
    region: &Region,
    fips: bool,
    dual_stack: bool,
) -> Option<(String, Region)> {
    let partition = Partition::of(region);
    let suffix = if dual_stack {
        partition.dual_stack_suffix?
    } else {
        partition.dns_suffix
    };
    let marked = fips && (dual_stack || !partition.plain_is_fips);
    let mark = if marked { "-fips" } else { "" };
    let regional = |region: &Region| format!("{}{mark}.{region}.{suffix}", service.name());
    let global = partition.global_region();
    Some(match service {
        Service::Iam => {
            let host = match (fips, dual_stack) {
                (false, false) => Some(partition.iam.plain),
                (true, false) => partition.iam.fips,
                (false, true) => partition.iam.dual_stack,
                (true, true) => partition.iam.both,
            };
            (host?.to_owned(), partition.iam_region())
        }
        Service::Organizations if dual_stack => (regional(region), global),
        Service::Organizations => (regional(&global), global),
        Service::Config | Service::Ec2 | Service::Sso | Service::SsoOidc | Service::Sts => {
            (regional(region), region.clone())
        }
    })
}

/// The URL of an endpoint: `http` or `https`, a host, perhaps a port and a path, no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl(String);

impl std::fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for EndpointUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bad = || {
            Invalid::new(format!(
                "\"{}\" is not an endpoint URL such as http://127.0.0.1:5000",
                crate::model::clean(text, 200)
            ))
        };
        let uri: http::Uri = text.trim().parse().map_err(|_| bad())?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        // User names and passwords in a URL would show up in messages.
        let plain = uri.authority().is_some_and(|a| !a.as_str().contains('@'));
        if known && plain && uri.query().is_none() {
            Ok(Self(uri.to_string()))
        } else {
            Err(bad())
        }
    }
}

#[cfg(test)]
mod tests;
