//! `sts:AssumeRoleWithWebIdentity`: a role's keys for an identity token; the call is not signed.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use serde::Deserialize;

use super::assume_role::{Credentials, TemporaryKeys};
use crate::aws::operation::{Operation, Service, Wire};
use crate::aws::protocol::{Unreadable, query};

/// The call.
pub struct AssumeRoleWithWebIdentity<'a> {
    /// The role's ARN.
    pub role_arn: &'a str,
    /// The session's name, 2 to 64 characters.
    pub session_name: &'a str,
    /// The identity provider's token; secret.
    pub token: &'a str,
}

#[derive(Deserialize)]
enum Reply {
    AssumeRoleWithWebIdentityResponse {
        #[serde(rename = "AssumeRoleWithWebIdentityResult")]
        result: Credentials,
    },
}

impl Operation for AssumeRoleWithWebIdentity<'_> {
    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    const SERVICE: Service = Service::Sts;
    const SIGNED: bool = false;
    type Output = TemporaryKeys;

    fn wire(&self) -> Wire {
        Wire::query(Self::NAME, "2011-06-15").with([
            ("RoleArn", Some(self.role_arn)),
            ("RoleSessionName", Some(self.session_name)),
            ("WebIdentityToken", Some(self.token)),
        ])
    }

    fn parse(&self, body: &[u8]) -> Result<TemporaryKeys, Unreadable> {
        let Reply::AssumeRoleWithWebIdentityResponse { result } = query::reply(body)?;
        Ok(result.keys)
    }
}
