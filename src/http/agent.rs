//! The network, through ureq: redirects off, every status an answer, bounded in size and time.

use std::collections::HashMap;
use std::io::{self, Read};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{Response as UreqResponse, Uri};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Error, ProxyProtocol, Timeout};

use super::ledger::{Asker, Ledger, Place};
use super::proxy::{Proxies, Proxy};
use super::{HttpSend, MAX_BODY, Request, Response, TransportError, TransportErrorKind};
use crate::interrupt::Interrupt;

/// How the network is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time to connect, TLS included; also the time to resolve the host. Default 5 s.
    pub connect_timeout: Duration,
    /// Time without an answer after which an attempt is given up. Default 30 s.
    pub read_timeout: Duration,
    /// The longest budget of an exchange.
    pub exchange_limit: Duration,
    /// The certificates to trust instead of Mozilla's, as PEM, and the file that they came from.
    pub ca_bundle: Option<(String, Vec<u8>)>,
    /// The proxies to go through.
    pub proxies: Proxies,
    /// Sent with every request.
    pub user_agent: String,
}

/// A budget that is shorter than the longest one by no more than this is taken for it.
const SLACK: Duration = Duration::from_secs(1);

/// "Too many open files" in this process and in the system, on Linux and on macOS.
const EMFILE: i32 = 24;
const ENFILE: i32 = 23;

/// What is read at one time, in bytes.
const INPUT_BUFFER: usize = 16 * 1024;

/// The largest head of a response, in bytes; those of AWS have some five hundred.
///
/// It has to be smaller than the buffer: a head that fills that looks like a connection that broke
/// off, which would be tried again.
const MAX_HEAD: usize = 8 * 1024;

/// Sends over the network.
pub struct Agent {
    direct: Way,
    proxied: Vec<(Proxy, Way)>,
    proxies: Proxies,
    exchange_limit: Duration,
    trust: String,
    names: Names,
    interrupt: Interrupt,
}

/// Straight to the hosts, or through one proxy.
///
/// ureq keeps the TLS settings of an agent, and with them the sessions that a later connection
/// resumes; a request with settings of its own only uses what is kept. It looks for a connection among
/// all that an agent has, and counts those of each host, with every request: so each host has an agent.
struct Way {
    config: Config,
    hosts: RwLock<HashMap<String, Host>>,
}

/// One host.
#[derive(Clone)]
struct Host {
    agent: ureq::Agent,
    ledger: Ledger,
}

impl Agent {
    /// An agent that `interrupt` shuts down.
    ///
    /// # Errors
    /// The CA bundle holds no certificate, or one that cannot be read; a proxy is none.
    pub fn new(settings: &Settings, interrupt: &Interrupt) -> io::Result<Self> {
        let (roots, trust) = match &settings.ca_bundle {
            None => (RootCerts::WebPki, "the built-in Mozilla roots".to_owned()),
            Some((name, pem)) => (root_certs(name, pem)?, name.clone()),
        };
        let way = |proxy: Option<ureq::Proxy>| Way {
            config: network(settings, roots.clone(), proxy),
            hosts: RwLock::default(),
        };
        let proxied = settings.proxies.iter().map(|proxy| {
            let bad = |e| io::Error::new(io::ErrorKind::InvalidInput, format!("{proxy}: {e}"));
            Ok((proxy.clone(), way(Some(as_ureq(proxy).map_err(bad)?))))
        });
        Ok(Self {
            proxied: proxied.collect::<io::Result<_>>()?,
            direct: way(None),
            proxies: settings.proxies.clone(),
            exchange_limit: settings.exchange_limit,
            trust,
            names: Names::new(DefaultResolver::default()),
            interrupt: interrupt.clone(),
        })
    }

    /// What is known of a host; an interrupt shuts its agent down.
    fn host(&self, way: &Way, host: &str) -> Host {
        let hosts = way.hosts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = hosts.get(host) {
            return known.clone();
        }
        drop(hosts);
        let new = || {
            let keeping = Keeping {
                ledger: Ledger::default(),
                proxied: way.config.proxy().is_some(),
            };
            let ledger = keeping.ledger.clone();
            let connector = DefaultConnector::default().chain(keeping);
            let config = way.config.clone();
            let agent = ureq::Agent::with_parts(config, connector, self.names.clone());
            let shut = agent.clone();
            self.interrupt.on_raise(move || shut.clone().shutdown());
            Host { agent, ledger }
        };
        let mut hosts = way.hosts.write().unwrap_or_else(PoisonError::into_inner);
        hosts.entry(host.to_owned()).or_insert_with(new).clone()
    }

