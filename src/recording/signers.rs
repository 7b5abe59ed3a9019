//! The accounts whose credentials sign the requests of a run of many accounts.
//!
//! Requests of two accounts to one host may be the same in everything that a replay matches. Only the credentials
//! differ: a response of AssumeRole, or of the portal of IAM Identity Center, gives those of an account. A recording has
//! an access key ID of its own for each account, in place of the real one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cassette::{RecordedBody, RecordedRequest};
use crate::http::{Request, Response};
use crate::redact::REDACTED;

/// The expiry of recorded credentials, in ISO 8601: a replay does not wait, and has no later ones.
const EXPIRATION: &str = "9999-12-31T23:59:59Z";

/// The same in milliseconds since 1970.
const EXPIRATION_MS: u64 = 253_402_300_799_000;

/// The accounts of access key IDs.
#[derive(Debug, Default)]
pub(super) struct Signers(BTreeMap<String, String>);

impl Signers {
    /// Notes the access key ID in a response that gives credentials of an account. Returns the account.
    pub(super) fn add(&mut self, request: &Request, response: &Response) -> Option<String> {
        let requested = requested_account(request)?;
        let key = access_key(&response.body)?;
        let account = session_account(&response.body).unwrap_or(requested);
        self.0.insert(key, account.clone());
        Some(account)
    }

    /// Returns the account whose credentials signed the request; `None` for those of the caller.
    pub(super) fn account(&self, request: &Request) -> Option<String> {
        let (_, rest) = request.header("authorization")?.split_once("Credential=")?;
        self.0.get(rest.split('/').next()?).cloned()
    }
}

/// Returns the account whose credentials a request asks for.
pub(super) fn requested_account(request: &Request) -> Option<String> {
    if let Some(account) = str::from_utf8(&request.body).ok().and_then(role_account) {
        return Some(account);
    }
    let (path, query) = request.uri.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let account = pairs.find(|(name, _)| name == "account_id");
    let is_portal = path.ends_with("/federation/credentials");
    account.filter(|_| is_portal).map(|(_, id)| id.into_owned())
}

/// Returns the account of the role that the form of an AssumeRole request names.
fn role_account(form: &str) -> Option<String> {
    let field = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(form.as_bytes());
        let pair = pairs.find(|(name, _)| name == wanted);
        pair.map(|(_, value)| value.into_owned())
    };
    field("Action").filter(|action| action == "AssumeRole")?;
    let account = field("RoleArn")?.split(':').nth(4)?.to_owned();
    Some(account)
}

/// Returns the account of a recorded AssumeRole request.
pub(super) fn recorded_role_account(request: &RecordedRequest) -> Option<String> {
    role_account(request.body.body.as_ref()?.as_str()?)
}

/// Returns the first access key ID in a response of credentials, in XML or JSON.
fn access_key(body: &[u8]) -> Option<String> {
    let text = str::from_utf8(body).ok()?;
    let (_, rest) = text
        .split_once("AccessKeyId>")
        .or_else(|| text.split_once("\"accessKeyId\""))?;
    let rest = rest.trim_start_matches([':', ' ', '"', '\n']);
    let end = rest.find(['<', '"'])?;
    Some(rest[..end].trim().to_owned())
}

/// Returns the account of the session in a response of AssumeRole, which may not be the requested one.
fn session_account(body: &[u8]) -> Option<String> {
    let text = str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("Arn>")?;
    let (arn, _) = rest.split_once('<')?;
    Some(arn.split(':').nth(4)?.to_owned())
}

/// Gives recorded credentials an access key ID of their own, and no expiry.
pub(super) fn mark_credentials(body: &mut RecordedBody, account: &str) {
    let key = format!("{REDACTED}-{account}");
    if let Some(bytes) = &mut body.file_content {
        let text = String::from_utf8_lossy(bytes);
        let text = replace_element(&text, "AccessKeyId", &key);
        *bytes = replace_element(&text, "Expiration", EXPIRATION).into_bytes();
    }
    let keys = body
        .body
        .as_mut()
        .and_then(|value| value.get_mut("roleCredentials"));
    if let Some(Value::Object(keys)) = keys {
        keys.insert("accessKeyId".to_owned(), key.into());
        keys.insert("expiration".to_owned(), EXPIRATION_MS.into());
    }
}

