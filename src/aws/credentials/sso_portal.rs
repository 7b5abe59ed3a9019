//! The portal of IAM Identity Center: the accounts and permission sets that are assigned to a signed-in user.
//!
//! - All threads share one [`SsoPortal`]. At most four requests are in flight, and their attempts start at least 100 ms
//!   apart: AWS does not publish the limit. A request is sent again a second after a status of 429 or at least 500.
//! - The requests are not signed; they bear the token of the session. A request with a rejected token is sent once again,
//!   because the portal also rejects valid tokens under load. Then the token is refreshed once, for all threads.
//!
//! <https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/welcome.html>

use std::sync::{Arc, Mutex};

use serde::Deserialize;
use time::OffsetDateTime;

use super::fetch::Fetch;
use super::json_credentials::json;
use super::portal;
use super::portal_pace::PortalPace;
use super::provider::{Profile, ProviderContext};
use super::sso_token::{Token, TokenSession};
use crate::aws::client::Transport;
use crate::aws::config_file::{FileKind, SharedFiles};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::aws::page::Page;
use crate::env::Env;
use crate::http::Response;
use crate::model::{AccountId, Region};
use crate::redact;
use crate::secret::{Redactor, Secret};
use crate::sync::lock;
use crate::text::{did_you_mean, near_matches, sanitize};
use crate::untrusted::Untrusted;

/// The maximum number of items on a page; the service rejects more than 100.
const PAGE_SIZE: &str = "100";

/// The maximum number of attempts.
const MAX_ATTEMPTS: u32 = 10;

/// The portal of a session.
pub struct SsoPortal {
    env: Arc<dyn Env>,
    transport: Transport,
    /// The name of the `[sso-session]`.
    name: String,
    region: Region,
    token: Mutex<Token>,
    pace: PortalPace,
}

/// An account that is assigned to the user.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortalAccount {
    /// The account ID.
    pub account_id: Untrusted,
    /// The name.
    pub account_name: Option<Untrusted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountsResponse {
    // Required: a body without the list is not a page.
    account_list: Vec<PortalAccount>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RolesResponse {
    role_list: Vec<PortalRole>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PortalRole {
    role_name: Untrusted,
}

impl SsoPortal {
    /// Opens the portal with the cached token of the session `name`.
    ///
    /// # Errors
    /// The files have no such session, or there is no valid token.
    pub fn open(
        name: &str,
        env: Arc<dyn Env>,
        transport: Transport,
    ) -> Result<Self, CredentialsError> {
        let (region, token) = with_session(name, &*env, &transport, |session| {
            Ok((session.region.clone(), session.token(None)?))
        })?;
        Ok(Self {
            env,
            transport,
            name: name.to_owned(),
            region,
            token: Mutex::new(token),
            pace: PortalPace::default(),
        })
    }

    /// Returns the name of the session.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the time at which the token expires.
    #[must_use]
    pub fn expires(&self) -> OffsetDateTime {
        lock(&self.token).expires
    }

    /// Returns the redactor of the token.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor::for_secret(&lock(&self.token).access)
    }

    /// Lists the accounts that are assigned to the user.
    ///
    /// # Errors
    /// The request failed, or the user must sign in again.
    pub fn accounts(
        &self,
        next_token: Option<&str>,
    ) -> Result<Page<PortalAccount>, CredentialsError> {
        let origin = format!("sso:ListAccounts (session {})", self.name);
        let mut query = vec![("max_result", PAGE_SIZE)];
        query.extend(next_token.map(|token| ("next_token", token)));
        let response = self.get("assignment/accounts", &query, &origin)?;
        let page: AccountsResponse = json(&response.body, &origin)?;
        Ok(Page::new(page.account_list, page.next_token))
    }

    /// Lists the permission sets of an account that are assigned to the user.
    ///
    /// # Errors
    /// The request failed, or the user must sign in again.
    pub fn roles(
        &self,
        account: &AccountId,
        next_token: Option<&str>,
    ) -> Result<Page<Untrusted>, CredentialsError> {
        let origin = format!("sso:ListAccountRoles (account {account})");
        let account = account.to_string();
        let mut query = vec![("account_id", account.as_str()), ("max_result", PAGE_SIZE)];
        query.extend(next_token.map(|token| ("next_token", token)));
        let response = self.get("assignment/roles", &query, &origin)?;
        let page: RolesResponse = json(&response.body, &origin)?;
        let roles = page.role_list.into_iter().map(|role| role.role_name);
        Ok(Page::new(roles, page.next_token))
    }

    /// Requests the credentials of a permission set in an account.
    ///
    /// # Errors
    /// The permission set is not assigned to the user in this account, the request failed, or the user must sign in again.
    pub fn role_credentials(
        &self,
        account: &AccountId,
        role: &str,
    ) -> Result<ResolvedCredentials, CredentialsError> {
        let name = &self.name;
        let origin =
            format!("IAM Identity Center (session {name}, account {account}, role {role})");
        let account = account.to_string();
        let query = [("role_name", role), ("account_id", account.as_str())];
        let response = self.get(portal::CREDENTIALS, &query, &origin)?;
        portal::keys(&response, origin)
    }

    /// Sends a request; if the token is rejected, once again, and then with a refreshed one.
    fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
        origin: &str,
    ) -> Result<Response, CredentialsError> {
        let send = |token: &Secret| self.send(path, query, origin, token);
        let current = || lock(&self.token).access.clone();
        let mut response = send(&current())?;
        if response.status == 401 {
            let token = current();
            response = send(&token)?;
            if response.status == 401 {
                response = send(&self.renew(&token)?)?;
            }
        }
        if response.status == 401 {
            return self.with_session(|session| Err(session.token_error("is no longer accepted")));
        }
        portal::checked(response, origin, &self.redactor())
    }

    /// Returns a token other than `rejected`: that of another thread, or a refreshed one.
    fn renew(&self, rejected: &Secret) -> Result<Secret, CredentialsError> {
        let mut token = lock(&self.token);
        if token.access.expose() == rejected.expose() {
            *token = self.with_session(|session| session.token(Some(rejected)))?;
        }
        Ok(token.access.clone())
    }

    fn with_session<T>(
        &self,
        act: impl FnOnce(&TokenSession) -> Result<T, CredentialsError>,
    ) -> Result<T, CredentialsError> {
        with_session(&self.name, &*self.env, &self.transport, act)
    }

    fn send(
        &self,
        path: &str,
        query: &[(&str, &str)],
        origin: &str,
        token: &Secret,
    ) -> Result<Response, CredentialsError> {
        let fetch = Fetch {
            max_attempts: MAX_ATTEMPTS,
            ..portal::request(&self.transport, &self.region, path, query, token)?
        };
        let _permit = self.pace.permit();
        if self.transport.interrupt.signal().is_some() {
            return Err(CredentialsError::Interrupted);
        }
        let wait_turn = || {
            self.pace
                .wait_turn(&*self.transport.clock, self.transport.ends.get().copied());
            Vec::new()
        };
        let response = fetch.send_signed(&self.transport, &wait_turn);
        response.map_err(CredentialsError::fetch(origin))
    }
}

