//! The credentials of a run, refreshed before they expire.
//!
//! All threads share one [`CachedCredentials`]. A mutex protects its state; it is not held during a refresh.
//! - A thread that signs a request takes a copy and its version. If the credentials expire within
//!   five minutes, this thread first refreshes them. The others use the old ones meanwhile, and wait
//!   only if these have expired. A failed refresh is ignored until the credentials expire.
//! - A thread whose request failed with expired credentials asks for a refresh and names the version
//!   that it used. If another thread has refreshed them since, nothing is loaded; if another thread is
//!   refreshing them, it waits for the result.
//! - A refresh loads credentials and verifies their account, before anything is signed with them.
//!   Credentials of another account end the run: nothing is signed after that.
//! - The next refresh starts at least a minute after the last one has ended. Until then, its failure
//!   is the result for all threads. [`CachedCredentials::stop`] ends all refreshes.
//! - If a service reports that credentials have expired that were loaded less than a minute ago, that
//!   is an error.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use time::OffsetDateTime;

use super::error::CredentialsError;
use crate::clock::Clock;
use crate::model::AccountId;
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
    /// The account, if STS returned it with the credentials of a role.
    pub account: Option<AccountId>,
    redactor: Redactor,
}

impl ResolvedCredentials {
    /// Creates credentials of `provider`, without surrounding whitespace.
    #[must_use]
    pub fn new(id: &str, secret: &str, token: Option<&str>, provider: String) -> Self {
        let (id, secret, token) = (id.trim(), secret.trim(), token.map(str::trim));
        let secrets = [Some(secret), token].into_iter().flatten();
        let secrets = secrets.map(|s| (s.into(), "****".to_owned()));
        let redactor = Redactor::new(secrets.chain([(id.into(), masked_id(id))]));
        Self {
            credentials: Credentials::new(id, secret, token.map(str::to_owned), None, "chain"),
            provider,
            expires: None,
            account: None,
            redactor,
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
        masked_id(self.credentials.access_key_id())
    }

    /// Returns the redactor of the credentials: an error response may repeat the signed request.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    /// Compares without copies, which would not be wiped from memory.
    fn same_keys(&self, other: &Self) -> bool {
        let (own, other) = (&self.credentials, &other.credentials);
        own.access_key_id() == other.access_key_id() && own.session_token() == other.session_token()
    }
}

/// Returns `****` and the last four characters of an access key ID.
fn masked_id(id: &str) -> String {
    let id: Vec<char> = id.chars().collect();
    // Four characters of a short ID would reveal too much of it.
    let shown = if id.len() >= 16 { 4 } else { 0 };
    let end: String = id[id.len() - shown..].iter().collect();
    format!("****{end}")
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

/// Returns the account of credentials by GetCallerIdentity, signed with them.
pub type IdentityCall =
    Box<dyn Fn(&ResolvedCredentials) -> Result<AccountId, CredentialsError> + Send + Sync>;

/// The time before the expiry in which credentials are refreshed.
const REFRESH_WINDOW: time::Duration = time::Duration::minutes(5);

/// The minimum time between the end of a refresh and the next one.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_mins(1);

/// The credentials of a run, shared by all threads: refreshed before they expire, and after a service
/// reports that they have expired.
pub struct CachedCredentials {
    loader: Loader,
    identifier: IdentityCall,
    state: Mutex<CacheState>,
    refresh_ended: Condvar,
    /// True after a successful response to a request signed with these credentials.
    accepted: AtomicBool,
}

struct CacheState {
    keys: ResolvedCredentials,
    version: u64,
    /// The account of the keys, once it is known.
    account: Option<AccountId>,
    is_refreshing: bool,
    /// The time of the refresh that returned these keys, on the clock of the run; `None` for the first
    /// ones.
    loaded_at: Option<Duration>,
    /// The time of the last refresh; `None` before the first one.
    tried_at: Option<Duration>,
    /// The reason why the last refresh failed.
    failure: Option<Arc<CredentialsError>>,
    /// True if there must be no other refresh.
    is_stopped: bool,
}

impl CacheState {
    fn may_refresh(&self, clock: &dyn Clock) -> bool {
        let may_start = !self.is_refreshing && !self.is_stopped && !self.is_of_other_account();
        may_start && !is_recent(self.tried_at, clock)
    }

    fn is_of_other_account(&self) -> bool {
        matches!(
            self.failure.as_deref(),
            Some(CredentialsError::OtherAccount { .. })
        )
    }

    fn expires_within(&self, window: time::Duration, clock: &dyn Clock) -> bool {
        let end = self.keys.expires;
        end.is_some_and(|end| end - clock.now() < window)
    }

    fn fail(&mut self, why: CredentialsError) -> Arc<CredentialsError> {
        let why = Arc::new(why);
        self.failure = Some(why.clone());
        why
    }
}

impl CachedCredentials {
    /// Loads credentials with `loader`, now and for every refresh; `identifier` verifies the account
    /// of refreshed credentials whose source does not name it.
    ///
    /// # Errors
    /// The first load fails.
    pub fn load(loader: Loader, identifier: IdentityCall) -> Result<Self, CredentialsError> {
        let keys = loader(false)?;
        Ok(Self::from_loaded(keys, loader, identifier))
    }

    /// Creates credentials that are never refreshed: those of a source profile, or empty ones for
    /// an unsigned call.
    #[must_use]
    pub fn fixed(keys: ResolvedCredentials) -> Self {
        let loader = |_| Err(CredentialsError::NotRefreshable);
        let identifier = |_: &_| Err(CredentialsError::NotRefreshable);
        Self::from_loaded(keys, Box::new(loader), Box::new(identifier))
    }

    fn from_loaded(keys: ResolvedCredentials, loader: Loader, identifier: IdentityCall) -> Self {
        Self {
            loader,
            identifier,
            state: Mutex::new(CacheState {
                keys,
                version: 0,
                account: None,
                is_refreshing: false,
                loaded_at: None,
                tried_at: None,
                failure: None,
                is_stopped: false,
            }),
            refresh_ended: Condvar::new(),
            accepted: AtomicBool::new(false),
        }
    }

    /// Returns the credentials to sign with, and their version, counted from 0.
    ///
    /// Credentials that expire within five minutes are refreshed first, by one thread for all. If
    /// that fails, they are used until they expire.
    ///
    /// # Errors
    /// The credentials have expired and could not be refreshed, or they were refreshed to those of
    /// another account.
    pub fn for_signing(
        &self,
        clock: &dyn Clock,
    ) -> Result<(ResolvedCredentials, u64), Arc<CredentialsError>> {
        let mut state = self.lock();
        while state.is_refreshing && state.expires_within(time::Duration::ZERO, clock) {
            state = self.wait(state);
        }
        if state.expires_within(REFRESH_WINDOW, clock) && state.may_refresh(clock) {
            state = self.reload(state, clock);
        }
        let has_expired = state.expires_within(time::Duration::ZERO, clock);
        match &state.failure {
            Some(why) if has_expired || state.is_of_other_account() => Err(why.clone()),
            _ => Ok((state.keys.clone(), state.version)),
        }
    }

    /// Returns the current credentials, without a refresh.
    #[must_use]
    pub fn current(&self) -> ResolvedCredentials {
        self.lock().keys.clone()
    }

    /// Refreshes the credentials after a service reported that those of `version` have expired,
    /// unless another thread has already done so.
    ///
    /// # Errors
    /// The source fails or returns the same credentials, the refreshed credentials have expired, or
    /// their account is another one or cannot be verified.
    pub fn refresh(&self, version: u64, clock: &dyn Clock) -> Result<(), Arc<CredentialsError>> {
        let mut state = self.lock();
        while state.is_refreshing {
            state = self.wait(state);
        }
        match &state.failure {
            Some(why) if state.is_of_other_account() => return Err(why.clone()),
            _ if state.version > version => return Ok(()),
            Some(why) if !state.may_refresh(clock) => return Err(why.clone()),
            _ if state.is_stopped => return Err(CredentialsError::NotRefreshable.into()),
            _ if is_recent(state.loaded_at, clock) => {
                return Err(CredentialsError::ExpiredAgain.into());
            }
            _ => {}
        }
        state = self.reload(state, clock);
        if let Some(why) = &state.failure {
            return Err(why.clone());
        }
        if state.version == version {
            let provider = state.keys.provider.clone();
            return Err(state.fail(CredentialsError::Unchanged { provider }));
        }
        Ok(())
    }

    /// Ends all refreshes, because the scan has stopped.
    pub fn stop(&self) {
        self.lock().is_stopped = true;
    }

    /// Records a successful response to a request signed with these credentials.
    pub fn record_success(&self) {
        self.accepted.store(true, Ordering::Relaxed);
    }

    /// Records the account that GetCallerIdentity returned for these credentials.
    ///
    /// # Errors
    /// It is not the account that the credentials had before. Then nothing else is signed with them.
    pub fn record_account(&self, found: &AccountId) -> Result<(), CredentialsError> {
        let mut state = self.lock();
        let provider = state.keys.provider.clone();
        let expected = state.account.get_or_insert_with(|| found.clone()).clone();
        let check = || same_account(provider.clone(), &expected, found);
        check().or_else(|why| {
            drop(state.fail(why));
            check()
        })
    }

    /// Returns the reason why nothing is signed with these credentials: they are of another account.
    #[must_use]
    pub fn other_account(&self) -> Option<Arc<CredentialsError>> {
        let state = self.lock();
        let failure = state.failure.clone();
        failure.filter(|_| state.is_of_other_account())
    }

    /// Verifies by GetCallerIdentity that AWS accepts the current credentials and that their account
    /// is still the same.
    ///
    /// # Errors
    /// The call failed, or returned another account.
    pub fn verify(&self) -> Result<(), CredentialsError> {
        let found = (self.identifier)(&self.current())?;
        self.record_account(&found)
    }

    /// Loads and verifies credentials without the lock of `state`, and adds the result to the state.
    fn reload<'a>(
        &'a self,
        mut state: MutexGuard<'a, CacheState>,
        clock: &dyn Clock,
    ) -> MutexGuard<'a, CacheState> {
        state.is_refreshing = true;
        let (old, account) = (state.keys.clone(), state.account.clone());
        drop(state);
        let loaded = catch_unwind(AssertUnwindSafe(|| self.load_verified(&old, account)));
        let mut state = self.lock();
        state.is_refreshing = false;
        // Also after a success: some credentials never live longer than the refresh window.
        state.tried_at = Some(clock.elapsed());
        state.failure = None;
        match loaded {
            Ok(Ok((keys, account))) => {
                if !keys.same_keys(&state.keys) {
                    state.version += 1;
                    state.loaded_at = state.tried_at;
                }
                // The same keys may have a later expiry.
                state.keys = keys;
                state.account = account.or(state.account.take());
            }
            Ok(Err(why)) => drop(state.fail(why)),
            Err(_) => drop(state.fail(CredentialsError::Panicked)),
        }
        self.refresh_ended.notify_all();
        state
    }

