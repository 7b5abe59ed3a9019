//! IAM Identity Center: the keys of a role for the token that `aws sso login` left.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html>

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answer::{instant, json};
use super::fetch::Fetch;
use super::{Context, CredentialsError, Found, Provider, Resolved, cache_name};
use crate::aws::config_file::{Kind, expand_home};
use crate::aws::operation::Service;
use crate::http::{Response, redact};
use crate::model::{Region, clean};

pub struct Sso;

/// A token is refreshed when less than this remains of it.
const EARLY: time::Duration = time::Duration::minutes(15);

const TIMEOUT: Duration = Duration::from_secs(30);

impl Provider for Sso {
    fn name(&self) -> &'static str {
        "IAM Identity Center"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let has = |key| context.setting(key).is_some();
        // As in botocore: an sso_session alone serves other tools, and keys may stand beside it.
        if !has("sso_account_id") && !has("sso_role_name") {
            return Ok(Found::Nothing(
                "the profile has no sso_account_id or sso_role_name",
            ));
        }
        let session = Session::of(context)?;
        let token = session.token(context)?;
        session.role_keys(context, &token).map(Found::Keys)
    }
}

/// What the profile and its session say.
struct Session {
    /// The name of the `[sso-session]`; none in the older form.
    name: Option<String>,
    start_url: String,
    region: Region,
    account: String,
    role: String,
    profile: String,
}

impl Session {
    fn of(context: &Context) -> Result<Self, CredentialsError> {
        let profile = &context.profile.name;
        let broken = |why: String| CredentialsError(format!("profile {profile}: {why}"));
        let name = context.setting("sso_session").map(str::to_owned);
        let section = match &name {
            None => None,
            Some(name) => Some(context.files.config.section(Kind::SsoSession, name).ok_or_else(|| {
                let path = context.files.config.path.display();
                broken(format!(
                    "there is no [sso-session {name}] in {path}; `aws configure sso --profile \
                     {profile}` makes it"
                ))
            })?),
        };
        let get = |key: &str| -> Result<String, CredentialsError> {
            let own = context.setting(key);
            let shared = section.and_then(|s| s.get(key)).map(String::as_str);
            match (own, shared) {
                (Some(a), Some(b)) if a != b => Err(broken(format!(
                    "{key} differs between the profile and its sso-session; keep one"
                ))),
                (Some(value), _) | (None, Some(value)) => Ok(value.to_owned()),
                (None, None) => Err(broken(format!(
                    "{key} is missing; `aws configure sso --profile {profile}` sets it"
                ))),
            }
        };
        let region = get("sso_region")?;
        Ok(Self {
            start_url: get("sso_start_url")?,
            region: region
                .trim()
                .parse()
                .map_err(|e| broken(format!("sso_region: {e}")))?,
            account: get("sso_account_id")?,
            role: get("sso_role_name")?,
            profile: profile.clone(),
            name,
        })
    }

    /// What a person has to do when the sign-in is over.
    fn login(&self, why: &str) -> CredentialsError {
        let profile = &self.profile;
        CredentialsError(format!(
            "the sign-in of profile {profile} {why}; run `aws sso login --profile {profile}`"
        ))
    }

    fn cache(&self, context: &Context) -> PathBuf {
        let key = self.name.as_ref().unwrap_or(&self.start_url);
        let name = cache_name(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, key);
        expand_home(context.env, "~/.aws/sso/cache").join(name)
    }

    /// A token that lives, refreshed where the session's form allows it.
    fn token(&self, context: &Context) -> Result<String, CredentialsError> {
        let path = self.cache(context);
        let bytes = context.env.read(&path);
        let bytes =
            bytes.map_err(|_| self.login(&format!("is not there (no {})", path.display())))?;
        let mut cached: Map<String, Value> = json(&bytes, &path.display().to_string())
            .map_err(|e| self.login(&format!("cannot be read: {e}")))?;
        let now = context.net.clock.now();
        let held = Token::of(&cached).ok_or_else(|| self.login("cannot be read"))?;
        let left = held.expires - now;
        if self.name.is_some()
            && left < EARLY
            && let Some(fresh) = self.refresh(context, &cached, now)
        {
            // To the second, as the AWS CLI writes it.
            let expires = fresh.expires.replace_nanosecond(0).unwrap_or(fresh.expires);
            let expires = expires.format(&Rfc3339).unwrap_or_default();
            cached.insert("accessToken".to_owned(), fresh.access.clone().into());
            cached.insert("expiresAt".to_owned(), expires.into());
            if let Some(refresh) = fresh.refresh {
                cached.insert("refreshToken".to_owned(), refresh.into());
            }
            // Without the new token on disk the next run refreshes again, no more.
            let bytes = serde_json::to_vec(&cached).unwrap_or_default();
            if let Err(e) = context.env.write_private(&path, &bytes) {
                (context.note)(&format!(
                    "credentials: {} is not written: {e}",
                    path.display()
                ));
            }
            return Ok(fresh.access);
        }
        if left <= time::Duration::ZERO {
            return Err(self.login("has expired"));
        }
        Ok(held.access)
    }

