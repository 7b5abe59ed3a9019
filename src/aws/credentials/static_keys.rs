//! The access key in a section of a shared file.

use std::path::Path;

use super::provider::Found;
use crate::aws::config_file::Section;
use crate::aws::credential_cache::ResolvedCredentials;
use crate::aws::error::CredentialsError;

/// Returns the static credentials of a profile in one file.
///
/// Keys: `aws_access_key_id`, `aws_secret_access_key`, and `aws_session_token` or
/// `aws_security_token` (optional).
///
/// # Errors
/// Only one of the first two keys is set.
pub fn static_keys(
    section: Option<&Section>,
    profile: &str,
    path: &Path,
) -> Result<Found, CredentialsError> {
    let get = |key: &str| {
        section
            .and_then(|s| s.get(key))
            .map(String::as_str)
            .filter(|v| !v.trim().is_empty())
    };
    let origin = || format!("profile {profile} in {}", path.display());
    match (get("aws_access_key_id"), get("aws_secret_access_key")) {
        (None, None) => Ok(Found::NotConfigured(
            "the profile has no access key in this file",
        )),
        (Some(id), Some(secret)) => {
            let token = get("aws_session_token").or_else(|| get("aws_security_token"));
            Ok(Found::Keys(ResolvedCredentials::new(
                id,
                secret,
                token,
                origin(),
            )))
        }
        (id, _) => {
            let missing = match id {
                Some(_) => "aws_secret_access_key",
                None => "aws_access_key_id",
            };
            Err(CredentialsError::Setting(format!(
                "{missing} is missing from {}; run `aws configure --profile {profile}`",
                origin()
            )))
        }
    }
}