/// Replaces the text of the first element `name`.
fn replace_element(document: &str, name: &str, text: &str) -> String {
    let tag = format!("{name}>");
    match document.split_once(&tag) {
        Some((before, rest)) => {
            let end = rest.find('<').unwrap_or(rest.len());
            format!("{before}{tag}{text}{}", &rest[end..])
        }
        None => document.to_owned(),
    }
}

/// Redacts the external ID in the form of an AssumeRole request, which is an agreement with the owner of the role.
pub(super) fn redact_external_id(request: &mut RecordedRequest) {
    if let Some(Value::String(form)) = &mut request.body.body {
        let pairs = form.split('&').map(|pair| match pair.split_once('=') {
            Some((name @ "ExternalId", _)) => format!("{name}={REDACTED}"),
            _ => pair.to_owned(),
        });
        *form = pairs.collect::<Vec<_>>().join("&");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::Private;

    const ROLE: &str = "Action=AssumeRole&Version=2011-06-15&\
                        RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fx&ExternalId=s3";

    fn request(uri: &str, body: &str, key: &str) -> Request {
        let authorization = format!("AWS4-HMAC-SHA256 Credential={key}/20261124/x, Signature=y");
        Request {
            method: "POST",
            uri: uri.to_owned(),
            headers: vec![("authorization", authorization)],
            body: body.as_bytes().to_vec(),
            scope: None,
            budget: Duration::from_secs(1),
            private: Private::default(),
        }
    }

    fn response(body: &str) -> Response {
        Response {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn account_is_that_of_the_credentials() {
        let mut signers = Signers::default();
        let role = request("https://sts.example/", ROLE, "A0");
        signers.add(&role, &response("<R><AccessKeyId>A1</AccessKeyId></R>"));
        let other = "<R><AccessKeyId>A4</AccessKeyId><Arn>arn:aws:sts::777788889999:x</Arn></R>";
        signers.add(&role, &response(other));
        let uri =
            "https://portal.example/federation/credentials?role_name=r&account_id=444455556666";
        let portal = request(uri, "", "");
        signers.add(
            &portal,
            &response(r#"{"roleCredentials": {"accessKeyId" : "A2"}}"#),
        );
        signers.add(
            &request("https://a.example/", "Action=Other", "A0"),
            &response("<AccessKeyId>A3<"),
        );
        let account = |key: &str| signers.account(&request("https://a.example/", "", key));
        assert_eq!(account("A1").as_deref(), Some("111122223333"));
        assert_eq!(account("A2").as_deref(), Some("444455556666"));
        assert_eq!(account("A4").as_deref(), Some("777788889999"));
        assert_eq!(
            [account("A0"), account("A3"), account("")],
            [None, None, None]
        );
    }

    #[test]
    fn recorded_credentials_name_the_account() {
        let mut body = RecordedBody {
            file_content: Some(
                b"<R><ns:AccessKeyId>REDACTED</ns:AccessKeyId><Expiration>2026</Expiration></R>"
                    .to_vec(),
            ),
            ..RecordedBody::default()
        };
        mark_credentials(&mut body, "111122223333");
        let expected = "<R><ns:AccessKeyId>REDACTED-111122223333</ns:AccessKeyId>\
                        <Expiration>9999-12-31T23:59:59Z</Expiration></R>";
        assert_eq!(body.file_content.as_deref(), Some(expected.as_bytes()));
        let mut body = RecordedBody {
            body: Some(serde_json::json!({"roleCredentials": {"expiration": 1}})),
            ..RecordedBody::default()
        };
        mark_credentials(&mut body, "111122223333");
        let keys = &body.body.unwrap()["roleCredentials"];
        assert_eq!(keys["accessKeyId"], "REDACTED-111122223333");
        assert_eq!(keys["expiration"], EXPIRATION_MS);
    }

    #[test]
    fn external_id_is_redacted() {
        let mut request = RecordedRequest::default();
        request.body.body = Some(ROLE.into());
        redact_external_id(&mut request);
        let form = request
            .body
            .body
            .as_ref()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            form.ends_with("&ExternalId=REDACTED") && form.starts_with("Action=AssumeRole&"),
            "{form}"
        );
        assert_eq!(
            recorded_role_account(&request).as_deref(),
            Some("111122223333")
        );
    }
}
