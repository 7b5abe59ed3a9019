//! An HTTP proxy that opens tunnels, or refuses to.
//!
//! One thread accepts connections until the test program ends. Each connection has a thread that
//! reads the CONNECT request, records it, connects to the server and then copies bytes from the
//! server to the client; a second thread copies the other direction. Each copy ends when its source
//! closes, and then closes the other side for writing.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::server::Server;

/// A proxy on a free port of the loopback interface.
///
/// All tunnels end at one server, for any requested host. A request for a host name that does not
/// resolve therefore shows that the proxy was used.
pub struct Proxy {
    address: SocketAddr,
    /// The head of every request.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts a proxy to `server` without authorization.
    pub fn for_server(server: &Server) -> Self {
        Self::start(server.host(), |_| 200)
    }

    /// Starts a proxy to `server` that requires `authorization` in the header Proxy-Authorization.
    pub fn with_authorization(server: &Server, authorization: &'static str) -> Self {
        let line = format!("\r\nProxy-Authorization: {authorization}\r\n");
        let status = move |head: &str| if head.contains(&line) { 200 } else { 407 };
        Self::start(server.host(), status)
    }

    /// Starts a proxy to `server` that sends `packets`, each with a write of its own, as the response to CONNECT.
    pub fn with_response(server: &Server, packets: Vec<Vec<u8>>) -> Self {
        Self::start_with(server.host(), |_| 200, packets)
    }

    /// Starts a proxy that refuses with the status 407 and these headers, each with its line end.
    pub fn with_challenge(headers: &str) -> Self {
        let response = format!("HTTP/1.1 407 No\r\n{headers}content-length: 0\r\n\r\n");
        Self::start_with(String::new(), |_| 407, vec![response.into_bytes()])
    }

    /// Starts a proxy that replies with `status` instead of opening a tunnel.
    pub fn with_status(status: u16) -> Self {
        Self::start(String::new(), move |_| status)
    }

    fn start(upstream: String, status: impl Fn(&str) -> u16 + Send + Sync + 'static) -> Self {
        Self::start_with(upstream, status, Vec::new())
    }

    /// Starts a proxy; without `packets` the response follows from the status.
    fn start_with(
        upstream: String,
        status: impl Fn(&str) -> u16 + Send + Sync + 'static,
        packets: Vec<Vec<u8>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let (record, shared) = (heads.clone(), Arc::new((upstream, status, packets)));
        // The thread ends with the test program.
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (record, shared) = (record.clone(), shared.clone());
                thread::spawn(move || {
                    let (upstream, status, packets) = &*shared;
                    serve(socket, upstream, status, packets, &record)
                });
            }
        });
        Self { address, heads }
    }

    /// Returns host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns the URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the heads of the CONNECT requests so far.
    pub fn heads(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.clone()
    }
}

fn serve(
    mut client: TcpStream,
    upstream: &str,
    status: &impl Fn(&str) -> u16,
    packets: &[Vec<u8>],
    record: &Mutex<Vec<String>>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let head = head(&mut client)?;
    let status = status(&head);
    let mut heads = record.lock().unwrap_or_else(PoisonError::into_inner);
    heads.push(head);
    drop(heads);
    if status != 200 {
        let response = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n").into_bytes();
        return match packets {
            [] => client.write_all(&response),
            packets => packets
                .iter()
                .try_for_each(|packet| client.write_all(packet)),
        };
    }
    let server = TcpStream::connect(upstream)?;
    server.set_nodelay(true)?;
    match packets {
        [] => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
        packets => packets
            .iter()
            .try_for_each(|packet| client.write_all(packet))?,
    }
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || forward(from, to));
    forward(server, client);
    Ok(())
}

/// Reads the head of a request.
fn head(client: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    String::from_utf8(head).map_err(io::Error::other)
}

/// Copies bytes until `from` is closed, and then closes `to` for writing.
fn forward(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
