//! The addresses of hosts.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::sync::lock;

/// Caches the addresses that the system resolver returns, until the cache is cleared.
///
/// ureq resolves the host before every request, even if a connection is open, each time on a new
/// thread.
#[derive(Debug, Clone)]
pub(super) struct CachingResolver {
    system: Arc<dyn Resolver>,
    lookups: Arc<Mutex<HashMap<String, PendingLookup>>>,
}

/// One lookup by the system; threads that need the same host wait for it.
type PendingLookup = Arc<OnceLock<Result<ResolvedSocketAddrs, Error>>>;

impl CachingResolver {
    /// Creates an empty cache of the results of `system`.
    pub(super) fn new(system: impl Resolver) -> Self {
        Self {
            system: Arc::new(system),
            lookups: Arc::default(),
        }
    }

    /// Clears the cache, because the address of an unreachable host may have changed.
    pub(super) fn clear(&self) {
        lock(&self.lookups).clear();
    }
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let resolve = || self.system.resolve(uri, config, timeout);
        let host = uri.scheme().zip(uri.authority());
        let Some(host) = host.and_then(|(s, a)| DefaultResolver::host_and_port(s, a)) else {
            return resolve();
        };
        let lookup = lock(&self.lookups).entry(host).or_default().clone();
        match lookup.get_or_init(resolve) {
            Ok(addresses) => Ok(addresses.clone()),
            Err(error) => {
                // The failure is shared only with the threads that waited for it.
                lock(&self.lookups).retain(|_, other| !Arc::ptr_eq(other, &lookup));
                Err(clone_error(error))
            }
        }
    }
}

/// Clones an error of a resolver; `ureq::Error` does not implement `Clone`.
fn clone_error(error: &Error) -> Error {
    match error {
        Error::Timeout(which) => Error::Timeout(*which),
        Error::Io(e) => Error::Io(match e.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(e.kind(), e.to_string()),
        }),
        _ => Error::HostNotFound,
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use ureq::Timeout;

    use super::*;
    use crate::http::transport_error::{TransportErrorKind, kind_of};

    /// "Too many open files".
    const EMFILE: i32 = 24;

    /// Resolves every host except those that begin with `no`, and records the lookups.
    #[derive(Debug, Clone, Default)]
    struct FakeResolver(Arc<Mutex<Vec<String>>>);

    impl Resolver for FakeResolver {
        fn resolve(
            &self,
            uri: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, Error> {
            let host = uri.authority().unwrap().to_string();
            self.0.lock().unwrap().push(host.clone());
            let mut found = self.empty();
            found.push(([10, 0, 0, 1], 443).into());
            match host.as_str() {
                "no.example" => Err(Error::HostNotFound),
                "noreply.example" => Err(Error::Timeout(Timeout::Resolve)),
                "nofile.example" => Err(Error::Io(io::Error::from_raw_os_error(EMFILE))),
                _ => Ok(found),
            }
        }
    }

    #[test]
    fn host_is_resolved_once_until_a_failure() {
        let fake = FakeResolver::default();
        let (resolver, config) = (CachingResolver::new(fake.clone()), Config::default());
        let look_up = |uri: &'static str| {
            resolver.resolve(&Uri::from_static(uri), &config, NextTimeout::default())
        };
        let new_lookups = || std::mem::take(&mut *fake.0.lock().unwrap());
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| assert_eq!(look_up("https://a.example/x").unwrap()[..].len(), 1));
            }
        });
        look_up("https://b.example").unwrap();
        look_up("https://a.example:443").unwrap();
        assert_eq!(new_lookups(), ["a.example", "b.example"]);

        resolver.clear();
        look_up("https://a.example").unwrap();
        assert_eq!(new_lookups(), ["a.example"]);

        for (uri, kind) in [
            ("https://no.example", TransportErrorKind::Dns),
            ("https://noreply.example", TransportErrorKind::Dns),
            ("https://nofile.example", TransportErrorKind::Exhausted),
        ] {
            for _ in 0..2 {
                assert_eq!(kind_of(&look_up(uri).unwrap_err()), kind, "{uri}");
            }
            assert_eq!(new_lookups().len(), 2, "{uri}: a failure is not cached");
        }
    }
}
