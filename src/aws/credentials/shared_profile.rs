//! Static keys of a profile in the shared credentials file.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-static-credentials.html>

use super::{Context, CredentialsError, Found, Provider, static_keys};

pub struct SharedProfile;

impl Provider for SharedProfile {
    fn name(&self) -> &'static str {
        "the shared credentials file"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let file = &context.files.credentials;
        let profile = &context.profile.name;
        static_keys(file.profile(profile), profile, &file.path)
    }
}