/// Calls `act` with the settings of the session `name`.
fn with_session<T>(
    name: &str,
    env: &dyn Env,
    transport: &Transport,
    act: impl FnOnce(&TokenSession) -> Result<T, CredentialsError>,
) -> Result<T, CredentialsError> {
    let files = SharedFiles::load(env)?;
    let shown = sanitize(&redact::setting(name), 80);
    let config = files.config.to_string();
    let section = files.config.section(FileKind::SsoSession, name);
    let section = section.ok_or_else(|| {
        let names = files.config.section_names(FileKind::SsoSession);
        let near = did_you_mean(&near_matches(name, names));
        CredentialsError::Setting(format!(
            "[sso-session {shown}] not found in {config}{near}; create it with `aws configure sso-session`"
        ))
    })?;
    let setting = |key| {
        let value = section.get(key).map(|value| value.trim());
        value.filter(|value| !value.is_empty()).ok_or_else(|| {
            let problem = format!("{key} is missing; run `aws configure sso-session`");
            CredentialsError::setting(format_args!("[sso-session {shown}]"), problem)
        })
    };
    let region: Region = setting("sso_region")?.parse().map_err(|e| {
        CredentialsError::setting(format_args!("[sso-session {shown}]: sso_region"), e)
    })?;
    act(&TokenSession {
        context: ProviderContext {
            env,
            files: &files,
            profile: &Profile::named(name),
            transport,
            region: &region,
            is_refresh: false,
            log: &|line| transport.log(&line),
        },
        name: Some(name),
        start_url: setting("sso_start_url")?,
        region: region.clone(),
        owner: format!("session {shown}"),
        login: format!("--sso-session {shown}"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::cache_file::cache_name;
    use super::*;
    use crate::aws::client::fake::{clock, transport};
    use crate::clock::Clock;
    use crate::http::fake::{FakeResponse, Scripted, answer};
    use crate::recording::{RecordedEnv, VirtualClock};

    const ACCOUNTS: &str = r#"{"accountList":[{"accountId":"111111111111"}]}"#;

    /// A portal in `region` with a token that cannot be refreshed, its requests and its clock.
    struct Opened {
        portal: SsoPortal,
        http: Arc<Scripted>,
        clock: Arc<VirtualClock>,
        /// The start of each attempt, in milliseconds.
        starts: Arc<Mutex<Vec<u128>>>,
        _home: tempfile::TempDir,
    }

    fn open(region: &str, reply: impl Fn(usize) -> FakeResponse + Send + Sync + 'static) -> Opened {
        let home = tempfile::tempdir().unwrap();
        let cache = home.path().join("home/.aws/sso/cache");
        std::fs::create_dir_all(&cache).unwrap();
        let name = cache_name(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, "corp");
        let token = r#"{"accessToken":"the-token","expiresAt":"2099-01-01T00:00:00Z"}"#;
        std::fs::write(cache.join(name), token).unwrap();
        let session = "[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\n";
        let config = format!("{session}sso_region = {region}\n");
        std::fs::write(home.path().join("home/.aws/config"), config).unwrap();
        let (clock, starts) = (clock(), Arc::<Mutex<Vec<u128>>>::default());
        let (script_clock, script_starts) = (clock.clone(), starts.clone());
        let http = Scripted::by(move |_| {
            let mut starts = lock(&script_starts);
            starts.push(script_clock.elapsed().as_millis());
            reply(starts.len())
        });
        let env = Arc::new(RecordedEnv::new(home.path(), BTreeMap::new()));
        let portal = SsoPortal::open("corp", env, transport(http.clone(), clock.clone())).unwrap();
        Opened {
            portal,
            http,
            clock,
            starts,
            _home: home,
        }
    }

    fn account() -> AccountId {
        "111111111111".parse().unwrap()
    }

    #[test]
    fn requests_have_page_size_token_and_host() {
        for (region, host) in [
            ("eu-west-1", "portal.sso.eu-west-1.amazonaws.com"),
            ("cn-north-1", "portal.sso.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "portal.sso.us-gov-west-1.amazonaws.com"),
        ] {
            let opened = open(region, |number| match number {
                1 => answer(200, r#"{"accountList":[],"nextToken":"a+b/c="}"#),
                2 => answer(200, ACCOUNTS),
                _ => answer(
                    200,
                    r#"{"roleList":[{"roleName":"Audit"}],"nextToken":null}"#,
                ),
            });
            let first = opened.portal.accounts(None).unwrap();
            assert!(first.items.is_empty());
            let second = opened.portal.accounts(first.next_token.as_deref()).unwrap();
            assert_eq!((second.items.len(), second.next_token), (1, None));
            let roles = opened.portal.roles(&account(), None).unwrap();
            assert_eq!(roles.items[0].raw(), "Audit");
            let uris = opened.http.requests().into_iter().map(|request| {
                let token = [("x-amz-sso_bearer_token", "the-token".to_owned())];
                assert_eq!((request.method, &request.headers[..]), ("GET", &token[..]));
                request.uri
            });
            let expected = [
                "assignment/accounts?max_result=100",
                "assignment/accounts?max_result=100&next_token=a%2Bb%2Fc%3D",
                "assignment/roles?account_id=111111111111&max_result=100",
            ];
            let expected = expected.map(|path| format!("https://{host}/{path}"));
            assert_eq!(uris.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn token_rejected_once_is_sent_again() {
        let opened = open("eu-west-1", |number| match number {
            1 => answer(401, "{}"),
            _ => answer(200, ACCOUNTS),
        });
        assert_eq!(opened.portal.accounts(None).unwrap().items.len(), 1);
        assert_eq!(opened.http.requests().len(), 2);
    }

    #[test]
    fn token_rejected_twice_ends_the_session() {
        let opened = open("eu-west-1", |_| answer(401, "{}"));
        let error = opened.portal.accounts(None).unwrap_err().to_string();
        assert!(
            error.contains("aws sso login --sso-session corp"),
            "{error}"
        );
        assert_eq!(opened.http.requests().len(), 2);
    }

    #[test]
    fn throttle_without_code_is_retried_in_turn() {
        let opened = open("eu-west-1", |number| match number {
            3 => answer(429, ""),
            _ => answer(200, ACCOUNTS),
        });
        for _ in 0..4 {
            opened.portal.accounts(None).unwrap();
        }
        assert_eq!(*lock(&opened.starts), [0, 100, 200, 1200, 1300]);
        let opened = open("eu-west-1", |_| answer(429, "<html>slow</html>"));
        let error = opened.portal.accounts(None).unwrap_err().to_string();
        assert!(error.contains("HTTP 429"), "{error}");
        assert_eq!(opened.http.requests().len(), 10);
        assert_eq!(opened.clock.elapsed(), Duration::from_secs(9));
    }

    #[test]
    fn no_access_is_not_assigned() {
        let body = r#"{"message":"No access","__type":"com.amazonaws.switchboard.portal#ForbiddenException"}"#;
        for status in [403, 404] {
            let opened = open("eu-west-1", move |_| answer(status, body));
            let error = opened.portal.role_credentials(&account(), "Audit");
            let error = error.err().unwrap();
            assert!(matches!(error, CredentialsError::NotAssigned(_)), "{error}");
            assert_eq!(opened.http.requests().len(), 1);
        }
    }

    #[test]
    fn body_without_list_is_no_page() {
        for body in ["", "{}", "[]", "<html></html>", r#"{"accountList":null}"#] {
            let opened = open("eu-west-1", move |_| answer(200, body));
            assert!(opened.portal.accounts(None).is_err(), "{body}");
            assert!(opened.portal.roles(&account(), None).is_err(), "{body}");
        }
    }
}
