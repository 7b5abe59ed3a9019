//! Static keys of a profile in the config file.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html>

use super::{Context, CredentialsError, Found, Provider, static_keys};

pub struct ConfigProfile;

impl Provider for ConfigProfile {
    fn name(&self) -> &'static str {
        "the config file"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let file = &context.files.config;
        let profile = &context.profile.name;
        static_keys(file.profile(profile), profile, &file.path)
    }
}
