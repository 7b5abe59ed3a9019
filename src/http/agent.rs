//! The HTTP client of the network, built on ureq: no redirects, any status is a response, size and
//! time are limited.
//!
//! - [`Agent::send`] runs on the caller's thread and blocks until the response is read or a
//!   time-out ends. Any number of threads send concurrently through one [`Agent`].
//! - Each host, and each proxy of a host, has one ureq agent with its own idle connections. A
//!   thread takes an idle connection or opens a new one; it never waits for another thread's
//!   request.
//! - The agents are created on first use, under the write lock of `Route`; later requests share a
//!   read lock.
//! - ureq resolves host names on a thread of its own. `CachingResolver` shares the result:
//!   threads that need the same host wait for one lookup. After any transport error all hosts are
//!   looked up again.
//! - An interrupt shuts all agents down, which ends their open requests with an error.

use std::collections::HashMap;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{Response as UreqResponse, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Error, ProxyProtocol, Timeout};

use super::proxy::{Proxies, Proxy};
use super::{HttpClient, MAX_BODY, Request, Response, TransportError, TransportErrorKind};
use crate::interrupt::Interrupt;

/// The network settings of an [`Agent`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time-out to connect, TLS included, and the time-out to resolve the host. Default: 5 s.
    pub connect_timeout: Duration,
    /// The read time-out: the time without a response after which an attempt fails. Default: 30 s.
    pub read_timeout: Duration,
    /// The maximum time of a request with its response.
    pub exchange_limit: Duration,
    /// The name and the PEM content of the file of CA certificates that replace the built-in
    /// Mozilla roots.
    pub ca_bundle: Option<(String, Vec<u8>)>,
    /// The proxies to use.
    pub proxies: Proxies,
    /// The `User-Agent` header of every request.
    pub user_agent: String,
}

/// A budget within this tolerance of the exchange limit uses the agent's own settings.
const BUDGET_TOLERANCE: Duration = Duration::from_secs(1);

/// The errors "too many open files" of the process and of the system, on Linux and macOS.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// The size of the read buffer, in bytes.
const INPUT_BUFFER: usize = 16 * 1024;

/// The maximum size of the headers of a response, in bytes; AWS sends about 500.
///
/// Must be smaller than the read buffer: headers that fill the buffer look like a closed
/// connection, which would be retried.
const MAX_HEAD: usize = 8 * 1024;

/// Sends requests over the network.
pub struct Agent {
    direct: Route,
    proxied: Vec<(Proxy, Route)>,
    proxies: Proxies,
    exchange_limit: Duration,
    trust_source: String,
    resolver: CachingResolver,
    interrupt: Interrupt,
}

/// The direct route to the hosts, or the route through one proxy.
///
/// ureq stores the TLS settings, and the sessions that later connections resume, per agent; the
/// settings of a single request cannot replace them. With every request it searches and counts all
/// connections of an agent, so each host has its own agent.
struct Route {
    config: Config,
    hosts: RwLock<HashMap<String, ureq::Agent>>,
}

impl Agent {
    /// Creates an agent; `interrupt` shuts it down.
    ///
    /// # Errors
    /// The CA bundle contains no certificate or an invalid one, or a proxy is invalid.
    pub fn new(settings: &Settings, interrupt: &Interrupt) -> io::Result<Self> {
        let (roots, trust_source) = match &settings.ca_bundle {
            None => (RootCerts::WebPki, "the built-in Mozilla roots".to_owned()),
            Some((name, pem)) => (root_certs(name, pem)?, name.clone()),
        };
        let route = |proxy: Option<ureq::Proxy>| Route {
            config: network(settings, roots.clone(), proxy),
            hosts: RwLock::default(),
        };
        let proxied = settings.proxies.iter().map(|proxy| {
            let invalid = |e| io::Error::new(io::ErrorKind::InvalidInput, format!("{proxy}: {e}"));
            Ok((
                proxy.clone(),
                route(Some(ureq_proxy(proxy).map_err(invalid)?)),
            ))
        });
        Ok(Self {
            proxied: proxied.collect::<io::Result<_>>()?,
            direct: route(None),
            proxies: settings.proxies.clone(),
            exchange_limit: settings.exchange_limit,
            trust_source,
            resolver: CachingResolver::new(DefaultResolver::default()),
            interrupt: interrupt.clone(),
        })
    }

