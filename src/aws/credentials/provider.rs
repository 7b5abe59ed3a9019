//! The interface of a credential provider, and its inputs.

use crate::aws::client::{Client, Transport};
use crate::aws::config_file::SharedFiles;
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::error::CredentialsError;
use crate::env::Env;
use crate::model::Region;

/// A source of credentials: its name for the debug log, and the function that loads the credentials or returns the reason
/// why the provider is not configured. An error means that the provider is configured and fails.
pub type Provider = (
    &'static str,
    fn(&ProviderContext) -> Result<Found, CredentialsError>,
);

/// The result of a provider.
pub enum Found {
    /// Credentials.
    Keys(ResolvedCredentials),
    /// The reason why the provider is skipped.
    NotConfigured(&'static str),
}

/// Loads the credentials of the first of `providers` that is configured; `None` if no provider is.
pub fn load_first(
    providers: &[Provider],
    context: &ProviderContext,
) -> Result<Option<ResolvedCredentials>, CredentialsError> {
    for (name, load) in providers {
        match load(context) {
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

/// The inputs of the providers.
#[derive(Clone, Copy)]
pub struct ProviderContext<'a> {
    /// Variables, files, processes and the terminal.
    pub env: &'a dyn Env,
    /// The config file and the shared credentials file.
    pub files: &'a SharedFiles,
    /// The profile whose credentials are loaded.
    pub profile: &'a Profile,
    /// Sends the requests.
    pub transport: &'a Transport,
    /// The region of the STS calls.
    pub region: &'a Region,
    /// True if earlier credentials are refreshed: there is no second prompt for an MFA code.
    pub is_refresh: bool,
    /// Logs the providers that were skipped, with the reason, and the one that ended the chain.
    pub log: &'a dyn Fn(&str),
}

impl<'a> ProviderContext<'a> {
    /// Returns a client that signs with `keys`, which are not refreshed.
    pub(super) fn client(&self, keys: ResolvedCredentials) -> Client {
        Client::new(self.transport.clone(), CachedCredentials::fixed(keys))
    }

    /// Returns a key of the profile, if it is not blank.
    pub(super) fn setting(&self, key: &str) -> Option<&'a str> {
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
    /// Returns the profile `name`, which takes precedence over credentials in the environment.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            source: ProfileSource::Flag,
        }
    }

    /// Returns the profile of `flag`, AWS_PROFILE or AWS_DEFAULT_PROFILE, in this order, else
    /// `default`.
    #[must_use]
    pub fn choose(flag: Option<&str>, env: &dyn Env) -> Self {
        let variable = || {
            env.var("AWS_PROFILE")
                .or_else(|| env.var("AWS_DEFAULT_PROFILE"))
        };
        if let Some(name) = flag {
            return Self::named(name);
        }
        let (name, source) = match variable() {
            Some(name) => (name, ProfileSource::Variable),
            None => ("default".to_owned(), ProfileSource::Default),
        };
        Self { name, source }
    }
}