    /// Loads credentials, and verifies that their account is that of the `old` ones. Returns it, if
    /// it is known.
    fn load_verified(
        &self,
        old: &ResolvedCredentials,
        account: Option<AccountId>,
    ) -> Result<(ResolvedCredentials, Option<AccountId>), CredentialsError> {
        let fresh = (self.loader)(true)?;
        if fresh.same_keys(old) {
            return Ok((fresh, account));
        }
        let found = match &fresh.account {
            Some(found) => found.clone(),
            None => (self.identifier)(&fresh)?,
        };
        // The account is not known if the first GetCallerIdentity has not ended.
        let account = account.or_else(|| old.account.clone());
        let expected = match account.map_or_else(|| (self.identifier)(old), Ok) {
            Ok(expected) => expected,
            Err(why) if self.accepted.load(Ordering::Relaxed) => return Err(why),
            // Nothing was received with the old credentials.
            Err(_) => found.clone(),
        };
        same_account(fresh.provider.clone(), &expected, &found)?;
        Ok((fresh, Some(found)))
    }

    fn lock(&self) -> MutexGuard<'_, CacheState> {
        sync::lock(&self.state)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, CacheState>) -> MutexGuard<'a, CacheState> {
        let guard = self.refresh_ended.wait(state);
        guard.unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_recent(at: Option<Duration>, clock: &dyn Clock) -> bool {
    at.is_some_and(|at| clock.elapsed() < at + MIN_REFRESH_INTERVAL)
}

