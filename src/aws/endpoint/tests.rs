use super::endpoints::{Endpoint, Endpoints};
use super::error::EndpointError;
use super::url::EndpointUrl;
use crate::aws::config_file::SharedFiles;
use crate::aws::operation::Service;
use crate::recording::RecordedEnv;

/// Creates endpoints from environment variables and the text of a config file.
fn endpoints_of(
    explicit: Option<&str>,
    variables: &[(&str, &str)],
    config: &str,
) -> Result<Endpoints, EndpointError> {
    let folder = tempfile::tempdir().unwrap();
    let aws = folder.path().join("home/.aws");
    std::fs::create_dir_all(&aws).unwrap();
    std::fs::write(aws.join("config"), config).unwrap();
    let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    let env = RecordedEnv::new(folder.path(), variables.iter().map(own).collect());
    let files = SharedFiles::load(&env).unwrap();
    let explicit: Option<EndpointUrl> = explicit.map(|url| url.parse().unwrap());
    Endpoints::new(explicit.as_ref(), &env, &files, "default")
}

fn resolve(
    endpoints: &Endpoints,
    service: Service,
    region: &str,
) -> Result<Endpoint, EndpointError> {
    endpoints.resolve(service, &region.parse().unwrap())
}

/// Every setting of a URL for AWS Config, the most specific first.
const SETTINGS: [(&str, &str); 4] = [
    ("AWS_ENDPOINT_URL_CONFIG_SERVICE", "http://own-variable:1/"),
    ("AWS_ENDPOINT_URL", "http://variable:2/"),
    ("services", "http://section:3/"),
    ("endpoint_url", "http://key:4/"),
];

#[test]
fn most_specific_endpoint_setting_is_used() {
    for first in 0..SETTINGS.len() {
        let mut variables = Vec::new();
        let mut config = "[default]\n".to_owned();
        for (name, url) in &SETTINGS[first..] {
            match *name {
                "services" => config.push_str("services = dev\n"),
                "endpoint_url" => config = format!("{config}endpoint_url = {url}\n"),
                variable => variables.push((variable, *url)),
            }
        }
        config.push_str("[services dev]\nsts =\n  endpoint_url = http://sts:5\nconfig_service =\n");
        config.push_str("  endpoint_url = http://section:3/ # local\n");
        let endpoints = endpoints_of(None, &variables, &config).unwrap();
        let endpoint = resolve(&endpoints, Service::Config, "eu-west-1").unwrap();
        assert_eq!(endpoint.uri, SETTINGS[first].1);
        assert!(endpoint.custom);

        let flag = endpoints_of(Some("http://flag:0"), &variables, &config).unwrap();
        let endpoint = resolve(&flag, Service::Config, "eu-west-1").unwrap();
        assert_eq!(
            endpoint.uri, "http://flag:0/",
            "takes precedence over all of them"
        );

        let again: Vec<_> = endpoints.variables().into_iter().collect();
        let again: Vec<_> = again.iter().map(|(a, b)| (&**a, &**b)).collect();
        let again = endpoints_of(None, &again, "").unwrap();
        assert_eq!(again.variables(), endpoints.variables());
        for service in Service::ALL {
            let [here, there] = [&again, &endpoints].map(|e| resolve(e, service, "eu-west-1"));
            assert_eq!(here, there, "the variables give the same endpoints");
        }
    }
}

