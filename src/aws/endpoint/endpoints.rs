//! The endpoints of the services, and the regions that requests are signed for.

use std::collections::BTreeMap;

use super::configured::{Configured, CustomEndpoint, Switch};
use super::error::EndpointError;
use super::url::EndpointUrl;
use crate::aws::config_file::SharedFiles;
use crate::aws::operation::Service;
use crate::aws::partition::Partition;
use crate::env::Env;
use crate::model::Region;

/// The endpoint of a service for a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The absolute URI of the requests.
    pub uri: String,
    /// The region of the signature.
    pub signing_region: Region,
    /// True if the user set the endpoint; then the host name may not contain the region.
    pub custom: bool,
}

impl Endpoint {
    /// Returns true if the URI has a path, which only a setting of the user can have.
    #[must_use]
    pub fn has_path(&self) -> bool {
        let authority = self.uri.split_once("://").map_or("", |(_, rest)| rest);
        authority
            .split_once('/')
            .is_some_and(|(_, path)| !path.is_empty())
    }
}

/// The endpoints of all services, with the user's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    custom: BTreeMap<Service, CustomEndpoint>,
    fips: Switch,
    dual_stack: Switch,
}

const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
/// The pseudo region of the first partition, which has a global endpoint of STS.
const GLOBAL: &str = "aws-global";
const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";

impl Endpoints {
    /// Creates the endpoints from an explicit URL, else from the
    /// environment and `profile`. Without settings, they are AWS's own, or their FIPS or dual-stack variants.
    ///
    /// - The first that is set of `AWS_ENDPOINT_URL_{SERVICE}`, `AWS_ENDPOINT_URL`, the service's
    ///   block in the profile's `services` section, and the profile's `endpoint_url`.
    ///   `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` ignores all four.
    ///   <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    /// - `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, or the same keys of the profile.
    ///   <https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html>
    ///
    /// # Errors
    /// A URL is not an `http` or `https` URL with a host, a switch is neither true nor
    /// false, or the profile's `services` section does not exist. The text contains the setting.
    pub fn new(
        explicit: Option<&EndpointUrl>,
        env: &dyn Env,
        files: &SharedFiles,
        profile: &str,
    ) -> Result<Self, EndpointError> {
        let configured = Configured {
            env,
            files,
            profile,
        };
        let mut custom = BTreeMap::new();
        for service in Service::ALL {
            let found = match explicit {
                Some(url) => Some(CustomEndpoint {
                    setting: None,
                    url: url.clone(),
                }),
                None => configured.endpoint(service)?,
            };
            custom.extend(found.map(|found| (service, found)));
        }
        Ok(Self {
            custom,
            fips: configured.switch(FIPS, "use_fips_endpoint")?,
            dual_stack: configured.switch(DUAL_STACK, "use_dualstack_endpoint")?,
        })
    }

    /// Enables the FIPS endpoints if they are not enabled yet; `setting` is the reason.
    #[must_use]
    pub fn with_fips(mut self, setting: String) -> Self {
        self.fips.get_or_insert(setting);
        self
    }

    /// Returns the endpoint of `service` for `region`.
    ///
    /// # Errors
    /// A FIPS or dual-stack endpoint is required and the partition has no such variant of the
    /// service. The text contains the setting to switch off. A custom endpoint has no variants: they
    /// are ignored, as in botocore.
    pub fn resolve(&self, service: Service, region: &Region) -> Result<Endpoint, EndpointError> {
        if let Some(custom) = self.custom.get(&service) {
            return Ok(Endpoint {
                uri: custom.url.as_str().to_owned(),
                signing_region: region.clone(),
                custom: true,
            });
        }
        let (fips, dual_stack) = (self.fips.is_some(), self.dual_stack.is_some());
        let (host, signing_region) = own_host(service, region, fips, dual_stack)
            .ok_or_else(|| self.no_host(service, Partition::for_region(region).id))?;
        Ok(Endpoint {
            uri: format!("https://{host}/"),
            signing_region,
            custom: false,
        })
    }

    /// Returns the endpoint that the user set for `service`, if there is one.
    #[must_use]
    pub fn custom(&self, service: Service) -> Option<&CustomEndpoint> {
        self.custom.get(&service)
    }

