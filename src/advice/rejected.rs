//! Advice for rejected credentials, signatures and permissions: it follows from the endpoint, from the
//! caller's identity and from the service's message, not only from the error code.

use crate::aws::endpoint::CustomEndpoint;
use crate::aws::error::{CallError, Cause};
use crate::aws::partition::Partition;
use crate::model::Region;

/// Returns advice for a signature that the service rejected.
pub fn for_signature(error: &CallError) -> String {
    let unknown = "the signature was rejected: check the secret access key";
    match (&error.endpoint, error.identity.is_confirmed()) {
        _ if names_clock(message(error)) => "check this machine's clock".to_owned(),
        (Some(endpoint), _) => for_custom_endpoint(error, endpoint, unknown),
        (None, false) if names_scope(error) => format!(
            "the service expects a signature for another region or service than {} in {}: a proxy may \
             redirect the requests",
            error.service.name(),
            error.region
        ),
        (None, false) => unknown.to_owned(),
        (None, true) => {
            "the credentials are valid, because GetCallerIdentity accepted them: a proxy \
                         may change or redirect the requests"
                .to_owned()
        }
    }
}

/// Returns true for the service's words on a time that is not its own; a response whose date differs has its own cause.
fn names_clock(message: &str) -> bool {
    message.starts_with("Signature expired") || message.starts_with("Signature not yet current")
}

/// Returns advice for credentials that the service does not recognize.
pub fn for_unrecognized_client(error: &CallError) -> String {
    match (&error.endpoint, error.identity.is_confirmed()) {
        (Some(endpoint), _) => {
            for_custom_endpoint(error, endpoint, "check that the access key is active")
        }
        (None, true) => format!(
            "the credentials are valid, because GetCallerIdentity accepted them: check that {} is \
             enabled for the account",
            error.region
        ),
        (None, false) => "check that the access key is active and that --region is enabled and in \
                          the same partition"
            .to_owned(),
    }
}

/// Returns advice for an endpoint that rejects the signature or does not recognize the credentials;
/// `unknown` is the advice on credentials that nothing has accepted yet.
fn for_custom_endpoint(error: &CallError, endpoint: &CustomEndpoint, unknown: &str) -> String {
    let (setting, host) = (setting(endpoint), endpoint.url.host());
    let (service, region) = (error.service.name(), &error.region);
    let is_valid = error.identity.is_confirmed();
    let reason = if is_valid {
        "the credentials are valid, because GetCallerIdentity accepted them: "
    } else {
        ""
    };
    match region_of(&host) {
        Some(other) if other != region.as_str() => format!(
            "{reason}{setting} sends the requests for {region} to {host}, an endpoint of {other}; \
             set an endpoint of {region}, or scan with --region {other} --regions {other}"
        ),
        _ if names_scope(error) => format!(
            "{reason}{setting} sends the requests to {host}, which expects a signature for another \
             region or service than {service} in {region}"
        ),
        _ if is_valid => {
            format!("{reason}check that {host} is an endpoint of {service} in {region}")
        }
        _ => format!("{unknown}, and that {host} is an endpoint of {service} in {region}"),
    }
}

/// Returns the name of the setting of an endpoint.
pub fn setting(endpoint: &CustomEndpoint) -> &str {
    endpoint.setting.as_deref().unwrap_or("--endpoint-url")
}

/// Returns the region in the name of a host, such as that of a VPC endpoint.
fn region_of(host: &str) -> Option<&str> {
    let mut labels = host.split(['.', ':']);
    labels.find(|label| {
        let region: Result<Region, _> = label.parse();
        region.is_ok_and(|region| Partition::knows(&region))
    })
}

/// Returns true if the service says that the signature is for another region or service.
fn names_scope(error: &CallError) -> bool {
    message(error).contains("Credential should be scoped to")
}

/// Returns advice for a call that is not allowed.
pub fn for_access_denied(error: &CallError) -> String {
    let (service, operation) = (error.service.name(), error.operation);
    let message = message(error);
    // AWS names the kind of the policy that denies a call.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    let policy = match message {
        _ if message.contains("VPC endpoint policy") => "the policy of the VPC endpoint",
        _ if message.contains("service control policy") => "the service control policies",
        _ if message.contains("resource control policy") => "the resource control policies",
        _ if message.contains("permissions boundary") => "the caller's permissions boundary",
        _ if message.contains("session policy") => "the policy of the role session",
        _ => "the caller's policies and service control policies",
    };
    format!("allow {service}:{operation} in {policy}")
}

