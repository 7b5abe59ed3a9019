//! Where a service answers, and for which region its requests are signed.

use std::collections::BTreeMap;

use super::operation::Service;
use super::partition::Partition;
use crate::env::Env;
use crate::model::{Invalid, Region};

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
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    custom: BTreeMap<Service, String>,
}

impl Endpoints {
    /// The endpoints for an explicit URL (`--endpoint-url`), else `AWS_ENDPOINT_URL_{SERVICE}`,
    /// else `AWS_ENDPOINT_URL`, else AWS's own.
    ///
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true` passes over the variables.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    ///
    /// # Errors
    /// A URL is not one of `http` or `https` with a host.
    pub fn new(explicit: Option<&EndpointUrl>, env: &dyn Env) -> Result<Self, String> {
        let ignore = env
            .var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|v| v.eq_ignore_ascii_case("true"));
        let mut custom = BTreeMap::new();
        for service in Service::ALL {
            let own = format!("AWS_ENDPOINT_URL_{}", service.endpoint_token());
            let configured = [own.as_str(), "AWS_ENDPOINT_URL"]
                .into_iter()
                .filter(|_| !ignore)
                .find_map(|name| Some((name, env.var(name)?)));
            let url = match (explicit, configured) {
                (Some(url), _) => url.clone(),
                (None, Some((name, text))) => {
                    text.parse().map_err(|e: Invalid| format!("{name}: {e}"))?
                }
                (None, None) => continue,
            };
            custom.insert(service, url.0);
        }
        Ok(Self { custom })
    }

    /// Where `service` answers for `region`.
    #[must_use]
    pub fn resolve(&self, service: Service, region: &Region) -> Endpoint {
        if let Some(uri) = self.custom.get(&service) {
            return Endpoint {
                uri: uri.clone(),
                signing_region: region.clone(),
                custom: true,
            };
        }
        let partition = Partition::of(region);
        let (host, signing_region) = match service {
            Service::Iam => (partition.iam_host(), partition.iam_region()),
            _ => (
                format!("{}.{region}.{}", service.name(), partition.dns_suffix),
                region.clone(),
            ),
        };
        Endpoint {
            uri: format!("https://{host}/"),
            signing_region,
            custom: false,
        }
    }

    /// The environment variables that name the same endpoints.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<String, String> {
        let name = |s: &Service| format!("AWS_ENDPOINT_URL_{}", s.endpoint_token());
        self.custom
            .iter()
            .map(|(s, uri)| (name(s), uri.clone()))
            .collect()
    }
}

/// The URL of an endpoint: `http` or `https`, a host, perhaps a port and a path, no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl(String);

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
mod tests {
    use super::*;
    use crate::env::FolderEnv;

    fn env(variables: &[(&str, &str)]) -> FolderEnv {
        let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        FolderEnv::new(
            std::path::Path::new("none"),
            variables.iter().map(own).collect(),
        )
    }

    fn uri(endpoints: &Endpoints, service: Service, region: &str) -> (String, String) {
        let endpoint = endpoints.resolve(service, &region.parse().unwrap());
        (endpoint.uri, endpoint.signing_region.to_string())
    }

    #[test]
    fn hosts_of_the_partitions() {
        let own = Endpoints::default();
        for (service, region, host, signed) in [
            (
                Service::Config,
                "eu-west-1",
                "config.eu-west-1.amazonaws.com",
                "eu-west-1",
            ),
            (
                Service::Sts,
                "us-east-1",
                "sts.us-east-1.amazonaws.com",
                "us-east-1",
            ),
            (
                Service::Ec2,
                "cn-north-1",
                "ec2.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (Service::Iam, "eu-west-1", "iam.amazonaws.com", "us-east-1"),
            (
                Service::Iam,
                "us-gov-east-1",
                "iam.us-gov.amazonaws.com",
                "us-gov-west-1",
            ),
            (
                Service::Iam,
                "cn-northwest-1",
                "iam.cn-north-1.amazonaws.com.cn",
                "cn-north-1",
            ),
            (
                Service::Iam,
                "eusc-de-east-1",
                "iam.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
            ),
        ] {
            let expected = (format!("https://{host}/"), signed.to_owned());
            assert_eq!(uri(&own, service, region), expected);
        }
    }

    #[test]
    fn the_most_particular_url_wins() {
        let variables = [
            ("AWS_ENDPOINT_URL", "http://all:1"),
            ("AWS_ENDPOINT_URL_CONFIG_SERVICE", "http://config:2/path"),
        ];
        let from = |explicit: Option<&EndpointUrl>, more: &[(&str, &str)]| {
            Endpoints::new(explicit, &env(&[&variables, more].concat())).unwrap()
        };
        let both = from(None, &[]);
        assert_eq!(
            uri(&both, Service::Config, "eu-west-1").0,
            "http://config:2/path"
        );
        let iam = ("http://all:1/".to_owned(), "eu-west-1".to_owned());
        assert_eq!(
            uri(&both, Service::Iam, "eu-west-1"),
            iam,
            "signed for its own region"
        );
        let explicit = "http://flag:3".parse().unwrap();
        let flag = from(Some(&explicit), &[]);
        assert_eq!(uri(&flag, Service::Config, "eu-west-1").0, "http://flag:3/");
        let ignored = from(None, &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "TRUE")]);
        assert!(
            !ignored
                .resolve(Service::Sts, &"eu-west-1".parse().unwrap())
                .custom
        );
        let again = Endpoints::new(None, &FolderEnv::new("x".as_ref(), both.variables()));
        assert_eq!(again.unwrap().custom, both.custom);
    }

    #[test]
    fn a_url_that_is_none_is_refused() {
        for bad in [
            "",
            "localhost:5000",
            "ftp://x",
            "http://",
            "http://u:p@h/",
            "http://h/?q",
        ] {
            assert!(bad.parse::<EndpointUrl>().is_err(), "{bad}");
        }
        let error = Endpoints::new(None, &env(&[("AWS_ENDPOINT_URL", "x")])).unwrap_err();
        assert!(
            error.contains("AWS_ENDPOINT_URL: \"x\" is not an endpoint URL"),
            "{error}"
        );
    }
}
