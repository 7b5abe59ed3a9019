//! The chain of the providers, in botocore's order.

use super::provider::{ProfileSource, Provider, ProviderContext, load_first};
use super::static_profile::{CONFIG_PROFILE, SHARED_PROFILE};
use super::{assume_role, container, environment, imds, login, process, sso, web_identity};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;
use crate::redact;

/// The providers, in the order in which they are loaded.
const CHAIN: [Provider; 10] = [
    environment::PROVIDER,
    assume_role::PROVIDER,
    web_identity::PROVIDER,
    sso::PROVIDER,
    SHARED_PROFILE,
    login::PROVIDER,
    process::PROVIDER,
    CONFIG_PROFILE,
    container::PROVIDER,
    imds::PROVIDER,
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
        return Err(CredentialsError::no_profile(&what, &profile, files));
    }
    load_first(&CHAIN, context)?.ok_or_else(|| {
        let (credentials, config) = (&files.credentials, &files.config);
        CredentialsError::Setting(format!(
            "no credentials in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), for the \
             profile \"{profile}\" in {credentials} or {config}, or from a container or instance; run \
             `aws configure` or `aws configure sso`, or set the variables"
        ))
    })
}
