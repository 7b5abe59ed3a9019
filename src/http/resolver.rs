//! The addresses of hosts.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use ureq::config::{Config, IpFamily};
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Agent, Error};

use crate::sync::lock;

/// The maximum number of addresses in a list of ureq.
const MAX_ADDRESSES: usize = 16;

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
        let resolve = || resolve_both(&*self.system, uri, config, timeout);
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

/// Resolves a host. If its addresses of one family fill the list, those of the other family are looked up
/// too, and each gets one half.
fn resolve_both(
    system: &dyn Resolver,
    uri: &Uri,
    config: &Config,
    timeout: NextTimeout,
) -> Result<ResolvedSocketAddrs, Error> {
    let mut found = system.resolve(uri, config, timeout)?;
    let ipv6 = found.iter().filter(|address| address.is_ipv6()).count();
    let other_family = match ipv6 {
        _ if found.len() < MAX_ADDRESSES => return Ok(found),
        MAX_ADDRESSES => IpFamily::Ipv4Only,
        0 => IpFamily::Ipv6Only,
        _ => return Ok(found),
    };
    let config = Agent::config_builder().ip_family(other_family).build();
    if let Ok(others) = system.resolve(uri, &config, timeout) {
        let half = others.len().min(MAX_ADDRESSES / 2);
        found.truncate(MAX_ADDRESSES - half);
        for address in &others[..half] {
            found.push(*address);
        }
    }
    Ok(found)
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

    /// Resolves hosts to as many IPv6 and IPv4 addresses as their names say.
    #[derive(Debug)]
    struct ManyAddresses;

    impl Resolver for ManyAddresses {
        fn resolve(
            &self,
            uri: &Uri,
            config: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, Error> {
            let (ipv6, ipv4) = uri.host().unwrap().split_once('-').unwrap();
            let count = |text: &str, unwanted: IpFamily| match config.ip_family() {
                family if family == unwanted => 0,
                _ => text.parse().unwrap(),
            };
            let mut found = self.empty();
            let six = (0..count(ipv6, IpFamily::Ipv4Only))
                .map(|n| ([0, 0, 0, 0, 0, 0, 1, n], 443).into());
            let four = (0..count(ipv4, IpFamily::Ipv6Only)).map(|_| ([10, 0, 0, 1], 443).into());
            for address in six.chain(four).take(MAX_ADDRESSES) {
                found.push(address);
            }
            Ok(found)
        }
    }

    #[test]
    fn full_family_leaves_room_for_the_other() {
        let resolver = CachingResolver::new(ManyAddresses);
        for (host, expected) in [
            ("https://3-2", (3, 2)),
            ("https://8-8", (8, 8)),
            ("https://16-0", (16, 0)),
            ("https://20-8", (8, 8)),
            ("https://16-3", (13, 3)),
            ("https://20-20", (8, 8)),
            ("https://0-20", (0, 16)),
        ] {
            let found = resolver.resolve(
                &host.parse().unwrap(),
                &Config::default(),
                NextTimeout::default(),
            );
            let found = found.unwrap();
            let ipv6 = found.iter().filter(|a| a.is_ipv6()).count();
            assert_eq!((ipv6, found.len() - ipv6), expected, "{host}");
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
