//! The keys of a run: what they are, where they come from, and how they are kept fresh.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use time::{Duration, OffsetDateTime};

/// Credentials, and where they come from.
#[derive(Clone)]
pub struct Resolved {
    /// The keys.
    pub credentials: Credentials,
    /// The provider, in words.
    pub provider: String,
    /// When they end; `None` for those that do not, or do not say.
    pub expires: Option<OffsetDateTime>,
}

impl Resolved {
    /// Keys of `provider`, blanks around them taken off.
    #[must_use]
    pub fn new(id: &str, secret: &str, token: Option<&str>, provider: String) -> Self {
        let token = token.map(|t| t.trim().to_owned());
        Self {
            credentials: Credentials::new(id.trim(), secret.trim(), token, None, "chain"),
            provider,
            expires: None,
        }
    }

    /// The same keys, which end at `expires`.
    #[must_use]
    pub fn until(mut self, expires: Option<OffsetDateTime>) -> Self {
        self.expires = expires;
        self
    }

    /// The end of the access key id: its last four characters, never more.
    #[must_use]
    pub fn key_end(&self) -> String {
        let id: Vec<char> = self.credentials.access_key_id().chars().collect();
        // Of a short id four characters would be too much of it.
        let shown = if id.len() >= 16 { 4 } else { 0 };
        let end: String = id[id.len() - shown..].iter().collect();
        format!("****{end}")
    }

    /// `text` without the keys: an error answer may repeat the request that was signed.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let keys = &self.credentials;
        let mut secrets = [
            (keys.secret_access_key(), false),
            (keys.session_token().unwrap_or_default(), false),
            (keys.access_key_id(), true),
        ];
        // The longest first: of one that a shorter one is a part of, the rest would stay.
        secrets.sort_by_key(|(secret, _)| Reverse(secret.len()));
        let mut out = Cow::Borrowed(text);
        for (secret, is_id) in secrets {
            // A text may be as long as an answer, and is copied where it must be alone.
            if !secret.is_empty() && out.contains(secret) {
                let end = is_id.then(|| self.key_end());
                let mark = end.as_deref().unwrap_or("****");
                out = out.replace(secret, mark).into();
            }
        }
        out
    }

    /// Compared where they are: a copy would not be wiped.
    fn same_keys(&self, other: &Self) -> bool {
        let (own, other) = (&self.credentials, &other.credentials);
        own.access_key_id() == other.access_key_id() && own.session_token() == other.session_token()
    }
}

/// The provider and the key's end; the credential type's own `Debug` prints the whole key id.
impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("provider", &self.provider)
            .field("access_key_id", &self.key_end())
            .finish_non_exhaustive()
    }
}

/// Why there are no credentials: what is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsError(pub String);

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CredentialsError {}

/// Brings credentials; `true` when it is not for the first time.
pub type Loader = Box<dyn Fn(bool) -> Result<Resolved, CredentialsError> + Send + Sync>;

/// How long before their end credentials are brought anew.
const EARLY: Duration = Duration::minutes(5);

/// How long after a try to bring new ones the next one is made.
const PAUSE: Duration = Duration::minutes(1);

/// The run's credentials, shared by all threads: brought anew before they end, and once where a
/// service says that they have ended.
pub struct Keyring {
    loader: Loader,
    state: Mutex<State>,
}

struct State {
    keys: Resolved,
    generation: u64,
    /// Whether a service's word has brought new ones already.
    renewed: bool,
    next_try: Option<OffsetDateTime>,
}

impl Keyring {
    /// Credentials that `loader` brings, now and when they have expired.
    ///
    /// # Errors
    /// There are none.
    pub fn load(loader: Loader) -> Result<Self, CredentialsError> {
        let keys = loader(false)?;
        Ok(Self::holding(keys, loader))
    }

    /// Keys that are what they are: those of a source profile, or none for an unsigned call.
    #[must_use]
    pub fn fixed(keys: Resolved) -> Self {
        let gone = |_| Err(CredentialsError("they cannot be renewed".to_owned()));
        Self::holding(keys, Box::new(gone))
    }

    fn holding(keys: Resolved, loader: Loader) -> Self {
        Self {
            loader,
            state: Mutex::new(State {
                keys,
                generation: 0,
                renewed: false,
                next_try: None,
            }),
        }
    }