fn message(error: &CallError) -> &str {
    match &error.cause {
        Cause::Service { message, .. } => message,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::fake::{call_error, service_cause};

    /// An error of AWS Config in us-east-1.
    fn error(message: &str, host: Option<&str>, is_valid: bool) -> CallError {
        let endpoint = host.map(|host| CustomEndpoint {
            setting: Some("AWS_ENDPOINT_URL_CONFIG_SERVICE".to_owned()),
            url: format!("https://{host}").parse().unwrap(),
        });
        let error = call_error(service_cause("InvalidSignatureException", message, 400));
        if is_valid {
            error.identity.note("GetCallerIdentity");
        }
        CallError { endpoint, ..error }
    }

    const SCOPE: &str = "Credential should be scoped to a valid region, not 'us-east-1'";
    const OTHER_REGION: &str = "vpce-0a-1b-us-west-2a.config.us-west-2.vpce.amazonaws.com";

    #[test]
    fn signature_advice_follows_endpoint_and_identity() {
        for (message, host, is_valid, part) in [
            (
                "Signature expired: 20261126T204500Z is now earlier than 20261126T210000Z",
                Some(OTHER_REGION),
                false,
                "check this machine's clock",
            ),
            (
                "",
                None,
                false,
                "the signature was rejected: check the secret access key",
            ),
            (
                "",
                None,
                true,
                "the credentials are valid, because GetCallerIdentity",
            ),
            (
                SCOPE,
                None,
                false,
                "expects a signature for another region or service",
            ),
            (
                SCOPE,
                Some(OTHER_REGION),
                true,
                "an endpoint of us-west-2; set an endpoint of us-east-1",
            ),
            (
                "",
                Some(OTHER_REGION),
                false,
                "--region us-west-2 --regions us-west-2",
            ),
            (
                SCOPE,
                Some("config.internal:8443"),
                true,
                "expects a signature for another region",
            ),
            (
                "",
                Some("10.0.0.7"),
                true,
                "check that 10.0.0.7 is an endpoint of config in us-east-1",
            ),
            (
                "",
                Some("config.us-east-1.amazonaws.com"),
                false,
                "check the secret access key, and that config.us-east-1",
            ),
        ] {
            let advice = for_signature(&error(message, host, is_valid));
            assert!(advice.contains(part), "{advice}");
            // Nothing has accepted the key, and nothing says that the endpoint is a wrong one.
            let is_unknown = !is_valid && message.is_empty() && host != Some(OTHER_REGION);
            assert_eq!(advice.contains("secret access key"), is_unknown, "{advice}");
        }
    }

    #[test]
    fn unknown_key_advice_follows_endpoint_and_identity() {
        for (host, is_valid, part) in [
            (None, false, "check that the access key is active"),
            (
                None,
                true,
                "check that us-east-1 is enabled for the account",
            ),
            (Some(OTHER_REGION), true, "an endpoint of us-west-2"),
            (
                Some("127.0.0.1:5000"),
                false,
                "check that the access key is active, and that 127.0.0.1:5000",
            ),
        ] {
            let advice = for_unrecognized_client(&error("", host, is_valid));
            assert!(advice.contains(part), "{advice}");
        }
    }

    #[test]
    fn access_advice_names_the_policy_that_denies() {
        for (message, policy) in [
            (
                "because no VPC endpoint policy allows the action",
                "the policy of the VPC endpoint",
            ),
            (
                "with an explicit deny in a service control policy",
                "the service control policies",
            ),
            (
                "with an explicit deny in a resource control policy",
                "the resource control policies",
            ),
            (
                "because no permissions boundary allows it",
                "the caller's permissions boundary",
            ),
            (
                "because no session policy allows it",
                "the policy of the role session",
            ),
            (
                "because no identity-based policy allows it",
                "the caller's policies",
            ),
            ("", "the caller's policies and service control policies"),
        ] {
            let advice = for_access_denied(&error(message, None, true));
            let start = format!("allow config:ListDiscoveredResources in {policy}");
            assert!(advice.starts_with(&start), "{advice}");
        }
    }
}
