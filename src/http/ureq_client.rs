//! The HTTP client of the network, built on ureq: no redirects, any status is a response, size and
//! time are limited.
//!
//! - [`UreqClient::send`] runs on the caller's thread and blocks until the response is read or a
//!   time-out ends. Any number of threads send concurrently through one client.
//! - [`Connections`] limits the open connections.
//! - ureq resolves host names on a thread of its own. [`CachingResolver`] shares the result:
//!   threads that need the same host wait for one lookup. After any transport error all hosts are
//!   looked up again.
//! - An interrupt shuts all connections down, which ends their requests with an error.
//! - If a request finds no free file descriptor, the idle connections are closed for its retry.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use ureq::unversioned::resolver::DefaultResolver;

use super::client::HttpClient;
use super::connections::Connections;
use super::proxy::{Proxies, Proxy};
use super::request::Request;
use super::resolver::CachingResolver;
use super::response::{MAX_BODY, Response};
use super::settings::{InvalidSettings, Routes, Settings, SharedConnector};
use super::transport_error::{TransportError, TransportErrorKind};
use crate::interrupt::Interrupt;

/// Sends requests over the network.
pub struct UreqClient {
    routes: Routes,
    proxies: Proxies,
    /// The trusted CA certificates and the advice on others, for messages.
    trust: String,
    connector: SharedConnector,
    resolver: CachingResolver,
    connections: Arc<Connections>,
}

impl UreqClient {
    /// Creates a client; `interrupt` ends its open requests.
    ///
    /// # Errors
    /// The CA bundle has no usable certificate, or a proxy is invalid.
    pub fn new(settings: &Settings, interrupt: &Interrupt) -> Result<Self, InvalidSettings> {
        let connections = Arc::new(Connections::new(settings.max_connections));
        let to_shut_down = connections.clone();
        interrupt.on_signal(move || to_shut_down.shut_down());
        let bundle = settings.ca_bundle.as_ref();
        let roots = bundle.map_or("the built-in Mozilla roots", |b| &b.name);
        Ok(Self {
            routes: Routes::new(settings)?,
            proxies: settings.proxies.clone(),
            trust: format!("trusting {roots}; {}", settings.ca_advice),
            connector: SharedConnector::new(settings, &connections, interrupt)?,
            resolver: CachingResolver::new(DefaultResolver::default()),
            connections,
        })
    }

    /// Creates the agent of a new connection.
    fn open(&self, proxy: Option<&Proxy>) -> ureq::Agent {
        let config = self.routes.config(proxy).clone();
        ureq::Agent::with_parts(config, self.connector.clone(), self.resolver.clone())
    }

    /// Sends a request within its budget.
    fn exchange(&self, request: &Request, proxy: Option<&Proxy>) -> Result<Response, ureq::Error> {
        let mut builder = ureq::http::Request::builder().uri(&request.uri);
        builder = builder.method(request.method);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let built = builder.body(request.body.as_slice())?;
        let agent = self.connections.take(request.origin(), || self.open(proxy));
        let timed = agent.configure_request(built);
        read(agent.run(timed.timeout_global(Some(request.budget)).build())?)
    }
}

impl HttpClient for UreqClient {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let proxy = self.proxies.for_uri(&request.uri);
        // ureq resolves hosts on a new thread, and panics if none can be created.
        match catch_unwind(AssertUnwindSafe(|| self.exchange(request, proxy))) {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                let mut target = request.host();
                if let Some(proxy) = proxy {
                    target = format!("{target} through the proxy {proxy}");
                }
                let error = TransportError::from_ureq(&error, &target, &self.trust);
                self.resolver.clear();
                if error.kind == TransportErrorKind::Exhausted {
                    self.connections.close_idle();
                }
                Err(error)
            }
            Err(panic) => match panic.downcast_ref::<String>() {
                Some(text) if text.starts_with("failed to spawn thread") => Err(TransportError {
                    kind: TransportErrorKind::Exhausted,
                    message: format!(
                        "{}: no thread available to resolve the host",
                        request.host()
                    ),
                }),
                _ => resume_unwind(panic),
            },
        }
    }
}

