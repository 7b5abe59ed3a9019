//! `sts:AssumeRole`: returns temporary credentials of a role.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use serde::Deserialize;

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::{ParseError, query};
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

#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(rename = "Credentials")]
    pub(super) keys: TemporaryKeys,
}

#[derive(Deserialize)]
enum AssumeRoleResponse {
    AssumeRoleResponse {
        #[serde(rename = "AssumeRoleResult")]
        result: Credentials,
    },
}

impl Operation for AssumeRole<'_> {
    const NAME: &'static str = "AssumeRole";
    const SERVICE: Service = Service::Sts;
    type Output = TemporaryKeys;

    fn request_body(&self) -> RequestBody {
        let duration = self.duration_seconds.map(|s| s.to_string());
        let (serial, code) = match &self.mfa {
            Some((serial, code)) => (Some(*serial), Some(code.as_str())),
            None => (None, None),
        };
        RequestBody::query(Self::NAME, "2011-06-15").with([
            ("RoleArn", Some(self.role_arn)),
            ("RoleSessionName", Some(self.session_name)),
            ("ExternalId", self.external_id),
            ("DurationSeconds", duration.as_deref()),
            ("SerialNumber", serial),
            ("TokenCode", code),
        ])
    }

    fn parse(&self, body: &[u8]) -> Result<TemporaryKeys, ParseError> {
        let AssumeRoleResponse::AssumeRoleResponse { result } = query::reply(body)?;
        Ok(result.keys)
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
        let optional = ["ExternalId", "DurationSeconds", "SerialNumber", "TokenCode"];
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
        };
        let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
            <AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>\
            <SessionToken>t0ken</SessionToken><Expiration>2026-11-24T13:00:00Z</Expiration>\
            </Credentials></AssumeRoleResult></AssumeRoleResponse>";
        let keys = operation.parse(body.as_bytes()).unwrap();
        assert_eq!(keys.access_key_id.expose(), "ASIAX");
        let shown = format!("{keys:?}");
        for secret in ["ASIAX", "s3cret", "t0ken"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(operation.parse(b"<AssumeRoleResponse/>").is_err());
    }
}
