//! The chain of the providers, in botocore's order.

use super::assume_role::AssumeRoleProfile;
use super::config_profile::ConfigProfile;
use super::container::Container;
use super::environment::Environment;
use super::imds::Imds;
use super::login::Login;
use super::process::Process;
use super::provider::{Context, ProfileSource, Provider, load_first};
use super::shared_profile::SharedProfile;
use super::sso::Sso;
use super::web_identity::WebIdentity;
use crate::aws::credential_cache::{CredentialsError, ResolvedCredentials};

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
