//! Credential providers, one file each, and the chain that loads them in botocore's order.
//!
//! The first provider that returns credentials ends the chain. A provider that is not configured is
//! skipped. A provider that is configured and fails stops the chain: the next provider might return
//! credentials of another account.
//!
//! | order | provider | file | main settings |
//! |---|---|---|---|
//! | 1 | environment | `environment.rs` | AWS_ACCESS_KEY_ID |
//! | 2 | role of the profile | `assume_role.rs` | `role_arn` |
//! | 3 | web identity | `web_identity.rs` | AWS_WEB_IDENTITY_TOKEN_FILE, `web_identity_token_file` |
//! | 4 | IAM Identity Center | `sso.rs` | `sso_account_id`, `sso_role_name` |
//! | 5 | shared credentials file | `shared_profile.rs` | `aws_access_key_id` |
//! | 6 | `aws login` | `login.rs` | `login_session` |
//! | 7 | external process | `process.rs` | `credential_process` |
//! | 8 | config file | `config_profile.rs` | `aws_access_key_id` |
//! | 9 | container | `container.rs` | AWS_CONTAINER_CREDENTIALS_RELATIVE_URI |
//! | 10 | EC2 instance metadata | `imds.rs` | AWS_EC2_METADATA_DISABLED |
//!
//! Settings that all providers share:
//! - The profile: `--profile`, AWS_PROFILE, AWS_DEFAULT_PROFILE, else `default`. A named profile
//!   must exist in one of the two files.
//! - The files: AWS_CONFIG_FILE (default `~/.aws/config`) and AWS_SHARED_CREDENTIALS_FILE (default
//!   `~/.aws/credentials`). A profile key that is in both files is read from the credentials file.
//! - An empty or blank variable or profile key counts as not set.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>

mod assume_role;
mod config_profile;
mod container;
mod environment;
mod fetch;
mod imds;
mod json_credentials;
mod login;
mod process;
mod shared_profile;
mod sso;
mod web_identity;

use std::sync::Arc;

use super::client::{CallOutput, Client, Parts, Trace};
use super::config_file::{Section, SharedFiles};
use super::credential_cache::{CachedCredentials, CredentialsError, ResolvedCredentials};
use super::endpoint::Endpoints;
use super::error::CallError;
use super::ops::assume_role::TemporaryKeys;
use crate::aws::limiter::Limits;
use crate::clock::Clock;
use crate::env::Env;
use crate::http::HttpClient;
use crate::interrupt::Interrupt;
use crate::model::Region;

/// A source of credentials.
trait Provider: Sync {
    /// Returns the provider's name for the debug log.
    fn name(&self) -> &'static str;

    /// Loads the credentials, or returns the reason why the provider is not configured.
    ///
    /// # Errors
    /// The provider is configured and fails.
    fn load(&self, context: &Context) -> Result<Found, CredentialsError>;
}

/// The result of a provider.
enum Found {
    /// Credentials.
    Keys(ResolvedCredentials),
    /// The reason why the provider is skipped.
    NotConfigured(&'static str),
}

/// The providers, in the order in which they are loaded.
const CHAIN: [&dyn Provider; 10] = [
    &environment::Environment,
    &assume_role::AssumeRoleProfile,
    &web_identity::WebIdentity,
    &sso::Sso,
    &shared_profile::SharedProfile,
    &login::Login,
    &process::Process,
    &config_profile::ConfigProfile,
    &container::Container,
    &imds::Imds,
];

/// The providers that read only a profile, in order: those of the `source_profile` of a role.
const PROFILE_CHAIN: [&dyn Provider; 6] = [
    &shared_profile::SharedProfile,
    &config_profile::ConfigProfile,
    &web_identity::WebIdentity,
    &sso::Sso,
    &login::Login,
    &process::Process,
];

/// The settings with which providers send requests.
#[derive(Clone)]
pub struct ProviderConfig {
    /// Sends the requests.
    pub http: Arc<dyn HttpClient>,
    /// The time, and the waits between attempts.
    pub clock: Arc<dyn Clock>,
    /// Signals of the user: ends retries.
    pub interrupt: Interrupt,
    /// The endpoints of the services.
    pub endpoints: Endpoints,
    /// The region of the STS calls.
    pub region: Region,
    /// Attempts per AWS call, at least 1.
    pub max_attempts: u32,
    /// Limits on the requests per region.
    pub limits: Limits,
    /// The jitter of the backoff, from 0 to 1.
    pub jitter: fn() -> f64,
    /// Logs every request, if set.
    pub trace: Option<Trace>,
}

impl ProviderConfig {
    /// Returns a client that signs with `credentials`.
    #[must_use]
    pub fn client(&self, credentials: CachedCredentials) -> Client {
        Client::new(Parts {
            http: self.http.clone(),
            clock: self.clock.clone(),
            interrupt: self.interrupt.clone(),
            credentials,
            endpoints: self.endpoints.clone(),
            max_attempts: self.max_attempts,
            limits: self.limits,
            jitter: self.jitter,
            trace: self.trace.clone(),
        })
    }
}

/// The inputs of the providers.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Variables, files, processes and the terminal.
    pub env: &'a dyn Env,
    /// The config file and the shared credentials file.
    pub files: &'a SharedFiles,
    /// The profile whose credentials are loaded.
    pub profile: &'a Profile,
    /// The settings of the requests.
    pub net: &'a ProviderConfig,
    /// True if earlier credentials are refreshed: there is no second prompt for an MFA code.
    pub is_refresh: bool,
    /// Logs the providers that were skipped, with the reason, and the one that ended the chain.
    pub log: &'a dyn Fn(&str),
}

impl Context<'_> {
    /// Returns a key of the profile, if it is not blank.
    fn setting(&self, key: &str) -> Option<&str> {
        self.files.get(&self.profile.name, key)
    }
}

