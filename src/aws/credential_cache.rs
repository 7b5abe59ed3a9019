//! The credentials of a run, refreshed before they expire.
//!
//! All threads share one [`CachedCredentials`]; a mutex protects it.
//! - A thread that signs a request takes a copy and its version. If the credentials expire within
//!   five minutes, this thread first calls the loader, while the others wait for the mutex. A
//!   failed load is ignored until the credentials expire; the next load is at least a minute later.
//! - A thread whose call failed with expired credentials asks for a refresh and names the version
//!   that it used. If another thread has refreshed them since, nothing is loaded.
//! - After one such refresh, the next expired version is an error.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use aws_credential_types::Credentials;
use time::{Duration, OffsetDateTime};

use super::error::CredentialsError;
use crate::secret::Redactor;
use crate::sync;

/// Credentials and their source.
#[derive(Clone)]
pub struct ResolvedCredentials {
    /// The credentials.
    pub credentials: Credentials,
    /// The description of the provider.
    pub provider: String,
    /// The expiry; `None` if the credentials do not expire or the expiry is unknown.
    pub expires: Option<OffsetDateTime>,
}

impl ResolvedCredentials {
    /// Creates credentials of `provider`, without surrounding whitespace.
    #[must_use]
    pub fn new(id: &str, secret: &str, token: Option<&str>, provider: String) -> Self {
        let token = token.map(|t| t.trim().to_owned());
        Self {
            credentials: Credentials::new(id.trim(), secret.trim(), token, None, "chain"),
            provider,
            expires: None,
        }
    }

    /// Returns the same credentials with the expiry `expires`.
    #[must_use]
    pub fn with_expiry(mut self, expires: Option<OffsetDateTime>) -> Self {
        self.expires = expires;
        self
    }

    /// Returns `****` and the last four characters of the access key ID, never more.
    #[must_use]
    pub fn masked_key_id(&self) -> String {
        let id: Vec<char> = self.credentials.access_key_id().chars().collect();
        // Four characters of a short ID would reveal too much of it.
        let shown = if id.len() >= 16 { 4 } else { 0 };
        let end: String = id[id.len() - shown..].iter().collect();
        format!("****{end}")
    }

    /// Returns the redactor of the credentials: an error response may repeat the signed request.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        let keys = &self.credentials;
        let secrets = [Some(keys.secret_access_key()), keys.session_token()];
        let masked = secrets
            .into_iter()
            .flatten()
            .map(|s| (s.into(), "****".to_owned()));
        Redactor::new(masked.chain([(keys.access_key_id().into(), self.masked_key_id())]))
    }

    /// Compares without copies, which would not be wiped from memory.
    fn same_keys(&self, other: &Self) -> bool {
        let (own, other) = (&self.credentials, &other.credentials);
        own.access_key_id() == other.access_key_id() && own.session_token() == other.session_token()
    }
}

/// Shows the provider and the masked ID; the `Debug` of [`Credentials`] prints the complete access
/// key ID.
impl fmt::Debug for ResolvedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolvedCredentials")
            .field("provider", &self.provider)
            .field("access_key_id", &self.masked_key_id())
            .finish_non_exhaustive()
    }
}

/// Loads credentials; the argument is true for a refresh.
pub type Loader = Box<dyn Fn(bool) -> Result<ResolvedCredentials, CredentialsError> + Send + Sync>;

/// The time before the expiry in which credentials are refreshed.
const REFRESH_WINDOW: Duration = Duration::minutes(5);

/// The minimum time between two attempts to refresh.
const MIN_REFRESH_INTERVAL: Duration = Duration::minutes(1);

/// The credentials of a run, shared by all threads: refreshed before they expire, and once after a
/// service reports that they have expired.
pub struct CachedCredentials {
    loader: Loader,
    state: Mutex<CacheState>,
}

struct CacheState {
    keys: ResolvedCredentials,
    version: u64,
    /// True after a refresh because a service reported expired credentials.
    refreshed: bool,
    next_try: Option<OffsetDateTime>,
}

impl CachedCredentials {
    /// Loads credentials with `loader`, now and for every refresh.
    ///
    /// # Errors
    /// The first load fails.
    pub fn load(loader: Loader) -> Result<Self, CredentialsError> {
        let keys = loader(false)?;
        Ok(Self::from_loaded(keys, loader))
    }

    /// Creates credentials that are never refreshed: those of a source profile, or empty ones for
    /// an unsigned call.
    #[must_use]
    pub fn fixed(keys: ResolvedCredentials) -> Self {
        let loader = |_| Err(CredentialsError::NotRefreshable);
        Self::from_loaded(keys, Box::new(loader))
    }

    fn from_loaded(keys: ResolvedCredentials, loader: Loader) -> Self {
        Self {
            loader,
            state: Mutex::new(CacheState {
                keys,
                version: 0,
                refreshed: false,
                next_try: None,
            }),
        }
    }