fn read(response: ureq::http::Response<ureq::Body>) -> Result<Response, ureq::Error> {
    let (parts, mut body) = response.into_parts();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value.as_bytes())));
    // Allocated once: a growing buffer would use twice the memory.
    let length = body.content_length().unwrap_or_default().min(MAX_BODY);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let mut reader = body.with_config().limit(MAX_BODY).reader();
    reader.read_to_end(&mut bytes)?;
    Ok(Response {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: bytes,
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// The maximum number of connections in these tests.
    const MAX: usize = 4;

    /// The number of sockets that all servers of a test have open.
    type OpenSockets = Arc<AtomicUsize>;

    /// Starts a server on a port of its own and returns its origin. Each response contains the
    /// number of open sockets, once it is at most [`MAX`]: the server may notice late that the
    /// client closed a socket.
    fn serve(open: &OpenSockets) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let open = open.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                open.fetch_add(1, Ordering::SeqCst);
                let open = open.clone();
                thread::spawn(move || {
                    respond(&stream, &open);
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        origin
    }

    fn respond(mut stream: &TcpStream, open: &OpenSockets) {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if !line.is_empty() {
                continue;
            }
            let start = Instant::now();
            let count = loop {
                let count = open.load(Ordering::SeqCst);
                if count <= MAX || start.elapsed() >= Duration::from_secs(10) {
                    break count;
                }
                thread::sleep(Duration::from_millis(1));
            };
            let body = count.to_string();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    }

    fn client(interrupt: &Interrupt) -> UreqClient {
        let settings = Settings {
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
            ca_bundle: None,
            ca_advice: "add the CA",
            proxies: Proxies::default(),
            user_agent: "test".to_owned(),
            max_connections: MAX,
        };
        UreqClient::new(&settings, interrupt).unwrap()
    }

    fn get(origin: &str) -> Request {
        Request {
            method: "GET",
            uri: format!("{origin}/"),
            headers: Vec::new(),
            body: Vec::new(),
            scope: None,
            budget: Duration::from_mins(2),
            private: crate::http::Private::default(),
        }
    }

    /// Sends a request; returns the number of sockets that are open meanwhile.
    fn open_during_request(client: &UreqClient, origin: &str) -> usize {
        let response = client.send(&get(origin)).unwrap();
        String::from_utf8(response.body).unwrap().parse().unwrap()
    }

    #[test]
    fn open_sockets_stay_below_the_maximum() {
        let open = OpenSockets::default();
        let origins: Vec<_> = (0..3 * MAX).map(|_| serve(&open)).collect();
        let client = client(&Interrupt::default());
        for (n, origin) in origins.iter().enumerate() {
            let expected = MAX.min(n + 1);
            assert_eq!(open_during_request(&client, origin), expected);
            assert_eq!(open_during_request(&client, origin), expected, "reused");
        }
        thread::scope(|scope| {
            for n in 0..3 * MAX {
                let (client, origins) = (&client, &origins);
                scope.spawn(move || {
                    for origin in origins.iter().cycle().skip(n).take(50) {
                        assert!(open_during_request(client, origin) <= MAX);
                    }
                });
            }
        });
    }

    #[test]
    fn requests_fail_after_an_interrupt() {
        let open = OpenSockets::default();
        let (known, new) = (serve(&open), serve(&open));
        let interrupt = Interrupt::default();
        let client = client(&interrupt);
        open_during_request(&client, &known);
        interrupt.raise(2);
        for origin in [known, new] {
            let error = client.send(&get(&origin)).unwrap_err();
            assert_eq!(error.kind, TransportErrorKind::Connection);
            assert!(error.message.ends_with("Agent is shut down"), "{error}");
        }
    }

    #[test]
    fn response_to_no_request_is_not_used() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (idle, is_idle) = std::sync::mpsc::channel();
        let (sent, is_sent) = std::sync::mpsc::channel();
        let server = thread::spawn(move || {
            let respond = |mut stream: &TcpStream, body: &str| {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                stream
                    .write_all(format!("{head}{body}").as_bytes())
                    .unwrap();
            };
            let read = |stream: &TcpStream| {
                let lines = BufReader::new(stream).lines().map_while(Result::ok);
                lines.take_while(|line| !line.is_empty()).count()
            };
            let (first, _) = listener.accept().unwrap();
            read(&first);
            respond(&first, "first");
            is_idle.recv().unwrap();
            respond(&first, "sent before the request");
            sent.send(()).unwrap();
            let (second, _) = listener.accept().unwrap();
            read(&second);
            respond(&second, "second");
        });
        let client = client(&Interrupt::default());
        assert_eq!(client.send(&get(&origin)).unwrap().body, b"first");
        idle.send(()).unwrap();
        is_sent.recv().unwrap();
        assert_eq!(client.send(&get(&origin)).unwrap().body, b"second");
        server.join().unwrap();
    }
}
