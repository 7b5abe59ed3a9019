//! `sts:AssumeRoleWithWebIdentity`: returns temporary credentials of a role for an identity token.
//! The request is not signed.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use serde::Deserialize;

use super::assume_role::AssumedRole;
use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::{ParseError, query};
use crate::secret::Secret;

/// The request.
pub struct AssumeRoleWithWebIdentity<'a> {
    /// The role's ARN.
    pub role_arn: &'a str,
    /// The session's name, 2 to 64 characters.
    pub session_name: &'a str,
    /// The identity provider's token.
    pub token: &'a Secret,
}

#[derive(Deserialize)]
enum AssumeRoleWithWebIdentityResponse {
    AssumeRoleWithWebIdentityResponse {
        #[serde(rename = "AssumeRoleWithWebIdentityResult")]
        result: AssumedRole,
    },
}

impl Operation for AssumeRoleWithWebIdentity<'_> {
    const NAME: &'static str = "AssumeRoleWithWebIdentity";
    const SERVICE: Service = Service::Sts;
    const RETURNS_CREDENTIALS: bool = true;
    const SIGNED: bool = false;
    type Output = AssumedRole;

    fn request_body(&self) -> RequestBody {
        let parameters = [
            ("RoleArn", Some(self.role_arn)),
            ("RoleSessionName", Some(self.session_name)),
            ("WebIdentityToken", Some(self.token.expose())),
        ];
        RequestBody::query(Self::NAME, "2011-06-15", parameters)
    }

    fn parse(&self, body: &[u8]) -> Result<AssumedRole, ParseError> {
        let AssumeRoleWithWebIdentityResponse::AssumeRoleWithWebIdentityResponse { result } =
            query::reply(body)?;
        Ok(result)
    }
}