    /// Returns the agent of a host; creates it on first use. An interrupt shuts it down.
    fn host(&self, route: &Route, host: &str) -> ureq::Agent {
        let hosts = route.hosts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = hosts.get(host) {
            return found.clone();
        }
        drop(hosts);
        let new = || {
            let config = route.config.clone();
            let agent =
                ureq::Agent::with_parts(config, DefaultConnector::default(), self.resolver.clone());
            let shared = agent.clone();
            self.interrupt.on_signal(move || shared.clone().shutdown());
            agent
        };
        let mut hosts = route.hosts.write().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(host.to_owned()).or_insert_with(new).clone()
    }

    fn route(&self, proxy: Option<&Proxy>) -> &Route {
        let found = self.proxied.iter().find(|(p, _)| Some(p) == proxy);
        found.map_or(&self.direct, |(_, route)| route)
    }

    /// Sends a request. Uses the agent's own time limit unless the budget of the request is
    /// shorter.
    fn exchange(&self, request: &Request, proxy: Option<&Proxy>) -> Result<Response, Error> {
        let mut builder = ureq::http::Request::builder()
            .method(request.method)
            .uri(&request.uri);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let built = builder.body(request.body.as_slice())?;
        let agent = self.host(self.route(proxy), host_of(&request.uri));
        let response = if request.budget + BUDGET_TOLERANCE >= self.exchange_limit {
            agent.run(built)?
        } else {
            let timed = agent.configure_request(built);
            agent.run(timed.timeout_global(Some(request.budget)).build())?
        };
        read(response)
    }
}

fn network(settings: &Settings, roots: RootCerts, proxy: Option<ureq::Proxy>) -> Config {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // Disables ureq's own proxy variables, which differ from those of the AWS CLI.
        .proxy(proxy)
        .user_agent(&settings.user_agent)
        // Every connection is kept for the next request.
        .max_idle_connections(4096)
        .max_idle_connections_per_host(4096)
        .input_buffer_size(INPUT_BUFFER)
        .max_response_header_size(MAX_HEAD)
        .output_buffer_size(4 * 1024)
        .timeout_global(Some(settings.exchange_limit))
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_send_request(Some(settings.read_timeout))
        .timeout_send_body(Some(settings.read_timeout))
        .timeout_recv_response(Some(settings.read_timeout))
        .timeout_recv_body(Some(settings.read_timeout))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build()
}

impl HttpClient for Agent {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let proxy = self.proxies.for_uri(&request.uri);
        // ureq resolves hosts on a new thread, and panics if none can be created.
        let sent = catch_unwind(AssertUnwindSafe(|| self.exchange(request, proxy)));
        match sent {
            Ok(sent) => sent.map_err(|error| {
                self.resolver.clear();
                self.transport_error(request, proxy, &error)
            }),
            Err(panic) => match panic.downcast_ref::<String>() {
                Some(text) if text.starts_with("failed to spawn thread") => Err(TransportError {
                    kind: TransportErrorKind::Exhausted,
                    message: format!(
                        "{}: no thread available to resolve the host",
                        host_of(&request.uri)
                    ),
                }),
                _ => resume_unwind(panic),
            },
        }
    }
}

impl Agent {
    fn transport_error(
        &self,
        request: &Request,
        proxy: Option<&Proxy>,
        error: &Error,
    ) -> TransportError {
        let kind = kind_of(error);
        let host = host_of(&request.uri);
        let target = match proxy {
            Some(proxy) => format!("{host} through the proxy {proxy}"),
            None => host.to_owned(),
        };
        let message = match kind {
            TransportErrorKind::Tls => format!(
                "{target}: {} (trusting {}; use --ca-bundle or AWS_CA_BUNDLE to trust another CA)",
                describe(error),
                self.trust_source
            ),
            _ => format!("{target}: {}", describe(error)),
        };
        TransportError { kind, message }
    }
}

fn read(mut response: UreqResponse<ureq::Body>) -> Result<Response, Error> {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let status = response.status().as_u16();
    let body = response.body_mut();
    // Allocated once: a growing buffer would use twice the memory.
    let length = body.content_length().unwrap_or_default().min(MAX_BODY);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let mut reader = body.with_config().limit(MAX_BODY).reader();
    reader.read_to_end(&mut bytes)?;
    Ok(Response {
        status,
        headers,
        body: bytes,
    })
}

