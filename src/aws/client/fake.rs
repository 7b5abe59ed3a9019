//! A client for tests: a fake sender, a clock that nobody waits for, and fixed keys.

use std::sync::Arc;

use time::macros::datetime;

use super::{Client, Parts};
use crate::aws::endpoint::Endpoints;
use crate::aws::keyring::{Keyring, Resolved};
use crate::aws::limit::Limits;
use crate::clock::VirtualClock;
use crate::http::HttpSend;
use crate::interrupt::Interrupt;

/// The access key id of [`keys`].
pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
/// The secret access key of [`keys`].
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The session token of [`keys`]; real ones are several hundred characters long.
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDVuoO8Zq6CmS0XkE5l\
    Sf3T9yBn4hW1xAgPjR7vKdLuMwIgHt2cNbYiQeFrGa+DpUzOJ6XsC8oVlTE3nWfIy5mZkRB0qrcDCGAQABoMNTk2OTM2MDEw\
    ODcyIgzL7bWvxYg0hPfK3dNtUaSi+q1EeCj9zRmGwOo4HnXl6TsBV2yAkFpJ5uQI8cZrDvMhL0gYfWxN7bKt1PaEiSoU3nCd==";

/// When a test's run begins.
pub fn clock() -> Arc<VirtualClock> {
    Arc::new(VirtualClock::new(datetime!(2026-11-24 12:00:00 UTC)))
}

/// Keys with that id.
pub fn keys_of(id: &str) -> Resolved {
    Resolved::new(id, SECRET, Some(TOKEN), "the test".to_owned())
}

/// The parts of a client: the usual ten attempts, and no chance in the backoff (every wait is 0).
pub fn parts(http: Arc<dyn HttpSend>, clock: Arc<VirtualClock>) -> Parts {
    Parts {
        http,
        clock,
        interrupt: Interrupt::default(),
        keyring: Keyring::load(Box::new(|_| Ok(keys_of(KEY_ID)))).unwrap(),
        endpoints: Endpoints::default(),
        max_attempts: 10,
        limits: Limits {
            concurrency: 4,
            rate: None,
        },
        chance: || 0.0,
        trace: None,
    }
}

/// A client of [`parts`].
pub fn client(http: Arc<dyn HttpSend>, clock: Arc<VirtualClock>) -> Client {
    Client::new(parts(http, clock))
}

/// A piece of a secret that `text` holds, eight characters at least.
pub fn leak(text: &str) -> Option<&'static str> {
    [KEY_ID, SECRET, TOKEN]
        .into_iter()
        .flat_map(|secret| (8..=secret.len()).map(|end| &secret[end - 8..end]))
        .find(|piece| text.contains(piece))
}