fn same_account(
    provider: String,
    expected: &AccountId,
    found: &AccountId,
) -> Result<(), CredentialsError> {
    if expected == found {
        return Ok(());
    }
    Err(CredentialsError::OtherAccount {
        provider,
        expected: expected.clone(),
        found: found.clone(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::recording::VirtualClock;

    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-24 12:00:00 UTC);

    fn keys(id: &str) -> ResolvedCredentials {
        ResolvedCredentials::new(
            id,
            "the-secret-access-key",
            Some("the-session-token"),
            "test".to_owned(),
        )
    }

    #[test]
    fn secrets_are_masked_and_redacted() {
        let found = keys("AKIAIOSFODNN7EXAMPLE");
        assert_eq!(found.masked_key_id(), "****MPLE");
        assert_eq!(keys("SHORT").masked_key_id(), "****");
        let debug = format!("{found:?}");
        let redactor = found.redactor();
        let echoed =
            redactor.apply("AKIAIOSFODNN7EXAMPLE the-secret-access-key x the-session-token");
        for text in [debug.as_str(), &echoed] {
            for secret in ["AKIAIOSFODNN7", "the-secret-access", "the-session"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
        assert_eq!(echoed, "****MPLE **** x ****");
    }

    /// Returns the account of the credentials; those of the other account have `foreign` in their key.
    fn identify(keys: &ResolvedCredentials) -> AccountId {
        let is_foreign = keys.credentials.access_key_id().contains("foreign");
        let id = if is_foreign { OTHER } else { OWN };
        id.parse().unwrap()
    }

    fn load(
        loader: impl Fn(bool) -> Result<ResolvedCredentials, CredentialsError> + Send + Sync + 'static,
    ) -> CachedCredentials {
        let identifier = |keys: &_| Ok(identify(keys));
        CachedCredentials::load(Box::new(loader), Box::new(identifier)).unwrap()
    }

    const OWN: &str = "012345678901";
    const OTHER: &str = "222222222222";

    /// Credentials of a source that returns `results` one after another, and the number of loads.
    fn cached(
        results: impl IntoIterator<Item = Result<ResolvedCredentials, CredentialsError>>,
    ) -> (CachedCredentials, Arc<AtomicUsize>) {
        let results = Mutex::new(results.into_iter().collect::<VecDeque<_>>());
        let loads = Arc::new(AtomicUsize::new(0));
        let counted = loads.clone();
        let loader = move |is_refresh| {
            assert_eq!(is_refresh, counted.fetch_add(1, Ordering::SeqCst) > 0);
            results.lock().unwrap().pop_front().expect("another load")
        };
        let cached = load(loader);
        (cached, loads)
    }

    fn failed() -> Result<ResolvedCredentials, CredentialsError> {
        Err(CredentialsError::Refused("broken".to_owned()))
    }

    fn clock() -> VirtualClock {
        VirtualClock::new(NOW)
    }

    const MINUTE: Duration = Duration::from_mins(1);

    /// The access key ID and the version for a signature, or the error.
    fn signing(cached: &CachedCredentials, clock: &VirtualClock) -> (String, u64) {
        match cached.for_signing(clock) {
            Ok((keys, version)) => (keys.credentials.access_key_id().to_owned(), version),
            Err(why) => (why.to_string(), 0),
        }
    }

    fn refresh_error(cached: &CachedCredentials, version: u64, clock: &VirtualClock) -> String {
        cached.refresh(version, clock).unwrap_err().to_string()
    }

    #[test]
    fn credentials_refresh_once_for_all_threads() {
        let (cached, loads) = cached([Ok(keys("key-0")), Ok(keys("key-1")), Ok(keys("key-2"))]);
        let clock = clock();
        cached.record_account(&OWN.parse().unwrap()).unwrap();
        assert_eq!(signing(&cached, &clock), ("key-0".to_owned(), 0));
        cached.refresh(0, &clock).unwrap();
        cached.refresh(0, &clock).unwrap();
        assert_eq!(
            loads.load(Ordering::SeqCst),
            2,
            "the second refresh loads nothing"
        );
        assert_eq!(signing(&cached, &clock), ("key-1".to_owned(), 1));
        let again = "the refreshed credentials have expired";
        assert_eq!(refresh_error(&cached, 1, &clock), again);
        clock.sleep(MINUTE);
        cached.refresh(1, &clock).unwrap();
        assert_eq!(signing(&cached, &clock), ("key-2".to_owned(), 2));
    }

    #[test]
    fn failed_refresh_is_not_repeated_for_a_minute() {
        for (result, why) in [
            (failed(), "broken"),
            (Ok(keys("key-0")), "test returned expired credentials again"),
        ] {
            let (cached, loads) = cached([Ok(keys("key-0")), result, Ok(keys("key-1"))]);
            let clock = clock();
            assert_eq!(refresh_error(&cached, 0, &clock), why);
            clock.sleep(Duration::from_secs(59));
            for _ in 0..170 {
                assert_eq!(refresh_error(&cached, 0, &clock), why);
            }
            assert_eq!(signing(&cached, &clock).0, "key-0", "for other regions");
            assert_eq!(loads.load(Ordering::SeqCst), 2);
            clock.sleep(Duration::from_secs(1));
            cached.refresh(0, &clock).unwrap();
            assert_eq!(signing(&cached, &clock).0, "key-1");
        }
    }

    #[test]
    fn minute_begins_at_the_end_of_the_refresh() {
        let clock = Arc::new(clock());
        let loads = Arc::new(AtomicUsize::new(0));
        let (slow, counted) = (clock.clone(), loads.clone());
        let loader = move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                return Ok(keys("key-0"));
            }
            slow.sleep(2 * MINUTE);
            failed()
        };
        let cached = load(loader);
        for _ in 0..5 {
            assert_eq!(refresh_error(&cached, 0, &clock), "broken");
        }
        assert_eq!(loads.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn failed_refresh_fails_all_waiting_threads() {
        let (started, proceed) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (loading, release) = (started.clone(), proceed.clone());
        let loads = Arc::new(AtomicUsize::new(0));
        let counted = loads.clone();
        let loader = move |_| {
            if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                return Ok(keys("key-0"));
            }
            loading.wait();
            release.wait();
            failed()
        };
        let cached = load(loader);
        std::thread::scope(|scope| {
            let refresh = || scope.spawn(|| refresh_error(&cached, 0, &clock()));
            let first = refresh();
            started.wait();
            let others: Vec<_> = (0..20).map(|_| refresh()).collect();
            assert_eq!(signing(&cached, &clock()).0, "key-0", "does not wait");
            proceed.wait();
            for thread in others.into_iter().chain([first]) {
                assert_eq!(thread.join().unwrap(), "broken");
            }
        });
        assert_eq!(loads.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn stopped_scan_refreshes_nothing() {
        let soon = NOW + time::Duration::minutes(2);
        let (cached, loads) = cached([Ok(keys("key-0").with_expiry(Some(soon)))]);
        let clock = clock();
        cached.stop();
        assert_eq!(signing(&cached, &clock).0, "key-0");
        let why = "these credentials cannot be refreshed";
        assert_eq!(refresh_error(&cached, 0, &clock), why);
        clock.sleep(3 * MINUTE);
        assert_eq!(refresh_error(&cached, 0, &clock), why);
        assert_eq!(loads.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn panic_of_the_loader_is_a_failed_refresh() {
        let (cached, _) = cached([Ok(keys("key-0"))]);
        let why = refresh_error(&cached, 0, &clock());
        assert_eq!(
            why,
            "internal error: the refresh of the credentials ended early"
        );
    }

    #[test]
    fn expiring_credentials_refresh_early() {
        let expiring = |id, minutes| {
            let end = NOW + time::Duration::minutes(minutes);
            Ok(keys(id).with_expiry(Some(end)))
        };
        let (cached, loads) = cached([
            expiring("first", 10),
            failed(),
            expiring("first", 11),
            failed(),
            failed(),
            expiring("second", 60),
        ]);
        let clock = clock();
        cached.record_account(&OWN.parse().unwrap()).unwrap();
        let after = |time| {
            clock.sleep(time);
            (signing(&cached, &clock).0, loads.load(Ordering::SeqCst))
        };
        assert_eq!(after(Duration::ZERO), ("first".to_owned(), 1));
        assert_eq!(after(6 * MINUTE), ("first".to_owned(), 2), "still valid");
        assert_eq!(after(MINUTE / 2), ("first".to_owned(), 2), "not at once");
        assert_eq!(after(MINUTE / 2), ("first".to_owned(), 3), "a later expiry");
        assert_eq!(after(3 * MINUTE + MINUTE / 2), ("first".to_owned(), 4));
        assert_eq!(
            after(MINUTE / 2 + MINUTE / 4),
            ("broken".to_owned(), 4),
            "expired"
        );
        assert_eq!(after(MINUTE / 4), ("broken".to_owned(), 5));
        assert_eq!(after(MINUTE), ("second".to_owned(), 6));
        assert_eq!(after(MINUTE), ("second".to_owned(), 6));
    }

    const OTHER_ACCOUNT: &str = "test returned credentials of another account, 222222222222; this \
                                 run counts the account 012345678901";

    #[test]
    fn another_account_ends_all_signatures() {
        let expiring = |id, minutes| {
            let end = NOW + time::Duration::minutes(minutes);
            keys(id).with_expiry(Some(end))
        };
        let named = ResolvedCredentials {
            account: Some(OTHER.parse().unwrap()),
            ..keys("key-of-a-role")
        };
        for (first, next) in [
            (keys("own"), keys("foreign")),
            (keys("own"), named),
            // Refreshed at the first signature.
            (expiring("own", 4), expiring("foreign", 60)),
        ] {
            for is_known in [true, false] {
                let (cached, loads) = cached([Ok(first.clone()), Ok(next.clone())]);
                let clock = clock();
                if is_known {
                    cached.record_account(&OWN.parse().unwrap()).unwrap();
                }
                let _ = cached.for_signing(&clock);
                assert_eq!(refresh_error(&cached, 0, &clock), OTHER_ACCOUNT);
                for _ in 0..3 {
                    assert_eq!(signing(&cached, &clock).0, OTHER_ACCOUNT);
                    assert_eq!(refresh_error(&cached, 0, &clock), OTHER_ACCOUNT);
                    clock.sleep(2 * MINUTE);
                }
                assert_eq!(loads.load(Ordering::SeqCst), 2);
                assert_eq!(cached.current().credentials.access_key_id(), "own");
            }
        }
    }

    #[test]
    fn account_of_first_credentials_binds_later_ones() {
        let (cached, _) = cached([Ok(keys("own")), Ok(keys("own-2"))]);
        cached.refresh(0, &clock()).unwrap();
        cached.record_account(&OWN.parse().unwrap()).unwrap();
        assert!(cached.other_account().is_none());
        let error = cached.record_account(&OTHER.parse().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), OTHER_ACCOUNT);
        let failure = cached.other_account().unwrap();
        assert_eq!(failure.to_string(), OTHER_ACCOUNT);
        assert!(cached.for_signing(&clock()).is_err());
    }

    #[test]
    fn unidentified_credentials_are_replaced_only_if_unused() {
        for used in [false, true] {
            let loads = AtomicUsize::new(0);
            let loader = move |_| {
                Ok(keys(&format!(
                    "key-{}",
                    loads.fetch_add(1, Ordering::SeqCst)
                )))
            };
            let identifier = |keys: &ResolvedCredentials| match keys.credentials.access_key_id() {
                "key-0" => Err(CredentialsError::Refused("expired".to_owned())),
                _ => Ok(identify(keys)),
            };
            let cached = CachedCredentials::load(Box::new(loader), Box::new(identifier)).unwrap();
            if used {
                cached.record_success();
            }
            let refreshed = cached.refresh(0, &clock());
            assert_eq!(refreshed.is_err(), used);
        }
    }
}