    /// Returns the enabled variants: the setting that enables each, its variable and its name.
    fn variants(&self) -> impl Iterator<Item = (&str, &'static str, &'static str)> {
        let all = [
            (&self.fips, FIPS, "FIPS"),
            (&self.dual_stack, DUAL_STACK, "dual-stack"),
        ];
        let enabled =
            |(source, variable, kind): (_, _, _)| Some((Option::as_deref(source)?, variable, kind));
        all.into_iter().filter_map(enabled)
    }

    fn no_host(&self, service: Service, partition: &'static str) -> EndpointError {
        let enabled_by: Vec<_> = self.variants().map(|(setting, ..)| setting).collect();
        let variables = self.variants().map(|(_, name, _)| format!("{name}=false"));
        let variants: Vec<_> = self.variants().map(|(.., variant)| variant).collect();
        EndpointError::NoVariant {
            service: service.name(),
            variants: variants.join(" and "),
            partition,
            enabled_by: enabled_by.join(" and "),
            variables: variables.collect::<Vec<_>>().join(" or "),
        }
    }

    /// Returns environment variables that give the same endpoints, with only scheme, host and port of
    /// a custom one.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let name = |s: &Service| format!("AWS_ENDPOINT_URL_{}", s.endpoint_token());
        let urls = self
            .custom
            .iter()
            .map(|(s, custom)| (name(s), custom.url.to_string()));
        let switches = self
            .variants()
            .map(|(_, variable, _)| (variable.to_owned(), "true".to_owned()));
        urls.chain(switches).collect()
    }
}

/// Returns the host of AWS's own endpoint and the region of the signature; `None` if AWS has none.
///
/// From the SDKs' rules: <https://github.com/boto/botocore/tree/develop/botocore/data>
/// (`endpoint-rule-set-1.json`). `tests/endpoints` lists the differences.
fn own_host(
    service: Service,
    region: &Region,
    fips: bool,
    dual_stack: bool,
) -> Option<(String, Region)> {
    let partition = Partition::for_region(region);
    let suffix = if dual_stack {
        partition.dual_stack_suffix?
    } else {
        partition.dns_suffix
    };
    let has_suffix = fips && (dual_stack || !partition.plain_is_fips);
    let fips_suffix = if has_suffix { "-fips" } else { "" };
    let regional = |region: &Region| format!("{}{fips_suffix}.{region}.{suffix}", service.name());
    let global = partition.global_region();
    Some(match service {
        Service::Iam => {
            let host = match (fips, dual_stack) {
                (false, false) => Some(partition.iam.plain),
                (true, false) => Some(partition.iam.fips),
                (false, true) => partition.iam.dual_stack,
                (true, true) => partition.iam.both,
            };
            (host?.to_owned(), partition.iam_region())
        }
        Service::SignIn if !dual_stack && (!fips || partition.id == "aws-us-gov") => {
            (sign_in_host(partition, region, fips), region.clone())
        }
        // In GovCloud the dual-stack host is a FIPS host too.
        Service::Organizations if partition.plain_is_fips => {
            (format!("organizations.{global}.{suffix}"), global)
        }
        Service::Organizations => (regional(&global), global),
        Service::Sts if region.as_str() == GLOBAL => {
            let host = if fips || dual_stack {
                regional(region)
            } else {
                format!("sts.{suffix}")
            };
            (host, global)
        }
        Service::Config
        | Service::Ec2
        | Service::SignIn
        | Service::Sso
        | Service::SsoOidc
        | Service::Sts => (regional(region), region.clone()),
    })
}

/// Returns the host of the token service of `aws login`, which has a domain of its own in most partitions.
fn sign_in_host(partition: &Partition, region: &Region, fips: bool) -> String {
    let domain = match partition.id {
        "aws" => "aws.amazon.com",
        "aws-cn" => "amazonaws.cn",
        "aws-us-gov" => "amazonaws-us-gov.com",
        "aws-eusc" => "amazonaws-eusc.eu",
        "aws-iso" => "c2shome.ic.gov",
        "aws-iso-b" => "sc2shome.sgov.gov",
        "aws-iso-e" => "csphome.adc-e.uk",
        "aws-iso-f" => "csphome.hci.ic.gov",
        _ => partition.dns_suffix,
    };
    match (fips, region.as_str()) {
        (false, _) => format!("{region}.signin.{domain}"),
        (true, "us-gov-west-1") => format!("signin-fips.{domain}"),
        (true, _) => format!("{region}.signin-fips.{domain}"),
    }
}
