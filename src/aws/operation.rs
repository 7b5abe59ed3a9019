//! An operation of an AWS service: its request, its response and their formats.

use serde::Serialize;

use super::protocol::{self, ParseError};
use crate::model::{AccountId, ResourceType};

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
    /// The token service of `aws login`.
    SignIn,
    /// The IAM Identity Center portal.
    Sso,
    /// The IAM Identity Center token service.
    SsoOidc,
    /// STS.
    Sts,
}

impl Service {
    /// Every service.
    pub const ALL: [Self; 8] = [
        Self::Config,
        Self::Ec2,
        Self::Iam,
        Self::Organizations,
        Self::SignIn,
        Self::Sso,
        Self::SsoOidc,
        Self::Sts,
    ];

    /// Returns the name in host names, in the signature's scope and in IAM actions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Organizations => "organizations",
            Self::SignIn => "signin",
            Self::Sso => "portal.sso",
            Self::SsoOidc => "oidc",
            Self::Sts => "sts",
        }
    }

    /// Returns the name in `AWS_ENDPOINT_URL_{token}`; in lower case, the block in a `[services]`
    /// section.
    ///
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
    #[must_use]
    pub fn endpoint_token(self) -> &'static str {
        match self {
            Self::Config => "CONFIG_SERVICE",
            Self::Ec2 => "EC2",
            Self::Iam => "IAM",
            Self::Organizations => "ORGANIZATIONS",
            Self::SignIn => "SIGNIN",
            Self::Sso => "SSO",
            Self::SsoOidc => "SSO_OIDC",
            Self::Sts => "STS",
        }
    }
}

/// The body of a request, in the format of the service's protocol.
pub enum RequestBody {
    /// AWS JSON 1.1: the value of `X-Amz-Target`, and the body.
    Json {
        /// `{prefix}.{operation}`.
        target: String,
        /// A JSON object.
        body: Vec<u8>,
    },
    /// The Query protocol: the parameters, including `Action` and `Version`.
    Query(Vec<(String, String)>),
}

impl RequestBody {
    /// Creates an AWS JSON 1.1 body for AWS Config or AWS Organizations.
    pub(super) fn json<O: Operation + Serialize>(operation: &O) -> Self {
        let prefix = match O::SERVICE {
            Service::Organizations => "AWSOrganizationsV20161128",
            _ => "StarlingDoveService",
        };
        Self::Json {
            target: format!("{prefix}.{}", O::NAME),
            body: protocol::json::body(operation),
        }
    }

    /// Creates a Query body with those of `parameters` that have a value.
    pub(super) fn query<const N: usize>(
        action: &str,
        version: &str,
        parameters: [(&str, Option<&str>); N],
    ) -> Self {
        let first = [("Action", Some(action)), ("Version", Some(version))];
        let pair = |(name, value): (&str, Option<&str>)| Some((name.to_owned(), value?.to_owned()));
        Self::Query(
            first
                .into_iter()
                .chain(parameters)
                .filter_map(pair)
                .collect(),
        )
    }
}

/// One call of one operation.
pub trait Operation {
    /// The operation's name in the API reference.
    const NAME: &'static str;
    /// The service of the operation.
    const SERVICE: Service;
    /// True if the request is signed; the default.
    const SIGNED: bool = true;
    /// True if the response contains credentials, so that no part of it is shown or recorded as it
    /// is; by default false.
    const RETURNS_CREDENTIALS: bool = false;
    /// The parsed response.
    type Output: Send + 'static;

    /// Returns the request body.
    fn request_body(&self) -> RequestBody;

    /// Returns the resource type that the call is about, if it is about one.
    fn resource_type(&self) -> Option<&ResourceType> {
        None
    }

    /// Returns the account that the call is about, if that is not the one of the credentials.
    fn account(&self) -> Option<AccountId> {
        None
    }

    /// Returns the number of the page that the call requests, from 1; `None` if the operation has no pages.
    fn page(&self) -> Option<usize> {
        None
    }

    /// Parses the body of a 2xx response.
    ///
    /// # Errors
    /// The body is not a response of this operation; nothing may be concluded from it.
    fn parse(&self, body: &[u8]) -> Result<Self::Output, ParseError>;
}
