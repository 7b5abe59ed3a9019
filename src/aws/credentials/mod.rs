//! Where credentials come from: a chain of providers, one file each, in botocore's order.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>. The first
//! provider that has some wins. One that has nothing is passed over; one that is configured and
//! broken stops the chain, so that nobody counts the wrong account.

mod answer;
mod assume_role;
mod config_profile;
mod container;
mod environment;
mod fetch;
mod imds;
mod login;
mod process;
mod shared_profile;
mod sso;
mod web_identity;

use std::sync::Arc;

use super::client::{Answer, Client, Parts, Trace};
use super::config_file::{Section, SharedFiles};
use super::endpoint::Endpoints;
use super::error::CallError;
use super::keyring::{CredentialsError, Keyring, Resolved};
use super::ops::assume_role::TemporaryKeys;
use crate::aws::limit::Limits;
use crate::clock::Clock;
use crate::env::Env;
use crate::http::HttpSend;
use crate::interrupt::Interrupt;
use crate::model::Region;

/// A source of credentials.
trait Provider: Sync {
    /// What it is called in `--debug`.
    fn name(&self) -> &'static str;

    /// The credentials, or why this source has nothing to do with the run.
    fn load(&self, context: &Context) -> Result<Found, CredentialsError>;
}

/// What a provider has.
enum Found {
    /// Credentials.
    Keys(Resolved),
    /// Nothing, and why: the next provider is asked.
    Nothing(&'static str),
}

/// The providers, in the order in which they are asked.
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

/// Those that look at a profile alone: what a role's source profile may use.
const PROFILE_CHAIN: [&dyn Provider; 6] = [
    &shared_profile::SharedProfile,
    &config_profile::ConfigProfile,
    &web_identity::WebIdentity,
    &sso::Sso,
    &login::Login,
    &process::Process,
];

/// How a provider reaches a service.
#[derive(Clone)]
pub struct Net {
    /// Sends the requests.
    pub http: Arc<dyn HttpSend>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// Where the services answer.
    pub endpoints: Endpoints,
    /// The region whose STS is asked.
    pub region: Region,
    /// Attempts per request.
    pub max_attempts: u32,
    /// What each region may be asked.
    pub limits: Limits,
    /// The backoff's chance.
    pub chance: fn() -> f64,
    /// Told of every request.
    pub trace: Option<Trace>,
}

impl Net {
    /// A client that signs with what `keyring` holds.
    #[must_use]
    pub fn client(&self, keyring: Keyring) -> Client {
        Client::new(Parts {
            http: self.http.clone(),
            clock: self.clock.clone(),
            interrupt: self.interrupt.clone(),
            keyring,
            endpoints: self.endpoints.clone(),
            max_attempts: self.max_attempts,
            limits: self.limits,
            chance: self.chance,
            trace: self.trace.clone(),
        })
    }
}

/// What providers look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Variables, files, processes, the terminal.
    pub env: &'a dyn Env,
    /// The shared files.
    pub files: &'a SharedFiles,
    /// The profile.
    pub profile: &'a Profile,
    /// The network.
    pub net: &'a Net,
    /// Whether the run had credentials before: nobody is asked for a code twice.
    pub again: bool,
    /// Told which providers were asked, and why each was passed over.
    pub note: &'a dyn Fn(&str),
}

impl Context<'_> {
    /// A setting of the profile that is not blank.
    fn setting(&self, key: &str) -> Option<&str> {
        self.files.get(&self.profile.name, key)
    }
}

/// Which profile of the shared files is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Who named it.
    pub named_by: NamedBy,
}

/// Who named a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// `--profile`: beats the environment's keys.
    Flag,
    /// AWS_PROFILE or AWS_DEFAULT_PROFILE.
    Variable,
    /// Nobody: it is `default`.
    Nobody,
}