fn root_certs(name: &str, pem: &[u8]) -> io::Result<RootCerts> {
    let invalid =
        |reason: String| io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {reason}"));
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(e) => return Err(invalid(format!("not a PEM file: {e}"))),
        }
    }
    if certificates.is_empty() {
        return Err(invalid("contains no certificate".to_owned()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

fn ureq_proxy(proxy: &Proxy) -> Result<ureq::Proxy, Error> {
    let protocol = if proxy.tls {
        ProxyProtocol::Https
    } else {
        ProxyProtocol::Http
    };
    let mut builder = ureq::Proxy::builder(protocol)
        .host(&proxy.host)
        .port(proxy.port);
    if let Some((user, password)) = &proxy.credentials {
        builder = builder.username(user).password(password);
    }
    builder.build()
}

/// Returns the status of a proxy that refused to open a tunnel. ureq has it only in the error text.
fn proxy_status(error: &Error) -> Option<u16> {
    let Error::ConnectProxyFailed(reason) = error else {
        return None;
    };
    let status = reason.strip_prefix("proxy server responded ")?;
    status.split('/').next()?.parse().ok()
}

/// Returns the text of a transport error for messages.
fn describe(error: &Error) -> String {
    match (proxy_status(error), error) {
        (Some(407), _) => "proxy authentication required or rejected (HTTP 407)".to_owned(),
        (Some(status), _) => format!("the proxy refused to connect (HTTP {status})"),
        (_, Error::Timeout(which)) => match which {
            Timeout::Resolve => "timed out resolving the host name",
            Timeout::Connect => "timed out connecting",
            Timeout::SendRequest | Timeout::SendBody => "timed out sending the request",
            Timeout::RecvResponse => "timed out waiting for a response",
            Timeout::RecvBody => "timed out reading the response",
            _ => "the call exceeded its time limit",
        }
        .to_owned(),
        (_, Error::Io(e)) => e.to_string(),
        _ => error.to_string(),
    }
}

/// Returns the kind of a transport error.
fn kind_of(error: &Error) -> TransportErrorKind {
    match error {
        Error::ConnectProxyFailed(_) if matches!(proxy_status(error), Some(400..500)) => {
            TransportErrorKind::Proxy
        }
        // Errors of rustls are wrapped in InvalidData.
        Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => TransportErrorKind::Tls,
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => TransportErrorKind::Dns,
        // The standard library has no error kind for a failed lookup, only this text.
        Error::Io(e) if e.to_string().starts_with("failed to lookup address") => {
            TransportErrorKind::Dns
        }
        Error::Timeout(_) => TransportErrorKind::Timeout,
        Error::Io(e) if e.kind() == io::ErrorKind::TimedOut => TransportErrorKind::Timeout,
        Error::Io(e) if matches!(e.raw_os_error(), Some(EMFILE | ENFILE)) => {
            TransportErrorKind::Exhausted
        }
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) => TransportErrorKind::Tls,
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) => TransportErrorKind::TooLarge,
        // The error type is not public.
        Error::Protocol(e) if e.to_string().ends_with("too many headers") => {
            TransportErrorKind::TooLarge
        }
        _ => TransportErrorKind::Connection,
    }
}

/// Returns the host of a URI, with its port.
fn host_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// Caches the addresses that the system resolver returns, until the cache is cleared.
///
/// ureq resolves the host before every request, even if a connection is open, each time on a new
/// thread.
#[derive(Debug, Clone)]
struct CachingResolver {
    system: Arc<dyn Resolver>,
    lookups: Arc<Mutex<HashMap<String, PendingLookup>>>,
}

/// One lookup by the system; threads that need the same host wait for it.
type PendingLookup = Arc<OnceLock<Result<ResolvedSocketAddrs, Error>>>;

impl CachingResolver {
    fn new(system: impl Resolver) -> Self {
        Self {
            system: Arc::new(system),
            lookups: Arc::default(),
        }
    }

    /// Clears the cache, because the address of an unreachable host may have changed.
    fn clear(&self) {
        self.lookups().clear();
    }

    fn lookups(&self) -> MutexGuard<'_, HashMap<String, PendingLookup>> {
        self.lookups.lock().unwrap_or_else(PoisonError::into_inner)
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
        let lookup = self.lookups().entry(host.clone()).or_default().clone();
        match lookup.get_or_init(resolve) {
            Ok(addresses) => Ok(addresses.clone()),
            Err(error) => {
                // A failure is shared only with the threads that waited for it.
                let mut lookups = self.lookups();
                if lookups
                    .get(&host)
                    .is_some_and(|now| Arc::ptr_eq(now, &lookup))
                {
                    lookups.remove(&host);
                }
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

    use super::*;

    fn settings(pem: &str) -> Settings {
        Settings {
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
            exchange_limit: Duration::from_mins(2),
            ca_bundle: Some(("bundle.pem".to_owned(), pem.as_bytes().to_vec())),
            proxies: Proxies::default(),
            user_agent: "test".to_owned(),
        }
    }

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
        let (resolver, config) = (
            CachingResolver::new(fake.clone()),
            network(&settings(""), RootCerts::WebPki, None),
        );
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

    #[test]
    fn bundle_without_certificate_is_rejected() {
        for (pem, expected) in [
            ("", "contains no certificate"),
            ("hello", "contains no certificate"),
            (
                "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
                "not a PEM file",
            ),
        ] {
            let error = Agent::new(&settings(pem), &Interrupt::default())
                .err()
                .unwrap();
            let text = error.to_string();
            assert!(
                text.starts_with("bundle.pem: ") && text.contains(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn ureq_proxy_has_the_configured_parts() {
        let own = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        for (tls, host, credentials) in [
            (false, "proxy.example", None),
            (true, "proxy_1.example", Some(("DOM\\u@x", "p:/% +é#?"))),
            (false, "[::1]", Some(("", "p"))),
            (false, "10.0.0.1", Some(("u", ""))),
        ] {
            let proxy = Proxy {
                variable: "HTTPS_PROXY",
                tls,
                host: host.to_owned(),
                port: 3128,
                credentials: credentials.map(own),
            };
            let built = ureq_proxy(&proxy).unwrap();
            assert_eq!((built.host(), built.port()), (host, 3128));
            assert_eq!(built.protocol() == ProxyProtocol::Https, tls);
            let user = built.username().zip(built.password());
            assert_eq!(user, credentials, "{host}");
            assert_eq!(
                built,
                ureq_proxy(&proxy).unwrap(),
                "equal, so that connections are shared"
            );
        }
    }

    #[test]
    fn proxy_refusal_differs_from_transient_proxy_errors() {
        let failed = |why: &str| Error::ConnectProxyFailed(why.to_owned());
        for (why, kind, text) in [
            (
                "proxy server responded 407/407",
                TransportErrorKind::Proxy,
                "(HTTP 407)",
            ),
            (
                "proxy server responded 403/403",
                TransportErrorKind::Proxy,
                "(HTTP 403)",
            ),
            (
                "proxy server responded 502/502",
                TransportErrorKind::Connection,
                "(HTTP 502)",
            ),
            (
                "proxy server did not respond",
                TransportErrorKind::Connection,
                "did not respond",
            ),
        ] {
            let error = failed(why);
            assert_eq!(kind_of(&error), kind, "{why}");
            assert!(describe(&error).contains(text), "{why}");
        }
    }

    #[test]
    fn errors_are_described_in_words() {
        let io = |text: &str| Error::Io(io::Error::other(text.to_owned()));
        for (error, text) in [
            (io("connection reset"), "connection reset"),
            (Error::Timeout(Timeout::Connect), "timed out connecting"),
            (
                Error::Timeout(Timeout::RecvResponse),
                "timed out waiting for a response",
            ),
            (
                Error::Timeout(Timeout::RecvBody),
                "timed out reading the response",
            ),
            (
                Error::Timeout(Timeout::Global),
                "the call exceeded its time limit",
            ),
            (Error::HostNotFound, "host not found"),
        ] {
            assert_eq!(describe(&error), text);
        }
    }

    #[test]
    fn host_of_uri_excludes_path() {
        assert_eq!(host_of("https://a.example:8443/x?y"), "a.example:8443");
        assert_eq!(host_of("nonsense"), "nonsense");
    }
}
