//! Credentials in environment variables.
//!
//! Settings:
//! - AWS_ACCESS_KEY_ID: configures this provider. With `--profile` the provider is skipped.
//! - AWS_SECRET_ACCESS_KEY: required.
//! - AWS_SESSION_TOKEN, else AWS_SECURITY_TOKEN: optional.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>

use super::provider::{Found, ProfileSource, Provider, ProviderContext};
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;

/// The provider of credentials in environment variables.
pub const PROVIDER: Provider = ("the environment", load);

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
    if context.profile.source == ProfileSource::Flag {
        return Ok(Found::NotConfigured("--profile takes precedence"));
    }
    let var = |name| context.env.var(name);
    let Some(id) = var("AWS_ACCESS_KEY_ID") else {
        return Ok(Found::NotConfigured("AWS_ACCESS_KEY_ID is not set"));
    };
    let secret = var("AWS_SECRET_ACCESS_KEY").ok_or_else(|| {
        CredentialsError::Setting(
            "AWS_ACCESS_KEY_ID is set in the environment and AWS_SECRET_ACCESS_KEY is not; set \
             both, or neither"
                .to_owned(),
        )
    })?;
    let token = var("AWS_SESSION_TOKEN").or_else(|| var("AWS_SECURITY_TOKEN"));
    let provider = "environment variables".to_owned();
    Ok(Found::Keys(ResolvedCredentials::new(
        &id,
        &secret,
        token.as_deref(),
        provider,
    )))
}
