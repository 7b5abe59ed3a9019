//! Static credentials of a profile in one of the shared files.
//!
//! Settings, in AWS_SHARED_CREDENTIALS_FILE (default `~/.aws/credentials`) or AWS_CONFIG_FILE (default `~/.aws/config`):
//! - `aws_access_key_id`, `aws_secret_access_key`: if one is set, the other is required.
//! - `aws_session_token`, else `aws_security_token`: optional.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html>

use super::provider::{Found, Provider, ProviderContext};
use crate::aws::config_file::ProfileFile;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;

/// The provider of static credentials in the shared credentials file.
pub const SHARED_PROFILE: Provider = ("the shared credentials file", |context| {
    load(context, &context.files.credentials)
});

/// The provider of static credentials in the config file.
pub const CONFIG_PROFILE: Provider = ("the config file", |context| {
    load(context, &context.files.config)
});

fn load(context: &ProviderContext, file: &ProfileFile) -> Result<Found, CredentialsError> {
    let profile = &context.profile.name;
    let section = file.profile(profile);
    let get = |key: &str| {
        let value = section?.get(key).map(String::as_str);
        value.filter(|value| !value.trim().is_empty())
    };
    let origin = format!("profile {profile} in {}", file.path.display());
    let missing = match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (Some(id), Some(secret)) => {
            let token = get("aws_session_token").or_else(|| get("aws_security_token"));
            let keys = ResolvedCredentials::new(id, secret, token, origin);
            return Ok(Found::Keys(keys));
        }
        (None, None) => {
            let reason = "the profile has no access key in this file";
            return Ok(Found::NotConfigured(reason));
        }
        (Some(_), None) => "aws_secret_access_key",
        (None, Some(_)) => "aws_access_key_id",
    };
    Err(CredentialsError::Setting(format!(
        "{missing} is missing from {origin}; run `aws configure --profile {profile}`"
    )))
}
