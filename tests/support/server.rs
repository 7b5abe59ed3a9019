//! The HTTP server: accepts connections, calls its handler, and sends the replies.
//!
//! One thread accepts connections and starts a thread for each of them. [`Server::ready_for`] adds
//! threads that accept one connection at a time and serve it themselves.
//!
//! The thread of a connection reads a request, records it in the request log, calls the handler,
//! waits until the latency or the reply's delay has passed, and sends the reply. The handler may
//! block, for example until other requests have arrived. The thread ends when the client closes, or
//! after a reply that closes the connection.
//!
//! Dropping the server ends the waits for delays, wakes and ends the accepting threads, and shuts
//! every connection down. It does not wait for the threads of the connections, because their
//! handler may be waiting for the test that is ending.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustls::{ServerConfig, ServerConnection};

use super::call::Call;
use super::connection::{Connection, KeepAlive};
use super::reply::{Action, FollowUp, Reply};
use super::request_log::RequestLog;
use super::tls::Certificate;

/// A server on a free port of the loopback interface; it stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
    listener: Arc<TcpListener>,
    acceptor: Option<JoinHandle<()>>,
    ready: usize,
}

struct Shared {
    handler: Box<dyn Fn(&Call) -> Reply + Send + Sync>,
    /// The minimum time of every reply.
    latency: Duration,
    tls: Option<Arc<ServerConfig>>,
    request_log: RequestLog,
    /// A second handle of every open connection, to shut it down when the server stops.
    sockets: Mutex<HashMap<usize, TcpStream>>,
    /// The maximum number of sockets that were open at the same time.
    max_open: AtomicUsize,
    stopping: AtomicBool,
}

impl Server {
    /// Starts a server that replies with the results of `handler`.
    pub fn new(handler: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Duration::ZERO, None, Box::new(handler))
    }

    /// Starts a server whose replies each take at least `latency`.
    pub fn with_latency(
        latency: Duration,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(latency, None, Box::new(handler))
    }

    /// Starts a server over TLS with `certificate`.
    pub fn with_tls(
        certificate: &Certificate,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(
            Duration::ZERO,
            Some(certificate.server_config()),
            Box::new(handler),
        )
    }

    fn start(
        latency: Duration,
        tls: Option<Arc<ServerConfig>>,
        handler: Box<dyn Fn(&Call) -> Reply + Send + Sync>,
    ) -> Self {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            handler,
            latency,
            tls,
            request_log: RequestLog::default(),
            sockets: Mutex::default(),
            max_open: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
        });
        let (acceptor_listener, acceptor_shared) = (listener.clone(), shared.clone());
        let acceptor = thread::spawn(move || {
            accept(
                &acceptor_listener,
                &acceptor_shared,
                count_open,
                |connection| {
                    thread::spawn(connection);
                },
            );
        });
        Self {
            address,
            scheme,
            shared,
            listener,
            acceptor: Some(acceptor),
            ready: 0,
        }
    }

    /// Starts an accepting thread for each of `connections`, for a client that opens all of them at
    /// once.
    ///
    /// Only 128 connections can wait in the queue of the socket; the system delays the next by a
    /// second. Their sockets are not counted by [`Server::max_open`]: looking at all others for each one takes 12 ms of
    /// a benchmark with 220.
    pub fn ready_for(mut self, connections: usize) -> Self {
        self.ready += connections;
        for _ in 0..connections {
            let (listener, shared) = (self.listener.clone(), self.shared.clone());
            thread::spawn(move || accept(&listener, &shared, |_| {}, |connection| connection()));
        }
        self
    }

    /// Returns the URL, for `--endpoint-url`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Returns host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns the requests so far, in order of arrival.
    pub fn calls(&self) -> Vec<Arc<Call>> {
        self.shared.request_log.calls()
    }

    /// Returns the number of requests so far that match `condition`.
    pub fn count(&self, condition: impl Fn(&Call) -> bool) -> usize {
        self.calls().iter().filter(|call| condition(call)).count()
    }

    /// Waits for a request that matches `condition`; fails the test after 30 seconds.
    pub fn wait_for(&self, condition: impl Fn(&Call) -> bool) {
        let has_arrived = |calls: &[Arc<Call>]| calls.iter().any(|call| condition(call));
        self.shared.request_log.wait_until(has_arrived);
    }

    /// Returns the number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.request_log.connections()
    }

    /// Returns the maximum number of connections that were open at the same time.
    pub fn max_open(&self) -> usize {
        self.shared.max_open.load(Ordering::SeqCst)
    }

    /// Returns the number of connections that resumed a TLS session.
    pub fn sessions_resumed(&self) -> usize {
        self.shared.request_log.sessions_resumed()
    }

    /// Returns the maximum number of concurrent requests.
    pub fn max_in_flight(&self) -> usize {
        self.shared.request_log.max_in_flight()
    }
}

