//! `sts:AssumeRole`: returns temporary credentials of a role.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use serde::Deserialize;

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::{ParseError, query};
use crate::model::AccountId;
use crate::secret::Secret;

/// The request.
pub struct AssumeRole<'a> {
    /// The role's ARN.
    pub role_arn: &'a str,
    /// The session's name, 2 to 64 characters.
    pub session_name: &'a str,
    /// The external ID that the role's trust policy requires, 2 to 1224 characters.
    pub external_id: Option<&'a str>,
    /// The lifetime of the credentials, 900 to 43200 seconds; by default an hour.
    pub duration_seconds: Option<u32>,
    /// The MFA device and its code.
    pub mfa: Option<(&'a str, String)>,
    /// The session policy, which limits what the role allows, at most 2048 characters.
    pub policy: Option<&'a str>,
}

/// Temporary credentials.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TemporaryKeys {
    /// The access key ID.
    pub access_key_id: Secret,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
    /// The expiry, in ISO 8601.
    pub expiration: String,
}

/// The credentials of a role, and the session that they belong to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRole {
    /// The credentials.
    #[serde(rename = "Credentials")]
    pub keys: TemporaryKeys,
    assumed_role_user: Option<AssumedRoleUser>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    arn: Option<String>,
}

impl AssumedRole {
    /// Returns the account of the session, from its ARN; `None` if the response has no valid ARN.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        let arn = self.assumed_role_user.as_ref()?.arn.as_deref()?;
        arn.trim().split(':').nth(4)?.parse().ok()
    }
}

#[derive(Deserialize)]
enum AssumeRoleResponse {
    AssumeRoleResponse {
        #[serde(rename = "AssumeRoleResult")]
        result: AssumedRole,
    },
}

impl Operation for AssumeRole<'_> {
    const NAME: &'static str = "AssumeRole";
    const SERVICE: Service = Service::Sts;
    const RETURNS_CREDENTIALS: bool = true;
    type Output = AssumedRole;

    fn request_body(&self) -> RequestBody {
        let duration = self.duration_seconds.map(|s| s.to_string());
        let (serial, code) = match &self.mfa {
            Some((serial, code)) => (Some(*serial), Some(code.as_str())),
            None => (None, None),
        };
        let parameters = [
            ("RoleArn", Some(self.role_arn)),
            ("RoleSessionName", Some(self.session_name)),
            ("ExternalId", self.external_id),
            ("DurationSeconds", duration.as_deref()),
            ("SerialNumber", serial),
            ("TokenCode", code),
            ("Policy", self.policy),
        ];
        RequestBody::query(Self::NAME, "2011-06-15", parameters)
    }

    fn account(&self) -> Option<AccountId> {
        self.role_arn.split(':').nth(4)?.parse().ok()
    }

    fn parse(&self, body: &[u8]) -> Result<AssumedRole, ParseError> {
        let AssumeRoleResponse::AssumeRoleResponse { result } = query::reply(body)?;
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn optional_parameters_are_sent_if_set() {
        let mut operation = AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/r",
            session_name: "s",
            external_id: None,
            duration_seconds: None,
            mfa: None,
            policy: None,
        };
        let names = |operation: &AssumeRole| match operation.request_body() {
            RequestBody::Query(pairs) => pairs.into_iter().map(|(n, _)| n).collect::<Vec<_>>(),
            RequestBody::Json { .. } => panic!("a query"),
        };
        let required = ["Action", "Version", "RoleArn", "RoleSessionName"];
        assert_eq!(names(&operation), required);
        operation.external_id = Some("x");
        operation.duration_seconds = Some(900);
        operation.mfa = Some(("device", "123456".to_owned()));
        operation.policy = Some("{}");
        let optional = [
            "ExternalId",
            "DurationSeconds",
            "SerialNumber",
            "TokenCode",
            "Policy",
        ];
        assert_eq!(names(&operation), [&required[..], &optional].concat());
    }

    #[test]
    fn credentials_are_read_and_not_shown() {
        let operation = AssumeRole {
            role_arn: "r",
            session_name: "s",
            external_id: None,
            duration_seconds: None,
            mfa: None,
            policy: None,
        };
        let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
            <AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>\
            <SessionToken>t0ken</SessionToken><Expiration>2026-11-24T13:00:00Z</Expiration>\
            </Credentials></AssumeRoleResult></AssumeRoleResponse>";
        let role = operation.parse(body.as_bytes()).unwrap();
        assert_eq!(role.keys.access_key_id.expose(), "ASIAX");
        assert_eq!(role.account(), None);
        let shown = format!("{role:?}");
        for secret in ["ASIAX", "s3cret", "t0ken"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(operation.parse(b"<AssumeRoleResponse/>").is_err());
        for (arn, account) in [
            (
                "arn:aws:sts::012345678901:assumed-role/r/s",
                Some("012345678901"),
            ),
            (
                " arn:aws-cn:sts::222222222222:assumed-role/r/s ",
                Some("222222222222"),
            ),
            ("arn:aws:sts::1234:assumed-role/r/s", None),
            ("r", None),
            ("", None),
        ] {
            let user = format!("<AssumedRoleUser><Arn>{arn}</Arn></AssumedRoleUser><Credentials>");
            let body = body.replace("<Credentials>", &user);
            let found = operation.parse(body.as_bytes()).unwrap().account();
            assert_eq!(found.as_ref().map(AccountId::as_str), account, "{arn}");
        }
    }
}