/// A profile of the shared files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name.
    pub name: String,
    /// The setting that selects the profile.
    pub source: ProfileSource,
}

/// The setting that selects a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileSource {
    /// `--profile`: takes precedence over credentials in the environment.
    Flag,
    /// AWS_PROFILE or AWS_DEFAULT_PROFILE.
    Variable,
    /// No setting: the profile is `default`.
    Default,
}

impl Profile {
    /// Returns the profile of `flag`, AWS_PROFILE or AWS_DEFAULT_PROFILE, in this order, else
    /// `default`.
    #[must_use]
    pub fn choose(flag: Option<&str>, env: &dyn Env) -> Self {
        let variable = || {
            env.var("AWS_PROFILE")
                .or_else(|| env.var("AWS_DEFAULT_PROFILE"))
        };
        let (name, source) = match flag.map(str::to_owned) {
            Some(name) => (name, ProfileSource::Flag),
            None => variable().map_or(("default".to_owned(), ProfileSource::Default), |name| {
                (name, ProfileSource::Variable)
            }),
        };
        Self { name, source }
    }
}

/// Loads the credentials of the first provider of the chain that has any.
///
/// # Errors
/// The named profile does not exist, a configured provider fails, or no provider is configured.
pub fn resolve(context: &Context) -> Result<ResolvedCredentials, CredentialsError> {
    let profile = &context.profile.name;
    let files = context.files;
    if context.profile.source != ProfileSource::Default && !files.has_profile(profile) {
        return Err(CredentialsError(format!(
            "profile \"{profile}\" not found in {} or {}; create it with `aws configure --profile \
             {profile}`",
            files.config.path.display(),
            files.credentials.path.display()
        )));
    }
    match load_first(&CHAIN, context)? {
        Some(found) => Ok(found),
        None => Err(CredentialsError(format!(
            "no credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), for the \
             profile \"{profile}\" in {} or {}, or from a container or instance; run `aws \
             configure` or `aws configure sso`, or set the variables",
            files.credentials.path.display(),
            files.config.path.display()
        ))),
    }
}

/// Loads the credentials of the first of `providers` that is configured; `None` if no provider is.
fn load_first(
    providers: &[&dyn Provider],
    context: &Context,
) -> Result<Option<ResolvedCredentials>, CredentialsError> {
    for provider in providers {
        let name = provider.name();
        match provider.load(context) {
            Ok(Found::Keys(keys)) => {
                (context.log)(&format!("credentials: {name} returned credentials"));
                return Ok(Some(keys));
            }
            Ok(Found::NotConfigured(why)) => {
                (context.log)(&format!("credentials: {name} skipped: {why}"));
            }
            Err(error) => {
                (context.log)(&format!("credentials: {name} failed"));
                return Err(error);
            }
        }
    }
    Ok(None)
}

/// Returns the default name of a role session: the program's name and the Unix time, which makes
/// the name unique.
fn session_name(context: &Context) -> String {
    let now = context.net.clock.now().unix_timestamp();
    format!("{}-{now}", env!("CARGO_PKG_NAME"))
}

/// Returns a file name in a cache of the AWS CLI: the hash of `key` in lower-case hex, and `.json`.
fn cache_name(algorithm: &'static ring::digest::Algorithm, key: &str) -> String {
    use std::fmt::Write;
    let hash = ring::digest::digest(algorithm, key.as_bytes());
    let mut name = String::new();
    for byte in hash.as_ref() {
        let _ = write!(name, "{byte:02x}");
    }
    name + ".json"
}

/// Converts the temporary credentials that STS returned for a role.
///
/// # Errors
/// The call failed, or its Expiration is not an ISO 8601 time.
fn role_keys(
    result: Result<CallOutput<TemporaryKeys>, CallError>,
    origin: String,
) -> Result<ResolvedCredentials, CredentialsError> {
    let keys = result
        .map_err(|e| CredentialsError(format!("{origin}: {e}; {}", e.advice())))?
        .output;
    let expires = json_credentials::instant(&keys.expiration);
    if expires.is_none() {
        return Err(CredentialsError(format!(
            "{origin}: Expiration is not an ISO 8601 time"
        )));
    }
    let token = Some(keys.session_token.as_str());
    let found =
        ResolvedCredentials::new(&keys.access_key_id, &keys.secret_access_key, token, origin);
    Ok(found.with_expiry(expires))
}

/// Returns the static credentials of a profile in one file.
///
/// Keys: `aws_access_key_id`, `aws_secret_access_key`, and `aws_session_token` or
/// `aws_security_token` (optional).
///
/// # Errors
/// Only one of the first two keys is set.
fn static_keys(
    section: Option<&Section>,
    profile: &str,
    path: &std::path::Path,
) -> Result<Found, CredentialsError> {
    let get = |key: &str| {
        section
            .and_then(|s| s.get(key))
            .map(String::as_str)
            .filter(|v| !v.trim().is_empty())
    };
    let origin = || format!("profile {profile} in {}", path.display());
    match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (None, None) => Ok(Found::NotConfigured(
            "the profile has no access key in this file",
        )),
        (Some(id), Some(secret)) => {
            let token = get("aws_session_token").or_else(|| get("aws_security_token"));
            Ok(Found::Keys(ResolvedCredentials::new(
                id,
                secret,
                token,
                origin(),
            )))
        }
        (id, _) => {
            let missing = match id {
                Some(_) => "aws_secret_access_key",
                None => "aws_access_key_id",
            };
            Err(CredentialsError(format!(
                "{missing} is missing from {}; run `aws configure --profile {profile}`",
                origin()
            )))
        }
    }
}

#[cfg(test)]
mod tests;