impl Drop for Server {
    /// Stops accepting and shuts every connection down, without waiting for the connections'
    /// threads.
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.request_log.stop();
        for _ in 0..=self.ready {
            // Wakes one of the accepting threads.
            let _ = TcpStream::connect(self.address);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        for socket in self.shared.sockets().values() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Accepts connections until the server stops; `run` serves each of them.
fn accept(
    listener: &TcpListener,
    shared: &Arc<Shared>,
    count: fn(&Shared),
    run: fn(Box<dyn FnOnce() + Send>),
) {
    for socket in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(socket) = socket else { continue };
        let number = shared.request_log.connected();
        if let Ok(second) = socket.try_clone() {
            shared.sockets().insert(number, second);
            count(shared);
        }
        let shared = shared.clone();
        run(Box::new(move || {
            // An error means that the client has closed, which is not a fault of the server.
            let connection = shared.serve(number, socket);
            // Drop the second handle first: the reset happens when the last one is closed.
            shared.sockets().remove(&number);
            drop(connection);
        }));
    }
}

/// Counts the open sockets.
fn count_open(shared: &Shared) {
    let sockets = shared.sockets();
    let open = sockets.values().filter(|socket| is_open(socket)).count();
    shared.max_open.fetch_max(open, Ordering::SeqCst);
}

/// Returns true if the client has not closed the socket. The server may not have noticed yet that it has.
fn is_open(socket: &TcpStream) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match rustix::net::recv(socket, &mut [0], flags) {
        Ok((_, length)) => length > 0,
        Err(error) => error == Errno::WOULDBLOCK,
    }
}

impl Shared {
    fn sockets(&self) -> std::sync::MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a connection to its end and returns it, to be closed by the caller.
    fn serve(&self, number: usize, socket: TcpStream) -> io::Result<Connection> {
        socket.set_nodelay(true)?;
        let mut connection = match &self.tls {
            None => Connection::plain(socket),
            Some(config) => {
                let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
                Connection::tls(session, socket)
            }
        };
        let mut next = connection.read_request();
        self.request_log.opened();
        if connection.is_resumed() {
            self.request_log.resumed();
        }
        while let Some(request) = next? {
            let Some(call) = Call::parse(&request, number) else {
                break;
            };
            let call = self.request_log.begin(call);
            let after = self.reply(&call, &mut connection);
            self.request_log.end();
            if after? == KeepAlive::Close {
                break;
            }
            next = connection.read_request();
        }
        Ok(connection)
    }

    fn reply(&self, call: &Call, connection: &mut Connection) -> io::Result<KeepAlive> {
        let Reply { delay, action } = (self.handler)(call);
        let remaining = delay
            .max(self.latency)
            .saturating_sub(call.arrived.elapsed());
        if !remaining.is_zero() {
            self.request_log.pause(remaining);
        }
        // Closing a connection with an unread byte resets it.
        if !matches!(action, Action::Bytes(_, FollowUp::Reset)) {
            connection.consume_last()?;
        }
        let after = match action {
            Action::Response(response) => connection.deliver(&response, &call.request_id())?,
            Action::Bytes(bytes, then) => {
                connection.write(&bytes)?;
                match then {
                    FollowUp::Keep => KeepAlive::Keep,
                    FollowUp::Close => KeepAlive::Close,
                    FollowUp::Reset => return Ok(KeepAlive::Close),
                    FollowUp::Stall => {
                        connection.wait_for_end();
                        KeepAlive::Close
                    }
                    FollowUp::Flood(bytes, times) => {
                        for _ in 0..times {
                            connection.write(&bytes)?;
                        }
                        KeepAlive::Close
                    }
                    FollowUp::Drip(bytes) => {
                        for byte in bytes {
                            connection.write(&[byte])?;
                            self.request_log.pause(Duration::from_secs(1));
                        }
                        KeepAlive::Close
                    }
                }
            }
        };
        if after == KeepAlive::Close {
            connection.close_notify();
        }
        Ok(after)
    }
}
