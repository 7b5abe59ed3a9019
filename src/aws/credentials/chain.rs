//! The chain of the providers, in botocore's order.

use super::assume_role::AssumeRoleProfile;
use super::config_profile::ConfigProfile;
use super::container::Container;
use super::environment::Environment;
use super::imds::Imds;
use super::login::Login;
use super::process::Process;
use super::provider::{ProfileSource, Provider, ProviderContext, load_first};
use super::shared_profile::SharedProfile;
use super::sso::Sso;
use super::web_identity::WebIdentity;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::redact;

/// The providers, in the order in which they are loaded.
const CHAIN: [&dyn Provider; 10] = [
    &Environment,
    &AssumeRoleProfile {
        sources: &PROFILE_CHAIN,
    },
    &WebIdentity,
    &Sso,
    &SharedProfile,
    &Login,
    &Process,
    &ConfigProfile,
    &Container,
    &Imds,
];

/// The providers that read only a profile, in order: those of the `source_profile` of a role.
const PROFILE_CHAIN: [&dyn Provider; 6] = [
    &SharedProfile,
    &ConfigProfile,
    &WebIdentity,
    &Sso,
    &Login,
    &Process,
];

/// Loads the credentials of the first provider of the chain that has any.
///
/// # Errors
/// The named profile does not exist, a configured provider fails, or no provider is configured.
pub fn resolve(context: &ProviderContext) -> Result<ResolvedCredentials, CredentialsError> {
    let profile = &context.profile.name;
    let files = context.files;
    if context.profile.source != ProfileSource::Default && !files.has_profile(profile) {
        let profile = redact::setting(profile);
        let what = format!("profile \"{profile}\"");
        return Err(CredentialsError::no_profile(what, &profile, files));
    }
    load_first(&CHAIN, context)?.ok_or_else(|| CredentialsError::NotConfigured {
        profile: profile.clone(),
        credentials: files.credentials.to_string(),
        config: files.config.to_string(),
    })
}