#[test]
fn configured_urls_can_be_ignored() {
    let urls = "endpoint_url = http://key:4\nservices = nowhere\n";
    for (variable, key, ignored) in [
        (Some("TRUE"), "", true),
        (None, "true", true),
        (Some("true"), "false", true),
        (Some("false"), "true", false),
        (None, "", false),
    ] {
        let variables: Vec<_> = variable
            .map(|v| ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", v))
            .into_iter()
            .chain([("AWS_ENDPOINT_URL", "http://variable:2")])
            .collect();
        let config = format!("[default]\n{urls}ignore_configured_endpoint_urls = {key}\n");
        let endpoints = endpoints_of(None, &variables, &config).unwrap();
        let endpoint = resolve(&endpoints, Service::Sts, "eu-west-1").unwrap();
        assert_eq!(endpoint.custom, !ignored, "{variable:?} {key}");
        let flag = endpoints_of(Some("http://flag:0"), &variables, &config).unwrap();
        assert!(resolve(&flag, Service::Sts, "eu-west-1").unwrap().custom);
    }
}

#[test]
fn custom_endpoint_is_signed_for_call_region() {
    let endpoints = endpoints_of(None, &[("AWS_ENDPOINT_URL", "http://all:1")], "").unwrap();
    for service in Service::ALL {
        let endpoint = resolve(&endpoints, service, "eu-west-1").unwrap();
        assert_eq!(endpoint.signing_region.as_str(), "eu-west-1");
    }
}

#[test]
fn variants_come_from_variable_or_profile() {
    const FIPS_ON: (&str, &str) = ("AWS_USE_FIPS_ENDPOINT", "true");
    for (variables, config, host) in [
        (&[][..], "", "config.eu-west-1.amazonaws.com"),
        (&[FIPS_ON], "", "config-fips.eu-west-1.amazonaws.com"),
        (
            &[],
            "use_fips_endpoint = True",
            "config-fips.eu-west-1.amazonaws.com",
        ),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "false")],
            "use_fips_endpoint = true",
            "config.eu-west-1.amazonaws.com",
        ),
        (
            &[("AWS_USE_DUALSTACK_ENDPOINT", "true")],
            "",
            "config.eu-west-1.api.aws",
        ),
        (
            &[FIPS_ON],
            "use_dualstack_endpoint = true",
            "config-fips.eu-west-1.api.aws",
        ),
    ] {
        let endpoints = endpoints_of(None, variables, &format!("[default]\n{config}\n")).unwrap();
        let endpoint = resolve(&endpoints, Service::Config, "eu-west-1").unwrap();
        assert_eq!(endpoint.uri, format!("https://{host}/"));
        let again: Vec<_> = endpoints.variables().into_iter().collect();
        let again: Vec<_> = again.iter().map(|(a, b)| (&**a, &**b)).collect();
        let again = endpoints_of(None, &again, "").unwrap();
        assert_eq!(
            resolve(&again, Service::Config, "eu-west-1"),
            Ok(endpoint),
            "the variables give the same endpoints"
        );
    }
}