    /// A new token; `None` where the cache holds nothing to refresh with or it failed.
    fn refresh(
        &self,
        context: &Context,
        cached: &Map<String, Value>,
        now: OffsetDateTime,
    ) -> Option<Token> {
        let text = |key: &str| cached.get(key)?.as_str();
        let registered = instant(text("registrationExpiresAt")?)? > now;
        let body = serde_json::json!({
            "clientId": text("clientId")?,
            "clientSecret": text("clientSecret")?,
            "grantType": "refresh_token",
            "refreshToken": text("refreshToken")?,
        });
        if !registered {
            return None;
        }
        let endpoint = context
            .net
            .endpoints
            .resolve(Service::SsoOidc, &self.region)
            .ok()?;
        let fetch = Fetch {
            method: "POST",
            uri: &format!("{}token", endpoint.uri),
            headers: vec![("content-type", "application/json".to_owned())],
            body: serde_json::to_vec(&body).ok()?,
            timeout: TIMEOUT,
            tries: 3,
            reach: 3,
            is_answer: |_| true,
        };
        let response = fetch.send(context.net).ok().filter(|r| r.status == 200)?;
        let fresh: Refreshed = serde_json::from_slice(&response.body).ok()?;
        Some(Token {
            access: fresh.access_token,
            expires: now.checked_add(time::Duration::seconds(fresh.expires_in))?,
            refresh: fresh.refresh_token,
        })
    }

    fn role_keys(&self, context: &Context, token: &str) -> Result<Resolved, CredentialsError> {
        let endpoint = context.net.endpoints.resolve(Service::Sso, &self.region);
        let endpoint = endpoint.map_err(CredentialsError)?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("role_name", &self.role)
            .append_pair("account_id", &self.account)
            .finish();
        let fetch = Fetch {
            method: "GET",
            uri: &format!("{}federation/credentials?{query}", endpoint.uri),
            headers: vec![("x-amz-sso_bearer_token", token.to_owned())],
            body: Vec::new(),
            timeout: TIMEOUT,
            tries: 3,
            reach: 3,
            is_answer: |_| true,
        };
        let (account, role) = (&self.account, &self.role);
        let origin = format!(
            "IAM Identity Center (profile {}, account {account}, role {role})",
            self.profile
        );
        let sent = fetch.send(context.net);
        let response = sent.map_err(|e| CredentialsError(format!("{origin}: {e}")))?;
        match response.status {
            200 => keys(&response, origin),
            401 => Err(self.login("is not accepted any more")),
            403 | 404 => Err(CredentialsError(format!(
                "{origin}: the account or the role is not assigned to you (HTTP {})",
                response.status
            ))),
            status => {
                // The token goes out before the text is cut: half of it would not be found.
                let text = String::from_utf8_lossy(&response.body).replace(token, "****");
                let text = clean(&redact::start(&text), 200);
                Err(CredentialsError(format!("{origin}: HTTP {status}: {text}")))
            }
        }
    }
}

/// What the token service answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refreshed {
    access_token: String,
    expires_in: i64,
    refresh_token: Option<String>,
}

/// A token and its end.
struct Token {
    access: String,
    expires: OffsetDateTime,
    refresh: Option<String>,
}

impl Token {
    fn of(cached: &Map<String, Value>) -> Option<Self> {
        let text = |key: &str| cached.get(key)?.as_str();
        Some(Self {
            access: text("accessToken")?.to_owned(),
            expires: instant(text("expiresAt")?)?,
            refresh: None,
        })
    }
}

fn keys(response: &Response, origin: String) -> Result<Resolved, CredentialsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        role_credentials: Keys,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Keys {
        access_key_id: String,
        secret_access_key: String,
        session_token: String,
        /// In milliseconds since 1970.
        expiration: i128,
    }
    let Answer {
        role_credentials: k,
    } = json(&response.body, &origin)?;
    let nanoseconds = k.expiration.checked_mul(1_000_000);
    let expires = nanoseconds.and_then(|n| OffsetDateTime::from_unix_timestamp_nanos(n).ok());
    let token = Some(k.session_token.as_str());
    let found = Resolved::new(&k.access_key_id, &k.secret_access_key, token, origin);
    Ok(found.until(expires))
}
