//! Where credentials come from: a chain of providers, one file each.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>. The first
//! provider that has some wins. One that has nothing is passed over; one that is configured and
//! broken stops the chain, so that nobody counts the wrong account.

mod config_profile;
mod environment;
mod shared_profile;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;

use super::config_file::{Section, SharedFiles};
use crate::env::Env;

/// A source of credentials.
trait Provider {
    /// The credentials, or `None` where this source has nothing to do with the run.
    fn load(&self, context: &Context) -> Result<Option<Resolved>, CredentialsError>;
}

/// The providers, in the order in which they are asked.
const CHAIN: [&dyn Provider; 3] = [
    &environment::Environment,
    &shared_profile::SharedProfile,
    &config_profile::ConfigProfile,
];

/// What providers look at.
pub struct Context<'a> {
    /// Variables and files.
    pub env: &'a dyn Env,
    /// The shared files.
    pub files: &'a SharedFiles,
    /// The profile.
    pub profile: &'a Profile,
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

/// Credentials, and where they come from.
#[derive(Clone)]
pub struct Resolved {
    /// The keys.
    pub credentials: Credentials,
    /// The provider, in words.
    pub provider: String,
}

impl Resolved {
    fn new(id: &str, secret: &str, token: Option<&str>, provider: String) -> Self {
        let token = token.map(|t| t.trim().to_owned());
        Self {
            credentials: Credentials::new(id.trim(), secret.trim(), token, None, "chain"),
            provider,
        }
    }

    /// The end of the access key id: its last four characters, never more.
    #[must_use]
    pub fn key_end(&self) -> String {
        let id: Vec<char> = self.credentials.access_key_id().chars().collect();
        // Of a short id four characters would be too much of it.
        let shown = if id.len() >= 16 { 4 } else { 0 };
        let end: String = id[id.len() - shown..].iter().collect();
        format!("****{end}")
    }

    /// `text` without the keys: an error answer may repeat the request that was signed.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let keys = &self.credentials;
        let mut out = text.to_owned();
        for secret in [Some(keys.secret_access_key()), keys.session_token()] {
            if let Some(secret) = secret.filter(|s| !s.is_empty()) {
                out = out.replace(secret, "****");
            }
        }
        if !keys.access_key_id().is_empty() {
            out = out.replace(keys.access_key_id(), &self.key_end());
        }
        out
    }

    fn same_keys(&self, other: &Self) -> bool {
        let keys = |r: &Self| {
            let c = &r.credentials;
            (
                c.access_key_id().to_owned(),
                c.session_token().map(str::to_owned),
            )
        };
        keys(self) == keys(other)
    }
}

/// The provider and the key's end; the credential type's own `Debug` prints the whole key id.
impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("provider", &self.provider)
            .field("access_key_id", &self.key_end())
            .finish_non_exhaustive()
    }
}

/// Why there are no credentials: what is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsError(pub String);

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CredentialsError {}

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
    for provider in CHAIN {
        if let Some(found) = provider.load(context)? {
            return Ok(found);
        }
    }
    Err(CredentialsError(nothing_found(context)))
}

/// Keys of a profile that gets its credentials in a way that no provider of the chain knows.
const OTHER_WAYS: [(&str, &str); 7] = [
    ("role_arn", "assumes a role"),
    ("sso_session", "signs in through IAM Identity Center"),
    ("sso_account_id", "signs in through IAM Identity Center"),
    ("login_session", "signs in with `aws login`"),
    ("credential_process", "runs a process for its keys"),
    ("web_identity_token_file", "uses a web identity"),
    ("credential_source", "assumes a role"),
];

fn nothing_found(context: &Context) -> String {
    let profile = &context.profile.name;
    let other = |(key, way): &(&str, &'static str)| context.files.get(profile, key).map(|_| *way);
    match OTHER_WAYS.iter().find_map(other) {
        Some(way) => format!(
            "the profile \"{profile}\" {way}, which this version does not do; the AWS CLI can \
             hand its keys on: eval \"$(aws configure export-credentials --profile {profile} \
             --format env)\""
        ),
        None => format!(
            "no credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), nor \
             for the profile \"{profile}\" in {} or {}; run `aws configure`, or set the variables",
            context.files.credentials.path.display(),
            context.files.config.path.display()
        ),
    }
}

/// The static keys of a profile in one file.
fn static_keys(
    section: Option<&Section>,
    profile: &str,
    path: &std::path::Path,
) -> Result<Option<Resolved>, CredentialsError> {
    let get = |key: &str| {
        section
            .and_then(|s| s.get(key))
            .map(String::as_str)
            .filter(|v| !v.trim().is_empty())
    };
    let origin = || format!("profile {profile} in {}", path.display());
    match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (None, None) => Ok(None),
        (Some(id), Some(secret)) => {
            let token = get("aws_session_token").or_else(|| get("aws_security_token"));
            Ok(Some(Resolved::new(id, secret, token, origin())))
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

type Loader = Box<dyn Fn() -> Result<Resolved, CredentialsError> + Send + Sync>;

/// The run's credentials, shared by all threads and renewed once.
pub struct Keyring {
    loader: Loader,
    state: Mutex<(Resolved, u64)>,
}

impl Keyring {
    /// Credentials that `loader` brings, now and when they have expired.
    ///
    /// # Errors
    /// There are none.
    pub fn load(loader: Loader) -> Result<Self, CredentialsError> {
        let first = loader()?;
        Ok(Self {
            loader,
            state: Mutex::new((first, 0)),
        })
    }

    /// The credentials to sign with, and which ones they are: 0 before a renewal, 1 after it.
    #[must_use]
    pub fn current(&self) -> (Resolved, u64) {
        self.lock().clone()
    }

    /// Brings new credentials after those of `generation` have expired; a thread that comes after
    /// another has done so finds them ready.
    ///
    /// # Errors
    /// The source gives the same keys again, or it was asked before.
    pub fn renew(&self, generation: u64) -> Result<(), CredentialsError> {
        let mut state = self.lock();
        if state.1 > generation {
            return Ok(());
        }
        if generation > 0 {
            return Err(CredentialsError("they expired a second time".to_owned()));
        }
        let fresh = (self.loader)()?;
        if fresh.same_keys(&state.0) {
            let why = format!("the keys of {} are still the expired ones", fresh.provider);
            return Err(CredentialsError(why));
        }
        *state = (fresh, generation + 1);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, (Resolved, u64)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
