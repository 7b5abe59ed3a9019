//! What an operation of an AWS service is: a request, a reply, and how both are written.

use super::protocol::{self, Unreadable};

/// A service that the program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// AWS Config.
    Config,
    /// EC2.
    Ec2,
    /// IAM.
    Iam,
    /// AWS Organizations.
    Organizations,
    /// The portal of IAM Identity Center.
    Sso,
    /// The token service of IAM Identity Center.
    SsoOidc,
    /// STS.
    Sts,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 7] = [
        Self::Config,
        Self::Ec2,
        Self::Iam,
        Self::Organizations,
        Self::Sso,
        Self::SsoOidc,
        Self::Sts,
    ];

    /// The name in hosts, in the signature's scope and in IAM actions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Organizations => "organizations",
            Self::Sso => "portal.sso",
            Self::SsoOidc => "oidc",
            Self::Sts => "sts",
        }
    }

    /// The name in `AWS_ENDPOINT_URL_{token}`; in small letters the block of a `[services]` section.
    ///
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
    #[must_use]
    pub fn endpoint_token(self) -> &'static str {
        match self {
            Self::Config => "CONFIG_SERVICE",
            Self::Ec2 => "EC2",
            Self::Iam => "IAM",
            Self::Organizations => "ORGANIZATIONS",
            Self::Sso => "SSO",
            Self::SsoOidc => "SSO_OIDC",
            Self::Sts => "STS",
        }
    }
}

/// How an operation's request is written and its reply read.
pub enum Wire {
    /// AWS JSON 1.1: the value of `X-Amz-Target`, and the body.
    Json {
        /// `{prefix}.{operation}`.
        target: String,
        /// A JSON object.
        body: Vec<u8>,
    },
    /// The Query form: the parameters, `Action` and `Version` among them.
    Query(Vec<(String, String)>),
}

impl Wire {
    /// AWS JSON 1.1 for AWS Config.
    pub(super) fn config_json(operation: &str, input: &impl serde::Serialize) -> Self {
        Self::Json {
            target: format!("StarlingDoveService.{operation}"),
            body: protocol::json::body(input),
        }
    }

    /// A Query request with no parameters of its own.
    pub(super) fn query(action: &str, version: &str) -> Self {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self::Query(vec![pair("Action", action), pair("Version", version)])
    }

    /// A Query request with those of `parameters` that have a value.
    pub(super) fn with<const N: usize>(self, parameters: [(&str, Option<&str>); N]) -> Self {
        let Self::Query(mut all) = self else {
            return self;
        };
        let given =
            |(name, value): (&str, Option<&str>)| Some((name.to_owned(), value?.to_owned()));
        all.extend(parameters.into_iter().filter_map(given));
        Self::Query(all)
    }
}

/// One call of one operation.
pub trait Operation {
    /// The operation's name in the API reference.
    const NAME: &'static str;
    /// The service that offers it.
    const SERVICE: Service;
    /// Whether the request is signed.
    const SIGNED: bool = true;
    /// What the reply holds.
    type Output: Send + 'static;

    /// The request.
    fn wire(&self) -> Wire;

    /// The reply, from the body of a 2xx answer.
    ///
    /// # Errors
    /// The body is not this operation's reply: nothing may be concluded from it.
    fn parse(&self, body: &[u8]) -> Result<Self::Output, Unreadable>;
}