impl Profile {
    /// The profile that `flag`, AWS_PROFILE or AWS_DEFAULT_PROFILE names, else `default`.
    #[must_use]
    pub fn choose(flag: Option<&str>, env: &dyn Env) -> Self {
        let variable = || {
            env.var("AWS_PROFILE")
                .or_else(|| env.var("AWS_DEFAULT_PROFILE"))
        };
        let (name, named_by) = match flag.map(str::to_owned) {
            Some(name) => (name, NamedBy::Flag),
            None => variable().map_or(("default".to_owned(), NamedBy::Nobody), |name| {
                (name, NamedBy::Variable)
            }),
        };
        Self { name, named_by }
    }
}

/// Asks the chain.
///
/// # Errors
/// The named profile does not exist, a provider is configured and broken, or none has credentials.
pub fn resolve(context: &Context) -> Result<Resolved, CredentialsError> {
    let profile = &context.profile.name;
    let files = context.files;
    if context.profile.named_by != NamedBy::Nobody && !files.has_profile(profile) {
        return Err(CredentialsError(format!(
            "the profile \"{profile}\" is neither in {} nor in {}; `aws configure --profile \
             {profile}` makes it",
            files.config.path.display(),
            files.credentials.path.display()
        )));
    }
    match ask(&CHAIN, context)? {
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

/// Asks providers one after the other until one has credentials.
fn ask(
    providers: &[&dyn Provider],
    context: &Context,
) -> Result<Option<Resolved>, CredentialsError> {
    for provider in providers {
        let name = provider.name();
        match provider.load(context) {
            Ok(Found::Keys(keys)) => {
                (context.note)(&format!("credentials: {name} has them"));
                return Ok(Some(keys));
            }
            Ok(Found::Nothing(why)) => {
                (context.note)(&format!("credentials: {name} passed over: {why}"));
            }
            Err(error) => {
                (context.note)(&format!("credentials: {name} is broken"));
                return Err(error);
            }
        }
    }
    Ok(None)
}

/// A session's name where nothing names one: the program's, and the time that makes it one's own.
fn session_name(context: &Context) -> String {
    let now = context.net.clock.now().unix_timestamp();
    format!("{}-{now}", env!("CARGO_PKG_NAME"))
}

/// The name of a file in a cache of the AWS CLI: the hash of what it is for, in lower-case hex.
fn cache_name(algorithm: &'static ring::digest::Algorithm, key: &str) -> String {
    use std::fmt::Write;
    let hash = ring::digest::digest(algorithm, key.as_bytes());
    let mut name = String::new();
    for byte in hash.as_ref() {
        let _ = write!(name, "{byte:02x}");
    }
    name + ".json"
}

/// The keys that STS gave for a role.
fn role_keys(
    answered: Result<Answer<TemporaryKeys>, CallError>,
    origin: String,
) -> Result<Resolved, CredentialsError> {
    let keys = answered
        .map_err(|e| CredentialsError(format!("{origin}: {e}; {}", e.advice())))?
        .output;
    let expires = answer::instant(&keys.expiration);
    if expires.is_none() {
        return Err(CredentialsError(format!(
            "{origin}: an Expiration that is no ISO 8601 time"
        )));
    }
    let token = Some(keys.session_token.as_str());
    let found = Resolved::new(&keys.access_key_id, &keys.secret_access_key, token, origin);
    Ok(found.until(expires))
}

/// The static keys of a profile in one file.
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
        (None, None) => Ok(Found::Nothing("the profile has no keys in it")),
        (Some(id), Some(secret)) => {
            let token = get("aws_session_token").or_else(|| get("aws_security_token"));
            Ok(Found::Keys(Resolved::new(id, secret, token, origin())))
        }
        (id, _) => {
            let missing = match id {
                Some(_) => "aws_secret_access_key",
                None => "aws_access_key_id",
            };
            Err(CredentialsError(format!(
                "{missing} is missing from {}; `aws configure --profile {profile}` sets both",
                origin()
            )))
        }
    }
}

#[cfg(test)]
mod tests;
