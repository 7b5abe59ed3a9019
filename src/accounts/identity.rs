//! The account of credentials, as AWS names it.

use std::time::Duration;

use crate::aws::client::{Client, Transport};
use crate::aws::credential_cache::{CachedCredentials, IdentityCall, ResolvedCredentials};
use crate::aws::error::CredentialsError;
use crate::aws::ops::get_caller_identity::GetCallerIdentity;
use crate::model::Region;

/// Returns a function that calls GetCallerIdentity in `region`, with the time limit `limit`.
#[must_use]
pub fn identity_call(transport: Transport, region: Region, limit: Duration) -> IdentityCall {
    Box::new(move |keys: &ResolvedCredentials| {
        let client = Client::new(transport.clone(), CachedCredentials::fixed(keys.clone()));
        match client.call_within(&region, &GetCallerIdentity, limit) {
            Ok(response) => Ok(response.output),
            Err(error) => Err(CredentialsError::Call {
                origin: "the account of the credentials could not be verified".to_owned(),
                source: Box::new(error),
            }),
        }
    })
}
