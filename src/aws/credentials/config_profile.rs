//! Static credentials of a profile in the config file.
//!
//! Settings, in AWS_CONFIG_FILE (default `~/.aws/config`):
//! - `aws_access_key_id`, `aws_secret_access_key`: if one is set, the other is required.
//! - `aws_session_token`, else `aws_security_token`: optional.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html>

use super::provider::{Found, Provider, ProviderContext};
use super::static_keys::static_keys;
use crate::aws::error::CredentialsError;

/// The provider of static credentials in the config file.
pub struct ConfigProfile;

impl Provider for ConfigProfile {
    fn name(&self) -> &'static str {
        "the config file"
    }

    fn load(&self, context: &ProviderContext) -> Result<Found, CredentialsError> {
        let file = &context.files.config;
        let profile = &context.profile.name;
        static_keys(file.profile(profile), profile, &file.path)
    }
}