    fn way(&self, proxy: Option<&Proxy>) -> &Way {
        let own = self.proxied.iter().find(|(p, _)| Some(p) == proxy);
        own.map_or(&self.direct, |(_, way)| way)
    }

    /// Sends by the settings of the agent where they will do.
    fn exchange(&self, request: &Request, proxy: Option<&Proxy>) -> Result<Response, Error> {
        let mut builder = ureq::http::Request::builder()
            .method(request.method)
            .uri(&request.uri);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let built = builder.body(request.body.as_slice())?;
        let host = self.host(self.way(proxy), host_of(&request.uri));
        let network = host.agent;
        let answer = if request.budget + SLACK >= self.exchange_limit {
            network.run(built)?
        } else {
            let timed = network.configure_request(built);
            network.run(timed.timeout_global(Some(request.budget)).build())?
        };
        read(answer)
    }
}

fn network(settings: &Settings, roots: RootCerts, proxy: Option<ureq::Proxy>) -> Config {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // Never ureq's own reading of the environment, which is not the AWS CLI's.
        .proxy(proxy)
        .user_agent(&settings.user_agent)
        // One connection per request in flight, kept for the next one.
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

impl HttpSend for Agent {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let proxy = self.proxies.for_uri(&request.uri);
        // ureq looks hosts up on a thread, and panics where it gets none.
        let sent = catch_unwind(AssertUnwindSafe(|| self.exchange(request, proxy)));
        match sent {
            Ok(sent) => sent.map_err(|error| {
                self.names.forget();
                self.transport_error(request, proxy, &error)
            }),
            Err(panic) => match panic.downcast_ref::<String>() {
                Some(text) if text.starts_with("failed to spawn thread") => Err(TransportError {
                    kind: TransportErrorKind::Exhausted,
                    message: format!("{}: no thread to look the host up", host_of(&request.uri)),
                }),
                _ => resume_unwind(panic),
            },
        }
    }

    fn askers(&self, uri: &str, count: usize) -> Vec<Asker> {
        let way = self.way(self.proxies.for_uri(uri));
        self.host(way, host_of(uri)).ledger.askers(count)
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
        let way = match proxy {
            Some(proxy) => format!("{host} through the proxy {proxy}"),
            None => host.to_owned(),
        };
        let message = match kind {
            TransportErrorKind::Tls => format!(
                "{way}: {} (trusting {}; --ca-bundle or AWS_CA_BUNDLE names another bundle)",
                told(error),
                self.trust
            ),
            _ => format!("{way}: {}", told(error)),
        };
        TransportError { kind, message }
    }
}

