//! The accounts whose credentials sign the requests of a run of many accounts.
//!
//! Requests of two accounts to one host may be the same in everything that a replay matches. Only the credentials
//! differ: a response of AssumeRole, or of the portal of IAM Identity Center, gives those of an account; others are those
//! of a profile. A recording has an access key ID of its own for each account and profile, in place of the real one, and
//! a text of its own for each token of the portal that was refreshed: which requests bear it depends on the threads.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cassette::{RecordedBody, RecordedRequest};
use crate::http::{Request, Response};
use crate::redact::REDACTED;
use crate::text::encode_file_name;

/// The expiry of recorded credentials, in ISO 8601: a replay does not wait, and has no later ones.
const EXPIRATION: &str = "9999-12-31T23:59:59Z";

/// The same in milliseconds since 1970.
const EXPIRATION_MS: u64 = 253_402_300_799_000;

/// The start of the signer that is a profile.
const PROFILE: &str = "profile-";

/// The accounts, or the profiles, of access key IDs, and the names of refreshed tokens.
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

    /// Notes the access key ID of a profile. Returns the profile as a signer, unless a response gave the credentials.
    pub(super) fn add_profile(&mut self, key: &str, profile: &str) -> Option<String> {
        let known = self.0.entry(key.to_owned());
        let signer = known.or_insert_with(|| format!("{PROFILE}{}", encode_file_name(profile)));
        signer.starts_with(PROFILE).then(|| signer.clone())
    }

    /// Removes an access key ID: it is the caller's, whoever gave it.
    pub(super) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Notes the refreshed token in a response, the one with this `number`. Returns the text that replaces it.
    pub(super) fn add_token(&mut self, response: &Response, number: usize) -> Option<String> {
        let body: Value = serde_json::from_slice(&response.body).ok()?;
        let signer = format!("token-{number}");
        let recorded = recorded_key(&signer);
        self.0
            .insert(body.get("accessToken")?.as_str()?.to_owned(), signer);
        Some(recorded)
    }

    /// Returns the account, or the profile, whose credentials signed the request, or its refreshed token; `None` for the
    /// credentials of the caller.
    pub(super) fn account(&self, request: &Request) -> Option<String> {
        let key = match request.header("authorization") {
            Some(signed) => signed.split_once("Credential=")?.1.split('/').next()?,
            None => request.header("x-amz-sso_bearer_token")?,
        };
        let of_recording = || Some(key.strip_prefix(REDACTED)?.strip_prefix('-')?.to_owned());
        self.0.get(key).cloned().or_else(of_recording)
    }
}

/// Returns the account whose credentials a request asks for.
pub(super) fn requested_account(request: &Request) -> Option<String> {
    let form = str::from_utf8(&request.body).unwrap_or_default();
    let [_, account] = requested(&request.uri, form)?;
    Some(account)
}

/// Returns the role and the account whose credentials a request asks for.
fn requested(uri: &str, form: &str) -> Option<[String; 2]> {
    let field = |form: &str, wanted: &str| {
        let mut pairs = form_urlencoded::parse(form.as_bytes());
        let pair = pairs.find(|(name, _)| name == wanted);
        pair.map(|(_, value)| value.into_owned())
    };
    if let Some((_, query)) = uri.split_once("/federation/credentials?") {
        return Some([query.to_owned(), field(query, "account_id")?]);
    }
    field(form, "Action").filter(|action| action == "AssumeRole")?;
    let role = field(form, "RoleArn")?;
    let account = role.split(':').nth(4)?.to_owned();
    Some([role, account])
}

/// Returns the role and the account whose credentials a recorded request asks for, or the list of the portal. Both begin
/// with the method, because the responses of AssumeRole and of the portal differ.
pub(super) fn requested_roles(request: &RecordedRequest) -> Option<[String; 2]> {
    if let Some((_, list)) = request.uri.split_once("/assignment/") {
        return Some([list, list].map(str::to_owned));
    }
    let form = request.body.body.as_ref().and_then(Value::as_str);
    let asked = requested(&request.uri, form.unwrap_or_default())?;
    Some(asked.map(|asked| format!("{} {asked}", request.method)))
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

/// Returns the access key ID of a signer in a recording.
fn recorded_key(signer: &str) -> String {
    format!("{REDACTED}-{signer}")
}

/// Returns a section of the credentials file in which a profile has an access key of its own; the session token, if any,
/// is that of the whole recording.
pub(super) fn profile_section(profile: &str, signer: &str, token: Option<&str>) -> String {
    let key = recorded_key(signer);
    let token = token.map_or(String::new(), |token| {
        format!("aws_session_token = {token}\n")
    });
    format!("[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {REDACTED}\n{token}")
}

/// Gives a recorded token the text that [`Signers::add_token`] returned.
pub(super) fn mark_token(body: &mut RecordedBody, token: String) {
    if let Some(body) = &mut body.body {
        body["accessToken"] = token.into();
    }
}

/// Gives recorded credentials an access key ID of their own, and no expiry.
pub(super) fn mark_credentials(body: &mut RecordedBody, account: &str) {
    let key = recorded_key(account);
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
        assert_eq!(signers.add_profile("A1", "a"), None, "an account's");
        let profile = Some("profile-a%2Fb".to_owned());
        assert_eq!(signers.add_profile("A5", "a/b"), profile);
        assert_eq!(signers.add_profile("A5", "same-keys"), profile);
        let recorded = profile_section("a/b", profile.as_ref().unwrap(), None);
        let key = recorded.lines().nth(1).unwrap().rsplit(' ').next().unwrap();
        assert_eq!(
            Signers::default().account(&request("https://a.example/", "", key)),
            profile
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
        let role = "POST arn:aws:iam::111122223333:role/x";
        request.method = "POST".to_owned();
        assert_eq!(
            requested_roles(&request).unwrap(),
            [role, "POST 111122223333"]
        );
    }
}