    /// The credentials to sign with, and which ones they are, counted from 0.
    ///
    /// Those that end within five minutes of `now` are brought anew first, by one thread for all;
    /// where that fails they serve to their end.
    #[must_use]
    pub fn current(&self, now: OffsetDateTime) -> (Resolved, u64) {
        let mut state = self.lock();
        let ends = state.keys.expires.is_some_and(|end| end - now < EARLY);
        let may = state.next_try.is_none_or(|at| now >= at);
        if ends && may {
            // Also after a success: some keys never live for longer than that.
            state.next_try = Some(now + PAUSE);
            if let Ok(fresh) = (self.loader)(true)
                && !fresh.same_keys(&state.keys)
            {
                state.keys = fresh;
                state.generation += 1;
            }
        }
        (state.keys.clone(), state.generation)
    }

    /// The credentials as they are.
    #[must_use]
    pub fn held(&self) -> Resolved {
        self.lock().keys.clone()
    }

    /// Brings new credentials after those of `generation` have expired; a thread that comes after
    /// another has done so finds them ready.
    ///
    /// # Errors
    /// The source gives the same keys again, or it was asked before.
    pub fn renew(&self, generation: u64) -> Result<(), CredentialsError> {
        let mut state = self.lock();
        if state.generation > generation {
            return Ok(());
        }
        if state.renewed {
            return Err(CredentialsError("they expired a second time".to_owned()));
        }
        let fresh = (self.loader)(true)?;
        if fresh.same_keys(&state.keys) {
            let why = format!("the keys of {} are still the expired ones", fresh.provider);
            return Err(CredentialsError(why));
        }
        state.keys = fresh;
        state.generation += 1;
        state.renewed = true;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 12:00:00 UTC);

    fn keys(id: &str) -> Resolved {
        Resolved::new(id, "the-secret-key", Some("the-token"), "test".to_owned())
    }

    #[test]
    fn nothing_secret_is_shown() {
        let found = keys("AKIAIOSFODNN7EXAMPLE");
        assert_eq!(found.key_end(), "****MPLE");
        assert_eq!(keys("SHORT").key_end(), "****");
        let debug = format!("{found:?}");
        let echoed = found.redact("AKIAIOSFODNN7EXAMPLE the-secret-key x the-token");
        for text in [debug.as_str(), &echoed] {
            for secret in ["AKIAIOSFODNN7", "the-secret-key", "the-token"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        assert_eq!(echoed, "****MPLE **** x ****");
        let plain = "no key in it";
        assert!(matches!(found.redact(plain), Cow::Borrowed(same) if same == plain));
    }

    #[test]
    fn a_secret_that_is_a_part_of_another_leaves_nothing_of_it() {
        // As emulators are used: any keys will do.
        let found = Resolved::new("key", "test", Some("a-key-of-a-test"), "test".to_owned());
        assert_eq!(found.redact("key test a-key-of-a-test"), "**** **** ****");
    }

    #[test]
    fn keys_are_renewed_once_for_all_threads() {
        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let loader = move |_| {
            Ok(keys(&format!(
                "key-{}",
                counted.fetch_add(1, Ordering::SeqCst)
            )))
        };
        let ring = Keyring::load(Box::new(loader)).unwrap();
        assert_eq!(ring.current(NOW).1, 0);
        ring.renew(0).unwrap();
        ring.renew(0).unwrap();
        assert_eq!(
            calls.load(Ordering::SeqCst),
            2,
            "the second thread finds the new ones"
        );
        assert_eq!(ring.current(NOW).1, 1);
        assert!(ring.renew(1).unwrap_err().0.contains("a second time"));

        let same = Keyring::load(Box::new(|_| Ok(keys("same")))).unwrap();
        assert!(
            same.renew(0)
                .unwrap_err()
                .0
                .contains("are still the expired ones")
        );
    }

    #[test]
    fn keys_that_end_soon_are_brought_anew_and_serve_until_then() {
        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let loader = move |again: bool| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Ok(keys("first").until(Some(NOW + Duration::minutes(10)))),
            1 => Err(CredentialsError("not now".to_owned())),
            _ => {
                assert!(again);
                Ok(keys("second").until(Some(NOW + Duration::hours(1))))
            }
        };
        let ring = Keyring::load(Box::new(loader)).unwrap();
        let id = |minutes| {
            let (keys, generation) = ring.current(NOW + Duration::minutes(minutes));
            (keys.credentials.access_key_id().to_owned(), generation)
        };
        assert_eq!(id(0), ("first".to_owned(), 0));
        assert_eq!(
            id(6),
            ("first".to_owned(), 0),
            "the source fails, the keys still live"
        );
        assert_eq!(
            id(6),
            ("first".to_owned(), 0),
            "and is not asked again at once"
        );
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        assert_eq!(id(8), ("second".to_owned(), 1));
        assert_eq!(id(9), ("second".to_owned(), 1));
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }
}