fn read(mut answer: UreqResponse<ureq::Body>) -> Result<Response, Error> {
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    let status = answer.status().as_u16();
    let body = answer.body_mut();
    // In one piece: a buffer that grows with what comes touches twice the memory.
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
    let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {why}"));
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(e) => return Err(bad(format!("not a PEM file: {e}"))),
        }
    }
    if certificates.is_empty() {
        return Err(bad("holds no certificate".to_owned()));
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

fn as_ureq(proxy: &Proxy) -> Result<ureq::Proxy, Error> {
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

/// The status with which a proxy refused to open a tunnel, which ureq has in a text alone.
fn refused_with(error: &Error) -> Option<u16> {
    let Error::ConnectProxyFailed(why) = error else {
        return None;
    };
    let status = why.strip_prefix("proxy server responded ")?;
    status.split('/').next()?.parse().ok()
}

fn told(error: &Error) -> String {
    match (refused_with(error), error) {
        (Some(407), _) => "it wants a user and a password, or refuses them (HTTP 407)".to_owned(),
        (Some(status), _) => format!("it refuses to connect (HTTP {status})"),
        (_, Error::Timeout(which)) => match which {
            Timeout::Resolve => "the name server did not answer in time",
            Timeout::Connect => "no connection in time",
            Timeout::SendRequest | Timeout::SendBody => "the request was not taken in time",
            Timeout::RecvResponse => "no answer in time",
            Timeout::RecvBody => "the answer did not end in time",
            _ => "the time that a call may take was over",
        }
        .to_owned(),
        (_, Error::Io(e)) => e.to_string(),
        _ => error.to_string(),
    }
}

fn kind_of(error: &Error) -> TransportErrorKind {
    match error {
        Error::ConnectProxyFailed(_) if matches!(refused_with(error), Some(400..500)) => {
            TransportErrorKind::Proxy
        }
        // rustls's errors come wrapped in InvalidData.
        Error::Io(e) if e.kind() == io::ErrorKind::InvalidData => TransportErrorKind::Tls,
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => TransportErrorKind::Dns,
        // The standard library gives a failed look-up no kind of its own, only this text.
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
        // Its own type cannot be named here.
        Error::Protocol(e) if e.to_string().ends_with("too many headers") => {
            TransportErrorKind::TooLarge
        }
        _ => TransportErrorKind::Connection,
    }
}

fn host_of(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// Enters the connections that the connector before it makes in a ledger.
#[derive(Debug)]
struct Keeping {
    ledger: Ledger,
    /// Whether they go through a proxy. The one to the proxy itself is made by the same connectors and
    /// comes inside the other.
    proxied: bool,
}

impl<In: Transport> Connector<In> for Keeping {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let to_the_proxy = self.proxied && details.config.proxy().is_none();
        let connection = chained.map(Transport::boxed);
        if to_the_proxy {
            return Ok(connection);
        }
        let kept = |connection| Kept {
            connection,
            place: self.ledger.open(),
            used: false,
        };
        Ok(connection.map(kept).map(Transport::boxed))
    }
}

/// A connection that says that it is not open once nobody will miss it.
#[derive(Debug)]
struct Kept {
    connection: Box<dyn Transport>,
    place: Place,
    /// Whether a request was sent since it was last asked whether it is open: ureq asks before it keeps
    /// a connection, and again before it takes one for a request, which nobody may give up.
    used: bool,
}

impl Transport for Kept {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.used = true;
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.connection.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        let to_be_kept = mem::take(&mut self.used);
        !(to_be_kept && self.place.is_left()) && self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

/// Keeps what the system's resolver says, for all who ask for the same host, until it is forgotten.
///
/// ureq asks before every request, also where a connection is open, and each time on a new thread.
#[derive(Debug, Clone)]
struct Names {
    system: Arc<dyn Resolver>,
    known: Arc<Mutex<HashMap<String, LookUp>>>,
}

/// One question to the system; those that ask meanwhile wait for the same answer.
type LookUp = Arc<OnceLock<Result<ResolvedSocketAddrs, Error>>>;

impl Names {
    fn new(system: impl Resolver) -> Self {
        Self {
            system: Arc::new(system),
            known: Arc::default(),
        }
    }

    /// Has every host looked up again: a host that cannot be reached may have moved.
    fn forget(&self) {
        self.known().clear();
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, LookUp>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let look_up = || self.system.resolve(uri, config, timeout);
        let host = uri.scheme().zip(uri.authority());
        let Some(host) = host.and_then(|(s, a)| DefaultResolver::host_and_port(s, a)) else {
            return look_up();
        };
        let asked = self.known().entry(host.clone()).or_default().clone();
        match asked.get_or_init(look_up) {
            Ok(addresses) => Ok(addresses.clone()),
            Err(error) => {
                // Only those who waited for it share a failure.
                let mut known = self.known();
                if known.get(&host).is_some_and(|now| Arc::ptr_eq(now, &asked)) {
                    known.remove(&host);
                }
                Err(same(error))
            }
        }
    }
}

/// An error of a resolver once more.
fn same(error: &Error) -> Error {
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
    use std::io::Write;
    use std::net::TcpListener;
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

    /// Finds every host but those that begin with `no`, and keeps what it was asked.
    #[derive(Debug, Clone, Default)]
    struct Asked(Arc<Mutex<Vec<String>>>);

    impl Resolver for Asked {
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
                "nobody.example" => Err(Error::Timeout(Timeout::Resolve)),
                "nofile.example" => Err(Error::Io(io::Error::from_raw_os_error(EMFILE))),
                _ => Ok(found),
            }
        }
    }

    #[test]
    fn a_host_is_looked_up_once_and_again_where_something_failed() {
        let asked = Asked::default();
        let (names, config) = (
            Names::new(asked.clone()),
            network(&settings(""), RootCerts::WebPki, None),
        );
        let look_up = |uri: &'static str| {
            names.resolve(&Uri::from_static(uri), &config, NextTimeout::default())
        };
        let questions = || mem::take(&mut *asked.0.lock().unwrap());
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| assert_eq!(look_up("https://a.example/x").unwrap()[..].len(), 1));
            }
        });
        look_up("https://b.example").unwrap();
        look_up("https://a.example:443").unwrap();
        assert_eq!(questions(), ["a.example", "b.example"]);

        names.forget();
        look_up("https://a.example").unwrap();
        assert_eq!(questions(), ["a.example"]);

        for (uri, kind) in [
            ("https://no.example", TransportErrorKind::Dns),
            ("https://nobody.example", TransportErrorKind::Dns),
            ("https://nofile.example", TransportErrorKind::Exhausted),
        ] {
            for _ in 0..2 {
                assert_eq!(kind_of(&look_up(uri).unwrap_err()), kind, "{uri}");
            }
            assert_eq!(questions().len(), 2, "{uri} is not known to be nowhere");
        }
    }

    #[test]
    fn a_bundle_without_a_certificate_is_refused() {
        for (pem, why) in [
            ("", "holds no certificate"),
            ("hello", "holds no certificate"),
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
                text.starts_with("bundle.pem: ") && text.contains(why),
                "{text}"
            );
        }
    }

    #[test]
    fn ureq_gets_the_proxy_as_it_was_read() {
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
            let built = as_ureq(&proxy).unwrap();
            assert_eq!((built.host(), built.port()), (host, 3128));
            assert_eq!(built.protocol() == ProxyProtocol::Https, tls);
            let user = built.username().zip(built.password());
            assert_eq!(user, credentials, "{host}");
            assert_eq!(built, as_ureq(&proxy).unwrap(), "shares connections");
        }
    }

    #[test]
    fn a_proxys_refusal_is_told_from_its_passing_faults() {
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
            assert!(told(&error).contains(text), "{why}");
        }
    }

    #[test]
    fn what_failed_is_told_in_words() {
        let io = |text: &str| Error::Io(io::Error::other(text.to_owned()));
        for (error, text) in [
            (io("connection reset"), "connection reset"),
            (Error::Timeout(Timeout::Connect), "no connection in time"),
            (Error::Timeout(Timeout::RecvResponse), "no answer in time"),
            (
                Error::Timeout(Timeout::RecvBody),
                "the answer did not end in time",
            ),
            (
                Error::Timeout(Timeout::Global),
                "the time that a call may take was over",
            ),
            (Error::HostNotFound, "host not found"),
        ] {
            assert_eq!(told(&error), text);
        }
    }

    #[test]
    fn a_connection_is_closed_once_no_task_may_ask() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/", listener.local_addr().unwrap());
        let settings = Settings {
            ca_bundle: None,
            ..settings("")
        };
        let agent = Agent::new(&settings, &Interrupt::default()).unwrap();
        let request = Request {
            method: "GET",
            uri: uri.clone(),
            headers: Vec::new(),
            body: Vec::new(),
            scope: None,
            budget: Duration::from_secs(30),
        };
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let patience = Some(Duration::from_secs(30));
            socket.set_read_timeout(patience).unwrap();
            for _ in 0..3 {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    assert_eq!(socket.read(&mut byte).unwrap(), 1);
                    head.extend(byte);
                }
                let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                socket.write_all(response).unwrap();
            }
            assert_eq!(socket.read(&mut [0]).unwrap(), 0, "closed");
        });
        agent.send(&request).unwrap();
        let askers = agent.askers(&uri, 1);
        agent.send(&request).unwrap();
        drop(askers);
        // Taken from those that were kept, whether or not any is to be kept after it.
        agent.send(&request).unwrap();
        server.join().unwrap();
    }

    #[test]
    fn a_host_is_told_without_its_path() {
        assert_eq!(host_of("https://a.example:8443/x?y"), "a.example:8443");
        assert_eq!(host_of("nonsense"), "nonsense");
    }
}