    /// Returns the credentials to sign with, and their version, counted from 0.
    ///
    /// Credentials that expire within five minutes of `now` are refreshed first, by one thread for
    /// all. If that fails, they are used until they expire.
    #[must_use]
    pub fn for_signing(&self, now: OffsetDateTime) -> (ResolvedCredentials, u64) {
        let mut state = self.lock();
        let expires_soon = state
            .keys
            .expires
            .is_some_and(|end| end - now < REFRESH_WINDOW);
        let may_refresh = state.next_try.is_none_or(|at| now >= at);
        if expires_soon && may_refresh {
            // Also after a success: some credentials never live longer than the refresh window.
            state.next_try = Some(now + MIN_REFRESH_INTERVAL);
            if let Ok(fresh) = (self.loader)(true)
                && !fresh.same_keys(&state.keys)
            {
                state.keys = fresh;
                state.version += 1;
            }
        }
        (state.keys.clone(), state.version)
    }

    /// Returns the current credentials, without a refresh.
    #[must_use]
    pub fn current(&self) -> ResolvedCredentials {
        self.lock().keys.clone()
    }

    /// Refreshes the credentials after those of `version` have expired. Returns false if another
    /// thread has already done so.
    ///
    /// # Errors
    /// The source fails or returns the same credentials, or the refreshed credentials have expired.
    pub fn refresh(&self, version: u64) -> Result<bool, CredentialsError> {
        let mut state = self.lock();
        if state.version > version {
            return Ok(false);
        }
        if state.refreshed {
            return Err(CredentialsError::ExpiredAgain);
        }
        let fresh = (self.loader)(true)?;
        if fresh.same_keys(&state.keys) {
            let provider = fresh.provider;
            return Err(CredentialsError::Unchanged { provider });
        }
        state.keys = fresh;
        state.version += 1;
        state.refreshed = true;
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, CacheState> {
        sync::lock(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 12:00:00 UTC);

    fn keys(id: &str) -> ResolvedCredentials {
        ResolvedCredentials::new(id, "the-secret-key", Some("the-token"), "test".to_owned())
    }

    #[test]
    fn secrets_are_masked_and_redacted() {
        let found = keys("AKIAIOSFODNN7EXAMPLE");
        assert_eq!(found.masked_key_id(), "****MPLE");
        assert_eq!(keys("SHORT").masked_key_id(), "****");
        let debug = format!("{found:?}");
        let redactor = found.redactor();
        let echoed = redactor.apply("AKIAIOSFODNN7EXAMPLE the-secret-key x the-token");
        for text in [debug.as_str(), &echoed] {
            for secret in ["AKIAIOSFODNN7", "the-secret-key", "the-token"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        assert_eq!(echoed, "****MPLE **** x ****");
    }

    #[test]
    fn credentials_refresh_once_for_all_threads() {
        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let loader = move |_| {
            Ok(keys(&format!(
                "key-{}",
                counted.fetch_add(1, Ordering::SeqCst)
            )))
        };
        let cached = CachedCredentials::load(Box::new(loader)).unwrap();
        assert_eq!(cached.for_signing(NOW).1, 0);
        cached.refresh(0).unwrap();
        cached.refresh(0).unwrap();
        assert_eq!(
            calls.load(Ordering::SeqCst),
            2,
            "the second refresh loads nothing"
        );
        assert_eq!(cached.for_signing(NOW).1, 1);
        let error = cached.refresh(1).unwrap_err();
        assert!(matches!(error, CredentialsError::ExpiredAgain), "{error}");

        let same = CachedCredentials::load(Box::new(|_| Ok(keys("same")))).unwrap();
        let error = same.refresh(0).unwrap_err();
        assert_eq!(error.to_string(), "test returned expired credentials again");
    }

    #[test]
    fn expiring_credentials_refresh_early() {
        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let loader = move |is_refresh: bool| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(keys("first").with_expiry(Some(NOW + Duration::minutes(10)))),
            1 => Err(CredentialsError::NotRefreshable),
            _ => {
                assert!(is_refresh);
                Ok(keys("second").with_expiry(Some(NOW + Duration::hours(1))))
            }
        };
        let cached = CachedCredentials::load(Box::new(loader)).unwrap();
        let id = |minutes| {
            let (keys, version) = cached.for_signing(NOW + Duration::minutes(minutes));
            (keys.credentials.access_key_id().to_owned(), version)
        };
        assert_eq!(id(0), ("first".to_owned(), 0));
        assert_eq!(
            id(6),
            ("first".to_owned(), 0),
            "the source fails, the credentials are still valid"
        );
        assert_eq!(
            id(6),
            ("first".to_owned(), 0),
            "the source is not called again immediately"
        );
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        assert_eq!(id(8), ("second".to_owned(), 1));
        assert_eq!(id(9), ("second".to_owned(), 1));
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }
}
