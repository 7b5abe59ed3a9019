//! The server: accepts, asks its handler, replies.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};

use super::call::Call;
use super::connection::{After, Connection};
use super::journal::Journal;
use super::reply::{Action, Reply, Then};
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
    latency: Duration,
    tls: Option<Arc<ServerConfig>>,
    journal: Journal,
    /// A second handle of every open connection, to cut it when the server stops.
    sockets: Mutex<HashMap<usize, TcpStream>>,
    stopping: AtomicBool,
}

impl Server {
    /// A server that answers by `handler`.
    pub fn new(handler: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Duration::ZERO, None, Box::new(handler))
    }

    /// A server whose every reply takes `latency` at least.
    pub fn distant(
        latency: Duration,
        handler: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start(latency, None, Box::new(handler))
    }

    /// A server that shows `certificate` and speaks TLS.
    pub fn tls(
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
            journal: Journal::default(),
            sockets: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let (for_acceptor, its_shared) = (listener.clone(), shared.clone());
        let acceptor = thread::spawn(move || {
            accept(&for_acceptor, &its_shared, |connection| {
                thread::spawn(connection);
            });
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

    /// Has a thread wait for each of so many connections, for a client that opens them all at once:
    /// no more than 128 may wait for an acceptor, and the next is tried again a second later.
    pub fn ready_for(mut self, connections: usize) -> Self {
        self.ready += connections;
        for _ in 0..connections {
            let (listener, shared) = (self.listener.clone(), self.shared.clone());
            thread::spawn(move || accept(&listener, &shared, |connection| connection()));
        }
        self
    }

    /// For `--endpoint-url`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The calls so far, in the order of their arrival.
    pub fn calls(&self) -> Vec<Arc<Call>> {
        self.shared.journal.calls()
    }

    /// How many calls so far are as `wanted`.
    pub fn count(&self, wanted: impl Fn(&Call) -> bool) -> usize {
        self.calls().iter().filter(|call| wanted(call)).count()
    }

    /// Waits until a call has come that is as `wanted`.
    pub fn wait_for(&self, wanted: impl Fn(&Call) -> bool) {
        let come = |calls: &[Arc<Call>]| calls.iter().any(|call| wanted(call));
        self.shared.journal.wait_until(come);
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        self.shared.journal.connections()
    }

    /// How many connections resumed the TLS session of an earlier one.
    pub fn sessions_resumed(&self) -> usize {
        self.shared.journal.sessions_resumed()
    }

    /// The greatest number of requests that were in flight at one time.
    pub fn most_in_flight(&self) -> usize {
        self.shared.journal.most_in_flight()
    }
}

impl Drop for Server {
    /// Stops accepting and cuts every connection. The handler may be waiting for the test that is
    /// ending here, so that the connections' threads are left to end by themselves.
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.journal.stop();
        for _ in 0..=self.ready {
            // Wakes one of those that accept.
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

/// Accepts until the server stops, and has `run` serve each connection.
fn accept(listener: &TcpListener, shared: &Arc<Shared>, run: fn(Box<dyn FnOnce() + Send>)) {
    for socket in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(socket) = socket else { continue };
        let number = shared.journal.connected();
        if let Ok(second) = socket.try_clone() {
            shared.sockets().insert(number, second);
        }
        let shared = shared.clone();
        run(Box::new(move || {
            // A client that goes in the middle is none of the server's business.
            let served = shared.serve(number, socket);
            // The second handle goes first: a reset happens when the last one is closed.
            shared.sockets().remove(&number);
            drop(served);
        }));
    }
}

impl Shared {
    fn sockets(&self) -> std::sync::MutexGuard<'_, HashMap<usize, TcpStream>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a connection to its end, and hands it back to be closed.
    fn serve(&self, number: usize, socket: TcpStream) -> io::Result<Connection> {
        socket.set_nodelay(true)?;
        let mut connection = match &self.tls {
            None => Connection::plain(socket),
            Some(config) => {
                let session = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
                Connection::tls(session, socket)
            }
        };
        let mut next = connection.request();
        self.journal.opened();
        if connection.is_resumed() {
            self.journal.resumed();
        }
        while let Some(request) = next? {
            let Some(call) = Call::parse(&request, number) else {
                break;
            };
            let call = self.journal.begin(call);
            let after = self.reply(&call, &mut connection);
            self.journal.end();
            if after? == After::Close {
                break;
            }
            next = connection.request();
        }
        Ok(connection)
    }

    fn reply(&self, call: &Call, connection: &mut Connection) -> io::Result<After> {
        let Reply { delay, action } = (self.handler)(call);
        let left = delay
            .max(self.latency)
            .saturating_sub(call.arrived.elapsed());
        if !left.is_zero() {
            self.journal.pause(left);
        }
        // What is left unread makes the end a reset.
        if !matches!(action, Action::Bytes(_, Then::Reset)) {
            connection.take_last()?;
        }
        let after = match action {
            Action::Answer(answer) => connection.deliver(&answer, &call.request_id())?,
            Action::Bytes(bytes, then) => {
                connection.write(&bytes)?;
                match then {
                    Then::Keep => After::Keep,
                    Then::Close => After::Close,
                    Then::Reset => return Ok(After::Close),
                    Then::Stall => {
                        connection.wait_for_end();
                        After::Close
                    }
                    Then::Flood(piece, times) => {
                        for _ in 0..times {
                            connection.write(&piece)?;
                        }
                        After::Close
                    }
                    Then::Drip(bytes) => {
                        for byte in bytes {
                            connection.write(&[byte])?;
                            self.journal.pause(Duration::from_secs(1));
                        }
                        After::Close
                    }
                }
            }
        };
        if after == After::Close {
            connection.close_notify();
        }
        Ok(after)
    }
}