#[test]
fn invalid_setting_is_named_in_error() {
    for (variables, config, expected) in [
        (
            &[("AWS_ENDPOINT_URL", "x")][..],
            "",
            "AWS_ENDPOINT_URL: not an endpoint URL",
        ),
        (
            &[],
            "endpoint_url = x",
            "endpoint_url of profile default: not an endpoint URL",
        ),
        (
            &[],
            "services = s\n[services s]\niam =\n  endpoint_url = ftp://x",
            "iam in [services s]: an endpoint URL begins with http",
        ),
        (
            &[],
            "services = s",
            "services of profile default: home/.aws/config has no section [services s]",
        ),
        (
            &[("AWS_USE_FIPS_ENDPOINT", "1")],
            "",
            "AWS_USE_FIPS_ENDPOINT: \"1\" is neither true nor false",
        ),
        (
            &[],
            "use_dualstack_endpoint = yes",
            "use_dualstack_endpoint of profile default: \"yes\" is neither true nor false",
        ),
    ] {
        let error = endpoints_of(None, variables, &format!("[default]\n{config}\n")).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn custom_endpoint_ignores_variants() {
    for (explicit, variables, config, uri) in [
        (
            None,
            &[
                ("AWS_USE_FIPS_ENDPOINT", "true"),
                ("AWS_ENDPOINT_URL", "http://all:1"),
            ][..],
            "",
            "http://all:1/",
        ),
        (
            Some("http://flag:0"),
            &[],
            "use_dualstack_endpoint = true",
            "http://flag:0/",
        ),
    ] {
        let config = format!("[default]\n{config}\n");
        let endpoints = endpoints_of(explicit, variables, &config).unwrap();
        let endpoint = resolve(&endpoints, Service::Iam, "eu-west-1").unwrap();
        assert_eq!(endpoint.uri, uri);
    }
}

#[test]
fn variant_missing_in_partition_is_rejected() {
    for (config, region, expected) in [
        (
            "use_dualstack_endpoint = true",
            "us-isof-south-1",
            "iam has no dual-stack endpoint in the partition aws-iso-f (required by \
             use_dualstack_endpoint of profile default); set AWS_USE_DUALSTACK_ENDPOINT=false",
        ),
        (
            "use_fips_endpoint = true\nuse_dualstack_endpoint = true",
            "eu-isoe-west-1",
            "iam has no FIPS and dual-stack endpoint in the partition aws-iso-e (required by \
             use_fips_endpoint of profile default and use_dualstack_endpoint of profile default); \
             set AWS_USE_FIPS_ENDPOINT=false or AWS_USE_DUALSTACK_ENDPOINT=false",
        ),
    ] {
        let endpoints = endpoints_of(None, &[], &format!("[default]\n{config}\n")).unwrap();
        let error = resolve(&endpoints, Service::Iam, region).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(resolve(&endpoints, Service::Iam, "us-east-1").is_ok());
    }
}

#[test]
fn fips_region_enables_fips_once() {
    let endpoints = endpoints_of(None, &[], "").unwrap();
    let endpoints = endpoints.with_fips("the region fips-cn-north-1".to_owned());
    let endpoint = resolve(&endpoints, Service::Config, "cn-north-1").unwrap();
    assert_eq!(
        endpoint.uri,
        "https://config-fips.cn-north-1.amazonaws.com.cn/"
    );
    let variables: Vec<_> = endpoints.variables().into_iter().collect();
    let fips = ("AWS_USE_FIPS_ENDPOINT".to_owned(), "true".to_owned());
    assert_eq!(variables, [fips], "a recording has the variable");
}

#[test]
fn invalid_endpoint_url_is_not_quoted() {
    for (text, reason) in [
        ("", "not an endpoint URL"),
        ("localhost:5000", "not an endpoint URL"),
        ("marked", "not an endpoint URL"),
        ("http://", "not an endpoint URL"),
        ("http://host:marked/", "not an endpoint URL"),
        ("http://ma rked/", "not an endpoint URL"),
        ("ftp://marked", "begins with http:// or https://"),
        ("http://marked:marked@h/", "no user name and password"),
        ("https://svc:12#marked@host", "no user name and password"),
        ("https://svc:12\\marked/host", "no user name and password"),
        ("http://h/?marked", "no query and no fragment"),
        ("http://h/#marked", "no query and no fragment"),
    ] {
        let error = text.parse::<EndpointUrl>().unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
        assert!(!error.contains("marked"), "{error}");
    }
}

/// The hosts come from botocore 1.43 (`signin`, CreateOAuth2Token).
#[test]
fn sign_in_hosts_are_those_of_botocore() {
    let (fips, dual) = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT");
    for (region, switches, host) in [
        ("eu-west-1", &[][..], "eu-west-1.signin.aws.amazon.com"),
        ("cn-north-1", &[], "cn-north-1.signin.amazonaws.cn"),
        (
            "us-gov-east-1",
            &[],
            "us-gov-east-1.signin.amazonaws-us-gov.com",
        ),
        (
            "eusc-de-east-1",
            &[],
            "eusc-de-east-1.signin.amazonaws-eusc.eu",
        ),
        ("us-iso-east-1", &[], "us-iso-east-1.signin.c2shome.ic.gov"),
        (
            "us-isob-east-1",
            &[],
            "us-isob-east-1.signin.sc2shome.sgov.gov",
        ),
        (
            "eu-isoe-west-1",
            &[],
            "eu-isoe-west-1.signin.csphome.adc-e.uk",
        ),
        (
            "us-isof-south-1",
            &[],
            "us-isof-south-1.signin.csphome.hci.ic.gov",
        ),
        ("eu-west-1", &[fips], "signin-fips.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", &[fips], "signin-fips.amazonaws-us-gov.com"),
        (
            "us-gov-east-1",
            &[fips],
            "us-gov-east-1.signin-fips.amazonaws-us-gov.com",
        ),
        ("eu-west-1", &[dual], "signin.eu-west-1.api.aws"),
        (
            "us-gov-west-1",
            &[fips, dual],
            "signin-fips.us-gov-west-1.api.aws",
        ),
    ] {
        let variables: Vec<_> = switches.iter().map(|name| (*name, "true")).collect();
        let endpoints = endpoints_of(None, &variables, "").unwrap();
        let endpoint = resolve(&endpoints, Service::SignIn, region).unwrap();
        assert_eq!(endpoint.uri, format!("https://{host}/"), "{switches:?}");
    }
}

#[test]
fn endpoint_url_shows_only_its_origin() {
    let url: EndpointUrl = " https://host:8443/marked/ ".parse().unwrap();
    assert_eq!(url.as_str(), "https://host:8443/marked/");
    assert_eq!(
        format!("{url} {url:?}"),
        "https://host:8443/ EndpointUrl(https://host:8443/)"
    );
}
