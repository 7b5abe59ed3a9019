//! `sts:AssumeRole`: the temporary keys of a role.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::fmt;

use serde::Deserialize;

use crate::aws::operation::{Operation, Service, Wire};
use crate::aws::protocol::{Unreadable, query};

/// The call.
pub struct AssumeRole<'a> {
    /// The role's ARN.
    pub role_arn: &'a str,
    /// The session's name, 2 to 64 characters.
    pub session_name: &'a str,
    /// What the role's owner asks for, 2 to 1224 characters.
    pub external_id: Option<&'a str>,
    /// How long the keys live, 900 to 43200 seconds; an hour when absent.
    pub duration_seconds: Option<u32>,
    /// The MFA device and its code.
    pub mfa: Option<(&'a str, String)>,
}

/// Temporary keys.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TemporaryKeys {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
    /// The session token.
    pub session_token: String,
    /// When they end, in ISO 8601.
    pub expiration: String,
}

/// Tells the end alone.
impl fmt::Debug for TemporaryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TemporaryKeys");
        shown
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(rename = "Credentials")]
    pub(super) keys: TemporaryKeys,
}

#[derive(Deserialize)]
enum Reply {
    AssumeRoleResponse {
        #[serde(rename = "AssumeRoleResult")]
        result: Credentials,
    },
}

impl Operation for AssumeRole<'_> {
    const NAME: &'static str = "AssumeRole";
    const SERVICE: Service = Service::Sts;
    type Output = TemporaryKeys;

    fn wire(&self) -> Wire {
        let duration = self.duration_seconds.map(|s| s.to_string());
        let (serial, code) = match &self.mfa {
            Some((serial, code)) => (Some(*serial), Some(code.as_str())),
            None => (None, None),
        };
        Wire::query(Self::NAME, "2011-06-15").with([
            ("RoleArn", Some(self.role_arn)),
            ("RoleSessionName", Some(self.session_name)),
            ("ExternalId", self.external_id),
            ("DurationSeconds", duration.as_deref()),
            ("SerialNumber", serial),
            ("TokenCode", code),
        ])
    }

    fn parse(&self, body: &[u8]) -> Result<TemporaryKeys, Unreadable> {
        let Reply::AssumeRoleResponse { result } = query::reply(body)?;
        Ok(result.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_that_are_given_are_sent() {
        let mut operation = AssumeRole {
            role_arn: "arn:aws:iam::123456789012:role/r",
            session_name: "s",
            external_id: None,
            duration_seconds: None,
            mfa: None,
        };
        let names = |operation: &AssumeRole| match operation.wire() {
            Wire::Query(pairs) => pairs.into_iter().map(|(n, _)| n).collect::<Vec<_>>(),
            Wire::Json { .. } => panic!("a query"),
        };
        let least = ["Action", "Version", "RoleArn", "RoleSessionName"];
        assert_eq!(names(&operation), least);
        operation.external_id = Some("x");
        operation.duration_seconds = Some(900);
        operation.mfa = Some(("device", "123456".to_owned()));
        let more = ["ExternalId", "DurationSeconds", "SerialNumber", "TokenCode"];
        assert_eq!(names(&operation), [&least[..], &more].concat());
    }

    #[test]
    fn the_keys_are_read_and_not_shown() {
        let operation = AssumeRole {
            role_arn: "r",
            session_name: "s",
            external_id: None,
            duration_seconds: None,
            mfa: None,
        };
        let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
            <AccessKeyId>ASIAX</AccessKeyId><SecretAccessKey>sec</SecretAccessKey>\
            <SessionToken>tok</SessionToken><Expiration>2026-11-24T13:00:00Z</Expiration>\
            </Credentials></AssumeRoleResult></AssumeRoleResponse>";
        let keys = operation.parse(body.as_bytes()).unwrap();
        assert_eq!(keys.access_key_id, "ASIAX");
        let shown = format!("{keys:?}");
        for secret in ["ASIAX", "sec\"", "tok"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(operation.parse(b"<AssumeRoleResponse/>").is_err());
    }
}
