//! A client for tests: a fake sender, a virtual clock, and fixed credentials.

use std::sync::Arc;

use time::macros::datetime;

use super::{Client, Transport};
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::endpoint::Endpoints;
use crate::aws::error::{CallError, Cause, CredentialsError, ErrorKind};
use crate::aws::identity_flag::IdentityFlag;
use crate::aws::limiter::Limits;
use crate::aws::operation::Service;
use crate::http::HttpClient;
use crate::interrupt::Interrupt;
use crate::recording::VirtualClock;

/// The access key ID of the credentials.
pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
/// The secret access key of the credentials.
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The session token of the credentials; real ones are several hundred characters long.
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDVuoO8Zq6CmS0XkE5l\
    Sf3T9yBn4hW1xAgPjR7vKdLuMwIgHt2cNbYiQeFrGa+DpUzOJ6XsC8oVlTE3nWfIy5mZkRB0qrcDCGAQABoMNTk2OTM2MDEw\
    ODcyIgzL7bWvxYg0hPfK3dNtUaSi+q1EeCj9zRmGwOo4HnXl6TsBV2yAkFpJ5uQI8cZrDvMhL0gYfWxN7bKt1PaEiSoU3nCd==";

/// Returns a clock at the start time of a test.
pub fn clock() -> Arc<VirtualClock> {
    Arc::new(VirtualClock::new(datetime!(2026-11-24 12:00:00 UTC)))
}

/// Returns credentials with the access key ID `id`.
pub fn credentials_with_id(id: &str) -> ResolvedCredentials {
    ResolvedCredentials::new(id, SECRET, Some(TOKEN), "the test".to_owned())
}

/// Returns a transport with ten attempts and no jitter in the backoff (every wait is 0).
pub fn transport(http: Arc<dyn HttpClient>, clock: Arc<VirtualClock>) -> Transport {
    Transport {
        http,
        clock,
        interrupt: Interrupt::default(),
        endpoints: Endpoints::default(),
        max_attempts: 10,
        limits: Limits {
            concurrency: 4,
            rate: None,
        },
        jitter: || 0.0,
        trace: None,
        activity: Arc::default(),
        ends: Arc::default(),
        hosts: None,
    }
}

/// Returns the credentials of the tests, which a refresh returns again.
pub fn credentials() -> CachedCredentials {
    refreshed_by(|_| Ok(credentials_with_id(KEY_ID)))
}

/// Returns the credentials of `loader`, all of one account, which GetCallerIdentity accepts.
pub fn refreshed_by(
    loader: impl Fn(bool) -> Result<ResolvedCredentials, CredentialsError> + Send + Sync + 'static,
) -> CachedCredentials {
    let identifier = |_: &ResolvedCredentials| Ok("012345678901".parse().unwrap());
    CachedCredentials::load(Box::new(loader), Box::new(identifier)).unwrap()
}

/// Returns the error of the first attempt of ListDiscoveredResources in us-east-1.
pub fn call_error(cause: Cause) -> CallError {
    CallError {
        service: Service::Config,
        operation: "ListDiscoveredResources",
        region: "us-east-1".parse().unwrap(),
        resource_type: None,
        attempts: 1,
        request_id: None,
        refresh_error: None,
        bound: None,
        endpoint: None,
        identity: IdentityFlag::default(),
        cause,
    }
}

/// Returns the cause of an error response.
pub fn service_cause(code: &str, message: &str, status: u16) -> Cause {
    Cause::Service {
        kind: ErrorKind::from_code(code, status),
        code: code.to_owned(),
        message: message.to_owned(),
        status,
    }
}

/// Returns the error of GetCallerIdentity with the error code `code`.
pub fn identity_error(code: &str) -> CredentialsError {
    let source = CallError {
        service: Service::Sts,
        operation: "GetCallerIdentity",
        ..call_error(service_cause(code, "", 403))
    };
    let origin = "the test".to_owned();
    CredentialsError::Call {
        origin,
        source: Box::new(source),
    }
}

/// Returns a client of [`transport`].
pub fn client(http: Arc<dyn HttpClient>, clock: Arc<VirtualClock>) -> Client {
    Client::new(transport(http, clock), credentials())
}

/// Returns a piece of a secret that `text` contains, of at least eight characters.
pub fn leak(text: &str) -> Option<&'static str> {
    [KEY_ID, SECRET, TOKEN]
        .into_iter()
        .flat_map(|secret| (8..=secret.len()).map(|end| &secret[end - 8..end]))
        .find(|piece| text.contains(piece))
}
